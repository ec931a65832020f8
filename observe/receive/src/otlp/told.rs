//! What a sender said of its metrics: handed on when it is new, and when it has changed. Pure.

use std::hash::BuildHasher;

use hashbrown::HashMap;

use crate::remote_write::MetricType;

/// Families of which it is known what was said, 16 bytes each; with more of them all are told again.
const FAMILIES: usize = 100_000;

/// Hashes of what was said, by the hash of the family.
#[derive(Debug, Default)]
pub(crate) struct Told {
    families: HashMap<u64, u64>,
    hasher: foldhash::quality::RandomState,
}

impl Told {
    /// Whether this was not said before: type, help and unit of a family.
    pub(crate) fn is_news(&mut self, family: &str, said: (MetricType, &str, &str)) -> bool {
        let (kind, help, unit) = said;
        let (family, said) = (self.hasher.hash_one(family), self.hasher.hash_one((kind as u8, help, unit)));
        if self.families.get(&family) == Some(&said) {
            return false;
        }
        if self.families.len() >= FAMILIES {
            self.families.clear();
        }
        self.families.insert(family, said);
        true
    }
}
