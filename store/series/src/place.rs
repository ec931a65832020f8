//! The folder of a store that is being opened: to go on writing there, or only to look, which changes nothing. I/O.

use std::path::{Path, PathBuf};

use kernel::series::SeriesError;

use crate::files;

/// A folder, and whether anything may change in it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) writes: bool,
}

impl Place<'_> {
    /// Makes a folder of the store; who only looks does without.
    pub(crate) fn make_folder(self, folder: &Path) -> Result<(), SeriesError> {
        if self.writes { files::make_folder(folder) } else { Ok(()) }
    }

    /// As [`files::numbered`]; who only looks may find no such folder.
    pub(crate) fn numbered(self, folder: &Path, ending: &str) -> Result<Vec<(u64, PathBuf)>, SeriesError> {
        if !self.writes && !folder.exists() {
            return Ok(Vec::new());
        }
        files::numbered(folder, ending)
    }

    /// Deletes what is not needed any more.
    pub(crate) fn delete(self, path: &Path) -> Result<(), SeriesError> {
        if self.writes { files::delete(path) } else { Ok(()) }
    }

    /// Deletes a block that is not needed any more, with what was deleted from it.
    pub(crate) fn delete_block(self, path: &Path) -> Result<(), SeriesError> {
        if !self.writes {
            return Ok(());
        }
        files::delete(path)?;
        crate::tombstones::forget(path)
    }

    /// Moves a damaged file away.
    pub(crate) fn set_aside(self, path: &Path) -> Result<(), SeriesError> {
        if self.writes { files::set_aside(self.folder, path) } else { Ok(()) }
    }

    /// Keeps a damaged file under a second name.
    pub(crate) fn keep_aside(self, path: &Path) -> Result<(), SeriesError> {
        if self.writes { files::keep_aside(self.folder, path) } else { Ok(()) }
    }

    /// Makes durable what changed in a folder.
    pub(crate) fn sync_folder(self, folder: &Path) -> Result<(), SeriesError> {
        if self.writes { files::sync_folder(folder) } else { Ok(()) }
    }
}
