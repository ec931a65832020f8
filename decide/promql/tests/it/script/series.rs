//! Series in the notation: `name{label="value"} 0+1x10 _ stale`.

use kernel::Labels;
use kernel::series::stale_nan;

/// One item of a sequence of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Item {
    /// Left out.
    Nothing,
    /// A number.
    Float(f64),
    /// A native histogram, which this runner does not read.
    Native,
}

/// `1h30m` in milliseconds.
pub(crate) fn duration_ms(text: &str) -> Result<i64, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];
    let (mut rest, mut total) = (text, 0);
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(seconds * 1000);
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: i64 = rest[..digits].parse().map_err(|_| format!("not a duration: {text:?}"))?;
        let unit = units.iter().find(|(u, _)| rest[digits..].starts_with(u));
        let (unit, size) = unit.ok_or_else(|| format!("not a duration: {text:?}"))?;
        total += number * size;
        rest = &rest[digits + unit.len()..];
    }
    Ok(total)
}

/// A number as the notation writes it.
pub(crate) fn number(text: &str) -> Option<f64> {
    let body = text.trim_start_matches(['+', '-']);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match body.to_ascii_lowercase().as_str() {
        "inf" => return Some(sign * f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    body.replace('_', "").parse::<f64>().ok().map(|v| sign * v)
}

/// The content of a quoted string and the rest of the text.
pub(crate) fn quoted(text: &str) -> Result<(String, &str), String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let quote = quote.ok_or_else(|| format!("not a string: {text:?}"))?;
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            '\\' if quote != '`' => escaped = !escaped,
            c if c == quote && !escaped => {
                let literal = &text[..=i];
                let expr = decide_promql::parse(literal).map_err(|e| e.to_string())?;
                let decide_promql::ExprKind::String(s) = expr.kind else { return Err("no string".to_owned()) };
                return Ok((s.value, &text[i + 1..]));
            }
            _ => escaped = false,
        }
    }
    Err(format!("unterminated string: {text}"))
}

/// The labels a line begins with, and the rest of the line.
pub(crate) fn labels(text: &str) -> Result<(Labels, &str), String> {
    let name_end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let mut pairs = vec![("__name__".to_owned(), text[..name_end].to_owned())];
    let mut rest = &text[name_end..];
    if rest.starts_with('{') && !rest.starts_with("{{") {
        rest = rest[1..].trim_start();
        while !rest.starts_with('}') {
            let name;
            if rest.starts_with(['"', '\'', '`']) {
                let (quoted_name, after) = quoted(rest)?;
                rest = after.trim_start();
                if !rest.starts_with('=') {
                    pairs[0].1 = quoted_name;
                    rest = rest.trim_start_matches(',').trim_start();
                    continue;
                }
                name = quoted_name;
            } else {
                let equals = rest.find('=').ok_or_else(|| format!("bad labels: {text}"))?;
                name = rest[..equals].trim().to_owned();
                rest = &rest[equals..];
            }
            let (value, after) = quoted(rest[1..].trim_start())?;
            pairs.push((name, value));
            rest = after.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        rest = &rest[1..];
    }
    Ok((Labels::new(pairs), rest))
}

/// The values of a line: `1+2x3 _x2 stale NaN`.
pub(crate) fn values(text: &str) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = if rest.starts_with("{{") {
            let close = rest.rfind("}}").ok_or("unbalanced histogram")?;
            let mut end = rest.find("}}").unwrap_or(close) + 2;
            while rest[end..].starts_with(['+', '-']) {
                end += rest[end..].find("}}").ok_or("unbalanced histogram")? + 2;
            }
            end + rest[end..].find(char::is_whitespace).unwrap_or(rest.len() - end)
        } else {
            rest.find(char::is_whitespace).unwrap_or(rest.len())
        };
        item(&rest[..end], &mut items)?;
        rest = rest[end..].trim_start();
    }
    Ok(items)
}

fn item(text: &str, items: &mut Vec<Item>) -> Result<(), String> {
    let bad = || format!("bad value: {text:?}");
    let (body, times) = match text.rsplit_once('x') {
        Some((body, n)) if n.bytes().all(|b| b.is_ascii_digit()) && !n.is_empty() => (body, n.parse::<usize>().ok()),
        _ => (text, None),
    };
    if body.starts_with("{{") {
        items.extend(std::iter::repeat_n(Item::Native, times.map_or(1, |n| n + 1)));
        return Ok(());
    }
    match body {
        "_" => items.extend(std::iter::repeat_n(Item::Nothing, times.unwrap_or(1))),
        "stale" => items.push(Item::Float(stale_nan())),
        _ => {
            let sign =
                body.char_indices().skip(1).find(|(i, c)| matches!(c, '+' | '-') && !body[..*i].ends_with(['e', 'E']));
            let (start, step) = match sign {
                Some((i, _)) => (&body[..i], number(&body[i..]).ok_or_else(bad)?),
                None => (body, 0.0),
            };
            let mut value = number(start).ok_or_else(bad)?;
            for _ in 0..=times.unwrap_or(0) {
                items.push(Item::Float(value));
                value += step;
            }
        }
    }
    Ok(())
}
