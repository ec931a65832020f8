//! Who is who: symbols, series by their labels, postings. Pure.
//!
//! A series keeps its name and private labels as pairs of symbols; what all series of a target share (job, instance) is kept once
//! per group. Postings are lists of series numbers, for the index that a head needs.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};

use crate::bits::{put_varint, varint};
use crate::plain::canonical;

/// Text kept once.
#[derive(Debug, Default)]
struct Symbols {
    text: Vec<u8>,
    ends: Vec<u32>,
    table: HashTable<u32>,
    hashes: RandomState,
}

impl Symbols {
    fn at(text: &[u8], ends: &[u32], i: u32) -> std::ops::Range<usize> {
        let _ = text;
        let start = if i == 0 { 0 } else { ends[i as usize - 1] };
        start as usize..ends[i as usize] as usize
    }

    fn hash(hashes: &RandomState, bytes: &[u8]) -> u64 {
        let mut h = hashes.build_hasher();
        h.write(bytes);
        h.finish()
    }

    fn intern(&mut self, bytes: &[u8]) -> u32 {
        let hash = Self::hash(&self.hashes, bytes);
        let (text, ends) = (&self.text, &self.ends);
        if let Some(i) = self.table.find(hash, |i| &text[Self::at(text, ends, *i)] == bytes) {
            return *i;
        }
        let i = self.ends.len() as u32;
        self.text.extend_from_slice(bytes);
        self.ends.push(self.text.len() as u32);
        let (text, ends, hashes) = (&self.text, &self.ends, &self.hashes);
        self.table.insert_unique(hash, i, |i| Self::hash(hashes, &text[Self::at(text, ends, *i)]));
        i
    }
}

/// All series.
#[derive(Debug, Default)]
pub struct Registry {
    symbols: Symbols,
    /// Group, then pairs of symbols, back to back.
    labels: Vec<u8>,
    ends: Vec<u32>,
    /// Group and column of a series.
    places: Vec<(u32, u32)>,
    table: HashTable<u32>,
    postings: HashMap<(u32, u32), Vec<u32>, RandomState>,
}

impl Registry {
    /// Number of series.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn range(ends: &[u32], i: u32) -> std::ops::Range<usize> {
        let start = if i == 0 { 0 } else { ends[i as usize - 1] };
        start as usize..ends[i as usize] as usize
    }

    /// The column of a series of a group; `next` is the column of a new one. `None`: the key is malformed.
    pub fn series(&mut self, group: u32, key: &[u8], next: u32) -> Option<u32> {
        let (mut pairs, mut text) = (Vec::new(), Vec::new());
        canonical(key, &mut pairs, &mut text)?;
        let mut packed = Vec::with_capacity(16);
        put_varint(&mut packed, u64::from(group));
        let mut symbols = Vec::with_capacity(pairs.len());
        for (name, value) in &pairs {
            let pair = (self.symbols.intern(name), self.symbols.intern(value));
            put_varint(&mut packed, u64::from(pair.0));
            put_varint(&mut packed, u64::from(pair.1));
            symbols.push(pair);
        }
        let hashes = &self.symbols.hashes;
        let hash = Symbols::hash(hashes, &packed);
        let (labels, ends) = (&self.labels, &self.ends);
        if let Some(i) = self.table.find(hash, |i| labels[Self::range(ends, *i)] == packed) {
            return Some(self.places[*i as usize].1);
        }
        let i = self.places.len() as u32;
        self.labels.extend_from_slice(&packed);
        self.ends.push(self.labels.len() as u32);
        self.places.push((group, next));
        let (labels, ends) = (&self.labels, &self.ends);
        self.table.insert_unique(hash, i, |i| Symbols::hash(hashes, &labels[Self::range(ends, *i)]));
        for pair in symbols {
            self.postings.entry(pair).or_default().push(i);
        }
        Some(next)
    }

    /// Symbols of a series' labels.
    pub fn symbols(&self, series: u32) -> Vec<u64> {
        let (bytes, mut at, mut out) = (&self.labels[Self::range(&self.ends, series)], 0, Vec::new());
        while let Some(n) = varint(bytes, &mut at) {
            out.push(n);
        }
        out
    }

    /// Bytes on the heap: symbols, labels with their table, postings.
    pub fn heap(&self) -> (usize, usize, usize) {
        let s = &self.symbols;
        let symbols = s.text.capacity() + s.ends.capacity() * 4 + s.table.allocation_size();
        let labels = self.labels.capacity()
            + self.ends.capacity() * 4
            + self.places.capacity() * 8
            + self.table.allocation_size();
        let postings =
            self.postings.allocation_size() + self.postings.values().map(|v| v.capacity() * 4).sum::<usize>();
        (symbols, labels, postings)
    }
}
