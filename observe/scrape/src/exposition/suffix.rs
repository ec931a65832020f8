//! What follows name and labels: value, time, exemplar. Pure.

use kernel::Labels;

use super::series::Cursor;
use super::{ExemplarText, Fault, Format};
use crate::number;

/// The end of a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tail {
    pub(crate) value: f64,
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) exemplar: Option<ExemplarText>,
    /// Bytes from the value to the next line.
    pub(crate) length: usize,
}

/// The value at the start of `bytes`, and the bytes to the next line, when there is nothing behind it: the usual case.
#[inline]
pub(crate) fn tail(bytes: &[u8], format: Format) -> Option<(f64, usize)> {
    let (value, length) = number::read(bytes)?;
    match bytes.get(length) {
        Some(b'\n') => Some((value, length + 1)),
        None if format == Format::Text => Some((value, length)),
        _ => None,
    }
}

/// The same for every line.
///
/// # Errors
/// What Prometheus would refuse, and where.
#[cold]
pub(crate) fn tail_rest(bytes: &[u8], format: Format) -> Result<Tail, Fault> {
    let mut cursor = Cursor { bytes, at: 0, strict: format == Format::OpenMetrics };
    let value = value(&mut cursor, "metric")?;
    let mut tail = Tail { value, timestamp_ms: None, exemplar: None, length: 0 };
    match format {
        Format::OpenMetrics => open_metrics(&mut cursor, &mut tail)?,
        _ => text(&mut cursor, &mut tail)?,
    }
    tail.length = cursor.at;
    Ok(tail)
}

/// The number under the cursor, which then stands behind it.
fn value(cursor: &mut Cursor<'_>, after: &str) -> Result<f64, Fault> {
    let ends = |b: &u8| matches!(b, b' ' | b'\n') || (!cursor.strict && matches!(b, b'\t' | b'{'));
    let rest = &cursor.bytes[cursor.at.min(cursor.bytes.len())..];
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    if length == 0 {
        return Err(cursor.expected(&format!("expected value after {after}")));
    }
    if let Some((value, read)) = number::read(rest)
        && read == length
    {
        cursor.at += length;
        return Ok(value);
    }
    let word = String::from_utf8_lossy(&rest[..length]);
    let value = number::parse(&word)
        .ok_or_else(|| Fault::new(cursor.at, format!("the value {word:?} is not a number (or too large for one)")))?;
    cursor.at += length;
    Ok(value)
}

fn text(cursor: &mut Cursor<'_>, tail: &mut Tail) -> Result<(), Fault> {
    cursor.blanks();
    let start = cursor.at;
    if cursor.peek().is_some_and(|b| b.is_ascii_digit() || b == b'-') {
        let rest = &cursor.bytes[start + 1..];
        cursor.at += 1 + rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
        let word = String::from_utf8_lossy(&cursor.bytes[start..cursor.at]);
        let time = word.parse().map_err(|_| Fault::new(start, format!("the timestamp {word:?} is out of range")))?;
        tail.timestamp_ms = Some(time);
        cursor.blanks();
        return end_of_line(cursor, "expected next entry after timestamp");
    }
    end_of_line(cursor, "expected timestamp or new record")
}

fn end_of_line(cursor: &mut Cursor<'_>, what: &str) -> Result<(), Fault> {
    match cursor.peek() {
        Some(b'\n') => cursor.at += 1,
        None if !cursor.strict => {}
        None => return Err(Fault::new(cursor.at, "data does not end with # EOF")),
        Some(_) => return Err(cursor.expected(what)),
    }
    Ok(())
}

fn open_metrics(cursor: &mut Cursor<'_>, tail: &mut Tail) -> Result<(), Fault> {
    if cursor.peek() == Some(b' ') && cursor.bytes.get(cursor.at + 1) != Some(&b'#') {
        cursor.at += 1;
        tail.timestamp_ms = Some(time(cursor, "timestamp")?);
    }
    if cursor.bytes[cursor.at..].starts_with(b" # {") {
        cursor.at += 4;
        tail.exemplar = Some(exemplar(cursor)?);
    }
    end_of_line(cursor, "expected next entry after the value")
}

fn exemplar(cursor: &mut Cursor<'_>) -> Result<ExemplarText, Fault> {
    let mut labels = Vec::new();
    cursor.labels(&mut labels, None)?;
    if cursor.peek() != Some(b' ') {
        return Err(cursor.expected("expected value after exemplar labels"));
    }
    cursor.at += 1;
    let value = value(cursor, "exemplar labels")?;
    let mut t_ms = None;
    if cursor.peek() == Some(b' ') {
        cursor.at += 1;
        t_ms = Some(time(cursor, "exemplar timestamp")?);
    }
    Ok(ExemplarText { labels: Labels::new(labels), value, t_ms })
}

/// Seconds with a fraction, as milliseconds.
fn time(cursor: &mut Cursor<'_>, what: &str) -> Result<i64, Fault> {
    let at = cursor.at;
    let seconds = value(cursor, what)?;
    if !seconds.is_finite() {
        return Err(Fault::new(at, format!("invalid {what} {seconds}")));
    }
    Ok((seconds * 1000.0) as i64)
}
