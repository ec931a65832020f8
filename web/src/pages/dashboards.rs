//! Dashboards of plans: the list, one dashboard, one panel of it as a fragment (DSH-01 to DSH-05, DSH-07, DSH-09 to DSH-11).
//! I/O: HTTP, series.
//!
//! All panels are asked at once, as many at a time as the gate lets through. What is not there when the page is due is left open;
//! the page's script fetches it alone. So a slow panel holds up nothing but itself.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use decide::access::restricted;
use decide::dashboards::Mark;
use kernel::Timestamp;
use kernel::phrase::in_language;
use plan_model::Plan;
use plan_model::dashboard::Link;
use plan_model::dashboard::layout::Cell;

use super::frame::{Frame, Nav};
use super::visit::Visit;
use super::{Answer, page};
use crate::answer::Failure;
use crate::app::App;
use crate::live::SystemState;
use crate::text::text;

mod address;
mod control;
pub(crate) mod look;
mod marks;
pub(crate) mod shown;
pub(crate) mod work;

use control::{Control, Ranges};
use look::Sight;
use shown::{Shown, ShownGroup, shown};

/// Pairs of an address, in order.
pub(crate) type Pairs = Vec<(String, String)>;

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
pub(crate) fn sees(visit: &Visit, system: &SystemState, id: &str) -> bool {
    restricted::of_dashboard(system.plan(), id).is_none_or(|r| visit.access.is_within(system, &[r]))
}

/// The plan that holds a dashboard, when whoever asks sees it.
pub(crate) fn find(app: &App, visit: &Visit, system: &str, id: &str) -> Result<Arc<Plan>, Failure> {
    let found = visit.seen(app).system(system, |s| {
        let is_seen = s.plan().dashboards.contains_key(id) && sees(visit, s, id);
        is_seen.then(|| s.version.plan.clone())
    });
    found.flatten().ok_or_else(|| Failure::not_found(format!("{system}/{id}")))
}

/// A panel on the page.
struct PanelView {
    /// Its id on the page: repeated ones share a number.
    id: String,
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
    /// That some were left out.
    cut: Option<String>,
}

/// A mark in the list below the controls.
struct MarkView {
    tone: &'static str,
    from: String,
    to: Option<String>,
    title: String,
    text: String,
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
    marks: Vec<MarkView>,
    /// Address with marks, or without.
    marks_address: Option<String>,
    hides_marks: bool,
    /// Annotations that could not be asked for, with the reason.
    trouble: Vec<String>,
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
    let sight = Sight::new(&app, &visit, plan, (system, id), pairs, None).await?;
    let alone = sight.value("panel").and_then(|p| p.parse::<usize>().ok());
    let groups = match alone {
        Some(number) => vec![alone_group(&sight, number)],
        None => shown(&sight, sight.dashboard()),
    };
    if groups.iter().all(|g| g.panels.is_empty()) {
        return Err(Failure::not_found(format!("{}/{}", sight.system, sight.id)));
    }
    let groups = views(&app, &sight, groups, alone.is_some()).await;
    let dashboard = sight.dashboard();
    let title = sight.for_people(&dashboard.title);
    f.title.clone_from(&title);
    let has_marks = !dashboard.annotations.is_empty() || !dashboard.events.is_empty();
    let marks_address = match sight.hides_marks() {
        true => sight.address(&["marks"], &[]),
        false => sight.address(&[], &[("marks", "0")]),
    };
    let found = DashboardPage {
        description: dashboard.description.clone(),
        links: sight.links(&dashboard.links),
        controls: control::controls(&sight),
        ranges: Ranges::new(&sight, visit.language),
        refresh: sight.refresh(),
        kiosk: sight.value("kiosk").is_some(),
        alone: alone.is_some(),
        whole: sight.address(&["panel", "kiosk", "row", "repeat"], &[]),
        kiosk_address: sight.address(&["panel", "row", "repeat"], &[("kiosk", "1")]),
        marks: sight.marks.all.iter().rev().map(|m| mark_view(m, &f)).collect(),
        marks_address: has_marks.then_some(marks_address),
        hides_marks: sight.hides_marks(),
        trouble: sight.marks.errors.iter().map(|e| in_language(e, visit.language).into_owned()).collect(),
        f,
        system: sight.system.clone(),
        id: sight.id.clone(),
        title,
        groups,
    };
    Ok(page(&found))
}

fn mark_view(mark: &Mark, f: &Frame) -> MarkView {
    let at = |ms: i64| crate::format::date_time(f.language, Timestamp::from_millis(ms), &f.zone);
    MarkView {
        tone: mark.colour.as_str(),
        from: at(mark.from_ms),
        to: (mark.to_ms > mark.from_ms).then(|| at(mark.to_ms)),
        title: mark.title.clone(),
        text: mark.text.clone(),
    }
}

/// A panel that is shown alone, as large as the page.
fn alone_group(sight: &Sight, number: usize) -> ShownGroup {
    let cell = Cell { x: 0, y: 0, w: 24, h: look::ALONE_ROWS };
    let is_there = sight.dashboard().all_panels().nth(number).is_some();
    let one = Shown { number, scope: sight.asked_scope(number), cell, shut: false };
    ShownGroup { row: None, scope: one.scope.clone(), panels: Vec::from_iter(is_there.then_some(one)), cut: None }
}

/// All groups with their contents, as far as those are there in time.
async fn views(app: &App, sight: &Sight, groups: Vec<ShownGroup>, alone: bool) -> Vec<Group> {
    let (mut shown, mut heads) = (Vec::new(), Vec::new());
    for group in groups {
        heads.push((group.row, group.scope, group.cut, group.panels.len()));
        shown.extend(group.panels);
    }
    let bodies = work::bodies(app, sight, &shown, alone).await;
    let mut seen: HashMap<usize, usize> = HashMap::new();
    let mut views = shown.iter().zip(bodies).map(|(shown, body)| {
        let nth = seen.entry(shown.number).or_default();
        *nth += 1;
        let id = if *nth == 1 { shown.number.to_string() } else { format!("{}-{nth}", shown.number) };
        view(sight, shown, id, body, alone)
    });
    let mut out = Vec::new();
    for (row, scope, cut, count) in heads {
        let mut panels: Vec<PanelView> = views.by_ref().take(count).flatten().collect();
        // The page's order is that of reading, and the grid fills up in that order.
        panels.sort_by_key(|v| (v.cell.y, v.cell.x));
        let row = row.and_then(|r| sight.dashboard().rows.get(r));
        let (some, of) = sight.language.pick(("Se muestran", "de"), ("Shows", "of"));
        out.push(Group {
            title: row.map(|r| sight.scoped(&scope).for_people(&r.title)),
            shut: row.is_some_and(|r| r.shut),
            panels,
            cut: cut.map(|(shown, all)| format!("{some} {shown} {of} {all}")),
        });
    }
    out
}

fn view(sight: &Sight, shown: &Shown, id: String, body: Option<String>, alone: bool) -> Option<PanelView> {
    let (_, panel) = sight.dashboard().all_panels().nth(shown.number)?;
    let scoped = sight.scoped(&shown.scope);
    Some(PanelView {
        id,
        title: scoped.for_people(&panel.title),
        description: panel.description.clone(),
        kind: panel.kind.as_str(),
        cell: shown.cell,
        body,
        source: sight.panel_address(shown.number, &shown.scope, alone),
        alone: sight.alone_address(shown.number, &shown.scope),
        explore: scoped.explore(panel),
        links: scoped.links(&panel.links),
    })
}

/// `GET /dashboards/{system}/{id}/panels/{number}`: a panel's content.
pub(crate) async fn panel(
    State(app): State<App>,
    visit: Visit,
    Path((system, id, number)): Path<(String, String, usize)>,
    Query(pairs): Query<Pairs>,
) -> Result<Response, Failure> {
    let plan = find(&app, &visit, &system, &id)?;
    let missing = Failure::not_found(format!("{system}/{id}/{number}"));
    let sight = Sight::new(&app, &visit, plan, (system, id), pairs, Some(number)).await?;
    let alone = sight.value("alone").is_some();
    let scoped = sight.scoped(&sight.asked_scope(number));
    let html = work::body(&app, Arc::new(scoped), number, alone).await.ok_or(missing)?;
    Ok(Html(html).into_response())
}
