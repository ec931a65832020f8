//! Writing a block, series by series in the order of their names and labels. I/O.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::SeriesError;

use super::footer::{Footer, Through};
use super::lists;
use super::paces::{self, PaceOfKey, Paces};
use super::reference::{REACH, TWIN_BYTES, Twins};
use super::table::{self, Entry, WITHIN_BYTES};
use super::together::{self, Kept, TOGETHER, is_bucket, is_of_same};
use super::{Block, CHUNK_SERIES, ENDING, FOOTER, MAGIC, PACE, POSTINGS, SYMBOLS, TABLE, TIMES};
use crate::codec::{put_body, put_text, put_varint};
use crate::disk::File;
use crate::files::storage;
use crate::frame::put_frame;
use crate::limits::PAGE_ROWS;
use crate::page::{Around, Effort, Known, Mantissas, Presence, Setting, Values, put_compact, put_twin};
use crate::side::Beside;
use crate::times::put_times;

/// Bytes that are written at a time.
const WRITE_BYTES: usize = 256 << 10;

/// Values over a column of times.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Tells this column of times from all others that go into the block.
    pub(crate) key: u64,
    pub(crate) times: Arc<[i64]>,
    pub(crate) values: Values,
}

/// All that goes into a block of one series.
#[derive(Debug, Default)]
pub(crate) struct SeriesData {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) beside: Beside,
}

/// Rows of a source's column of times: its key, from, to.
type Rows = (u64, u32, u32);

/// A series that is not written yet.
struct Waiting {
    labels: Labels,
    parts: Vec<Part>,
    beside: Beside,
}

/// A series that is written, but does not stand in its place yet.
struct Made {
    run: Vec<u8>,
    pages: Box<[(u32, u32)]>,
}

/// A block that is being written.
pub(crate) struct BlockWriter {
    folder: PathBuf,
    temporary: PathBuf,
    number: u64,
    file: File,
    /// What is not written yet, from this place of the file on.
    waiting: Vec<u8>,
    written: u64,
    offset: u64,
    footer: Footer,
    columns: HashMap<Box<[Rows]>, u32>,
    symbols: HashMap<Arc<str>, u32>,
    entries: Vec<Entry>,
    /// Where the run of the first series of each chunk begins.
    chunk_offsets: Vec<u64>,
    /// Runs of a chunk that are not written yet: they stand together, whatever columns of times come up meanwhile.
    runs: Vec<u8>,
    /// Series that are written together, once all of them are there.
    together: Vec<Waiting>,
    /// The last series of the chunk, which the next ones may be differences to.
    recent: VecDeque<Kept>,
    twins: Twins,
    paces: Paces,
}

impl BlockWriter {
    /// Begins a block.
    pub(crate) fn new(folder: &Path, number: u64, footer: Footer) -> Result<Self, SeriesError> {
        let temporary = folder.join(format!("{number:010}.tmp"));
        let file = File::create(&temporary).map_err(|e| storage("make the block", &temporary, &e))?;
        let mut out = Self {
            folder: folder.to_owned(),
            temporary,
            number,
            file,
            waiting: Vec::new(),
            written: 0,
            offset: 0,
            footer: Footer { min_ms: i64::MAX, max_ms: i64::MIN, ..footer },
            columns: HashMap::new(),
            symbols: HashMap::new(),
            entries: Vec::new(),
            chunk_offsets: Vec::new(),
            runs: Vec::new(),
            together: Vec::new(),
            recent: VecDeque::new(),
            twins: Twins::default(),
            paces: Paces::default(),
        };
        out.write(MAGIC)?;
        Ok(out)
    }

    /// Where the pace of a source's rows is found, by the key of its pieces.
    pub(crate) fn with_paces(self, of_key: PaceOfKey) -> Self {
        Self { paces: Paces::new(of_key), ..self }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<u64, SeriesError> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= WRITE_BYTES {
            self.write_waiting()?;
        }
        let at = self.offset;
        self.offset += bytes.len() as u64;
        Ok(at)
    }

    fn write_waiting(&mut self) -> Result<(), SeriesError> {
        let written = self.file.write_all_at(&self.waiting, self.written);
        written.map_err(|e| storage("write the block", &self.temporary, &e))?;
        self.written += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    fn write_frame(&mut self, kind: u8, body: &[u8]) -> Result<(u64, u32), SeriesError> {
        let (mut payload, mut bytes) = (Vec::new(), Vec::new());
        put_body(&mut payload, body);
        put_frame(&mut bytes, kind, &payload);
        Ok((self.write(&bytes)?, bytes.len() as u32))
    }

    /// Adds a series; series without any sample are left out.
    pub(crate) fn add(&mut self, labels: &Labels, data: SeriesData) -> Result<(), SeriesError> {
        let parts = arranged(data.pieces);
        if parts.is_empty() && data.beside.numbers.is_empty() && data.beside.histograms.is_empty() {
            return Ok(());
        }
        let in_chunk = (self.entries.len() + self.together.len()) % CHUNK_SERIES as usize;
        let ends = self.together.len() >= TOGETHER || in_chunk == 0;
        if self.together.first().is_some_and(|first| ends || !is_of_same(&first.labels, labels)) {
            self.write_together()?;
        }
        self.together.push(Waiting { labels: labels.clone(), parts, beside: data.beside });
        if is_bucket(labels) { Ok(()) } else { self.write_together() }
    }

    /// Writes the series that wait, which all go into one chunk.
    fn write_together(&mut self) -> Result<(), SeriesError> {
        let mut all = std::mem::take(&mut self.together);
        if all.is_empty() {
            return Ok(());
        }
        if (self.entries.len() as u32).is_multiple_of(CHUNK_SERIES) {
            self.flush_runs()?;
            self.recent.clear();
            // Where it will really begin is known when it is written.
            self.chunk_offsets.push(0);
        }
        let mut kept: Vec<Option<Kept>> = all.iter().map(|_| None).collect();
        let mut made: Vec<Option<Made>> = all.iter().map(|_| None).collect();
        for at in together::order(all.iter().map(|w| &w.labels)) {
            made[at] = Some(self.put_series(at, &mut all[at], &mut kept)?);
        }
        for ((waiting, made), kept) in all.iter().zip(made.into_iter().flatten()).zip(kept) {
            if self.recent.len() >= REACH {
                self.recent.pop_back();
            }
            self.recent.push_front(kept.unwrap_or_default());
            let symbols = waiting.labels.pairs().iter().map(|(n, v)| (self.symbol(n), self.symbol(v))).collect();
            let (run, pages) = (made.run, made.pages);
            let entry = if run.len() <= WITHIN_BYTES {
                Entry { symbols, offset: 0, length: 0, crc: 0, pages, within: Some(run.into()) }
            } else {
                self.runs.extend_from_slice(&run);
                let (length, crc) = (run.len() as u32, crc32fast::hash(&run));
                Entry { symbols, offset: 0, length, crc, pages, within: None }
            };
            self.entries.push(entry);
        }
        Ok(())
    }

    /// Makes the run of one of the series that are written together, and keeps it for the others.
    fn put_series(&mut self, at: usize, waiting: &mut Waiting, all: &mut [Option<Kept>]) -> Result<Made, SeriesError> {
        let parts = std::mem::take(&mut waiting.parts);
        let (mut run, mut pages, mut kept) = (Vec::new(), Vec::with_capacity(parts.len()), Kept::default());
        let (count, mut known) = (parts.len(), None);
        for (n, part) in parts.into_iter().enumerate() {
            let column = self.column(&part)?;
            let before = run.len();
            let place = (at, column, n + 1 < count);
            kept.pages.extend(self.put_page(&mut run, place, &part, all, &mut known));
            pages.push((column, (run.len() - before) as u32));
            self.footer.samples += part.bits.len() as u64;
        }
        all[at] = Some(kept);
        let histograms = waiting.beside.histograms.iter().map(|(t, _)| *t);
        for t in waiting.beside.numbers.iter().map(|(t, _)| *t).chain(histograms) {
            self.footer.samples += 1;
            self.footer.min_ms = self.footer.min_ms.min(t);
            self.footer.max_ms = self.footer.max_ms.max(t);
        }
        waiting.beside.put(&mut run, Effort::Compact);
        Ok(Made { run, pages: pages.into() })
    }

    /// Writes a page, behind which further ones may come; answers it, where others may be differences to it. `known` is the model of the last page of
    /// the series that has one of its own.
    fn put_page(
        &mut self,
        run: &mut Vec<u8>,
        (at, column, further): (usize, u32, bool),
        part: &Part,
        made: &[Option<Kept>],
        known: &mut Option<Known>,
    ) -> Option<(u32, u32, Mantissas)> {
        let references = together::references(at, column, made, &self.recent);
        let start = run.len();
        let setting = Setting { pace: self.paces.of(column), further };
        let around = Around { references: &references, setting, known: known.as_ref() };
        let put = put_compact(run, &part.presence, &part.bits, &around);
        if run.len() - start >= TWIN_BYTES
            && part.presence == Presence::All
            && let Some(twin) = self.twins.find(column, &part.bits, (self.entries.len() + at) as u32)
        {
            run.truncate(start);
            put_twin(run, twin);
            return None;
        }
        if put.is_paced {
            self.paces.need(column);
        }
        if put.known.is_some() {
            *known = put.known;
        }
        put.own.map(|page| (column, put.reference.map_or(0, |i| references[i].depth + 1), page))
    }

    fn note(&mut self, min_ms: i64, max_ms: i64) {
        self.footer.min_ms = self.footer.min_ms.min(min_ms);
        self.footer.max_ms = self.footer.max_ms.max(max_ms);
    }

    fn flush_runs(&mut self) -> Result<(), SeriesError> {
        if let Some(last) = self.chunk_offsets.last_mut() {
            *last = self.offset;
        }
        let runs = std::mem::take(&mut self.runs);
        self.write(&runs)?;
        self.runs = runs;
        self.runs.clear();
        Ok(())
    }

    fn symbol(&mut self, text: &Arc<str>) -> u32 {
        let next = self.symbols.len() as u32;
        *self.symbols.entry_ref(text).or_insert(next)
    }

    /// The column of times of a part, written when it is new.
    fn column(&mut self, part: &Part) -> Result<u32, SeriesError> {
        if let (Some(first), Some(last)) = (part.times.first(), part.times.last()) {
            self.note(*first, *last);
        }
        if let Some(known) = part.rows.as_ref().and_then(|rows| self.columns.get(&**rows)) {
            return Ok(*known);
        }
        let mut body = Vec::new();
        put_varint(&mut body, part.times.len() as u64);
        put_times(&mut body, &part.times);
        let place = self.write_frame(TIMES, &body)?;
        let number = self.footer.times.len() as u32;
        self.footer.times.push(place);
        self.paces.push(part.rows.as_deref());
        if let Some(rows) = &part.rows {
            self.columns.insert(rows.clone(), number);
        }
        Ok(number)
    }

    /// Ends the block and opens it; `None` when nothing is in it. Its name is durable once the folder is synced.
    pub(crate) fn finish(mut self) -> Result<Option<Block>, SeriesError> {
        self.write_together()?;
        self.flush_runs()?;
        if self.entries.is_empty() {
            crate::files::delete(&self.temporary)?;
            return Ok(None);
        }
        let texts = self.write_symbols()?;
        self.write_table(&texts)?;
        let lists = self.gathered();
        for (name, values) in lists {
            let (offset, length) = self.write_frame(POSTINGS, &lists::put(&values))?;
            self.footer.names.push((name, offset, length));
        }
        for pace in std::mem::take(&mut self.paces).needed() {
            let place = pace.map(|pace| self.write_frame(PACE, &paces::put(&pace))).transpose()?;
            self.footer.paces.push(place.unwrap_or_default());
        }
        self.footer.series = self.entries.len() as u32;
        let (mut payload, mut end) = (Vec::new(), Vec::new());
        self.footer.put(&mut payload);
        put_frame(&mut end, FOOTER, &payload);
        end.extend_from_slice(&self.offset.to_le_bytes());
        end.extend_from_slice(MAGIC);
        self.write(&end)?;
        let path = self.folder.join(format!("{:010}{ENDING}", self.number));
        let failed = |e: std::io::Error| storage("write the block", &path, &e);
        self.write_waiting()?;
        self.file.sync().map_err(failed)?;
        // It is read before it takes the place of another one.
        let mut block = Block::open(self.number, &self.temporary)?;
        crate::disk::rename(&self.temporary, &path).map_err(failed)?;
        block.path = path;
        Ok(Some(block))
    }

    /// Writes the strings sorted, each without what it shares with the one before; returns new numbers by old ones.
    fn write_symbols(&mut self) -> Result<Vec<u32>, SeriesError> {
        let mut sorted: Vec<(Arc<str>, u32)> = self.symbols.drain().collect();
        sorted.sort_unstable();
        let (mut body, mut before, mut numbers) = (Vec::new(), "", vec![0; sorted.len()]);
        put_varint(&mut body, sorted.len() as u64);
        for (number, (text, old)) in (0u32..).zip(&sorted) {
            numbers[*old as usize] = number;
            let mut shared = before.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            while !text.is_char_boundary(shared) || !before.is_char_boundary(shared) {
                shared -= 1;
            }
            put_varint(&mut body, shared as u64);
            put_text(&mut body, &text[shared..]);
            before = text;
        }
        self.footer.symbols = self.write_frame(SYMBOLS, &body)?;
        Ok(numbers)
    }

    fn write_table(&mut self, numbers: &[u32]) -> Result<(), SeriesError> {
        for entry in &mut self.entries {
            for (name, value) in &mut entry.symbols {
                (*name, *value) = (numbers[*name as usize], numbers[*value as usize]);
            }
        }
        let entries = std::mem::take(&mut self.entries);
        for (some, offset) in entries.chunks(CHUNK_SERIES as usize).zip(self.chunk_offsets.clone()) {
            let place = self.write_frame(TABLE, &table::put(some, offset))?;
            self.footer.chunks.push(place);
        }
        self.entries = entries;
        Ok(())
    }

    /// Lists of series by label and value.
    fn gathered(&self) -> BTreeMap<u32, BTreeMap<u32, Vec<u32>>> {
        let mut out: BTreeMap<u32, BTreeMap<u32, Vec<u32>>> = BTreeMap::new();
        for (series, entry) in (0u32..).zip(&self.entries) {
            for (name, value) in &entry.symbols {
                out.entry(*name).or_default().entry(*value).or_default().push(series);
            }
        }
        out
    }
}

/// What one page will hold.
struct Part {
    /// Where its times come from; `None` where they are this series' own.
    rows: Option<Box<[Rows]>>,
    times: Vec<i64>,
    presence: Presence,
    bits: Vec<u64>,
}

/// Pieces put together to pages.
fn arranged(mut pieces: Vec<Piece>) -> Vec<Part> {
    pieces.retain(|p| !p.values.bits.is_empty());
    let mut sorted: Vec<&Piece> = pieces.iter().collect();
    sorted.sort_by_key(|p| p.times.first().copied());
    if sorted.windows(2).any(|w| w[0].times.last() >= w[1].times.first()) {
        return own(&pieces);
    }
    let mut out = Vec::new();
    let mut current: Vec<(&Piece, usize, usize)> = Vec::new();
    let mut rows = 0;
    for piece in sorted {
        let (mut from, end) = (0, piece.times.len());
        while from < end {
            if rows == PAGE_ROWS || (rows > 0 && rows + (end - from) > PAGE_ROWS && end - from <= PAGE_ROWS) {
                out.extend(joined(&current));
                current.clear();
                rows = 0;
            }
            let to = end.min(from + PAGE_ROWS - rows);
            current.push((piece, from, to));
            rows += to - from;
            from = to;
        }
    }
    out.extend(joined(&current));
    out
}

fn joined(pieces: &[(&Piece, usize, usize)]) -> Option<Part> {
    let total = pieces.iter().map(|(_, from, to)| to - from).sum();
    let (mut times, mut bits, mut presence) = (Vec::with_capacity(total), Vec::new(), Presence::none(total));
    for (piece, from, to) in pieces {
        let (first, last) = (piece.values.presence.before(*from), piece.values.presence.before(*to));
        for row in *from..*to {
            if piece.values.presence.has(row) {
                presence.set(times.len());
            }
            times.push(piece.times[row]);
        }
        bits.extend_from_slice(&piece.values.bits[first..last]);
    }
    presence.tidy(total);
    let rows = pieces.iter().map(|(piece, from, to)| (piece.key, *from as u32, *to as u32)).collect();
    (!bits.is_empty()).then_some(Part { rows: Some(rows), times, presence, bits })
}

/// Pieces that overlap get times of their own; they stand as they were written, and of one time the first one counts.
fn own(pieces: &[Piece]) -> Vec<Part> {
    let mut all: BTreeMap<i64, u64> = BTreeMap::new();
    for piece in pieces {
        for (row, bits) in piece.values.presence.rows(piece.times.len()).zip(&piece.values.bits) {
            all.entry(piece.times[row]).or_insert(*bits);
        }
    }
    let all: Vec<(i64, u64)> = all.into_iter().collect();
    let part = |some: &[(i64, u64)]| {
        let (times, bits) = some.iter().copied().unzip();
        Part { rows: None, times, presence: Presence::All, bits }
    };
    all.chunks(PAGE_ROWS).map(part).collect()
}

/// The newest of two lists of how far the log is in blocks.
pub(crate) fn newest_through(all: impl Iterator<Item = Through>) -> Vec<Through> {
    let mut out: BTreeMap<u32, Through> = BTreeMap::new();
    for through in all {
        let known = out.entry(through.group).or_insert(through);
        known.seq = known.seq.max(through.seq);
        known.newest_ms = known.newest_ms.max(through.newest_ms);
    }
    out.into_values().collect()
}
