//! A sealed span, opened for reading. Pure.

use crate::bits::{unzigzag, varint};
use crate::group::ROWS;
use crate::token::{RAW, token};

/// Every row changed.
pub(crate) const ALL: u8 = 1;
/// A bit per row.
pub(crate) const SOME: u8 = 2;
/// Gaps between the rows that changed.
pub(crate) const FEW: u8 = 3;

/// A sealed span, opened for reading.
#[derive(Debug)]
pub struct Span<'a> {
    /// Times of the rows.
    pub times: Vec<i64>,
    /// Where each page begins and whether it moves.
    pages: Vec<(u32, bool)>,
    bytes: &'a [u8],
}

impl<'a> Span<'a> {
    /// Checks the CRC and reads what stands before the pages.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        let (bytes, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(bytes) != u32::from_le_bytes(*crc) {
            return None;
        }
        let mut at = 0;
        let rows = usize::try_from(varint(bytes, &mut at)?).ok().filter(|n| *n <= ROWS)?;
        let width = usize::try_from(varint(bytes, &mut at)?).ok().filter(|n| *n <= bytes.len())?;
        let (mut times, mut last, mut step) = (Vec::with_capacity(rows), 0i64, 0i64);
        for _ in 0..rows {
            step = step.wrapping_add(unzigzag(varint(bytes, &mut at)?));
            last = last.wrapping_add(step);
            times.push(last);
        }
        let (mut pages, mut start) = (Vec::with_capacity(width), 0);
        for _ in 0..width {
            let n = varint(bytes, &mut at)?;
            pages.push((start, n & 1 == 1));
            start = u32::checked_add(start, u32::try_from(n >> 1).ok()?)?;
        }
        Some(Self { times, pages, bytes: bytes.get(at..)? })
    }

    /// Number of series.
    pub fn width(&self) -> usize {
        self.pages.len()
    }

    /// The values of a series, appended to `out`.
    pub fn values(&self, s: usize, out: &mut Vec<u64>) -> Option<()> {
        let (start, moves) = *self.pages.get(s)?;
        let page = self.bytes.get(start as usize..)?;
        let rows = self.times.len();
        if !moves {
            let (value, _) = token(page, &mut 0, 0, RAW)?;
            out.resize(out.len() + rows, value);
            return Some(());
        }
        let kind = *page.first()?;
        match kind {
            ALL => {
                let mut at = 1;
                let (mut value, mut scale) = token(page, &mut at, 0, RAW)?;
                for _ in 0..rows {
                    (value, scale) = token(page, &mut at, value, scale)?;
                    out.push(value);
                }
            }
            SOME => {
                let mut at = 1 + rows.div_ceil(8);
                let (mut value, mut scale) = token(page, &mut at, 0, RAW)?;
                for row in 0..rows {
                    if page.get(1 + row / 8)? >> (row % 8) & 1 == 1 {
                        (value, scale) = token(page, &mut at, value, scale)?;
                    }
                    out.push(value);
                }
            }
            FEW => {
                let mut at = 1;
                let count = varint(page, &mut at)?;
                let mut gaps = at;
                for _ in 0..count {
                    varint(page, &mut at)?;
                }
                let (mut value, mut scale) = token(page, &mut at, 0, RAW)?;
                let (first, mut row) = (out.len(), 0usize);
                for _ in 0..count {
                    row += usize::try_from(varint(page, &mut gaps)?).ok()?;
                    if row >= rows {
                        return None;
                    }
                    out.resize(first + row, value);
                    (value, scale) = token(page, &mut at, value, scale)?;
                    out.push(value);
                }
                out.resize(first + rows, value);
            }
            _ => return None,
        }
        Some(())
    }
}
