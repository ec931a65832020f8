//! Checks, their results, uptime and latency. I/O: HTTP, state, series.

use axum::extract::{Path, State};
use kernel::probe::{CheckId, Outcome, ProbeResult};
use kernel::{Duration, Timestamp};
use serde::{Deserialize, Serialize};
use state::ResultFilter;
use utoipa::{IntoParams, ToSchema};

use super::status::Done;
use super::systems::Availability;
use super::{Answer, Json, Query, rows};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::chart::Chart;
use crate::live::CheckState;
use crate::pages::check::{RANGES, known_range, read_chart};
use crate::pages::visit::Visit;
use crate::uptime;

/// A check and where it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Check {
    /// `system/component/check`.
    #[schema(value_type = String)]
    id: CheckId,
    /// Name for people.
    label: String,
    /// Its kind: `http`, `postgres`, …
    kind: &'static str,
    /// How often it runs.
    #[schema(value_type = String, example = "5m")]
    every: Duration,
    /// `up`, `slow`, `down`, `blind`.
    state: &'static str,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// The failing check that explains this one's failure.
    #[schema(value_type = Option<String>)]
    explained_by: Option<CheckId>,
    /// The last result with its evidence.
    #[schema(value_type = Option<Object>)]
    last: Option<std::sync::Arc<ProbeResult>>,
}

impl Check {
    fn new(check: &CheckState) -> Self {
        Self {
            id: check.id.clone(),
            label: check.label.clone(),
            kind: check.kind,
            every: check.every,
            state: check.outcome().as_str(),
            since: check.since,
            explained_by: check.explained_by.clone(),
            last: check.last.clone(),
        }
    }
}

/// Which checks to list.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// Only of this system.
    system: Option<String>,
    /// Only in this state: `up`, `slow`, `down`, `blind`.
    state: Option<String>,
}

/// All checks.
#[utoipa::path(get, path = "/api/farero/v1/checks", tag = "checks", params(Wanted), responses((status = 200, body = Vec<Check>)))]
pub(crate) async fn checks(State(app): State<App>, access: Access, Query(wanted): Query<Wanted>) -> Json<Vec<Check>> {
    let of_system = |s: &crate::live::SystemState| wanted.system.as_deref().is_none_or(|w| w == s.name());
    let in_state = |c: &&CheckState| wanted.state.as_deref().is_none_or(|w| w == c.outcome().as_str());
    let all = access.seen(&app).systems(|s| {
        if of_system(s) { s.checks.values().filter(in_state).map(Check::new).collect() } else { Vec::new() }
    });
    Json(all.into_iter().flatten().collect())
}

type Place = (String, String, String);

fn id((system, component, check): Place) -> CheckId {
    CheckId::new(&system, &component, &check)
}

fn known(app: &App, access: &Access, id: &CheckId) -> Result<Check, Failure> {
    access.seen(app).check(id, |_, c| Check::new(c)).ok_or_else(|| Failure::not_found(id.to_string()))
}

/// One check.
#[utoipa::path(get, path = "/api/farero/v1/checks/{system}/{component}/{check}", tag = "checks",
    params(("system" = String, Path), ("component" = String, Path), ("check" = String, Path)),
    responses((status = 200, body = Check), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn check(State(app): State<App>, access: Access, Path(place): Path<Place>) -> Answer<Check> {
    known(&app, &access, &id(place)).map(Json)
}

/// Which results to list.
#[derive(Deserialize, IntoParams)]
pub(crate) struct ResultsWanted {
    /// Only with this outcome: `up`, `slow`, `down`, `blind`.
    outcome: Option<String>,
    /// Only those at which the outcome changed.
    #[serde(default)]
    changes: bool,
    /// Only before this time, RFC 3339.
    before: Option<String>,
    /// At most so many; 100 when left out, 1000 at most.
    limit: Option<usize>,
}

/// A check's stored results, newest first: failures, changes, and a thin sample of the rest.
#[utoipa::path(get, path = "/api/farero/v1/checks/{system}/{component}/{check}/results", tag = "checks",
    params(("system" = String, Path), ("component" = String, Path), ("check" = String, Path), ResultsWanted),
    responses((status = 200, body = Vec<Object>), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn results(
    State(app): State<App>,
    access: Access,
    Path(place): Path<Place>,
    Query(wanted): Query<ResultsWanted>,
) -> Answer<Vec<ProbeResult>> {
    let id = id(place);
    known(&app, &access, &id)?;
    let all = [Outcome::Up, Outcome::Slow, Outcome::Down, Outcome::Blind];
    let outcome = match wanted.outcome.as_deref() {
        None => None,
        Some(word) => match all.into_iter().find(|o| o.as_str() == word) {
            Some(outcome) => Some(outcome),
            None => return Err(Failure::invalid(format!("outcome `{word}`: use up, slow, down or blind"))),
        },
    };
    let before = super::alerts::time(wanted.before.as_deref())?;
    let filter = ResultFilter { outcome, changes_only: wanted.changes, before, limit: rows(wanted.limit) };
    app.db(move |s| s.results(&id, &filter)).await.map(Json)
}

/// A check's uptime for 24 hours, 7 and 30 days and a year, in percent.
#[utoipa::path(get, path = "/api/farero/v1/checks/{system}/{component}/{check}/uptime", tag = "checks",
    params(("system" = String, Path), ("component" = String, Path), ("check" = String, Path)),
    responses((status = 200, body = Availability), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn uptime(State(app): State<App>, access: Access, Path(place): Path<Place>) -> Answer<Availability> {
    let id = id(place);
    known(&app, &access, &id)?;
    let now = app.clock.now();
    let found = app.db(move |s| uptime::of_check(s, &id, now)).await?;
    Ok(Json(found.into()))
}

/// The span of a chart.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Range {
    /// `6h`, `24h` (when left out), `7d`, `30d`.
    #[serde(default)]
    range: String,
}

/// A check's latency over time, with the phases of the time.
#[utoipa::path(get, path = "/api/farero/v1/checks/{system}/{component}/{check}/chart", tag = "checks",
    params(("system" = String, Path), ("component" = String, Path), ("check" = String, Path), Range),
    responses((status = 200, body = Chart), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn chart(
    State(app): State<App>,
    access: Access,
    Path(place): Path<Place>,
    Query(query): Query<Range>,
) -> Answer<Chart> {
    let id = id(place);
    known(&app, &access, &id)?;
    let Some((_, span)) = known_range(&query.range) else {
        let known = RANGES.map(|(name, _)| name).join(", ");
        return Err(Failure::invalid(format!("range `{}`: use one of {known}", query.range)));
    };
    let now = app.clock.now();
    read_chart(&app, &id, now - span, now).await.map(Json)
}

/// Runs a check at once, beside its schedule.
#[utoipa::path(post, path = "/api/farero/v1/checks/{system}/{component}/{check}/now", tag = "checks",
    params(("system" = String, Path), ("component" = String, Path), ("check" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn now(
    State(app): State<App>,
    visit: Visit,
    access: Access,
    Path(place): Path<Place>,
) -> Answer<Done> {
    let id = id(place);
    known(&app, &access, &id)?;
    crate::pages::check::run_now(&app, &visit, &id).await?;
    Ok(Json(Done::yes("asked for; the result comes with the next answer")))
}
