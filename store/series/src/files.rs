//! Files made so that a crash leaves either the old state or the new one. I/O.

use std::fs;
use std::path::{Path, PathBuf};

use kernel::series::SeriesError;

use crate::disk::{self, File};
use crate::limits::DAMAGED_FILES;

/// An error with what was being done and what to do about it.
pub(crate) fn storage(doing: &str, path: &Path, error: &std::io::Error) -> SeriesError {
    let advice = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
            "; free some space, writing goes on by itself then"
        }
        std::io::ErrorKind::PermissionDenied => "; check that Farero's user may write the data folder",
        _ => "",
    };
    SeriesError::Storage(format!("cannot {doing} {}: {error}{advice}", path.display()))
}

/// Makes what was created, renamed or deleted in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), SeriesError> {
    disk::sync_folder(folder).map_err(|e| storage("sync the folder", folder, &e))
}

pub(crate) fn make_folder(folder: &Path) -> Result<(), SeriesError> {
    fs::create_dir_all(folder).map_err(|e| storage("make the folder", folder, &e))
}

/// The files of a folder whose name is a number with this ending, by number.
pub(crate) fn numbered(folder: &Path, ending: &str) -> Result<Vec<(u64, PathBuf)>, SeriesError> {
    let failed = |e| storage("list the folder", folder, &e);
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let number =
            path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(ending)).and_then(|n| n.parse().ok());
        out.extend(number.map(|n| (n, path)));
    }
    out.sort_unstable();
    Ok(out)
}

/// Deletes a file that may be gone already.
pub(crate) fn delete(path: &Path) -> Result<(), SeriesError> {
    disk::remove(path).map_err(|e| storage("delete", path, &e))
}

/// Moves a damaged file to `damaged/` for a person to look at.
pub(crate) fn set_aside(folder: &Path, path: &Path) -> Result<(), SeriesError> {
    let target = damaged_place(folder, path)?;
    disk::rename(path, &target).map_err(|e| storage("set the damaged file aside", path, &e))
}

/// Keeps a damaged file under a second name in `damaged/`, before another file takes its own.
pub(crate) fn keep_aside(folder: &Path, path: &Path) -> Result<(), SeriesError> {
    let target = damaged_place(folder, path)?;
    disk::link(path, &target).map_err(|e| storage("keep the damaged file", path, &e))
}

/// Writes a whole file so that a crash leaves the old one or the new one, whole.
/// The folder is to be synced afterwards.
pub(crate) fn replace(doing: &str, path: &Path, bytes: &[u8]) -> Result<File, SeriesError> {
    let temporary = path.with_added_extension("tmp");
    let write = || {
        let file = File::create(&temporary)?;
        file.write_all_at(bytes, 0)?;
        file.sync()?;
        disk::rename(&temporary, path)?;
        Ok(file)
    };
    write().map_err(|e| storage(doing, path, &e))
}

/// A new place in `damaged/`, of which only the newest [`DAMAGED_FILES`] stay.
fn damaged_place(folder: &Path, path: &Path) -> Result<PathBuf, SeriesError> {
    let damaged = folder.join("damaged");
    make_folder(&damaged)?;
    let kept: Vec<(u64, PathBuf)> = numbered(&damaged, "")?;
    let place = damaged.join(kept.last().map_or(1, |(n, _)| n + 1).to_string());
    make_folder(&place)?;
    for (_, old) in kept.iter().rev().skip(DAMAGED_FILES - 1) {
        fs::remove_dir_all(old).map_err(|e| storage("delete", old, &e))?;
    }
    sync_folder(&damaged)?;
    Ok(place.join(path.file_name().unwrap_or_default()))
}
