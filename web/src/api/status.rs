//! Farero's own state in one answer, and the words of short answers. I/O: HTTP, state.

use axum::extract::State;
use http::StatusCode;
use kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, Json};
use crate::app::App;
use crate::auth::Access;
use crate::lists;
use crate::pages::deliveries::STATES;

/// Something asked for was done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    /// Always true: what was not done is a problem document.
    done: bool,
    /// In words.
    message: String,
}

impl Done {
    pub(crate) fn yes(message: impl Into<String>) -> Self {
        Self { done: true, message: message.into() }
    }
}

/// Entries of the outbox in one state.
#[derive(Serialize, ToSchema)]
pub(crate) struct Count {
    state: &'static str,
    count: u64,
}

/// Farero's own state.
#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    version: String,
    /// All loops have started.
    ready: bool,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    systems: usize,
    checks: usize,
    /// Alerts that fire.
    firing: usize,
    outbox: Vec<Count>,
    /// How late checks start, 99th percentile of the last minute, milliseconds.
    lateness_p99_ms: Option<f64>,
    /// Farero's own certificate, where it speaks TLS itself.
    certificate: Option<Certificate>,
}

/// Farero's own certificate.
#[derive(Serialize, ToSchema)]
pub(crate) struct Certificate {
    /// For which names it is.
    names: Vec<String>,
    /// When it ends; none while there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// Why the last try to replace it failed.
    error: Option<String>,
}

impl Certificate {
    fn of(app: &App) -> Option<Self> {
        let state = app.config.certificates.as_ref()?.state();
        Some(Self { names: state.names, ends_at: state.ends_at, error: state.error })
    }
}

/// Farero's own state.
#[utoipa::path(get, path = "/api/farero/v1/status", tag = "status", responses((status = 200, body = Status)))]
pub(crate) async fn status(State(app): State<App>, access: Access) -> Answer<Status> {
    let counts = lists::counts(&app, &access).await?;
    let of = |state| counts.iter().filter(|c| c.state == state).map(|c| c.count).sum();
    let per_system = access.seen(&app).systems(|s| (s.checks.len(), crate::pages::overview::firing(s).count()));
    Ok(Json(Status {
        version: app.config.version.clone(),
        ready: app.live.is_ready(),
        started_at: app.live.started_at(),
        now: app.clock.now(),
        systems: per_system.len(),
        checks: per_system.iter().map(|(c, _)| c).sum(),
        firing: per_system.iter().map(|(_, f)| f).sum(),
        outbox: STATES.iter().map(|(s, word)| Count { state: word, count: of(*s) }).collect(),
        lateness_p99_ms: app.live.lateness(),
        certificate: Certificate::of(&app),
    }))
}

/// `GET /-/healthy`: the process answers.
pub(crate) async fn healthy() -> &'static str {
    "Farero is healthy.\n"
}

/// `GET /-/ready`: all loops have started.
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.live.is_ready() {
        true => (StatusCode::OK, "Farero is ready.\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "Farero is starting.\n"),
    }
}
