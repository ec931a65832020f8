//! Rules and active alerts in Prometheus's shape. I/O: HTTP.

use axum::extract::State;
use axum::response::Response;
use decide_promql::format_number;
use kernel::alert::{Alert, AlertState};
use serde_json::{Value, json};

use super::success;
use crate::app::App;
use crate::auth::Access;
use crate::live::{RuleGroupState, RuleState, RuleVerdict};

fn state_word(state: AlertState) -> &'static str {
    match state {
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Resolved => "inactive",
    }
}

fn alert(a: &Alert) -> Value {
    json!({
        "labels": a.labels,
        "annotations": a.annotations,
        "state": state_word(a.state),
        "activeAt": a.active_at,
        "value": format_number(a.value),
    })
}

/// `GET /api/v1/alerts`
pub(crate) async fn alerts(State(app): State<App>, access: Access) -> Response {
    let all: Vec<Value> = access.seen(&app).alerts().iter().map(alert).collect();
    success(json!({ "alerts": all }))
}

fn rule(rule: &RuleState, group: &str, active: &[Alert]) -> Value {
    let health = match rule.verdict {
        RuleVerdict::Ok => "ok",
        RuleVerdict::Failed => "err",
        RuleVerdict::Unknown => "unknown",
    };
    let mut out = json!({
        "name": rule.name,
        "query": rule.expression,
        "labels": rule.labels,
        "health": health,
        "lastEvaluation": rule.evaluated_at,
        "evaluationTime": rule.took_s,
        "type": if rule.alerting { "alerting" } else { "recording" },
    });
    if let Some(error) = &rule.error {
        out["lastError"] = json!(error);
    }
    if rule.alerting {
        let own: Vec<&Alert> = active.iter().filter(|a| a.group == group && a.rule == rule.name).collect();
        let firing = own.iter().any(|a| a.state == AlertState::Firing);
        let state = if firing {
            "firing"
        } else if own.is_empty() {
            "inactive"
        } else {
            "pending"
        };
        out["state"] = json!(state);
        out["duration"] = json!(rule.hold.as_secs_f64());
        out["keepFiringFor"] = json!(rule.keep_firing.as_secs_f64());
        out["annotations"] = json!(rule.annotations);
        out["alerts"] = own.into_iter().map(alert).collect();
    }
    out
}

fn group(g: &RuleGroupState, active: &[Alert]) -> Value {
    json!({
        "name": g.name,
        "file": g.file,
        "interval": g.every.as_secs_f64(),
        "rules": g.rules.iter().map(|r| rule(r, &g.name, active)).collect::<Vec<_>>(),
    })
}

/// `GET /api/v1/rules`
pub(crate) async fn rules(State(app): State<App>, access: Access) -> Response {
    let all = access.seen(&app).systems(|s| s.rules.iter().map(|g| group(g, &s.alerts)).collect::<Vec<_>>());
    let groups: Vec<Value> = all.into_iter().flatten().collect();
    success(json!({ "groups": groups }))
}
