//! When which job is due: a heap of times, on a grid that stays the same over restarts. Pure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use kernel::Timestamp;

/// After a start every job runs once within this time (or its interval, the shorter), so that nobody waits five minutes for
/// the first result.
pub const START_SPREAD: Duration = Duration::from_secs(8);

/// Jobs by their place in a list, and when they are due.
#[derive(Debug, Default)]
pub struct Agenda {
    heap: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

impl Agenda {
    /// Puts a job in.
    pub fn put(&mut self, job: usize, at: Timestamp) {
        self.heap.push(Reverse((at, job)));
    }

    /// When the next job is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// The next job, if it is due.
    pub fn take_due(&mut self, now: Timestamp) -> Option<(usize, Timestamp)> {
        self.heap.peek().filter(|Reverse((at, _))| *at <= now)?;
        self.heap.pop().map(|Reverse((at, job))| (job, at))
    }
}

/// A number that stays the same for a name: FNV-1a, so that jobs spread evenly and each keeps its place.
pub fn spread(name: &str) -> u64 {
    let hash = kernel::hash::fnv1a(name.bytes());
    hash ^ (hash >> 29)
}

/// The first time after `after` on the grid of an interval, at the place that the seed gives.
pub fn next_on_grid(after: Timestamp, every: Duration, seed: u64) -> Timestamp {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    let phase = i64::try_from(seed % u64::try_from(every).unwrap_or(1)).unwrap_or(0);
    let past = (after.as_millis() - phase).rem_euclid(every);
    Timestamp::from_millis(after.as_millis() - past + every)
}

/// When a job runs for the first time after a start.
pub fn first_run(start: Timestamp, every: Duration, seed: u64) -> Timestamp {
    let spread_ms = u64::try_from(START_SPREAD.min(every).as_millis()).unwrap_or(u64::MAX).max(1);
    start + Duration::from_millis(seed % spread_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_is_even_and_stays() {
        let every = Duration::from_secs(10);
        for seed in [0, 1, 9_999, 123_456_789] {
            let start = Timestamp::from_millis(1_770_000_000_123);
            let first = next_on_grid(start, every, seed);
            assert!(first > start && first.since(start) <= every);
            assert_eq!(next_on_grid(first, every, seed), first + every);
            assert_eq!(next_on_grid(first - Duration::from_millis(1), every, seed), first);
        }
    }

    #[test]
    fn jobs_come_in_order() {
        let mut agenda = Agenda::default();
        agenda.put(1, Timestamp::from_secs(20));
        agenda.put(2, Timestamp::from_secs(10));
        assert_eq!(agenda.next_due(), Some(Timestamp::from_secs(10)));
        assert_eq!(agenda.take_due(Timestamp::from_secs(5)), None);
        assert_eq!(agenda.take_due(Timestamp::from_secs(30)), Some((2, Timestamp::from_secs(10))));
        assert_eq!(agenda.take_due(Timestamp::from_secs(30)), Some((1, Timestamp::from_secs(20))));
    }
}
