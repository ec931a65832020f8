//! Reading a table page by page, hashing it, copying it: the same on both databases. I/O.
//!
//! The hash is SHA-256 over the table's and columns' names and then each cell in the order of the key: a letter for its
//! kind, its length where that varies, its bytes. Keys sort the same on both databases, so equal rows have equal hashes.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::catalog::{Digest, Table};
use crate::db::{Dialect, SqlError, SqlResult, Tx, Value, without_nul};

/// Rows read and written at a time: a plan's version may be large, so these are few.
const PAGE: usize = 256;

impl Table {
    /// How many rows there are, and their hash.
    pub(super) fn digest(&self, t: &Tx<'_>) -> SqlResult<Digest> {
        self.pages(t, |_| Ok(()))
    }

    /// Copies all rows and returns what was read.
    pub(super) fn copy(&self, from: &Tx<'_>, to: &Tx<'_>) -> SqlResult<Digest> {
        let insert = self.insert();
        let digest = self.pages(from, |rows| to.execute_rows(&insert, rows).map(|_| ()))?;
        self.continue_numbers(to)?;
        Ok(digest)
    }

    /// Reads all rows in the order of the key.
    fn pages(&self, t: &Tx<'_>, mut each: impl FnMut(&[Vec<Value<'static>>]) -> SqlResult<()>) -> SqlResult<Digest> {
        let (first, next) = (self.select(false), self.select(true));
        let mut hash = Sha256::new();
        feed_text(&mut hash, "farero table 1");
        feed_text(&mut hash, &self.name);
        self.columns.iter().for_each(|column| feed_text(&mut hash, column));
        let mut count = 0;
        let mut last: Option<Vec<Value<'static>>> = None;
        loop {
            let (sql, key) = match &last {
                None => (&first, Vec::new()),
                Some(row) => (&next, self.key.iter().map(|k| row[*k].clone()).collect()),
            };
            let rows: Vec<Vec<Value<'static>>> =
                t.query(sql, &key, |r| (0..self.columns.len()).map(|c| r.value(c).map(clean)).collect())?;
            for row in &rows {
                row.iter().for_each(|cell| feed(&mut hash, cell));
            }
            count += rows.len() as u64;
            if !rows.is_empty() {
                each(&rows)?;
            }
            if rows.len() < PAGE {
                break;
            }
            last = rows.into_iter().next_back();
        }
        let mut sha256 = String::with_capacity(64);
        for byte in hash.finalize() {
            let _ = write!(sha256, "{byte:02x}");
        }
        Ok(Digest { rows: count, sha256 })
    }

    fn select(&self, after: bool) -> String {
        let key = self.key.iter().map(|k| self.quoted(*k)).collect::<Vec<_>>().join(", ");
        let places = (1..=self.key.len()).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
        let after = if after { format!(" WHERE ({key}) > ({places})") } else { String::new() };
        let columns = (0..self.columns.len()).map(|c| self.quoted(c)).collect::<Vec<_>>().join(", ");
        format!("SELECT {columns} FROM {}{after} ORDER BY {key} LIMIT {PAGE}", self.name)
    }

    /// A row that a new database has already, such as the head of the trail, is replaced.
    fn insert(&self) -> String {
        let list = |of: &mut dyn Iterator<Item = usize>| of.map(|c| self.quoted(c)).collect::<Vec<_>>().join(", ");
        let columns = list(&mut (0..self.columns.len()));
        let places = (1..=self.columns.len()).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
        let mut sql = format!("INSERT INTO {} ({columns}) VALUES ({places})", self.name);
        let others: Vec<String> = (0..self.columns.len())
            .filter(|c| !self.key.contains(c))
            .map(|c| format!("{0} = excluded.{0}", self.quoted(c)))
            .collect();
        if self.fresh.rows > 0 && !others.is_empty() {
            let key = list(&mut self.key.iter().copied());
            sql.push_str(&format!(" ON CONFLICT ({key}) DO UPDATE SET {}", others.join(", ")));
        }
        sql
    }

    fn quoted(&self, column: usize) -> String {
        format!("\"{}\"", self.columns[column])
    }

    /// Numbers that PostgreSQL gives go on after those that were copied.
    fn continue_numbers(&self, to: &Tx<'_>) -> SqlResult<()> {
        let ([key], Dialect::Postgres) = (self.key.as_slice(), to.dialect()) else { return Ok(()) };
        let column = &self.columns[*key];
        let sequence = format!("SELECT pg_get_serial_sequence('{}', '{column}')", self.name);
        let sequence: Option<String> = to.query_one(&sequence, &[], |r| r.get(0))?;
        let Some(sequence) = sequence else { return Ok(()) };
        let (name, key) = (&self.name, self.quoted(*key));
        let sql = format!("SELECT setval('{sequence}', greatest(max({key}), 1), max({key}) IS NOT NULL) FROM {name}");
        to.query_one::<i64>(&sql, &[], |r| r.get(0)).map(|_| ())
    }
}

/// As PostgreSQL can hold it.
fn clean(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Text(text) => Value::Text(without_nul(&text).into_owned().into()),
        other => other.into_owned(),
    }
}

fn feed(hash: &mut Sha256, cell: &Value<'_>) {
    match cell {
        Value::Null => hash.update(b"n"),
        Value::Bool(b) => feed(hash, &Value::Int(i64::from(*b))),
        Value::Int(n) => {
            hash.update(b"i");
            hash.update(n.to_le_bytes());
        }
        Value::Real(n) => {
            hash.update(b"r");
            hash.update(n.to_bits().to_le_bytes());
        }
        Value::Text(text) => {
            hash.update(b"t");
            feed_text(hash, text);
        }
        Value::Bytes(bytes) => {
            hash.update(b"b");
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
    }
}

fn feed_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

/// Compares two digests of a table; a difference in words.
pub(super) fn difference(table: &str, expected: &Digest, found: &Digest) -> Result<(), SqlError> {
    if expected == found {
        return Ok(());
    }
    Err(SqlError::Refused(if expected.rows == found.rows {
        format!("the rows of {table} are not the same")
    } else {
        format!("{table} should have {} rows and has {}", expected.rows, found.rows)
    }))
}
