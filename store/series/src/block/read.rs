//! Reading many series of a block: what lies together is read at once. I/O.

use std::sync::Arc;

use hashbrown::HashMap;

use super::reference::{Held, Recent};
use super::{Block, CHUNK_SERIES, Entry, Run};
use crate::compact::kept;
use crate::gather::{Found, RECENT, Source};
use crate::tombstones::{Tombstones, is_deleted};

/// Bytes that are read at once: so many that a series costs no call of its own, so few that they stay in the processor's cache.
const AT_ONCE: u64 = 256 << 10;
/// Bytes between two series that are read although nobody wants them: a call costs as much.
const GAP: u64 = 4 << 10;

/// Reads series in the order of their numbers.
struct Reader<'b> {
    block: &'b Block,
    deleted: Arc<Tombstones>,
    range: (i64, i64),
    chunk: Option<(u32, Arc<Vec<Entry>>)>,
    times: HashMap<u32, Arc<[i64]>>,
    recent: Vec<(u32, Arc<[i64]>)>,
    pages: Recent,
    bytes: Vec<u8>,
    /// Where the bytes begin in the file.
    start: u64,
}

impl Block {
    /// Adds what the block holds of series between two times to what was found of them: pairs of a series' number and the place of what
    /// was found. Says how many could not be read.
    pub(crate) fn read_into(&self, wanted: &mut [(u32, usize)], range: (i64, i64), found: &mut [Found]) -> u64 {
        wanted.sort_unstable();
        let deleted = self.deleted.lock().clone();
        let (times, bytes) = (HashMap::new(), Vec::new());
        let (recent, pages) = (Vec::new(), Recent::default());
        let mut reader = Reader { block: self, deleted, range, chunk: None, times, recent, pages, bytes, start: 0 };
        let mut damaged = 0;
        for at in 0..wanted.len() {
            match reader.source(&wanted[at..]) {
                Some(source) => found[wanted[at].1].push(source),
                None => damaged += 1,
            }
        }
        damaged
    }
}

impl Reader<'_> {
    fn chunk(&mut self, series: u32) -> Option<Arc<Vec<Entry>>> {
        let number = series / CHUNK_SERIES;
        match &self.chunk {
            Some((known, chunk)) if *known == number => Some(chunk.clone()),
            _ => {
                let chunk = self.block.chunk(number)?;
                self.chunk = Some((number, chunk.clone()));
                Some(chunk)
            }
        }
    }

    /// What there is of the first of these series.
    fn source(&mut self, wanted: &[(u32, usize)]) -> Option<Source> {
        let (series, _) = *wanted.first()?;
        let chunk = self.chunk(series)?;
        let entry = chunk.get((series % CHUNK_SERIES) as usize)?;
        if entry.within.is_none() && !self.holds(entry) {
            self.load(entry, &wanted[1..])?;
        }
        let (bytes, mut pages) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.pages));
        let held = Held { start: self.start, bytes: &bytes };
        // Rows are told apart by their numbers where some were deleted: all are needed.
        let range = if self.deleted.of(series).is_empty() { self.range } else { (i64::MIN, self.range.1) };
        let block = self.block;
        let run = entry.within.as_deref().or_else(|| held.run(entry)).and_then(|run| {
            block.run_of((series, entry), run, held, range, &mut |number| self.times(number), &mut pages)
        });
        (self.bytes, self.pages) = (bytes, pages);
        Some(self.without_deleted(series, run?))
    }

    fn holds(&self, entry: &Entry) -> bool {
        let end = self.start + self.bytes.len() as u64;
        entry.offset >= self.start && entry.offset + u64::from(entry.length) <= end
    }

    /// Reads a series, and those after it that lie near.
    fn load(&mut self, entry: &Entry, next: &[(u32, usize)]) -> Option<()> {
        let (start, mut end) = (entry.offset, entry.offset + u64::from(entry.length));
        for (series, _) in next {
            let chunk = self.chunk(*series)?;
            let Some(near) = chunk.get((series % CHUNK_SERIES) as usize) else { break };
            let until = near.offset + u64::from(near.length);
            if near.offset > end + GAP || until - start > AT_ONCE {
                break;
            }
            end = end.max(until);
        }
        self.bytes.resize((end - start) as usize, 0);
        self.start = start;
        let read = self.block.file.read_exact_at(&mut self.bytes, start);
        if read.is_err() {
            self.bytes.clear();
        }
        read.ok()
    }

    fn times(&mut self, number: u32) -> Option<Arc<[i64]>> {
        if let Some((_, times)) = self.recent.iter().find(|(known, _)| *known == number) {
            return Some(times.clone());
        }
        let times = match self.times.get(&number) {
            Some(known) => known.clone(),
            None => {
                let times = self.block.times(number)?;
                self.times.insert(number, times.clone());
                times
            }
        };
        if self.recent.len() >= RECENT {
            self.recent.remove(0);
        }
        self.recent.push((number, times.clone()));
        Some(times)
    }

    fn without_deleted(&self, series: u32, run: Run) -> Source {
        let ranges = self.deleted.of(series);
        let part = |mut page: super::Page| {
            if !ranges.is_empty() {
                page.part.values = kept(&page.part.times, &page.part.values, |t| !is_deleted(ranges, t));
            }
            page.part
        };
        let (parts, mut beside) = (run.pages.into_iter().map(part).collect(), run.beside);
        if !ranges.is_empty() {
            beside.numbers.retain(|(t, _)| !is_deleted(ranges, *t));
            beside.histograms.retain(|(t, _)| !is_deleted(ranges, *t));
        }
        Source { parts, beside }
    }
}
