//! The listening socket of the pages. I/O.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use web::app::PeerAddress;

/// Requests that are going get this long to finish when Farero ends.
pub const GRACE: Duration = Duration::from_millis(500);

/// Serves until it is told to stop.
pub async fn serve(listener: TcpListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let router = router.layer(from_fn(with_peer));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is an end too.
        let _ = stopping.wait_for(|stop| *stop).await;
    });
    if let Err(error) = served.await {
        tracing::error!(%error, "the pages are served no more");
    }
}

/// Tells the pages the caller's address, for log-in back-off.
async fn with_peer(mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(address)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        request.extensions_mut().insert(PeerAddress(address));
    }
    next.run(request).await
}
