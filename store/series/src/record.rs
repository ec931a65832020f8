//! The records of the log: what changed in one group. Pure.
//!
//! Each begins with its kind, its group and the low 7 bits of its number in the group, by which a gap is noticed.

use crate::bitmap::Bitmap;
use crate::codec::{Cursor, put_varint, unzigzag, zigzag};
use crate::extra::Extra;
use crate::group::Group;
use crate::token::{RAW, Token, put_absolute, token};

/// Cells of the newest row, or of a new one, as logs of before December 2026 have them.
pub(crate) const ROW: u8 = 1;
/// Everything that later records go on from.
pub(crate) const KEY: u8 = 2;
/// Numbers older than the newest row.
pub(crate) const LATE: u8 = 3;
/// A histogram.
pub(crate) const HISTOGRAM: u8 = 4;
/// When a counter began.
pub(crate) const START: u8 = 5;
/// An exemplar.
pub(crate) const EXEMPLAR: u8 = 6;
/// Cells of the newest row, or of a new one.
pub(crate) const CELLS: u8 = 7;

/// The row is new.
pub(crate) const NEW: u8 = 1;
/// All series that are alive have a value in it.
pub(crate) const FULL: u8 = 2;
/// Series that were not alive have a value in it.
pub(crate) const FRESH: u8 = 4;

/// Begins a record; the number is that of the record itself.
pub(crate) fn put_head(out: &mut Vec<u8>, kind: u8, group: u32, seq: u64) {
    out.push(kind);
    put_varint(out, u64::from(group));
    out.push((seq & 0x7f) as u8);
}

/// Writes places that ascend: as bits, or as gaps where these are shorter.
pub(crate) fn put_places(out: &mut Vec<u8>, places: &[u32], words: usize) {
    let gaps = places.len() + places.last().map_or(0, |last| *last as usize / 128);
    if gaps >= words * 8 {
        out.push(0);
        let at = out.len();
        out.resize(at + words * 8, 0);
        places.iter().for_each(|p| out[at + *p as usize / 8] |= 1 << (p % 8));
        return;
    }
    out.push(1);
    put_varint(out, places.len() as u64);
    let mut before = 0;
    for place in places {
        put_varint(out, u64::from(place - before));
        before = *place;
    }
}

/// Reads what [`put_places`] wrote; each place is below `width`.
pub(crate) fn places(cursor: &mut Cursor<'_>, width: usize, out: &mut Vec<u32>) -> Option<()> {
    out.clear();
    match cursor.byte()? {
        0 => {
            let bytes = cursor.take(width.div_ceil(64) * 8)?;
            let words = bytes.chunks_exact(8).map(|w| u64::from_le_bytes(w.try_into().unwrap_or_default()));
            for (i, word) in words.enumerate() {
                out.extend(crate::bitmap::ones(&[word]).map(|bit| (i * 64 + bit) as u32));
            }
        }
        1 => {
            let mut place = 0u32;
            for _ in 0..cursor.length(width)? {
                place = place.checked_add(u32::try_from(cursor.varint()?).ok()?)?;
                out.push(place);
            }
        }
        _ => return None,
    }
    out.last().is_none_or(|last| (*last as usize) < width).then_some(())
}

/// Writes all that later records of a group go on from.
pub(crate) fn put_key(out: &mut Vec<u8>, id: u32, group: &Group) {
    put_head(out, KEY, id, group.seq);
    put_varint(out, group.seq);
    for t in [group.last_ms, group.before_ms, group.newest_ms, group.floor.1] {
        put_varint(out, zigzag(t));
    }
    put_varint(out, u64::from(group.floor.0));
    out.push(u8::from(group.row_open));
    put_varint(out, group.width() as u64);
    for bits in [&group.alive, &group.seen] {
        put_places(out, &bits.iter().map(|s| s as u32).collect::<Vec<_>>(), group.width().div_ceil(64));
    }
    for s in group.alive.iter() {
        put_absolute(out, group.last[s], group.scale[s]);
    }
    let none = Extra::default();
    let extra = group.extra.as_deref().unwrap_or(&none);
    put_varint(out, extra.newest.len() as u64);
    for (column, t_ms) in &extra.newest {
        put_varint(out, u64::from(*column));
        put_varint(out, zigzag(*t_ms));
    }
    put_varint(out, extra.starts.len() as u64);
    for ((column, t_ms), start) in &extra.starts {
        put_varint(out, u64::from(*column));
        put_varint(out, zigzag(*t_ms));
        put_varint(out, zigzag(*start));
    }
}

/// What a key says.
#[derive(Debug, Default)]
pub(crate) struct Key {
    pub(crate) seq: u64,
    last_ms: i64,
    before_ms: i64,
    newest_ms: i64,
    floor: (u32, i64),
    row_open: bool,
    pub(crate) width: usize,
    alive: Vec<u32>,
    seen: Vec<u32>,
    values: Vec<(u64, u8)>,
    newest: Vec<(u32, i64)>,
    starts: Vec<(u32, i64, i64)>,
}

impl Key {
    /// Reads what stands behind the head that [`put_key`] wrote.
    pub(crate) fn read(cursor: &mut Cursor<'_>, most: usize) -> Option<Self> {
        let seq = cursor.varint()?;
        let mut time = || cursor.varint().map(unzigzag);
        let (last_ms, before_ms, newest_ms, floor_ms) = (time()?, time()?, time()?, time()?);
        let floor = (u32::try_from(cursor.varint()?).ok()?, floor_ms);
        let row_open = cursor.byte()? != 0;
        let width = cursor.length(most)?;
        let mut key = Self { seq, last_ms, before_ms, newest_ms, floor, row_open, width, ..Self::default() };
        places(cursor, width, &mut key.alive)?;
        places(cursor, width, &mut key.seen)?;
        for _ in 0..key.alive.len() {
            let Token::Value(bits, scale) = token(cursor, 0, RAW)? else { return None };
            key.values.push((bits, scale));
        }
        for _ in 0..cursor.length(most)? {
            key.newest.push((u32::try_from(cursor.varint()?).ok()?, unzigzag(cursor.varint()?)));
        }
        for _ in 0..cursor.length(cursor.rest().len())? {
            let column = u32::try_from(cursor.varint()?).ok()?;
            key.starts.push((column, unzigzag(cursor.varint()?), unzigzag(cursor.varint()?)));
        }
        Some(key)
    }

    /// Sets the state of a group, which has nothing open.
    pub(crate) fn apply(self, group: &mut Group) {
        group.widen(self.width);
        (group.seq, group.row_open, group.floor) = (self.seq, self.row_open, self.floor);
        (group.last_ms, group.before_ms, group.newest_ms) = (self.last_ms, self.before_ms, self.newest_ms);
        let bits = |places: &[u32]| {
            let mut out = Bitmap::default();
            out.widen(group.width());
            places.iter().for_each(|s| out.set(*s as usize));
            out
        };
        (group.alive, group.seen) = (bits(&self.alive), bits(&self.seen));
        for (s, (bits, scale)) in self.alive.iter().zip(&self.values) {
            (group.last[*s as usize], group.scale[*s as usize]) = (*bits, *scale);
        }
        if self.newest.is_empty() && self.starts.is_empty() {
            group.extra = None;
            return;
        }
        let extra = group.extra();
        *extra = Extra::default();
        extra.newest.extend(self.newest);
        extra.starts.extend(self.starts.into_iter().map(|(column, t_ms, start)| ((column, t_ms), start)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_come_back(set in prop::collection::btree_set(0u32..2000, 0..200), more in 0usize..100) {
            let all: Vec<u32> = set.into_iter().collect();
            let width = all.last().map_or(0, |l| *l as usize + 1) + more;
            let (mut out, mut back) = (Vec::new(), Vec::new());
            put_places(&mut out, &all, width.div_ceil(64));
            let mut cursor = Cursor::new(&out);
            prop_assert!(places(&mut cursor, width, &mut back).is_some());
            prop_assert!(cursor.rest().is_empty());
            prop_assert_eq!(all, back);
        }
    }
}
