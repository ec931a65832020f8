//! The listening sockets: connections counted, heads timed, the caller known, an end in order. I/O: TCP, TLS, Unix sockets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use http::{HeaderValue, header};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::app::PeerAddress;
use crate::limits::{CONNECTIONS, HEAD_TIME, LOCAL_CONNECTIONS, STREAMS};
use crate::tls::Certificates;

mod local;
mod redirect;
#[cfg(test)]
mod tests;

pub use local::LocalPeer;
pub use redirect::Redirect;

/// After an error of the socket itself (no file descriptors left) the next try waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// One way in.
pub enum Door {
    /// HTTP.
    Plain(TcpListener),
    /// HTTP over TLS.
    Tls(TcpListener, Arc<Certificates>),
    /// HTTP over a Unix socket; whoever comes in this way is known by the operating system.
    Socket(UnixListener),
    /// HTTP that only says where HTTPS is, and answers an ACME authority.
    Redirect(TcpListener, Redirect),
}

/// Serves a router through some doors until `stop` ends, then gives requests that are going `grace` to finish. At most
/// [`CONNECTIONS`] at once over the network, more wait in the kernel; a request's head must come within [`HEAD_TIME`]. The
/// Unix socket has [`LOCAL_CONNECTIONS`] of its own, so that a flood from outside does not lock the team out.
pub async fn serve(doors: Vec<Door>, router: Router, stop: impl Future<Output = ()>, grace: Duration) {
    let graceful: Graceful = Arc::new(Mutex::new(Some(GracefulShutdown::new())));
    let gate = Arc::new(Semaphore::new(CONNECTIONS));
    let (end, ended) = watch::channel(false);
    let mut accepting = JoinSet::new();
    for door in doors {
        let gate =
            if matches!(door, Door::Socket(_)) { Arc::new(Semaphore::new(LOCAL_CONNECTIONS)) } else { gate.clone() };
        let service = match &door {
            Door::Redirect(_, redirect) => redirect.router(),
            _ => router.clone(),
        };
        let entrance = Entrance { router: service, graceful: graceful.clone(), ended: ended.clone() };
        accepting.spawn(accept(door, gate, entrance));
    }
    stop.await;
    // An error means that every door has closed already.
    let _ = end.send(true);
    accepting.join_all().await;
    // Live pages never end by themselves: what is still open after the grace is cut.
    let closing = graceful.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(closing) = closing {
        let _ = tokio::time::timeout(grace, closing.shutdown()).await;
    }
}

/// What a new connection is given.
#[derive(Clone)]
struct Entrance {
    router: Router,
    graceful: Graceful,
    ended: watch::Receiver<bool>,
}

/// Watches connections, so that they end in order; empty once the end has begun.
type Graceful = Arc<Mutex<Option<GracefulShutdown>>>;

async fn accept(door: Door, gate: Arc<Semaphore>, entrance: Entrance) {
    let mut ended = entrance.ended.clone();
    loop {
        let next = async {
            let permit = gate.clone().acquire_owned().await.ok()?;
            Some((permit, accept_one(&door).await))
        };
        tokio::select! {
            () = closed(&mut ended) => return,
            next = next => match next {
                Some((permit, Ok(incoming))) => {
                    tokio::spawn(connection(incoming, entrance.clone(), permit));
                }
                Some((_, Err(error))) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                None => return,
            },
        }
    }
}

/// Waits until the end has begun; that nobody can begin it any more is one too.
async fn closed(ended: &mut watch::Receiver<bool>) {
    let _ = ended.wait_for(|end| *end).await;
}

/// A connection that was accepted and not yet spoken with.
enum Incoming {
    Plain(tokio::net::TcpStream, SocketAddr),
    Tls(tokio::net::TcpStream, SocketAddr, Arc<Certificates>),
    Local(tokio::net::UnixStream, LocalPeer),
}

async fn accept_one(door: &Door) -> std::io::Result<Incoming> {
    Ok(match door {
        Door::Plain(listener) | Door::Redirect(listener, _) => {
            let (stream, peer) = listener.accept().await?;
            Incoming::Plain(stream, peer)
        }
        Door::Tls(listener, certificates) => {
            let (stream, peer) = listener.accept().await?;
            Incoming::Tls(stream, peer, certificates.clone())
        }
        Door::Socket(listener) => {
            let (stream, _) = listener.accept().await?;
            let peer = LocalPeer::of(&stream)?;
            Incoming::Local(stream, peer)
        }
    })
}

async fn connection(incoming: Incoming, entrance: Entrance, permit: OwnedSemaphorePermit) {
    match incoming {
        Incoming::Plain(stream, peer) => {
            // Small fragments should not wait for more; without it they are only later.
            let _ = stream.set_nodelay(true);
            speak(stream, entrance, Caller::Address(PeerAddress(peer))).await;
        }
        Incoming::Tls(stream, peer, certificates) => {
            let _ = stream.set_nodelay(true);
            match tokio::time::timeout(HEAD_TIME, certificates.accept(stream)).await {
                Ok(Ok(stream)) => speak(stream, entrance, Caller::Address(PeerAddress(peer))).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS connection was not made"),
                Err(_) => tracing::debug!("a TLS connection was not made in time"),
            }
        }
        Incoming::Local(stream, peer) => speak(stream, entrance, Caller::Local(peer)).await,
    }
    drop(permit);
}

/// Who is at the other end.
#[derive(Clone)]
enum Caller {
    Address(PeerAddress),
    Local(LocalPeer),
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, entrance: Entrance, caller: Caller) {
    let service = entrance.router.map_request(move |mut request: Request<hyper::body::Incoming>| {
        match caller.clone() {
            Caller::Address(peer) => request.extensions_mut().insert(peer).is_some(),
            Caller::Local(peer) => request.extensions_mut().insert(peer).is_some(),
        };
        name_host(&mut request);
        request.map(axum::body::Body::new)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(HEAD_TIME))
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(crate::limits::HEAD_BYTES);
    let conn = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned();
    let watched = {
        let graceful = entrance.graceful.lock().unwrap_or_else(PoisonError::into_inner);
        graceful.as_ref().map(|graceful| graceful.watch(conn))
    };
    let Some(watched) = watched else { return };
    // An error is the peer's: it went away, or it spoke no HTTP.
    if let Err(error) = watched.await {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// HTTP/2 names the host in `:authority`; what looks for it looks in `Host`. Whoever sends both sends the same (RFC 9113,
/// section 8.3.1).
fn name_host<B>(request: &mut Request<B>) {
    let authority = request.uri().authority().map(|a| a.as_str().to_owned());
    if let Some(value) = authority.and_then(|a| HeaderValue::from_str(&a).ok()) {
        request.headers_mut().insert(header::HOST, value);
    }
}
