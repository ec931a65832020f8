//! Files of sealed spans: written once, read by place, deleted when a block holds what they hold. I/O.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::series::SeriesError;
use parking_lot::Mutex;

use crate::disk::File;
use crate::files::{storage, sync_folder};
use crate::frame::{FRAME_HEAD, frame, is_whole, put_frame, scan};

/// Ending of a file's name.
pub(crate) const ENDING: &str = ".spans";
const MAGIC: &[u8; 8] = b"FAROSPN2";
/// Kind of the frames that hold a span.
const SPAN: u8 = 1;

/// A file of spans.
#[derive(Debug)]
pub(crate) struct SpanFile {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    file: File,
    length: Mutex<u64>,
}

impl SpanFile {
    /// A new, empty file.
    pub(crate) fn create(folder: &Path, number: u64) -> Result<Self, SeriesError> {
        let path = folder.join(format!("{number:010}{ENDING}"));
        let failed = |e: std::io::Error| storage("make the file of spans", &path, &e);
        let file = File::create(&path).map_err(failed)?;
        file.write_all_at(MAGIC, 0).and_then(|()| file.sync()).map_err(failed)?;
        sync_folder(folder)?;
        Ok(Self { number, path, file, length: Mutex::new(MAGIC.len() as u64) })
    }

    /// Opens a file and hands out its spans: offset, length of the frame, and bytes; also says what is damaged.
    pub(crate) fn open(
        path: &Path,
        number: u64,
        mut take: impl FnMut(u64, u32, &[u8]),
    ) -> Result<(Self, Vec<String>), SeriesError> {
        let failed = |e: std::io::Error| storage("read the file of spans", path, &e);
        let file = File::open_to_write(path).map_err(failed)?;
        let bytes = crate::disk::read(path).map_err(failed)?;
        let mut damage = Vec::new();
        // A shorter one was being made when the power went, and never had anything in it.
        if bytes.len() >= MAGIC.len() && !bytes.starts_with(MAGIC) {
            damage.push(format!("{}: the first bytes are not those of a file of spans", path.display()));
        }
        let found = scan(&bytes, MAGIC.len().min(bytes.len()));
        for (at, length) in &found.damaged {
            damage.push(format!("{}: {length} bytes at {at} are damaged", path.display()));
        }
        // A frame that is all there was written whole: a torn one was never told to anybody, the log still has it.
        if found.end < bytes.len() && is_whole(&bytes[found.end..]) {
            damage.push(format!("{}: the last {} bytes are damaged", path.display(), bytes.len() - found.end));
        }
        let base = bytes.as_ptr() as usize;
        for (kind, payload) in &found.frames {
            if *kind == SPAN {
                let offset = (payload.as_ptr() as usize - base - FRAME_HEAD) as u64;
                take(offset, (payload.len() + FRAME_HEAD) as u32, payload);
            }
        }
        let length = found.end.max(MAGIC.len()) as u64;
        Ok((Self { number, path: path.to_owned(), file, length: Mutex::new(length) }, damage))
    }

    /// Whether more may be written to it.
    pub(crate) fn is_trusted(&self) -> bool {
        self.file.is_trusted()
    }

    /// Bytes in it.
    pub(crate) fn length(&self) -> u64 {
        *self.length.lock()
    }

    /// Writes spans and returns their places when they are durable.
    ///
    /// # Errors
    /// Nothing was kept: the next call writes over it.
    pub(crate) fn append(&self, spans: &[Arc<[u8]>]) -> Result<Vec<(u64, u32)>, SeriesError> {
        let mut length = self.length.lock();
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for span in spans {
            let start = bytes.len();
            put_frame(&mut bytes, SPAN, span);
            places.push((*length + start as u64, (bytes.len() - start) as u32));
        }
        let written = self.file.write_all_at(&bytes, *length).and_then(|()| self.file.sync());
        if let Err(error) = written {
            let _ = self.file.set_length(*length);
            return Err(storage("write the file of spans", &self.path, &error));
        }
        *length += bytes.len() as u64;
        Ok(places)
    }

    /// Reads a span and says from where on it is in the buffer; `None` when it is damaged.
    pub(crate) fn read(&self, offset: u64, length: u32, buffer: &mut Vec<u8>) -> Option<usize> {
        self.read_raw(offset, length, buffer)?;
        let (kind, payload) = frame(buffer)?;
        (kind == SPAN).then_some(buffer.len() - payload.len())
    }

    /// Reads bytes of a span; whoever reads them compares their checksum.
    pub(crate) fn read_raw(&self, offset: u64, length: u32, buffer: &mut Vec<u8>) -> Option<()> {
        // What the buffer held before is not zeroed first: all of it is read over.
        buffer.resize(length as usize, 0);
        self.file.read_exact_at(buffer, offset).ok()
    }
}
