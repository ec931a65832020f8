//! When groups are evaluated: on a grid of their interval, moved by a hash of their name, so that not all of them begin
//! together. Pure.

use std::time::Duration as StdDuration;

use kernel::Timestamp;
use twox_hash::XxHash64;

use super::group::Group;

/// Nanoseconds of a millisecond.
const NS: i64 = 1_000_000;

/// The times of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    interval_ns: i64,
    offset_ns: i64,
}

impl Schedule {
    /// Of a group, by its file, name and interval.
    pub fn of(group: &Group) -> Self {
        Self::new(&group.file, &group.name, group.interval.std())
    }

    /// From the parts.
    pub fn new(file: &str, name: &str, interval: StdDuration) -> Self {
        let interval_ns = i64::try_from(interval.as_nanos()).unwrap_or(i64::MAX).max(NS);
        let offset = hash(file, name) % interval_ns.unsigned_abs();
        Self { interval_ns, offset_ns: offset as i64 }
    }

    /// The newest time of the grid that is not after `now`.
    pub fn at_or_before(&self, now: Timestamp) -> Slot {
        let moved = now.as_millis().saturating_mul(NS).saturating_sub(self.offset_ns);
        // Go's remainder has the sign of the dividend.
        Slot { ns: moved - moved % self.interval_ns + self.offset_ns, schedule: *self }
    }
}

/// A time of a group's grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    ns: i64,
    schedule: Schedule,
}

impl Slot {
    /// The time.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.ns.div_euclid(NS))
    }

    /// The next time.
    #[must_use]
    pub fn next(&self) -> Self {
        self.later(1)
    }

    fn later(&self, intervals: i64) -> Self {
        let ns = self.ns.saturating_add(self.schedule.interval_ns.saturating_mul(intervals));
        Self { ns, ..*self }
    }

    /// The time to evaluate next when it is `now`, and how many times were missed since this one. A clock that was set back takes
    /// the times back with it.
    pub fn after(&self, now: Timestamp) -> (Self, u64) {
        let passed = now.as_millis().saturating_mul(NS).saturating_sub(self.ns) / self.schedule.interval_ns;
        let steps = if passed < 0 { passed } else { passed.max(1) };
        (self.later(steps), (steps - 1).max(0).unsigned_abs())
    }
}

/// Prometheus's hash of the label set `{file, name}`: XXH64 over names and values, each with its length before it.
fn hash(file: &str, name: &str) -> u64 {
    let mut bytes = Vec::with_capacity(file.len() + name.len() + 16);
    for text in ["file", file, "name", name].into_iter() {
        match text.len() {
            n @ 0..255 => bytes.push(n as u8),
            n => {
                bytes.push(255);
                bytes.extend_from_slice(&(n as u32).to_le_bytes()[..3]);
            }
        }
        bytes.extend_from_slice(text.as_bytes());
    }
    XxHash64::oneshot(0, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_vectors_of_the_hash() {
        assert_eq!(XxHash64::oneshot(0, b""), 0xef46_db37_51d8_e999);
        assert_eq!(XxHash64::oneshot(0, b"abc"), 0x44bc_2cf5_ad77_0999);
    }

    #[test]
    fn groups_of_the_same_interval_begin_at_different_times() {
        let minute = StdDuration::from_secs(60);
        let of = |name| Schedule::new("rules.yml", name, minute).at_or_before(Timestamp::from_secs(1_000_000)).time();
        assert_ne!(of("a"), of("b"));
        assert_eq!(of("a"), of("a"));
    }

    proptest! {
        #[test]
        fn the_grid_does_not_depend_on_when_it_is_asked(now in 0i64..=4_000_000_000_000, step in prop_oneof![1u64..=20, 1u64..=3_600_000]) {
            let schedule = Schedule::new("f", "g", StdDuration::from_millis(step));
            let (first, now) = (schedule.at_or_before(Timestamp::from_millis(now)), Timestamp::from_millis(now));
            // The grid is finer than the times that are told of it: what is before and after is asked in nanoseconds.
            let ns = |t: Timestamp| t.as_millis() * NS;
            prop_assert!(first.ns <= ns(now) || now.as_millis() < step as i64);
            prop_assert!(first.next().ns > ns(now) || now.as_millis() < step as i64);
            let later = now + StdDuration::from_millis(step * 3);
            let (next, missed) = first.after(later);
            prop_assert!((1..=3).contains(&missed));
            prop_assert!(next.ns <= ns(later) && next.next().ns > ns(later) || now.as_millis() < step as i64);
            prop_assert_eq!(first.after(first.next().time()).1, 0);
            let back = first.after(first.time() - StdDuration::from_millis(step * 5));
            prop_assert_eq!((back.0.time(), back.1), (first.time() - StdDuration::from_millis(step * 5), 0));
        }
    }
}
