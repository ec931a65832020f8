//! Whose turn it is. Pure.
//!
//! A target's turns are at its interval's multiples plus an offset by its hash, so that they stay the same over restarts.
//! Turns lie on a grid of steps: targets of the same step are started by one wake-up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// The least and the greatest step. Waking costs more than scraping a small target.
const LEAST_STEP_MS: u64 = 50;
const GREATEST_STEP_MS: u64 = 250;
/// An interval has about so many steps, so that load stays even.
const STEPS_PER_INTERVAL: u64 = 40;

/// Times up to so much late are taken for the time that was meant: stored intervals are then all the same.
const TOLERANCE_MS: i64 = 2;

/// The first turn at or after `now_ms`.
pub(super) fn first_turn(hash: u64, seed: u64, interval: Duration, now_ms: i64) -> i64 {
    let interval = interval_ms(interval);
    let step = (interval as u64 / STEPS_PER_INTERVAL).clamp(LEAST_STEP_MS, GREATEST_STEP_MS);
    let offset = (hash ^ seed) % interval as u64;
    // Intervals shorter than a step have no grid.
    let offset = if interval as u64 > step { offset / step * step } else { offset };
    let base = now_ms.div_euclid(interval) * interval + offset as i64;
    if base < now_ms { base + interval } else { base }
}

pub(super) fn interval_ms(interval: Duration) -> i64 {
    i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1)
}

/// The time that samples get: the one that was meant, if it was met well enough.
pub(super) fn aligned(due_ms: i64, now_ms: i64, interval: Duration) -> i64 {
    let tolerance = (interval_ms(interval) / 100).min(TOLERANCE_MS);
    if (0..=tolerance).contains(&(now_ms - due_ms)) { due_ms } else { now_ms }
}

/// Turns to come.
pub(super) struct Turns<T> {
    heap: BinaryHeap<Reverse<(i64, u64)>>,
    items: std::collections::HashMap<u64, T>,
    next: u64,
}

impl<T> Turns<T> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), items: std::collections::HashMap::new(), next: 0 }
    }

    pub(super) fn add(&mut self, due_ms: i64, item: T) {
        self.next += 1;
        self.heap.push(Reverse((due_ms, self.next)));
        self.items.insert(self.next, item);
    }

    /// Takes all turns out, with the times that were meant.
    pub(super) fn drain(&mut self) -> Vec<(i64, T)> {
        let heap = std::mem::take(&mut self.heap);
        heap.into_iter().filter_map(|Reverse((due, id))| self.items.remove(&id).map(|item| (due, item))).collect()
    }

    /// When the next turn is.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    /// What is due, with the time that was meant.
    pub(super) fn due(&mut self, now_ms: i64) -> Option<(i64, T)> {
        let Reverse((due, id)) = self.heap.peek().copied()?;
        if due > now_ms {
            return None;
        }
        self.heap.pop();
        self.items.remove(&id).map(|item| (due, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_stay_the_same_and_spread() {
        let interval = Duration::from_secs(15);
        let turns: Vec<i64> =
            (0..200u64).map(|n| first_turn(kernel::hash::fnv1a(n.to_le_bytes()), 7, interval, 1_000_000_003)).collect();
        assert!(turns.iter().all(|t| (1_000_000_003..1_000_015_003).contains(t)));
        assert!(turns.iter().all(|t| t.rem_euclid(15_000) % 250 == 0), "they lie on the grid");
        let different: std::collections::BTreeSet<_> = turns.iter().collect();
        assert!(different.len() > 40, "{}", different.len());
        for t in &turns {
            let hash = 5;
            assert_eq!(first_turn(hash, 0, interval, *t).rem_euclid(15_000), first_turn(hash, 0, interval, 0));
        }
        assert_eq!(first_turn(3, 0, Duration::from_millis(10), 100), 103);
    }

    #[test]
    fn times_are_aligned_within_tolerance() {
        let interval = Duration::from_secs(15);
        assert_eq!((aligned(1000, 1002, interval), aligned(1000, 1003, interval)), (1000, 1003));
        assert_eq!(aligned(1000, 999, interval), 999);
        assert_eq!(aligned(1000, 1001, Duration::from_millis(50)), 1001, "1 % of the interval at most");
    }

    #[test]
    fn the_earliest_first() {
        let mut turns = Turns::new();
        turns.add(5, 'b');
        turns.add(3, 'a');
        turns.add(9, 'c');
        assert_eq!(turns.next_ms(), Some(3));
        assert_eq!([turns.due(5), turns.due(5), turns.due(5)], [Some((3, 'a')), Some((5, 'b')), None]);
    }
}
