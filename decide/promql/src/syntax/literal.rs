//! Numbers and strings as they are written, and as they are written again. Pure.

use std::fmt::Write as _;

/// The value of a number: decimal, hexadecimal, octal with a leading zero (as Go reads it), `_` between digits.
pub(crate) fn number_value(text: &str) -> Result<f64, String> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let lower = plain.to_ascii_lowercase();
    match lower.as_str() {
        "inf" => return Ok(f64::INFINITY),
        "nan" => return Ok(f64::NAN),
        _ => {}
    }
    if let Some(hex) = lower.strip_prefix("0x") {
        return hexadecimal(hex).ok_or_else(|| format!("error parsing number: {text:?}"));
    }
    let octal = lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|b| (b'0'..=b'7').contains(&b));
    if octal && let Ok(n) = i64::from_str_radix(&lower, 8) {
        return Ok(n as f64);
    }
    match lower.parse::<f64>() {
        Ok(v) if v.is_finite() => Ok(v),
        Ok(_) => Err(format!("error parsing number: {text:?} is out of range")),
        Err(_) => Err(format!("error parsing number: {text:?}")),
    }
}

fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = match text.split_once('p') {
        Some((d, e)) => (d, e.parse::<i32>().ok()?),
        None => (text, 0),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0.0f64;
    for c in digits.chars() {
        value = value * 16.0 + f64::from(c.to_digit(16)?);
    }
    Some(value * 2f64.powi(exponent)).filter(|v| v.is_finite())
}

/// The bytes of a quoted string (`"…"`, `'…'` or `` `…` ``), escapes resolved as Go does.
pub(crate) fn unquote(text: &str) -> Result<Vec<u8>, String> {
    let quote = text.bytes().next().unwrap_or(b'"');
    let body = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    if quote == b'`' {
        return Ok(body.bytes().filter(|b| *b != b'\r').collect());
    }
    let mut out = Vec::with_capacity(body.len());
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let rest = &body[at + 1..];
        let used = escape(rest, quote, &mut out).ok_or_else(|| format!("unknown escape sequence in {text}"))?;
        for _ in 0..rest[..used].chars().count() {
            chars.next();
        }
    }
    Ok(out)
}

/// Resolves the escape whose backslash stands before `rest`; says how many bytes of it were used.
fn escape(rest: &str, quote: u8, out: &mut Vec<u8>) -> Option<usize> {
    let c = rest.bytes().next()?;
    let simple = match c {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'"' | b'\'' if c == quote => c,
        b'x' => {
            out.push(u8::from_str_radix(rest.get(1..3)?, 16).ok()?);
            return Some(3);
        }
        b'0'..=b'7' => {
            out.push(u8::from_str_radix(rest.get(0..3)?, 8).ok()?);
            return Some(3);
        }
        b'u' | b'U' => {
            let digits = if c == b'u' { 4 } else { 8 };
            let code = u32::from_str_radix(rest.get(1..=digits)?, 16).ok()?;
            out.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(1 + digits);
        }
        _ => return None,
    };
    out.push(simple);
    Some(1)
}

/// A string in double quotes that [`unquote`] reads back.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if c.is_control() && (c as u32) < 0x80 => {
                    let _ = write!(out, "\\x{:02x}", c as u32);
                }
                c if c.is_control() => {
                    let _ = write!(out, "\\u{:04x}", c as u32);
                }
                c => out.push(c),
            }
        }
        for b in chunk.invalid() {
            let _ = write!(out, "\\x{b:02x}");
        }
    }
    out.push('"');
    out
}

/// A number as Prometheus prints it: shortest form, `+Inf`, `-Inf`, `NaN`.
pub fn format_number(v: f64) -> String {
    if v.is_nan() {
        "NaN".to_owned()
    } else if v.is_infinite() {
        if v > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        format!("{v}")
    }
}

/// A number as messages print it: Go's `%g`, which turns to an exponent early.
pub(crate) fn short_number(v: f64) -> String {
    if !v.is_finite() || v == 0.0 {
        return format_number(v);
    }
    let scientific = format!("{v:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    format_number(v)
}

/// A number with at most two digits, as Go's `%.2g` prints it.
pub(crate) fn two_digits(v: f64) -> String {
    if !v.is_finite() || v == 0.0 {
        return format_number(v);
    }
    let scientific = format!("{v:.1e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if !(-4..2).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let rounded: f64 = scientific.parse().unwrap_or(v);
    format_number(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |text: &str, expect: f64| assert_eq!(number_value(text).unwrap(), expect, "{text}");
        check("1_000", 1000.0);
        check(".5", 0.5);
        check("5.", 5.0);
        check("0x_1F", 31.0);
        check("010", 8.0);
        check("019", 19.0);
        check("1e-3", 0.001);
        check("0x1p4", 16.0);
        assert!(number_value("0x").is_err() && number_value("1e999").is_err());
    }

    #[test]
    fn short_numbers() {
        let check = |v: f64, expect: &str| assert_eq!(short_number(v), expect);
        check(1e6, "1e+06");
        check(1_234_567.0, "1.234567e+06");
        check(123_456.5, "123456.5");
        check(0.000_01, "1e-05");
        check(-0.1, "-0.1");
    }

    #[test]
    fn numbers_of_two_digits() {
        let check = |v: f64, expect: &str| assert_eq!(two_digits(v), expect);
        check(5.5, "5.5");
        check(10.0, "10");
        check(0.012_34, "0.012");
        check(123.0, "1.2e+02");
        check(1e-7, "1e-07");
    }

    #[test]
    fn strings_survive_quoting() {
        let check = |text: &str, expect: &[u8]| {
            assert_eq!(unquote(text).unwrap(), expect, "{text}");
            assert_eq!(unquote(&quote(expect)).unwrap(), expect);
        };
        check(r#""a\"b\n\x41\101\u00e9\U0001F600""#, "a\"b\nAAé😀".as_bytes());
        check(r"`\n raw`", b"\\n raw");
        check(r#"'it\'s'"#, b"it's");
        check(r#""\xc5""#, b"\xc5");
        assert!(unquote(r#""\q""#).is_err() && unquote(r#""\'""#).is_err());
    }
}
