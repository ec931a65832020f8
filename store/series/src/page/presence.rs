//! Which rows of a page have a value. Pure.

use crate::codec::{Cursor, put_varint};

const ALL: u8 = 0;
const RUNS: u8 = 1;
const BITS: u8 = 2;

/// Which rows have a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Every row.
    #[default]
    All,
    /// A bit per row, lowest first.
    Some(Vec<u64>),
}

impl Presence {
    /// No row at all.
    pub(crate) fn none(rows: usize) -> Self {
        Self::Some(vec![0; rows.div_ceil(64)])
    }

    #[cfg(test)]
    pub(crate) fn of(present: &[bool]) -> Self {
        let mut out = Self::none(present.len());
        present.iter().enumerate().filter(|(_, p)| **p).for_each(|(i, _)| out.set(i));
        out.tidy(present.len());
        out
    }

    /// Marks a row; only for presence that began with [`Presence::none`].
    #[inline]
    pub(crate) fn set(&mut self, row: usize) {
        if let Self::Some(words) = self {
            words[row / 64] |= 1 << (row % 64);
        }
    }

    /// Becomes [`Presence::All`] where every row is marked.
    pub(crate) fn tidy(&mut self, rows: usize) {
        if self.count(rows) == rows {
            *self = Self::All;
        }
    }

    #[inline]
    pub(crate) fn has(&self, row: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(words) => words.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1),
        }
    }

    /// How many of so many rows have a value.
    pub(crate) fn count(&self, rows: usize) -> usize {
        self.before(rows)
    }

    /// How many rows before this one have a value.
    pub(crate) fn before(&self, row: usize) -> usize {
        match self {
            Self::All => row,
            Self::Some(words) => {
                let whole: usize = words.iter().take(row / 64).map(|w| w.count_ones() as usize).sum();
                let part = words.get(row / 64).map_or(0, |w| (w & ((1 << (row % 64)) - 1)).count_ones() as usize);
                whole + part
            }
        }
    }

    /// The rows that have a value, of so many.
    pub(crate) fn rows(&self, rows: usize) -> impl Iterator<Item = usize> + '_ {
        (0..rows).filter(|row| self.has(*row))
    }

    /// Writes it, as runs or bits, whichever is smaller; returns its kind.
    pub(crate) fn put(&self, out: &mut Vec<u8>) -> u8 {
        let Self::Some(words) = self else { return ALL };
        let mut runs = Vec::new();
        let (mut before, mut length) = (false, 0u64);
        for row in 0..words.len() * 64 {
            if self.has(row) != before {
                put_varint(&mut runs, length);
                (before, length) = (!before, 0);
            }
            length += 1;
        }
        if before {
            put_varint(&mut runs, length);
        }
        if runs.len() < words.len() * 8 {
            put_varint(out, runs.len() as u64);
            out.extend_from_slice(&runs);
            return RUNS;
        }
        words.iter().for_each(|w| out.extend_from_slice(&w.to_le_bytes()));
        BITS
    }

    pub(crate) fn read(kind: u8, cursor: &mut Cursor<'_>, rows: usize) -> Option<Self> {
        let words = rows.div_ceil(64);
        match kind {
            ALL => Some(Self::All),
            BITS => (0..words).map(|_| cursor.u64()).collect::<Option<Vec<_>>>().map(Self::Some),
            RUNS => {
                let length = cursor.length(rows * 2 + 16)?;
                let mut runs = Cursor::new(cursor.take(length)?);
                let mut out = Self::none(rows);
                let (mut row, mut present) = (0usize, false);
                while !runs.rest().is_empty() {
                    let end = row.checked_add(usize::try_from(runs.varint()?).ok()?)?;
                    if present {
                        (row..end.min(rows)).for_each(|r| out.set(r));
                    }
                    (row, present) = (end, !present);
                }
                Some(out)
            }
            _ => None,
        }
    }
}
