//! Groups of rules ready to be evaluated. Pure.

use kernel::Duration;

use super::depends::Dependencies;
use super::shared::Sharing;
use crate::rules::query::Query;
use crate::rules::template::Template;

/// A group: its rules are evaluated together, in order, at the same times.
#[derive(Clone, Debug)]
pub struct Group {
    /// The file it stands in.
    pub file: String,
    /// Its name, unique in its file.
    pub name: String,
    /// How often it is evaluated.
    pub interval: Duration,
    /// How far back it looks; `None` for the configuration's.
    pub query_offset: Option<Duration>,
    /// Most series or alerts of one rule; 0 for no limit.
    pub limit: usize,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// Which rules read what others write.
    pub dependencies: Dependencies,
    /// What its rules have in common.
    pub sharing: Sharing,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The alert's name, or that of the series it records.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// What it asks.
    pub query: Query,
    /// The expression as Prometheus writes it down.
    pub expression: String,
    /// Labels it sets, sorted by name, as written: a group's labels are among them. An empty text takes a label away.
    pub labels: Vec<(String, String)>,
    /// Annotations, sorted by name, as written.
    pub annotations: Vec<(String, String)>,
    /// Labels and annotations of an alerting rule, read.
    pub(super) templates: Templates,
}

/// The templates of an alerting rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates {
    pub(super) labels: Vec<(String, Template)>,
    pub(super) annotations: Vec<(String, Template)>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
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

impl Group {
    /// What names it among all groups: `FILE;NAME`.
    pub fn key(&self) -> String {
        format!("{};{}", self.file, self.name)
    }

    /// Whether nothing has changed: then its state goes on, also between two evaluations.
    pub fn is_same(&self, other: &Self) -> bool {
        let head = |g: &Self| (g.file.clone(), g.name.clone(), g.interval, g.query_offset, g.limit, g.rules.len());
        head(self) == head(other) && self.rules.iter().zip(&other.rules).all(|(a, b)| a.is_same(b))
    }
}

impl Rule {
    /// Whether it raises alerts.
    pub fn is_alert(&self) -> bool {
        matches!(self.kind, Kind::Alert { .. })
    }

    /// `for` and `keep_firing_for`; zeros for a recording rule.
    pub fn holds(&self) -> (Duration, Duration) {
        match self.kind {
            Kind::Record => (Duration::ZERO, Duration::ZERO),
            Kind::Alert { hold, keep_firing_for } => (hold, keep_firing_for),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.name, self.kind, &self.expression, &self.labels, &self.annotations)
            == (&other.name, other.kind, &other.expression, &other.labels, &other.annotations)
    }

    /// What tells rules of a group apart when it is read again: name and labels.
    pub(super) fn identity(&self) -> (&str, &[(String, String)]) {
        (&self.name, &self.labels)
    }
}
