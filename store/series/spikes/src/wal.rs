//! The log of one run: frames with a CRC, one `fdatasync` per commit. I/O.
//!
//! A frame: length of the payload (4), CRC-32 of the payload (4), payload. The payload begins with its length before compression, 0
//! where it is not compressed. A torn or damaged frame ends the reading.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::bits::{put_varint, varint};

/// A payload of more is refused when read.
const MOST: usize = 64 << 20;

/// The file that is written to.
pub struct Wal {
    file: File,
    packer: Option<zstd::bulk::Compressor<'static>>,
    /// Whether commits wait for the disk.
    pub syncs: bool,
    /// Bytes written.
    pub written: u64,
    frame: Vec<u8>,
}

impl Wal {
    /// A new file; `level` is zstd's.
    pub fn create(path: &Path, level: Option<i32>) -> io::Result<Self> {
        let packer = level.map(zstd::bulk::Compressor::new).transpose()?;
        Ok(Self { file: File::create(path)?, packer, syncs: true, written: 0, frame: Vec::new() })
    }

    /// Makes records durable.
    pub fn commit(&mut self, records: &[u8]) -> io::Result<()> {
        self.frame.clear();
        self.frame.extend_from_slice(&[0; 8]);
        match &mut self.packer {
            Some(packer) => {
                put_varint(&mut self.frame, records.len() as u64);
                let packed = packer.compress(records)?;
                self.frame.extend_from_slice(&packed);
            }
            None => {
                self.frame.push(0);
                self.frame.extend_from_slice(records);
            }
        }
        let length = (self.frame.len() - 8) as u32;
        let crc = crc32fast::hash(&self.frame[8..]);
        self.frame[..4].copy_from_slice(&length.to_le_bytes());
        self.frame[4..8].copy_from_slice(&crc.to_le_bytes());
        self.file.write_all(&self.frame)?;
        self.written += self.frame.len() as u64;
        if self.syncs { self.file.sync_data() } else { Ok(()) }
    }
}

/// Hands out the records of each sound frame; returns how many bytes were read.
pub fn read(path: &Path, mut take: impl FnMut(&[u8]) -> Option<()>) -> io::Result<u64> {
    let mut file = io::BufReader::with_capacity(1 << 16, File::open(path)?);
    let (mut head, mut payload, mut plain, mut sound) = ([0; 8], Vec::new(), Vec::new(), 0);
    let mut unpacker = zstd::bulk::Decompressor::new()?;
    while file.read_exact(&mut head).is_ok() {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length > MOST {
            break;
        }
        payload.resize(length, 0);
        if file.read_exact(&mut payload).is_err() || crc32fast::hash(&payload).to_le_bytes() != head[4..] {
            break;
        }
        let mut at = 0;
        let taken = match varint(&payload, &mut at) {
            Some(0) => take(&payload[at..]),
            Some(n) if n as usize <= MOST => {
                plain.clear();
                plain.reserve(n as usize);
                unpacker.decompress_to_buffer(&payload[at..], &mut plain)?;
                take(&plain)
            }
            _ => None,
        };
        if taken.is_none() {
            break;
        }
        sound += 8 + length as u64;
    }
    Ok(sound)
}
