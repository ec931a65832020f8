//! Uptime from counted results, and the time Farero watched. Pure.
//!
//! Uptime is the share of results that were a success, of all results that said something. A component is as available as
//! the worst of its checks; a system is the mean of its own components, those of third parties and of low criticality left
//! out (CHK-07). Blind results and blind time count on neither side.

use std::time::Duration as StdDuration;

use kernel::{Duration, Timestamp};
use plan_model::component::Criticality;

/// Results of a check in a period, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Successes.
    pub up: u64,
    /// Slow successes.
    pub slow: u64,
    /// Failures.
    pub down: u64,
    /// Nothing could be said.
    pub blind: u64,
}

impl std::ops::Add for Counts {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self { up: self.up + o.up, slow: self.slow + o.slow, down: self.down + o.down, blind: self.blind + o.blind }
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| a + b)
    }
}

/// Uptime in percent; `None` when no result said anything.
pub fn uptime_percent(counts: Counts) -> Option<f64> {
    let good = counts.up + counts.slow;
    let said = good + counts.down;
    (said > 0).then(|| good as f64 * 100.0 / said as f64)
}

/// A component's uptime: the worst of its checks.
pub fn component_uptime(checks: impl IntoIterator<Item = Counts>) -> Option<f64> {
    checks.into_iter().filter_map(uptime_percent).min_by(f64::total_cmp)
}

/// A system's uptime: the mean of the components that count. Each with its uptime, its criticality and whether a third
/// party runs it.
pub fn system_uptime(components: impl IntoIterator<Item = (Option<f64>, Criticality, bool)>) -> Option<f64> {
    let counted = components.into_iter().filter(|(_, criticality, third)| !third && *criticality != Criticality::Low);
    let (mut sum, mut n) = (0.0, 0u32);
    for uptime in counted.filter_map(|(uptime, _, _)| uptime) {
        sum += uptime;
        n += 1;
    }
    (n > 0).then(|| sum / f64::from(n))
}

/// How much of a period Farero watched, and how much it was blind. Blind periods may overlap and be in any order.
pub fn watched(blind: &[(Timestamp, Timestamp)], from: Timestamp, to: Timestamp) -> (Duration, Duration) {
    let mut parts: Vec<(Timestamp, Timestamp)> =
        blind.iter().map(|(a, b)| ((*a).max(from), (*b).min(to))).filter(|(a, b)| a < b).collect();
    parts.sort_unstable();
    let (mut dark, mut end) = (StdDuration::ZERO, from);
    for (a, b) in parts {
        dark += b.since(a.max(end));
        end = end.max(b);
    }
    (Duration::from(to.since(from).saturating_sub(dark)), Duration::from(dark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn chk_07_uptime_leaves_blind_time_and_third_parties_out() {
        let day = Counts { up: 990, slow: 8, down: 2, blind: 5_000 };
        assert_eq!(uptime_percent(day), Some(99.8));
        assert_eq!(uptime_percent(Counts { blind: 9, ..Counts::default() }), None);
        assert_eq!(uptime_percent([day, day].into_iter().sum()), Some(99.8));
        assert_eq!(component_uptime([day, Counts { up: 1, ..Counts::default() }]), Some(99.8));
        let own = |uptime| (Some(uptime), Criticality::Normal, false);
        let others = (Some(0.0), Criticality::High, true);
        let low = (Some(0.0), Criticality::Low, false);
        let unknown = (None, Criticality::High, false);
        assert_eq!(system_uptime([own(100.0), own(99.0), others, low, unknown]), Some(99.5));
        assert_eq!(system_uptime([others]), None);
    }

    #[test]
    fn blind_periods_may_overlap() {
        let t = Timestamp::from_secs;
        let blind = [(t(50), t(70)), (t(10), t(20)), (t(60), t(80)), (t(0), t(5)), (t(95), t(200))];
        let (seen, dark) = watched(&blind, t(2), t(100));
        assert_eq!((seen, dark), (Duration::from_secs(50), Duration::from_secs(3 + 10 + 30 + 5)));
    }

    proptest! {
        #[test]
        fn watched_and_blind_make_up_the_period(parts in proptest::collection::vec((0i64..1000, 0i64..1000), 0..20)) {
            let t = Timestamp::from_secs;
            let blind: Vec<_> = parts.iter().map(|(a, b)| (t(*a), t(*b))).collect();
            let (seen, dark) = watched(&blind, t(100), t(900));
            prop_assert_eq!(seen.as_millis() + dark.as_millis(), 800_000);
            let counted = (100..900).filter(|s| parts.iter().any(|(a, b)| a <= s && s < b)).count();
            prop_assert_eq!(dark.as_millis(), counted as u64 * 1_000);
        }
    }
}
