//! Pages over metrics in Farero's frame, through the eyes of whoever asks; what is in them is made in `web-explore`. I/O: HTTP, series.

use askama::Template;
use axum::extract::State;
use axum::response::Redirect;
use http::Uri;
use web_explore::{Body, Site, cardinality, explore, targets};

use super::frame::{Frame, Nav};
use super::visit::Visit;
use super::{Answer, page};
use crate::api::prometheus::seen_by;
use crate::app::App;

#[derive(Template)]
#[template(path = "metrics.html")]
struct MetricsPage {
    f: Frame,
    html: String,
}

/// How the pages are to speak to whoever asks.
pub(crate) fn site(f: &Frame) -> Site {
    Site { language: f.language, zone: f.zone.clone(), now: f.now, asset: crate::assets::url }
}

fn framed(mut f: Frame, body: Body) -> Answer {
    f.title = body.title;
    Ok(page(&MetricsPage { f, html: body.html }))
}

/// `GET /explore`
pub(crate) async fn explore_page(State(app): State<App>, visit: Visit, uri: Uri) -> Answer {
    let f = Frame::new(&app, &visit, Nav::Explore, "");
    let body = explore::page(&site(&f), &seen_by(&app, &visit.access), uri.query().unwrap_or_default()).await;
    framed(f, body)
}

/// `GET /targets`
pub(crate) async fn targets_page(State(app): State<App>, visit: Visit, uri: Uri) -> Answer {
    let f = Frame::new(&app, &visit, Nav::Targets, "");
    let body = targets::page(&site(&f), &seen_by(&app, &visit.access), uri.query().unwrap_or_default()).await;
    framed(f, body)
}

/// `GET /cardinality`: of all systems together.
pub(crate) async fn cardinality_page(State(app): State<App>, visit: Visit) -> Answer {
    let f = Frame::new(&app, &visit, Nav::Cardinality, "");
    let body = cardinality::page(&site(&f), &seen_by(&app, &visit.access)).await;
    framed(f, body)
}

/// `GET /graph`: where Prometheus has its expressions.
pub(crate) async fn graph(uri: Uri) -> Redirect {
    Redirect::temporary(&web_explore::alone::of_graph(uri.query().unwrap_or_default()))
}
