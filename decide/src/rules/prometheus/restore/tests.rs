//! Restarts, with what was written of the alerts before. Pure.

use decide_promql::memory::MemoryReader;
use kernel::Duration;

use super::*;
use crate::rules::prometheus::{Defaults, Standing, load_groups, read_rule_file};

const NOW: Timestamp = Timestamp::from_secs(100_000);

/// Since when the alert is active after a restart: it was active since `since`, last written at `down`, both seconds before
/// now, and has begun anew a minute ago.
fn restored(hold: &str, since: i64, down: i64, last: Option<f64>) -> i64 {
    let text = format!(
        "groups:\n- name: g\n  rules:\n  - {{alert: Down, expr: up == 0, for: {hold}, labels: {{team: '{{{{ $value }}}}'}}}}\n"
    );
    let file = read_rule_file(&text, false).unwrap();
    let group = load_groups("f", &file, Defaults { interval: Duration::from_mins(1) }).unwrap().remove(0);
    let mut state = GroupState::new(&group, false);
    let labels = Labels::new([("alertname", "Down"), ("job", "a"), ("team", "0")]);
    let begun = NOW - StdDuration::from_secs(60);
    let alert = ActiveAlert::new(labels.clone(), Labels::default(), 0.0, begun);
    state.rules[0].alerts.insert(labels.clone(), alert);
    let mut series = MemoryReader::default();
    let at = |seconds: i64| 100_000 - seconds;
    let value = last.unwrap_or(at(since) as f64);
    series.add(
        labels.with(METRIC_NAME, ALERTS_FOR_STATE),
        &[(at(down) * 1_000 - 60_000, 5.0), (at(down) * 1_000, value)],
    );
    let failed = restore_for_state(&group, &mut state, NOW, &series, Tolerances::default());
    assert!(failed.is_empty() && state.rules[0].restored);
    let alert = &state.rules[0].alerts[&labels];
    assert_eq!(alert.state, Standing::Pending);
    (NOW.as_millis() - alert.active_at.as_millis()) / 1_000
}

#[test]
fn alr_03_what_was_pending_goes_on_where_it_was() {
    assert_eq!(restored("30m", 1_200, 600, None), 600, "10 of 30 minutes had passed, and 10 minutes nobody looked");
}

#[test]
fn alr_03_what_was_firing_fires_again() {
    assert_eq!(restored("30m", 3_000, 600, None), 3_000);
}

#[test]
fn alr_03_what_would_fire_at_once_waits_for_the_grace_period() {
    assert_eq!(restored("30m", 2_000, 600, None), 1_200, "10 of 30 minutes are left");
}

#[test]
fn alr_03_what_ended_or_is_too_old_or_short_begins_anew() {
    assert_eq!(restored("30m", 1_200, 600, Some(kernel::series::stale_nan())), 60);
    assert_eq!(restored("30m", 9_000, 4_000, None), 60, "more than an hour ago");
    assert_eq!(restored("5m", 1_200, 600, None), 60, "shorter than the grace period");
}
