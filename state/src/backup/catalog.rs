//! The tables of a schema version, in an order in which they can be filled: read from an empty database made in memory. I/O.

use rusqlite::Connection;

use crate::db::{SqlError, SqlResult, Tx, values};
use crate::migrate::{self, Step};

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// The columns of its primary key, as places in `columns`, in the key's order.
    pub(super) key: Vec<usize>,
    /// What a new database has in it.
    pub(super) fresh: Digest,
    /// The tables that its rows point to.
    parents: Vec<String>,
}

/// How many rows a table has, and a hash over all of them in the order of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digest {
    pub(super) rows: u64,
    pub(super) sha256: String,
}

/// The tables after these steps; a table comes after those that its rows point to.
pub(super) fn tables(steps: &[Step]) -> SqlResult<Vec<Table>> {
    let connection = Connection::open_in_memory()?;
    let t = Tx::sqlite(&connection);
    for step in steps {
        migrate::run_at_once(&t, step)?;
    }
    let names: Vec<String> = t.query(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        &[],
        |r| r.get(0),
    )?;
    let mut waiting = names.iter().map(|name| read(&t, name)).collect::<SqlResult<Vec<_>>>()?;
    let mut ordered: Vec<Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|table| {
            table.parents.iter().all(|p| *p == table.name || ordered.iter().any(|done| done.name == *p))
        });
        let Some(ready) = ready else {
            return Err(SqlError::Refused("tables point to one another in a circle".to_owned()));
        };
        ordered.push(waiting.remove(ready));
    }
    Ok(ordered)
}

fn read(t: &Tx<'_>, name: &str) -> SqlResult<Table> {
    let all: Vec<(String, i64)> =
        t.query("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid", &values![name], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })?;
    let mut key: Vec<(i64, usize)> =
        all.iter().enumerate().filter(|(_, (_, pk))| *pk > 0).map(|(place, (_, pk))| (*pk, place)).collect();
    key.sort_unstable();
    if key.is_empty() {
        return Err(SqlError::Refused(format!("the table {name} has no primary key")));
    }
    let parents =
        t.query("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?1)", &values![name], |r| r.get(0))?;
    let mut table = Table {
        name: name.to_owned(),
        columns: all.into_iter().map(|(name, _)| name).collect(),
        key: key.into_iter().map(|(_, place)| place).collect(),
        fresh: Digest { rows: 0, sha256: String::new() },
        parents,
    };
    table.fresh = table.digest(t)?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_key_and_comes_after_its_parents() {
        let tables = tables(migrate::STEPS).unwrap();
        let place = |name: &str| tables.iter().position(|t| t.name == name).unwrap();
        assert!(place("outbox") < place("attempts"));
        assert!(place("users") < place("sessions"));
        assert!(place("checks") < place("rollups"));
        let rollups = &tables[place("rollups")];
        let key: Vec<_> = rollups.key.iter().map(|k| rollups.columns[*k].as_str()).collect();
        assert_eq!(key, ["span_ms", "start_ms", "check_id"]);
    }
}
