//! Pages that are differences to those of other series: finding these, and keeping what was found for the next ones. I/O.

use std::collections::VecDeque;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap};

use super::{Block, CHUNK_SERIES, Entry};
use crate::page::{Beyond, DEPTH, Mantissas, Presence, Rows, Values, distance, has_model, mantissas, page_with, twin};

/// How many series a difference may reach, either way: the buckets of a histogram stand together, sorted as texts, so that 10 comes before 2.
pub(super) const REACH: usize = 16;
/// Pages that are kept while reading: those that the next ones may be differences to, over two columns of times.
const KEPT: usize = 4 * REACH;

/// Pages read last.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Series, column of times, the row they begin with, values.
    pages: VecDeque<(u32, u32, usize, Arc<Mantissas>)>,
    /// Paces by column of times; those of a block are no more than its times, which are kept as well.
    paces: HashMap<u32, Arc<[u16]>>,
}

impl Recent {
    fn pace(&mut self, block: &Block, column: u32) -> Option<Arc<[u16]>> {
        if let Some(known) = self.paces.get(&column) {
            return Some(known.clone());
        }
        let pace = block.pace(column)?;
        self.paces.insert(column, pace.clone());
        Some(pace)
    }

    fn get(&self, series: u32, column: u32, from: usize) -> Option<Arc<Mantissas>> {
        let found = self.pages.iter().rev().find(|(s, c, f, _)| (*s, *c, *f) == (series, column, from));
        found.map(|(_, _, _, page)| page.clone())
    }

    fn keep(&mut self, series: u32, column: u32, from: usize, page: Arc<Mantissas>) {
        if self.pages.len() >= KEPT {
            self.pages.pop_front();
        }
        self.pages.push_back((series, column, from, page));
    }
}

/// Pages that are remembered so that the same one need not be written again: some 2 MB.
const TWINS: usize = 1 << 16;
/// Smaller pages are written again rather than looked for.
pub(super) const TWIN_BYTES: usize = 64;

/// Which values have been written: what a histogram counts is also its last bucket. They are known by two hashes with keys of their own, 128 bits:
/// that others have the same ones is less likely than that a disk gives back wrong bytes with a right checksum.
#[derive(Default)]
pub(super) struct Twins {
    keys: [DefaultHashBuilder; 2],
    known: HashMap<(u32, u64, u64), u32>,
}

impl Twins {
    /// The series that has these values over this column of times; from now on this one, if there is none.
    pub(super) fn find(&mut self, column: u32, bits: &[u64], series: u32) -> Option<u32> {
        let [a, b] = &self.keys;
        let key = (column, a.hash_one(bits), b.hash_one(bits));
        if let Some(known) = self.known.get(&key) {
            // Of buckets, which are written from the largest down, it may be one that stands behind this one.
            return Some(*known).filter(|known| *known < series);
        }
        if self.known.len() >= TWINS {
            self.known.clear();
        }
        self.known.insert(key, series);
        None
    }
}

/// Bytes of a block that are in memory, and where they begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'a> {
    pub(super) start: u64,
    pub(super) bytes: &'a [u8],
}

impl<'a> Held<'a> {
    pub(super) fn run(&self, entry: &Entry) -> Option<&'a [u8]> {
        let from = usize::try_from(entry.offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..from.checked_add(entry.length as usize)?)
    }
}

/// A page, and the last one before it in its series that has a model of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored<'a> {
    pub(super) page: &'a [u8],
    pub(super) before: Option<&'a [u8]>,
}

impl<'a> Stored<'a> {
    /// The page behind this one.
    pub(super) fn next(self, page: &'a [u8]) -> Self {
        Self { page, before: if has_model(self.page) { Some(self.page) } else { self.before } }
    }
}

impl Block {
    /// The values of a series' page over a column of so many times, and the row that they begin with; `None` when it is damaged, or the one
    /// that it is the difference to.
    pub(super) fn values(
        &self,
        stored: Stored<'_>,
        (series, column, rows): (u32, u32, Rows),
        held: Held<'_>,
        recent: &mut Recent,
    ) -> Option<(Values, usize)> {
        if let Some(other) = twin(stored.page) {
            if other >= series {
                return None;
            }
            // It is no twin itself, so that this does not go on.
            return self.with_page(other, column, held, |found| match twin(found.page) {
                None => self.values(found, (other, column, rows), held, recent),
                Some(_) => None,
            });
        }
        if distance(stored.page).is_none() {
            let mut pace_of = || recent.pace(self, column);
            return page_with(stored.page, rows, &mut Beyond { before: stored.before, pace_of: &mut pace_of });
        }
        // What stands behind another one may have been read for its sake.
        if let Some(known) = recent.get(series, column, rows.from) {
            return Some((Values { presence: Presence::All, bits: known.bits() }, rows.from));
        }
        let found = self.resolved(stored, (series, column, rows), (held, 0), recent)?;
        Some((Values { presence: Presence::All, bits: found.bits() }, rows.from))
    }

    fn resolved(
        &self,
        stored: Stored<'_>,
        (series, column, rows): (u32, u32, Rows),
        (held, depth): (Held<'_>, u32),
        recent: &mut Recent,
    ) -> Option<Arc<Mantissas>> {
        let reference = match distance(stored.page) {
            Some(back) if back != 0 && depth < DEPTH => {
                let other = series.checked_add_signed(-back).filter(|o| o / CHUNK_SERIES == series / CHUNK_SERIES)?;
                match recent.get(other, column, rows.from) {
                    Some(known) => Some(known),
                    None => Some(self.other((other, column, rows), (held, depth + 1), recent)?),
                }
            }
            Some(_) => return None,
            None => None,
        };
        let mut pace_of = || recent.pace(self, column);
        let mut beyond = Beyond { before: stored.before, pace_of: &mut pace_of };
        let found = Arc::new(mantissas(stored.page, rows, reference.as_deref(), &mut beyond)?);
        recent.keep(series, column, rows.from, found.clone());
        Some(found)
    }

    /// The page of another series, read for the sake of those that are differences to it.
    fn other(
        &self,
        place: (u32, u32, Rows),
        (held, depth): (Held<'_>, u32),
        recent: &mut Recent,
    ) -> Option<Arc<Mantissas>> {
        self.with_page(place.0, place.1, held, |page| self.resolved(page, place, (held, depth), recent))
    }

    /// Reads the page of a series over a column of times, from memory where it is there; `None` when it is damaged.
    fn with_page<T>(
        &self,
        series: u32,
        column: u32,
        held: Held<'_>,
        then: impl FnOnce(Stored<'_>) -> Option<T>,
    ) -> Option<T> {
        let chunk = self.chunk(series / CHUNK_SERIES)?;
        let entry = chunk.get((series % CHUNK_SERIES) as usize)?;
        let mut buffer = Vec::new();
        let run = match entry.within.as_deref().or_else(|| held.run(entry)) {
            Some(run) => run,
            None => {
                buffer.resize(entry.length as usize, 0);
                self.file.read_exact_at(&mut buffer, entry.offset).ok()?;
                &buffer
            }
        };
        if !entry.is_right(run) {
            return None;
        }
        let (mut at, mut stored) = (0usize, Stored { page: &[], before: None });
        for (number, length) in &entry.pages {
            let end = at.checked_add(*length as usize)?;
            stored = stored.next(run.get(at..end)?);
            if *number == column {
                return then(stored);
            }
            at = end;
        }
        None
    }
}
