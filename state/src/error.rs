//! What can go wrong with the state, in words that say what to do. I/O.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the state could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The database refused or failed; nothing of the operation was kept.
    #[error("cannot {doing}: {source}{}", advice(source))]
    Sql {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// The database's own words.
        #[source]
        source: rusqlite::Error,
    },
    /// A file or folder could not be used.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the data folder.
    #[error("another Farero is using {}: stop it, or give this one a data folder of its own", folder.display())]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// The database was written by a later version.
    #[error(
        "{} was written by a newer Farero (schema {found}; this one knows schemas up to {known}): \
         start that version again, or restore the copy made before the upgrade", path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// The file is some other program's database.
    #[error("{} is a database of another program: give Farero a data folder of its own", path.display())]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// A name that must be unique is in use.
    #[error("the {what} `{name}` exists already: choose another name")]
    Taken {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
}

/// The next step for the failures that people can mend.
fn advice(source: &rusqlite::Error) -> &'static str {
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "; free some space on the disk, writing goes on by itself then",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "; the file is damaged: stop Farero, keep a copy of it, and restore the last backup"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "; check that Farero's user may write the data folder"
        }
        Some(ErrorCode::SystemIoFailure) => "; look at the system's log for errors of the disk",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "; another program keeps the database locked: close it"
        }
        _ => "",
    }
}

/// Names the operation of a database error.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StateError>;
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, StateError> {
        self.map_err(|source| StateError::Sql { doing, source })
    }
}
