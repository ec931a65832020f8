//! Which samples belong to which time: computed once for all series that share their timestamps. Pure.

use std::sync::Arc;

use kernel::series::is_stale;

use super::engine::Grid;

/// No sample in reach.
pub(super) const NONE: u32 = u32::MAX;

/// For each time the index of the newest sample at or before it and not older than the lookback.
pub(super) fn newest(times: &[i64], grid: Grid, lookback_ms: i64) -> Vec<u32> {
    let mut next = 0;
    let reference = |i| grid.at(i);
    (0..grid.steps)
        .map(|i| {
            let t = reference(i);
            while next < times.len() && times[next] <= t {
                next += 1;
            }
            match next.checked_sub(1) {
                Some(at) if times[at] > t - lookback_ms => at as u32,
                _ => NONE,
            }
        })
        .collect()
}

/// For each time `t` the indexes of the samples in `(t - range, t]`.
pub(super) fn bounds(times: &[i64], grid: Grid, range_ms: i64) -> Vec<(u32, u32)> {
    let (mut from, mut to) = (0, 0);
    (0..grid.steps)
        .map(|i| {
            let t = grid.at(i);
            while to < times.len() && times[to] <= t {
                to += 1;
            }
            while from < to && times[from] <= t - range_ms {
                from += 1;
            }
            (from as u32, to as u32)
        })
        .collect()
}

/// Keeps what was computed for a timestamp column as long as the next series shares it.
pub(super) struct PerColumn<T> {
    last: Option<(Arc<[i64]>, T)>,
}

impl<T> Default for PerColumn<T> {
    fn default() -> Self {
        Self { last: None }
    }
}

impl<T> PerColumn<T> {
    pub(super) fn get(&mut self, times: &Arc<[i64]>, compute: impl FnOnce(&[i64]) -> T) -> &T {
        let known = matches!(&self.last, Some((column, _)) if Arc::ptr_eq(column, times));
        if !known {
            self.last = None;
        }
        &self.last.get_or_insert_with(|| (times.clone(), compute(times))).1
    }
}

/// The samples without staleness markers, when there are any such markers.
pub(super) fn without_stale(times: &[i64], values: &[f64]) -> Option<(Vec<i64>, Vec<f64>)> {
    if !values.iter().any(|v| is_stale(*v)) {
        return None;
    }
    Some(times.iter().zip(values).filter(|(_, v)| !is_stale(**v)).unzip())
}
