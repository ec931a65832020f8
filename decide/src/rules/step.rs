//! The state machine of one alerting rule: what held before and what holds now in, what is active and what changed out.
//! Pure.
//!
//! As Prometheus does it: a sample makes an alert pending, or firing when `for` has passed; an alert whose sample is gone
//! is forgotten while pending, kept by `keep_firing_for`, or resolved. The differences are for the operator's sake:
//!
//! - *Blind time does not count.* After a gap in the evaluations (Farero was down, the machine slept) pending alerts go on
//!   where they were: the gap is added to the time since which they are active. A gap longer than [`OUTAGE_TOLERANCE`]
//!   starts them again, as in Prometheus; firing alerts stay as they are.
//! - *An alert ends only when something is seen to be well.* Where the rule says what must be there ([`Rule::evidence`]),
//!   a firing alert stays as long as that is missing. Rules from files have no such expression; after a gap in which the
//!   samples aged out, their firing alerts stay for [`SETTLE`], so that a restart alone resolves nothing.
//!
//! [`Rule::evidence`]: super::Rule::evidence

use std::time::Duration as StdDuration;

use kernel::alert::{Alert, AlertState};
use kernel::{Duration, Labels, Timestamp};

/// Pending alerts are forgotten after a longer gap (Prometheus's `rules.alert.for-outage-tolerance`).
pub const OUTAGE_TOLERANCE: StdDuration = StdDuration::from_secs(3_600);
/// A gap is no gap below so many intervals of the group: one late turn is none.
pub const GAP_INTERVALS: u32 = 3;
/// How long firing alerts without evidence stay after a gap: PromQL's lookback, within which data return.
pub const SETTLE: StdDuration = StdDuration::from_secs(5 * 60);

/// What the expression says of one alert now.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// All labels of the alert.
    pub labels: Labels,
    /// Its texts.
    pub annotations: Labels,
    /// The value.
    pub value: f64,
}

/// The times that a step depends on.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The time.
    pub now: Timestamp,
    /// How long before it nothing was evaluated; zero on a usual day.
    pub gap: StdDuration,
    /// Since when Farero has been watching without a break.
    pub watching_since: Timestamp,
    /// The rule's `for`.
    pub hold: Duration,
    /// The rule's `keep_firing_for`.
    pub keep_firing_for: Duration,
}

/// What became of an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Active as before: pending, or firing since earlier.
    Stays(Alert),
    /// Began to fire.
    Fires(Alert),
    /// Ended.
    Ends(Alert),
    /// Was pending and holds no longer.
    Forgotten,
    /// Fires on because nothing is seen of it.
    Unseen(Alert),
}

/// An alert for which the condition holds.
pub fn decide_held(before: Option<&Alert>, held: Held, times: &Times, make: impl FnOnce() -> Alert) -> Step {
    let Times { now, gap, .. } = *times;
    let mut alert = match before {
        Some(known) => known.clone(),
        None => make(),
    };
    alert.value = held.value;
    alert.annotations = held.annotations;
    if before.is_some() && alert.state == AlertState::Pending {
        alert.active_at = if gap > OUTAGE_TOLERANCE { now } else { (alert.active_at + gap).min(now) };
    }
    alert.last_true_at = now;
    if alert.state == AlertState::Pending && now.since(alert.active_at) >= times.hold.std() {
        alert.state = AlertState::Firing;
        alert.fired_at = Some(now);
        return Step::Fires(alert);
    }
    Step::Stays(alert)
}

/// An alert that was active and for which the condition does not hold. `seen` tells whether what must be there for it to
/// end is there; `None` when the rule does not say what that is.
pub fn decide_cleared(before: &Alert, seen: Option<bool>, times: &Times) -> Step {
    let Times { now, gap, watching_since, keep_firing_for, .. } = *times;
    if before.state != AlertState::Firing {
        return Step::Forgotten;
    }
    let mut alert = before.clone();
    let settles = before.last_true_at + SETTLE < watching_since && now < watching_since + SETTLE;
    if !seen.unwrap_or(!settles) {
        return Step::Unseen(alert);
    }
    alert.last_true_at = (alert.last_true_at + gap).min(now);
    if keep_firing_for > Duration::ZERO && now.since(alert.last_true_at) < keep_firing_for.std() {
        return Step::Stays(alert);
    }
    alert.state = AlertState::Resolved;
    alert.resolved_at = Some(now);
    Step::Ends(alert)
}

/// How long nothing was evaluated; zero when that is usual for the interval.
pub fn decide_gap(last_turn: Option<Timestamp>, interval: Duration, now: Timestamp) -> StdDuration {
    let passed = last_turn.map_or(StdDuration::ZERO, |last| now.since(last));
    if passed > interval.std().saturating_mul(GAP_INTERVALS) {
        passed.saturating_sub(interval.std())
    } else {
        StdDuration::ZERO
    }
}
