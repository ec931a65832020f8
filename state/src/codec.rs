//! Between kernel words and columns: words and values as JSON, texts for `LIKE`. Pure.

use kernel::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::db::{Row, SqlError, SqlResult, Value};

/// A value as JSON.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> SqlResult<String> {
    Ok(serde_json::to_string(value)?)
}

/// The value in a JSON column.
pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> SqlResult<T> {
    match row.value(column)? {
        Value::Text(text) => Ok(serde_json::from_str(&text)?),
        other => Err(SqlError::Column { column, found: other.kind(), wanted: "JSON" }),
    }
}

/// The word that serde writes for a unit variant: `queued`.
pub(crate) fn word<T: Serialize>(value: &T) -> SqlResult<String> {
    Ok(to_json(value)?.trim_matches('"').to_owned())
}

/// The unit variant that a word stands for.
pub(crate) fn from_word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> SqlResult<T> {
    Ok(serde_json::from_value(serde_json::Value::String(row.get(column)?))?)
}

/// The time in a column of milliseconds.
pub(crate) fn time(row: &Row<'_>, column: usize) -> SqlResult<Timestamp> {
    row.get(column)
}

/// The time in a column of milliseconds that may be empty.
pub(crate) fn maybe_time(row: &Row<'_>, column: usize) -> SqlResult<Option<Timestamp>> {
    row.get(column)
}

/// A limit or a count for SQL.
pub(crate) fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A text for `LIKE`, its own wildcards taken literally (with `ESCAPE '\'`).
pub(crate) fn like(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('%');
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('%');
    out
}
