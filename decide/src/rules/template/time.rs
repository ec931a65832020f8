//! Points and spans of time in templates: Go's `time.Time` and `time.Duration` as far as templates use them. Pure.

use kernel::Timestamp;

use super::value::{Value, Wrong};

/// A method of a time or a duration.
pub fn method(value: &Value, name: &str, args: &[Value]) -> Result<Value, Wrong> {
    match value {
        Value::Time(ms) => of_time(*ms, name, args),
        Value::Duration(ns) => of_duration(*ns, name),
        _ => None,
    }
    .ok_or_else(|| {
        let go = format!("can't evaluate field {name} in type {}", value.go_type());
        Wrong::new(format!("{} has no `.{name}`", value.kind()), go)
    })
}

fn of_time(ms: i64, name: &str, args: &[Value]) -> Option<Value> {
    let at = Timestamp::from_millis(ms).to_jiff().to_zoned(jiff::tz::TimeZone::UTC);
    let whole = |n: i64| Some(Value::Int(n));
    match (name, args) {
        ("Format", [Value::Text(layout)]) => Some(Value::Text(formatted(&at, layout))),
        ("Add", [Value::Duration(ns)]) => Some(Value::Time(ms + ns / 1_000_000)),
        ("Sub", [Value::Time(other)]) => Some(Value::Duration((ms - other) * 1_000_000)),
        ("UTC" | "Local", []) => Some(Value::Time(ms)),
        ("Unix", []) => whole(ms.div_euclid(1_000)),
        ("UnixMilli", []) => whole(ms),
        ("UnixNano", []) => whole(ms.saturating_mul(1_000_000)),
        ("Year", []) => whole(at.year().into()),
        ("Day", []) => whole(at.day().into()),
        ("Hour", []) => whole(at.hour().into()),
        ("Minute", []) => whole(at.minute().into()),
        ("Second", []) => whole(at.second().into()),
        ("YearDay", []) => whole(at.day_of_year().into()),
        ("Month", []) => Some(Value::Text(formatted(&at, "January"))),
        ("Weekday", []) => Some(Value::Text(formatted(&at, "Monday"))),
        ("String", []) => Some(Value::Text(text(ms))),
        _ => None,
    }
}

fn of_duration(ns: i64, name: &str) -> Option<Value> {
    let whole = |unit: i64| Some(Value::Int(ns / unit));
    match name {
        "Seconds" => Some(Value::Float(ns as f64 / 1e9)),
        "Minutes" => Some(Value::Float(ns as f64 / 6e10)),
        "Hours" => Some(Value::Float(ns as f64 / 3.6e12)),
        "Milliseconds" => whole(1_000_000),
        "Microseconds" => whole(1_000),
        "Nanoseconds" => whole(1),
        "String" => Some(Value::Text(duration_text(ns))),
        _ => None,
    }
}

/// A time as Go prints one: `2015-06-23 13:19:44.128 +0000 UTC`.
pub fn text(ms: i64) -> String {
    let at = Timestamp::from_millis(ms).to_jiff();
    let whole = at.strftime("%Y-%m-%d %H:%M:%S");
    match ms.rem_euclid(1_000) {
        0 => format!("{whole} +0000 UTC"),
        part => format!("{whole}.{} +0000 UTC", format!("{part:03}").trim_end_matches('0')),
    }
}

/// A duration as Go prints one: `1h0m0.5s`, `1.5ms`, `0s`.
pub fn duration_text(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    let part = |whole: u64, rest: u64, digits: usize| {
        let fraction = if rest == 0 { String::new() } else { format!(".{rest:0digits$}") };
        format!("{whole}{}", if rest == 0 { "" } else { fraction.trim_end_matches('0') })
    };
    match ns {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{ns}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", part(ns / 1_000, ns % 1_000, 3)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", part(ns / 1_000_000, ns % 1_000_000, 6)),
        _ => {
            let seconds = ns / 1_000_000_000;
            let last = part(seconds % 60, ns % 1_000_000_000, 9);
            match (seconds / 3_600, seconds / 60 % 60) {
                (0, 0) => format!("{sign}{last}s"),
                (0, minutes) => format!("{sign}{minutes}m{last}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{last}s"),
            }
        }
    }
}

/// The parts of Go's reference time, longest first where one begins like another, and what they are for `strftime`.
const LAYOUT: [(&str, &str); 25] = [
    ("2006", "%Y"),
    ("January", "%B"),
    ("Monday", "%A"),
    ("Z07:00", "Z"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
    ("MST", "UTC"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("002", "%j"),
    ("-07", "+00"),
    ("_2", "%e"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
];

/// A time in a layout as Go writes them: `2006-01-02 15:04`.
fn formatted(at: &jiff::Zoned, layout: &str) -> String {
    let mut out = String::with_capacity(layout.len());
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        if let Some((digits, zeros)) = fraction(rest) {
            let part = format!("{:09}", at.subsec_nanosecond());
            let part = &part[..digits.min(9)];
            let part = if zeros { part } else { part.trim_end_matches('0') };
            if !part.is_empty() {
                out.push(c);
                out.push_str(part);
            }
            rest = &rest[digits + 1..];
            continue;
        }
        match LAYOUT.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, format)) => {
                out.push_str(&at.strftime(format).to_string());
                rest = &rest[name.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// `.000` and `.999`: how many digits, and whether zeros at the end stay.
fn fraction(text: &str) -> Option<(usize, bool)> {
    let digits = text.strip_prefix(['.', ','])?;
    let first = digits.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let count = digits.chars().take_while(|c| *c == first).count();
    let ends = !digits[count..].starts_with(|c: char| c.is_ascii_digit());
    ends.then_some((count, first == '0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alr_22_times_in_go_layouts() {
        let at = Value::Time(1_435_065_584_128);
        let check = |layout: &str, expect: &str| {
            let got = method(&at, "Format", &[Value::Text(layout.into())]).unwrap();
            assert_eq!(got, Value::Text(expect.into()), "{layout}");
        };
        check("2006-01-02T15:04:05Z07:00", "2015-06-23T13:19:44Z");
        check("Mon Jan _2 15:04:05 MST 2006", "Tue Jun 23 13:19:44 UTC 2015");
        check("02/01/06 3:04PM .000", "23/06/15 1:19PM .128");
        check("Monday, 2 January 2006", "Tuesday, 23 June 2015");
        assert_eq!(method(&at, "Unix", &[]).unwrap(), Value::Int(1_435_065_584));
        assert!(method(&at, "Nope", &[]).is_err());
    }

    #[test]
    fn alr_22_durations_as_go_prints_them() {
        for (ns, text) in [
            (0, "0s"),
            (1_500, "1.5µs"),
            (250_000_000, "250ms"),
            (90_000_000_000, "1m30s"),
            (-3_600_500_000_000, "-1h0m0.5s"),
        ] {
            assert_eq!(duration_text(ns), text);
        }
    }
}
