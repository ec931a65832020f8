//! The database file: opening, one writer, a few readers, the lock on the folder. I/O.

use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::pool::Pool;
use super::{SqlResult, Tx};
use crate::StateError;
use crate::error::Doing;

/// File of the database inside the data folder.
pub const FILE_NAME: &str = "farero.db";

/// File whose lock keeps a second process out.
const LOCK_NAME: &str = "farero.lock";

/// Readers beside the writer: pages and loops rarely read at the same time, and each reader costs memory.
const READERS: usize = 4;

/// How long a statement waits for a lock of another process (a backup tool, `sqlite3`).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a locked folder is asked again. A process that is being started has the lock of whoever starts it until
/// its own program runs, and so outlives a close by moments.
const LOCK_WAIT: Duration = Duration::from_millis(500);

/// Page cache of the writer and of one reader, KiB. SQLite's default of 2,000 for each would be a fifth of the
/// memory that the whole program may use.
const WRITER_CACHE_KIB: i64 = 2_000;
const READER_CACHE_KIB: i64 = 512;

/// Prepared statements kept per connection: about as many as this crate has.
const STATEMENTS: usize = 256;

/// A database file.
pub(crate) struct Sqlite {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Pool<Connection>,
    /// Held for its lock; none when it is only looked at.
    _lock: Option<File>,
}

impl Sqlite {
    /// Opens the file in a folder for writing, making both when they are missing. Readers come with [`Self::add_readers`].
    pub(crate) fn open(folder: &Path) -> Result<Self, StateError> {
        std::fs::create_dir_all(folder).map_err(|source| StateError::Io {
            doing: "make the data folder",
            path: folder.to_owned(),
            source,
        })?;
        let lock = lock(folder)?;
        let path = folder.join(FILE_NAME);
        let writer = Connection::open(&path).doing("open the database")?;
        settle_writer(&writer).doing("set the database up")?;
        Ok(Self { path, writer: Mutex::new(writer), readers: Pool::new(Vec::new()), _lock: Some(lock) })
    }

    /// Opens the file in a folder for looking only; another process may have it open for writing.
    pub(crate) fn look_at(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join(FILE_NAME);
        if !path.is_file() {
            return Err(StateError::NoState { place: folder.display().to_string() });
        }
        let writer = reader(&path).doing("open the database")?;
        let mut file = Self { path, writer: Mutex::new(writer), readers: Pool::new(Vec::new()), _lock: None };
        file.add_readers()?;
        Ok(file)
    }

    /// Once the schema is there.
    pub(crate) fn add_readers(&mut self) -> Result<(), StateError> {
        let readers = (0..READERS).map(|_| reader(&self.path)).collect::<rusqlite::Result<_>>();
        self.readers = Pool::new(readers.doing("open the database")?);
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        let mut writer = self.writer.lock();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let out = work(&Tx::sqlite(&transaction))?;
        transaction.commit()?;
        Ok(out)
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> SqlResult<T>) -> SqlResult<T> {
        self.readers.with(|connection| {
            let snapshot = connection.transaction()?;
            work(&Tx::sqlite(&snapshot))
        })
    }

    /// Copies the file as it is beside itself, named after its schema; an older copy of the same name is replaced.
    pub(crate) fn keep_copy(&self, version: u32) -> Result<(), StateError> {
        let target = self.path.with_file_name(format!("{FILE_NAME}.schema-{version}"));
        let part = part_of(&target);
        make_private(&part)?;
        let text = part.to_string_lossy();
        self.writer.lock().execute("VACUUM INTO ?1", [&*text]).doing("copy the database")?;
        settle(&part, &target)?;
        tracing::info!(copy = %target.display(), "a copy of the database was made before its schema changes");
        Ok(())
    }

    /// Damage and rows that point nowhere, in words.
    pub(crate) fn integrity(t: &Tx<'_>) -> SqlResult<Vec<String>> {
        let mut problems: Vec<String> = t.query("PRAGMA integrity_check(100)", &[], |r| r.get(0))?;
        problems.retain(|line| line != "ok");
        let orphans: Vec<String> = t.query("PRAGMA foreign_key_check", &[], |r| {
            let (table, parent): (String, String) = (r.get(0)?, r.get(2)?);
            Ok(format!("a row of {table} points to a row of {parent} that is not there"))
        })?;
        problems.extend(orphans);
        Ok(problems)
    }
}

/// The name of a file while it is being written.
pub(crate) fn part_of(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Makes an empty file that only this user may read.
pub(crate) fn make_private(path: &Path) -> Result<(), StateError> {
    let made = File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
    made.map(|_| ()).map_err(|source| StateError::Io { doing: "make the file", path: path.to_owned(), source })
}

/// Gives a written file its name, once it is on the disk: it is there whole or not at all.
pub(crate) fn settle(part: &Path, target: &Path) -> Result<(), StateError> {
    let done = File::open(part).and_then(|f| f.sync_all()).and_then(|()| std::fs::rename(part, target));
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let done = done.and_then(|()| File::open(folder)).and_then(|f| f.sync_all());
    done.map_err(|source| StateError::Io { doing: "write to the disk", path: target.to_owned(), source })
}

/// Locks a folder for one process.
pub(crate) fn lock(folder: &Path) -> Result<File, StateError> {
    let path = folder.join(LOCK_NAME);
    let io = |source| StateError::Io { doing: "open the lock file", path: path.clone(), source };
    let file = File::options().create(true).append(true).open(&path).map_err(io)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_WAIT => std::thread::sleep(LOCK_WAIT / 50),
            Err(TryLockError::WouldBlock) => return Err(StateError::InUse { place: folder.display().to_string() }),
            Err(TryLockError::Error(source)) => return Err(StateError::Io { doing: "lock", path, source }),
        }
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

/// A connection that only reads, beside a Farero that runs too.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}
