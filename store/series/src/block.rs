//! A block: an immutable file with the samples of some hours or days, series sorted by labels, with an index. I/O.
//!
//! Byte by byte in `docs/store-format.md`. What is read again and again is kept in a cache that may be emptied at any time.

mod footer;
mod lists;
mod paces;
mod read;
mod reference;
mod sizes;
mod table;
mod together;
mod write;

use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use hashbrown::HashMap;
use kernel::Labels;
use kernel::series::SeriesError;
use parking_lot::Mutex;

use crate::codec::{Cursor, body};
use crate::disk::File;
use crate::files::storage;
use crate::frame::frame;
use crate::gather::Part;
use crate::limits::{FRAME_BYTES, LABEL_BYTES};
use crate::page::Rows;
use crate::rollup::seen;
use crate::side::Beside;
use crate::times::times;
use crate::tombstones::Tombstones;
pub(crate) use footer::{Footer, Through};
pub(crate) use lists::NameLists;
pub(crate) use paces::PaceOfKey;
pub(crate) use reference::Recent;
use reference::{Held, Stored};
pub use sizes::{BlockSizes, SeriesSize, block_sizes};
use table::Entry;
pub(crate) use write::{BlockWriter, Piece, SeriesData, newest_through};

/// Ending of a block's name.
pub(crate) const ENDING: &str = ".block";
/// First and last bytes.
const MAGIC: &[u8; 8] = b"FAROBLK3";
/// The same of blocks before pages could be shaped, differences or twins; they are read as they are.
const MAGIC_2: &[u8; 8] = b"FAROBLK2";
/// Series in one chunk of the table.
const CHUNK_SERIES: u32 = 128;
const TIMES: u8 = 1;
/// The table as it was written at first; it is read, not written.
const TABLE_2: u8 = 2;
const SYMBOLS: u8 = 3;
const POSTINGS: u8 = 4;
const FOOTER: u8 = 5;
const PACE: u8 = 6;
const TABLE: u8 = 7;
/// Footer's offset and [`MAGIC`].
const TRAILER: u64 = 16;

/// An open block.
pub(crate) struct Block {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) footer: Footer,
    /// Whether it is a roll-up: its series are figures, told apart by a label that only [`Block::full_labels`] shows.
    pub(crate) rollup: bool,
    pub(crate) deleted: Mutex<Arc<Tombstones>>,
    file: File,
    cache: Mutex<Cache>,
    cached: AtomicUsize,
    used: AtomicU64,
}

#[derive(Default)]
struct Cache {
    symbols: Option<Arc<Vec<Arc<str>>>>,
    lists: HashMap<usize, Arc<NameLists>>,
    chunks: HashMap<u32, Arc<Vec<Entry>>>,
    times: HashMap<u32, Arc<[i64]>>,
    paces: HashMap<u32, Arc<[u16]>>,
    labels: HashMap<u32, Arc<LabelSets>>,
    /// Bytes of them.
    labels_bytes: usize,
}

/// The label sets of a chunk, each with its hash.
pub(crate) type LabelSets = Vec<(u64, Labels)>;

/// A page that was read.
#[derive(Debug)]
pub(crate) struct Page {
    /// Number of its column of times.
    pub(crate) column: u32,
    pub(crate) part: Part,
}

/// What a block holds of a series.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) pages: Vec<Page>,
    pub(crate) beside: Beside,
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Block").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Block {
    /// Opens a block.
    ///
    /// # Errors
    /// It cannot be read, or its end is damaged.
    pub(crate) fn open(number: u64, path: &Path) -> Result<Self, SeriesError> {
        let failed = |e: std::io::Error| storage("read the block", path, &e);
        let damaged = |what: &str| SeriesError::Storage(format!("{}: {what}", path.display()));
        let file = File::open(path).map_err(failed)?;
        let bytes = file.length().map_err(failed)?;
        let mut trailer = [0u8; TRAILER as usize];
        if bytes < TRAILER {
            return Err(damaged("its end is missing"));
        }
        file.read_exact_at(&mut trailer, bytes - TRAILER).map_err(failed)?;
        if trailer[8..] != *MAGIC && trailer[8..] != *MAGIC_2 {
            return Err(damaged("its end is damaged"));
        }
        let offset = Cursor::new(&trailer).u64().unwrap_or_default();
        let length = (bytes - TRAILER).checked_sub(offset).filter(|n| *n <= FRAME_BYTES as u64);
        let Some(length) = length else { return Err(damaged("its end is damaged")) };
        let mut end = vec![0u8; length as usize];
        file.read_exact_at(&mut end, offset).map_err(failed)?;
        let footer = frame(&end).filter(|(kind, _)| *kind == FOOTER).and_then(|(_, payload)| Footer::read(payload));
        let Some(footer) = footer else { return Err(damaged("its end is damaged")) };
        let deleted = Mutex::new(Arc::new(Tombstones::open(path, crc32fast::hash(&end))?));
        let (cache, cached, used) = (Mutex::default(), AtomicUsize::new(0), AtomicU64::new(0));
        Ok(Self { number, path: path.to_owned(), bytes, footer, rollup: false, deleted, file, cache, cached, used })
    }

    /// The same as a roll-up.
    pub(crate) fn into_rollup(self) -> Self {
        Self { rollup: true, ..self }
    }

    fn framed(&self, kind: u8, offset: u64, length: u32) -> Option<Vec<u8>> {
        let mut bytes = vec![0u8; length as usize];
        self.file.read_exact_at(&mut bytes, offset).ok()?;
        let (found, payload) = frame(&bytes)?;
        if found != kind {
            return None;
        }
        body(payload, FRAME_BYTES).map(std::borrow::Cow::into_owned)
    }

    fn note(&self, bytes: usize) {
        self.cached.fetch_add(bytes, Relaxed);
    }

    /// All strings, sorted.
    pub(crate) fn symbols(&self) -> Option<Arc<Vec<Arc<str>>>> {
        if let Some(known) = &self.cache.lock().symbols {
            return Some(known.clone());
        }
        let bytes = self.framed(SYMBOLS, self.footer.symbols.0, self.footer.symbols.1)?;
        let mut cursor = Cursor::new(&bytes);
        let count = cursor.length(bytes.len())?;
        let (mut all, mut before) = (Vec::with_capacity(count), String::new());
        for _ in 0..count {
            let shared = cursor.length(before.len())?;
            let rest = cursor.text(LABEL_BYTES)?;
            if !before.is_char_boundary(shared) {
                return None;
            }
            before.truncate(shared);
            before.push_str(rest);
            all.push(Arc::<str>::from(before.as_str()));
        }
        let all = Arc::new(all);
        self.note(bytes.len() + count * 40);
        self.cache.lock().symbols = Some(all.clone());
        Some(all)
    }

    /// The lists of a label's values; `None` when they are damaged.
    pub(crate) fn lists(&self, name: usize) -> Option<Arc<NameLists>> {
        if let Some(known) = self.cache.lock().lists.get(&name) {
            return Some(known.clone());
        }
        let (_, offset, length) = *self.footer.names.get(name)?;
        let lists = Arc::new(NameLists::read(self.framed(POSTINGS, offset, length)?)?);
        self.note(lists.heap());
        self.cache.lock().lists.insert(name, lists.clone());
        Some(lists)
    }

    fn chunk(&self, number: u32) -> Option<Arc<Vec<Entry>>> {
        if let Some(known) = self.cache.lock().chunks.get(&number) {
            return Some(known.clone());
        }
        let (offset, length) = *self.footer.chunks.get(number as usize)?;
        let entries = match self.framed(TABLE, offset, length) {
            Some(bytes) => table::read(&bytes)?,
            None => table::read_2(&self.framed(TABLE_2, offset, length)?)?,
        };
        let entries = Arc::new(entries);
        self.note(entries.iter().map(Entry::heap).sum());
        self.cache.lock().chunks.insert(number, entries.clone());
        Some(entries)
    }

    /// The labels of a series, as everybody sees them.
    pub(crate) fn labels(&self, series: u32) -> Option<Labels> {
        let full = self.full_labels(series)?;
        Some(if self.rollup { seen(&full) } else { full })
    }

    /// The labels of a series, the one that tells figures apart included.
    pub(crate) fn full_labels(&self, series: u32) -> Option<Labels> {
        let symbols = self.symbols()?;
        let chunk = self.chunk(series / CHUNK_SERIES)?;
        let entry = chunk.get((series % CHUNK_SERIES) as usize)?;
        let text = |s: u32| symbols.get(s as usize).cloned();
        let pairs = entry.symbols.iter().map(|(n, v)| Some((text(*n)?, text(*v)?))).collect::<Option<Vec<_>>>()?;
        Some(Labels::from_shared(pairs))
    }

    /// The label sets of the chunk that a series is in, its number below it, and its place in it. They are kept: questions come again.
    pub(crate) fn label_sets(&self, series: u32) -> Option<(Arc<LabelSets>, u32)> {
        let number = series / CHUNK_SERIES;
        let first = number * CHUNK_SERIES;
        if let Some(known) = self.cache.lock().labels.get(&number) {
            return Some((known.clone(), first));
        }
        let (symbols, chunk) = (self.symbols()?, self.chunk(number)?);
        let text = |s: u32| symbols.get(s as usize).cloned();
        let sets = chunk.iter().map(|entry| {
            let pairs = entry.symbols.iter().map(|(n, v)| Some((text(*n)?, text(*v)?))).collect::<Option<Vec<_>>>()?;
            let labels = Labels::from_shared(pairs);
            let labels = if self.rollup { seen(&labels) } else { labels };
            Some((hash_of(&labels), labels))
        });
        let sets: Arc<LabelSets> = Arc::new(sets.collect::<Option<_>>()?);
        let bytes = sets.iter().map(|(_, labels)| 48 + labels.len() * 32).sum();
        self.note(bytes);
        let mut cache = self.cache.lock();
        cache.labels.insert(number, sets.clone());
        cache.labels_bytes += bytes;
        Some((sets, first))
    }

    /// A column of times.
    pub(crate) fn times(&self, number: u32) -> Option<Arc<[i64]>> {
        if let Some(known) = self.cache.lock().times.get(&number) {
            return Some(known.clone());
        }
        let (offset, length) = *self.footer.times.get(number as usize)?;
        let bytes = self.framed(TIMES, offset, length)?;
        let mut cursor = Cursor::new(&bytes);
        let count = cursor.length(FRAME_BYTES)?;
        let column: Arc<[i64]> = times(&mut cursor, count)?.into();
        self.note(column.len() * 8);
        self.cache.lock().times.insert(number, column.clone());
        Some(column)
    }

    /// What the block holds of a series between two times; `None` when it is damaged. `recent` is kept for the next series.
    pub(crate) fn run(&self, series: u32, start_ms: i64, end_ms: i64, recent: &mut Recent) -> Option<Run> {
        let chunk = self.chunk(series / CHUNK_SERIES)?;
        let entry = chunk.get((series % CHUNK_SERIES) as usize)?;
        let mut bytes = vec![0u8; entry.length as usize];
        self.file.read_exact_at(&mut bytes, entry.offset).ok()?;
        let held = Held { start: entry.offset, bytes: &bytes };
        self.run_of(
            (series, entry),
            entry.within.as_deref().unwrap_or(&bytes),
            held,
            (start_ms, end_ms),
            &mut |number| self.times(number),
            recent,
        )
    }

    /// What these bytes hold of the series between two times; `None` when they are damaged.
    fn run_of(
        &self,
        (series, entry): (u32, &Entry),
        bytes: &[u8],
        held: Held<'_>,
        (start_ms, end_ms): (i64, i64),
        times: &mut dyn FnMut(u32) -> Option<Arc<[i64]>>,
        recent: &mut Recent,
    ) -> Option<Run> {
        if !entry.is_right(bytes) {
            return None;
        }
        let mut cursor = Cursor::new(bytes);
        let mut pages = Vec::with_capacity(entry.pages.len().min(8));
        let mut stored = Stored { page: &[], before: None };
        for (number, length) in &entry.pages {
            stored = stored.next(cursor.take(*length as usize)?);
            let column = times(*number)?;
            let (Some(first), Some(last)) = (column.first(), column.last()) else { continue };
            if *last >= start_ms && *first <= end_ms {
                let rows = Rows { count: column.len(), from: column.partition_point(|t| *t < start_ms) };
                let (values, from) = self.values(stored, (series, *number, rows), held, recent)?;
                pages.push(Page { column: *number, part: Part { times: column, values, from } });
            }
        }
        Some(Run { pages, beside: Beside::read(cursor.rest())? })
    }

    /// How many series there are.
    pub(crate) fn series_count(&self) -> u32 {
        self.footer.series
    }

    /// Bytes in the cache.
    pub(crate) fn cached(&self) -> usize {
        self.cached.load(Relaxed)
    }

    /// Notes when it was used last.
    pub(crate) fn touch(&self, now: u64) {
        self.used.store(now, Relaxed);
    }

    /// When it was used last.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// Empties the cache of label sets, which are made from the rest of the cache.
    pub(crate) fn forget_labels(&self) {
        let mut cache = self.cache.lock();
        cache.labels = HashMap::new();
        self.cached.fetch_sub(std::mem::take(&mut cache.labels_bytes), Relaxed);
    }

    /// Empties the cache.
    pub(crate) fn forget(&self) {
        let mut cache = self.cache.lock();
        *cache = Cache::default();
        self.cached.store(0, Relaxed);
    }
}

/// The hash by which label sets of blocks and of memory find each other; it lives as long as the process.
pub(crate) fn hash_of(labels: &Labels) -> u64 {
    static HASHER: std::sync::LazyLock<hashbrown::DefaultHashBuilder> = std::sync::LazyLock::new(Default::default);
    HASHER.hash_one(labels)
}

/// # Errors
/// A later Farero wrote the block: it must be left alone.
pub(crate) fn verify_version(path: &Path) -> Result<(), SeriesError> {
    let failed = |e: std::io::Error| storage("read the block", path, &e);
    let file = File::open(path).map_err(failed)?;
    let bytes = file.length().map_err(failed)?;
    let (mut first, mut last) = ([0u8; 8], [0u8; 8]);
    if bytes < TRAILER
        || file.read_exact_at(&mut first, 0).and_then(|()| file.read_exact_at(&mut last, bytes - 8)).is_err()
    {
        return Ok(());
    }
    let newer = first == last && first[..7] == MAGIC[..7] && first[7] > MAGIC[7];
    if newer {
        return Err(SeriesError::Storage(format!(
            "{} was written by a newer Farero: start that version again",
            path.display()
        )));
    }
    Ok(())
}

/// Whether these bytes are a footer; for fuzzing.
pub(crate) fn parse_footer(bytes: &[u8]) -> bool {
    Footer::read(bytes).is_some()
}

/// Whether these bytes are a chunk of the table; for fuzzing.
pub(crate) fn parse_table(bytes: &[u8]) -> bool {
    table::read(bytes).is_some() || table::read_2(bytes).is_some()
}

/// Whether these bytes are the lists of a label; for fuzzing.
pub(crate) fn parse_lists(bytes: &[u8]) -> bool {
    NameLists::read(bytes.to_vec()).is_some()
}
