//! What is told of rules, alerts and targets, in Prometheus's shapes. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Labels, Timestamp};
use serde::{Serialize, Serializer};

use crate::json::{Exponent, push_number};

/// A time as Go writes one: RFC 3339 in UTC, as many decimals as needed; what never was is the year 1.
pub(crate) fn serialize_time<S: Serializer>(time: &Option<Timestamp>, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(&go_time(*time))
}

/// As [`serialize_time`] does.
pub(crate) fn go_time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |t| t.to_jiff().to_string())
}

/// Seconds; whole ones without a point, as Go writes them.
pub(crate) fn serialize_seconds<S: Serializer>(length: &Duration, s: S) -> Result<S::Ok, S::Error> {
    match length.subsec_nanos() {
        0 => s.serialize_u64(length.as_secs()),
        _ => s.serialize_f64(length.as_secs_f64()),
    }
}

/// Labels as texts that need not be unique to anything.
pub fn texts(labels: &Labels) -> BTreeMap<String, String> {
    labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

/// How the last evaluation of a rule went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleHealth {
    /// Not evaluated yet.
    #[default]
    Unknown,
    /// It succeeded.
    Ok,
    /// It failed.
    #[serde(rename = "err")]
    Failed,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Its expression gives nothing.
    #[default]
    Inactive,
    /// Not for long enough yet.
    Pending,
    /// It fires.
    Firing,
}

/// An alert that is pending or firing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveAlert {
    /// What it is about.
    pub labels: Labels,
    /// Texts for people.
    pub annotations: BTreeMap<String, String>,
    /// Pending or firing.
    pub state: AlertState,
    /// Since when its expression gives something.
    #[serde(serialize_with = "serialize_time", skip_serializing_if = "Option::is_none")]
    pub active_at: Option<Timestamp>,
    /// Since when it fires on although its expression gives nothing any more.
    #[serde(serialize_with = "serialize_time", skip_serializing_if = "Option::is_none")]
    pub keep_firing_since: Option<Timestamp>,
    /// What its expression gave.
    #[serde(serialize_with = "serialize_value")]
    pub value: f64,
}

fn serialize_value<S: Serializer>(value: &f64, s: S) -> Result<S::Ok, S::Error> {
    let mut text = Vec::new();
    push_number(&mut text, *value, Exponent::Always);
    s.serialize_str(&String::from_utf8_lossy(&text))
}

/// What is particular to an alerting rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerting {
    /// How long its expression must give something before it fires.
    pub hold: Duration,
    /// How long it fires on afterwards.
    pub keep_firing: Duration,
    /// Templates of texts.
    pub annotations: BTreeMap<String, String>,
    /// Its alerts that are pending or firing.
    pub alerts: Vec<ActiveAlert>,
}

/// A rule and how its last evaluation went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// The recorded metric, or the alert.
    pub name: String,
    /// Its expression.
    pub query: String,
    /// Labels that it adds.
    pub labels: BTreeMap<String, String>,
    /// How the last evaluation went.
    pub health: RuleHealth,
    /// What was wrong then.
    pub last_error: Option<String>,
    /// How long it took.
    pub evaluation_time: Duration,
    /// When that was.
    pub last_evaluation: Option<Timestamp>,
    /// Of an alerting rule.
    pub alerting: Option<Alerting>,
}

/// Rules that are evaluated one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleGroup {
    /// Its name, unique within its file.
    pub name: String,
    /// Where it is written.
    pub file: String,
    /// How often it is evaluated.
    pub interval: Duration,
    /// Most series or alerts that a rule may give; 0: any number.
    pub limit: u64,
    /// How long the last evaluation took.
    pub evaluation_time: Duration,
    /// When that was.
    pub last_evaluation: Option<Timestamp>,
    /// Evaluations left out because the one before took longer than the interval.
    pub missed: u64,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// How the last scrape went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetHealth {
    /// Not scraped yet.
    #[default]
    Unknown,
    /// It succeeded.
    Up,
    /// It failed.
    Down,
}

/// A target that is scraped.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Labels as they were discovered.
    pub discovered_labels: Labels,
    /// Labels after relabeling.
    pub labels: Labels,
    /// Its scrape configuration.
    pub scrape_pool: String,
    /// What is asked.
    pub scrape_url: String,
    /// The same from outside.
    pub global_url: String,
    /// What was wrong with the last scrape, `""` when nothing was.
    pub last_error: String,
    /// When that was.
    #[serde(serialize_with = "serialize_time")]
    pub last_scrape: Option<Timestamp>,
    /// How long it took.
    #[serde(serialize_with = "serialize_seconds")]
    pub last_scrape_duration: Duration,
    /// How it went.
    pub health: TargetHealth,
    /// How often it is scraped: `15s`.
    pub scrape_interval: String,
    /// How long a scrape may take.
    pub scrape_timeout: String,
}

/// A target that relabeling dropped.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DroppedTarget {
    /// Labels as they were discovered.
    pub discovered_labels: Labels,
    /// Its scrape configuration.
    pub scrape_pool: String,
}

/// All targets, by scrape pool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Targets {
    /// Those that are scraped.
    pub active: Vec<Target>,
    /// Those that were dropped, as far as they are kept.
    pub dropped: Vec<DroppedTarget>,
    /// How many were dropped, by scrape pool.
    pub dropped_counts: BTreeMap<String, u64>,
}

/// What a relabeling rule made of labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelabelStep {
    /// The rule as it is written.
    pub rule: serde_json::Value,
    /// The labels after it; none once the target was dropped.
    pub output: Labels,
    /// Whether the target is still kept.
    pub keep: bool,
}

/// What a metric is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricMetadata {
    /// The metric family.
    pub metric: String,
    /// `counter`, `gauge`, `histogram`…
    pub kind: String,
    /// What it means.
    pub help: String,
    /// Its unit, `""` when none was told.
    pub unit: String,
}

/// What a target told of its metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TargetMetadata {
    /// The target's labels; none for metrics that were sent.
    pub target: Labels,
    /// Its metrics.
    pub metrics: Vec<MetricMetadata>,
}

/// An Alertmanager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alertmanager {
    /// Where alerts are posted.
    pub url: String,
}

/// Alertmanagers by whether alerts are sent to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Alertmanagers {
    /// They get alerts.
    #[serde(rename = "activeAlertmanagers")]
    pub active: Vec<Alertmanager>,
    /// Relabeling dropped them.
    #[serde(rename = "droppedAlertmanagers")]
    pub dropped: Vec<Alertmanager>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_as_many_decimals_as_needed() {
        let check = |ms: i64, expect: &str| assert_eq!(go_time(Some(Timestamp::from_millis(ms))), expect);
        check(0, "1970-01-01T00:00:00Z");
        check(1_770_121_830_120, "2026-02-03T12:30:30.12Z");
        assert_eq!(go_time(None), "0001-01-01T00:00:00Z");
    }
}
