//! The measures of success of a system. I/O: HTTP.

use axum::extract::{Path, State};
use kernel::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answer, Json};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::live::{KpiPeriod, KpiState, SystemState};

/// A measure of success over one kind of period.
#[derive(Serialize, ToSchema)]
pub(crate) struct KpiView {
    name: String,
    label: String,
    /// `day`, `week`, `month`, `quarter` or `year`, of the calendar in the system's time zone.
    period: &'static str,
    /// `s`, `%` (the value is a share from 0 to 1), `bytes`, or any other word.
    unit: Option<String>,
    /// As the plan writes it: `< 200ms`.
    target: Option<String>,
    warning: Option<String>,
    critical: Option<String>,
    /// The period that goes on and those before it, the newest first.
    periods: Vec<PeriodView>,
    /// Why the newest has no value.
    error: Option<String>,
}

/// One period.
#[derive(Serialize, ToSchema)]
pub(crate) struct PeriodView {
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The first moment of the next.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Up to now where the period goes on; none where nothing was measured.
    value: Option<f64>,
    /// Whether the target is met; none without a target or a value.
    met: Option<bool>,
    /// Whether the bound of the warning is reached, wherever the target lies.
    warning: bool,
    /// Whether the critical bound is reached.
    critical: bool,
}

fn period(p: &KpiPeriod) -> PeriodView {
    let s = p.standing;
    PeriodView { start: p.start, end: p.end, value: p.value, met: s.met, warning: s.warning, critical: s.critical }
}

fn views(system: &SystemState) -> Vec<KpiView> {
    let view = |state: &KpiState| {
        let kpi = system.plan().kpis.get(&state.name)?;
        let text = |b: &Option<plan_model::Bound>| b.as_ref().map(|b| b.text().to_owned());
        Some(KpiView {
            name: state.name.clone(),
            label: kpi.label_or(&state.name).to_owned(),
            period: state.period.as_str(),
            unit: kpi.unit.clone(),
            target: text(&kpi.target),
            warning: text(&kpi.warning),
            critical: text(&kpi.critical),
            periods: state.periods.iter().map(period).collect(),
            error: state.error.clone(),
        })
    };
    system.kpis.iter().filter_map(view).collect()
}

/// The measures of success of a system, by periods of the calendar.
#[utoipa::path(get, path = "/api/farero/v1/systems/{system}/kpis", tag = "systems",
    params(("system" = String, Path, description = "Short name")),
    responses((status = 200, body = Vec<KpiView>), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn kpis(State(app): State<App>, access: Access, Path(name): Path<String>) -> Answer<Vec<KpiView>> {
    access.seen(&app).system(&name, views).map(Json).ok_or_else(|| Failure::not_found(name))
}
