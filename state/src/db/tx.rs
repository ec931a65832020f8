//! One transaction, and the rows it reads: the same words on both databases. I/O.
//!
//! Statements are written once, in the intersection of both dialects: `?1` placeholders, `ON CONFLICT`, `RETURNING`,
//! columns named with their table where `excluded` is near, `CAST(sum(x) AS BIGINT)`, no two-argument `max`, no
//! `LIMIT -1`, `IS NOT DISTINCT FROM` for what may be empty. When a statement fails, the whole transaction has failed:
//! return the error, do not go on.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};

use super::postgres::{Raw, Session};
use super::{FromCell, SqlError, SqlResult, Value};

/// Which database it is. What differs between the two asks for this; there should be little of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The file in the data folder.
    Sqlite,
    /// The server.
    Postgres,
}

/// A transaction.
pub struct Tx<'a>(Kind<'a>);

enum Kind<'a> {
    Sqlite(&'a Connection),
    Postgres(&'a Session),
}

/// A row of an answer.
pub struct Row<'a>(RowKind<'a>);

enum RowKind<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl<'a> Tx<'a> {
    pub(crate) const fn sqlite(connection: &'a Connection) -> Self {
        Self(Kind::Sqlite(connection))
    }

    pub(crate) const fn postgres(session: &'a Session) -> Self {
        Self(Kind::Postgres(session))
    }

    /// Which database it is.
    pub const fn dialect(&self) -> Dialect {
        match self.0 {
            Kind::Sqlite(_) => Dialect::Sqlite,
            Kind::Postgres(_) => Dialect::Postgres,
        }
    }

    /// What makes a `SELECT` lock its rows until the transaction ends. SQLite has one writer anyway.
    pub const fn for_update(&self) -> &'static str {
        match self.0 {
            Kind::Sqlite(_) => "",
            Kind::Postgres(_) => " FOR UPDATE",
        }
    }

    /// Changes rows; returns how many.
    pub fn execute(&self, sql: &str, values: &[Value<'_>]) -> SqlResult<usize> {
        match self.0 {
            Kind::Sqlite(c) => Ok(c.prepare_cached(sql)?.execute(params_from_iter(values))?),
            Kind::Postgres(s) => s.execute(sql, values),
        }
    }

    /// Runs one statement for each set of values, in order; returns how many rows were changed. On PostgreSQL they are
    /// sent without waiting for each answer.
    pub fn execute_many<'v, const N: usize>(&self, sql: &str, rows: &[[Value<'v>; N]]) -> SqlResult<usize> {
        match self.0 {
            Kind::Sqlite(c) => {
                let mut statement = c.prepare_cached(sql)?;
                let mut changed = 0;
                for row in rows {
                    changed += statement.execute(params_from_iter(row))?;
                }
                Ok(changed)
            }
            Kind::Postgres(s) => s.execute_many(sql, rows.iter().map(<[Value<'v>; N]>::as_slice)),
        }
    }

    /// As [`Tx::execute_many`], for a number of columns that is only known now.
    pub(crate) fn execute_rows(&self, sql: &str, rows: &[Vec<Value<'_>>]) -> SqlResult<usize> {
        match self.0 {
            Kind::Sqlite(c) => {
                let mut statement = c.prepare_cached(sql)?;
                let mut changed = 0;
                for row in rows {
                    changed += statement.execute(params_from_iter(row))?;
                }
                Ok(changed)
            }
            Kind::Postgres(s) => s.execute_many(sql, rows.iter().map(Vec::as_slice)),
        }
    }

    /// All rows of an answer. `each` may collect into a list, a map or a `Result` of them.
    pub fn query<T, C: FromIterator<T>>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<C> {
        match self.0 {
            Kind::Sqlite(c) => {
                let mut statement = c.prepare_cached(sql)?;
                let rows = statement.query_and_then(params_from_iter(values), |r| each(&Row(RowKind::Sqlite(r))))?;
                rows.collect()
            }
            Kind::Postgres(s) => s.query(sql, values)?.iter().map(|r| each(&Row(RowKind::Postgres(r)))).collect(),
        }
    }

    /// The first row of an answer, if there is one.
    pub fn query_maybe<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<Option<T>> {
        match self.0 {
            Kind::Sqlite(c) => {
                let mut statement = c.prepare_cached(sql)?;
                let mut rows = statement.query(params_from_iter(values))?;
                rows.next()?.map(|r| read(&Row(RowKind::Sqlite(r)))).transpose()
            }
            Kind::Postgres(s) => s.query(sql, values)?.first().map(|r| read(&Row(RowKind::Postgres(r)))).transpose(),
        }
    }

    /// The first row of an answer that has one.
    pub fn query_one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> SqlResult<T>,
    ) -> SqlResult<T> {
        self.query_maybe(sql, values, read)?.ok_or(SqlError::NoRow)
    }

    /// Whether an answer has a row.
    pub fn exists(&self, sql: &str, values: &[Value<'_>]) -> SqlResult<bool> {
        Ok(self.query_maybe(sql, values, |_| Ok(()))?.is_some())
    }

    /// Runs statements without values, one after the other.
    pub(crate) fn batch(&self, sql: &str) -> SqlResult<()> {
        match self.0 {
            Kind::Sqlite(c) => Ok(c.execute_batch(sql)?),
            Kind::Postgres(s) => s.batch(sql),
        }
    }
}

impl Row<'_> {
    /// A column, from 0.
    pub fn get<T: FromCell>(&self, column: usize) -> SqlResult<T> {
        let value = self.value(column)?;
        let found = value.kind();
        T::from_value(value).ok_or(SqlError::Column { column, found, wanted: T::WANTED })
    }

    /// A column as it is.
    pub fn value(&self, column: usize) -> SqlResult<Value<'_>> {
        match self.0 {
            RowKind::Sqlite(row) => Ok(match row.get_ref(column)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(n) => Value::Int(n),
                ValueRef::Real(n) => Value::Real(n),
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text)),
                ValueRef::Blob(bytes) => Value::Bytes(bytes.into()),
            }),
            RowKind::Postgres(row) => Ok(row.try_get::<_, Option<Raw<'_>>>(column)?.map_or(Value::Null, |raw| raw.0)),
        }
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Bool(b) => ValueRef::Integer(i64::from(*b)),
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Real(n) => ValueRef::Real(*n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
