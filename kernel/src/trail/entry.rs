//! The chain: each entry's hash covers its place, the hash before it and what was done. Pure.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::Deed;

/// What the hash of an entry begins with, so that it can never be the hash of anything else. A change of the form of entries
/// changes this name.
pub const DOMAIN: &[u8] = b"farero.trail.entry.v1\0";

/// A SHA-256 hash; printed and read as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What stands before the first entry.
    pub const ZERO: Self = Self([0; 32]);

    /// From its bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of some bytes alone: of a document, a plan, a key.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From 64 lower-case digits; `None` for anything else, so that one hash has one spelling only.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |c: u8| match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut out = [0; 32];
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(out))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut out = [0; 64];
        for (pair, byte) in out.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.pad(std::str::from_utf8(&out).unwrap_or_default())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self:.12}…)")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("64 lower-case hexadecimal digits are needed"))
    }
}

/// Where a chain ends: what the next entry goes on from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Number of the last entry; 0 when there is none.
    pub sequence: u64,
    /// Its hash; zeros when there is none.
    pub hash: Hash,
}

impl Head {
    /// Before the first entry.
    pub const START: Self = Self { sequence: 0, hash: Hash::ZERO };
}

/// A deed in its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: 1, 2, 3, … without a gap.
    pub sequence: u64,
    /// Hash of the entry before it.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
    /// The deed's canonical JSON, byte by byte as it was hashed.
    pub text: String,
}

impl Entry {
    /// The deed.
    ///
    /// # Errors
    /// It was written by a newer Farero whose deeds this one does not know; the entry can be verified all the same.
    pub fn deed(&self) -> Result<Deed, serde_json::Error> {
        Deed::from_json(&self.text)
    }

    /// The chain's end after this entry.
    pub const fn head(&self) -> Head {
        Head { sequence: self.sequence, hash: self.hash }
    }

    /// The hash of the deed alone.
    pub fn content(&self) -> Hash {
        Hash::of(self.text.as_bytes())
    }

    /// The hash that it should have.
    pub fn expected_hash(&self) -> Hash {
        hash_entry(self.sequence, &self.previous, &self.content())
    }
}

/// SHA-256 over [`DOMAIN`], the sequence (8 bytes, big-endian), the hash before (32 bytes) and the SHA-256 of the deed's
/// canonical JSON (32 bytes).
///
/// The deed itself enters by its own hash so that an excerpt can leave a deed out and still show, by that hash alone, that
/// nothing is missing in the chain.
pub fn hash_entry(sequence: u64, previous: &Hash, content: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    hasher.update(sequence.to_be_bytes());
    hasher.update(previous.0);
    hasher.update(content.0);
    Hash(hasher.finalize().into())
}

/// Puts a deed at the end of a chain.
pub fn chain(head: &Head, deed: &Deed) -> Entry {
    let (sequence, previous, text) = (head.sequence + 1, head.hash, deed.to_json());
    Entry { sequence, previous, hash: hash_entry(sequence, &previous, &Hash::of(text.as_bytes())), text }
}
