//! What was deleted from a block: a small file beside it, until the block is written anew without it. I/O.

use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use kernel::series::SeriesError;

use crate::codec::{Cursor, put_varint, unzigzag, zigzag};
use crate::files::{replace, storage, sync_folder};
use crate::frame::{frame, put_frame};

/// Kind of the frame that holds everything.
const DELETED: u8 = 1;

/// Deleted ranges by series: milliseconds, both ends inclusive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tombstones {
    /// Checksum of the end of the block it belongs to: a block written anew under the same name has another.
    block: u32,
    ranges: HashMap<u32, Vec<(i64, i64)>>,
}

fn beside(block: &Path) -> PathBuf {
    block.with_extension("deleted")
}

impl Tombstones {
    /// What was deleted from a block whose end has this checksum.
    pub(crate) fn open(block: &Path, checksum: u32) -> Result<Self, SeriesError> {
        let path = beside(block);
        let bytes = match crate::disk::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { block: checksum, ranges: HashMap::new() });
            }
            Err(e) => return Err(storage("read what was deleted", &path, &e)),
        };
        let read = frame(&bytes).filter(|(kind, _)| *kind == DELETED).and_then(|(_, payload)| Self::read(payload));
        let damaged = || SeriesError::Storage(format!("{}: what was deleted is damaged", path.display()));
        let read = read.ok_or_else(damaged)?;
        if read.block == checksum { Ok(read) } else { Ok(Self { block: checksum, ranges: HashMap::new() }) }
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut out = Self { block: cursor.u32()?, ranges: HashMap::new() };
        for _ in 0..cursor.length(bytes.len())? {
            let series = u32::try_from(cursor.varint()?).ok()?;
            let count = cursor.length(bytes.len())?;
            let ranges = (0..count).map(|_| Some((unzigzag(cursor.varint()?), unzigzag(cursor.varint()?))));
            out.ranges.insert(series, ranges.collect::<Option<_>>()?);
        }
        Some(out)
    }

    /// Writes it beside a block.
    pub(crate) fn save(&self, block: &Path) -> Result<(), SeriesError> {
        let path = beside(block);
        let (mut payload, mut bytes) = (Vec::new(), Vec::new());
        payload.extend_from_slice(&self.block.to_le_bytes());
        put_varint(&mut payload, self.ranges.len() as u64);
        for (series, ranges) in &self.ranges {
            put_varint(&mut payload, u64::from(*series));
            put_varint(&mut payload, ranges.len() as u64);
            for (from, to) in ranges {
                put_varint(&mut payload, zigzag(*from));
                put_varint(&mut payload, zigzag(*to));
            }
        }
        put_frame(&mut bytes, DELETED, &payload);
        replace("write what is deleted", &path, &bytes)?;
        sync_folder(path.parent().unwrap_or(Path::new(".")))
    }

    /// The checksum of the end of the block it belongs to.
    pub(crate) fn block(&self) -> u32 {
        self.block
    }

    pub(crate) fn add(&mut self, series: u32, from: i64, to: i64) {
        self.ranges.entry(series).or_default().push((from, to));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges of a series.
    pub(crate) fn of(&self, series: u32) -> &[(i64, i64)] {
        self.ranges.get(&series).map_or(&[], Vec::as_slice)
    }
}

/// Deletes what was deleted from a block that is gone.
pub(crate) fn forget(block: &Path) -> Result<(), SeriesError> {
    crate::files::delete(&beside(block))
}

/// Whether a time lies in one of the ranges.
pub(crate) fn is_deleted(ranges: &[(i64, i64)], t_ms: i64) -> bool {
    ranges.iter().any(|(from, to)| (*from..=*to).contains(&t_ms))
}
