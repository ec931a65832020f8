//! Blocks: immutable files of spans by group. Layout: docs/store-format.md. I/O.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use kernel::series::SeriesError;

use crate::codec::Cursor;
use crate::files::{storage, sync_folder};

/// Ending of a block's name.
pub(crate) const ENDING: &str = ".block";
const MAGIC: &[u8; 8] = b"FAROBLK1";
/// Magic, fields, CRC of the fields.
const FOOTER: usize = 8 + FOOTER_FIELDS + 4;
const FOOTER_FIELDS: usize = 8 * 8;
/// Bytes of one entry of the group table.
const ENTRY: usize = 4 + 8 + 4 + 4 + 8 + 4 + 8 + 8;
/// Bytes of one entry of a group's span list.
const SPAN: usize = 8 + 4 + 8 + 8;

/// Where a group's parts are in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupEntry {
    pub(crate) group: u32,
    spans_at: u64,
    span_count: u32,
    spans_crc: u32,
    record_at: u64,
    record_len: u32,
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
}

/// Where a span is in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanEntry {
    at: u64,
    length: u32,
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
}

/// What the footer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
    /// Segments of the log up to this number are contained.
    pub(crate) wal_through: u64,
    /// Blocks with numbers from this one up to its own are contained.
    pub(crate) replaces_from: u64,
    table_at: u64,
    table_count: u64,
    table_crc: u64,
    /// For the next version.
    reserved: u64,
}

/// An open block.
pub(crate) struct Block {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) summary: Summary,
    file: File,
}

/// Writes one block, group by group in ascending order.
pub(crate) struct BlockWriter {
    folder: PathBuf,
    temporary: PathBuf,
    out: BufWriter<File>,
    at: u64,
    entries: Vec<GroupEntry>,
    summary: Summary,
}

impl BlockWriter {
    pub(crate) fn new(folder: &Path, number: u64) -> Result<Self, SeriesError> {
        let temporary = folder.join(format!("{number:010}.tmp"));
        let file = File::create(&temporary).map_err(|e| storage("make the block", &temporary, &e))?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        out.write_all(MAGIC).map_err(|e| storage("write the block", &temporary, &e))?;
        let summary = Summary { min_ms: i64::MAX, max_ms: i64::MIN, ..Summary::default() };
        let folder = folder.to_owned();
        Ok(Self { folder, temporary, out, at: MAGIC.len() as u64, entries: Vec::new(), summary })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<u64, SeriesError> {
        self.out.write_all(bytes).map_err(|e| storage("write the block", &self.temporary, &e))?;
        self.at += bytes.len() as u64;
        Ok(self.at - bytes.len() as u64)
    }

    /// Adds a group: its record (labels) and its spans in the order of their times.
    pub(crate) fn add<B: AsRef<[u8]>>(
        &mut self,
        group: u32,
        record: &[u8],
        spans: impl IntoIterator<Item = (i64, i64, B)>,
    ) -> Result<(), SeriesError> {
        let mut list = Vec::new();
        let (mut span_count, mut min, mut max) = (0, i64::MAX, i64::MIN);
        for (min_ms, max_ms, bytes) in spans {
            let bytes = bytes.as_ref();
            let at = self.put(bytes)?;
            list.extend_from_slice(&at.to_le_bytes());
            list.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            list.extend_from_slice(&min_ms.to_le_bytes());
            list.extend_from_slice(&max_ms.to_le_bytes());
            (span_count, min, max) = (span_count + 1, min.min(min_ms), max.max(max_ms));
        }
        if span_count == 0 {
            return Ok(());
        }
        let spans_at = self.put(&list)?;
        let record_at = self.put(&crc32fast::hash(record).to_le_bytes())?;
        self.put(record)?;
        self.entries.push(GroupEntry {
            group,
            spans_at,
            span_count,
            spans_crc: crc32fast::hash(&list),
            record_at,
            record_len: record.len() as u32 + 4,
            min_ms: min,
            max_ms: max,
        });
        self.summary.min_ms = self.summary.min_ms.min(min);
        self.summary.max_ms = self.summary.max_ms.max(max);
        Ok(())
    }

    /// Makes the block durable under its number; `None` when it would hold nothing.
    pub(crate) fn finish(
        mut self,
        number: u64,
        wal_through: u64,
        replaces_from: u64,
    ) -> Result<Option<Block>, SeriesError> {
        if self.entries.is_empty() {
            crate::files::delete(&self.temporary)?;
            return Ok(None);
        }
        let mut table = Vec::with_capacity(self.entries.len() * ENTRY);
        self.entries.iter().for_each(|e| e.put(&mut table));
        let table_at = self.put(&table)?;
        self.summary = Summary {
            wal_through,
            replaces_from,
            table_at,
            table_count: self.entries.len() as u64,
            table_crc: u64::from(crc32fast::hash(&table)),
            ..self.summary
        };
        let footer = self.summary.footer();
        self.put(&footer)?;
        let path = self.folder.join(format!("{number:010}{ENDING}"));
        let failed = |e: &std::io::Error| storage("write the block", &self.temporary, e);
        self.out.flush().map_err(|e| failed(&e))?;
        self.out.get_ref().sync_all().map_err(|e| failed(&e))?;
        std::fs::rename(&self.temporary, &path).map_err(|e| failed(&e))?;
        sync_folder(&self.folder)?;
        Block::open(number, &path).map(Some)
    }
}

impl Summary {
    fn footer(&self) -> Vec<u8> {
        let mut fields = Vec::with_capacity(FOOTER_FIELDS);
        fields.extend_from_slice(&self.min_ms.to_le_bytes());
        fields.extend_from_slice(&self.max_ms.to_le_bytes());
        for n in [self.wal_through, self.replaces_from, self.table_at, self.table_count, self.table_crc, self.reserved]
        {
            fields.extend_from_slice(&n.to_le_bytes());
        }
        let crc = crc32fast::hash(&fields);
        [fields.as_slice(), &crc.to_le_bytes(), MAGIC].concat()
    }

    fn read(footer: &[u8]) -> Option<Self> {
        let (fields, rest) = footer.split_at_checked(FOOTER_FIELDS)?;
        let mut end = Cursor::new(rest);
        if end.u32()? != crc32fast::hash(fields) || end.rest() != MAGIC {
            return None;
        }
        let mut f = Cursor::new(fields);
        Some(Self {
            min_ms: f.i64()?,
            max_ms: f.i64()?,
            wal_through: f.u64()?,
            replaces_from: f.u64()?,
            table_at: f.u64()?,
            table_count: f.u64()?,
            table_crc: f.u64()?,
            reserved: f.u64()?,
        })
    }
}

impl GroupEntry {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.group.to_le_bytes());
        out.extend_from_slice(&self.spans_at.to_le_bytes());
        out.extend_from_slice(&self.span_count.to_le_bytes());
        out.extend_from_slice(&self.spans_crc.to_le_bytes());
        out.extend_from_slice(&self.record_at.to_le_bytes());
        out.extend_from_slice(&self.record_len.to_le_bytes());
        out.extend_from_slice(&self.min_ms.to_le_bytes());
        out.extend_from_slice(&self.max_ms.to_le_bytes());
    }

    fn read(c: &mut Cursor<'_>) -> Option<Self> {
        Some(Self {
            group: c.u32()?,
            spans_at: c.u64()?,
            span_count: c.u32()?,
            spans_crc: c.u32()?,
            record_at: c.u64()?,
            record_len: c.u32()?,
            min_ms: c.i64()?,
            max_ms: c.i64()?,
        })
    }
}

/// Refuses a block of a later layout: it is sound, so it must not be taken for damaged. Both ends must say the same,
/// lest a flipped bit keep the store from opening.
pub(crate) fn verify_version(path: &Path) -> Result<(), SeriesError> {
    let (mut first, mut last) = ([0; 8], [0; 8]);
    let read = File::open(path).and_then(|f| {
        let end = f.metadata()?.len();
        f.read_exact_at(&mut first, 0)?;
        f.read_exact_at(&mut last, end.saturating_sub(8))
    });
    let newer = first == last && first[..7] == MAGIC[..7] && first[7] > MAGIC[7] && first[7].is_ascii_digit();
    if read.is_ok() && newer {
        let path = path.display();
        return Err(SeriesError::Storage(format!("{path} was written by a newer Farero: start that version again")));
    }
    Ok(())
}

impl Block {
    /// Opens a block whose footer is sound.
    pub(crate) fn open(number: u64, path: &Path) -> Result<Self, SeriesError> {
        let failed = |e: &std::io::Error| storage("read the block", path, e);
        let file = File::open(path).map_err(|e| failed(&e))?;
        let bytes = file.metadata().map_err(|e| failed(&e))?.len();
        let mut footer = [0; FOOTER];
        let summary = match bytes.checked_sub(FOOTER as u64) {
            None => None,
            Some(at) => {
                file.read_exact_at(&mut footer, at).map_err(|e| failed(&e))?;
                Summary::read(&footer)
            }
        };
        let summary = summary.ok_or_else(|| damaged(path, "its end"))?;
        Ok(Self { number, path: path.to_owned(), bytes, summary, file })
    }

    pub(crate) fn overlaps(&self, start_ms: i64, end_ms: i64) -> bool {
        self.summary.min_ms <= end_ms && start_ms <= self.summary.max_ms
    }

    fn read(&self, at: u64, length: u64, what: &str) -> Result<Vec<u8>, SeriesError> {
        if at.checked_add(length).is_none_or(|end| end > self.bytes) {
            return Err(damaged(&self.path, what));
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, at).map_err(|e| storage("read the block", &self.path, &e))?;
        Ok(bytes)
    }

    /// All groups in it, ascending.
    pub(crate) fn groups(&self) -> Result<Vec<GroupEntry>, SeriesError> {
        let what = "its table of groups";
        let length = self.summary.table_count.saturating_mul(ENTRY as u64);
        let table = self.read(self.summary.table_at, length, what)?;
        if u64::from(crc32fast::hash(&table)) != self.summary.table_crc {
            return Err(damaged(&self.path, what));
        }
        let mut cursor = Cursor::new(&table);
        Ok(std::iter::from_fn(|| GroupEntry::read(&mut cursor)).collect())
    }

    /// The group's record: which series its columns are.
    pub(crate) fn record(&self, group: &GroupEntry) -> Result<Vec<u8>, SeriesError> {
        let what = "the labels of a group";
        let mut bytes = self.read(group.record_at, u64::from(group.record_len), what)?;
        let record = bytes.split_off(bytes.len().min(4));
        if bytes != crc32fast::hash(&record).to_le_bytes() {
            return Err(damaged(&self.path, what));
        }
        Ok(record)
    }

    /// The group's spans, oldest first.
    pub(crate) fn spans(&self, group: &GroupEntry) -> Result<Vec<SpanEntry>, SeriesError> {
        let what = "the list of a group's spans";
        let list = self.read(group.spans_at, u64::from(group.span_count) * SPAN as u64, what)?;
        if crc32fast::hash(&list) != group.spans_crc {
            return Err(damaged(&self.path, what));
        }
        let mut c = Cursor::new(&list);
        let mut next = || Some(SpanEntry { at: c.u64()?, length: c.u32()?, min_ms: c.i64()?, max_ms: c.i64()? });
        Ok(std::iter::from_fn(&mut next).collect())
    }

    /// A span's bytes, not verified.
    pub(crate) fn span(&self, span: &SpanEntry) -> Result<Vec<u8>, SeriesError> {
        self.read(span.at, u64::from(span.length), "a span")
    }
}

fn damaged(path: &Path, what: &str) -> SeriesError {
    SeriesError::Storage(format!("{}: {what} is damaged", path.display()))
}
