//! The write-ahead log: records are here before anyone is told that samples are taken. I/O.
//!
//! Numbered segments of frames, one frame per commit. Records go on from those before them; each segment begins each of its
//! groups with a key, so that it can be read without the segments before it. A segment is deleted once spans on disk hold all
//! that its records say.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use kernel::series::SeriesError;

use crate::codec::{body, put_body};
use crate::files::{delete, numbered, storage, sync_folder};
use crate::frame::{put_frame, scan};
use crate::limits::{FRAME_BYTES, SEGMENT_BYTES};

/// Ending of a segment's name.
pub(crate) const ENDING: &str = ".wal";
/// First bytes of a segment.
const MAGIC: &[u8; 8] = b"FAROWAL2";
/// Kind of the frames that hold records.
const RECORDS: u8 = 1;

/// A segment that is not written to any more.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    /// The last record of each group in it.
    pub(crate) last: HashMap<u32, u64>,
}

/// The segment that is written to, and what is known of those before it.
pub(crate) struct Wal {
    folder: PathBuf,
    number: u64,
    file: Option<File>,
    /// Bytes known to be durable; what lies behind them after a failure is cut off.
    length: u64,
    last: HashMap<u32, u64>,
    old: Vec<Segment>,
    /// Bytes written since the start.
    pub(crate) written: u64,
}

impl Wal {
    /// Goes on in a new segment of this number.
    pub(crate) fn new(folder: &Path, number: u64, old: Vec<Segment>) -> Self {
        Self { folder: folder.to_owned(), number, file: None, length: 0, last: HashMap::new(), old, written: 0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{:010}{ENDING}", self.number))
    }

    /// The segment that the next records go to.
    pub(crate) fn segment(&mut self) -> u64 {
        if self.length >= SEGMENT_BYTES {
            self.rotate();
        }
        self.number
    }

    /// Writes records and returns when they are durable; `groups` are the groups in them with their last record.
    ///
    /// # Errors
    /// Nothing was kept; the next call begins where this one did.
    pub(crate) fn append(&mut self, records: &[u8], groups: &[(u32, u64)]) -> Result<(), SeriesError> {
        let (mut payload, mut bytes) = (Vec::new(), Vec::new());
        put_body(&mut payload, records);
        put_frame(&mut bytes, RECORDS, &payload);
        let path = self.path();
        if let Err(error) = self.write(&bytes) {
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
        self.written += bytes.len() as u64;
        for (group, seq) in groups {
            self.last.insert(*group, *seq);
        }
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

    /// Ends the segment, if anything was written to it.
    pub(crate) fn rotate(&mut self) {
        if self.file.take().is_some() {
            self.old.push(Segment { number: self.number, last: std::mem::take(&mut self.last) });
            self.number += 1;
            self.length = 0;
        }
    }

    /// Deletes ended segments whose records are all on disk otherwise, as `is_saved` says of each group's last one.
    pub(crate) fn drop_saved(&mut self, is_saved: impl Fn(u32, u64) -> bool) -> Result<(), SeriesError> {
        let done = self.old.iter().take_while(|s| s.last.iter().all(|(group, seq)| is_saved(*group, *seq))).count();
        for segment in self.old.drain(..done) {
            delete(&self.folder.join(format!("{:010}{ENDING}", segment.number)))?;
        }
        if done == 0 { Ok(()) } else { sync_folder(&self.folder) }
    }

    /// Segments that are kept, the one that is written to included.
    pub(crate) fn segments(&self) -> usize {
        self.old.len() + usize::from(self.file.is_some())
    }
}

/// What a segment held.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Bytes at the end that were torn off while being written.
    pub(crate) torn: u64,
    /// What is damaged, for people.
    pub(crate) damage: Vec<String>,
}

/// Reads a segment and hands out the records of its frames in the order in which they were written.
///
/// # Errors
/// The file cannot be read; damage inside it is no error.
pub(crate) fn read_segment(path: &Path, mut take: impl FnMut(&[u8]) -> Option<()>) -> Result<Read, SeriesError> {
    let bytes = std::fs::read(path).map_err(|e| storage("read the log", path, &e))?;
    let mut out = Read::default();
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
        let understood = kind == RECORDS && body(payload, FRAME_BYTES).is_some_and(|records| take(&records).is_some());
        if !understood {
            out.damage.push(format!("{}: a frame of kind {kind} is not understood", path.display()));
        }
    }
    Ok(out)
}

/// The log's segments in a folder, by number.
pub(crate) fn segments(folder: &Path) -> Result<Vec<(u64, PathBuf)>, SeriesError> {
    numbered(folder, ENDING)
}
