//! The database file: opening, one writer, a few readers, the lock on the folder. I/O.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, RwLock};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::StateError;
use crate::error::Doing;
use crate::results::Pending;

/// File of the database inside the data folder.
pub const FILE_NAME: &str = "farero.db";

/// File whose lock keeps a second process out.
const LOCK_NAME: &str = "farero.lock";

/// Readers beside the writer: pages and loops rarely read at the same time, and each reader costs memory.
const READERS: usize = 4;

/// How long a statement waits for a lock of another process (a backup tool, `sqlite3`).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Page cache of the writer and of one reader, KiB. SQLite's default of 2,000 for each would be a fifth of the
/// memory that the whole program may use.
const WRITER_CACHE_KIB: i64 = 2_000;
const READER_CACHE_KIB: i64 = 512;

/// Prepared statements kept per connection: about as many as this crate has.
const STATEMENTS: usize = 128;

/// What must survive a restart. Cloning is cheap; all clones share one database.
///
/// Calls are synchronous and wait for the disk: async callers use `spawn_blocking`.
#[derive(Clone)]
pub struct State(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    returned: Condvar,
    pub(crate) results: RwLock<Pending>,
    /// Held for its lock.
    _lock: File,
}

impl State {
    /// Opens the database in a folder, making both when they are missing.
    ///
    /// # Errors
    /// The folder cannot be used, another process uses it, or the database is a newer version's or damaged.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        std::fs::create_dir_all(folder).map_err(|source| StateError::Io {
            doing: "make the data folder",
            path: folder.to_owned(),
            source,
        })?;
        let lock = lock(folder)?;
        let path = folder.join(FILE_NAME);
        let mut writer = Connection::open(&path).doing("open the database")?;
        settle_writer(&writer).doing("set the database up")?;
        crate::migrate::migrate(&mut writer, &path)?;
        let readers =
            (0..READERS).map(|_| reader(&path)).collect::<rusqlite::Result<_>>().doing("open the database")?;
        let results = RwLock::new(Pending::load(&writer).doing("read the checks")?);
        Ok(Self(Arc::new(Inner {
            path,
            writer: Mutex::new(writer),
            readers: Mutex::new(readers),
            returned: Condvar::new(),
            results,
            _lock: lock,
        })))
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Looks through the whole file for damage; the list is empty when there is none. Slow on a large database.
    pub fn integrity(&self) -> Result<Vec<String>, StateError> {
        self.read("check the database", |c| {
            let mut problems: Vec<String> = c
                .prepare("PRAGMA integrity_check(100)")?
                .query_map([], |r| r.get::<_, String>(0))?
                .collect::<rusqlite::Result<_>>()?;
            problems.retain(|line| line != "ok");
            let mut orphans = c.prepare("PRAGMA foreign_key_check")?;
            let mut rows = orphans.query([])?;
            while let Some(row) = rows.next()? {
                let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
                problems.push(format!("a row of {table} points to a row of {parent} that is not there"));
            }
            Ok(problems)
        })
    }

    /// Runs `work` in one transaction: everything or nothing is kept, and on return it is on disk.
    pub(crate) fn write<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        let mut writer = self.0.writer.lock();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate).doing(doing)?;
        let out = work(&transaction).doing(doing)?;
        transaction.commit().doing(doing)?;
        Ok(out)
    }

    /// Runs `work` on a reader. It sees one consistent state. `work` must not call `read` again: the readers are few.
    pub(crate) fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StateError> {
        let mut loan = self.borrow_reader();
        let Some(connection) = loan.connection.as_mut() else {
            return Err(rusqlite::Error::InvalidQuery).doing(doing);
        };
        let snapshot = connection.transaction().doing(doing)?;
        work(&snapshot).doing(doing)
    }

    fn borrow_reader(&self) -> Loan<'_> {
        let mut readers = self.0.readers.lock();
        loop {
            if let Some(connection) = readers.pop() {
                return Loan { inner: &self.0, connection: Some(connection) };
            }
            self.0.returned.wait(&mut readers);
        }
    }
}

/// A reader that goes back to the others when it is dropped.
struct Loan<'a> {
    inner: &'a Inner,
    connection: Option<Connection>,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.inner.readers.lock().push(connection);
            self.inner.returned.notify_one();
        }
    }
}

fn lock(folder: &Path) -> Result<File, StateError> {
    let path = folder.join(LOCK_NAME);
    let io = |source| StateError::Io { doing: "open the lock file", path: path.clone(), source };
    let file = File::options().create(true).append(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StateError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StateError::Io { doing: "lock", path, source }),
    }
}

fn settle_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.query_row("PRAGMA journal_size_limit = 16777216", [], |_| Ok(()))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}
