//! Dashboards of plans: the list, one dashboard, one panel of it as a fragment (DSH-01 to DSH-05, DSH-07, DSH-09 to DSH-11).
//! I/O: HTTP, series.
//!
//! All panels are asked at once, as many at a time as the gate lets through. What is not there when the page is due is left open;
//! the page's script fetches it alone. So a slow panel holds up nothing but itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use decide::access::restricted;
use plan_model::Plan;
use plan_model::dashboard::layout::{Cell, place};
use plan_model::dashboard::{Dashboard, Link};

use super::frame::{Frame, Nav};
use super::visit::Visit;
use super::{Answer, page};
use crate::answer::Failure;
use crate::app::App;
use crate::live::SystemState;
use crate::text::text;

mod control;
mod look;
mod work;

use control::{Control, Ranges};
use look::Sight;

/// Pairs of an address, in order.
type Pairs = Vec<(String, String)>;

/// A dashboard in the list.
struct Entry {
    id: String,
    title: String,
    description: Option<String>,
    panels: usize,
}

#[derive(Template)]
#[template(path = "dashboards.html")]
struct ListPage {
    f: Frame,
    /// Systems that have dashboards: name, label, dashboards.
    systems: Vec<(String, String, Vec<Entry>)>,
}

/// `GET /dashboards`
pub(crate) async fn list(State(app): State<App>, visit: Visit) -> Answer {
    let systems = visit.seen(&app).systems(|s| {
        let seen = s.plan().dashboards.iter().filter(|(id, _)| sees(&visit, s, id));
        let entries = seen.map(|(id, d)| Entry {
            id: id.clone(),
            title: d.title.clone(),
            description: d.description.clone(),
            panels: d.all_panels().count(),
        });
        (s.name().to_owned(), s.label().to_owned(), entries.collect::<Vec<_>>())
    });
    let systems = systems.into_iter().filter(|(_, _, all)| !all.is_empty()).collect();
    let f = Frame::new(&app, &visit, Nav::Dashboards, text(visit.language).dashboards.title);
    Ok(page(&ListPage { f, systems }))
}

/// Whether somebody sees a dashboard of a system that they see.
fn sees(visit: &Visit, system: &SystemState, id: &str) -> bool {
    restricted::of_dashboard(system.plan(), id).is_none_or(|r| visit.access.is_within(system, &[r]))
}

/// The plan that holds a dashboard, when whoever asks sees it.
fn find(app: &App, visit: &Visit, system: &str, id: &str) -> Result<Arc<Plan>, Failure> {
    let found = visit.seen(app).system(system, |s| {
        let is_seen = s.plan().dashboards.contains_key(id) && sees(visit, s, id);
        is_seen.then(|| s.version.plan.clone())
    });
    found.flatten().ok_or_else(|| Failure::not_found(format!("{system}/{id}")))
}

/// A panel on the page.
struct PanelView {
    number: usize,
    title: String,
    description: Option<String>,
    kind: &'static str,
    cell: Cell,
    /// Its content; `None`: it comes later.
    body: Option<String>,
    /// Address of its content.
    source: String,
    /// Address of it alone.
    alone: String,
    /// Address of its first query in Explore.
    explore: Option<String>,
    links: Vec<Link>,
}

/// Panels under a heading.
struct Group {
    title: Option<String>,
    shut: bool,
    panels: Vec<PanelView>,
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    f: Frame,
    system: String,
    id: String,
    title: String,
    description: Option<String>,
    links: Vec<Link>,
    controls: Vec<Control>,
    ranges: Ranges,
    groups: Vec<Group>,
    /// Seconds between two refreshes; 0: never.
    refresh: u64,
    kiosk: bool,
    /// Only one panel.
    alone: bool,
    /// Address without what is shown alone or in full.
    whole: String,
    kiosk_address: String,
}

/// `GET /dashboards/{system}/{id}`
pub(crate) async fn dashboard(
    State(app): State<App>,
    visit: Visit,
    Path((system, id)): Path<(String, String)>,
    Query(pairs): Query<Pairs>,
) -> Answer {
    let plan = find(&app, &visit, &system, &id)?;
    let mut f = Frame::new(&app, &visit, Nav::Dashboards, "").about(&app, &system);
    let sight = Sight::new(&app, &visit, plan, (system, id), pairs, f.zone.clone()).await?;
    let alone = sight.value("panel").and_then(|p| p.parse::<usize>().ok());
    let bodies = work::bodies(&app, &sight, alone).await;
    let groups = groups(&sight, bodies, alone);
    if groups.iter().all(|g| g.panels.is_empty()) {
        return Err(Failure::not_found(format!("{}/{}", sight.system, sight.id)));
    }
    let dashboard = sight.dashboard();
    let title = sight.for_people(&dashboard.title);
    f.title.clone_from(&title);
    let found = DashboardPage {
        f,
        description: dashboard.description.clone(),
        links: sight.links(&dashboard.links),
        controls: control::controls(&sight),
        ranges: Ranges::new(&sight, visit.language),
        refresh: sight.refresh(),
        kiosk: sight.value("kiosk").is_some(),
        alone: alone.is_some(),
        whole: sight.address(&["panel", "kiosk"], &[]),
        kiosk_address: sight.address(&["panel"], &[("kiosk", "1")]),
        system: sight.system.clone(),
        id: sight.id.clone(),
        title,
        groups,
    };
    Ok(page(&found))
}

fn groups(sight: &Sight, mut bodies: Vec<Option<String>>, alone: Option<usize>) -> Vec<Group> {
    let dashboard: &Dashboard = sight.dashboard();
    let (mut number, mut out) = (0, Vec::new());
    for (_, row, panels) in dashboard.groups() {
        let cells = place(panels);
        let mut views: Vec<PanelView> = Vec::new();
        for (panel, cell) in panels.iter().zip(cells) {
            if alone.is_none_or(|a| a == number) {
                views.push(PanelView {
                    number,
                    title: sight.for_people(&panel.title),
                    description: panel.description.clone(),
                    kind: panel.kind.as_str(),
                    cell: if alone.is_some() { Cell { x: 0, y: 0, w: 24, h: look::ALONE_ROWS } } else { cell },
                    body: bodies.get_mut(number).and_then(Option::take),
                    source: sight.panel_address(number, alone.is_some()),
                    alone: sight.address(&["kiosk"], &[("panel", &number.to_string())]),
                    explore: sight.explore(panel),
                    links: sight.links(&panel.links),
                });
            }
            number += 1;
        }
        // The page's order is that of reading, and the grid fills up in that order.
        views.sort_by_key(|v| (v.cell.y, v.cell.x));
        let title = row.map(|r| sight.for_people(&r.title)).filter(|_| alone.is_none());
        out.push(Group { title, shut: row.is_some_and(|r| r.shut) && alone.is_none(), panels: views });
    }
    out
}

/// `GET /dashboards/{system}/{id}/panels/{number}`: a panel's content.
pub(crate) async fn panel(
    State(app): State<App>,
    visit: Visit,
    Path((system, id, number)): Path<(String, String, usize)>,
    Query(pairs): Query<Pairs>,
) -> Result<Response, Failure> {
    let plan = find(&app, &visit, &system, &id)?;
    let zone = Frame::new(&app, &visit, Nav::Dashboards, "").about(&app, &system).zone;
    let missing = Failure::not_found(format!("{system}/{id}/{number}"));
    let sight = Sight::new(&app, &visit, plan, (system, id), pairs, zone).await?;
    let alone = sight.value("alone").is_some();
    let html = work::body(&app, Arc::new(sight), number, alone).await.ok_or(missing)?;
    Ok(Html(html).into_response())
}
