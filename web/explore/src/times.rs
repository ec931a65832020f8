//! Times as people give them: ranges back from now, or from and to. Pure.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kernel::Timestamp;

/// Ranges that are offered: name as it stands in addresses, and length in milliseconds.
pub const RANGES: [(&str, i64); 13] = [
    ("5m", 300_000),
    ("15m", 900_000),
    ("30m", 1_800_000),
    ("1h", 3_600_000),
    ("3h", 10_800_000),
    ("6h", 21_600_000),
    ("12h", 43_200_000),
    ("24h", 86_400_000),
    ("2d", 2 * 86_400_000),
    ("7d", 7 * 86_400_000),
    ("30d", 30 * 86_400_000),
    ("90d", 90 * 86_400_000),
    ("1y", 365 * 86_400_000),
];

/// The range where none is asked for.
pub const DEFAULT_RANGE: &str = "1h";

/// Steps that are chosen from, seconds.
const STEPS: [i64; 22] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_592_000,
];

/// From when to when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The name of the range back from now; `None`: both ends are given.
    pub range: Option<String>,
    /// First millisecond.
    pub start_ms: i64,
    /// Last millisecond.
    pub end_ms: i64,
}

impl Window {
    /// From what an address says: a range, which wins, or both ends. Anything else is the usual range, and `false`.
    pub fn read(range: &str, from: &str, to: &str, now: Timestamp, zone: &TimeZone) -> (Self, bool) {
        if let Some(length) = length_ms(range) {
            return (Self::back(range, length, now), true);
        }
        let ends = (parse_time(from, zone), parse_time(to, zone));
        if let (Some(start), Some(end)) = ends
            && start < end
        {
            return (Self { range: None, start_ms: start, end_ms: end }, true);
        }
        let nothing = range.is_empty() && from.is_empty() && to.is_empty();
        (Self::back(DEFAULT_RANGE, 3_600_000, now), nothing)
    }

    fn back(range: &str, length: i64, now: Timestamp) -> Self {
        let end_ms = now.as_millis();
        Self { range: Some(range.to_owned()), start_ms: end_ms.saturating_sub(length), end_ms }
    }

    /// How long it is.
    pub fn length_ms(&self) -> i64 {
        self.end_ms - self.start_ms
    }

    /// The step that gives at most so many points, a round one.
    pub fn step_ms(&self, points: i64) -> i64 {
        let least = (self.length_ms() / points.max(1) + 999) / 1_000;
        let round = STEPS.into_iter().find(|s| *s >= least);
        round.unwrap_or_else(|| (least + 86_399) / 86_400 * 86_400) * 1_000
    }
}

/// The length of a range such as `90m` or `1d12h`, milliseconds; `None` when it is none, or nothing.
pub fn length_ms(text: &str) -> Option<i64> {
    if let Some((_, ms)) = RANGES.iter().find(|(name, _)| *name == text) {
        return Some(*ms);
    }
    const UNITS: [(&str, i64); 7] = [
        ("ms", 1),
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ];
    let (mut rest, mut total) = (text.trim(), 0i64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, ms) = UNITS.iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = &rest[unit.len()..];
        total = total.checked_add(count.checked_mul(*ms)?)?;
    }
    (total > 0).then_some(total)
}

/// A time: seconds since the epoch, RFC 3339, or date and time on the clock of the page's zone. Milliseconds since the epoch.
pub fn parse_time(text: &str, zone: &TimeZone) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        let ms = (seconds * 1_000.0).round();
        return (ms.abs() < 253_402_300_800_000.0).then_some(ms as i64);
    }
    if let Ok(at) = Timestamp::parse(text) {
        return Some(at.as_millis());
    }
    let local: DateTime = text.parse().ok()?;
    Some(local.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
}

/// A time as `datetime-local` fields want it.
pub fn local(ms: i64, zone: &TimeZone) -> String {
    Timestamp::from_millis(ms).in_zone(zone).datetime().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Milliseconds as seconds for an address, without decimals that say nothing.
pub fn seconds(ms: i64) -> String {
    match ms % 1_000 {
        0 => (ms / 1_000).to_string(),
        _ => format!("{}", ms as f64 / 1_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_win_over_ends() {
        let (now, lima) = (Timestamp::from_secs(1_770_120_000), TimeZone::get("America/Lima").unwrap());
        let read = |range: &str, from: &str, to: &str| Window::read(range, from, to, now, &lima);
        let (window, fine) = read("15m", "1", "2");
        assert_eq!((window.length_ms(), window.range.as_deref(), fine), (900_000, Some("15m"), true));
        let (window, fine) = read("", "2026-02-03T07:00", "2026-02-03T12:30:00Z");
        assert_eq!((window.start_ms, window.end_ms, fine), (1_770_120_000_000, 1_770_121_800_000, true));
        assert!(read("", "", "").1 && !read("", "9", "1").1 && !read("1x", "", "").1);
        assert_eq!(read("nonsense", "", "").0.length_ms(), 3_600_000);
    }

    #[test]
    fn lengths_and_steps() {
        assert_eq!(
            (length_ms("1d12h"), length_ms("0s"), length_ms("5"), length_ms("")),
            (Some(129_600_000), None, None, None)
        );
        let step = |range: &str| {
            let length = length_ms(range).unwrap();
            Window { range: None, start_ms: 0, end_ms: length }.step_ms(400)
        };
        assert_eq!((step("1h"), step("24h"), step("5m"), step("30d")), (10_000, 300_000, 1_000, 7_200_000));
    }

    #[test]
    fn local_times_come_back() {
        let lima = TimeZone::get("America/Lima").unwrap();
        assert_eq!(local(1_770_120_000_000, &lima), "2026-02-03T07:00:00");
        assert_eq!(parse_time("2026-02-03T07:00:00", &lima), Some(1_770_120_000_000));
        assert_eq!((seconds(1_500), seconds(2_000)), ("1.5".into(), "2".into()));
    }
}
