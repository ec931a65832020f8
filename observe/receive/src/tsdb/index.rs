//! The index of a block: symbols, and the series with their chunks. I/O: reads the file whole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::Labels;

use super::TsdbError;
use super::cursor::Cursor;

const MAGIC: u32 = 0xBAAA_D700;
/// Six offsets and a checksum.
const TOC_BYTES: usize = 6 * 8 + 4;
/// Series of version 2 begin at multiples of this, and are named by the quotient.
const ALIGN: usize = 16;

/// A chunk of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkRef {
    pub(super) min_ms: i64,
    pub(super) max_ms: i64,
    /// The file's number in the upper half, the place in the file in the lower.
    pub(super) place: u64,
}

/// A series as the index has it.
#[derive(Debug)]
pub(super) struct IndexSeries {
    /// By which tombstones name it.
    pub(super) id: u64,
    pub(super) labels: Labels,
    pub(super) chunks: Vec<ChunkRef>,
}

#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    bytes: Vec<u8>,
    version: u8,
    symbols: Vec<Arc<str>>,
    /// Version 1 names symbols by their place in the file: the places of `symbols`.
    places: Vec<u64>,
    /// Where the series lie.
    series: std::ops::Range<usize>,
}

impl Index {
    pub(super) fn read(path: PathBuf) -> Result<Self, TsdbError> {
        let bytes = std::fs::read(&path).map_err(TsdbError::io(&path))?;
        let fail = |what: &str| TsdbError::damaged(&path, what);
        let mut head = Cursor::new(&bytes);
        if head.u32() != Some(MAGIC) {
            return Err(fail("it does not begin as an index does"));
        }
        let version = head.array::<1>().map_or(0, |[version]| version);
        if !matches!(version, 1 | 2) {
            return Err(fail(&format!("its version is {version}: 1 and 2 are known")));
        }
        let toc_at = bytes.len().checked_sub(TOC_BYTES).ok_or_else(|| fail("it is too short"))?;
        let toc =
            bytes.get(toc_at..).and_then(checked).ok_or_else(|| fail("its table of contents has another checksum"))?;
        let mut toc = Cursor::new(toc);
        let offsets: Vec<usize> = std::iter::from_fn(|| toc.u64()).map(|at| at as usize).collect();
        let [symbols_at, series_at, ..] = offsets[..] else { return Err(fail("its table of contents is too short")) };
        let after = offsets.iter().copied().filter(|at| *at > series_at).min();
        let series = series_at..after.unwrap_or(toc_at).min(toc_at);
        let (symbols, places) = read_symbols(&bytes, symbols_at).ok_or_else(|| fail("its symbols cannot be read"))?;
        Ok(Self { path, bytes, version, symbols, places, series })
    }

    fn symbol(&self, named: u64) -> Option<Arc<str>> {
        let at = match self.version {
            1 => self.places.binary_search(&named).ok()?,
            _ => usize::try_from(named).ok()?,
        };
        self.symbols.get(at).cloned()
    }

    /// The series that begins at or behind `at`, and where to look for the next one; `None` behind the last.
    fn series_at(&self, at: usize) -> Result<Option<(IndexSeries, usize)>, TsdbError> {
        let at = if self.version == 1 { at } else { at.next_multiple_of(ALIGN) };
        let Some(rest) = self.bytes.get(at..self.series.end).filter(|rest| rest.first().is_some_and(|b| *b != 0))
        else {
            // Behind the last series there may be zeros up to the next section.
            return Ok(None);
        };
        let fail = |what: &str| TsdbError::damaged(&self.path, format!("the series at {at} {what}"));
        let mut cursor = Cursor::new(rest);
        let body = cursor.delimited().ok_or_else(|| fail("is cut off"))?;
        let crc = cursor.u32().ok_or_else(|| fail("is cut off"))?;
        if crc != crc32c::crc32c(body) {
            return Err(fail("has another checksum"));
        }
        let id = if self.version == 1 { at } else { at / ALIGN } as u64;
        let (labels, chunks) = self.parse(body).ok_or_else(|| fail("makes no sense"))?;
        Ok(Some((IndexSeries { id, labels, chunks }, self.series.end - cursor.left())))
    }

    fn parse(&self, body: &[u8]) -> Option<(Labels, Vec<ChunkRef>)> {
        let mut cursor = Cursor::new(body);
        let mut pairs = Vec::new();
        for _ in 0..cursor.uvarint()? {
            pairs.push((self.symbol(cursor.uvarint()?)?, self.symbol(cursor.uvarint()?)?));
        }
        let mut chunks: Vec<ChunkRef> = Vec::new();
        for _ in 0..cursor.uvarint()? {
            let next = match chunks.last() {
                None => {
                    let min_ms = cursor.varint()?;
                    ChunkRef { min_ms, max_ms: min_ms.wrapping_add(cursor.uvarint()? as i64), place: cursor.uvarint()? }
                }
                Some(last) => {
                    let min_ms = last.max_ms.wrapping_add(cursor.uvarint()? as i64);
                    let max_ms = min_ms.wrapping_add(cursor.uvarint()? as i64);
                    ChunkRef { min_ms, max_ms, place: last.place.wrapping_add(cursor.varint()? as u64) }
                }
            };
            chunks.push(next);
        }
        Some((Labels::from_shared(pairs), chunks))
    }

    /// All series in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Result<IndexSeries, TsdbError>> + '_ {
        let mut at = Some(self.series.start);
        std::iter::from_fn(move || match self.series_at(at?) {
            Ok(Some((series, next))) => {
                at = Some(next);
                Some(Ok(series))
            }
            Ok(None) => None,
            Err(error) => {
                // The length of a damaged entry is not to be trusted: nothing behind it can be found.
                at = None;
                Some(Err(error))
            }
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Bytes with a checksum behind them.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (body, crc) = bytes.split_last_chunk::<4>()?;
    (u32::from_be_bytes(*crc) == crc32c::crc32c(body)).then_some(body)
}

fn read_symbols(bytes: &[u8], at: usize) -> Option<(Vec<Arc<str>>, Vec<u64>)> {
    let mut cursor = Cursor::new(bytes.get(at..)?);
    let length = cursor.u32()? as usize;
    let body = checked(cursor.bytes(length.checked_add(4)?)?)?;
    let mut cursor = Cursor::new(body);
    let count = cursor.u32()? as usize;
    let (mut symbols, mut places) = (Vec::new(), Vec::new());
    for _ in 0..count {
        places.push((at + 4 + body.len() - cursor.left()) as u64);
        let text = std::str::from_utf8(cursor.delimited()?).ok()?;
        symbols.push(Arc::from(text));
    }
    Some((symbols, places))
}
