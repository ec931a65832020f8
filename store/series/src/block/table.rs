//! The table of a block's series: labels, where the run of each is, and the short runs themselves. Pure.
//!
//! What is alike stands together, so that zstd finds it: labels, columns, lengths, short runs, checksums. A short run (of a series that never
//! moved) would cost more for its checksum than for its bytes; in the table, that of the frame is enough, and the file need not be read again.

use super::CHUNK_SERIES;
use crate::codec::{Cursor, put_varint, unzigzag, zigzag};
use crate::limits::LABELS;

/// A run of at most so many bytes stands in the table.
pub(super) const WITHIN_BYTES: usize = 32;

/// A series in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Pairs of symbols, sorted by label.
    pub(super) symbols: Box<[(u32, u32)]>,
    /// Where its run is in the file.
    pub(super) offset: u64,
    /// Bytes of the run in the file.
    pub(super) length: u32,
    /// Their checksum.
    pub(super) crc: u32,
    /// Columns of times with the length of the page over them.
    pub(super) pages: Box<[(u32, u32)]>,
    /// The run itself, where it is short.
    pub(super) within: Option<Box<[u8]>>,
}

impl Entry {
    /// Bytes that it takes in memory.
    pub(super) fn heap(&self) -> usize {
        80 + self.symbols.len() * 8 + self.pages.len() * 8 + self.within.as_ref().map_or(0, |run| run.len() + 16)
    }

    /// Whether these are the bytes of its run.
    pub(super) fn is_right(&self, run: &[u8]) -> bool {
        // What stands in the table was compared with it.
        self.within.is_some() || crc32fast::hash(run) == self.crc
    }
}

/// Writes some series, of which the first run in the file is at this offset.
pub(super) fn put(entries: &[Entry], offset: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, entries.len() as u64);
    put_varint(&mut out, offset);
    let mut before: &[(u32, u32)] = &[];
    for entry in entries {
        let shared = before.iter().zip(&entry.symbols).take_while(|(a, b)| a == b).count();
        put_varint(&mut out, shared as u64);
        put_varint(&mut out, (entry.symbols.len() - shared) as u64);
        for (name, value) in &entry.symbols[shared..] {
            put_varint(&mut out, u64::from(*name));
            put_varint(&mut out, u64::from(*value));
        }
        before = &entry.symbols;
    }
    let mut first = 0;
    for entry in entries {
        put_varint(&mut out, entry.pages.len() as u64);
        let mut last = first;
        for (column, _) in &entry.pages {
            put_varint(&mut out, zigzag(i64::from(*column) - i64::from(last)));
            last = *column;
        }
        first = entry.pages.first().map_or(first, |(column, _)| *column);
    }
    for entry in entries {
        entry.pages.iter().for_each(|(_, length)| put_varint(&mut out, u64::from(*length)));
    }
    for entry in entries {
        let all = entry.within.as_ref().map_or(entry.length as usize, |run| run.len());
        let pages: usize = entry.pages.iter().map(|(_, length)| *length as usize).sum();
        put_varint(&mut out, (all - pages) as u64);
    }
    entries.iter().filter_map(|e| e.within.as_deref()).for_each(|run| out.extend_from_slice(run));
    entries.iter().filter(|e| e.within.is_none()).for_each(|e| out.extend_from_slice(&e.crc.to_le_bytes()));
    out
}

/// Reads what [`put`] wrote; `None` when it is damaged.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut cursor = Cursor::new(bytes);
    let count = cursor.length(CHUNK_SERIES as usize)?;
    let mut offset = cursor.varint()?;
    let mut all: Vec<Entry> = Vec::with_capacity(count);
    for _ in 0..count {
        let symbols = symbols(&mut cursor, all.last().map_or(&[], |e| &e.symbols))?;
        all.push(Entry { symbols, offset: 0, length: 0, crc: 0, pages: Box::default(), within: None });
    }
    let mut first = 0i64;
    for entry in &mut all {
        // Each page takes a byte for its column and one for its length.
        let pages = cursor.length(bytes.len())?;
        let mut last = first;
        let columns = (0..pages).map(|_| {
            last = last.checked_add(unzigzag(cursor.varint()?))?;
            Some((u32::try_from(last).ok()?, 0))
        });
        entry.pages = columns.collect::<Option<_>>()?;
        first = entry.pages.first().map_or(first, |(column, _)| i64::from(*column));
    }
    for (_, length) in all.iter_mut().flat_map(|e| &mut e.pages) {
        *length = u32::try_from(cursor.varint()?).ok()?;
    }
    for entry in &mut all {
        let mut length = u32::try_from(cursor.varint()?).ok()?;
        for (_, page) in &entry.pages {
            length = length.checked_add(*page)?;
        }
        (entry.offset, entry.length) = (offset, length);
        if length as usize > WITHIN_BYTES {
            offset = offset.checked_add(u64::from(length))?;
        }
    }
    for entry in all.iter_mut().filter(|e| e.length as usize <= WITHIN_BYTES) {
        entry.within = Some(cursor.take(entry.length as usize)?.into());
        entry.length = 0;
    }
    for entry in all.iter_mut().filter(|e| e.within.is_none()) {
        entry.crc = cursor.u32()?;
    }
    Some(all)
}

fn symbols(cursor: &mut Cursor<'_>, before: &[(u32, u32)]) -> Option<Box<[(u32, u32)]>> {
    let shared = cursor.length(before.len())?;
    let mut symbols = before[..shared].to_vec();
    for _ in 0..cursor.length(LABELS)? {
        symbols.push((u32::try_from(cursor.varint()?).ok()?, u32::try_from(cursor.varint()?).ok()?));
    }
    Some(symbols.into())
}

/// Reads a table in which series stand one after the other, with a checksum each; `None` when it is damaged.
pub(super) fn read_2(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut cursor = Cursor::new(bytes);
    let count = cursor.length(CHUNK_SERIES as usize)?;
    let mut offset = cursor.varint()?;
    let mut out: Vec<Entry> = Vec::with_capacity(count);
    for _ in 0..count {
        let symbols = symbols(&mut cursor, out.last().map_or(&[], |e| &e.symbols))?;
        let length = u32::try_from(cursor.varint()?).ok()?;
        let crc = cursor.u32()?;
        let pages = cursor.length(bytes.len())?;
        let mut times = 0u64;
        let pages = (0..pages).map(|_| {
            times = times.wrapping_add(unzigzag(cursor.varint()?) as u64);
            Some((u32::try_from(times).ok()?, u32::try_from(cursor.varint()?).ok()?))
        });
        let pages = pages.collect::<Option<Box<[_]>>>()?;
        out.push(Entry { symbols, offset, length, crc, pages, within: None });
        offset = offset.checked_add(u64::from(length))?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Made = (Vec<(u32, u32)>, Vec<(u32, u32)>, u32, u32);

    /// Entries of a chunk as they follow one another.
    fn entries(made: Vec<Made>, mut offset: u64) -> Vec<Entry> {
        let entry = |(symbols, pages, more, crc): Made| {
            let length = pages.iter().map(|(_, length)| *length).sum::<u32>() + more;
            let short = length as usize <= WITHIN_BYTES;
            let at = offset;
            offset += if short { 0 } else { u64::from(length) };
            let within = short.then(|| (0..length).map(|n| n as u8).collect());
            let (length, crc) = if short { (0, 0) } else { (length, crc) };
            Entry { symbols: symbols.into(), offset: at, length, crc, pages: pages.into(), within }
        };
        made.into_iter().map(entry).collect()
    }

    proptest! {
        #[test]
        fn a_table_comes_back(
            made in prop::collection::vec(
                (
                    prop::collection::vec((0u32..5, any::<u32>()), 0..6),
                    prop::collection::vec((any::<u32>(), prop_oneof![0u32..12, 0u32..4_000]), 0..5),
                    prop_oneof![Just(0u32), 0u32..300],
                    any::<u32>(),
                ),
                0..=CHUNK_SERIES as usize,
            ),
            offset in 0u64..1 << 50,
        ) {
            let all = entries(made, offset);
            prop_assert_eq!(read(&put(&all, offset)), Some(all));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (read(&bytes), read_2(&bytes));
        }
    }

    #[test]
    fn a_table_of_before_is_read() {
        // One series, at 900: pair (1, 2), a run of 40 bytes with a checksum, two pages over columns 3 and 5.
        let bytes = [&[1, 0x84, 7, 0, 1, 1, 2, 40][..], &9u32.to_le_bytes(), &[2, 6, 30, 4, 10]].concat();
        let (symbols, pages) = (Box::from([(1, 2)]), Box::from([(3, 30), (5, 10)]));
        let expected = Entry { symbols, offset: 900, length: 40, crc: 9, pages, within: None };
        assert_eq!(read_2(&bytes), Some(vec![expected]));
    }
}
