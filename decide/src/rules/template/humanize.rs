//! Prometheus's formatters of numbers (template/template.go and util/strutil of Prometheus 3). Pure.

use super::format::float;

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];

/// A number with four digits.
pub fn four(v: f64) -> String {
    float(v, 'g', Some(4))
}

/// With a metric prefix: `1.234k`, `12m`.
pub fn metric(v: f64) -> String {
    if v == 0.0 || !v.is_finite() {
        return four(v);
    }
    let (v, prefix) = if v.abs() >= 1.0 { grow(v, 1_000.0, &LARGE) } else { shrink(v) };
    format!("{}{prefix}", four(v))
}

/// With a binary prefix: `1.5Mi`.
pub fn binary(v: f64) -> String {
    if v.abs() <= 1.0 || !v.is_finite() {
        return four(v);
    }
    let (v, prefix) = grow(v, 1_024.0, &BINARY);
    format!("{}{prefix}", four(v))
}

fn grow(mut v: f64, by: f64, prefixes: &[&'static str]) -> (f64, &'static str) {
    let mut prefix = "";
    for p in prefixes {
        if v.abs() < by {
            break;
        }
        prefix = p;
        v /= by;
    }
    (v, prefix)
}

fn shrink(mut v: f64) -> (f64, &'static str) {
    let mut prefix = "";
    for p in SMALL {
        if v.abs() >= 1.0 {
            break;
        }
        prefix = p;
        v *= 1_000.0;
    }
    (v, prefix)
}

/// Seconds as a duration: `1d 2h 3m 4s`, `1.5s`, `12ms`.
pub fn duration(v: f64) -> String {
    if !v.is_finite() {
        return four(v);
    }
    if v == 0.0 {
        return format!("{}s", four(v));
    }
    if v.abs() < 1.0 {
        let (v, prefix) = shrink(v);
        return format!("{}{prefix}s", four(v));
    }
    let sign = if v < 0.0 { "-" } else { "" };
    let v = v.abs();
    let whole = v as u64;
    let (seconds, minutes, hours, days) = (whole % 60, whole / 60 % 60, whole / 3_600 % 24, whole / 86_400);
    if days > 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours > 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{sign}{}s", four(v))
    }
}

/// A fraction as percent: 0.8 is `80%`.
pub fn percentage(v: f64) -> String {
    format!("{}%", four(v * 100.0))
}

/// Seconds since the epoch as a point in time, as Go prints one; `None` beyond what nanoseconds in 64 bits can hold.
pub fn timestamp(v: f64) -> Option<String> {
    if !v.is_finite() {
        return Some(four(v));
    }
    milliseconds(v).map(super::time::text)
}

/// Seconds since the epoch as whole milliseconds, cut.
pub fn milliseconds(v: f64) -> Option<i64> {
    let ns = v * 1e9;
    (ns.abs() <= 9.223_372_036_854_775e18).then_some(ns as i64 / 1_000_000)
}
