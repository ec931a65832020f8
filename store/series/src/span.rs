//! A span: up to 128 rows of one group, its shared timestamps and a column per series. Pure.
//!
//! The bytes are the same in memory and in a block (docs/store-format.md): a header with its CRC that holds the times
//! and all constant columns, then one page with its own CRC per column that varies.

use crate::codec::{Cursor, put_value, put_varint, unzigzag, zigzag};
use crate::column::{OpenColumn, Values, decode_page, encode_page};
use crate::limits::{GROUP_SERIES, SPAN_ROWS};

/// A span that still grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenSpan {
    base_ms: i64,
    /// Milliseconds after `base_ms`.
    offsets: Vec<u32>,
    pub(crate) columns: Vec<OpenColumn>,
}

impl OpenSpan {
    pub(crate) fn rows(&self) -> usize {
        self.offsets.len()
    }

    /// Whether another row at this time fits.
    pub(crate) fn takes(&self, t_ms: i64) -> bool {
        self.offsets.is_empty() || (self.rows() < SPAN_ROWS && u32::try_from(t_ms.saturating_sub(self.base_ms)).is_ok())
    }

    /// Adds a row; the caller has seen to it that it fits and is newer.
    pub(crate) fn push(&mut self, t_ms: i64, values: &[Option<f64>]) {
        let row = self.rows();
        if row == 0 {
            self.base_ms = t_ms;
            self.columns = vec![OpenColumn::default(); values.len()];
        }
        self.offsets.push(u32::try_from(t_ms.saturating_sub(self.base_ms)).unwrap_or(u32::MAX));
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(row, value.map(f64::to_bits));
        }
    }

    pub(crate) fn times(&self) -> Vec<i64> {
        self.offsets.iter().map(|o| self.base_ms + i64::from(*o)).collect()
    }

    /// The first and the last time.
    pub(crate) fn range(&self) -> Option<(i64, i64)> {
        let (first, last) = (self.offsets.first()?, self.offsets.last()?);
        Some((self.base_ms + i64::from(*first), self.base_ms + i64::from(*last)))
    }

    /// The values of the row at a time.
    pub(crate) fn row(&self, t_ms: i64) -> Option<Vec<Option<u64>>> {
        let offset = u32::try_from(t_ms.checked_sub(self.base_ms)?).ok()?;
        let row = self.offsets.binary_search(&offset).ok()?;
        Some(self.columns.iter().map(|c| c.values(self.rows()).at(row)).collect())
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        let columns = self.columns.iter().map(OpenColumn::heap).sum::<usize>();
        self.offsets.capacity() * 4 + self.columns.capacity() * size_of::<OpenColumn>() + columns
    }

    /// The span as bytes.
    pub(crate) fn encode(&self, group: u32) -> Vec<u8> {
        let rows = self.rows();
        let (mut header, mut pages) = (Vec::new(), Vec::new());
        put_varint(&mut header, u64::from(group));
        put_varint(&mut header, rows as u64);
        put_times(&mut header, &self.times());
        put_varint(&mut header, self.columns.len() as u64);
        for column in &self.columns {
            match column.values(rows) {
                Values::Constant(bits) => {
                    put_varint(&mut header, 0);
                    put_value(&mut header, Some(bits));
                }
                Values::Varying { bits, absent } => {
                    let page = encode_page(&bits, absent.as_ref());
                    put_varint(&mut header, page.len() as u64 + 4);
                    pages.extend_from_slice(&crc32fast::hash(&page).to_le_bytes());
                    pages.extend_from_slice(&page);
                }
            }
        }
        let mut out = Vec::with_capacity(8 + header.len() + pages.len());
        out.extend_from_slice(&(header.len() as u32).to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(&pages);
        out
    }
}

const REGULAR: u8 = 0;
const IRREGULAR: u8 = 1;

/// First time, then either one distance for all or the differences between distances.
fn put_times(out: &mut Vec<u8>, times: &[i64]) {
    let Some(first) = times.first() else { return };
    put_varint(out, zigzag(*first));
    let distances: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    if distances.windows(2).all(|w| w[0] == w[1]) {
        out.push(REGULAR);
        put_varint(out, distances.first().copied().unwrap_or(0).unsigned_abs());
        return;
    }
    out.push(IRREGULAR);
    let mut last = 0;
    for distance in distances {
        put_varint(out, zigzag(distance - last));
        last = distance;
    }
}

/// The times, which must increase.
fn read_times(cursor: &mut Cursor<'_>, rows: usize) -> Option<Vec<i64>> {
    let mut time = unzigzag(cursor.varint()?);
    let kind = cursor.byte()?;
    let mut distance = match kind {
        REGULAR => i64::try_from(cursor.varint()?).ok()?,
        IRREGULAR => 0,
        _ => return None,
    };
    let mut times = Vec::with_capacity(rows);
    times.push(time);
    for _ in 1..rows {
        if kind == IRREGULAR {
            distance = distance.checked_add(unzigzag(cursor.varint()?))?;
        }
        time = time.checked_add(distance).filter(|_| distance > 0)?;
        times.push(time);
    }
    Some(times)
}

enum ColumnPlace {
    Constant(u64),
    Page { start: usize, end: usize },
}

/// A span's bytes, header verified; columns are decoded when asked for.
pub(crate) struct SpanView<'a> {
    bytes: &'a [u8],
    pub(crate) group: u32,
    pub(crate) times: Vec<i64>,
    columns: Vec<ColumnPlace>,
}

impl<'a> SpanView<'a> {
    /// `None` when the header is damaged.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (length, crc) = (cursor.u32()? as usize, cursor.u32()?);
        let header = cursor.take(length).filter(|h| crc32fast::hash(h) == crc)?;
        let mut cursor = Cursor::new(header);
        let group = u32::try_from(cursor.varint()?).ok()?;
        let rows = cursor.length(SPAN_ROWS).filter(|n| *n > 0)?;
        let times = read_times(&mut cursor, rows)?;
        let count = cursor.length(GROUP_SERIES)?;
        let mut columns = Vec::with_capacity(count);
        let mut start = 8 + length;
        for _ in 0..count {
            columns.push(match cursor.length(bytes.len())? {
                0 => ColumnPlace::Constant(cursor.value()??),
                length => {
                    start += length;
                    ColumnPlace::Page { start: start - length, end: start }
                }
            });
        }
        Some(Self { bytes, group, times, columns })
    }

    /// The values of a column; `None` when its page is damaged or there is no such column.
    pub(crate) fn column(&self, number: usize) -> Option<Values> {
        match self.columns.get(number)? {
            ColumnPlace::Constant(bits) => Some(Values::Constant(*bits)),
            ColumnPlace::Page { start, end } => {
                let (crc, page) = self.bytes.get(*start..*end)?.split_at_checked(4)?;
                if crc != crc32fast::hash(page).to_le_bytes() {
                    return None;
                }
                decode_page(page, self.times.len())
            }
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> OpenSpan {
        let mut open = OpenSpan::default();
        for i in 0..100i64 {
            let noise = (i * 7919 % 1009) as f64 / 1e6;
            open.push(1_000 + i * 10_000 + i % 3, &[Some(1.0), Some(noise), (i % 5 != 0).then_some(2.5), None]);
        }
        open
    }

    #[test]
    fn a_span_comes_back() {
        let open = sample();
        let bytes = open.encode(7);
        let view = SpanView::parse(&bytes).unwrap();
        assert_eq!((view.group, view.times.clone(), view.width()), (7, open.times(), 4));
        for (i, column) in open.columns.iter().enumerate() {
            let (wanted, got) = (column.values(100), view.column(i).unwrap());
            assert!((0..100).all(|r| wanted.at(r) == got.at(r)), "column {i}");
        }
        assert_eq!(view.column(4), None);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = sample().encode(7);
        let good = SpanView::parse(&bytes).unwrap();
        let all: Vec<_> = (0..4).map(|c| good.column(c)).collect();
        for at in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            let Some(view) = SpanView::parse(&bad) else { continue };
            let damaged = (0..4).filter(|c| view.column(*c).is_none()).count();
            assert_eq!(damaged, 1, "bit {at} loses one column");
            assert!(
                (0..4).all(|c| view.column(c).is_none() || view.column(c) == all[c]),
                "bit {at} changes nothing else"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = SpanView::parse(&bytes);
        }
    }
}
