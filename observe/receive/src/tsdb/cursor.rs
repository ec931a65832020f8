//! Reads numbers from bytes: big-endian ones and Go's varints. Pure.

use crate::wire::zigzag;

/// Reads on; what is not there is `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn uvarint(&mut self) -> Option<u64> {
        let mut reader = crate::wire::Reader::new(self.rest);
        let value = reader.varint().ok()?;
        self.rest = reader.rest();
        Some(value)
    }

    pub(super) fn varint(&mut self) -> Option<i64> {
        self.uvarint().map(zigzag)
    }

    /// A length as a varint, and so many bytes.
    pub(super) fn delimited(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.uvarint()?).ok()?;
        self.bytes(length)
    }
}
