//! Brings a database to this version's schema: numbered steps, forward only, each in a transaction. I/O.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::StateError;
use crate::error::Doing;

/// The steps in order; step n leads to schema version n + 1. A step that was released never changes.
const STEPS: [&str; 1] = [include_str!("../migrations/0001_first.sql")];

/// Schema version of this program.
pub const SCHEMA_VERSION: u32 = STEPS.len() as u32;

/// Marks the file as Farero's (SQLite's `application_id`): "Fare".
const APPLICATION_ID: u32 = 0x4661_7265;

pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StateError> {
    let doing = "read the schema version";
    let found: u32 = connection.query_row("PRAGMA user_version", [], |r| r.get(0)).doing(doing)?;
    let owner: u32 = connection.query_row("PRAGMA application_id", [], |r| r.get(0)).doing(doing)?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0)).doing(doing)?;
    if owner != APPLICATION_ID && (owner != 0 || tables > 0) {
        return Err(StateError::Foreign { path: path.to_owned() });
    }
    if found > SCHEMA_VERSION {
        return Err(StateError::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    for (version, step) in (1u32..).zip(STEPS).skip(found as usize) {
        let doing = "bring the database to this version's schema";
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).doing(doing)?;
        transaction.execute_batch(step).doing(doing)?;
        transaction.pragma_update(None, "user_version", version).doing(doing)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).doing(doing)?;
        transaction.commit().doing(doing)?;
        tracing::info!(version, "the database has a new schema");
    }
    Ok(())
}
