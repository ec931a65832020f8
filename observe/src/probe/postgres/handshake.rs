//! TLS of PostgreSQL by Farero's own client: the same settings, facts and readings as every other check's. I/O.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use kernel::probe::Phase;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use crate::probe::Attempt;
use crate::probe::dial::Host;
use crate::probe::tls::TlsClient;

/// Shakes hands when the server has agreed to TLS.
pub(super) struct Handshake<'a> {
    pub(super) tls: &'a TlsClient,
    pub(super) host: &'a Host,
    pub(super) attempt: &'a Attempt,
}

impl<'a> TlsConnect<TcpStream> for Handshake<'a> {
    type Stream = Secured;
    type Error = String;
    type Future = BoxFuture<'a, Result<Secured, String>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        Box::pin(async move {
            let (stream, _) = self.tls.shake_hands(stream, self.host, self.attempt).await?;
            self.attempt.begin(Phase::Processing);
            self.attempt.doing("logging in");
            Ok(Secured(stream))
        })
    }
}

/// A stream with TLS. Offers no channel binding: SCRAM works without.
pub(super) struct Secured(tokio_rustls::client::TlsStream<TcpStream>);

impl TlsStream for Secured {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Secured {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
