//! Numbers, times and sizes as each language writes them. Pure.

use jiff::Zoned;
use jiff::tz::TimeZone;
use kernel::{Language, Timestamp};

/// A number with so many decimals; Spanish separates decimals by a comma and thousands, from 10,000 on, by a narrow space.
pub fn number(language: Language, value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return match value {
            v if v.is_nan() => "NaN".to_owned(),
            v if v > 0.0 => "∞".to_owned(),
            _ => "−∞".to_owned(),
        };
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let group_from = language.pick(5, 4);
    let mut out = String::with_capacity(text.len() + 4);
    if value < 0.0 && text.bytes().any(|b| matches!(b, b'1'..=b'9')) {
        out.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && whole.len() >= group_from && (whole.len() - i) % 3 == 0 {
            out.push(language.pick('\u{202f}', ','));
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push(language.pick(',', '.'));
        out.push_str(fraction);
    }
    out
}

/// A number with as many decimals as it needs, at most three digits that say something after the point.
pub fn value(language: Language, v: f64) -> String {
    let size = v.abs();
    let decimals = match size {
        _ if v.fract() == 0.0 => 0,
        s if s >= 100.0 => 1,
        s if s >= 1.0 => 2,
        _ => 4,
    };
    let text = number(language, v, decimals);
    if decimals == 0 {
        return text;
    }
    let trimmed = text.trim_end_matches('0');
    trimmed.trim_end_matches([',', '.']).to_owned()
}

/// A percentage; the more nines, the more decimals, and cut instead of rounded there, so that 99.96 does not read as 100.
pub fn percent(language: Language, value: f64) -> String {
    let decimals = match value {
        v if v > 99.9 => 3,
        v if v > 99.0 => 2,
        _ => 1,
    };
    let scale = if decimals == 3 { 1_000.0 } else { 100.0 };
    let shown = if value > 99.0 { (value * scale).floor() / scale } else { value };
    let text = number(language, shown, decimals);
    let text = text.trim_end_matches('0').trim_end_matches([',', '.']);
    format!("{}{}", if text.is_empty() { "0" } else { text }, language.pick("\u{202f}%", "%"))
}

/// A length of time from milliseconds: `120 ms`, `8.5 s`, `2 min`.
pub fn millis(language: Language, ms: f64) -> String {
    match ms {
        v if v < 1.0 => format!("{} ms", number(language, v, 2)),
        v if v < 10.0 => format!("{} ms", number(language, v, 1)),
        v if v < 1_000.0 => format!("{} ms", number(language, v, 0)),
        v if v < 10_000.0 => format!("{} s", number(language, v / 1_000.0, 2)),
        v if v < 120_000.0 => format!("{} s", number(language, v / 1_000.0, 1)),
        v => format!("{} min", number(language, v / 60_000.0, 0)),
    }
}

/// Bytes in binary units: `5.4 GiB`.
pub fn bytes(language: Language, bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut size, mut unit) = (bytes, 0);
    while size >= 1_024.0 && unit + 1 < units.len() {
        size /= 1_024.0;
        unit += 1;
    }
    let decimals = usize::from(unit > 0 && size < 100.0);
    format!("{} {}", number(language, size, decimals), units[unit])
}

const MONTHS_ES: [&str; 12] = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"];
const MONTHS_EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn month(language: Language, at: &Zoned) -> &'static str {
    let index = usize::try_from(at.month() - 1).unwrap_or(0).min(11);
    language.pick(MONTHS_ES, MONTHS_EN)[index]
}

/// A day of a year that goes without saying: `3 feb`.
pub fn day_month(language: Language, at: &Zoned) -> String {
    format!("{} {}", at.day(), month(language, at))
}

/// Date and time in a zone: `3 feb 2026, 07:00:05`.
pub fn date_time(language: Language, at: Timestamp, zone: &TimeZone) -> String {
    let z = at.in_zone(zone);
    let time = format!("{:02}:{:02}:{:02}", z.hour(), z.minute(), z.second());
    format!("{} {} {}, {time}", z.day(), month(language, &z), z.year())
}

/// Only what differs from today: `07:00:05` today, `3 feb, 07:00` this year, else with the year.
pub fn short_time(language: Language, at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (z, today) = (at.in_zone(zone), now.in_zone(zone));
    if z.date() == today.date() {
        return format!("{:02}:{:02}:{:02}", z.hour(), z.minute(), z.second());
    }
    let day = format!("{} {}", z.day(), month(language, &z));
    if z.year() == today.year() {
        format!("{day}, {:02}:{:02}", z.hour(), z.minute())
    } else {
        format!("{day} {}", z.year())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{En, Es};

    #[test]
    fn numbers_follow_the_language() {
        assert_eq!(number(Es, 1_234.5, 1), "1234,5");
        assert_eq!(number(Es, 12_345.0, 0), "12\u{202f}345");
        assert_eq!(number(En, 1_234.5, 1), "1,234.5");
        assert_eq!(number(En, -0.04, 1), "0.0");
        assert_eq!(value(En, 0.25), "0.25");
        assert_eq!(value(Es, 45.5), "45,5");
    }

    #[test]
    fn dsh_06_sample_values_read_as_written() {
        assert_eq!(millis(En, 250.0), "250 ms");
        assert_eq!(millis(Es, 8_500.0), "8,50 s");
        assert_eq!(percent(En, 99.8), "99.8%");
        assert_eq!(percent(Es, 45.0), "45\u{202f}%");
    }

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!(percent(En, 99.999_6), "99.999%");
        assert_eq!(percent(En, 100.0), "100%");
        assert_eq!(percent(En, 0.0), "0%");
        assert_eq!(percent(En, 10.0), "10%");
    }

    #[test]
    fn times_are_in_the_zone() {
        let lima = TimeZone::get("America/Lima").unwrap();
        let at = Timestamp::from_millis(1_770_120_005_000);
        assert_eq!(date_time(Es, at, &lima), "3 feb 2026, 07:00:05");
        assert_eq!(short_time(En, at, at, &lima), "07:00:05");
        assert_eq!(bytes(En, 8.0 * 1024.0 * 1024.0 * 1024.0), "8.0 GiB");
    }
}
