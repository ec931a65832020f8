//! Dashboards as data: what a system's own pages need to show a panel themselves (DSH-08). I/O: HTTP, series, state.
//!
//! Everything goes the way of the pages: the same plan, the same variables, the same limits, the same reader that shows only what
//! whoever asks may see. So a panel here and on its page say the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use decide_promql::Control;
use kernel::Timestamp;
use plan_model::dashboard::PanelKind;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, Json, Query};
use crate::answer::Failure;
use crate::app::App;
use crate::limits::PANEL_TIME;
use crate::pages::dashboards::look::Sight;
use crate::pages::dashboards::{Pairs, find, sees, shown, work};
use crate::pages::visit::Visit;
use crate::panel::{Number, numbers};

/// A dashboard in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct DashboardEntry {
    /// Its name in the plan.
    id: String,
    title: String,
    description: Option<String>,
    /// How many panels it has in the plan.
    panels: usize,
}

/// The dashboards of a system.
#[utoipa::path(get, path = "/api/farero/v1/systems/{system}/dashboards", tag = "dashboards",
    params(("system" = String, Path, description = "Short name")),
    responses((status = 200, body = Vec<DashboardEntry>), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn dashboards(
    State(app): State<App>,
    visit: Visit,
    Path(system): Path<String>,
) -> Answer<Vec<DashboardEntry>> {
    let found = visit.seen(&app).system(&system, |s| {
        let seen = s.plan().dashboards.iter().filter(|(id, _)| sees(&visit, s, id));
        let entry = |(id, d): (&String, &plan_model::Dashboard)| DashboardEntry {
            id: id.clone(),
            title: d.title.clone(),
            description: d.description.clone(),
            panels: d.all_panels().count(),
        };
        seen.map(entry).collect()
    });
    found.map(Json).ok_or_else(|| Failure::not_found(system))
}

/// A dashboard: what may be chosen, and its panels.
#[derive(Serialize, ToSchema)]
pub(crate) struct DashboardView {
    id: String,
    title: String,
    description: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Seconds between two refreshes; 0: never.
    refresh: u64,
    variables: Vec<VariableView>,
    panels: Vec<PanelEntry>,
}

/// A variable: `var-NAME=VALUE` in the query of an address chooses a value, as often as there are values.
#[derive(Serialize, ToSchema)]
pub(crate) struct VariableView {
    name: String,
    label: String,
    /// Whether several may be chosen.
    several: bool,
    /// Whether `var-NAME=$__all` chooses all.
    all: bool,
    /// What is chosen.
    chosen: Vec<String>,
    /// What may be chosen; empty where any text may be written.
    values: Vec<String>,
}

/// A panel of a dashboard.
#[derive(Serialize, ToSchema)]
pub(crate) struct PanelEntry {
    /// Its number in the dashboard.
    number: usize,
    title: String,
    description: Option<String>,
    /// `time_series`, `stat`, `gauge`, `bar`, `table`, `heatmap`, `state` or `text`.
    kind: &'static str,
    /// The heading above it.
    row: Option<String>,
    /// Where it stands below its heading, on a grid of 24 columns.
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    /// Where its data are, with what was chosen.
    data: String,
}

/// One dashboard: `range` or `from` and `to`, and `var-NAME` choose, as on its page.
#[utoipa::path(get, path = "/api/farero/v1/systems/{system}/dashboards/{id}", tag = "dashboards",
    params(("system" = String, Path), ("id" = String, Path, description = "Its name in the plan"),
        ("range" = Option<String>, Query, description = "How far back, `6h`; the dashboard's own when left out"),
        ("from" = Option<String>, Query, description = "First moment, seconds since 1970, with `to`"),
        ("to" = Option<String>, Query, description = "Last moment, seconds since 1970")),
    responses((status = 200, body = DashboardView), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn dashboard(
    State(app): State<App>,
    visit: Visit,
    Path((system, id)): Path<(String, String)>,
    Query(pairs): Query<Pairs>,
) -> Answer<DashboardView> {
    let plan = find(&app, &visit, &system, &id)?;
    let sight = Sight::new(&app, &visit, plan, (system, id), pairs, None).await?;
    let dashboard = sight.dashboard();
    let variables = sight.variables().map(|(name, variable)| {
        let selection = sight.selections.get(name).cloned().unwrap_or_default();
        VariableView {
            name: name.clone(),
            label: variable.label_or(name).to_owned(),
            several: variable.several,
            all: variable.all,
            chosen: selection.chosen.values,
            values: selection.available.into_iter().map(|a| a.value).collect(),
        }
    });
    let mut panels = Vec::new();
    for group in shown::shown(&sight, dashboard) {
        let row = group.row.and_then(|r| dashboard.rows.get(r));
        let row = row.map(|r| sight.scoped(&group.scope).for_people(&r.title));
        panels.extend(group.panels.iter().filter_map(|one| entry(&sight, one, row.clone())));
    }
    Ok(Json(DashboardView {
        title: sight.for_people(&dashboard.title),
        description: dashboard.description.clone(),
        from: sight.from,
        to: sight.to,
        refresh: sight.refresh(),
        variables: variables.collect(),
        panels,
        id: sight.id.clone(),
    }))
}

fn entry(sight: &Sight, one: &shown::Shown, row: Option<String>) -> Option<PanelEntry> {
    let (_, panel) = sight.dashboard().all_panels().nth(one.number)?;
    Some(PanelEntry {
        number: one.number,
        title: sight.scoped(&one.scope).for_people(&panel.title),
        description: panel.description.clone(),
        kind: panel.kind.as_str(),
        row,
        x: one.cell.x,
        y: one.cell.y,
        width: one.cell.w,
        height: one.cell.h,
        data: sight.data_address(one.number, &one.scope),
    })
}

/// What a panel shows.
#[derive(Serialize, ToSchema)]
pub(crate) struct PanelData {
    number: usize,
    title: String,
    kind: &'static str,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Distance of two points, milliseconds.
    step_ms: i64,
    /// The words of a `text` panel.
    text: Option<String>,
    series: Vec<SeriesData>,
    /// Series that there are beyond those.
    left_out: usize,
    marks: Vec<MarkData>,
    /// Why queries were not answered; those that were are in `series`.
    errors: Vec<String>,
    /// What the engine remarked.
    remarks: Vec<String>,
}

/// A series of a panel.
#[derive(Serialize, ToSchema)]
pub(crate) struct SeriesData {
    /// How the panel calls it.
    name: String,
    labels: BTreeMap<String, String>,
    /// The word of its unit, as in the plan.
    unit: String,
    /// One number for the whole: the newest, or what the panel says.
    value: Option<f64>,
    /// That number as people read it, with its unit, in the language asked for.
    shown: String,
    /// The word of its colour, where thresholds or texts give one.
    colour: Option<&'static str>,
    /// Milliseconds since 1970 and values; none where it is not a finite number. Of native histograms their means.
    #[schema(value_type = Vec<Vec<f64>>)]
    points: Vec<(i64, Option<f64>)>,
}

/// Something that happened in the range.
#[derive(Serialize, ToSchema)]
pub(crate) struct MarkData {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    title: String,
    text: String,
    colour: &'static str,
}

/// The data of one panel, as whoever asks may see them.
#[utoipa::path(get, path = "/api/farero/v1/systems/{system}/dashboards/{id}/panels/{number}", tag = "dashboards",
    params(("system" = String, Path), ("id" = String, Path), ("number" = usize, Path, description = "Its number in the dashboard"),
        ("range" = Option<String>, Query, description = "How far back, `6h`; the dashboard's own when left out"),
        ("from" = Option<String>, Query, description = "First moment, seconds since 1970, with `to`"),
        ("to" = Option<String>, Query, description = "Last moment, seconds since 1970"),
        ("row" = Option<String>, Query, description = "The value that its repeated row stands for"),
        ("repeat" = Option<String>, Query, description = "The value that it is repeated for")),
    responses((status = 200, body = PanelData), (status = 404, body = crate::answer::Problem),
        (status = 503, body = crate::answer::Problem)))]
pub(crate) async fn panel(
    State(app): State<App>,
    visit: Visit,
    Path((system, id, number)): Path<(String, String, usize)>,
    Query(pairs): Query<Pairs>,
) -> Answer<PanelData> {
    let plan = find(&app, &visit, &system, &id)?;
    let missing = Failure::not_found(format!("{system}/{id}/{number}"));
    let sight = Sight::new(&app, &visit, plan, (system, id), pairs, Some(number)).await?;
    if sight.dashboard().all_panels().nth(number).is_none() {
        return Err(missing);
    }
    let sight = Arc::new(sight.scoped(&sight.asked_scope(number)));
    let work = move |control: &dyn Control| data(&sight, number, control);
    let found = app.gates.queries.timed(PANEL_TIME, work).await.flatten();
    found.map(Json).ok_or_else(Failure::busy)
}

/// Asks and puts together. Blocking.
fn data(sight: &Sight, number: usize, control: &dyn Control) -> Option<PanelData> {
    let (answers, moment) = work::asked(sight, number, false, control)?;
    let canvas = work::canvas(sight, number, moment, false)?;
    let (series, left_out) = numbers(&canvas, &answers);
    let marks = canvas.marks.iter().map(|m| MarkData {
        from: Timestamp::from_millis(m.from_ms),
        to: Timestamp::from_millis(m.to_ms),
        title: m.title.clone(),
        text: m.text.clone(),
        colour: m.colour.as_str(),
    });
    Some(PanelData {
        number,
        kind: canvas.panel.kind.as_str(),
        from: sight.from,
        to: sight.to,
        step_ms: moment.step_ms,
        text: (canvas.panel.kind == PanelKind::Text).then(|| canvas.text.clone()),
        series: series.into_iter().map(series_data).collect(),
        left_out,
        marks: marks.collect(),
        errors: answers.errors,
        remarks: answers.remarks,
        title: canvas.title,
    })
}

fn series_data(one: Number) -> SeriesData {
    let finite = |v: f64| Some(v).filter(|v| v.is_finite());
    SeriesData {
        name: one.name,
        labels: one.labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        unit: one.unit,
        value: one.value.and_then(finite),
        shown: one.text,
        colour: one.colour,
        points: one.points.into_iter().map(|(t, v)| (t, finite(v))).collect(),
    }
}
