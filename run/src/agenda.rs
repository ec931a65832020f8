//! When which job is due: a heap of times, on a grid that stays the same over restarts. Pure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use kernel::Timestamp;

/// After a start every job runs once within this time (or its interval, the shorter), so that nobody waits five minutes for
/// the first result.
pub const START_SPREAD: Duration = Duration::from_secs(8);

/// Jobs of one interval begin together in steps of this time: waking up and asking the network costs less for several at once, and
/// each still comes at its own time of the interval, always the same.
pub const STEP: Duration = Duration::from_millis(50);

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

/// The part of `within` milliseconds that a seed gives, in whole steps; a short interval has finer ones.
fn place(seed: u64, within: u64) -> u64 {
    let step = u64::try_from(STEP.as_millis()).unwrap_or(1).min(within / 20).max(1);
    let at = seed % within.max(1);
    at - at % step
}

/// The first time after `after` on the grid of an interval, at the place that the seed gives.
pub fn next_on_grid(after: Timestamp, every: Duration, seed: u64) -> Timestamp {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    let phase = i64::try_from(place(seed, u64::try_from(every).unwrap_or(1))).unwrap_or(0);
    let past = (after.as_millis() - phase).rem_euclid(every);
    Timestamp::from_millis(after.as_millis() - past + every)
}

/// When a job runs for the first time after a start.
pub fn first_run(start: Timestamp, every: Duration, seed: u64) -> Timestamp {
    let spread_ms = u64::try_from(START_SPREAD.min(every).as_millis()).unwrap_or(u64::MAX).max(1);
    start + Duration::from_millis(place(seed, spread_ms))
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
    fn jobs_begin_in_steps_over_the_whole_interval() {
        let places: Vec<u64> = (0..10_000).map(|seed| place(seed, 10_000)).collect();
        assert!(places.iter().all(|p| p % 50 == 0));
        let distinct: std::collections::BTreeSet<&u64> = places.iter().collect();
        assert_eq!((distinct.len(), distinct.last()), (200, Some(&&9_950)));
        assert_eq!((place(999, 1_000), place(99, 100), place(7, 1), place(3, 0)), (950, 95, 0, 0));
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
