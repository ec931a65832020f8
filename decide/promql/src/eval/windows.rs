//! Which samples belong to which time: computed once for all series that share their timestamps. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use super::engine::Grid;

/// No sample in reach.
pub(super) const NONE: u32 = u32::MAX;

/// So many timestamp columns are remembered at once: as many targets as come interleaved in practice.
const MAX_COLUMNS: usize = 4_096;

/// So many columns are looked at before they are looked for.
const RECENT: usize = 16;

/// For each time the index of the newest sample at or before it and not older than the lookback.
pub(super) fn newest(times: &[i64], grid: Grid, lookback_ms: i64) -> Vec<u32> {
    let mut next = 0;
    let reference = |i| grid.at(i);
    (0..grid.steps)
        .map(|i| {
            let t = reference(i);
            next = advance(times, next, t);
            match next.checked_sub(1) {
                Some(at) if times[at] > t - lookback_ms => at as u32,
                _ => NONE,
            }
        })
        .collect()
}

/// The index of the first time after `t`, from an index that is not behind it: a step or two usually, else a search.
fn advance(times: &[i64], mut from: usize, t: i64) -> usize {
    for _ in 0..8 {
        if from >= times.len() || times[from] > t {
            return from;
        }
        from += 1;
    }
    from + times[from..].partition_point(|x| *x <= t)
}

/// For each time `t` the indexes of the samples in `(t - range, t]`.
pub(super) fn bounds(times: &[i64], grid: Grid, range_ms: i64) -> Vec<(u32, u32)> {
    let (mut from, mut to) = (0, 0);
    (0..grid.steps)
        .map(|i| {
            let t = grid.at(i);
            to = advance(times, to, t);
            from = advance(times, from, t - range_ms).min(to);
            (from as u32, to as u32)
        })
        .collect()
}

/// Keeps what was computed for a timestamp column for the other series that share it.
pub(super) struct PerColumn<T> {
    last: Option<usize>,
    places: HashMap<usize, usize>,
    known: Vec<(Arc<[i64]>, T)>,
}

impl<T> Default for PerColumn<T> {
    fn default() -> Self {
        Self { last: None, places: HashMap::new(), known: Vec::new() }
    }
}

impl<T> PerColumn<T> {
    pub(super) fn get(&mut self, times: &Arc<[i64]>, compute: impl FnOnce(&[i64]) -> T) -> &T {
        let address = times.as_ptr() as usize;
        let is_it = |known: &[(Arc<[i64]>, T)], i: usize| known.get(i).is_some_and(|(t, _)| Arc::ptr_eq(t, times));
        // Few columns are looked for one by one, which costs less than a hash.
        let newest = self.known.len().saturating_sub(RECENT)..self.known.len();
        let place = match self.last.into_iter().chain(newest).find(|i| is_it(&self.known, *i)) {
            Some(near) => Some(near),
            None => self.places.get(&address).copied().filter(|i| is_it(&self.known, *i)),
        };
        let place = place.unwrap_or_else(|| {
            if self.known.len() >= MAX_COLUMNS {
                self.known.clear();
                self.places.clear();
            }
            self.known.push((times.clone(), compute(times)));
            self.places.insert(address, self.known.len() - 1);
            self.known.len() - 1
        });
        self.last = Some(place);
        &self.known[place].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_come_interleaved_are_computed_once() {
        let columns: Vec<Arc<[i64]>> = vec![vec![1, 2].into(), vec![1, 2].into()];
        let (mut per, mut computed) = (PerColumn::default(), 0);
        for i in [0, 1, 0, 1, 1, 0] {
            per.get(&columns[i], |_| computed += 1);
        }
        assert_eq!(computed, 2);
    }

    #[test]
    fn bounds_are_open_on_the_left() {
        let times: Vec<i64> = (0..100).map(|i| i * 10).collect();
        let grid = Grid { start: 50, step: 400, steps: 3 };
        assert_eq!(bounds(&times, grid, 30), [(3, 6), (43, 46), (83, 86)]);
        assert_eq!(newest(&times, grid, 10), [5, 45, 85]);
        assert_eq!(newest(&[41], grid, 10), [0, NONE, NONE]);
    }
}
