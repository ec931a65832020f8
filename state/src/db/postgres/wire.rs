//! Values on PostgreSQL's wire, and `?1` written as `$1`. Pure.

use std::borrow::Cow;
use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::db::Value;

/// A column's value; it takes the types that the schema has and those of expressions.
pub(crate) struct Raw<'a>(pub(crate) Value<'a>);

type Fallible<T> = Result<T, Box<dyn Error + Sync + Send>>;

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Fallible<Self> {
        Ok(Self(match *of {
            Type::BOOL => Value::Bool(bool::from_sql(of, raw)?),
            Type::INT2 => Value::Int(i16::from_sql(of, raw)?.into()),
            Type::INT4 => Value::Int(i32::from_sql(of, raw)?.into()),
            Type::OID => Value::Int(u32::from_sql(of, raw)?.into()),
            Type::INT8 => Value::Int(i64::from_sql(of, raw)?),
            Type::FLOAT4 => Value::Real(f32::from_sql(of, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(of, raw)?),
            Type::BYTEA => Value::Bytes(Cow::Borrowed(raw)),
            _ => Value::Text(Cow::Borrowed(std::str::from_utf8(raw)?)),
        }))
    }

    fn accepts(of: &Type) -> bool {
        matches!(
            *of,
            Type::BOOL
                | Type::INT2
                | Type::INT4
                | Type::OID
                | Type::INT8
                | Type::FLOAT4
                | Type::FLOAT8
                | Type::BYTEA
                | Type::TEXT
                | Type::VARCHAR
                | Type::NAME
                | Type::UNKNOWN
        )
    }
}

/// Written as the type that the server inferred for the place.
impl ToSql for Value<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Fallible<IsNull> {
        let refused = || Err(format!("{} where PostgreSQL wants {of}", self.kind()).into());
        let number = match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Text(text) => {
                return if is_text(of) { without_nul(text).to_sql(&Type::TEXT, out) } else { refused() };
            }
            Self::Bytes(bytes) => {
                return if *of == Type::BYTEA { bytes.as_ref().to_sql(of, out) } else { refused() };
            }
            Self::Real(n) => return if *of == Type::FLOAT8 { n.to_sql(of, out) } else { refused() },
            Self::Bool(b) => i64::from(*b),
            Self::Int(n) => *n,
        };
        match *of {
            Type::BOOL => (number != 0).to_sql(of, out),
            Type::INT2 => i16::try_from(number)?.to_sql(of, out),
            Type::INT4 => i32::try_from(number)?.to_sql(of, out),
            Type::INT8 => number.to_sql(of, out),
            Type::FLOAT8 => (number as f64).to_sql(of, out),
            _ => refused(),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn is_text(of: &Type) -> bool {
    matches!(*of, Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN)
}

/// PostgreSQL's texts have no U+0000.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// `?1` as `$1`, outside of quotes.
pub(crate) fn dollars(sql: &str) -> String {
    let mut quoted = false;
    sql.chars()
        .map(|c| {
            quoted ^= c == '\'';
            if c == '?' && !quoted { '$' } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_dollars_but_texts_stay() {
        assert_eq!(dollars("SELECT ?1, '?2', 'it''s ?3', ?4"), "SELECT $1, '?2', 'it''s ?3', $4");
    }

    #[test]
    fn a_value_is_written_as_the_type_of_its_place() {
        let written = |value: Value<'_>, of: &Type| {
            let mut out = BytesMut::new();
            value.to_sql(of, &mut out).map(|_| out.to_vec()).map_err(|e| e.to_string())
        };
        assert_eq!(written(Value::Bool(true), &Type::BOOL), Ok(vec![1]));
        assert_eq!(written(Value::Bool(true), &Type::INT8), Ok(vec![0, 0, 0, 0, 0, 0, 0, 1]));
        assert_eq!(written(Value::Int(7), &Type::INT4), Ok(vec![0, 0, 0, 7]));
        assert_eq!(written(Value::Text("a\0b".into()), &Type::TEXT), Ok("a\u{fffd}b".as_bytes().to_vec()));
        assert!(written(Value::Int(1 << 40), &Type::INT4).is_err());
        assert_eq!(written(Value::Text("x".into()), &Type::INT8), Err("a text where PostgreSQL wants int8".into()));
    }
}
