//! What the pages need to answer, and the router over it. I/O: HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use http::StatusCode;
use kernel::Clock;
use kernel::series::SeriesReader;
use kernel::trail::Deed;
use state::{State, StateError};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

use crate::answer::Failure;
use crate::api::receiving::Receiving;
use crate::api::scraped::Scraped;
use crate::auth::known::Known;
use crate::auth::login::Login;
use crate::auth::rate::Rates;
use crate::auth::refusals::Refusals;
use crate::control::Control;
use crate::limits;
use crate::live::Live;
use crate::{answer, hosts, routes};

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
    /// Names under which it answers; `None`: under any.
    pub hosts: Option<Arc<crate::hosts::Hosts>>,
    /// Its own certificate, where it speaks TLS itself.
    pub certificates: Option<Arc<crate::tls::Certificates>>,
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
    /// What log-ins need.
    pub login: Login,
    /// What takes in samples that others send; `None`: none are taken.
    pub receiving: Option<Receiving>,
    /// What tells of the targets that are scraped; `None`: nothing is.
    pub scraped: Option<Arc<dyn Scraped>>,
    pub(crate) gates: Arc<Gates>,
}

/// Counting gates: how much of something may go on at once.
pub(crate) struct Gates {
    pub(crate) live_pages: Arc<Semaphore>,
    pub(crate) hashes: Arc<Semaphore>,
    pub(crate) hashes_waiting: Arc<Semaphore>,
    pub(crate) queries: web_prometheus::Gate,
    pub(crate) prometheus: web_prometheus::Settings,
    pub(crate) known: Known,
    pub(crate) rates: Rates,
    pub(crate) refusals: Refusals,
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
        let gate = |n: usize| Arc::new(Semaphore::new(n));
        let gates = Gates {
            live_pages: gate(limits::LIVE_PAGES),
            hashes: gate(limits::HASHES_AT_ONCE),
            hashes_waiting: gate(limits::HASHES_WAITING),
            queries: web_prometheus::Gate::new(limits::QUERIES_AT_ONCE),
            prometheus: crate::api::prometheus::settings(&config.version, live.started_at()),
            known: Known::default(),
            rates: Rates::default(),
            refusals: Refusals::default(),
        };
        let login = Login::passing(&config.base_url);
        Self {
            live,
            state,
            series,
            control,
            clock,
            config: Arc::new(config),
            login,
            receiving: None,
            scraped: None,
            gates: Arc::new(gates),
        }
    }

    /// With what tells of scraped targets.
    #[must_use]
    pub fn with_scraped(mut self, scraped: Arc<dyn Scraped>) -> Self {
        self.scraped = Some(scraped);
        self
    }

    /// With what takes in samples.
    #[must_use]
    pub fn with_receiving(mut self, receiving: Receiving) -> Self {
        self.receiving = Some(receiving);
        self
    }

    /// With a key that lasts and providers.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.login = login;
        self
    }

    /// Forgets who was recognised: people, rights, tokens or sessions have changed. Live pages end and are opened anew.
    pub fn forget_identities(&self) {
        self.gates.known.forget();
    }

    /// Tells of a deed that changed nothing in the database: something that was asked of the loops, or that failed. What changes
    /// the database is told in the transaction of the change, by the function of `state` that makes it.
    pub(crate) async fn record(&self, deed: Deed) -> Result<(), Failure> {
        self.db(move |s| s.record(&deed)).await
    }

    /// Tells of a deed that was done already, where it is too late to refuse it: a failure to write is logged and counted by the state
    /// of the database's own page.
    pub(crate) async fn told(&self, deed: Deed) {
        if self.record(deed).await.is_err() {
            tracing::error!("a deed that was done could not be written to the trail");
        }
    }

    /// Tells of an attempt that was refused. Its like are counted and told together, so that nobody can fill the disk by being
    /// refused ([`crate::auth::refusals`]).
    pub(crate) async fn refused(&self, deed: Deed) -> Result<(), Failure> {
        match self.gates.refusals.take(deed) {
            Some(deed) => self.record(deed).await,
            None => Ok(()),
        }
    }

    /// Refused attempts that were counted long enough and wait to be told; with `all`, those counted so far. The loop of the trail
    /// asks for them.
    pub fn counted_refusals(&self, now: kernel::Timestamp, all: bool) -> Vec<Deed> {
        self.gates.refusals.due(now, all)
    }

    /// Runs something on the database, off the async threads.
    pub(crate) async fn db<T: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, Failure> {
        let state = self.state.clone();
        let done = tokio::task::spawn_blocking(move || work(&state)).await;
        match done {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(Failure::internal("use the database", error)),
            Err(error) => Err(Failure::internal("use the database", error)),
        }
    }
}

/// The whole web: every route of [`routes::table`], with limits, compression and security headers around them.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in routes::table() {
        router = router.route(route.path, route.into_guarded(&app));
    }
    wrapped(router, app)
}

/// Limits, failures, compression and headers around routes.
fn wrapped(router: Router<App>, app: App) -> Router {
    router
        .fallback(answer::not_found)
        .layer(RequestBodyTimeoutLayer::new(limits::BODY_PAUSE))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits::REQUEST_TIME))
        .layer(CatchPanicLayer::custom(answer::panicked))
        .layer(from_fn_with_state(app.clone(), hosts::known_host))
        .layer(from_fn_with_state(app.clone(), answer::problems))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(app.clone(), answer::security_headers))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use http::{Request, header};
    use tower::ServiceExt as _;

    async fn broken() -> StatusCode {
        panic!("a bug")
    }

    #[tokio::test]
    async fn a_panic_is_a_page_with_a_number_and_the_next_request_is_answered() {
        let app = crate::sample::app(false);
        let routes = Router::new().route("/broken", axum::routing::get(broken));
        let router = wrapped(routes, app);
        for _ in 0..2 {
            let request = Request::get("/broken").header(header::ACCEPT, "text/html").body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY));
            let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            let text = String::from_utf8_lossy(&body);
            assert!(text.contains("Referencia: <code>") && !text.contains("a bug"), "{text}");
        }
    }
}
