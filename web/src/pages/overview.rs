//! The overview in the form of SIGCERH's sample (DSH-06, DSH-07): one system whole, or a card for each. I/O: HTTP.

use askama::Template;
use axum::extract::{Path, State};
use kernel::Language;
use kernel::alert::AlertState;

use super::frame::{Frame, Nav};
use super::visit::Visit;
use super::{Answer, page, view};
use crate::answer::Failure;
use crate::app::App;
use crate::live::SystemState;
use crate::text::text;

pub(crate) mod parts;
pub(crate) mod row;

pub(crate) use parts::{AlertLine, HostCard, Summary};
pub(crate) use row::Row;

/// One system as the overview shows it.
pub(crate) struct SystemView {
    pub(crate) summary: Summary,
    pub(crate) rows: Vec<Row>,
    pub(crate) hosts: Vec<HostCard>,
    pub(crate) today: Vec<crate::live::TodayValue>,
    pub(crate) has_today: bool,
    pub(crate) alerts: Vec<AlertLine>,
}

impl SystemView {
    pub(crate) fn new(system: &SystemState, language: Language, now: kernel::Timestamp) -> Self {
        let rows = Row::all(system, language);
        Self {
            summary: Summary::new(system, &rows, language, now),
            hosts: HostCard::all(system),
            today: system.today.clone(),
            has_today: !system.plan().overview.today.is_empty(),
            alerts: AlertLine::all(system),
            rows,
        }
    }
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    f: Frame,
    s: SystemView,
}

#[derive(Template)]
#[template(path = "systems.html")]
struct SystemsPage {
    f: Frame,
    cards: Vec<SystemView>,
}

/// `GET /`
pub(crate) async fn overview(State(app): State<App>, visit: Visit) -> Answer {
    let names = visit.seen(&app).system_names();
    if let [(only, _)] = names.as_slice() {
        return one(&app, &visit, only);
    }
    let now = app.clock.now();
    let cards = visit.seen(&app).systems(|s| SystemView::new(s, visit.language, now));
    let title = text(visit.language).overview.title;
    let f = Frame::new(&app, &visit, Nav::Overview, title).live("view=systems");
    Ok(page(&SystemsPage { f, cards }))
}

/// `GET /s/{system}`
pub(crate) async fn system(State(app): State<App>, visit: Visit, Path(name): Path<String>) -> Answer {
    one(&app, &visit, &name)
}

fn one(app: &App, visit: &Visit, name: &str) -> Answer {
    let now = app.clock.now();
    let found = visit.seen(app).system(name, |s| (s.label().to_owned(), SystemView::new(s, visit.language, now)));
    let (label, s) = found.ok_or_else(|| Failure::not_found(name))?;
    let query = format!("view=system&system={name}");
    let f = Frame::new(app, visit, Nav::Overview, label).about(app, name).live(query);
    Ok(page(&OverviewPage { f, s }))
}

/// Fires, of a system.
pub(crate) fn firing(system: &SystemState) -> impl Iterator<Item = &kernel::alert::Alert> {
    system.alerts.iter().filter(|a| a.state == AlertState::Firing)
}

#[cfg(test)]
mod tests;
