//! What a plain scalar means: the core schema of YAML 1.2 (section 10.3.2). Pure.

use crate::tree::{Scalar, ScalarKind, Value};

/// The meaning of a scalar written without quotes.
pub fn resolve_plain(text: &str) -> Value {
    match text {
        "" => return Value::Null { written: false },
        "~" | "null" | "Null" | "NULL" => return Value::Null { written: true },
        _ => {}
    }
    Value::Scalar(Scalar { text: text.into(), kind: kind_of(text) })
}

/// The meaning of a scalar in quotes or of a block: always a text.
pub fn quoted(text: &str) -> Value {
    Value::Scalar(Scalar { text: text.into(), kind: ScalarKind::Text })
}

fn kind_of(text: &str) -> ScalarKind {
    match text {
        "true" | "True" | "TRUE" => return ScalarKind::Bool(true),
        "false" | "False" | "FALSE" => return ScalarKind::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return ScalarKind::Float(f64::NAN),
        _ => {}
    }
    let (sign, digits) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, &text[1..]),
        Some(b'+') => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return ScalarKind::Float(sign * f64::INFINITY);
    }
    if let Some(kind) = radix(text) {
        return kind;
    }
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map_or_else(|_| float(text), ScalarKind::Integer);
    }
    float(text)
}

fn radix(text: &str) -> Option<ScalarKind> {
    let (digits, base) = text
        .strip_prefix("0x")
        .map(|d| (d, 16))
        .or_else(|| text.strip_prefix("0o").map(|d| (d, 8)))
        .filter(|(d, _)| !d.starts_with(['+', '-']))?;
    i64::from_str_radix(digits, base).ok().map(ScalarKind::Integer)
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`; Rust's parser takes more words than that.
fn float(text: &str) -> ScalarKind {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let starts = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    match text.parse() {
        Ok(number) if plain && starts => ScalarKind::Float(number),
        _ => ScalarKind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: ScalarKind) {
        assert_eq!(kind_of(text), expect, "{text}");
    }

    #[test]
    fn core_schema() {
        check("1", ScalarKind::Integer(1));
        check("-0", ScalarKind::Integer(0));
        check("+7", ScalarKind::Integer(7));
        check("0x1F", ScalarKind::Integer(31));
        check("0o17", ScalarKind::Integer(15));
        check("017", ScalarKind::Integer(17));
        check("1.5e3", ScalarKind::Float(1500.0));
        check(".5", ScalarKind::Float(0.5));
        check("-.inf", ScalarKind::Float(f64::NEG_INFINITY));
        check("99999999999999999999", ScalarKind::Float(1e20));
        check("TRUE", ScalarKind::Bool(true));
        for text in ["yes", "no", "on", "1_000", "5m", "02:00", "inf", "nan", "infinity", "e5", "0x", "0x-1", "-", "."]
        {
            check(text, ScalarKind::Text);
        }
        assert_eq!(resolve_plain("~"), Value::Null { written: true });
        assert_eq!(resolve_plain(""), Value::Null { written: false });
    }
}
