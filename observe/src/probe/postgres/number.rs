//! A number of any of PostgreSQL's types. Pure.

use std::error::Error;

use tokio_postgres::types::{FromSql, Type};

/// The value of a column as a number: integers, floats, `numeric`, `boolean` (1 or 0), `interval` (seconds), and texts
/// that hold a number.
#[derive(Debug, PartialEq)]
pub(super) struct Number(pub(super) f64);

impl<'a> FromSql<'a> for Number {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let number = match *kind {
            Type::INT2 => i16::from_sql(kind, raw)?.into(),
            Type::INT4 => i32::from_sql(kind, raw)?.into(),
            Type::INT8 => i64::from_sql(kind, raw)? as f64,
            Type::OID => u32::from_sql(kind, raw)?.into(),
            Type::FLOAT4 => f32::from_sql(kind, raw)?.into(),
            Type::FLOAT8 => f64::from_sql(kind, raw)?,
            Type::BOOL => f64::from(u8::from(bool::from_sql(kind, raw)?)),
            Type::NUMERIC => numeric(raw).ok_or("this numeric cannot be read")?,
            Type::INTERVAL => interval_seconds(raw).ok_or("this interval cannot be read")?,
            _ => String::from_sql(kind, raw)?.trim().parse().map_err(|_| "its text is no number")?,
        };
        Ok(Self(number))
    }

    fn accepts(kind: &Type) -> bool {
        [
            Type::INT2,
            Type::INT4,
            Type::INT8,
            Type::OID,
            Type::FLOAT4,
            Type::FLOAT8,
            Type::BOOL,
            Type::NUMERIC,
            Type::INTERVAL,
            Type::TEXT,
            Type::VARCHAR,
            Type::BPCHAR,
            Type::UNKNOWN,
        ]
        .contains(kind)
    }
}

/// The form that `numeric_send` gives: number of digits, weight of the first, sign, scale, digits to the base 10,000.
fn numeric(raw: &[u8]) -> Option<f64> {
    let word = |i: usize| Some(u16::from_be_bytes([*raw.get(2 * i)?, *raw.get(2 * i + 1)?]));
    let (digits, weight, sign) = (word(0)?, word(1)?.cast_signed(), word(2)?);
    match sign {
        0xC000 => return Some(f64::NAN),
        0xD000 => return Some(f64::INFINITY),
        0xF000 => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let mut value = 0.0;
    for i in 0..digits {
        let digit = f64::from(word(4 + usize::from(i))?);
        value += digit * 10_000_f64.powi(i32::from(weight) - i32::from(i));
    }
    Some(if sign == 0x4000 { -value } else { value })
}

/// Microseconds, days, months (of 30 days, as `extract(epoch …)` counts them).
fn interval_seconds(raw: &[u8]) -> Option<f64> {
    let micros = i64::from_be_bytes(raw.get(..8)?.try_into().ok()?);
    let days = i32::from_be_bytes(raw.get(8..12)?.try_into().ok()?);
    let months = i32::from_be_bytes(raw.get(12..16)?.try_into().ok()?);
    Some(micros as f64 / 1e6 + (f64::from(days) + f64::from(months) * 30.0) * 86_400.0)
}
