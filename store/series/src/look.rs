//! Looking into a store's folder without changing a byte of it, also while another process writes there. I/O.
//!
//! Whoever writes may delete and make files between two looks. So everything is opened, and then it is looked whether the folder still
//! has the same files; when it has not, it is opened once more. Files that are open stay readable when they are deleted.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::series::{SeriesError, SeriesReader};

use crate::files::storage;
use crate::open::OpenReport;
use crate::place::Place;
use crate::store::{Options, SeriesStore};

/// Looks before it is given up: whoever writes changes its files every few seconds at most, and opening takes less.
const LOOKS: usize = 8;

/// What tells whether files changed: name, number, length.
type Files = Vec<(PathBuf, u64, u64)>;

impl SeriesStore {
    /// Opens the store in a folder to read what is there now. Nothing in the folder changes, not even what is damaged or left over, and
    /// another process may go on writing: what it writes afterwards is not seen.
    ///
    /// # Errors
    /// There is no store, it cannot be read, or it changed each time while it was being opened. Damage is no error: see
    /// [`OpenReport::damage`].
    pub fn look(folder: &Path) -> Result<(Arc<dyn SeriesReader>, OpenReport), SeriesError> {
        if !folder.join("catalog").is_file() {
            return Err(SeriesError::Storage(format!(
                "{} holds no series: name the folder of a store",
                folder.display()
            )));
        }
        let place = Place { folder, writes: false };
        for _ in 0..LOOKS {
            let before = files(folder)?;
            let opened = Self::assemble(place, Options::default(), None);
            if files(folder)? != before {
                continue;
            }
            let (store, report, _) = opened?;
            return Ok((Arc::new(store), report));
        }
        Err(SeriesError::Storage(format!(
            "{} changed {LOOKS} times while it was being opened: ask the Farero that writes there (--url), or try again",
            folder.display()
        )))
    }
}

/// The files that hold samples. Segments of the log that only grow are the same.
fn files(folder: &Path) -> Result<Files, SeriesError> {
    let mut all = Vec::new();
    for part in ["wal", "spans", "blocks", crate::rollup::FOLDER] {
        let part = folder.join(part);
        let entries = match std::fs::read_dir(&part) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(storage("list the folder", &part, &e)),
        };
        for entry in entries {
            let path = entry.map_err(|e| storage("list the folder", &part, &e))?.path();
            all.extend(known(path, !part.ends_with("wal")));
        }
    }
    all.extend(known(folder.join("catalog"), true));
    all.sort();
    Ok(all)
}

/// A file, unless it is gone again.
fn known(path: PathBuf, with_length: bool) -> Option<(PathBuf, u64, u64)> {
    let facts = std::fs::metadata(&path).ok()?;
    Some((path, facts.ino(), if with_length { facts.len() } else { 0 }))
}
