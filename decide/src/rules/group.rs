//! Rule groups as they are evaluated, wherever they came from. Pure.

use kernel::Duration;

use super::query::Query;
use super::template::Template;

/// Where a group came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Made from the plan's own thresholds.
    Plan,
    /// Read from this file, its path below the plan's folder.
    File(String),
}

/// A group of rules: evaluated together, in order, each seeing what those before it wrote.
#[derive(Clone, Debug)]
pub struct RuleGroup {
    /// The plan's system.
    pub system: String,
    /// Name, unique in the system; alerts are stored under it.
    pub name: String,
    /// Where it came from.
    pub origin: Origin,
    /// How often it is evaluated.
    pub interval: Duration,
    /// Most alerts, or series, that one rule may have; 0 for no limit.
    pub limit: usize,
    /// How far back in time it looks, for data that come late.
    pub query_offset: Duration,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The label `alertname`, or the metric that it records.
    pub name: String,
    /// What it does.
    pub kind: RuleKind,
    /// Its expression.
    pub query: Query,
    /// Labels it adds: name and template; of a recording rule the texts as they are.
    pub labels: Vec<(String, Template)>,
    /// Texts for people: name and template.
    pub annotations: Vec<(String, Template)>,
    /// What must be there for an alert of this rule to end: without it nothing was seen, and a firing alert stays. `None`
    /// for rules from files: there an alert ends when the expression has no sample for it, as in Prometheus.
    pub evidence: Option<Query>,
    /// Whether the failure of something that its service depends on explains it.
    pub explainable: bool,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// Writes series.
    Record,
    /// Raises alerts.
    Alert {
        /// How long the condition must hold before the alert fires (`for`).
        hold: Duration,
        /// How long it keeps firing after the condition has cleared.
        keep_firing_for: Duration,
    },
}

impl RuleGroup {
    /// Whether a rule of that name is in it.
    pub fn has_alert(&self, name: &str) -> bool {
        self.rules.iter().any(|r| r.name == name && matches!(r.kind, RuleKind::Alert { .. }))
    }
}

impl Rule {
    /// The rule as it stands in a Prometheus rule file, for people who want to take it over.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        let text = |s: &str| serde_json::Value::from(s).to_string();
        match self.kind {
            RuleKind::Record => out.push_str(&format!("- record: {}\n", self.name)),
            RuleKind::Alert { hold, keep_firing_for } => {
                out.push_str(&format!("- alert: {}\n", self.name));
                if hold > Duration::ZERO {
                    out.push_str(&format!("  for: {hold}\n"));
                }
                if keep_firing_for > Duration::ZERO {
                    out.push_str(&format!("  keep_firing_for: {keep_firing_for}\n"));
                }
            }
        }
        out.push_str(&format!("  expr: {}\n", text(self.query.text())));
        for (heading, pairs) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !pairs.is_empty() {
                out.push_str(&format!("  {heading}:\n"));
            }
            for (name, template) in pairs {
                out.push_str(&format!("    {name}: {}\n", text(template.source())));
            }
        }
        out
    }
}
