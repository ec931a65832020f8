//! The listening socket: connections counted, heads timed, the caller's address known, an end in order. I/O: TCP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use crate::app::PeerAddress;
use crate::limits::{CONNECTIONS, HEAD_TIME};

/// After an error of the socket itself (no file descriptors left) the next try waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves a router until `stop` ends, then gives requests that are going `grace` to finish. At most [`CONNECTIONS`] at
/// once, more wait in the kernel; a request's head must come within [`HEAD_TIME`].
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>, grace: Duration) {
    let (gate, graceful) = (Arc::new(Semaphore::new(CONNECTIONS)), GracefulShutdown::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let permit = gate.clone().acquire_owned().await.ok()?;
            Some((permit, listener.accept().await))
        };
        tokio::select! {
            () = &mut stop => break,
            next = next => match next {
                Some((permit, Ok((stream, peer)))) => connection(stream, PeerAddress(peer), permit, &router, &graceful),
                Some((_, Err(error))) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                None => break,
            },
        }
    }
    // Live pages never end by themselves: what is still open after the grace is cut.
    let _ = tokio::time::timeout(grace, graceful.shutdown()).await;
}

fn connection(
    stream: TcpStream,
    peer: PeerAddress,
    permit: OwnedSemaphorePermit,
    router: &Router,
    graceful: &GracefulShutdown,
) {
    // Small fragments should not wait for more; without it they are only later.
    let _ = stream.set_nodelay(true);
    let service = router.clone().map_request(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer);
        request.map(axum::body::Body::new)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(HEAD_TIME));
    let conn = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned();
    let watched = graceful.watch(conn);
    tokio::spawn(async move {
        // An error is the peer's: it went away, or it spoke no HTTP.
        if let Err(error) = watched.await {
            tracing::debug!(%error, "a connection broke off");
        }
        drop(permit);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn it_answers_and_ends_in_order() {
        let router = Router::new().route(
            "/",
            axum::routing::get(async |axum::Extension(p): axum::Extension<PeerAddress>| p.0.ip().to_string()),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let stop = async {
            let _ = ended.await;
        };
        let serving = tokio::spawn(serve(listener, router, stop, Duration::from_millis(200)));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
        let _slow = TcpStream::connect(address).await.unwrap();
        end.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
    }
}
