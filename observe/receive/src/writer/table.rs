//! Which series of the store belongs to the bytes of its labels, as a sender sends them. Pure.
//!
//! About 27 bytes for each series; the labels' text is not kept. Two sets of bytes could be taken for one another only if a hash of 64
//! bits with a key of this process, and the length, were the same: for a million series about once in 10^8 runs.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use kernel::series::{GroupId, SeriesRef};

/// A series that was not written for this long to twice as long is forgotten; when it comes again, its labels are read once
/// more. As long as the store keeps a group in memory that nothing is written to.
pub(crate) const TURN_MS: i64 = 2 * 3_600_000;

/// The hash of a series' labels as sent, and their length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    hash: [u32; 2],
    length: u32,
}

impl Key {
    fn new(hash: u64, length: usize) -> Self {
        Self { hash: [hash as u32, (hash >> 32) as u32], length: length as u32 }
    }

    #[inline]
    pub(crate) fn hash(self) -> u64 {
        u64::from(self.hash[0]) | u64::from(self.hash[1]) << 32
    }
}

/// Hashes with a key of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(foldhash::quality::RandomState);

impl Keys {
    /// The key of labels that lie in one piece.
    #[inline]
    pub(crate) fn of(&self, bytes: &[u8]) -> Key {
        Key::new(self.part(bytes), bytes.len())
    }

    /// The hash of a part of a key: a symbol of remote-write 2.0.
    #[inline]
    pub(crate) fn part(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }

    /// The key of labels that come as parts.
    #[inline]
    pub(crate) fn of_parts(&self, parts: impl Iterator<Item = u64>) -> Key {
        let mut hasher = self.0.build_hasher();
        let mut count = 0;
        for part in parts {
            hasher.write_u64(part);
            count += 1;
        }
        // No labels in one piece are that long: keys of the two kinds never meet.
        Key::new(hasher.finish(), count | 1 << 31)
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: Key,
    group: u32,
    column: u32,
}

impl Entry {
    fn series(&self) -> SeriesRef {
        SeriesRef { group: GroupId(self.group), column: self.column }
    }
}

/// Series in the order in which they came first, and an index by key.
///
/// Senders send their series in much the same order every time, so the one after the last found is tried first: that reads memory
/// in sequence, where the index would miss the cache twice for each series.
#[derive(Debug, Default)]
struct Half {
    entries: Vec<Entry>,
    index: HashTable<u32>,
}

impl Half {
    #[inline]
    fn find(&self, key: Key, next: &mut usize) -> Option<SeriesRef> {
        if let Some(entry) = self.entries.get(*next).filter(|entry| entry.key == key) {
            *next += 1;
            return Some(entry.series());
        }
        self.search(key, next)
    }

    fn search(&self, key: Key, next: &mut usize) -> Option<SeriesRef> {
        let found = self.index.find(key.hash(), |at| self.entries.get(*at as usize).is_some_and(|e| e.key == key))?;
        *next = *found as usize + 1;
        self.entries.get(*found as usize).map(Entry::series)
    }

    /// Whether it is new.
    fn insert(&mut self, entry: Entry) -> bool {
        let Self { entries, index } = self;
        let same = |at: &u32| entries.get(*at as usize).is_some_and(|e| e.key == entry.key);
        if let Some(at) = index.find(entry.key.hash(), same) {
            if let Some(known) = entries.get_mut(*at as usize) {
                *known = entry;
            }
            return false;
        }
        let hash = |at: &u32| entries.get(*at as usize).map_or(0, |e| e.key.hash());
        index.insert_unique(entry.key.hash(), entries.len() as u32, hash);
        entries.push(entry);
        true
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        let entries = std::mem::take(&mut self.entries);
        self.index.clear();
        for entry in entries.into_iter().filter(keep) {
            self.insert(entry);
        }
    }
}

/// The series of one sender.
#[derive(Debug, Default)]
pub(crate) struct Table {
    young: Half,
    old: Half,
    /// How many of the old ones are young too.
    both: usize,
    turned_ms: Option<i64>,
}

impl Table {
    /// The series with that key, and whether it has to be kept young ([`Table::insert`]). `next` is where the series of the same
    /// request before it was, 0 at first.
    #[inline]
    pub(crate) fn get(&self, key: Key, next: &mut usize) -> Option<(SeriesRef, bool)> {
        if let Some(series) = self.young.find(key, next) {
            return Some((series, false));
        }
        if self.old.entries.is_empty() {
            return None;
        }
        self.old.search(key, &mut 0).map(|series| (series, true))
    }

    pub(crate) fn insert(&mut self, key: Key, series: SeriesRef) {
        let new = self.young.insert(Entry { key, group: series.group.0, column: series.column });
        if new && self.old.search(key, &mut 0).is_some() {
            self.both += 1;
        }
    }

    /// Forgets what leads into groups that the store does not know any more.
    pub(crate) fn forget(&mut self, gone: impl Fn(GroupId) -> bool) {
        self.young.retain(|e| !gone(GroupId(e.group)));
        self.old.retain(|e| !gone(GroupId(e.group)));
        let young = &self.young;
        self.both = self.old.entries.iter().filter(|e| young.search(e.key, &mut 0).is_some()).count();
    }

    /// How many series.
    pub(crate) fn len(&self) -> usize {
        self.young.entries.len() + self.old.entries.len() - self.both
    }

    /// Whether it is time for [`Table::turn`].
    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        self.turned_ms.is_none_or(|at| now_ms.saturating_sub(at) >= TURN_MS)
    }

    /// Drops what has not been seen since the turn before.
    pub(crate) fn turn(&mut self, now_ms: i64) {
        if self.turned_ms.replace(now_ms).is_some() {
            self.old = std::mem::take(&mut self.young);
            self.both = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_for_two_turns_is_forgotten() {
        assert_eq!(size_of::<Entry>(), 20);
        let keys = Keys::default();
        let mut table = Table::default();
        let series = |n: u32| SeriesRef { group: GroupId(n / 10), column: n };
        table.turn(0);
        for n in 0..100u32 {
            table.insert(keys.of(&n.to_le_bytes()), series(n));
        }
        assert!(!table.is_due(TURN_MS - 1) && table.is_due(TURN_MS));
        table.turn(TURN_MS);
        assert_eq!(table.len(), 100);
        for n in 0..50u32 {
            let key = keys.of(&n.to_le_bytes());
            assert_eq!(table.get(key, &mut 0), Some((series(n), true)));
            table.insert(key, series(n));
        }
        table.turn(2 * TURN_MS);
        assert_eq!(table.len(), 50);
        table.forget(|group| group.0 == 0);
        assert_eq!((table.len(), table.get(keys.of(&9u32.to_le_bytes()), &mut 0)), (40, None));
        assert_ne!(keys.of_parts([1, 2].into_iter()), keys.of_parts([2, 1].into_iter()));
    }
}
