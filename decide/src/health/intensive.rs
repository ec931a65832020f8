//! How often a check runs while its system or component is watched intensively (CHK-16). Pure.

use kernel::{Duration, Timestamp};

/// The interval now: the intensive one until the given time, if any, never longer than the usual one.
pub fn decide_interval(usual: Duration, intensive: Duration, until: Option<Timestamp>, now: Timestamp) -> Duration {
    if until.is_some_and(|end| now < end) { intensive.min(usual) } else { usual }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chk_16_intensive_for_a_period_and_back() {
        let (usual, intensive) = (Duration::from_mins(5), Duration::from_mins(1));
        let until = Some(Timestamp::from_secs(100));
        let check = |until, now, expect| {
            assert_eq!(decide_interval(usual, intensive, until, Timestamp::from_secs(now)), expect, "{until:?} {now}");
        };
        check(None, 50, usual);
        check(until, 50, intensive);
        check(until, 99, intensive);
        check(until, 100, usual);
        assert_eq!(decide_interval(intensive, usual, until, Timestamp::from_secs(0)), intensive);
    }
}
