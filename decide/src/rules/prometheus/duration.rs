//! Durations as Prometheus's configuration writes them (`model.ParseDuration`), and as Go prints them. Pure.
//!
//! Stricter than [`kernel::Duration`]'s own form, which is for people: no spaces, no long names.

use kernel::Duration;

/// Units from large to small; each at most once, in this order.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a duration.
///
/// # Errors
/// Prometheus's words for what it is not.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("not a valid duration string: {text:?}");
    let long = || "duration out of range".to_owned();
    match text {
        "" => return Err("empty duration string".to_owned()),
        "0" => return Ok(Duration::ZERO),
        _ => {}
    }
    let (mut rest, mut least, mut total) = (text, 0usize, 0u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let rank = UNITS.iter().position(|(name, _)| *name == unit).filter(|r| *r >= least).ok_or_else(wrong)?;
        if number.is_empty() {
            return Err(wrong());
        }
        let ms = number.parse::<u64>().ok().and_then(|n| n.checked_mul(UNITS[rank].1)).ok_or_else(long)?;
        total = total.checked_add(ms).ok_or_else(long)?;
        (rest, least) = (next, rank + 1);
    }
    match std::time::Duration::from_millis(total) {
        d if d > kernel::duration::LONGEST => Err(long()),
        d => Ok(Duration::from(d)),
    }
}

/// As Go's `time.Duration` prints itself: `1h0m0s`, `1m30s`, `1.5s`, `250ms`, `0s`.
pub fn go_text(duration: Duration) -> String {
    let ms = duration.as_millis();
    if ms == 0 {
        return "0s".to_owned();
    }
    if ms < 1_000 {
        return format!("{ms}ms");
    }
    let (hours, minutes, seconds, part) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000);
    let mut out = String::new();
    if hours > 0 {
        out.push_str(&format!("{hours}h"));
    }
    if ms >= 60_000 {
        out.push_str(&format!("{minutes}m"));
    }
    let fraction = if part == 0 { String::new() } else { format!(".{part:03}") };
    out.push_str(&format!("{seconds}{}s", fraction.trim_end_matches('0')));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_prometheus_reads() {
        let check = |text: &str, expect: Result<u64, &str>| {
            assert_eq!(parse(text).map(Duration::as_millis), expect.map_err(str::to_owned), "{text}");
        };
        check("5m", Ok(300_000));
        check("1h30m", Ok(5_400_000));
        check("1d12h", Ok(129_600_000));
        check("150ms", Ok(150));
        check("1m5ms", Ok(60_005));
        check("0", Ok(0));
        check("", Err("empty duration string"));
        check("1", Err("not a valid duration string: \"1\""));
        check("5x", Err("not a valid duration string: \"5x\""));
        check("m", Err("not a valid duration string: \"m\""));
        check("5 m", Err("not a valid duration string: \"5 m\""));
        check("30m1h", Err("not a valid duration string: \"30m1h\""));
        check("-5m", Err("not a valid duration string: \"-5m\""));
        check("99999999y", Err("duration out of range"));
    }

    #[test]
    fn prints_as_go_does() {
        for (ms, text) in [
            (0, "0s"),
            (250, "250ms"),
            (1_500, "1.5s"),
            (60_000, "1m0s"),
            (3_600_000, "1h0m0s"),
            (5_425_010, "1h30m25.01s"),
        ] {
            assert_eq!(go_text(Duration::from_millis(ms)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(ms in 0u64..=(99 * 365 * 86_400_000)) {
            prop_assert_eq!(parse(&Duration::from_millis(ms).to_string()), Ok(Duration::from_millis(ms)));
        }

        #[test]
        fn never_panics(text in ".{0,30}") {
            let _ = parse(&text);
        }
    }
}
