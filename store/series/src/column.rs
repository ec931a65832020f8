//! One series inside one span: open in memory, and as a page of bytes. Pure.

use crate::codec::{Cursor, as_integer, body, put_body, put_value, put_varint, unzigzag, zigzag};
use crate::limits::SPAN_ROWS;

/// One bit per row of a span.
pub(crate) type Rows = [u64; SPAN_ROWS / 64];

pub(crate) const fn bit(rows: &Rows, row: usize) -> bool {
    rows[row / 64] >> (row % 64) & 1 == 1
}

/// A column that still grows. A series that never changes costs 16 bytes, however many rows there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenColumn {
    first: u64,
    moving: Option<Box<Moving>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Moving {
    /// Whether any row had a value: only then does `first` mean something.
    seen: bool,
    changed: Rows,
    absent: Rows,
    /// The values at the rows that changed.
    values: Vec<u64>,
}

impl OpenColumn {
    /// Adds the value of the next row, which is number `row`.
    pub(crate) fn push(&mut self, row: usize, value: Option<u64>) {
        let Some(value) = value else {
            let moving = self.moving.get_or_insert_with(|| Box::new(Moving { seen: row > 0, ..Moving::default() }));
            moving.absent[row / 64] |= 1 << (row % 64);
            return;
        };
        let unseen = self.moving.as_ref().map_or(row == 0, |m| !m.seen);
        if unseen {
            self.first = value;
            if let Some(moving) = &mut self.moving {
                moving.seen = true;
            }
        } else if value != self.last() {
            let moving = self.moving.get_or_insert_with(|| Box::new(Moving { seen: true, ..Moving::default() }));
            moving.changed[row / 64] |= 1 << (row % 64);
            moving.values.push(value);
        }
    }

    fn last(&self) -> u64 {
        self.moving.as_ref().and_then(|m| m.values.last()).copied().unwrap_or(self.first)
    }

    /// The values of all rows.
    pub(crate) fn values(&self, rows: usize) -> Values {
        let Some(moving) = &self.moving else { return Values::Constant(self.first) };
        let (mut changes, mut value) = (moving.values.iter(), self.first);
        let mut bits = Vec::with_capacity(rows);
        for row in 0..rows {
            if bit(&moving.changed, row) {
                value = changes.next().copied().unwrap_or(value);
            }
            bits.push(value);
        }
        let absent = (moving.absent != Rows::default()).then_some(moving.absent);
        Values::Varying { bits, absent }
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        self.moving.as_ref().map_or(0, |m| size_of::<Moving>() + m.values.capacity() * 8)
    }
}

/// The values of one series in one span, as bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// Present in every row and always the same.
    Constant(u64),
    /// One per row; what stands in absent rows means nothing.
    Varying {
        /// The values.
        bits: Vec<u64>,
        /// Rows without a value.
        absent: Option<Rows>,
    },
}

impl Values {
    /// The value of a row.
    pub(crate) fn at(&self, row: usize) -> Option<u64> {
        match self {
            Self::Constant(bits) => Some(*bits),
            Self::Varying { absent: Some(absent), .. } if bit(absent, row) => None,
            Self::Varying { bits, .. } => bits.get(row).copied(),
        }
    }
}

const STEPS: u8 = 1;
const DECIMAL: u8 = 2;
const PLANES: u8 = 3;
const HAS_ABSENT: u8 = 0x10;

/// A page: kind, rows without a value where there are some, body.
pub(crate) fn encode_page(bits: &[u64], absent: Option<&Rows>) -> Vec<u8> {
    let present: Vec<u64> = match absent {
        None => bits.to_vec(),
        Some(rows) => bits.iter().enumerate().filter(|(r, _)| !bit(rows, *r)).map(|(_, b)| *b).collect(),
    };
    let changes = present.windows(2).filter(|w| w[0] != w[1]).count();
    let (kind, plain) = if changes * 8 <= present.len() {
        (STEPS, steps(&present))
    } else if let Some(decimal) = decimal(&present) {
        (DECIMAL, decimal)
    } else {
        (PLANES, planes(&present))
    };
    let mut out = vec![kind | if absent.is_some() { HAS_ABSENT } else { 0 }];
    if let Some(rows) = absent {
        let bytes: Vec<u8> = rows.iter().flat_map(|w| w.to_le_bytes()).collect();
        out.extend_from_slice(&bytes[..bits.len().div_ceil(8)]);
    }
    put_body(&mut out, &plain);
    out
}

/// The page's values; `None` when it is not a page of so many rows.
pub(crate) fn decode_page(page: &[u8], rows: usize) -> Option<Values> {
    let mut cursor = Cursor::new(page);
    let kind = cursor.byte()?;
    let absent = if kind & HAS_ABSENT == 0 { None } else { Some(read_rows(cursor.take(rows.div_ceil(8))?)) };
    let missing = absent.map_or(0, |a| (0..rows).filter(|r| bit(&a, *r)).count());
    let count = rows - missing;
    let plain = body(cursor.rest(), count * 10 + 16)?;
    let present = match kind & !HAS_ABSENT {
        STEPS => read_steps(&plain, count)?,
        DECIMAL => read_decimal(&plain, count)?,
        PLANES => read_planes(&plain, count)?,
        _ => return None,
    };
    let bits = match &absent {
        None => present,
        Some(absent) => {
            let mut next = present.into_iter();
            (0..rows).map(|r| if bit(absent, r) { Some(0) } else { next.next() }).collect::<Option<_>>()?
        }
    };
    Some(Values::Varying { bits, absent })
}

fn read_rows(bytes: &[u8]) -> Rows {
    let mut rows = Rows::default();
    for (i, byte) in bytes.iter().enumerate().take(SPAN_ROWS / 8) {
        rows[i / 8] |= u64::from(*byte) << (8 * (i % 8));
    }
    rows
}

/// Runs of equal values: how long, which value.
fn steps(values: &[u64]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in values.chunk_by(|a, b| a == b) {
        put_varint(&mut out, run.len() as u64);
        put_value(&mut out, Some(run[0]));
    }
    out
}

fn read_steps(plain: &[u8], count: usize) -> Option<Vec<u64>> {
    let (mut cursor, mut out) = (Cursor::new(plain), Vec::with_capacity(count));
    while out.len() < count {
        let run = cursor.length(count - out.len()).filter(|n| *n > 0)?;
        let value = cursor.value()??;
        out.resize(out.len() + run, value);
    }
    Some(out)
}

/// Most digits after the point that are tried: durations are told in nanoseconds.
const DIGITS: usize = 9;
const POWERS: [f64; DIGITS + 1] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// The integer that divided by the power of ten is bit for bit this value. The quotient of two exact integers is
/// rounded correctly, so the way back is the same on every machine.
fn scaled(bits: u64, digits: usize) -> Option<i64> {
    let integer = as_integer((f64::from_bits(bits) * POWERS[digits]).round().to_bits())?;
    ((integer as f64 / POWERS[digits]).to_bits() == bits).then_some(integer)
}

/// Differences of integers with one power of ten for the whole page; `None` when the values are not decimal.
fn decimal(values: &[u64]) -> Option<Vec<u8>> {
    let mut digits = 0;
    for bits in values {
        digits = (digits..=DIGITS).find(|d| scaled(*bits, *d).is_some())?;
    }
    let mut out = vec![digits as u8];
    let mut last = 0i64;
    for bits in values {
        let integer = scaled(*bits, digits)?;
        put_varint(&mut out, zigzag(integer.wrapping_sub(last)));
        last = integer;
    }
    Some(out)
}

fn read_decimal(plain: &[u8], count: usize) -> Option<Vec<u64>> {
    let mut cursor = Cursor::new(plain);
    let power = *POWERS.get(usize::from(cursor.byte()?))?;
    let mut last = 0i64;
    (0..count)
        .map(|_| {
            last = last.wrapping_add(unzigzag(cursor.varint()?));
            Some((last as f64 / power).to_bits())
        })
        .collect()
}

/// Differences by exclusive or, first all lowest bytes, then all second ones, …: equal parts lie together for zstd.
fn planes(values: &[u64]) -> Vec<u8> {
    let mut out = vec![0; values.len() * 8];
    let mut last = 0;
    for (i, bits) in values.iter().enumerate() {
        for (plane, byte) in (bits ^ last).to_le_bytes().into_iter().enumerate() {
            out[plane * values.len() + i] = byte;
        }
        last = *bits;
    }
    out
}

fn read_planes(plain: &[u8], count: usize) -> Option<Vec<u64>> {
    if plain.len() != count * 8 {
        return None;
    }
    let mut last = 0;
    let value = |i: usize| {
        let mut bytes = [0; 8];
        bytes.iter_mut().enumerate().for_each(|(plane, b)| *b = plain[plane * count + i]);
        last ^= u64::from_le_bytes(bytes);
        last
    };
    Some((0..count).map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            Just(0.0),
            Just(-0.0),
            Just(f64::NAN),
            Just(f64::from_bits(0x7ff8_0000_0000_1234)),
            Just(kernel::series::stale_nan()),
            Just(f64::NEG_INFINITY),
            (0u32..5).prop_map(f64::from),
            (0u64..9_000_000_000).prop_map(|ns| std::time::Duration::from_nanos(ns).as_secs_f64()),
            any::<f64>(),
        ]
    }

    proptest! {
        #[test]
        fn columns_come_back_bit_for_bit(
            rows in proptest::collection::vec(proptest::option::weighted(0.9, value()), 1..=SPAN_ROWS),
            sticky in any::<bool>(),
        ) {
            let rows: Vec<Option<u64>> =
                rows.iter().map(|v| v.map(|v| if sticky { v.trunc().to_bits() } else { v.to_bits() })).collect();
            let mut open = OpenColumn::default();
            rows.iter().enumerate().for_each(|(r, v)| open.push(r, *v));
            let values = open.values(rows.len());
            let got = |values: &Values| (0..rows.len()).map(|r| values.at(r)).collect::<Vec<_>>();
            prop_assert_eq!(&got(&values), &rows);
            if let Values::Varying { bits, absent } = &values {
                let page = encode_page(bits, absent.as_ref());
                prop_assert_eq!(got(&decode_page(&page, rows.len()).unwrap()), rows.clone());
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(page in proptest::collection::vec(any::<u8>(), 0..60), rows in 1..=SPAN_ROWS) {
            let _ = decode_page(&page, rows);
        }
    }

    #[test]
    fn pages_are_small() {
        let size = |values: &dyn Fn(usize) -> f64| {
            let bits: Vec<u64> = (0..SPAN_ROWS).map(|i| values(i).to_bits()).collect();
            encode_page(&bits, None).len()
        };
        assert!(size(&|i| (i / 40) as f64) < 20, "a few steps");
        assert!(size(&|i| 1e6 + i as f64 * 15.0) < 40, "a counter");
        assert!(size(&|i| 20.0 + (i * 7919 % 13) as f64 / 10.0) < 160, "a gauge with one digit");
    }
}
