//! The files of a block's chunks. I/O: reads them piece by piece.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::TsdbError;
use super::cursor::Cursor;

const MAGIC: u32 = 0x85BD_40DD;
/// As much is read at once: chunks of series that follow each other lie side by side.
const PIECE: usize = 1 << 20;
/// A chunk is at most this long; Prometheus's hold 120 samples, or histograms of about a KiB.
const CHUNK_BYTES: usize = 16 << 20;

/// A file with the piece that was read last.
#[derive(Debug)]
struct Segment {
    path: PathBuf,
    file: File,
    start: u64,
    piece: Vec<u8>,
}

impl Segment {
    fn open(path: PathBuf) -> Result<Self, TsdbError> {
        let file = File::open(&path).map_err(TsdbError::io(&path))?;
        let mut segment = Self { path, file, start: 0, piece: Vec::new() };
        let magic = Cursor::new(segment.get(0, 8)?).u32();
        if magic != Some(MAGIC) {
            return Err(TsdbError::damaged(&segment.path, "it does not begin as a file of chunks does"));
        }
        Ok(segment)
    }

    /// At most so many bytes from that place.
    fn get(&mut self, at: u64, count: usize) -> Result<&[u8], TsdbError> {
        let end = self.start + self.piece.len() as u64;
        if at < self.start || at + count as u64 > end {
            self.file.seek(SeekFrom::Start(at)).map_err(TsdbError::io(&self.path))?;
            self.piece.clear();
            let wanted = count.max(PIECE) as u64;
            (&self.file).take(wanted).read_to_end(&mut self.piece).map_err(TsdbError::io(&self.path))?;
            self.start = at;
        }
        let from = (at - self.start) as usize;
        let to = (from + count).min(self.piece.len());
        Ok(self.piece.get(from..to).unwrap_or_default())
    }
}

/// All chunk files of a block.
#[derive(Debug)]
pub(super) struct ChunkFiles {
    segments: Vec<Segment>,
}

impl ChunkFiles {
    pub(super) fn open(folder: &Path) -> Result<Self, TsdbError> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(TsdbError::io(folder))? {
            let path = entry.map_err(TsdbError::io(folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(Self { segments: paths.into_iter().map(Segment::open).collect::<Result<_, _>>()? })
    }

    /// The coding and the bytes of a chunk.
    pub(super) fn chunk(&mut self, place: u64) -> Result<(u8, &[u8]), TsdbError> {
        let (number, at) = ((place >> 32) as usize, place & 0xffff_ffff);
        let missing = || TsdbError::damaged(Path::new("chunks"), format!("there is no file number {}", number + 1));
        let segment = self.segments.get_mut(number).ok_or_else(missing)?;
        let path = segment.path.clone();
        let fail = |what: &str| TsdbError::damaged(&path, format!("the chunk at {at} {what}"));
        let mut head = Cursor::new(segment.get(at, 10)?);
        let before = head.left();
        let length =
            head.uvarint().filter(|length| *length <= CHUNK_BYTES as u64).ok_or_else(|| fail("has no length"))?;
        let skip = (before - head.left()) as u64;
        let whole = segment.get(at + skip, length as usize + 5)?;
        let (body, crc) = whole.split_last_chunk::<4>().ok_or_else(|| fail("is cut off"))?;
        if body.len() as u64 != length + 1 {
            return Err(fail("is cut off"));
        }
        if u32::from_be_bytes(*crc) != crc32c::crc32c(body) {
            return Err(fail("has another checksum"));
        }
        let (encoding, data) = body.split_first().ok_or_else(|| fail("is empty"))?;
        Ok((*encoding, data))
    }
}
