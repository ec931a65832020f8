//! The pace of the rows of a column of times: reading it, and writing those that a page needs. I/O.

use std::sync::Arc;

use super::{Block, PACE};
use crate::codec::{Cursor, put_varint};
use crate::limits::PAGE_ROWS;
use crate::page::{Effort, Presence, page, put_page};

/// Where the pace of a column of times of a source is found.
pub(crate) type PaceOfKey = Box<dyn Fn(u64) -> Option<Arc<[u16]>> + Send>;

/// The paces of the columns of a block that is being written.
#[derive(Default)]
pub(super) struct Paces {
    of_key: Option<PaceOfKey>,
    /// By number of the column, with whether a page needs it.
    columns: Vec<Option<(Arc<[u16]>, bool)>>,
    rows: usize,
}

/// Rows of all columns of a block that may have a pace, 2 bytes each: 700 groups of a day at 15 s.
const ROWS: usize = 4 << 20;
/// Where one of several sources has no pace.
const UNKNOWN: u16 = 512;

impl Paces {
    pub(super) fn new(of_key: PaceOfKey) -> Self {
        Self { of_key: Some(of_key), ..Self::default() }
    }

    /// Notes the next column, which consists of these rows of sources.
    pub(super) fn push(&mut self, rows: Option<&[(u64, u32, u32)]>) {
        let found = self.of_key.as_ref().zip(rows).and_then(|(of_key, rows)| joined(of_key, rows));
        let found = found.filter(|pace| self.rows + pace.len() <= ROWS);
        self.rows += found.as_ref().map_or(0, |pace| pace.len());
        self.columns.push(found.map(|pace| (pace, false)));
    }

    pub(super) fn of(&self, column: u32) -> Option<&[u16]> {
        self.columns.get(column as usize)?.as_ref().map(|(pace, _)| &**pace)
    }

    /// Notes that a page needs the pace of this column.
    pub(super) fn need(&mut self, column: u32) {
        if let Some(Some((_, needed))) = self.columns.get_mut(column as usize) {
            *needed = true;
        }
    }

    /// What has to be written for each column, as far as any has.
    pub(super) fn needed(self) -> Vec<Option<Arc<[u16]>>> {
        let mut all: Vec<_> =
            self.columns.into_iter().map(|c| c.filter(|(_, needed)| *needed).map(|(p, _)| p)).collect();
        while all.last().is_some_and(Option::is_none) {
            all.pop();
        }
        all
    }
}

fn joined(of_key: &PaceOfKey, rows: &[(u64, u32, u32)]) -> Option<Arc<[u16]>> {
    let found: Vec<_> = rows.iter().map(|(key, from, to)| (of_key(*key), *from as usize, *to as usize)).collect();
    if found.iter().all(|(pace, _, _)| pace.is_none()) {
        return None;
    }
    let mut out = Vec::new();
    for (pace, from, to) in found {
        match pace.as_ref().and_then(|pace| pace.get(from..to)) {
            Some(some) => out.extend_from_slice(some),
            None => out.resize(out.len() + (to - from), UNKNOWN),
        }
    }
    Some(out.into())
}

/// The body of a pace.
pub(super) fn put(pace: &[u16]) -> Vec<u8> {
    let bits: Vec<u64> = pace.iter().map(|p| f64::from(*p).to_bits()).collect();
    let mut body = Vec::new();
    put_varint(&mut body, pace.len() as u64);
    put_page(&mut body, &Presence::All, &bits, Effort::Compact);
    body
}

/// The pace that [`put`] wrote; `None` when it is damaged.
pub(super) fn read(bytes: &[u8]) -> Option<Arc<[u16]>> {
    let mut cursor = Cursor::new(bytes);
    let count = cursor.length(PAGE_ROWS)?;
    let values = page(cursor.rest(), count).filter(|v| v.bits.len() == count)?;
    let pace = |bits: &u64| {
        let value = f64::from_bits(*bits);
        (value.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(&value)).then_some(value as u16)
    };
    values.bits.iter().map(pace).collect()
}

impl Block {
    /// The pace of the rows of a column of times; `None` when it has none, or it is damaged.
    pub(crate) fn pace(&self, column: u32) -> Option<Arc<[u16]>> {
        if let Some(known) = self.cache.lock().paces.get(&column) {
            return Some(known.clone());
        }
        let (offset, length) = *self.footer.paces.get(column as usize).filter(|(_, length)| *length > 0)?;
        let pace = read(&self.framed(PACE, offset, length)?)?;
        self.note(pace.len() * 2);
        self.cache.lock().paces.insert(column, pace.clone());
        Some(pace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pace_comes_back(pace in prop::collection::vec(any::<u16>(), 1..=PAGE_ROWS)) {
            let pace: Arc<[u16]> = pace.into();
            prop_assert_eq!(read(&put(&pace)), Some(pace));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Some(pace) = read(&bytes) {
                prop_assert!(pace.len() <= PAGE_ROWS);
            }
        }
    }

    #[test]
    fn hostile_counts_are_refused() {
        // A constant page would be as many values as it says.
        let mut bytes = Vec::new();
        put_varint(&mut bytes, 1 << 40);
        bytes.extend_from_slice(&[0, 0, 2]);
        assert_eq!(read(&bytes), None);
    }

    #[test]
    fn columns_are_put_together_from_their_sources() {
        let of_key: PaceOfKey = Box::new(|key| (key < 2).then(|| (0..4).map(|n| n + 10 * key as u16).collect()));
        let mut paces = Paces::new(of_key);
        paces.push(Some(&[(0, 2, 4), (7, 0, 2), (1, 0, 1)]));
        paces.push(Some(&[(7, 0, 2)]));
        paces.push(None);
        assert_eq!(paces.of(0), Some(&[2, 3, UNKNOWN, UNKNOWN, 10][..]));
        assert_eq!((paces.of(1), paces.of(2), paces.of(9)), (None, None, None));
        paces.push(Some(&[(1, 0, 4)]));
        paces.need(0);
        let needed = paces.needed();
        assert_eq!(needed.len(), 1);
        assert_eq!(needed[0].as_ref().map(|p| p.len()), Some(5));
    }
}
