//! Disks that fail, for tests: which operation of this thread fails next, and how. Pure.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::Doing;

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk is broken: nothing was done.
    Broken,
    /// The disk is full; of a write some was written.
    Full(u64),
    /// Some of it was written, or all of it done, and then the disk broke.
    Short(u64),
}

impl Fault {
    pub(crate) fn error(self) -> Error {
        match self {
            Self::Full(_) => Error::new(ErrorKind::StorageFull, "No space left on device (made up)"),
            Self::Broken | Self::Short(_) => Error::other("Input/output error (made up)"),
        }
    }

    /// How many bytes of a write were written.
    pub(crate) fn kept(self, bytes: usize) -> usize {
        match self {
            Self::Broken => 0,
            Self::Full(part) | Self::Short(part) => (part % (bytes as u64 + 1)) as usize,
        }
    }

    /// Whether it was done although it is said to have failed.
    pub(crate) fn is_done(self) -> bool {
        matches!(self, Self::Short(part) if part % 2 == 1)
    }
}

/// The disk of one thread.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    random: u64,
    /// Of so many operations one fails; 0 for none.
    pub(crate) one_in: u64,
    /// There is no space left: creating and writing fail.
    pub(crate) full: bool,
    /// Of so many reads one has a flipped bit; 0 for none.
    pub(crate) flip_one_in: u64,
    /// How often something was made to fail.
    pub(crate) failed: u64,
    pub(crate) flipped: u64,
    /// Files that were synced with success after a sync of them had failed.
    pub(crate) trusted_again: Vec<PathBuf>,
    /// What was not synced when a sync failed: after a crash it may be gone. File to the length that is safe.
    pub(crate) unsafe_from: HashMap<PathBuf, u64>,
    synced: HashMap<PathBuf, u64>,
    /// The names of files that were renamed while open.
    names: HashMap<PathBuf, PathBuf>,
}

thread_local! {
    static DISK: RefCell<Disk> = RefCell::new(Disk::default());
}

/// Does something with this thread's disk.
pub(crate) fn disk<T>(with: impl FnOnce(&mut Disk) -> T) -> T {
    DISK.with_borrow_mut(with)
}

/// A disk without faults, with this seed for those that will be asked of it.
pub(crate) fn reset(seed: u64) {
    disk(|d| *d = Disk { random: seed | 1, ..Disk::default() });
}

impl Disk {
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn happens(&mut self, one_in: u64) -> bool {
        one_in > 0 && self.next().is_multiple_of(one_in)
    }
}

/// Whether an operation fails now.
pub(crate) fn on(doing: Doing, _path: &Path) -> Option<Fault> {
    disk(|d| {
        let part = d.next();
        let fault = if d.full && matches!(doing, Doing::Create | Doing::Write) {
            Fault::Full(part)
        } else if d.happens(d.one_in) {
            [Fault::Broken, Fault::Full(part), Fault::Short(part)][(part >> 32) as usize % 3]
        } else {
            return None;
        };
        d.failed += 1;
        Some(fault)
    })
}

/// A new file.
pub(crate) fn created(path: &Path) {
    disk(|d| {
        d.names.remove(path);
        d.synced.remove(path);
        d.unsafe_from.remove(path);
    });
}

/// A file has another name, and what had it is gone.
pub(crate) fn renamed(from: &Path, to: &Path) {
    disk(|d| {
        d.unsafe_from.remove(to);
        d.synced.remove(to);
        if let Some(safe) = d.unsafe_from.remove(from) {
            d.unsafe_from.insert(to.to_owned(), safe);
        }
        if let Some(length) = d.synced.remove(from) {
            d.synced.insert(to.to_owned(), length);
        }
        d.names.insert(from.to_owned(), to.to_owned());
    });
}

/// A file that was there is on the disk as it is.
pub(crate) fn opened(path: &Path) {
    let length = std::fs::metadata(path).map_or(0, |m| m.len());
    disk(|d| d.synced.insert(path.to_owned(), length));
}

/// A sync: when it fails, what was written since the last one is unsafe.
pub(crate) fn sync(path: &Path, trusted: bool) -> std::io::Result<()> {
    let path = &disk(|d| d.names.get(path).cloned()).unwrap_or_else(|| path.to_owned());
    let length = std::fs::metadata(path).map_or(0, |m| m.len());
    if let Some(fault) = on(Doing::Sync, path) {
        disk(|d| {
            let safe = d.synced.get(path).copied().unwrap_or(0);
            d.unsafe_from.entry(path.to_owned()).or_insert(safe);
        });
        return Err(fault.error());
    }
    disk(|d| {
        d.synced.insert(path.to_owned(), length);
        if !trusted {
            d.trusted_again.push(path.to_owned());
        }
    });
    Ok(())
}

/// What a read brings: perhaps an error, perhaps a flipped bit.
pub(crate) fn read(path: &Path, bytes: &mut [u8]) -> std::io::Result<()> {
    let flips = disk(|d| d.flip_one_in);
    if flips == 0 || bytes.is_empty() {
        return Ok(());
    }
    if let Some(bit) = disk(|d| if d.happens(flips) { Some(d.next()) } else { None }) {
        disk(|d| d.flipped += 1);
        if bit % 4 == 0 {
            return Err(Error::other(format!("Input/output error (made up) in {}", path.display())));
        }
        let bit = (bit >> 2) as usize % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    Ok(())
}

/// What a power cut leaves: of files whose sync failed, nothing that was written since the last good one.
pub(crate) fn lose_unsafe() {
    for (path, length) in disk(|d| std::mem::take(&mut d.unsafe_from)) {
        if let Ok(file) = std::fs::File::options().write(true).open(&path) {
            file.set_len(length.min(file.metadata().map_or(0, |m| m.len()))).ok();
        }
    }
    disk(|d| {
        d.synced.clear();
        d.names.clear();
    });
}
