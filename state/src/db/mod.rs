//! The database behind the state: a file (SQLite) or a server (PostgreSQL), the same words for both. I/O.

mod pool;
mod postgres;
mod sql_error;
pub(crate) mod sqlite;
mod tx;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;

use self::postgres::Postgres;
pub use self::postgres::PostgresUrl;
pub(crate) use self::postgres::without_nul;
pub use self::sql_error::{SqlError, SqlResult};
pub use self::sqlite::FILE_NAME;
use self::sqlite::Sqlite;
pub use self::tx::{Dialect, Row, Tx};
pub(crate) use self::value::values;
pub use self::value::{Cell, FromCell, Value};
use crate::StateError;
use crate::error::Doing;
use crate::migrate::Step;
use crate::results::Pending;

/// What must survive a restart. Cloning is cheap; all clones share one database.
///
/// Calls are synchronous and wait for the disk: async callers use `spawn_blocking`.
#[derive(Clone)]
pub struct State(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    base: Base,
    pub(crate) results: RwLock<Pending>,
}

/// The database itself.
#[allow(clippy::large_enum_variant, reason = "there is one of it in a process")]
pub(crate) enum Base {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

/// Where a state is kept.
#[derive(Clone, Debug)]
pub enum StateLocation {
    /// In the file [`FILE_NAME`] of a folder.
    Folder(PathBuf),
    /// On a PostgreSQL server.
    Postgres(PostgresUrl),
}

impl StateLocation {
    /// A `postgres://` URL, or else a folder.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub fn parse(text: &str) -> Result<Self, StateError> {
        if PostgresUrl::is_one(text) {
            return Ok(Self::Postgres(PostgresUrl::parse(text)?));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            let reason = format!("`{scheme}` is no database that Farero knows: use postgres:// or a folder");
            return Err(StateError::Url { reason });
        }
        Ok(Self::Folder(PathBuf::from(text)))
    }
}

/// Never shows a password.
impl fmt::Display for StateLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Postgres(url) => write!(f, "{url}"),
        }
    }
}

impl Base {
    /// Opens a database for writing and brings it to the newest schema.
    pub(crate) fn open(location: &StateLocation, steps: &[Step]) -> Result<Self, StateError> {
        let base = Self::connect(location)?;
        crate::migrate::migrate(&base, steps)?;
        base.with_readers()
    }

    /// Opens a database for writing as it is. There are no readers before [`Base::with_readers`].
    pub(crate) fn connect(location: &StateLocation) -> Result<Self, StateError> {
        Ok(match location {
            StateLocation::Folder(folder) => Self::Sqlite(Sqlite::open(folder)?),
            StateLocation::Postgres(url) => Self::Postgres(Box::new(Postgres::open(url.clone())?)),
        })
    }

    /// Opens a server's database for reading only, beside the Farero that owns it.
    pub(crate) fn connect_reader(url: &PostgresUrl) -> Result<Self, StateError> {
        Ok(Self::Postgres(Box::new(Postgres::open_reader(url.clone())?)))
    }

    /// Once the schema is there.
    pub(crate) fn with_readers(mut self) -> Result<Self, StateError> {
        match &mut self {
            Self::Sqlite(file) => file.add_readers()?,
            Self::Postgres(server) => server.settle().doing("open the database")?,
        }
        Ok(self)
    }

    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Sqlite(file) => file.path().display().to_string(),
            Self::Postgres(server) => server.place(),
        }
    }

    pub(crate) fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        match self {
            Self::Sqlite(file) => file.write(work),
            Self::Postgres(server) => server.write(work),
        }
    }

    /// As `write`, for what may take long.
    pub(crate) fn write_long<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        match self {
            Self::Sqlite(file) => file.write(work),
            Self::Postgres(server) => server.write_long(work),
        }
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        match self {
            Self::Sqlite(file) => file.read(work),
            Self::Postgres(server) => server.read(work),
        }
    }

    /// As `read`, for what may take long.
    pub(crate) fn read_long<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        match self {
            Self::Sqlite(file) => file.read(work),
            Self::Postgres(server) => server.read_long(work),
        }
    }

    /// Before the schema changes: a copy of the file beside it. A server's copies are its keeper's.
    pub(crate) fn keep_copy(&self, version: u32) -> Result<(), StateError> {
        match self {
            Self::Sqlite(file) => file.keep_copy(version),
            Self::Postgres(_) => Ok(()),
        }
    }
}

impl State {
    /// Opens the database in a folder, making both when they are missing.
    ///
    /// # Errors
    /// The folder cannot be used, another process uses it, or the database is a newer version's or damaged.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        Self::open_at(&StateLocation::Folder(folder.to_owned()))
    }

    /// Opens the database of a `postgres://` URL, or of a folder. The server's database must exist; its tables are made.
    ///
    /// # Errors
    /// As [`State::open`], and when the server cannot be reached or does not let Farero in.
    pub fn open_url(url: &str) -> Result<Self, StateError> {
        Self::open_at(&StateLocation::parse(url)?)
    }

    /// Opens the database at a place.
    ///
    /// # Errors
    /// As [`State::open_url`].
    pub fn open_at(location: &StateLocation) -> Result<Self, StateError> {
        Self::open_with(location, crate::migrate::STEPS)
    }

    /// As [`State::open_at`], with other steps of migration: for tests of the mechanism.
    #[doc(hidden)]
    pub fn open_with(location: &StateLocation, steps: &[Step]) -> Result<Self, StateError> {
        let base = Base::open(location, steps)?;
        let results = base.read(Pending::load).doing("read the checks")?;
        Ok(Self(Arc::new(Inner { base, results: RwLock::new(results) })))
    }

    /// Opens a database for looking only, beside the Farero that may run on it: what writes fails.
    ///
    /// # Errors
    /// There is no database of Farero, it has another version's schema, or it cannot be read.
    pub fn look_at(location: &StateLocation) -> Result<Self, StateError> {
        let base = match location {
            StateLocation::Folder(folder) => Base::Sqlite(Sqlite::look_at(folder)?),
            StateLocation::Postgres(url) => Base::connect_reader(url)?,
        };
        crate::migrate::same_schema(&base)?;
        Ok(Self(Arc::new(Inner { base, results: RwLock::new(Pending::default()) })))
    }

    /// Where the database is, without a password.
    pub fn place(&self) -> String {
        self.0.base.place()
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match self.0.base {
            Base::Sqlite(_) => Dialect::Sqlite,
            Base::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Looks for damage and for rows that point nowhere; the list is empty when there is none. Slow on a large database.
    /// PostgreSQL guards its rows itself; there, indexes that it calls invalid are named.
    pub fn integrity(&self) -> Result<Vec<String>, StateError> {
        self.read("check the database", |t| match t.dialect() {
            Dialect::Sqlite => Sqlite::integrity(t),
            Dialect::Postgres => t.query(
                "SELECT 'the index ' || c.relname || ' is not valid: REINDEX it' FROM pg_index i
                 JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE NOT i.indisvalid AND n.nspname = current_schema()",
                &[],
                |r| r.get(0),
            ),
        })
    }

    /// Runs `work` in one transaction: everything or nothing is kept, and on return it is on disk.
    pub(crate) fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Tx<'_>) -> SqlResult<T>,
    ) -> Result<T, StateError> {
        self.0.base.write(work).doing(doing)
    }

    /// Runs `work` on a reader. It sees one consistent state. `work` must not call `read` again: the readers are few.
    pub(crate) fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Tx<'_>) -> SqlResult<T>,
    ) -> Result<T, StateError> {
        self.0.base.read(work).doing(doing)
    }
}

/// Damage and rows that point nowhere in a file, in words.
pub(crate) fn integrity(t: &Tx<'_>) -> SqlResult<Vec<String>> {
    Sqlite::integrity(t)
}
