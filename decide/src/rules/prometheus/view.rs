//! Groups, rules and alerts in the words of Prometheus's API: `/api/v1/rules` and `/api/v1/alerts`. Pure.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#rules>

use kernel::{Labels, Timestamp};
use serde::{Serialize, Serializer};

use super::alert::{ActiveAlert, Standing};
use super::group::{Group, Rule};
use super::state::{GroupState, RuleState};

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
    /// Its name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// Its rules, in order.
    pub rules: Vec<RuleView>,
    /// Seconds between its evaluations.
    pub interval: f64,
    /// Most series or alerts of one rule; 0 for no limit.
    pub limit: usize,
    /// Seconds that its last evaluation took.
    pub evaluation_time: f64,
    /// When it was last evaluated.
    #[serde(serialize_with = "time_or_never")]
    pub last_evaluation: Option<Timestamp>,
    /// Seconds it looks back, where it says so itself. No part of the API's answer.
    #[serde(skip)]
    pub query_offset: Option<f64>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum RuleView {
    /// It raises alerts.
    Alerting(AlertingView),
    /// It writes series.
    Recording(RecordingView),
}

/// A rule that raises alerts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertingView {
    /// `firing`, `pending`, `inactive` or `unknown`.
    pub state: &'static str,
    /// Its name.
    pub name: String,
    /// PromQL.
    pub query: String,
    /// `for`, in seconds.
    pub duration: f64,
    /// `keep_firing_for`, in seconds.
    pub keep_firing_for: f64,
    /// Labels as written.
    #[serde(serialize_with = "pairs")]
    pub labels: Vec<(String, String)>,
    /// Annotations as written.
    #[serde(serialize_with = "pairs")]
    pub annotations: Vec<(String, String)>,
    /// Its active alerts.
    pub alerts: Vec<AlertView>,
    /// `ok`, `err` or `unknown`.
    pub health: &'static str,
    /// Why the last evaluation failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Seconds that the last evaluation took.
    pub evaluation_time: f64,
    /// When it was last evaluated.
    #[serde(serialize_with = "time_or_never")]
    pub last_evaluation: Option<Timestamp>,
}

/// A rule that writes series.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingView {
    /// The series it writes.
    pub name: String,
    /// PromQL.
    pub query: String,
    /// Labels as written.
    #[serde(serialize_with = "pairs", skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<(String, String)>,
    /// `ok`, `err` or `unknown`.
    pub health: &'static str,
    /// Why the last evaluation failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Seconds that the last evaluation took.
    pub evaluation_time: f64,
    /// When it was last evaluated.
    #[serde(serialize_with = "time_or_never")]
    pub last_evaluation: Option<Timestamp>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertView {
    /// Its labels.
    pub labels: Labels,
    /// Its texts.
    pub annotations: Labels,
    /// `firing` or `pending`.
    pub state: &'static str,
    /// Since when the condition holds.
    #[serde(serialize_with = "time")]
    pub active_at: Timestamp,
    /// Since when only `keep_firing_for` keeps it firing.
    #[serde(serialize_with = "time_or_never", skip_serializing_if = "Option::is_none")]
    pub keep_firing_since: Option<Timestamp>,
    /// The value, as Prometheus writes it: `1.5e+00`.
    pub value: String,
}

/// A group with what is known of it now.
pub fn view_group(group: &Group, state: &GroupState) -> GroupView {
    GroupView {
        name: group.name.clone(),
        file: group.file.clone(),
        rules: group.rules.iter().zip(&state.rules).map(|(rule, state)| view_rule(rule, state)).collect(),
        interval: group.interval.as_secs_f64(),
        limit: group.limit,
        evaluation_time: state.evaluation_time.as_secs_f64(),
        last_evaluation: state.last_evaluation,
        query_offset: group.query_offset.map(kernel::Duration::as_secs_f64),
    }
}

fn view_rule(rule: &Rule, state: &RuleState) -> RuleView {
    let (health, last_error) = (state.health.word(), state.last_error.clone());
    let (evaluation_time, last_evaluation) = (state.evaluation_time.as_secs_f64(), state.last_evaluation);
    if !rule.is_alert() {
        return RuleView::Recording(RecordingView {
            name: rule.name.clone(),
            query: rule.expression.clone(),
            labels: rule.labels.clone(),
            health,
            last_error,
            evaluation_time,
            last_evaluation,
        });
    }
    let (hold, keep_firing_for) = rule.holds();
    RuleView::Alerting(AlertingView {
        state: state.standing().map_or("unknown", Standing::word),
        name: rule.name.clone(),
        query: rule.expression.clone(),
        duration: hold.as_secs_f64(),
        keep_firing_for: keep_firing_for.as_secs_f64(),
        labels: rule.labels.clone(),
        annotations: rule.annotations.clone(),
        alerts: view_alerts(state),
        health,
        last_error,
        evaluation_time,
        last_evaluation,
    })
}

/// The active alerts of a rule.
pub fn view_alerts(state: &RuleState) -> Vec<AlertView> {
    state.alerts.values().filter(|a| a.resolved_at.is_none()).map(view_alert).collect()
}

fn view_alert(alert: &ActiveAlert) -> AlertView {
    AlertView {
        labels: alert.labels.clone(),
        annotations: alert.annotations.clone(),
        state: alert.state.word(),
        active_at: alert.active_at,
        keep_firing_since: alert.keep_firing_since,
        value: crate::rules::template::format::float(alert.value, 'e', None),
    }
}

fn pairs<S: Serializer>(pairs: &[(String, String)], s: S) -> Result<S::Ok, S::Error> {
    s.collect_map(pairs.iter().map(|(n, v)| (n, v)))
}

/// A time as Go writes one in JSON: no zeros at the end of the fraction.
fn go_time(t: Timestamp) -> String {
    let text = t.to_string();
    match text.strip_suffix('Z').and_then(|t| t.split_once('.')) {
        Some((whole, fraction)) => match fraction.trim_end_matches('0') {
            "" => format!("{whole}Z"),
            fraction => format!("{whole}.{fraction}Z"),
        },
        None => text,
    }
}

fn time<S: Serializer>(t: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(&go_time(*t))
}

/// Go's zero time stands for never.
fn time_or_never<S: Serializer>(t: &Option<Timestamp>, s: S) -> Result<S::Ok, S::Error> {
    match t {
        Some(t) => time(t, s),
        None => s.serialize_str("0001-01-01T00:00:00Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_go_writes_them() {
        assert_eq!(go_time(Timestamp::from_millis(1_000)), "1970-01-01T00:00:01Z");
        assert_eq!(go_time(Timestamp::from_millis(1_250)), "1970-01-01T00:00:01.25Z");
    }
}
