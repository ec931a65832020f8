//! A check's page: where it stands, how it was, what shows it, what holds for it. I/O: HTTP, state, series.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use kernel::heartbeat::{Ping, PingKind};
use kernel::probe::{CheckId, Outcome, ProbeResult};
use kernel::{Language, Timestamp};
use plan_model::{CheckKind, CheckSettings};
use serde::Deserialize;
use state::ResultFilter;

use super::frame::{Frame, Nav};
use super::view::{Bar, Reading, StateView};
use super::visit::Visit;
use super::{Answer, done, overview, page};
use crate::answer::Failure;
use crate::app::App;
use crate::chart::{self, Chart};
use crate::limits::{LIST_ROWS, RECENT_RESULTS};
use crate::live::{CheckState, RuleState, SystemState, Uptime};
use crate::text::{phrases, text};
use crate::{format, uptime};

/// Spans of the chart.
pub(crate) const RANGES: [(&str, u64); 4] =
    [("6h", 6 * 3_600), ("24h", 86_400), ("7d", 7 * 86_400), ("30d", 30 * 86_400)];

/// What of a check is read from memory, under one lock.
struct Seen {
    label: String,
    component: String,
    system_label: String,
    state: CheckState,
    settings: Option<CheckSettings>,
    target: Vec<(&'static str, String)>,
    heartbeat: bool,
    rules: Vec<RuleState>,
    explained_by: Option<String>,
}

impl Seen {
    fn new(system: &SystemState, check: &CheckState, language: Language) -> Self {
        let id = &check.id;
        let component = system.component(&id.component);
        let spec = component.and_then(|c| c.all_checks().find(|(n, _)| *n == &*id.check)).map(|(_, spec)| spec);
        let kind = spec.and_then(|s| s.kinds().into_iter().next());
        let label_of = |name: &str| system.component(name).map_or(name, |c| c.label_or(name)).to_owned();
        let rules = system.rules.iter().flat_map(|g| &g.rules).filter(|r| r.covers.contains(id)).cloned();
        Self {
            label: check.label.clone(),
            component: label_of(&id.component),
            system_label: system.label().to_owned(),
            settings: system.plan().effective(&id.component, &id.check),
            heartbeat: matches!(kind, Some(CheckKind::Heartbeat(_))),
            target: kind.map(|k| target(&k, language)).unwrap_or_default(),
            rules: rules.collect(),
            explained_by: check.explained_by.as_ref().map(|p| label_of(&p.component)),
            state: check.clone(),
        }
    }
}

/// What a kind of check asks, as the plan writes it: references stay references, so no secret is shown.
fn target(kind: &CheckKind, language: Language) -> Vec<(&'static str, String)> {
    let t = &text(language).check;
    let one = |text: &kernel::secret::Text| text.written().to_owned();
    let what = match kind {
        CheckKind::Http(c) => format!("{} {}", c.method.as_deref().unwrap_or("GET"), one(&c.url)),
        CheckKind::Tcp(c) => one(&c.address),
        CheckKind::Tls(c) => one(&c.address),
        CheckKind::Dns(c) => one(&c.name),
        CheckKind::Icmp(c) => one(&c.host),
        CheckKind::Postgres(c) => one(&c.url),
        CheckKind::Mysql(c) => one(&c.url),
        CheckKind::Redis(c) => one(&c.url),
        CheckKind::Oracle(c) => one(&c.address),
        CheckKind::Kafka(c) => one(&c.brokers),
        CheckKind::Smtp(c) => one(&c.address),
        CheckKind::Ssh(c) => one(&c.address),
        CheckKind::Grpc(c) => one(&c.address),
        CheckKind::Websocket(c) => one(&c.url),
        CheckKind::Ntp(c) => one(&c.server),
        CheckKind::Systemd(c) => one(&c.unit),
        CheckKind::Docker(c) => one(&c.container),
        CheckKind::Process(c) => one(&c.name),
        CheckKind::Command(c) => c.run.iter().map(one).collect::<Vec<_>>().join(" "),
        CheckKind::Composite(c) => c.of.join(", "),
        CheckKind::Heartbeat(_) | CheckKind::Host(_) => String::new(),
    };
    if what.is_empty() { Vec::new() } else { vec![(t.target, mask_credentials(&what))] }
}

/// A password written into an address, which a finding warns of, is not shown.
fn mask_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:{}@{host}{}", kernel::secret::REDACTED, &rest[end..])
        }
        None => address.to_owned(),
    }
}

#[derive(Template)]
#[template(path = "check.html")]
struct CheckPage {
    f: Frame,
    id: CheckId,
    seen: Seen,
    view: StateView,
    reading: Reading,
    bar: Bar,
    uptime: Uptime,
    failures: Vec<ProbeResult>,
    chart: Chart,
    verdict: String,
    range: &'static str,
    heartbeat_url: Option<String>,
    pings: Vec<Ping>,
}

impl CheckPage {
    fn ranges(&self) -> [(&'static str, u64); 4] {
        RANGES
    }

    fn millis(&self, ms: &f64) -> String {
        format::millis(self.f.language, *ms)
    }

    fn took(&self, result: &ProbeResult) -> String {
        format::millis(self.f.language, result.duration.as_secs_f64() * 1_000.0)
    }

    fn attempts(&self, n: &u32) -> String {
        phrases::attempts(self.f.language, *n)
    }

    fn ping(&self, kind: &PingKind) -> &'static str {
        let t = &self.f.t.check;
        match kind {
            PingKind::Start => t.ping_start,
            PingKind::Success => t.ping_success,
            PingKind::Fail => t.ping_fail,
        }
    }

    fn chart_words(&self) -> String {
        let t = &self.f.t.check;
        [t.phase_resolve, t.phase_connect, t.phase_tls, t.phase_processing, t.phase_transfer, t.total, t.time].join("|")
    }
}

/// The span of the chart.
#[derive(Deserialize)]
pub(crate) struct Range {
    #[serde(default)]
    range: String,
}

/// A span by its name; a day when there is no such name.
pub(crate) fn range_of(name: &str) -> (&'static str, std::time::Duration) {
    known_range(name).unwrap_or((RANGES[1].0, std::time::Duration::from_secs(RANGES[1].1)))
}

/// The range of a name; the usual one for none.
pub(crate) fn known_range(name: &str) -> Option<(&'static str, std::time::Duration)> {
    let wanted = if name.is_empty() { RANGES[1].0 } else { name };
    let found = RANGES.into_iter().find(|(n, _)| *n == wanted)?;
    Some((found.0, std::time::Duration::from_secs(found.1)))
}

/// Reads a check's chart off the async threads.
pub(crate) async fn read_chart(app: &App, id: &CheckId, from: Timestamp, to: Timestamp) -> Result<Chart, Failure> {
    let (reader, id) = (app.series.clone(), id.clone());
    let read = tokio::task::spawn_blocking(move || chart::read(&*reader, &id, from, to)).await;
    read.map_err(|e| Failure::internal("read a chart", e))?.map_err(|e| Failure::internal("read a chart", e))
}

type Place = (String, String, String);

/// `GET /s/{system}/{component}/{check}`
pub(crate) async fn check(
    State(app): State<App>,
    visit: Visit,
    Path((system, component, check)): Path<Place>,
    Query(query): Query<Range>,
) -> Answer {
    let id = CheckId::new(&system, &component, &check);
    let found = visit.seen(&app).check(&id, |s, c| Seen::new(s, c, visit.language));
    let seen = found.ok_or_else(|| Failure::not_found(id.to_string()))?;
    let now = app.clock.now();
    let (range, span) = range_of(&query.range);
    let (wanted, heartbeat) = (id.clone(), seen.heartbeat);
    let stored = app.db(move |s| {
        let filter = ResultFilter { outcome: Some(Outcome::Down), limit: 8, ..ResultFilter::default() };
        let failures = s.results(&wanted, &filter)?;
        let token = if heartbeat { Some(s.heartbeat_token(&wanted)?) } else { None };
        let pings = if heartbeat { s.pings(&wanted, LIST_ROWS)? } else { Vec::new() };
        Ok((failures, uptime::of_check(s, &wanted, now)?, token, pings))
    });
    let (failures, uptime, token, pings) = stored.await?;
    let chart = read_chart(&app, &id, now - span, now).await?;
    let title = format!("{} · {}", seen.component, seen.label);
    let live = format!("view=check&check={}", crate::auth::guard::encode(&id.to_string()));
    let f = Frame::new(&app, &visit, Nav::Overview, title).about(&app, &system).live(live);
    let may_see_url = f.may_run(&system);
    let page_data = CheckPage {
        view: StateView::of(seen.state.outcome(), visit.language),
        reading: overview::row::reading(&seen.state, visit.language),
        bar: Bar::new(seen.state.recent.iter(), RECENT_RESULTS, visit.language),
        verdict: verdict(&chart, visit.language),
        heartbeat_url: token.filter(|_| may_see_url).map(|t| format!("{}/ping/{t}", app.config.base_url)),
        f,
        id,
        seen,
        uptime,
        failures,
        chart,
        range,
        pings,
    };
    Ok(page(&page_data))
}

fn verdict(chart: &Chart, language: Language) -> String {
    match (chart.median, chart.p95, chart.max) {
        (Some(median), Some(p95), Some(max)) => {
            let ms = |v| format::millis(language, v);
            phrases::latency(language, &ms(median), &ms(p95), &ms(max))
        }
        _ => text(language).check.latency_none.to_owned(),
    }
}

/// Has a check made at once and tells the trail of it.
pub(crate) async fn run_now(app: &App, visit: &Visit, id: &CheckId) -> Result<(), Failure> {
    app.control.check_now(id).await?;
    app.told(visit.deed(app.clock.now(), "check.run").on("check", id.to_string()).in_system(&*id.system)).await;
    Ok(())
}

/// `POST /s/{system}/{component}/{check}/now`
pub(crate) async fn check_now(
    State(app): State<App>,
    visit: Visit,
    Path((system, component, check)): Path<Place>,
) -> Result<Response, Failure> {
    let id = CheckId::new(&system, &component, &check);
    run_now(&app, &visit, &id).await?;
    Ok(done(&format!("/s/{id}"), "checked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        assert_eq!(mask_credentials("postgres://u:p@ss@db/x"), "postgres://u:[redacted]@db/x");
        assert_eq!(mask_credentials("${env:DATABASE_URL}"), "${env:DATABASE_URL}");
        assert_eq!(mask_credentials("GET https://a.example/x@y"), "GET https://a.example/x@y");
    }
}
