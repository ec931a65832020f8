//! Repeated numbers, packed or one by one. Pure.

use super::{Field, Reader, Value, WireError, zigzag};

/// Adds the numbers of a repeated `double` field.
///
/// # Errors
/// It is of another type, or ends too early.
pub fn doubles(field: &Field<'_>, out: &mut Vec<f64>) -> Result<(), WireError> {
    let Value::Bytes(bytes) = field.value else {
        out.push(field.double()?);
        return Ok(());
    };
    let (each, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(WireError::Truncated);
    }
    out.extend(each.iter().map(|b| f64::from_le_bytes(*b)));
    Ok(())
}

/// Adds the numbers of a repeated `uint64`, `uint32` or `int64` field (the latter as they are coded).
///
/// # Errors
/// It is of another type, or ends too early.
pub fn unsigned(field: &Field<'_>, out: &mut Vec<u64>) -> Result<(), WireError> {
    each(field, |v| out.push(v))
}

/// Adds the numbers of a repeated `sint64` or `sint32` field.
///
/// # Errors
/// It is of another type, or ends too early.
pub fn signed(field: &Field<'_>, out: &mut Vec<i64>) -> Result<(), WireError> {
    each(field, |v| out.push(zigzag(v)))
}

fn each(field: &Field<'_>, mut take: impl FnMut(u64)) -> Result<(), WireError> {
    let Value::Bytes(bytes) = field.value else {
        take(field.uint()?);
        return Ok(());
    };
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        take(reader.varint()?);
    }
    Ok(())
}
