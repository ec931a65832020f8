//! What can go wrong with the state, in words that say what to do. I/O.

use std::path::PathBuf;

use crate::db::{SqlError, SqlResult};

/// Why the state could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The database refused or failed; nothing of the operation was kept.
    #[error("cannot {doing}: {source}{}", source.advice())]
    Sql {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// The database's own words.
        #[source]
        source: SqlError,
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
    /// The address of the database cannot be used. It is not quoted, for it may hold a password.
    #[error("the URL of the state cannot be used: {reason}; it reads postgres://user:password@host:5432/database")]
    Url {
        /// Why, and what to do.
        reason: String,
    },
    /// Another process holds the data folder or the database.
    #[error("another Farero is using {place}: stop it, or give this one a place of its own")]
    InUse {
        /// The data folder or the database.
        place: String,
    },
    /// The database was written by a later version.
    #[error(
        "{place} was written by a newer Farero (schema {found}; this one knows schemas up to {known}): \
         start that version again, or restore the copy made before the upgrade"
    )]
    Newer {
        /// The database.
        place: String,
        /// Its schema version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// The database is some other program's.
    #[error("{place} is a database of another program: give Farero a place of its own")]
    Foreign {
        /// The database.
        place: String,
    },
    /// The database cannot be brought to this version's schema as it is. It was not changed.
    #[error("{place} cannot be brought to the schema {step}: {problems}")]
    Preflight {
        /// The database.
        place: String,
        /// The step that was not begun.
        step: &'static str,
        /// What is in the way, and what to do.
        problems: String,
    },
    /// The database was moved elsewhere; going on here would make two truths.
    #[error(
        "{place} was moved to {to}: start with --state and that URL. To go back here and lose what happened since, \
         delete the row `state.moved_to` of the table settings with the program sqlite3"
    )]
    Moved {
        /// The old database.
        place: String,
        /// The new one.
        to: String,
    },
    /// There is something where nothing may be.
    #[error("{place} is not empty: choose another place, nothing was changed")]
    NotEmpty {
        /// The file, folder or database.
        place: String,
    },
    /// There is nothing where a state should be.
    #[error("there is no state of Farero in {place}: name the folder of --data, or the URL of --state")]
    NoState {
        /// The folder or database.
        place: String,
    },
    /// The schema is older than this program's.
    #[error(
        "{place} has the schema of an older Farero: start this version on it once, it brings the schema up to date"
    )]
    Older {
        /// The database.
        place: String,
    },
    /// The file is no backup.
    #[error("{} is no backup of Farero: make one with `farero state backup FILE`", path.display())]
    NoBackup {
        /// The file.
        path: PathBuf,
    },
    /// What was read back is not what was written.
    #[error(
        "{place} does not hold what the manifest says: {problem}; nothing was kept, use another backup or try again"
    )]
    Damaged {
        /// The backup or the target.
        place: String,
        /// Which table, and how.
        problem: String,
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

impl StateError {
    /// The same, or that a name is in use, where a value that must be unique was there already.
    pub(crate) fn taken(self, what: &'static str, name: &str) -> Self {
        match self {
            Self::Sql { source, .. } if source.is_unique() => Self::Taken { what, name: name.to_owned() },
            other => other,
        }
    }
}

/// Names the operation of a database error.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StateError>;
}

impl<T> Doing<T> for SqlResult<T> {
    fn doing(self, doing: &'static str) -> Result<T, StateError> {
        self.map_err(|source| StateError::Sql { doing, source })
    }
}

impl<T> Doing<T> for rusqlite::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, StateError> {
        self.map_err(SqlError::from).doing(doing)
    }
}
