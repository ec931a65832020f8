//! Brings a database to this version's schema: numbered steps, forward only, each checked before it begins. I/O.
//!
//! A step is a file of statements in one transaction. One that must also change many rows does so in batches, each with its
//! position stored in the same transaction: after a crash the next start goes on from there. Until its last batch the
//! step does not count as done, and nothing else runs.

mod check;
mod dialect;

use crate::StateError;
use crate::db::{Base, Dialect, SqlResult, Tx, values};
use crate::error::Doing;

/// Marks a file as Farero's (SQLite's `application_id`): "Fare".
pub(crate) const APPLICATION_ID: i64 = 0x4661_7265;

/// The steps in order; step n leads to schema version n. A step that was released never changes.
pub const STEPS: &[Step] = &[
    Step::new("0001_first", include_str!("../../migrations/0001_first.sql")),
    Step::new("0002_trail", include_str!("../../migrations/0002_trail.sql")),
    Step::new("0003_login", include_str!("../../migrations/0003_login.sql")),
    Step::new("0004_access", include_str!("../../migrations/0004_access.sql")),
];

/// Schema version of this program.
pub const SCHEMA_VERSION: u32 = STEPS.len() as u32;

/// The setting that says where a database was moved to.
const MOVED_KEY: &str = "state.moved_to";

/// What is in the way of a step, each in a sentence that says what to do: duplicates that a new constraint would refuse, …
pub type Check = fn(&Tx<'_>) -> SqlResult<Vec<String>>;

/// Changes the next batch of rows, from a position on (`None` at the beginning); returns the next position, `None` when all is done.
pub type Data = fn(&Tx<'_>, Option<&str>) -> SqlResult<Option<String>>;

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Its file's name.
    pub name: &'static str,
    /// Its statements, in the common dialect (see `dialect.rs`).
    pub sql: &'static str,
    /// Looked at before anything is changed.
    pub check: Option<Check>,
    /// After the statements, in batches.
    pub data: Option<Data>,
    /// After the data: what may only hold then, such as a constraint.
    pub after: &'static str,
}

impl Step {
    /// A step of statements only.
    pub const fn new(name: &'static str, sql: &'static str) -> Self {
        Self { name, sql, check: None, data: None, after: "" }
    }

    /// The same, with a look at what is in the way.
    #[must_use]
    pub const fn checked(self, check: Check) -> Self {
        Self { check: Some(check), ..self }
    }

    /// The same, with rows to change in batches, and statements after that.
    #[must_use]
    pub const fn with_data(self, data: Data, after: &'static str) -> Self {
        Self { data: Some(data), after, ..self }
    }
}

/// Migrates; a database that is new gets the whole schema.
pub(crate) fn migrate(base: &Base, steps: &[Step]) -> Result<(), StateError> {
    let found = base.write(found).doing("read the schema version")?;
    let place = base.place();
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    let version = match found {
        Found::Foreign => return Err(StateError::Foreign { place }),
        Found::Version(found) if found > known => return Err(StateError::Newer { place, found, known }),
        Found::Version(found) => found,
    };
    if version > 0 {
        let to = base.write(|t| position(t, MOVED_KEY)).doing("read the schema version")?;
        if let Some(to) = to {
            return Err(StateError::Moved { place, to });
        }
    }
    if version == known {
        return Ok(());
    }
    let next = format!("migration.{}", version + 1);
    let resumed = version > 0 && base.write(|t| position(t, &next)).doing("read the schema version")?.is_some();
    if version > 0 && !resumed {
        check::before(base, steps.get(version as usize).map_or("", |s| s.name))?;
        base.keep_copy(version)?;
    }
    for (version, step) in (1u32..).zip(steps).skip(version as usize) {
        apply(base, version, step)?;
        tracing::info!(version, step = step.name, "the database has a new schema");
    }
    Ok(())
}

fn apply(base: &Base, version: u32, step: &Step) -> Result<(), StateError> {
    let doing = "bring the database to this version's schema";
    let key = format!("migration.{version}");
    let begun = match step.data {
        Some(_) => base.write(|t| position(t, &key)).doing(doing)?,
        None => None,
    };
    if begun.is_none() {
        check::step(base, step)?;
        base.write_long(|t| {
            t.batch(&dialect::render(step.sql, t.dialect()))?;
            if step.data.is_some() { store_position(t, &key, "") } else { finish(t, version, step) }
        })
        .doing(doing)?;
    }
    let Some(data) = step.data else { return Ok(()) };
    let mut at = begun.filter(|p| !p.is_empty());
    loop {
        let next = base.write_long(|t| {
            let next = data(t, at.as_deref())?;
            match &next {
                Some(next) => store_position(t, &key, next)?,
                None => {
                    t.batch(&dialect::render(step.after, t.dialect()))?;
                    t.execute("DELETE FROM settings WHERE key = ?1", &values![key])?;
                    finish(t, version, step)?;
                }
            }
            Ok(next)
        });
        at = next.doing(doing)?;
        if at.is_none() {
            return Ok(());
        }
    }
}

/// How far a step with data has come; empty when its statements are done and nothing else.
fn position(t: &Tx<'_>, key: &str) -> SqlResult<Option<String>> {
    t.query_maybe("SELECT value FROM settings WHERE key = ?1", &values![key], |r| r.get(0))
}

fn store_position(t: &Tx<'_>, key: &str, position: &str) -> SqlResult<()> {
    t.execute(
        "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &values![key, position],
    )
    .map(|_| ())
}

fn finish(t: &Tx<'_>, version: u32, step: &Step) -> SqlResult<()> {
    match t.dialect() {
        Dialect::Sqlite => {
            t.batch(&format!("PRAGMA user_version = {version}; PRAGMA application_id = {APPLICATION_ID}"))
        }
        Dialect::Postgres => {
            t.batch(
                "CREATE TABLE IF NOT EXISTS farero_schema
                     (version BIGINT PRIMARY KEY, name TEXT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT now());
                 CREATE TABLE IF NOT EXISTS farero_writer (id BIGINT PRIMARY KEY, turn TEXT NOT NULL);
                 INSERT INTO farero_writer (id, turn) VALUES (1, '') ON CONFLICT (id) DO NOTHING",
            )?;
            t.execute("INSERT INTO farero_schema (version, name) VALUES (?1, ?2)", &values![version, step.name])
                .map(|_| ())
        }
    }
}

/// Marks a database as moved: no Farero starts on it again.
pub(crate) fn mark_moved(t: &Tx<'_>, to: &str) -> SqlResult<()> {
    store_position(t, MOVED_KEY, to)
}

/// Runs all steps on an empty database within the caller's transaction.
pub(crate) fn run_all(t: &Tx<'_>, steps: &[Step]) -> SqlResult<()> {
    for (version, step) in (1u32..).zip(steps) {
        run_at_once(t, step)?;
        finish(t, version, step)?;
    }
    Ok(())
}

/// One step, its data included, without noting that it is done.
pub(crate) fn run_at_once(t: &Tx<'_>, step: &Step) -> SqlResult<()> {
    t.batch(&dialect::render(step.sql, t.dialect()))?;
    if let Some(data) = step.data {
        let mut at = None;
        loop {
            at = data(t, at.as_deref())?;
            if at.is_none() {
                break;
            }
        }
        t.batch(&dialect::render(step.after, t.dialect()))?;
    }
    Ok(())
}

/// What lies in a place.
pub(crate) enum Found {
    /// Some other program's tables.
    Foreign,
    /// Farero's, of this version; 0 when there is nothing.
    Version(u32),
}

/// Looks what lies in a place.
pub(crate) fn found(t: &Tx<'_>) -> SqlResult<Found> {
    let number = |sql: &str| t.query_one::<i64>(sql, &[], |r| r.get(0));
    let (version, ours, tables) = match t.dialect() {
        Dialect::Sqlite => {
            let tables = number("SELECT count(*) FROM sqlite_schema")?;
            (number("PRAGMA user_version")?, number("PRAGMA application_id")? == APPLICATION_ID, tables)
        }
        Dialect::Postgres => {
            let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()";
            let ours = number(&format!("{tables} AND tablename = 'farero_schema'"))? > 0;
            let version = if ours { number("SELECT coalesce(max(version), 0) FROM farero_schema")? } else { 0 };
            (version, ours, number(tables)?)
        }
    };
    if !ours && (tables > 0 || version > 0) {
        return Ok(Found::Foreign);
    }
    Ok(Found::Version(u32::try_from(version).unwrap_or(u32::MAX)))
}

/// That a database which is only looked at has this program's schema.
pub(crate) fn same_schema(base: &Base) -> Result<(), StateError> {
    let place = base.place();
    match base.read_long(|t| Ok(schema_of(t, &place))).doing("read the schema version")?? {
        SCHEMA_VERSION => Ok(()),
        _ => Err(StateError::Older { place }),
    }
}

/// The schema version of a database of Farero's.
pub(crate) fn schema_of(t: &Tx<'_>, place: &str) -> Result<u32, StateError> {
    match found(t).doing("read the schema version")? {
        Found::Foreign => Err(StateError::Foreign { place: place.to_owned() }),
        Found::Version(0) => Err(StateError::NoState { place: place.to_owned() }),
        Found::Version(found) if found > SCHEMA_VERSION => {
            Err(StateError::Newer { place: place.to_owned(), found, known: SCHEMA_VERSION })
        }
        Found::Version(found) => Ok(found),
    }
}
