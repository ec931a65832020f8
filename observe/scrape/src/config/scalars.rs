//! Durations and sizes as Prometheus writes them. Pure.

use std::time::Duration;

/// Units of a duration, largest first, with their milliseconds.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads `1h30m`, `15s`, `0`: whole numbers, each unit once, the largest first.
///
/// # Errors
/// Prometheus's own words.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("not a valid duration string: {text:?}");
    match text {
        "" => return Err("empty duration string".to_owned()),
        "0" => return Ok(Duration::ZERO),
        _ => {}
    }
    let (mut rest, mut from, mut total) = (text, 0, 0u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(|b| !b.is_ascii_digit()).count();
        let (unit, behind) = behind.split_at(letters);
        let at = UNITS.iter().position(|(name, _)| *name == unit).filter(|at| *at >= from).ok_or_else(wrong)?;
        let out_of_range = || "duration out of range".to_owned();
        let number: u64 = number.parse().map_err(|_| if number.is_empty() { wrong() } else { out_of_range() })?;
        // Go's durations are nanoseconds in 63 bits.
        total = number.checked_mul(UNITS[at].1).and_then(|ms| total.checked_add(ms)).ok_or_else(out_of_range)?;
        if total > i64::MAX as u64 / 1_000_000 {
            return Err(out_of_range());
        }
        from = at + 1;
        rest = behind;
    }
    Ok(Duration::from_millis(total))
}

/// The shortest form, as Prometheus prints it: weeks and years only alone.
pub fn format_duration(duration: Duration) -> String {
    kernel::Duration::from(duration).to_string()
}

/// Reads `10MB`, `512KiB`, `1.5G`: all units are powers of 1024, as in Prometheus.
pub(super) fn parse_size(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let power = match unit.strip_suffix('B').unwrap_or(unit).trim_end_matches('i') {
        "" if unit != "i" => 0,
        "K" | "k" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        "E" => 6,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * 1024f64.powi(power);
    (bytes.is_finite() && bytes < 2f64.powi(63)).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let ms = |text: &str| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(ms("15s"), Ok(15_000));
        assert_eq!(ms("1h30m5s250ms"), Ok(5_405_250));
        assert_eq!((ms("0"), ms("0s"), ms("2w")), (Ok(0), Ok(0), Ok(14 * 86_400_000)));
        for text in ["1", "s", "30m1h", "1m1m", "1.5h", "-1s", "1 h", "1x"] {
            assert_eq!(ms(text), Err(format!("not a valid duration string: {text:?}")), "{text}");
        }
        assert!(ms("").unwrap_err().contains("empty"));
        assert!(ms("300y").unwrap_err().contains("out of range"));
        assert_eq!(format_duration(Duration::from_secs(5_400)), "1h30m");
        assert_eq!(format_duration(Duration::from_secs(8 * 86_400)), "8d");
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("10MB"), Some(10 << 20));
        assert_eq!(parse_size("1.5KiB"), Some(1536));
        assert_eq!((parse_size("0"), parse_size("7B"), parse_size("2G")), (Some(0), Some(7), Some(2 << 30)));
        assert_eq!((parse_size("x"), parse_size("5X"), parse_size("")), (None, None, None));
    }
}
