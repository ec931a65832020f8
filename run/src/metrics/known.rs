//! What senders said of their metrics: type, help, unit. Pure but for a lock.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use observe_receive::remote_write::MetricMetadata;
use web_prometheus::views;

/// Metrics of which something is kept; a large installation has some thousands. More are answered without type and help.
const METRICS: usize = 50_000;

/// What is known, by metric.
#[derive(Debug, Default)]
pub(super) struct Known {
    all: RwLock<BTreeMap<String, views::MetricMetadata>>,
}

impl Known {
    /// Takes in what a sender said; the newest word counts.
    pub(super) fn tell(&self, told: Vec<MetricMetadata>) {
        // What a panic left behind is still a whole map.
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        for one in told {
            if all.len() >= METRICS && !all.contains_key(&one.family) {
                continue;
            }
            let known = views::MetricMetadata {
                metric: one.family.clone(),
                kind: one.kind.name().to_owned(),
                help: one.help,
                unit: one.unit,
            };
            all.insert(one.family, known);
        }
    }

    /// All of it.
    pub(super) fn all(&self) -> Vec<views::MetricMetadata> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
