//! How long measurements are kept: as long as the plan that asks for the longest, since all systems share one store. Pure.

use std::time::Duration;

use kernel::Timestamp;
use plan_model::Plan;
use store_series::Options;

/// What the store is opened with: raw samples (MET-02) and roll-ups (MET-03).
pub fn store_options<'p>(plans: impl Iterator<Item = &'p Plan> + Clone) -> Options {
    Options {
        retention: plans.clone().map(raw).max().unwrap_or(Options::default().retention),
        rollups: plans.map(rollups).max().unwrap_or(Options::default().rollups),
        ..Options::default()
    }
}

fn raw(plan: &Plan) -> Duration {
    plan.retention.metrics.map_or(Options::default().retention, kernel::Duration::std)
}

fn rollups(plan: &Plan) -> Duration {
    plan.retention.rollups.map_or(Options::default().rollups, kernel::Duration::std)
}

/// Whether the raw samples since a time are all kept by a plan.
pub(crate) fn has_samples(plan: &Plan, since: Timestamp, now: Timestamp) -> bool {
    since + raw(plan) > now
}

/// Whether samples or roll-ups since a time are all kept by a plan.
pub(crate) fn has_rollups(plan: &Plan, since: Timestamp, now: Timestamp) -> bool {
    since + raw(plan).max(rollups(plan)) > now
}
