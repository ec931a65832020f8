//! The write-ahead log: records are here before anyone is told that samples are taken. I/O.
//!
//! Numbered segments of frames, one frame per commit. Records go on from those before them; each segment begins each of its
//! groups with a key, so that it can be read without the segments before it. A segment is deleted once spans on disk hold all
//! that its records say.

use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use kernel::series::SeriesError;

use crate::codec::{Cursor, body, put_body, put_varint};
use crate::disk::{File, SECTOR};
use crate::files::{delete, storage, sync_folder};
use crate::frame::{FRAME_HEAD, frame, put_frame, scan};
use crate::limits::{FRAME_BYTES, SEGMENT_BYTES};

/// Ending of a segment's name.
pub(crate) const ENDING: &str = ".wal";
/// First bytes of a segment.
const MAGIC: &[u8; 8] = b"FAROWAL4";
/// Those of segments of before December 2026, which have no cells by habits: otherwise they are the same.
const EARLIER: &[u8; 8] = b"FAROWAL3";
/// Kind of the frames that hold records.
const RECORDS: u8 = 1;
/// Kind of the frame that says where the segment before ends: what lies behind was never acknowledged.
const END: u8 = 2;

/// A segment that is not written to any more.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    /// The last record of each group in it.
    pub(crate) last: HashMap<u32, u64>,
}

/// What a commit has to keep: records, and values that no compression makes smaller, apart so that they do not spoil it.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) bytes: Vec<u8>,
    pub(crate) raw: Vec<u8>,
}

impl Records {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.raw.clear();
    }

    fn framed(&self) -> Vec<u8> {
        let (mut payload, mut out) = (Vec::new(), Vec::new());
        put_varint(&mut payload, self.raw.len() as u64);
        payload.extend_from_slice(&self.raw);
        put_body(&mut payload, &self.bytes);
        put_frame(&mut out, RECORDS, &payload);
        out
    }
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
    /// A segment left behind after a failure, and how much of it counts: the next one says so.
    left: Option<(u64, u64)>,
    /// Bytes written since the start.
    pub(crate) written: u64,
}

impl Wal {
    /// Goes on in a new segment of this number.
    pub(crate) fn new(folder: &Path, number: u64, old: Vec<Segment>) -> Self {
        let (last, left) = (HashMap::new(), None);
        Self { folder: folder.to_owned(), number, file: None, length: 0, last, old, left, written: 0 }
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
    pub(crate) fn append(&mut self, records: &Records, groups: &[(u32, u64)]) -> Result<(), SeriesError> {
        let path = self.path();
        match self.write(&records.framed()) {
            Ok(taken) => {
                self.length += taken;
                self.written += taken;
                for (group, seq) in groups {
                    self.last.insert(*group, *seq);
                }
                Ok(())
            }
            Err(error) => {
                self.leave();
                Err(storage("write the log", &path, &error))
            }
        }
    }

    /// Whether any of what failed reached the disk is unknown: it is cut off. Where that cannot be trusted, the segment is left
    /// behind for good, and the next one says how much of it counts.
    fn leave(&mut self) {
        let Some(file) = &self.file else {
            // It was not even made: what there is of it means nothing.
            let _ = delete(&self.path());
            self.number += 1;
            return;
        };
        let cut = file.set_length(self.length);
        if cut.is_err() || !file.is_trusted() || file.sync().is_err() {
            self.left = Some((self.number, self.length));
            self.rotate();
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<u64> {
        if self.file.is_none() {
            let file = File::create_direct(&self.path())?;
            let mut head = MAGIC.to_vec();
            if let Some((number, length)) = self.left {
                let mut payload = Vec::new();
                put_varint(&mut payload, number);
                put_varint(&mut payload, length);
                put_frame(&mut head, END, &payload);
            }
            file.write_all_at(&head, 0)?;
            file.sync()?;
            crate::disk::sync_folder(&self.folder)?;
            self.length = file.taken_by(head.len());
            self.written += self.length;
            self.left = None;
            self.file = Some(file);
        }
        let Some(file) = self.file.as_ref() else { return Ok(0) };
        file.write_all_at(bytes, self.length)?;
        file.sync()?;
        Ok(file.taken_by(bytes.len()))
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
        for _ in 0..done {
            delete(&self.folder.join(format!("{:010}{ENDING}", self.old[0].number)))?;
            self.old.remove(0);
        }
        if done == 0 { Ok(()) } else { sync_folder(&self.folder) }
    }

    /// Whether segments have ended that are not deleted yet.
    pub(crate) fn has_ended(&self) -> bool {
        !self.old.is_empty()
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

fn behind_magic(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(MAGIC).or_else(|| bytes.strip_prefix(EARLIER))
}

/// What the segment says of one before it: its number, and how many of its bytes count.
pub(crate) fn said_of_left(path: &Path) -> Option<(u64, u64)> {
    let mut head = [0; MAGIC.len() + FRAME_HEAD + 20];
    let file = File::open(path).ok()?;
    let length = usize::try_from(file.length().ok()?).ok()?.min(head.len());
    file.read_exact_at(&mut head[..length], 0).ok()?;
    let (kind, payload) = frame(behind_magic(&head[..length])?)?;
    let mut cursor = Cursor::new(payload);
    (kind == END).then_some(())?;
    Some((cursor.varint()?, cursor.varint()?))
}

/// Reads a segment, or so many bytes of it, and hands out the records of its frames in the order in which they were written,
/// with the values that stand apart from them.
///
/// # Errors
/// The file cannot be read; damage inside it is no error.
pub(crate) fn read_segment(
    path: &Path,
    most: u64,
    take: impl FnMut(&[u8], &[u8]) -> Option<()>,
) -> Result<Read, SeriesError> {
    let mut bytes = crate::disk::read(path).map_err(|e| storage("read the log", path, &e))?;
    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(read_log(&bytes, &path.display().to_string(), take))
}

/// Reads the bytes of a segment.
pub(crate) fn read_log(bytes: &[u8], name: &str, mut take: impl FnMut(&[u8], &[u8]) -> Option<()>) -> Read {
    let mut out = Read::default();
    let start = behind_magic(bytes).map_or(0, |rest| bytes.len() - rest.len());
    let found = scan(bytes, start);
    if start == 0 && !found.frames.is_empty() {
        out.damage.push(format!("{name}: the first bytes are not a log's"));
    }
    if !is_filling(bytes, found.end, bytes.len()) {
        out.torn = (bytes.len() - found.end) as u64;
    }
    for (at, length) in found.damaged.into_iter().filter(|(at, length)| !is_filling(bytes, *at, at + length)) {
        out.damage.push(format!("{name}: {length} bytes at {at} are damaged"));
    }
    for (kind, payload) in found.frames {
        let understood = match kind {
            RECORDS => records(payload, &mut take).is_some(),
            kind => kind == END,
        };
        if !understood {
            out.damage.push(format!("{name}: a frame of kind {kind} is not understood"));
        }
    }
    out
}

fn records(payload: &[u8], take: &mut impl FnMut(&[u8], &[u8]) -> Option<()>) -> Option<()> {
    let mut cursor = Cursor::new(payload);
    let length = cursor.length(FRAME_BYTES)?;
    let raw = cursor.take(length)?;
    take(&body(cursor.rest(), FRAME_BYTES)?, raw)
}

/// Whether this is what is left of a sector: commits begin with a new one, where sectors are written whole.
fn is_filling(bytes: &[u8], from: usize, to: usize) -> bool {
    to - from < SECTOR && to.is_multiple_of(SECTOR) && bytes[from..to].iter().all(|b| *b == 0)
}
