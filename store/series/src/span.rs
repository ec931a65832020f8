//! A sealed span: some rows of one group, encoded, with what its series have beside them. Pure.
//!
//! ```text
//! group, last record, rows, series         varints
//! times of the rows                        see times.rs
//! per series: bytes of its page            varint, 0 for a series without a value
//! number of series with something beside   varint; per such series: column, bytes
//! pages, then what is beside
//! ```

use std::sync::Arc;

use crate::codec::{Cursor, put_varint};
use crate::disk::again;
use crate::extra::Extra;
use crate::group::Group;
use crate::limits::{FRAME_BYTES, GROUP_SERIES};
use crate::page::{Effort, Values, page, put_page};
use crate::pool::Pool;
use crate::side::Beside;
use crate::spanfile::SpanFile;
use crate::times::{put_times, times};

/// Encodes what is open in a group; with the times of its oldest and newest sample. `None` when there is nothing.
pub(crate) fn seal(id: u32, group: &Group, pool: &Pool) -> Option<(Vec<u8>, i64, i64)> {
    let mut out = Vec::new();
    put_varint(&mut out, u64::from(id));
    put_varint(&mut out, group.seq);
    put_varint(&mut out, group.rows() as u64);
    put_varint(&mut out, group.width() as u64);
    put_times(&mut out, &group.times);
    let (mut pages, mut buffer) = (Vec::new(), Vec::new());
    for s in 0..group.width() {
        let start = pages.len();
        if let Some(values) = group.open_values(pool, s, &mut buffer) {
            put_page(&mut pages, &values.presence, &values.bits, Effort::Fresh);
        }
        put_varint(&mut out, (pages.len() - start) as u64);
    }
    let beside = group.extra.as_deref().map(gathered).unwrap_or_default();
    put_varint(&mut out, beside.len() as u64);
    let mut payloads = Vec::new();
    for (column, beside) in &beside {
        let start = payloads.len();
        beside.put(&mut payloads, Effort::Fresh);
        put_varint(&mut out, u64::from(*column));
        put_varint(&mut out, (payloads.len() - start) as u64);
    }
    out.extend_from_slice(&pages);
    out.extend_from_slice(&payloads);
    let at = beside.iter().flat_map(|(_, b)| {
        let histograms = b.histograms.iter().map(|(t, _)| *t);
        b.numbers.iter().map(|(t, _)| *t).chain(histograms)
    });
    let all = group.times.iter().copied().chain(at);
    let (min_ms, max_ms) = all.fold((i64::MAX, i64::MIN), |(min, max), t| (min.min(t), max.max(t)));
    (min_ms <= max_ms).then_some((out, min_ms, max_ms))
}

/// What stands beside the rows, by column.
fn gathered(extra: &Extra) -> Vec<(u32, Beside)> {
    let mut out: std::collections::BTreeMap<u32, Beside> = std::collections::BTreeMap::new();
    for ((column, t), bits) in &extra.late {
        out.entry(*column).or_default().numbers.push((*t, *bits));
    }
    for ((column, t), bytes) in &extra.histograms {
        out.entry(*column).or_default().histograms.push((*t, bytes.clone()));
    }
    for ((column, t), start) in &extra.starts {
        out.entry(*column).or_default().starts.push((*t, *start));
    }
    out.into_iter().collect()
}

/// What stands beside the open rows of a series.
pub(crate) fn open_beside(extra: &Extra, column: u32) -> Beside {
    let range = (column, i64::MIN)..=(column, i64::MAX);
    Beside {
        numbers: extra.late.range(range.clone()).map(|((_, t), bits)| (*t, *bits)).collect(),
        histograms: extra.histograms.range(range.clone()).map(|((_, t), bytes)| (*t, bytes.clone())).collect(),
        starts: extra.starts.range(range).map(|((_, t), start)| (*t, *start)).collect(),
    }
}

/// A span, opened for reading.
#[derive(Debug)]
pub(crate) struct SpanView<'a> {
    pub(crate) group: u32,
    pub(crate) through_seq: u64,
    pub(crate) times: Arc<[i64]>,
    /// Where the page of each series ends.
    ends: Vec<u32>,
    /// Column, start and end of what is beside.
    beside: Vec<(u32, u32, u32)>,
    /// Bytes before the pages.
    before_pages: usize,
    pages: &'a [u8],
    payloads: &'a [u8],
}

impl<'a> SpanView<'a> {
    /// Reads what stands before the pages.
    pub(crate) fn open(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let group = u32::try_from(cursor.varint()?).ok()?;
        let through_seq = cursor.varint()?;
        let (rows, width) = (cursor.length(FRAME_BYTES)?, cursor.length(GROUP_SERIES)?);
        let times = times(&mut cursor, rows)?.into();
        let mut end = 0u32;
        let mut ends = Vec::with_capacity(width);
        for _ in 0..width {
            end = end.checked_add(u32::try_from(cursor.varint()?).ok()?)?;
            ends.push(end);
        }
        let (mut beside, mut at) = (Vec::new(), 0u32);
        for _ in 0..cursor.length(GROUP_SERIES)? {
            let column = u32::try_from(cursor.varint()?).ok()?;
            let until = at.checked_add(u32::try_from(cursor.varint()?).ok()?)?;
            beside.push((column, at, until));
            at = until;
        }
        let before_pages = bytes.len() - cursor.rest().len();
        let pages = cursor.take(end as usize)?;
        let payloads = cursor.take(at as usize)?;
        Some(Self { group, through_seq, times, ends, beside, before_pages, pages, payloads })
    }

    /// Number of series.
    pub(crate) fn width(&self) -> usize {
        self.ends.len()
    }

    /// The values of a series in the rows; `None` when they are damaged.
    pub(crate) fn column(&self, column: u32) -> Option<Values> {
        let c = column as usize;
        let rows = self.times.len();
        let Some(end) = self.ends.get(c) else { return page(&[], rows) };
        let start = c.checked_sub(1).map_or(0, |before| self.ends[before]);
        page(self.pages.get(start as usize..*end as usize)?, rows)
    }

    /// What a series has beside the rows; `None` when it is damaged.
    pub(crate) fn beside(&self, column: u32) -> Option<Beside> {
        match self.beside.binary_search_by_key(&column, |(c, _, _)| *c) {
            Ok(i) => Beside::read(self.payloads.get(self.beside[i].1 as usize..self.beside[i].2 as usize)?),
            Err(_) => Some(Beside::default()),
        }
    }

    /// Times of the oldest and the newest sample.
    pub(crate) fn range(&self) -> Option<(i64, i64)> {
        let mut range = self.times.first().copied().zip(self.times.last().copied());
        for (column, _, _) in &self.beside {
            let beside = self.beside(*column)?;
            let numbers = beside.numbers.iter().map(|(t, _)| *t);
            for t in numbers.chain(beside.histograms.iter().map(|(t, _)| *t)) {
                range = Some(range.map_or((t, t), |(min, max)| (min.min(t), max.max(t))));
            }
        }
        range
    }
}

/// What a span lies in.
#[derive(Debug)]
pub(crate) enum Held {
    Memory(Arc<[u8]>),
    File(Arc<SpanFile>),
}

impl Held {
    /// Reads bytes with this checksum, and once more where they do not have it: the disk may have them all the same.
    fn read_right(&self, offset: u64, length: u32, crc: u32, buffer: &mut Vec<u8>) -> Option<()> {
        if length == 0 {
            buffer.clear();
            return Some(());
        }
        again(|| self.read(offset, length, buffer).filter(|()| crc32fast::hash(buffer) == crc))
    }

    /// The number of the file, where it is one.
    pub(crate) fn number(&self) -> Option<u64> {
        match self {
            Self::File(file) => Some(file.number),
            Self::Memory(_) => None,
        }
    }

    fn read(&self, offset: u64, length: u32, buffer: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::File(file) => file.read_raw(offset, length, buffer),
            Self::Memory(bytes) => {
                let from = usize::try_from(offset).ok()?;
                buffer.clear();
                buffer.extend_from_slice(bytes.get(from..from.checked_add(length as usize)?)?);
                Some(())
            }
        }
    }
}

/// Where the parts of a span are in what it lies in, for reading some of its columns: each with its own checksum, made while that of
/// the whole span was right. What is read later may differ, and would become a block that is damaged without anybody seeing it.
#[derive(Debug)]
pub(crate) struct SpanIndex {
    pub(crate) times: Arc<[i64]>,
    ends: Vec<u32>,
    crcs: Vec<u32>,
    beside: Vec<(u32, u32, u32)>,
    beside_crcs: Vec<u32>,
    pages: u64,
    payloads: u64,
}

impl SpanView<'_> {
    /// Where the parts are, when the span begins at this place of its file.
    pub(crate) fn index(&self, offset: u64) -> SpanIndex {
        let pages = offset + self.before_pages as u64;
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let crc = |bytes: &[u8], from: u32, to: u32| bytes.get(from as usize..to as usize).map_or(0, crc32fast::hash);
        SpanIndex {
            times: self.times.clone(),
            ends: self.ends.clone(),
            crcs: starts.zip(&self.ends).map(|(from, to)| crc(self.pages, from, *to)).collect(),
            beside: self.beside.clone(),
            beside_crcs: self.beside.iter().map(|(_, from, to)| crc(self.payloads, *from, *to)).collect(),
            pages,
            payloads: pages + self.pages.len() as u64,
        }
    }
}

impl SpanIndex {
    /// The values of a series in the rows; `None` when they cannot be read.
    pub(crate) fn column(&self, held: &Held, column: u32, buffer: &mut Vec<u8>) -> Option<Values> {
        let c = column as usize;
        let rows = self.times.len();
        let Some(end) = self.ends.get(c) else { return page(&[], rows) };
        let start = c.checked_sub(1).map_or(0, |before| self.ends[before]);
        held.read_right(self.pages + u64::from(start), end - start, self.crcs[c], buffer)?;
        page(buffer, rows)
    }

    /// What a series has beside the rows; `None` when it cannot be read.
    pub(crate) fn beside(&self, held: &Held, column: u32, buffer: &mut Vec<u8>) -> Option<Beside> {
        let Ok(i) = self.beside.binary_search_by_key(&column, |(c, _, _)| *c) else { return Some(Beside::default()) };
        let (_, start, end) = self.beside[i];
        held.read_right(self.payloads + u64::from(start), end - start, self.beside_crcs[i], buffer)?;
        Beside::read(buffer)
    }
}
