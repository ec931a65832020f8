//! What was read, as rows of a batch. Pure.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::quality::RandomState;
use kernel::series::{
    Batch, Cell, Exemplar, GroupId, Histogram, Point, SeriesError, SeriesRef, SeriesWriter, stale_nan,
};

use super::lines::{Line, OWN_TIME};
use super::{LineRules, Scratch, TargetReader};

impl TargetReader {
    /// Puts what was read and resolved into a batch, under the time of the scrape, with the ends of series that are gone.
    pub fn emit(
        &mut self,
        scratch: &mut Scratch,
        t_ms: i64,
        track_own_times: bool,
        hashes: &RandomState,
        batch: &mut Batch,
    ) {
        if let Some(group) = self.main {
            if self.starts.is_empty() && scratch.starts.is_empty() {
                for (column, value) in &scratch.cells {
                    self.push(group, batch, t_ms, *column, *value, 0);
                }
            } else {
                for (column, value) in &scratch.cells {
                    self.push(group, batch, t_ms, *column, *value, self.start(scratch, *column));
                }
            }
            for (number, histogram, time) in &scratch.histograms {
                if time.is_none() {
                    self.push_histogram(group, batch, t_ms, scratch, *number, histogram);
                }
            }
        }
        if self.alive {
            self.end_series(&scratch.vanished, t_ms, track_own_times, batch);
        }
        scratch.stamped.sort_by_key(|(_, _, t)| *t);
        for (number, value, time) in &scratch.stamped {
            if let Some(line) = scratch.fresh.get(*number as usize).filter(|l| l.is_series()) {
                let start = self.start(scratch, line.column);
                let group = if line.column & OWN_TIME == 0 { self.main } else { self.stamped };
                if let Some(group) = group {
                    self.push(group, batch, *time, line.column, *value, start);
                }
            }
        }
        for (number, histogram, time) in &scratch.histograms {
            if let (Some(time), Some(group)) = (time, self.stamped.or(self.main)) {
                self.push_histogram(group, batch, *time, scratch, *number, histogram);
            }
        }
        self.push_exemplars(scratch, t_ms, hashes, batch);
        put(&mut self.lines, &scratch.fresh);
        self.starts.shrink(&self.lines);
        if self.exemplars.len() > 2 * self.lines.len() {
            let there: hashbrown::HashSet<u32> = self.lines.iter().map(|l| l.column).collect();
            self.exemplars.retain(|column, _| there.contains(column));
        }
        self.alive = true;
    }

    fn push(&self, main: GroupId, batch: &mut Batch, t_ms: i64, column: u32, value: f64, start_ms: i64) {
        let (group, column) = match (column & OWN_TIME, self.stamped) {
            (0, _) => (main, column),
            (_, Some(stamped)) => (stamped, column & !OWN_TIME),
            (_, None) => return,
        };
        if start_ms == 0 {
            batch.push(group, t_ms, column, value);
        } else {
            batch.push_cell(group, t_ms, Cell { column, value: Point::Float(value), start_ms });
        }
    }

    /// When a column's counter began, 0 when that is not known.
    fn start(&self, scratch: &Scratch, column: u32) -> i64 {
        scratch.starts.get(&column).copied().unwrap_or_else(|| self.starts.of(column))
    }

    fn push_histogram(
        &self,
        main: GroupId,
        batch: &mut Batch,
        t_ms: i64,
        scratch: &Scratch,
        number: u32,
        histogram: &Arc<Histogram>,
    ) {
        let Some(line) = scratch.fresh.get(number as usize).filter(|l| l.is_series()) else { return };
        let group = if line.column & OWN_TIME == 0 { self.main.unwrap_or(main) } else { self.stamped.unwrap_or(main) };
        let start_ms = self.start(scratch, line.column);
        let value = Point::Histogram(Arc::clone(histogram));
        batch.push_cell(group, t_ms, Cell { column: line.column & !OWN_TIME, value, start_ms });
    }

    fn push_exemplars(&mut self, scratch: &Scratch, t_ms: i64, hashes: &RandomState, batch: &mut Batch) {
        for (number, read) in &scratch.exemplars {
            let Some(line) = scratch.fresh.get(*number as usize).filter(|l| l.is_series()) else { continue };
            let mut hasher = hashes.build_hasher();
            hasher.write_u64(read.labels.fingerprint());
            hasher.write_u64(read.value.to_bits());
            hasher.write_i64(read.t_ms.unwrap_or_default());
            let hash = hasher.finish();
            if self.exemplars.insert(line.column, hash) == Some(hash) {
                continue;
            }
            let group = if line.column & OWN_TIME == 0 { self.main } else { self.stamped };
            let Some(group) = group else { continue };
            let series = SeriesRef { group, column: line.column & !OWN_TIME };
            let t_ms = read.t_ms.unwrap_or(t_ms);
            batch.push_exemplar(series, Exemplar { labels: read.labels.clone(), value: read.value, t_ms });
        }
    }

    /// Marks series as ended; those with times of their own only when that is wanted.
    fn end_series(&self, columns: &[u32], t_ms: i64, own_times: bool, batch: &mut Batch) {
        for (tag, group) in [(0, self.main), (OWN_TIME, self.stamped.filter(|_| own_times))] {
            let Some(group) = group else { continue };
            for column in columns.iter().filter(|c| *c & OWN_TIME == tag) {
                batch.push(group, t_ms, column & !OWN_TIME, stale_nan());
            }
        }
    }

    /// A scrape failed, or there will be no more: all series end. They are not marked twice.
    pub fn end_all(&mut self, t_ms: i64, track_own_times: bool, batch: &mut Batch) {
        if !std::mem::take(&mut self.alive) {
            return;
        }
        let mut columns: Vec<u32> = self.lines.iter().filter(|l| l.is_series()).map(|l| l.column).collect();
        columns.sort_unstable();
        columns.dedup();
        self.end_series(&columns, t_ms, track_own_times, batch);
    }

    /// Gets the columns of the metrics that scraping itself reports.
    ///
    /// # Errors
    /// The store takes no more series.
    pub fn resolve_reports(
        &mut self,
        writer: &dyn SeriesWriter,
        rules: &LineRules,
        names: &[&str],
    ) -> Result<(), SeriesError> {
        if self.reports.as_ref().is_some_and(|r| r.len() == names.len()) {
            return Ok(());
        }
        let group = match self.main {
            Some(group) => group,
            None => *self.main.insert(writer.open_group(&self.name)?),
        };
        let labels: Vec<_> = names.iter().map(|name| rules.report_labels(name)).collect();
        self.reports = Some(writer.columns(group, &labels)?);
        Ok(())
    }

    /// Puts the metrics that scraping reports into a batch, in the order of their names.
    pub fn emit_reports(&self, values: &[f64], t_ms: i64, batch: &mut Batch) {
        let (Some(group), Some(columns)) = (self.main, &self.reports) else { return };
        for (column, value) in columns.iter().zip(values) {
            batch.push(group, t_ms, *column, *value);
        }
    }
}

/// Replaces without much spare capacity: there are as many of these as series.
fn put(kept: &mut Vec<Line>, fresh: &[Line]) {
    kept.clear();
    if kept.capacity() < fresh.len() || kept.capacity() > fresh.len() + fresh.len() / 8 {
        kept.shrink_to_fit();
        kept.reserve_exact(fresh.len() + fresh.len() / 32);
    }
    kept.extend_from_slice(fresh);
}
