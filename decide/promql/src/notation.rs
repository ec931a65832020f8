//! Series as Prometheus's tests of rules and queries write them: `name{label="value"} 0+1x10 _ stale {{schema:1 sum:2}}`. Pure.
//!
//! - `1 2 NaN Inf`: values, one per interval; `_` leaves one out, `_x3` three; `stale` ends the series.
//! - `1+2x3`: 1 3 5 7; `5x2`: 5 5 5; `10-1x2`: 10 9 8.
//! - `{{schema:1 sum:4 count:4 buckets:[1 2 1] offset:-3 …}}`: a native histogram; `{{…}}+{{…}}x3` grows by the second one.
//! - Start times, in a line of their own: offsets from each sample, `-30s`, `0-1mx4`, `_x2`.

use std::sync::Arc;

use kernel::Labels;
use kernel::series::{BucketSpan, CounterReset, Histogram, Point, stale_nan};

use crate::syntax::literal::unquote;

/// The most values that one item of the notation may stand for: a day of seconds.
const MAX_REPEATS: usize = 100_000;

/// What is not written as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotationError(String);

type Read<T> = Result<T, NotationError>;

fn bad<T>(what: &str, text: &str) -> Read<T> {
    Err(NotationError(format!("{what}: {text:?}")))
}

/// A series of one line, and its values, one per interval.
///
/// # Errors
/// The line is not in the notation.
pub fn series(line: &str) -> Read<(Labels, Vec<Option<Point>>)> {
    let (labels, rest) = labels(line)?;
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return bad("a blank is missing behind the labels", line);
    }
    Ok((labels, values(rest)?))
}

/// `1h30m` in milliseconds; a number without a unit counts seconds.
///
/// # Errors
/// It is no duration.
pub fn duration_ms(text: &str) -> Read<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1),
        ("s", 1000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
        ("w", 604_800_000),
        ("y", 31_536_000_000),
    ];
    let (mut rest, mut total) = (text, 0i64);
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds.saturating_mul(1000));
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = UNITS.iter().find(|(u, _)| rest[digits..].starts_with(u));
        let (Ok(number), Some((unit, size))) = (rest[..digits].parse::<i64>(), unit) else {
            return bad("not a duration", text);
        };
        total = total.saturating_add(number.saturating_mul(*size));
        rest = &rest[digits + unit.len()..];
    }
    if text.is_empty() { bad("not a duration", text) } else { Ok(total) }
}

/// A number: decimal, `0x…`, `0b…`, `0o…`, octal with a leading zero, `Inf`, `NaN`; `_` between digits.
pub fn number(text: &str) -> Option<f64> {
    let (sign, body) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    let lower = body.to_ascii_lowercase();
    match lower.as_str() {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    if !lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let digits: String = lower.chars().filter(|c| *c != '_').collect();
    for (prefix, radix) in [("0b", 2), ("0o", 8)] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return i64::from_str_radix(rest, radix).ok().map(|v| sign * v as f64);
        }
    }
    crate::syntax::literal::number_value(&digits).ok().map(|v| sign * v)
}

/// The content of the quoted string that a text begins with, and the rest of the text.
///
/// # Errors
/// It does not begin with a string, or that does not end.
pub fn quoted(text: &str) -> Read<(String, &str)> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
        return bad("not a string", text);
    };
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            '\\' if quote != '`' => escaped = !escaped,
            c if c == quote && !escaped => {
                let bytes = unquote(&text[..=i]).map_err(NotationError)?;
                return Ok((String::from_utf8_lossy(&bytes).into_owned(), &text[i + 1..]));
            }
            _ => escaped = false,
        }
    }
    bad("a string does not end", text)
}

/// The labels that a line begins with, and the rest of the line.
///
/// # Errors
/// They are not in the notation.
pub fn labels(text: &str) -> Read<(Labels, &str)> {
    let name_end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let mut pairs = vec![(kernel::labels::METRIC_NAME.to_owned(), text[..name_end].to_owned())];
    let mut rest = &text[name_end..];
    if !rest.starts_with('{') || rest.starts_with("{{") {
        return Ok((Labels::new(pairs), rest));
    }
    rest = rest[1..].trim_start();
    while !rest.starts_with('}') {
        let name;
        if rest.starts_with(['"', '\'', '`']) {
            (name, rest) = quoted(rest)?;
        } else {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            name = rest[..end].to_owned();
            rest = &rest[end..];
            if name.is_empty() {
                return bad("labels are expected", text);
            }
        }
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('=') {
            let (value, after) = quoted(after.trim_start())?;
            pairs.push((name, value));
            rest = after.trim_start();
        } else {
            pairs[0].1 = name;
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.starts_with('}') => {}
            None => return bad("labels do not end", text),
        }
    }
    Ok((Labels::new(pairs), &rest[1..]))
}

/// The items of a line, cut at blanks that are not within a histogram.
fn items(text: &str) -> Read<Vec<&str>> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (mut depth, mut end) = (0i32, rest.len());
        for (i, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                c if c.is_whitespace() && depth == 0 => {
                    end = i;
                    break;
                }
                _ => {}
            }
        }
        if depth != 0 {
            return bad("the braces of a histogram do not match", rest);
        }
        out.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    Ok(out)
}

/// The values of a line; `None` where one is left out.
///
/// # Errors
/// They are not in the notation.
pub fn values(text: &str) -> Read<Vec<Option<Point>>> {
    let mut out = Vec::new();
    for item in items(text)? {
        let (body, times) = repeats(item)?;
        match body {
            "_" => out.extend(std::iter::repeat_n(None, times.unwrap_or(1))),
            "stale" => out.push(Some(Point::Float(stale_nan()))),
            _ if body.starts_with("{{") => histograms(body, times, &mut out)?,
            _ => {
                let Some((start, step)) = start_and_step(body, number) else { return bad("not a value", item) };
                let mut value = start;
                for _ in 0..=times.unwrap_or(0) {
                    out.push(Some(Point::Float(value)));
                    value += step.unwrap_or(0.0);
                }
            }
        }
    }
    Ok(out)
}

/// An item without the `x` and the number at its end. There are no hexadecimal numbers in sequences.
fn repeats(item: &str) -> Read<(&str, Option<usize>)> {
    let Some((body, n)) = item.rsplit_once('x') else { return Ok((item, None)) };
    if n.is_empty() || !n.bytes().all(|b| b.is_ascii_digit()) {
        return Ok((item, None));
    }
    match n.parse::<usize>() {
        Ok(times) if times <= MAX_REPEATS => Ok((body, Some(times))),
        _ => bad("too many repetitions", item),
    }
}

/// `a`, `a+b` or `a-b`.
fn start_and_step<T>(body: &str, read: impl Fn(&str) -> Option<T>) -> Option<(T, Option<T>)> {
    let is_sign = |(i, c): &(usize, char)| matches!(c, '+' | '-') && !body[..*i].ends_with(['e', 'E']);
    match body.char_indices().skip(1).find(is_sign) {
        Some((i, _)) => Some((read(&body[..i])?, Some(read(&body[i..])?))),
        None => Some((read(body)?, None)),
    }
}

fn histograms(body: &str, times: Option<usize>, out: &mut Vec<Option<Point>>) -> Read<()> {
    let Some(end) = body.find("}}") else { return bad("a histogram does not end", body) };
    let mut current = histogram(&body[2..end])?;
    let growth = &body[end + 2..];
    let step = match growth.as_bytes().first() {
        None => None,
        Some(sign @ (b'+' | b'-')) => {
            let inner = growth[1..].strip_prefix("{{").and_then(|g| g.strip_suffix("}}"));
            let Some(inner) = inner else { return bad("not a histogram", growth) };
            Some((*sign == b'-', histogram(inner)?))
        }
        Some(_) => return bad("not a histogram", body),
    };
    for _ in 0..times.unwrap_or(0) {
        out.push(Some(Point::Histogram(Arc::new(current.clone()))));
        if let Some((minus, step)) = &step {
            let done = if *minus { current.subtract(step) } else { current.add(step) };
            done.map_err(|e| NotationError(e.to_string()))?;
        }
    }
    out.push(Some(Point::Histogram(Arc::new(current))));
    Ok(())
}

/// What stands between `{{` and `}}`: `schema:1 sum:4 count:4 z_bucket:1 z_bucket_w:0.001 buckets:[1 2] offset:-3
/// n_buckets:[1] n_offset:2 custom_values:[5 10] counter_reset_hint:gauge`.
///
/// # Errors
/// A key is unknown or comes twice, or a value is none.
pub fn histogram(body: &str) -> Read<Histogram> {
    let mut h = Histogram::default();
    let (mut offsets, mut known): ([i32; 2], Vec<&str>) = ([0, 0], Vec::new());
    let mut rest = body.trim();
    while !rest.is_empty() {
        let Some((key, after)) = rest.split_once(':') else { return bad("not a histogram", body) };
        let key = key.trim();
        if known.contains(&key) {
            return bad("given twice in a histogram", key);
        }
        known.push(key);
        let after = after.trim_start();
        let (value, left) = match after.strip_prefix('[') {
            Some(list) => {
                list.split_once(']').ok_or_else(|| NotationError(format!("a list does not end: {body:?}")))?
            }
            None => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
        };
        rest = left.trim_start();
        field(&mut h, &mut offsets, key, value)?;
    }
    let span = |offset, buckets: &[f64]| match buckets.len() {
        0 => Vec::new(),
        length => vec![BucketSpan { offset, length: length as u32 }],
    };
    h.positive_spans = span(offsets[0], &h.positive_buckets);
    h.negative_spans = span(offsets[1], &h.negative_buckets);
    Ok(h)
}

fn field(h: &mut Histogram, offsets: &mut [i32; 2], key: &str, value: &str) -> Read<()> {
    let one = || number(value).ok_or_else(|| NotationError(format!("not a number in a histogram: {value:?}")));
    let list = || {
        let read = |v| number(v).ok_or_else(|| NotationError(format!("not a number in a histogram: {v:?}")));
        value.split_whitespace().map(read).collect::<Read<Vec<f64>>>()
    };
    match key {
        "schema" => h.schema = one()? as i32,
        "sum" => h.sum = one()?,
        "count" => h.count = one()?,
        "z_bucket" => h.zero_count = one()?,
        "z_bucket_w" => h.zero_threshold = one()?,
        "buckets" => h.positive_buckets = list()?,
        "n_buckets" => h.negative_buckets = list()?,
        "offset" => offsets[0] = one()? as i32,
        "n_offset" => offsets[1] = one()? as i32,
        "custom_values" => h.custom_bounds = list()?,
        "counter_reset_hint" => {
            h.reset = match value {
                "unknown" => CounterReset::Unknown,
                "reset" => CounterReset::Reset,
                "not_reset" => CounterReset::NotReset,
                "gauge" => CounterReset::Gauge,
                _ => return bad("not a counter reset hint", value),
            }
        }
        _ => return bad("unknown in a histogram", key),
    }
    Ok(())
}

/// Start times: offsets in milliseconds from each sample, `None` where one is left out.
///
/// # Errors
/// They are not in the notation.
pub fn starts(text: &str) -> Read<Vec<Option<i64>>> {
    let signed = |t: &str| {
        let (sign, body) = match t.as_bytes().first()? {
            b'-' => (-1, &t[1..]),
            b'+' => (1, &t[1..]),
            _ => (1, t),
        };
        duration_ms(body).ok().map(|ms| sign * ms)
    };
    let mut out = Vec::new();
    for item in text.split_whitespace() {
        let (body, times) = repeats(item)?;
        if body == "_" {
            out.extend(std::iter::repeat_n(None, times.unwrap_or(1)));
            continue;
        }
        let Some((mut offset, step)) = start_and_step(body, signed) else { return bad("not a start time", item) };
        for _ in 0..=times.unwrap_or(0) {
            out.push(Some(offset));
            offset = offset.saturating_add(step.unwrap_or(0));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(text: &str) -> Vec<Option<f64>> {
        let float = |p| match p {
            Point::Float(v) => v,
            Point::Histogram(_) => f64::MAX,
        };
        values(text).unwrap().into_iter().map(|p| p.map(float)).collect()
    }

    #[test]
    fn sequences_of_numbers() {
        assert_eq!(
            floats("1+2x2 _x2 7 -5x1 1e2-1x1"),
            [1.0, 3.0, 5.0]
                .into_iter()
                .map(Some)
                .chain([None, None])
                .chain([7.0, -5.0, -5.0, 100.0, 99.0].map(Some))
                .collect::<Vec<_>>()
        );
        assert_eq!(floats("Inf -Inf _ .5"), [Some(f64::INFINITY), Some(f64::NEG_INFINITY), None, Some(0.5)]);
        // In values `x` always repeats: no hexadecimal numbers here.
        assert_eq!(floats("0x10").len(), 11);
        assert!(values("stale").unwrap()[0].as_ref().is_some_and(Point::is_stale));
        assert!(values("1+x3").is_err() && values("a").is_err() && values("1x999999999").is_err());
    }

    #[test]
    fn sequences_of_histograms() {
        let all = values("{{schema:1 sum:-0.3 count:3.1 z_bucket:7.1 z_bucket_w:0.05 buckets:[5.1 10 7] offset:-3 n_buckets:[4.1 5] n_offset:-5}} {{count:1 buckets:[1]}}+{{count:2 buckets:[1 1]}}x2").unwrap();
        let all: Vec<_> = all
            .into_iter()
            .map(|p| match p {
                Some(Point::Histogram(h)) => h,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(all.len(), 4);
        assert_eq!((all[0].schema, all[0].positive_spans[0].offset, all[0].negative_buckets.len()), (1, -3, 2));
        assert_eq!((all[3].count, &all[3].positive_buckets), (5.0, &vec![3.0, 2.0]));
        assert!(histogram("sum:1 sum:2").is_err() && histogram("what:1").is_err());
    }

    #[test]
    fn series_and_start_times() {
        let (labels, values) = series(r#"{"http.total", "a b"='x', c="}"} 1 2"#).unwrap();
        assert_eq!(
            (labels.name(), labels.get("a b"), labels.get("c"), values.len()),
            ("http.total", Some("x"), Some("}"), 2)
        );
        assert_eq!(
            starts("_ -30s 0-1mx2 1ms").unwrap(),
            [None, Some(-30_000), Some(0), Some(-60_000), Some(-120_000), Some(1)]
        );
        assert!(series("up{a} 1").is_ok() && series(r#"up{a="1" 1"#).is_err());
    }
}
