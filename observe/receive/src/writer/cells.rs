//! Brings the cells of a request into rows: cells of one group and time together, times rising within a group. Pure.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;
use kernel::series::{Batch, Cell, Exemplar, GroupId, Histogram, Point, SeriesRef};

#[derive(Clone, Copy, Debug)]
struct Slot {
    row: u32,
    column: u32,
    value: f64,
}

/// The cells of one request as they come.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    slots: Vec<Slot>,
    /// Group and time of each row.
    rows: Vec<(GroupId, i64)>,
    index: HashTable<u32>,
    hasher: foldhash::fast::FixedState,
    last: Option<(GroupId, i64, u32)>,
    /// By the place of the slot, rising.
    histograms: Vec<(u32, Arc<Histogram>)>,
    starts: Vec<(u32, i64)>,
    exemplars: Vec<(SeriesRef, Exemplar)>,
    /// Whether the slots lie in rows already.
    scattered: bool,
    order: Vec<u32>,
    counts: Vec<u32>,
}

impl Cells {
    #[inline]
    pub(crate) fn push(&mut self, series: SeriesRef, t_ms: i64, value: f64, start_ms: i64) {
        let row = match self.last {
            Some((group, t, row)) if group == series.group && t == t_ms => row,
            _ => self.row(series.group, t_ms),
        };
        if start_ms != 0 {
            self.starts.push((self.slots.len() as u32, start_ms));
        }
        self.slots.push(Slot { row, column: series.column, value });
    }

    pub(crate) fn push_histogram(&mut self, series: SeriesRef, t_ms: i64, histogram: Arc<Histogram>, start_ms: i64) {
        self.histograms.push((self.slots.len() as u32, histogram));
        self.push(series, t_ms, 0.0, start_ms);
    }

    pub(crate) fn push_exemplar(&mut self, series: SeriesRef, exemplar: Exemplar) {
        self.exemplars.push((series, exemplar));
    }

    /// How many samples, histograms included.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many of them are histograms.
    pub(crate) fn histograms(&self) -> usize {
        self.histograms.len()
    }

    fn row(&mut self, group: GroupId, t_ms: i64) -> u32 {
        let Self { rows, index, hasher, .. } = self;
        let hash = |row: &(GroupId, i64)| hasher.hash_one(row);
        let same = |at: &u32| rows.get(*at as usize) == Some(&(group, t_ms));
        let row = match index.find(hash(&(group, t_ms)), same) {
            Some(at) => *at,
            None => {
                let at = rows.len() as u32;
                let rehash = |at: &u32| rows.get(*at as usize).map_or(0, hash);
                index.insert_unique(hash(&(group, t_ms)), at, rehash);
                rows.push((group, t_ms));
                at
            }
        };
        // Rows that follow each other are in order as long as none comes back, and none is older than the one before.
        if let Some((last_group, last_t, last)) = self.last {
            self.scattered |= row < last || (group == last_group && t_ms < last_t) || group < last_group;
        }
        self.last = Some((group, t_ms, row));
        row
    }

    /// Makes the batch of it, and is empty afterwards.
    pub(crate) fn fill(&mut self, batch: &mut Batch) {
        batch.clear();
        if self.scattered {
            self.fill_sorted(batch)
        } else {
            self.fill_in_order(batch)
        }
        for (series, exemplar) in self.exemplars.drain(..) {
            batch.push_exemplar(series, exemplar);
        }
        self.clear();
    }

    fn fill_in_order(&mut self, batch: &mut Batch) {
        let plain = self.histograms.is_empty() && self.starts.is_empty();
        if plain {
            for slot in &self.slots {
                if let Some((group, t_ms)) = self.rows.get(slot.row as usize) {
                    batch.push(*group, *t_ms, slot.column, slot.value);
                }
            }
            return;
        }
        let mut histograms = self.histograms.drain(..).peekable();
        let mut starts = self.starts.iter().peekable();
        for (at, slot) in self.slots.iter().enumerate() {
            let histogram = histograms.next_if(|(place, _)| *place as usize == at);
            let value = histogram.map_or(Point::Float(slot.value), |(_, h)| Point::Histogram(h));
            let start_ms = starts.next_if(|(place, _)| *place as usize == at).map_or(0, |(_, start)| *start);
            if let Some((group, t_ms)) = self.rows.get(slot.row as usize) {
                batch.push_cell(*group, *t_ms, Cell { column: slot.column, value, start_ms });
            }
        }
    }

    fn fill_sorted(&mut self, batch: &mut Batch) {
        self.sort();
        for place in &self.order {
            let Some(slot) = self.slots.get(*place as usize) else { continue };
            let Some((group, t_ms)) = self.rows.get(slot.row as usize) else { continue };
            let histogram = find(&self.histograms, *place).cloned();
            let value = histogram.map_or(Point::Float(slot.value), Point::Histogram);
            let start_ms = find(&self.starts, *place).copied().unwrap_or_default();
            batch.push_cell(*group, *t_ms, Cell { column: slot.column, value, start_ms });
        }
    }

    /// Fills `order`: slots by group, time, and as they came (counting sort: rows are few, slots many).
    fn sort(&mut self) {
        let mut by_rank: Vec<u32> = (0..self.rows.len() as u32).collect();
        by_rank.sort_unstable_by_key(|row| self.rows.get(*row as usize).copied());
        self.counts.clear();
        self.counts.resize(self.rows.len(), 0);
        for slot in &self.slots {
            if let Some(count) = self.counts.get_mut(slot.row as usize) {
                *count += 1;
            }
        }
        let mut next = 0;
        for row in by_rank {
            if let Some(count) = self.counts.get_mut(row as usize) {
                next += std::mem::replace(count, next);
            }
        }
        self.order.clear();
        self.order.resize(self.slots.len(), 0);
        for (place, slot) in self.slots.iter().enumerate() {
            if let Some(at) = self.counts.get_mut(slot.row as usize) {
                if let Some(to) = self.order.get_mut(*at as usize) {
                    *to = place as u32;
                }
                *at += 1;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.rows.clear();
        self.index.clear();
        self.last = None;
        self.histograms.clear();
        self.starts.clear();
        self.exemplars.clear();
        self.scattered = false;
    }
}

fn find<T>(all: &[(u32, T)], place: u32) -> Option<&T> {
    let at = all.binary_search_by_key(&place, |(place, _)| *place).ok()?;
    all.get(at).map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against the simplest thing that does it: a stable sort.
        #[test]
        fn rows_are_contiguous_and_times_rise(
            cells in proptest::collection::vec((0u32..3, 0u32..5, 0i64..4, any::<bool>(), 0i64..2), 0..60)
        ) {
            let mut gathered = Cells::default();
            let mut expect = Vec::new();
            for (n, (group, column, t, histogram, start)) in cells.iter().enumerate() {
                let series = SeriesRef { group: GroupId(*group), column: *column };
                if *histogram {
                    let h = Histogram { sum: n as f64, ..Histogram::default() };
                    gathered.push_histogram(series, *t, Arc::new(h), *start);
                } else {
                    gathered.push(series, *t, n as f64, *start);
                }
                expect.push((*group, *t, *column, n as f64, *histogram, *start));
            }
            let mut batch = Batch::default();
            gathered.fill(&mut batch);
            prop_assert_eq!(gathered.len(), 0);
            let mut got = Vec::new();
            for (r, row) in batch.rows().iter().enumerate() {
                for cell in batch.cells(r) {
                    let histogram = batch.histograms().iter().any(|(at, _)| *at as usize == cell);
                    let start = batch.starts().iter().find(|(at, _)| *at as usize == cell).map_or(0, |(_, s)| *s);
                    got.push((row.group.0, row.t_ms, batch.columns()[cell], batch.values()[cell], histogram, start));
                }
            }
            expect.sort_by_key(|(group, t, ..)| (*group, *t));
            prop_assert!(batch.rows().is_sorted_by(|a, b| (a.group, a.t_ms) < (b.group, b.t_ms)));
            prop_assert_eq!(got, expect);
        }
    }
}
