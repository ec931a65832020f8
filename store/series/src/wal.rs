//! The write-ahead log: rows are here before anyone is told that they are taken. I/O.
//!
//! Numbered segments of frames, one frame per commit. A segment is deleted once a block holds all of its rows.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use kernel::series::{GroupId, Row, SeriesError};

use crate::codec::{Cursor, body, put_body, put_value, put_varint, unzigzag, zigzag};
use crate::files::{delete, numbered, storage, sync_folder};
use crate::frame::{put_frame, scan};
use crate::limits::{FRAME_BYTES, GROUP_SERIES, SEGMENT_BYTES};

/// Ending of a segment's name.
pub(crate) const ENDING: &str = ".wal";
/// First bytes of a segment.
const MAGIC: &[u8; 8] = b"FAROWAL1";
/// Kind of the frames that hold rows.
const ROWS: u8 = 1;

/// The segment that is written to.
pub(crate) struct Wal {
    folder: PathBuf,
    number: u64,
    file: Option<File>,
    /// Bytes known to be durable; what lies behind them after a failure is cut off.
    length: u64,
}

impl Wal {
    /// Goes on in a new segment of this number.
    pub(crate) fn new(folder: &Path, number: u64) -> Self {
        Self { folder: folder.to_owned(), number, file: None, length: 0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{:010}{ENDING}", self.number))
    }

    /// Writes rows and returns when they are durable.
    ///
    /// # Errors
    /// Nothing was kept; the next call begins where this one did.
    pub(crate) fn append(&mut self, rows: &[&Row]) -> Result<(), SeriesError> {
        if self.length >= SEGMENT_BYTES {
            self.rotate();
        }
        let mut bytes = Vec::new();
        put_frame(&mut bytes, ROWS, &encode_rows(rows));
        let path = self.path();
        let written = self.write(&bytes);
        if let Err(error) = written {
            // Whether any of it reached the disk is unknown: cut it off, or leave the segment behind for good.
            let length = self.length;
            let cut = self.file.as_mut().is_some_and(|f| {
                f.set_len(length).and_then(|()| f.seek(SeekFrom::Start(length))).and_then(|_| f.sync_data()).is_ok()
            });
            if !cut {
                self.rotate();
            }
            return Err(storage("write the log", &path, &error));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.file.is_none() {
            let path = self.path();
            let mut file = File::options().create(true).truncate(true).write(true).open(&path)?;
            file.write_all(MAGIC)?;
            file.sync_all()?;
            File::open(&self.folder)?.sync_all()?;
            self.length = MAGIC.len() as u64;
            self.file = Some(file);
        }
        let Some(file) = self.file.as_mut() else { return Ok(()) };
        file.write_all(bytes)?;
        file.sync_data()
    }

    /// Ends the segment, if anything was written to it, and returns the number of the last one that holds rows.
    pub(crate) fn rotate(&mut self) -> u64 {
        if self.file.take().is_some() {
            self.number += 1;
            self.length = 0;
        }
        self.number - 1
    }

    /// Deletes the segments up to a number.
    pub(crate) fn drop_through(&self, number: u64) -> Result<(), SeriesError> {
        drop_through(&self.folder, number)
    }
}

/// Deletes the segments up to a number.
pub(crate) fn drop_through(folder: &Path, number: u64) -> Result<(), SeriesError> {
    let old: Vec<_> = numbered(folder, ENDING)?.into_iter().filter(|(n, _)| *n <= number).collect();
    for (_, path) in &old {
        delete(path)?;
    }
    if old.is_empty() { Ok(()) } else { sync_folder(folder) }
}

/// What a segment held.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// Bytes at the end that were torn off while being written.
    pub(crate) torn: u64,
    /// What is damaged, for people.
    pub(crate) damage: Vec<String>,
}

/// Reads a segment and hands out its rows in the order they were written.
///
/// # Errors
/// The file cannot be read; damage inside it is no error.
pub(crate) fn read_segment(path: &Path, mut take: impl FnMut(Row)) -> Result<Replay, SeriesError> {
    let bytes = std::fs::read(path).map_err(|e| storage("read the log", path, &e))?;
    let mut out = Replay::default();
    let start = if bytes.starts_with(MAGIC) { MAGIC.len() } else { 0 };
    let found = scan(&bytes, start);
    if start == 0 && !found.frames.is_empty() {
        out.damage.push(format!("{}: the first bytes are not a log's", path.display()));
    }
    out.torn = (bytes.len() - found.end) as u64;
    for (at, length) in found.damaged {
        out.damage.push(format!("{}: {length} bytes at {at} are damaged", path.display()));
    }
    for (kind, payload) in found.frames {
        if kind != ROWS || decode_rows(payload, &mut take).is_none() {
            out.damage.push(format!("{}: a frame of kind {kind} is not understood", path.display()));
        }
    }
    Ok(out)
}

/// Rows, each by itself: damage to one frame never changes what another one means.
fn encode_rows(rows: &[&Row]) -> Vec<u8> {
    let mut plain = Vec::new();
    put_varint(&mut plain, rows.len() as u64);
    let mut last_ms = 0i64;
    for row in rows {
        put_varint(&mut plain, u64::from(row.group.0));
        put_varint(&mut plain, zigzag(row.t_ms.wrapping_sub(last_ms)));
        last_ms = row.t_ms;
        put_varint(&mut plain, row.values.len() as u64);
        row.values.iter().for_each(|v| put_value(&mut plain, v.map(f64::to_bits)));
    }
    let mut out = Vec::new();
    put_body(&mut out, &plain);
    out
}

fn decode_rows(payload: &[u8], take: &mut impl FnMut(Row)) -> Option<()> {
    let plain = body(payload, FRAME_BYTES)?;
    let mut cursor = Cursor::new(&plain);
    let count = cursor.length(plain.len())?;
    let mut t_ms = 0i64;
    for _ in 0..count {
        let group = GroupId(u32::try_from(cursor.varint()?).ok()?);
        t_ms = t_ms.wrapping_add(unzigzag(cursor.varint()?));
        let width = cursor.length(GROUP_SERIES)?;
        let values = (0..width).map(|_| cursor.value().map(|v| v.map(f64::from_bits))).collect::<Option<_>>()?;
        take(Row { group, t_ms, values });
    }
    Some(())
}
