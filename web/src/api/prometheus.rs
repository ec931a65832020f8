//! Prometheus's HTTP API for Grafana, promtool and scripts: `web_prometheus`, through the eyes of whoever asks. I/O: series.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use decide_promql::Limits;
use http::Method;
use kernel::access::{Kind, Object, Verb};
use kernel::alert::{Alert, AlertState};
use kernel::series::{SeriesAdmin, SeriesError, SeriesReader};
use kernel::{Labels, Timestamp};
use web_prometheus::receiving::{OtlpOptions, SenderName, Writer};
use web_prometheus::views::{self, ActiveAlert, Alerting, RuleGroup, RuleHealth, TargetMetadata, Targets};
use web_prometheus::{Api, Backend, Gate, Purpose, Settings};

use crate::api::{receiving, scraped};
use crate::app::App;
use crate::auth::Access;
use crate::limits::REQUEST_TIME;
use crate::live::{RuleGroupState, RuleState, RuleVerdict, SeenSeries};
use crate::routes::{Find, Rule};

/// Who may use a route; `None`: it is not served here. Whether Farero lives is told by a route of its own, and its plan is read again
/// over its own API.
pub(crate) fn rule_of(route: &web_prometheus::Route<App>) -> Option<Rule> {
    // Prometheus's own numbers are Farero's here, and told by `api::metrics`.
    let is_api = route.path.starts_with("/api/v1/") || route.path == "/federate";
    let rule = match route.purpose {
        Purpose::Read | Purpose::Rules | Purpose::Targets => Rule::Ask(Verb::See, Kind::System, Find::Filtered),
        // It tells of all systems together.
        Purpose::Status => Rule::Ask(Verb::See, Kind::System, Find::Platform),
        Purpose::Open => Rule::Known,
        Purpose::Write | Purpose::Admin => receiving::rule_of(route.purpose)?,
        Purpose::Alive | Purpose::Lifecycle => return None,
    };
    let known = is_api || route.purpose == Purpose::Write;
    (known && matches!(route.method, Method::GET | Method::POST)).then_some(rule)
}

/// Says for whom a request is answered; the guard before it has said who that is.
pub(crate) async fn for_whom(State(app): State<App>, access: Access, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let deed = receiving::deed(&app, &parts);
    parts.extensions.insert(seen_by(&app, &access));
    let response = next.run(Request::from_parts(parts, body)).await;
    if let Some(deed) = deed.filter(|_| response.status().is_success()) {
        app.told(deed).await;
    }
    response
}

/// The series and rules as somebody sees them, for pages.
pub(crate) fn seen_by(app: &App, access: &Access) -> Api {
    let gate = app.gates.queries.clone();
    Api(Arc::new(Eyes { app: app.clone(), access: access.clone(), gate }))
}

/// What does not change while Farero runs.
pub(crate) fn settings(version: &str, started_at: Timestamp) -> Settings {
    Settings { limits: Limits::default(), timeout: REQUEST_TIME, ..Settings::new(version, started_at) }
}

/// Series and rules as somebody sees them.
struct Eyes {
    app: App,
    access: Access,
    gate: Gate,
}

impl Backend for Eyes {
    fn reader(&self) -> Result<Arc<dyn SeriesReader>, SeriesError> {
        Ok(Arc::new(SeenSeries::new(self.app.series.clone(), &self.app.live, &self.access)?))
    }

    fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    fn settings(&self) -> &Settings {
        &self.app.gates.prometheus
    }

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn writer(&self) -> Option<Arc<Writer>> {
        self.app.receiving.as_ref().map(|r| r.writer().clone())
    }

    fn sender(&self, _request: &http::Extensions) -> SenderName {
        self.app.receiving.as_ref().map(|r| r.sender(&self.app, &self.access)).unwrap_or_default()
    }

    fn otlp(&self) -> OtlpOptions {
        receiving::otlp()
    }

    fn write_gate(&self) -> &Gate {
        self.app.receiving.as_ref().map_or(&self.gate, |r| r.gate())
    }

    /// The guard before it has let through only who sees everything.
    fn store(&self) -> Option<Arc<dyn SeriesAdmin>> {
        self.app.receiving.as_ref().filter(|_| self.access.sees_all()).map(|r| r.store().clone())
    }

    fn admin(&self) -> Option<Arc<dyn SeriesAdmin>> {
        let may = self.access.may(Verb::Administer, Object::platform(Kind::System));
        self.app.receiving.as_ref().filter(|_| may).map(|r| r.store().clone())
    }

    fn own_metrics(&self) -> String {
        crate::api::metrics::text(&self.app, &self.access)
    }

    fn targets(&self) -> Targets {
        scraped::targets(&self.app, &self.access)
    }

    fn scrape_pools(&self) -> Vec<String> {
        let mut pools: Vec<String> = self.targets().active.into_iter().map(|t| t.scrape_pool).collect();
        pools.sort_unstable();
        pools.dedup();
        pools
    }

    fn metadata(&self) -> Vec<TargetMetadata> {
        scraped::metadata(&self.app, &self.access)
    }

    fn rules(&self) -> Vec<RuleGroup> {
        let seen = self.access.seen(&self.app);
        let all = seen.systems(|s| s.rules.iter().map(|g| group(g, &s.alerts)).collect::<Vec<_>>());
        all.into_iter().flatten().collect()
    }

    fn alerts(&self) -> Vec<ActiveAlert> {
        // Those of rules that are in no plan any more, too.
        self.access.seen(&self.app).alerts().iter().map(alert).collect()
    }
}

fn alert(a: &Alert) -> ActiveAlert {
    let state = match a.state {
        AlertState::Pending => views::AlertState::Pending,
        AlertState::Firing => views::AlertState::Firing,
        AlertState::Resolved => views::AlertState::Inactive,
    };
    ActiveAlert {
        labels: a.labels.clone(),
        annotations: views::texts(&a.annotations),
        state,
        active_at: Some(a.active_at),
        keep_firing_since: None,
        value: a.value,
    }
}

fn rule(rule: &RuleState, group: &str, active: &[Alert]) -> views::Rule {
    let own: HashSet<&Labels> = rule.alerts.iter().collect();
    // Of a rule that was not evaluated yet the name is all that is known.
    let is_own = |a: &&Alert| match rule.evaluated_at {
        Some(_) => own.contains(&a.labels),
        None => a.rule == rule.name,
    };
    let alerting = rule.alerting.then(|| Alerting {
        hold: rule.hold.std(),
        keep_firing: rule.keep_firing.std(),
        annotations: views::texts(&rule.annotations),
        alerts: active.iter().filter(|a| a.group == group).filter(is_own).map(alert).collect(),
    });
    views::Rule {
        name: rule.name.clone(),
        query: rule.expression.clone(),
        labels: views::texts(&rule.labels),
        health: match rule.verdict {
            RuleVerdict::Ok => RuleHealth::Ok,
            RuleVerdict::Failed => RuleHealth::Failed,
            RuleVerdict::Unknown => RuleHealth::Unknown,
        },
        last_error: rule.error.clone(),
        evaluation_time: seconds(rule.took_s),
        last_evaluation: rule.evaluated_at,
        alerting,
    }
}

fn seconds(length: f64) -> Duration {
    Duration::try_from_secs_f64(length).unwrap_or_default()
}

/// A group in the shapes of the API, with the alerts of its rules.
pub(crate) fn group(g: &RuleGroupState, active: &[Alert]) -> RuleGroup {
    RuleGroup {
        name: g.name.clone(),
        file: g.file.clone(),
        interval: g.every.std(),
        limit: 0,
        evaluation_time: seconds(g.rules.iter().map(|r| r.took_s).sum()),
        last_evaluation: g.rules.iter().filter_map(|r| r.evaluated_at).max(),
        missed: 0,
        rules: g.rules.iter().map(|r| rule(r, &g.name, active)).collect(),
    }
}
