//! What is looked at before a database is changed: a step that would fail half-way is not begun. I/O.

use std::path::Path;

use super::Step;
use crate::StateError;
use crate::db::{Base, Dialect, SqlResult, Tx};
use crate::error::Doing;

/// Free space that must be left beside what a step writes, so that Farero can go on afterwards.
const SPARE_BYTES: u64 = 64 * 1024 * 1024;
/// A step may write each page of the file once into the log and once into the file, and a copy is kept before.
const REWRITES: u64 = 3;

/// Before any step: is the database sound, and is there room?
pub(super) fn before(base: &Base, step: &'static str) -> Result<(), StateError> {
    let doing = "look at the database before its schema changes";
    let mut problems = base.write(sound).doing(doing)?;
    if let Base::Sqlite(file) = base {
        problems.extend(room(file.path()).map_err(|source| StateError::Io {
            doing: "look for free space at",
            path: file.path().to_owned(),
            source,
        })?);
    }
    refuse(base, step, &problems)
}

/// Before one step: what it asks for itself.
pub(super) fn step(base: &Base, step: &Step) -> Result<(), StateError> {
    let Some(check) = step.check else { return Ok(()) };
    let problems = base.write(check).doing("look at the database before its schema changes")?;
    refuse(base, step.name, &problems)
}

fn refuse(base: &Base, step: &'static str, problems: &[String]) -> Result<(), StateError> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(StateError::Preflight { place: base.place(), step, problems: problems.join("; ") })
}

fn sound(t: &Tx<'_>) -> SqlResult<Vec<String>> {
    match t.dialect() {
        Dialect::Sqlite => {
            let mut found = crate::db::integrity(t)?;
            if !found.is_empty() {
                found.push("restore the last backup, or mend it with the program sqlite3".to_owned());
            }
            Ok(found)
        }
        // The server's free space cannot be asked for; a step that finds none is rolled back whole.
        Dialect::Postgres => t.query(
            "SELECT 'the transaction of ' || coalesce(nullif(application_name, ''), usename, 'a client')
                    || ' (process ' || pid || ') is open for over a minute: end it'
             FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
               AND xact_start < now() - interval '1 minute'",
            &[],
            |r| r.get(0),
        ),
    }
}

fn room(path: &Path) -> std::io::Result<Option<String>> {
    let size = std::fs::metadata(path)?.len();
    let needed = size * REWRITES + SPARE_BYTES;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let disk = nix::sys::statvfs::statvfs(folder).map_err(std::io::Error::from)?;
    let free = disk.blocks_available() as u64 * disk.fragment_size() as u64;
    Ok((free < needed).then(|| {
        let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
        format!("{} MiB are free on its disk and {} MiB are needed: free some space", mib(free), mib(needed))
    }))
}
