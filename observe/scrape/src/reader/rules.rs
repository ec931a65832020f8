//! What the labels of a new line go through. Pure.

use std::borrow::Cow;
use std::sync::Arc;

use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::secret::Redactor;

use crate::exposition::Pair;
use crate::labelset::LabelBuilder;
use crate::relabel::{NameScheme, Rule, relabel};

/// A target's labels are put before those it exposes under these names.
const EXPORTED_PREFIX: &str = "exported_";

/// So many bytes of a name or value are shown, as Prometheus does.
const MOST_SHOWN: usize = 50;

/// Rules and limits for label sets.
#[derive(Clone, Debug, Default)]
pub struct LineRules {
    /// What the target is known by, names that begin with `__` not among it.
    pub target: Labels,
    /// Keep exposed labels that the target has, too.
    pub honor_labels: bool,
    /// `metric_relabel_configs`
    pub relabel: Arc<[Rule]>,
    /// Which names are allowed.
    pub scheme: NameScheme,
    /// Most labels; 0 is no limit.
    pub label_limit: usize,
    /// Most bytes of a label's name; 0 is no limit.
    pub name_length_limit: usize,
    /// Most bytes of a label's value; 0 is no limit.
    pub value_length_limit: usize,
    /// What is taken out of the values that the target exposes.
    pub conceal: Redactor,
}

/// Why a label set is not taken: its scrape fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Relabeling took the name away.
    #[error("missing metric name (__name__ label)")]
    NoName,
    /// Names that are not allowed.
    #[error("invalid metric name or label names: {0}")]
    Names(String),
    /// The same label twice.
    #[error("label name {0:?} is not unique: invalid sample")]
    Twice(String),
    /// `label_limit`, `label_name_length_limit` or `label_value_length_limit`.
    #[error("{0}")]
    Limit(String),
}

impl LineRules {
    /// The labels under which a line is kept; `None` when it is not wanted.
    ///
    /// # Errors
    /// Names are wrong, or a limit was reached.
    pub fn labels(&self, pairs: &[Pair<'_>]) -> Result<Option<Labels>, LineError> {
        for (at, (name, _)) in pairs.iter().enumerate() {
            if pairs[..at].iter().any(|(before, _)| before == name) {
                return Err(LineError::Twice(name.to_string()));
            }
        }
        let mut builder = LabelBuilder::from_pairs(pairs);
        for (name, value) in pairs {
            if let Cow::Owned(clean) = self.conceal.redacted(value) {
                builder.set(name, &clean);
            }
        }
        self.join_target(&mut builder);
        if !relabel(&mut builder, &self.relabel) || builder.is_empty() {
            return Ok(None);
        }
        let labels = builder.labels();
        let name = labels.name();
        if name.is_empty() {
            return Err(LineError::NoName);
        }
        let fits = labels.iter().all(|(n, _)| n == METRIC_NAME || self.scheme.allows_label(n));
        if !self.scheme.allows_metric(name) || !fits {
            return Err(LineError::Names(labels.to_string()));
        }
        self.check_limits(&labels)?;
        Ok(Some(labels))
    }

    /// The labels of a metric that scraping itself reports.
    pub fn report_labels(&self, name: &str) -> Labels {
        self.target.with(METRIC_NAME, name)
    }

    /// Takes what must not show out of an exemplar's labels.
    pub(super) fn clean(&self, labels: &mut Labels) {
        if labels.iter().any(|(_, value)| self.conceal.finds(value)) {
            *labels = Labels::new(labels.iter().map(|(name, value)| (name.to_owned(), self.conceal.redact(value))));
        }
    }

    fn join_target(&self, builder: &mut LabelBuilder) {
        if self.honor_labels {
            for (name, value) in self.target.iter() {
                if builder.get(name).is_empty() {
                    builder.set(name, value);
                }
            }
            return;
        }
        let mut pushed: Vec<(String, String)> = Vec::new();
        for (name, value) in self.target.iter() {
            let exposed = builder.get(name);
            if !exposed.is_empty() {
                pushed.push((name.to_owned(), exposed.to_owned()));
            }
            builder.set(name, value);
        }
        pushed.sort_by_key(|(name, _)| name.len());
        for (mut name, value) in pushed {
            loop {
                name.insert_str(0, EXPORTED_PREFIX);
                if builder.get(&name).is_empty() {
                    builder.set(&name, &value);
                    break;
                }
            }
        }
    }

    fn check_limits(&self, labels: &Labels) -> Result<(), LineError> {
        let metric = cut(labels.name());
        if self.label_limit > 0 && labels.len() > self.label_limit {
            return Err(LineError::Limit(format!(
                "label_limit exceeded (metric: {metric}, number of labels: {}, limit: {})",
                labels.len(),
                self.label_limit
            )));
        }
        for (name, value) in labels.iter() {
            if self.name_length_limit > 0 && name.len() > self.name_length_limit {
                return Err(LineError::Limit(format!(
                    "label_name_length_limit exceeded (metric: {metric}, label name: {}, length: {}, limit: {})",
                    cut(name),
                    name.len(),
                    self.name_length_limit
                )));
            }
            if self.value_length_limit > 0 && value.len() > self.value_length_limit {
                return Err(LineError::Limit(format!(
                    "label_value_length_limit exceeded (metric: {metric}, label name: {}, value: {:?}, length: {}, \
                     limit: {})",
                    cut(name),
                    cut(value),
                    value.len(),
                    self.value_length_limit
                )));
            }
        }
        Ok(())
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MOST_SHOWN).map_or(text, |(at, _)| &text[..at])
}
