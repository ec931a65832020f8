//! The one layer through which the store touches files, so that tests can make a disk fail in every way disks fail. I/O.
//!
//! What disks do, and what the store has to do about it:
//! - A write may be cut short, or refused (full disk, broken disk): what was written of it is cut off, or left behind.
//! - A sync may fail. What became of the bytes before it is then unknown, and a later sync that succeeds says nothing about them:
//!   nothing may be acknowledged from that file any more ([`File::is_trusted`]).
//! - A rename may fail, or be done although it is said to have failed.
//! - What is read may differ from what was written: everything is read under a checksum.

use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[cfg(test)]
use faults::on;

/// The smallest piece that disks write. Files opened by [`File::create_direct`] are written in whole sectors.
pub(crate) const SECTOR: usize = 512;
/// Bytes that are copied to aligned memory at a time.
const PIECE: usize = 256 << 10;

/// What is being done to a file.
#[cfg_attr(not(test), expect(dead_code, reason = "only tests look at what is done"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Create,
    Write,
    Sync,
    Cut,
    Rename,
    Remove,
    Link,
    SyncFolder,
}

/// A test may have an operation fail. Nothing is left of this in a build that is not a test.
#[cfg(not(test))]
#[inline(always)]
const fn fails(_doing: Doing, _path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
fn fails(doing: Doing, path: &Path) -> io::Result<()> {
    match on(doing, path) {
        Some(fault) => Err(fault.error()),
        None => Ok(()),
    }
}

/// An open file.
#[derive(Debug)]
pub(crate) struct File {
    inner: std::fs::File,
    /// Whether writes go past the page cache, in whole sectors.
    direct: bool,
    distrusted: AtomicBool,
    #[cfg(test)]
    path: std::path::PathBuf,
}

fn options() -> std::fs::OpenOptions {
    let mut options = std::fs::File::options();
    options.read(true).write(true);
    options
}

impl File {
    fn created(path: &Path, options: &std::fs::OpenOptions) -> io::Result<Self> {
        let inner = options.open(path)?;
        #[cfg(test)]
        faults::created(path);
        Ok(Self::new(inner, path))
    }

    fn new(inner: std::fs::File, _path: &Path) -> Self {
        Self {
            inner,
            direct: false,
            distrusted: AtomicBool::new(false),
            #[cfg(test)]
            path: _path.to_owned(),
        }
    }

    /// A new, empty file; what had its name is gone.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        fails(Doing::Create, path)?;
        remove(path)?;
        Self::created(path, options().create_new(true))
    }

    /// The same, written past the page cache where the file system can do that: a commit then costs whole sectors, not whole
    /// pages, of which it would write the last one again and again.
    pub(crate) fn create_direct(path: &Path) -> io::Result<Self> {
        fails(Doing::Create, path)?;
        remove(path)?;
        let direct = Self::created(path, options().create_new(true).custom_flags(nix::libc::O_DIRECT));
        let refused = |e: &io::Error| e.kind() == io::ErrorKind::InvalidInput;
        match direct {
            Ok(mut file) => {
                file.direct = true;
                match file.write_direct(&[0; SECTOR], 0) {
                    Ok(()) => Ok(file),
                    Err(e) if refused(&e) => Self::create(path),
                    Err(e) => Err(e),
                }
            }
            Err(e) if refused(&e) => Self::create(path),
            Err(e) => Err(e),
        }
    }

    /// A file that is there, for reading.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(std::fs::File::open(path)?, path))
    }

    /// A file that is there, for reading and writing.
    pub(crate) fn open_to_write(path: &Path) -> io::Result<Self> {
        #[cfg(test)]
        faults::opened(path);
        Ok(Self::new(options().open(path)?, path))
    }

    /// Bytes it has.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.inner.metadata()?.len())
    }

    /// Reads these bytes of it.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.inner.read_exact_at(buffer, offset)?;
        #[cfg(test)]
        faults::read(&self.path, buffer)?;
        Ok(())
    }

    /// Writes these bytes at a place. In a file written past the page cache the place is the start of a sector, and what is
    /// left of the last sector becomes zeros.
    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        #[cfg(test)]
        if let Some(fault) = on(Doing::Write, &self.path) {
            self.inner.write_all_at(&bytes[..fault.kept(bytes.len())], offset).ok();
            return Err(fault.error());
        }
        match self.direct {
            true => self.write_direct(bytes, offset),
            false => self.inner.write_all_at(bytes, offset),
        }
    }

    fn write_direct(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut memory = vec![0u8; PIECE.min(bytes.len().next_multiple_of(SECTOR)) + SECTOR];
        let aligned = memory.as_ptr().align_offset(SECTOR).min(SECTOR);
        for (i, piece) in bytes.chunks(PIECE).enumerate() {
            let to = &mut memory[aligned..aligned + piece.len().next_multiple_of(SECTOR)];
            to[..piece.len()].copy_from_slice(piece);
            to[piece.len()..].fill(0);
            self.inner.write_all_at(to, offset + (i * PIECE) as u64)?;
        }
        Ok(())
    }

    /// How many bytes of the file a write of so many takes.
    pub(crate) fn taken_by(&self, bytes: usize) -> u64 {
        if self.direct { bytes.next_multiple_of(SECTOR) as u64 } else { bytes as u64 }
    }

    /// Makes durable what was written. Once that failed, the file is not trusted any more.
    pub(crate) fn sync(&self) -> io::Result<()> {
        #[cfg(test)]
        let failed = faults::sync(&self.path, self.is_trusted());
        #[cfg(not(test))]
        let failed: io::Result<()> = Ok(());
        let done = failed.and_then(|()| self.inner.sync_data());
        if done.is_err() {
            self.distrusted.store(true, Relaxed);
        }
        done
    }

    /// Whether no sync failed.
    pub(crate) fn is_trusted(&self) -> bool {
        !self.distrusted.load(Relaxed)
    }

    /// Cuts it to this length.
    pub(crate) fn set_length(&self, length: u64) -> io::Result<()> {
        #[cfg(test)]
        fails(Doing::Cut, &self.path)?;
        self.inner.set_len(length)
    }
}

/// Reads what must not be lost, and a second time where it came damaged: what is written from it takes the place of the file, and a
/// bit that flipped on its way from the disk need not be lost for that.
pub(crate) fn again<T>(mut read: impl FnMut() -> Option<T>) -> Option<T> {
    read().or_else(read)
}

/// All bytes of a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    #[cfg_attr(not(test), expect(unused_mut, reason = "a test flips bits in it"))]
    let mut bytes = std::fs::read(path)?;
    #[cfg(test)]
    faults::read(path, &mut bytes)?;
    Ok(bytes)
}

/// Gives a file another name; what had that name is gone.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(test)]
    let done = match on(Doing::Rename, from) {
        Some(fault) if fault.is_done() => std::fs::rename(from, to).and(Err(fault.error())),
        Some(fault) => Err(fault.error()),
        None => std::fs::rename(from, to),
    };
    #[cfg(not(test))]
    let done = std::fs::rename(from, to);
    // What is said to have failed may be done: then it is.
    let done = done.or_else(|error| if !from.exists() && to.exists() { Ok(()) } else { Err(error) });
    #[cfg(test)]
    if done.is_ok() {
        faults::renamed(from, to);
    }
    done
}

/// Deletes a file that may be gone already.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fails(Doing::Remove, path)?;
    match std::fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Gives a file a second name.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fails(Doing::Link, from)?;
    std::fs::hard_link(from, to)
}

/// Makes durable what was created, renamed or deleted in a folder.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    fails(Doing::SyncFolder, folder)?;
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
#[path = "disk/faults.rs"]
pub(crate) mod faults;
