//! Backup, restore and move of everything in the database, with proof that it arrived. I/O.
//!
//! A backup is one SQLite file with the schema of its time and a manifest: rows and hash of each table. It is made in one
//! snapshot while Farero runs, restored to a folder or to PostgreSQL, and only called good when what was written, read
//! back, has the manifest's hashes and its trail is one chain. Measurements (`series/`) are not in it.

mod catalog;
mod chain;
mod rows;

use std::path::Path;

use kernel::Timestamp;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};

use self::catalog::{Digest, Table};
use self::rows::difference;
use crate::StateError;
use crate::codec::to_json;
use crate::db::{Base, FILE_NAME, SqlError, SqlResult, StateLocation, Tx, sqlite, values};
use crate::error::Doing;
use crate::migrate::{self, Found, SCHEMA_VERSION, STEPS, same_schema, schema_of};

/// The manifest's table in a backup.
const MANIFEST_TABLE: &str = "farero_backup";
/// The form of manifest that is written; older ones are read.
const FORMAT: u32 = 1;

/// What a backup holds, or what was moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this manifest.
    pub format: u32,
    /// Schema version of the tables.
    pub schema: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// From where: a folder or a server, never with a password.
    pub from: String,
    /// All tables.
    pub tables: Vec<TableCount>,
    /// What is wrong with the audit trail that was copied: it was so before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail_problem: Option<String>,
}

/// One table of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCount {
    /// Its name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over all of them, in the order of the key.
    pub sha256: String,
}

impl Manifest {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|t| t.rows).sum()
    }

    fn expected(&self, table: &Table) -> Result<Digest, SqlError> {
        let found = self.tables.iter().find(|t| t.name == table.name);
        let found = found.ok_or_else(|| SqlError::Refused(format!("the manifest does not name {}", table.name)))?;
        Ok(Digest { rows: found.rows, sha256: found.sha256.clone() })
    }
}

/// Writes everything of a database into a file, consistently while Farero runs on it.
///
/// # Errors
/// The database cannot be read or has another version's schema, or the file cannot be written; then there is no file.
pub fn backup(from: &StateLocation, file: &Path, at: Timestamp) -> Result<Manifest, StateError> {
    if file.exists() {
        return Err(StateError::NotEmpty { place: file.display().to_string() });
    }
    let part = sqlite::part_of(file);
    let made = fill(from, &part, at);
    if made.is_err() {
        // What is left of it is of no use; that it cannot be removed either says nothing more.
        let _ = std::fs::remove_file(&part);
    }
    let manifest = made?;
    sqlite::settle(&part, file)?;
    Ok(manifest)
}

fn fill(from: &StateLocation, part: &Path, at: Timestamp) -> Result<Manifest, StateError> {
    let doing = "write the backup";
    sqlite::make_private(part)?;
    match from {
        StateLocation::Folder(folder) => {
            let path = folder.join(FILE_NAME);
            let missing = || StateError::NoState { place: folder.display().to_string() };
            let source =
                path.is_file().then(|| sqlite::reader(&path)).ok_or_else(missing)?.doing("open the database")?;
            source.execute("VACUUM INTO ?1", [&*part.to_string_lossy()]).doing(doing)?;
        }
        StateLocation::Postgres(url) => {
            let source = Base::connect_reader(url)?;
            same_schema(&source)?;
            let target = Connection::open(part).doing(doing)?;
            let copied = source.read_long(|f| {
                let t = Tx::sqlite(&target);
                t.batch("BEGIN")?;
                migrate::run_all(&t, STEPS)?;
                for table in &catalog::tables(STEPS)? {
                    let read = table.copy(f, &t)?;
                    difference(&table.name, &read, &table.digest(&t)?)?;
                }
                t.batch("COMMIT")
            });
            copied.doing(doing)?;
        }
    }
    let target = Connection::open(part).doing(doing)?;
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).doing(doing)?;
    let t = Tx::sqlite(&target);
    let place = part.display().to_string();
    if schema_of(&t, &place)? != SCHEMA_VERSION {
        return Err(StateError::Older { place: from.to_string() });
    }
    let manifest = survey(&t, STEPS, from.to_string(), at).doing(doing)?;
    t.batch(&format!(
        "DROP TABLE IF EXISTS {MANIFEST_TABLE}; CREATE TABLE {MANIFEST_TABLE} (id INTEGER PRIMARY KEY, json TEXT NOT NULL)"
    ))
    .and_then(|()| {
        let sql = format!("INSERT INTO {MANIFEST_TABLE} (id, json) VALUES (1, ?1)");
        t.execute(&sql, &values![to_json(&manifest)?])
    })
    .doing(doing)?;
    Ok(manifest)
}

/// Counts and hashes all tables.
fn survey(t: &Tx<'_>, steps: &[migrate::Step], from: String, at: Timestamp) -> SqlResult<Manifest> {
    let mut tables = Vec::new();
    for table in catalog::tables(steps)? {
        let Digest { rows, sha256 } = table.digest(t)?;
        tables.push(TableCount { name: table.name, rows, sha256 });
    }
    let trail_problem = trail_problem(t, &tables)?;
    let schema = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    Ok(Manifest { format: FORMAT, schema, made_at: at, from, tables, trail_problem })
}

fn trail_problem(t: &Tx<'_>, tables: &[TableCount]) -> SqlResult<Option<String>> {
    if tables.iter().all(|table| table.name != "trail") {
        return Ok(None);
    }
    match chain::check(t) {
        Ok(()) => Ok(None),
        Err(SqlError::Refused(problem)) => Ok(Some(problem)),
        Err(error) => Err(error),
    }
}

/// Looks through a backup: does each table have the rows that the manifest tells of?
///
/// # Errors
/// It is no backup, of a newer version, or damaged.
pub fn verify(file: &Path) -> Result<Manifest, StateError> {
    let (connection, manifest) = open_backup(file)?;
    let t = Tx::sqlite(&connection);
    let steps = steps_of(&manifest, file)?;
    let place = file.display().to_string();
    sound(&t).and_then(|()| check(&t, steps, &manifest)).map_err(|e| damaged(place.clone(), e))?;
    match trail_problem(&t, &manifest.tables).doing("look through the trail")? {
        Some(problem) => Err(StateError::Damaged { place, problem }),
        None => Ok(manifest),
    }
}

/// Puts a backup into an empty place and proves that it arrived. A trail that was broken before is restored as it is, and
/// said so in the manifest that is returned: it is evidence.
///
/// # Errors
/// The backup is damaged, the place is in use or not empty, or what arrived is not what was sent; then the place stays empty.
pub fn restore(file: &Path, to: &StateLocation) -> Result<Manifest, StateError> {
    let (connection, manifest) = open_backup(file)?;
    let steps = steps_of(&manifest, file)?;
    let from = Tx::sqlite(&connection);
    sound(&from).and_then(|()| check(&from, steps, &manifest)).map_err(|e| damaged(file.display().to_string(), e))?;
    let target = empty_target(to, steps)?;
    target.write_long(|t| pour(&from, t, steps, &manifest)).map_err(|e| damaged(target.place(), e))?;
    migrate::migrate(&target, STEPS)?;
    let trail_problem = trail_problem(&from, &manifest.tables).doing("look through the trail")?;
    Ok(Manifest { trail_problem, ..manifest })
}

/// Moves everything from a folder to PostgreSQL and proves that it arrived. The folder's database stays, marked so that
/// no Farero starts on it again.
///
/// # Errors
/// The folder is in use, the target is in use or not empty, or what arrived is not what was sent; then the target stays empty.
pub fn move_to(from: &Path, to: &StateLocation, at: Timestamp) -> Result<Manifest, StateError> {
    if !from.join(FILE_NAME).is_file() {
        return Err(StateError::NoState { place: from.display().to_string() });
    }
    let source = Base::open(&StateLocation::Folder(from.to_owned()), STEPS)?;
    let target = empty_target(to, STEPS)?;
    let manifest = source.read(|f| {
        let manifest = survey(f, STEPS, source.place(), at)?;
        if let Some(problem) = manifest.trail_problem {
            return Err(SqlError::Refused(problem));
        }
        target.write_long(|t| pour(f, t, STEPS, &manifest))?;
        Ok(manifest)
    });
    let manifest = manifest.map_err(|e| damaged(target.place(), e))?;
    source.write(|t| migrate::mark_moved(t, &target.place())).doing("mark the old database as moved")?;
    Ok(manifest)
}

/// Fills the tables and reads them back. In one transaction: a difference leaves nothing behind.
fn pour(from: &Tx<'_>, to: &Tx<'_>, steps: &[migrate::Step], manifest: &Manifest) -> SqlResult<()> {
    for table in &catalog::tables(steps)? {
        table.copy(from, to)?;
    }
    check(to, steps, manifest)
}

/// Whether a backup is a sound file of its kind.
fn sound(t: &Tx<'_>) -> SqlResult<()> {
    match crate::db::integrity(t) {
        Ok(problems) if problems.is_empty() => Ok(()),
        Ok(problems) => Err(SqlError::Refused(problems.join("; "))),
        Err(error) => Err(SqlError::Refused(error.to_string())),
    }
}

fn check(t: &Tx<'_>, steps: &[migrate::Step], manifest: &Manifest) -> SqlResult<()> {
    for table in &catalog::tables(steps)? {
        difference(&table.name, &manifest.expected(table)?, &table.digest(t)?)?;
    }
    Ok(())
}

/// A place with the schema and nothing in it.
fn empty_target(to: &StateLocation, steps: &[migrate::Step]) -> Result<Base, StateError> {
    let not_empty = || StateError::NotEmpty { place: to.to_string() };
    let target = Base::connect(to)?;
    let version = match target.write(migrate::found).doing("look at the target")? {
        Found::Foreign => return Err(StateError::Foreign { place: to.to_string() }),
        Found::Version(version) => version,
    };
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    if version != 0 && version != known {
        return Err(not_empty());
    }
    if version == known {
        let fresh = target.write(|t| {
            for table in &catalog::tables(steps)? {
                if table.digest(t)? != table.fresh {
                    return Ok(false);
                }
            }
            Ok(true)
        });
        if !fresh.doing("look at the target")? {
            return Err(not_empty());
        }
    }
    migrate::migrate(&target, steps)?;
    target.with_readers()
}

fn open_backup(file: &Path) -> Result<(Connection, Manifest), StateError> {
    let no_backup = || StateError::NoBackup { path: file.to_owned() };
    if !file.is_file() {
        return Err(no_backup());
    }
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).doing("open the backup")?;
    let json: String = connection
        .query_row(&format!("SELECT json FROM {MANIFEST_TABLE} WHERE id = 1"), [], |r| r.get(0))
        .map_err(|_| no_backup())?;
    let manifest: Manifest = serde_json::from_str(&json).map_err(|_| no_backup())?;
    Ok((connection, manifest))
}

fn steps_of(manifest: &Manifest, file: &Path) -> Result<&'static [migrate::Step], StateError> {
    let place = file.display().to_string();
    if manifest.format > FORMAT || manifest.schema > SCHEMA_VERSION {
        return Err(StateError::Newer { place, found: manifest.schema, known: SCHEMA_VERSION });
    }
    Ok(&STEPS[..manifest.schema as usize])
}

/// What is not as it should be, or a failure of a database.
fn damaged(place: String, error: SqlError) -> StateError {
    match error {
        SqlError::Refused(problem) => StateError::Damaged { place, problem },
        source => StateError::Sql { doing: "copy the state", source },
    }
}
