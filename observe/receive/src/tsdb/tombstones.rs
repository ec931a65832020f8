//! What was deleted from a block, but not yet taken out. I/O: reads the file.

use std::collections::HashMap;
use std::path::Path;

use super::TsdbError;
use super::cursor::Cursor;

const MAGIC: u32 = 0x0130_BA30;

/// Ranges of time (milliseconds, both ends inclusive) by series.
#[derive(Debug, Default)]
pub(super) struct Tombstones(HashMap<u64, Vec<(i64, i64)>>);

impl Tombstones {
    /// Reads the file; without one nothing was deleted.
    pub(super) fn read(path: &Path) -> Result<Self, TsdbError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(TsdbError::io(path)(error)),
        };
        Self::parse(&bytes).ok_or_else(|| TsdbError::damaged(path, "it is no list of deleted ranges"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut head = Cursor::new(bytes);
        if head.u32()? != MAGIC || head.array::<1>()? != [1] {
            return None;
        }
        let (body, crc) = bytes.get(5..)?.split_last_chunk::<4>()?;
        if u32::from_be_bytes(*crc) != crc32c::crc32c(body) {
            return None;
        }
        let mut out = Self::default();
        let mut cursor = Cursor::new(body);
        while !cursor.is_empty() {
            let series = cursor.uvarint()?;
            out.0.entry(series).or_default().push((cursor.varint()?, cursor.varint()?));
        }
        Some(out)
    }

    pub(super) fn of(&self, series: u64) -> &[(i64, i64)] {
        self.0.get(&series).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_by_series() {
        let body = [7u8, 20, 40, 7, 1, 2, 9, 0, 0];
        let mut bytes = MAGIC.to_be_bytes().to_vec();
        bytes.push(1);
        bytes.extend(body);
        bytes.extend(crc32c::crc32c(&body).to_be_bytes());
        let read = Tombstones::parse(&bytes).unwrap();
        assert_eq!((read.of(7), read.of(9), read.of(1)), (&[(10, 20), (-1, 1)][..], &[(0, 0)][..], &[][..]));
        bytes[6] ^= 1;
        assert!(Tombstones::parse(&bytes).is_none());
    }
}
