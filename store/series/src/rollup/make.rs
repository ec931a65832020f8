//! Making a roll-up of a block, and rougher ones of finer ones. I/O.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::{Rolled, STALE_NAN_BITS, SeriesError};

use super::fold::{Rows, folded, kept_last, stretches};
use super::histograms::{is_stale_histogram, last_histograms, summed_histograms};
use super::{FIGURE, FINE, FOLDER, OF_BLOCK, of_figure, resolution, stands_for};
use crate::block::{Block, BlockWriter, Footer, Piece, SeriesData};
use crate::compact::Walk;
use crate::files::{delete, sync_folder};
use crate::page::{Presence, Values};
use crate::side::{Beside, Encoded};
use crate::store::{SeriesStore, Upkept};

/// So many columns of times are compared with new ones: as many as scrape groups in one block, and more would take memory.
const COLUMNS: usize = 4_096;

/// What a series is called when it counts: Prometheus's convention.
const COUNTERS: [&str; 4] = ["_total", "_count", "_sum", "_bucket"];

/// Numbers for columns of times: equal columns are written once.
#[derive(Default)]
pub(super) struct Keys {
    known: HashMap<Arc<[i64]>, u64>,
    next: u64,
}

impl Keys {
    fn of(&mut self, times: Vec<i64>) -> (u64, Arc<[i64]>) {
        if let Some((times, key)) = self.known.get_key_value(&times[..]) {
            return (*key, times.clone());
        }
        if self.known.len() >= COLUMNS {
            self.known.clear();
        }
        self.next += 1;
        let times: Arc<[i64]> = times.into();
        self.known.insert(times.clone(), self.next);
        (self.next, times)
    }
}

/// Writes one roll-up, series by series.
pub(super) struct Roller {
    writer: BlockWriter,
    keys: Keys,
    resolution_ms: i64,
}

impl Roller {
    pub(super) fn new(store: &SeriesStore, number: u64, level: u32, footer: Footer) -> Result<Self, SeriesError> {
        let footer = Footer { level, replaces_from: number, ..footer };
        let writer = BlockWriter::new(&store.folder.join(FOLDER), number, footer)?;
        Ok(Self { writer, keys: Keys::default(), resolution_ms: resolution(level) })
    }

    /// Adds all figures of a series.
    pub(super) fn samples(&mut self, labels: &Labels, data: SeriesData) -> Result<(), SeriesError> {
        let rows = numbers(&data);
        let parts = stretches(&rows, self.resolution_ms);
        let counts = counted(&rows, &data.beside.histograms);
        let count_parts = stretches(&counts, self.resolution_ms);
        self.figure(labels, Rolled::Count, folded(&counts, &count_parts, Rolled::Count), Beside::default())?;
        for figure in [Rolled::Min, Rolled::Max] {
            self.figure(labels, figure, folded(&rows, &parts, figure), Beside::default())?;
        }
        let sums = summed_histograms(&data.beside.histograms, self.resolution_ms);
        self.figure(labels, Rolled::Sum, folded(&rows, &parts, Rolled::Sum), only_histograms(sums))?;
        self.last(labels, &rows, data.beside)
    }

    /// Adds one figure of a series, of which figures of shorter stretches are known.
    pub(super) fn figures(&mut self, labels: &Labels, figure: Rolled, data: SeriesData) -> Result<(), SeriesError> {
        let rows = numbers(&data);
        if figure == Rolled::Last {
            return self.last(labels, &rows, data.beside);
        }
        let parts = stretches(&rows, self.resolution_ms);
        // Only sums have histograms.
        let sums = summed_histograms(&data.beside.histograms, self.resolution_ms);
        self.figure(labels, figure, folded(&rows, &parts, figure), only_histograms(sums))
    }

    fn last(&mut self, labels: &Labels, rows: &Rows, beside: Beside) -> Result<(), SeriesError> {
        let starts: BTreeMap<i64, i64> = beside.starts.iter().copied().collect();
        let start = |t: i64| starts.range(..=t).next_back().map_or(0, |(_, start)| *start);
        let fell = |a: &(i64, u64), b: &(i64, u64)| {
            f64::from_bits(b.1) < f64::from_bits(a.1) || !starts.is_empty() && start(a.0) != start(b.0)
        };
        let counts = !starts.is_empty() || COUNTERS.iter().any(|ending| labels.name().ends_with(ending));
        let parts = stretches(rows, self.resolution_ms);
        let kept = kept_last(rows, &parts, |b| *b == STALE_NAN_BITS, if counts { Some(&fell) } else { None });
        let kept = kept.into_iter().map(|i| rows[i]).collect();
        let histograms = last_histograms(beside.histograms, self.resolution_ms);
        let beside = Beside { numbers: Vec::new(), histograms, starts: beside.starts };
        self.figure(labels, Rolled::Last, kept, beside)
    }

    fn figure(&mut self, labels: &Labels, figure: Rolled, rows: Rows, beside: Beside) -> Result<(), SeriesError> {
        let (times, bits): (Vec<i64>, Vec<u64>) = rows.into_iter().unzip();
        let (key, times) = self.keys.of(times);
        let pieces = vec![Piece { key, times, values: Values { presence: Presence::All, bits } }];
        self.writer.add(&of_figure(labels, figure), SeriesData { pieces, beside })
    }

    /// Ends it: durable, and open; `None` when nothing is in it.
    pub(super) fn finish(self, store: &SeriesStore) -> Result<Option<Arc<Block>>, SeriesError> {
        let block = self.writer.finish()?.map(Block::into_rollup);
        sync_folder(&store.folder.join(FOLDER))?;
        store.counters.block_bytes.fetch_add(block.as_ref().map_or(0, |b| b.bytes), Relaxed);
        Ok(block.map(Arc::new))
    }
}

impl SeriesStore {
    /// Makes the roll-up of a block; `None` when nothing can be read of it.
    pub(super) fn roll(&self, upkept: &mut Upkept, block: &Arc<Block>) -> Result<Option<Arc<Block>>, SeriesError> {
        let footer = Footer { through: vec![stands_for(OF_BLOCK, block)], ..Footer::default() };
        self.written_rollup(upkept, FINE, footer, |roller| {
            let mut walk = Walk::new(block.clone());
            self.step(&mut walk);
            while let Some((_, labels)) = walk.key.clone() {
                let mut data = SeriesData::default();
                if !walk.take(0, &mut data) {
                    self.counters.damaged.fetch_add(1, Relaxed);
                }
                if labels.get(FIGURE).is_none() {
                    roller.samples(&labels, data)?;
                }
                self.step(&mut walk);
            }
            Ok(())
        })
    }

    /// Writes a roll-up; nothing is left of one that could not be written, since the disk may be full.
    pub(super) fn written_rollup(
        &self,
        upkept: &mut Upkept,
        level: u32,
        footer: Footer,
        fill: impl FnOnce(&mut Roller) -> Result<(), SeriesError>,
    ) -> Result<Option<Arc<Block>>, SeriesError> {
        let number = upkept.next_rollup;
        let write = || {
            let mut roller = Roller::new(self, number, level, footer)?;
            fill(&mut roller)?;
            roller.finish(self)
        };
        let made = write();
        match &made {
            Ok(_) => upkept.next_rollup += 1,
            Err(_) => {
                let name = self.folder.join(FOLDER).join(format!("{number:010}"));
                for ending in ["tmp", "block"] {
                    // What cannot be deleted either is overwritten by the next try, or deleted at the next start.
                    let _ = delete(&name.with_extension(ending));
                }
            }
        }
        made
    }
}

fn only_histograms(histograms: Encoded) -> Beside {
    Beside { histograms, ..Beside::default() }
}

/// All numbers of a series by time, markers of ends among them; of one time the first one counts.
fn numbers(data: &SeriesData) -> Rows {
    let mut out: Rows = Vec::with_capacity(data.pieces.iter().map(|p| p.values.bits.len()).sum());
    for piece in &data.pieces {
        let rows = piece.values.presence.rows(piece.times.len());
        out.extend(rows.zip(&piece.values.bits).map(|(row, bits)| (piece.times[row], *bits)));
    }
    out.extend_from_slice(&data.beside.numbers);
    if !out.is_sorted_by(|a, b| a.0 < b.0) {
        out.sort_by_key(|(t, _)| *t);
        out.dedup_by_key(|(t, _)| *t);
    }
    out
}

/// One for each sample that is no marker of an end.
fn counted(rows: &Rows, histograms: &Encoded) -> Rows {
    let one = |stale: bool| if stale { STALE_NAN_BITS } else { 1f64.to_bits() };
    let mut out: Rows = rows.iter().map(|(t, bits)| (*t, one(*bits == STALE_NAN_BITS))).collect();
    if !histograms.is_empty() {
        out.extend(histograms.iter().map(|(t, bytes)| (*t, one(is_stale_histogram(bytes)))));
        out.sort_by_key(|(t, _)| *t);
        out.dedup_by_key(|(t, _)| *t);
    }
    out
}
