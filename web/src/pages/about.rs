//! Farero's own health: queues, drops, lateness, counters. I/O: HTTP, state.

use askama::Template;
use axum::extract::State;

use super::deliveries::{STATES, state_view};
use super::frame::{Frame, Nav};
use super::view::StateView;
use super::visit::Visit;
use super::{Answer, page};
use crate::app::App;
use crate::limits::LIVE_PAGES;
use crate::lists;
use crate::live::OwnMetric;
use crate::text::text;
use crate::tls::CertificateState;

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    f: Frame,
    ready: bool,
    version: String,
    started_at: kernel::Timestamp,
    lateness: Option<String>,
    live_pages: String,
    outbox: Vec<(StateView, u64)>,
    own: Vec<OwnMetric>,
    certificate: Option<CertificateState>,
}

/// `GET /about`
pub(crate) async fn about(State(app): State<App>, visit: Visit) -> Answer {
    let counts = lists::counts(&app, &visit.access).await?;
    let count = |state| counts.iter().filter(|c| c.state == state).map(|c| c.count).sum();
    let open = LIVE_PAGES - app.gates.live_pages.available_permits();
    Ok(page(&AboutPage {
        ready: app.live.is_ready(),
        version: app.config.version.clone(),
        started_at: app.live.started_at(),
        lateness: app.live.lateness().map(|ms| crate::format::millis(visit.language, ms)),
        live_pages: format!("{open} / {LIVE_PAGES}"),
        outbox: STATES.iter().map(|(s, _)| (state_view(*s, visit.language), count(*s))).collect(),
        own: visit.seen(&app).own(),
        certificate: app.config.certificates.as_ref().map(|c| c.state()),
        f: Frame::new(&app, &visit, Nav::About, text(visit.language).manage.about_title),
    }))
}
