//! Looking into JSON whose form nobody promises. Pure.

use serde_json::Value;

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

pub(crate) fn number(value: &Value, key: &str) -> Option<f64> {
    value.get(key).and_then(as_number)
}

/// A number, or a text that is one.
pub(crate) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok().filter(|v: &f64| v.is_finite()),
        _ => None,
    }
}

pub(crate) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn is_set(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// A whole number within bounds.
pub(crate) fn whole(value: &Value, key: &str) -> Option<u32> {
    let n = number(value, key)?;
    // The bounds are those of the grid, so the number is exact.
    (0.0..100_000.0).contains(&n).then_some(n as u32)
}
