//! A plan in numbers: what `farero check` prints and the plan's page heads with. Pure.

use indexmap::IndexMap;
use plan_syntax::Level;
use serde::Serialize;

use crate::Loaded;

/// A plan in numbers. Counts are of what counts today; what is inactive is counted apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PlanSummary {
    /// The system's short name; empty when the plan does not load.
    pub system: String,
    /// The system's name for people.
    pub label: String,
    /// Version of the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The environment it was read for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Services.
    pub services: usize,
    /// Hosts.
    pub hosts: usize,
    /// Checks by kind, in the order in which kinds appear.
    pub checks: IndexMap<&'static str, usize>,
    /// Runs of checks in one second, on average.
    pub runs_per_second: f64,
    /// Metrics endpoints.
    pub endpoints: usize,
    /// Severities.
    pub severities: usize,
    /// Channels.
    pub channels: usize,
    /// Tasks.
    pub tasks: usize,
    /// Prometheus rule files.
    pub rule_files: usize,
    /// Runbooks and checklists.
    pub documents: usize,
    /// Items that do not count yet.
    pub inactive: usize,
    /// Parameters without a value.
    pub open_parameters: usize,
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Findings.
    pub findings: usize,
}

impl Loaded {
    /// The plan in numbers.
    pub fn summary(&self) -> PlanSummary {
        let count = |level| self.diagnostics.iter().filter(|d| d.level == level).count();
        let mut out = PlanSummary {
            environment: self.environment.clone(),
            rule_files: self.rule_files.len(),
            documents: self.documents.len(),
            inactive: self.inactive.len(),
            open_parameters: self.open_parameters.len(),
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            findings: count(Level::Finding),
            ..PlanSummary::default()
        };
        let Some(plan) = &self.plan else { return out };
        out.system.clone_from(&plan.system);
        out.label = plan.label.clone().unwrap_or_else(|| plan.system.clone());
        out.version.clone_from(&plan.version);
        (out.services, out.hosts) = (plan.services.len(), plan.hosts.len());
        (out.severities, out.channels, out.tasks) = (plan.severities.len(), plan.channels.len(), plan.tasks.len());
        out.endpoints = plan.components().filter(|(_, c)| c.metrics.is_some()).count();
        for (component, name, check) in plan.checks() {
            if let Some(kind) = check.kinds().first() {
                *out.checks.entry(kind.name()).or_default() += 1;
            }
            let every = plan.effective(component, name).map_or(0.0, |s| s.every.as_secs_f64());
            out.runs_per_second += if every > 0.0 { 1.0 / every } else { 0.0 };
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use crate::{LoadOptions, SourceFile, load};

    #[test]
    fn a_plan_is_counted() {
        let text = "system: x\ntimezone: UTC\nservices:\n  a: {check: {tcp: 'a:1', every: 10s}}\n  b: {checks: {one: {tcp: 'b:1', \
                    every: 10s}, two: {http: 'http://b', state: future}}}\n";
        let today = jiff::civil::date(2026, 3, 1);
        let options = LoadOptions { folder: String::new(), environment: None, today };
        let summary = load(&[SourceFile::new("plan.yaml", text)], &options).summary();
        assert_eq!((summary.services, summary.checks["tcp"], summary.inactive), (2, 2, 1));
        assert!((summary.runs_per_second - 0.2).abs() < 1e-9);
        let broken = load(&[SourceFile::new("plan.yaml", "system: [")], &options).summary();
        assert!(broken.errors > 0 && broken.system.is_empty());
    }
}
