//! What is counted of rule groups, under Prometheus's names. I/O: none.

use std::fmt::Write as _;

use super::Shown;
use crate::counters::Counter;

/// Counts of one group.
#[derive(Debug, Default)]
pub struct GroupCounters {
    /// Evaluations that were due, missed ones among them.
    pub iterations: Counter,
    /// Evaluations left out because the one before took longer than the interval.
    pub missed: Counter,
    /// Rules evaluated.
    pub evaluations: Counter,
    /// Rules that failed.
    pub failures: Counter,
    /// Selections that reached the store.
    pub reads: Counter,
    /// Selections answered from what another rule had read.
    pub reused: Counter,
    /// Selections too large to be kept for other rules.
    pub too_large: Counter,
    /// Expressions answered from what another rule had evaluated.
    pub expressions_reused: Counter,
}

/// The value of a metric for a group.
type Pick = fn(&Shown) -> f64;

/// Name, kind, meaning, value.
const METRICS: [(&str, &str, &str, Pick); 13] = [
    ("prometheus_rule_evaluations_total", "counter", "The total number of rule evaluations.", |g| {
        g.counters.evaluations.get() as f64
    }),
    ("prometheus_rule_evaluation_failures_total", "counter", "The total number of rule evaluation failures.", |g| {
        g.counters.failures.get() as f64
    }),
    (
        "prometheus_rule_group_iterations_total",
        "counter",
        "The total number of scheduled rule group evaluations, whether executed or missed.",
        |g| g.counters.iterations.get() as f64,
    ),
    (
        "prometheus_rule_group_iterations_missed_total",
        "counter",
        "The total number of rule group evaluations missed due to slow rule group evaluation.",
        |g| g.counters.missed.get() as f64,
    ),
    ("prometheus_rule_group_interval_seconds", "gauge", "The interval of a rule group.", |g| {
        g.view.interval.as_secs_f64()
    }),
    (
        "prometheus_rule_group_last_evaluation_timestamp_seconds",
        "gauge",
        "The timestamp of the last rule group evaluation in seconds.",
        |g| g.view.last_evaluation.map_or(0.0, kernel::Timestamp::as_secs_f64),
    ),
    ("prometheus_rule_group_last_duration_seconds", "gauge", "The duration of the last rule group evaluation.", |g| {
        g.view.evaluation_time.as_secs_f64()
    }),
    ("prometheus_rule_group_rules", "gauge", "The number of rules.", |g| g.view.rules.len() as f64),
    (
        "prometheus_rule_group_last_evaluation_samples",
        "gauge",
        "The number of samples returned during the last rule group evaluation.",
        |g| g.samples as f64,
    ),
    ("farero_rule_group_reads_total", "counter", "Selections of series that reached the store.", |g| {
        g.counters.reads.get() as f64
    }),
    (
        "farero_rule_group_reads_reused_total",
        "counter",
        "Selections of series answered from what another rule of the group had read.",
        |g| g.counters.reused.get() as f64,
    ),
    (
        "farero_rule_group_reads_too_large_total",
        "counter",
        "Selections of series that were too large to be kept for other rules.",
        |g| g.counters.too_large.get() as f64,
    ),
    (
        "farero_rule_group_expressions_reused_total",
        "counter",
        "Expressions answered from what another rule of the group had evaluated.",
        |g| g.counters.expressions_reused.get() as f64,
    ),
];

/// The metrics of groups in Prometheus's text format.
pub fn exposition(groups: &[std::sync::Arc<Shown>]) -> String {
    let mut out = String::new();
    for (name, kind, help, pick) in METRICS {
        // Writing into a String cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for group in groups {
            let key = format!("{};{}", group.view.file, group.view.name);
            let key = key.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(out, "{name}{{rule_group=\"{key}\"}} {}", pick(group));
        }
    }
    out
}
