//! What the pages need to answer, and the router over it. I/O: HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use http::StatusCode;
use kernel::Clock;
use kernel::series::SeriesReader;
use state::State;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::control::Control;
use crate::limits;
use crate::live::Live;
use crate::{answer, routes};

/// What a caller sets about the pages.
#[derive(Clone, Debug, Default)]
pub struct WebConfig {
    /// Address under which people reach this Farero, without a slash at the end: `https://farero.example`.
    pub base_url: String,
    /// Whether people reach it over TLS: then cookies are `Secure` and answers tell browsers to stay with TLS.
    pub tls: bool,
    /// Version of the program.
    pub version: String,
    /// Whether `/metrics` and the Prometheus API may be read without log-in (on a closed network).
    pub open_metrics: bool,
    /// Whether state badges may be read without log-in.
    pub open_badges: bool,
}

/// The caller's address, put into a request's extensions by whoever accepts connections; log-in back-off needs it.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub SocketAddr);

/// What the pages need. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The read model.
    pub live: Arc<Live>,
    /// What is kept in the database.
    pub state: State,
    /// Measured series.
    pub series: Arc<dyn SeriesReader>,
    /// What people may ask the loops for.
    pub control: Arc<dyn Control>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Settings.
    pub config: Arc<WebConfig>,
    pub(crate) gates: Arc<Gates>,
}

/// Counting gates: how much of something may go on at once.
pub(crate) struct Gates {
    pub(crate) live_pages: Arc<Semaphore>,
}

impl App {
    /// Of its parts.
    pub fn new(
        live: Arc<Live>,
        state: State,
        series: Arc<dyn SeriesReader>,
        control: Arc<dyn Control>,
        clock: Arc<dyn Clock>,
        config: WebConfig,
    ) -> Self {
        let gates = Gates { live_pages: Arc::new(Semaphore::new(limits::LIVE_PAGES)) };
        Self { live, state, series, control, clock, config: Arc::new(config), gates: Arc::new(gates) }
    }
}

/// The whole web: every route of [`routes::table`], with limits, compression and security headers around them.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in routes::table() {
        router = router.route(route.path, route.into_guarded(&app));
    }
    router
        .fallback(answer::not_found)
        .layer(from_fn(answer::problems))
        .layer(RequestBodyLimitLayer::new(limits::BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits::REQUEST_TIME))
        .layer(CatchPanicLayer::custom(answer::panicked))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), answer::security_headers))
        .with_state(app)
}
