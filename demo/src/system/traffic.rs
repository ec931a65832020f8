//! The users: they send requests to the Backend, as a UGEL's morning would. I/O.

use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// Time between two requests.
const PAUSE: Duration = Duration::from_millis(400);

/// What users ask for, over and over: more submissions than payments than certificates.
const ROUND: [&str; 6] =
    ["/api/solicitudes", "/api/solicitudes", "/api/pagos", "/api/solicitudes", "/api/certificados", "/api/pagos"];

/// Sends requests until it is stopped; a Backend that is down is a user who waits.
pub(crate) async fn make(backend: String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<axum::body::Body>();
    for path in ROUND.iter().cycle() {
        tokio::time::sleep(PAUSE).await;
        let Ok(request) = axum::http::Request::post(format!("{backend}{path}")).body(axum::body::Body::empty()) else {
            continue;
        };
        if let Err(error) = client.request(request).await {
            tracing::debug!(%error, "a user of the demo got no answer");
        }
    }
}
