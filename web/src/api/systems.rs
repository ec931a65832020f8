//! Systems, their overview for other pages to embed (DSH-08), their services. I/O: HTTP.

use axum::extract::{Path, State};
use decide::health::decide_component;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Json};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::live::{CheckState, SystemState, Uptime};
use crate::pages::intensive;
use crate::pages::overview::{SystemView, firing};
use crate::pages::visit::Visit;

/// A system in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct System {
    /// Short name.
    name: String,
    /// Name for people.
    label: String,
    /// `online`, `slow`, `degraded`, `down`, `blind`.
    state: &'static str,
    /// Alerts that fire.
    firing: usize,
    /// Checks.
    checks: usize,
    /// When the newest result came.
    #[schema(value_type = Option<String>, format = DateTime)]
    newest: Option<Timestamp>,
}

/// Uptime in percent over the usual spans; none where nothing was measured.
#[derive(Serialize, ToSchema)]
pub(crate) struct Availability {
    day: Option<f64>,
    week: Option<f64>,
    month: Option<f64>,
    year: Option<f64>,
}

impl From<Uptime> for Availability {
    fn from(u: Uptime) -> Self {
        Self { day: u.day, week: u.week, month: u.month, year: u.year }
    }
}

/// A service or host as the overview shows it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Service {
    /// Its name in the plan.
    name: String,
    /// Its name for people.
    label: String,
    /// `up`, `slow`, `down`, `blind`.
    state: &'static str,
    /// Run by others.
    third_party: bool,
    /// Time of the last answer, milliseconds.
    response_ms: Option<f64>,
    /// Connections in use, for databases.
    connections: Option<f64>,
    /// Most connections, for databases.
    max_connections: Option<f64>,
    /// What is wrong.
    error: Option<String>,
    /// The failing component that explains it.
    explained_by: Option<String>,
    /// When it was last checked.
    #[schema(value_type = Option<String>, format = DateTime)]
    checked: Option<Timestamp>,
    /// Its checks, as `system/component/check`.
    checks: Vec<String>,
}

/// A host and how much of it is in use, in percent.
#[derive(Serialize, ToSchema)]
pub(crate) struct Host {
    name: String,
    cpu: Option<f64>,
    memory: Option<f64>,
    disks: Vec<Disk>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A file system and how much of it is in use.
#[derive(Serialize, ToSchema)]
pub(crate) struct Disk {
    mount: String,
    percent: f64,
}

/// A counter since midnight in the system's time zone.
#[derive(Serialize, ToSchema)]
pub(crate) struct Today {
    name: String,
    label: String,
    value: Option<f64>,
}

/// All that the overview page shows of one system.
#[derive(Serialize, ToSchema)]
pub(crate) struct Overview {
    #[serde(flatten)]
    system: System,
    /// The state in one sentence, in the plan's language.
    verdict: String,
    uptime: Availability,
    services: Vec<Service>,
    hosts: Vec<Host>,
    today: Vec<Today>,
    /// The server's time, to tell the age of the data by.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
}

fn brief(system: &SystemState, now: Timestamp) -> (System, String) {
    let view = SystemView::new(system, system.language(), now);
    let brief = System {
        name: system.name().to_owned(),
        label: system.label().to_owned(),
        state: view.summary.standing,
        firing: firing(system).count(),
        checks: system.checks.len(),
        newest: system.newest(),
    };
    (brief, view.summary.sentence)
}

fn service(name: &str, component: &plan_model::Component, checks: &[&CheckState]) -> Service {
    let outcome = decide_component(checks.iter().map(|c| c.outcome()));
    let shown = checks.iter().find(|c| c.outcome() == outcome);
    let last = shown.and_then(|c| c.last.as_ref());
    let connections = checks.iter().find_map(|c| c.connections());
    Service {
        name: name.to_owned(),
        label: component.label_or(name).to_owned(),
        state: outcome.as_str(),
        third_party: component.third_party,
        response_ms: last.filter(|l| l.outcome.is_success()).map(|l| l.duration.as_secs_f64() * 1_000.0),
        connections: connections.map(|c| c.0),
        max_connections: connections.map(|c| c.1),
        error: last.and_then(|l| l.evidence.error.clone()),
        explained_by: shown.and_then(|c| c.explained_by.as_ref()).map(|p| p.component.to_string()),
        checked: checks.iter().filter_map(|c| c.at()).max(),
        checks: checks.iter().map(|c| c.id.to_string()).collect(),
    }
}

fn services_of(system: &SystemState) -> Vec<Service> {
    let all = system.components().filter(|(_, _, checks)| !checks.is_empty());
    all.map(|(name, component, checks)| service(name, component, &checks)).collect()
}

fn overview_of(system: &SystemState, now: Timestamp) -> Overview {
    let (brief, verdict) = brief(system, now);
    let disk = |d: &crate::live::DiskUse| Disk { mount: d.mount.clone(), percent: d.percent };
    let host = |(name, used): (&String, &crate::live::HostUse)| Host {
        name: name.clone(),
        cpu: used.cpu,
        memory: used.memory,
        disks: used.disks.iter().map(disk).collect(),
        at: used.at,
    };
    let today = |t: &crate::live::TodayValue| Today { name: t.name.clone(), label: t.label.clone(), value: t.value };
    Overview {
        system: brief,
        verdict,
        uptime: system.uptime.into(),
        services: services_of(system),
        hosts: system.hosts.iter().map(host).collect(),
        today: system.today.iter().map(today).collect(),
        now,
    }
}

/// All systems.
#[utoipa::path(get, path = "/api/farero/v1/systems", tag = "systems", responses((status = 200, body = Vec<System>)))]
pub(crate) async fn systems(State(app): State<App>, access: Access) -> Json<Vec<System>> {
    let now = app.clock.now();
    Json(access.seen(&app).systems(|s| brief(s, now).0))
}

/// All that the overview page shows of one system, for a page of the system's own to embed.
#[utoipa::path(get, path = "/api/farero/v1/systems/{system}/overview", tag = "systems",
    params(("system" = String, Path, description = "Short name")),
    responses((status = 200, body = Overview), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn overview(State(app): State<App>, access: Access, Path(name): Path<String>) -> Answer<Overview> {
    let now = app.clock.now();
    access.seen(&app).system(&name, |s| overview_of(s, now)).map(Json).ok_or_else(|| Failure::not_found(name))
}

/// The services and hosts of a system.
#[utoipa::path(get, path = "/api/farero/v1/systems/{system}/services", tag = "systems",
    params(("system" = String, Path, description = "Short name")),
    responses((status = 200, body = Vec<Service>), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn services(State(app): State<App>, access: Access, Path(name): Path<String>) -> Answer<Vec<Service>> {
    access.seen(&app).system(&name, services_of).map(Json).ok_or_else(|| Failure::not_found(name))
}

/// Intensive watch of a system or of one component.
#[derive(Deserialize, ToSchema)]
pub(crate) struct IntensiveWanted {
    /// One component; the whole system when left out.
    #[serde(default)]
    component: Option<String>,
    /// Minutes from now; 0 ends it.
    minutes: u64,
}

/// Switches intensive watch on or off.
#[utoipa::path(post, path = "/api/farero/v1/systems/{system}/intensive", tag = "systems", request_body = IntensiveWanted,
    params(("system" = String, Path, description = "Short name")), responses((status = 200, body = super::status::Done)))]
pub(crate) async fn intensive(
    State(app): State<App>,
    visit: Visit,
    Path(name): Path<String>,
    Json(wanted): Json<IntensiveWanted>,
) -> Answer<super::status::Done> {
    intensive::set(&app, &visit, &name, wanted.component.as_deref(), wanted.minutes).await?;
    Ok(Json(super::status::Done::yes("switched")))
}
