//! A plan's folder, read; the data folder, made. I/O.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use plan_model::load::wants;
use plan_syntax::SourceFile;

/// A plan may have this many files; more is a folder that holds something else.
pub const MOST_FILES: usize = 2_000;
/// One file may have this many bytes: a plan of 100,000 lines has fewer.
pub const FILE_BYTES: u64 = 4 << 20;
/// Folders may stand inside one another this deep.
pub const MOST_DEEP: usize = 8;

/// Makes a folder that nobody else can enter, where it is not there yet; one that is there stays as it is.
///
/// # Errors
/// It cannot be made.
pub fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Why a plan's folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not there or not readable.
    #[error("{path}: cannot be read: {why}; {help}")]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// Why not.
        why: std::io::Error,
        /// What to do.
        help: &'static str,
    },
    /// A limit was reached.
    #[error("{path}: {what}; is this the folder of a plan?")]
    TooMuch {
        /// Where.
        path: PathBuf,
        /// What was counted, and the limit.
        what: String,
    },
    /// There is no plan in it.
    #[error("{path}: holds no plan: at least one file *.yaml with `system:` is needed")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

/// All files of a plan's folder that the plan is made of, sorted by path. Names that begin with a dot are left out.
///
/// # Errors
/// The folder or one of its files cannot be read, a limit is reached, or no file is part of a plan.
pub fn read_folder(folder: &Path) -> Result<Vec<SourceFile>, FolderError> {
    let mut files = Vec::new();
    read_into(folder, folder, 0, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    if files.is_empty() { Err(FolderError::Empty { path: folder.to_owned() }) } else { Ok(files) }
}

fn read_into(root: &Path, folder: &Path, depth: usize, files: &mut Vec<SourceFile>) -> Result<(), FolderError> {
    let unreadable = |path: &Path, why: std::io::Error| FolderError::Unreadable {
        path: path.to_owned(),
        help: match why.kind() {
            ErrorKind::InvalidData => "plans are text in UTF-8: save it so, or move it elsewhere",
            ErrorKind::PermissionDenied => "let the user that runs Farero read it",
            _ => "give the folder of a plan, such as plans/sigcerh",
        },
        why,
    };
    let too_much = |path: &Path, what: String| FolderError::TooMuch { path: path.to_owned(), what };
    if depth > MOST_DEEP {
        return Err(too_much(folder, format!("more than {MOST_DEEP} folders inside one another")));
    }
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(folder, e))? {
        let path = entry.map_err(|e| unreadable(folder, e))?.path();
        let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) else { continue };
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) {
            continue;
        }
        let metadata = std::fs::metadata(&path).map_err(|e| unreadable(&path, e))?;
        if metadata.is_dir() {
            read_into(root, &path, depth + 1, files)?;
        } else if wants(name) {
            if metadata.len() > FILE_BYTES {
                return Err(too_much(&path, format!("{} bytes, at most {FILE_BYTES}", metadata.len())));
            }
            let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, e))?;
            files.push(SourceFile::new(name.replace('\\', "/"), text));
            if files.len() > MOST_FILES {
                return Err(too_much(root, format!("more than {MOST_FILES} files")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_says_why_once_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| read_folder(path).unwrap_err();
        std::fs::write(folder.path().join("plan.yaml"), [0xff, 0xfe, 0x00]).unwrap();
        let binary = error(folder.path());
        assert!(binary.to_string().ends_with("plans are text in UTF-8: save it so, or move it elsewhere"), "{binary}");
        let file = error(&folder.path().join("plan.yaml"));
        assert!(file.to_string().contains("give the folder of a plan"), "{file}");
        assert!(std::error::Error::source(&file).is_none(), "the cause stands in the text already");
    }
}
