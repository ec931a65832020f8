//! `for` goes on after a restart: how long an alert was pending is read from `ALERTS_FOR_STATE`. Pure.
//!
//! Prometheus's rule (its own words for the two options: outage tolerance, grace period): an alert goes on where it was when Farero
//! went down, the time in between does not count; one that would fire at once waits for the grace period.

use std::collections::HashMap;
use std::time::Duration as StdDuration;

use kernel::labels::METRIC_NAME;
use kernel::series::{Matcher, Select, SeriesError, SeriesReader, is_stale};
use kernel::{Labels, Timestamp};

use super::alert::ActiveAlert;
use super::group::Group;
use super::state::GroupState;
use crate::rules::evaluate::{ALERT_NAME, ALERTS_FOR_STATE};

/// Alerts that were last seen longer ago are not restored (`rules.alert.for-outage-tolerance`).
pub const OUTAGE_TOLERANCE: StdDuration = StdDuration::from_secs(3_600);

/// At least so long a restored alert waits before it fires; alerts with a shorter `for` are not restored
/// (`rules.alert.for-grace-period`).
pub const GRACE_PERIOD: StdDuration = StdDuration::from_secs(600);

/// The two options.
#[derive(Clone, Copy, Debug)]
pub struct Tolerances {
    /// See [`OUTAGE_TOLERANCE`].
    pub outage: StdDuration,
    /// See [`GRACE_PERIOD`].
    pub grace: StdDuration,
}

impl Default for Tolerances {
    fn default() -> Self {
        Self { outage: OUTAGE_TOLERANCE, grace: GRACE_PERIOD }
    }
}

/// Restores `for` of a group's alerts, after its second evaluation. All its rules are marked as restored, also where reading
/// failed: there is no other way to go on. Says what failed.
pub fn restore_for_state(
    group: &Group,
    state: &mut GroupState,
    now: Timestamp,
    reader: &dyn SeriesReader,
    tolerances: Tolerances,
) -> Vec<String> {
    let mut failed = Vec::new();
    for (rule, rule_state) in group.rules.iter().zip(&mut state.rules) {
        if !rule.is_alert() {
            continue;
        }
        rule_state.restored = true;
        let hold = rule.holds().0.std();
        if hold < tolerances.grace || rule_state.alerts.is_empty() {
            continue;
        }
        let last = match last_samples(&rule.name, now, reader, tolerances.outage) {
            Ok(last) => last,
            Err(error) => {
                failed.push(format!("failed to restore 'for' state of {}: {error}", rule.name));
                continue;
            }
        };
        for alert in rule_state.alerts.values_mut() {
            if let Some((t_ms, since)) = last.get(&alert.labels).filter(|(_, v)| !is_stale(*v)) {
                restore(alert, *t_ms, *since, now, hold, tolerances.grace);
            }
        }
    }
    failed
}

/// The newest sample of each alert of a rule, by the alert's labels.
fn last_samples(
    rule: &str,
    now: Timestamp,
    reader: &dyn SeriesReader,
    outage: StdDuration,
) -> Result<HashMap<Labels, (i64, f64)>, SeriesError> {
    let select = Select {
        matchers: vec![Matcher::equal(METRIC_NAME, ALERTS_FOR_STATE), Matcher::equal(ALERT_NAME, rule)],
        start_ms: (now - outage).as_millis(),
        end_ms: now.as_millis(),
    };
    let mut out = HashMap::new();
    for series in reader.select(&select)? {
        let value = series.values.floats().and_then(|v| v.last().copied());
        if let (Some(t_ms), Some(value)) = (series.timestamps.last(), value) {
            out.insert(series.labels.without(|name| name == METRIC_NAME), (*t_ms, value));
        }
    }
    Ok(out)
}

/// Sets since when an alert is active, from what was written of it last.
fn restore(alert: &mut ActiveAlert, t_ms: i64, since: f64, now: Timestamp, hold: StdDuration, grace: StdDuration) {
    let millis = |d: StdDuration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
    let (down_at, active_at) = (t_ms.div_euclid(1_000) * 1_000, (since as i64).saturating_mul(1_000));
    let remaining = millis(hold).saturating_sub(down_at.saturating_sub(active_at));
    let restored = if remaining <= 0 {
        // It was firing when all stopped, and fires again with the next evaluation.
        active_at
    } else if remaining < millis(grace) {
        (now + grace).as_millis() - millis(hold)
    } else {
        active_at + (now.as_millis() - down_at)
    };
    alert.active_at = Timestamp::from_millis(restored);
}

#[cfg(test)]
mod tests;
