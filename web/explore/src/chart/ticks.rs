//! Where axes have their ticks. Pure.

use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use kernel::{Language, Timestamp};

use super::Unit;
use crate::format::day_month;

/// The values that an axis goes from and to, and its ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// At the bottom.
    pub low: f64,
    /// At the top.
    pub high: f64,
    /// Distance of the ticks.
    pub step: f64,
    /// The ticks, rising.
    pub ticks: Vec<f64>,
}

/// Steps below a day that people count time by, seconds.
const CLOCK: [f64; 17] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0, 21_600.0,
    43_200.0,
];

const DAY: f64 = 86_400.0;

impl Scale {
    /// Around values from least to most, with about so many ticks. `fixed` ends stay where they are.
    pub fn new(least: f64, most: f64, fixed: (Option<f64>, Option<f64>), count: usize, unit: &Unit) -> Self {
        let (mut low, mut high) = (fixed.0.unwrap_or(least), fixed.1.unwrap_or(most));
        if !(low.is_finite() && high.is_finite()) {
            (low, high) = (0.0, 1.0);
        }
        if low >= high {
            let room = if low == 0.0 { 1.0 } else { low.abs() * 0.5 };
            match fixed {
                (Some(_), _) => high = low + room,
                (None, Some(_)) => low = high - room,
                // A line that stays at one value lies in the middle, at zero and above it never below zero.
                (None, None) if low >= 0.0 => (low, high) = (0.0, (low + room).max(1e-12)),
                (None, None) => (low, high) = (low - room, high + room),
            }
        }
        let step = nice((high - low) / count.max(1) as f64, unit);
        if fixed.0.is_none() {
            low = (low / step).floor() * step;
        }
        if fixed.1.is_none() {
            high = (high / step).ceil() * step;
        }
        let first = (low / step - 1e-9).ceil() as i64;
        let ticks = (first..).map(|i| i as f64 * step).take_while(|t| *t <= high + step * 1e-9).take(count * 4 + 2);
        Self { low, high, step, ticks: ticks.collect() }
    }

    /// Where a value lies: 0 at the bottom, 1 at the top, beyond where it is outside.
    pub fn at(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// The nearest step from above that people count by.
fn nice(raw: f64, unit: &Unit) -> f64 {
    let decimal = |raw: f64| {
        let power = 10f64.powf(raw.log10().floor());
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= raw * 0.999).unwrap_or(power * 10.0)
    };
    match unit {
        Unit::Bytes | Unit::BytesPerSecond if raw > 1.0 => 2f64.powf((raw * 0.999).log2().ceil()),
        Unit::Seconds if raw > 0.5 => {
            CLOCK.into_iter().find(|s| *s >= raw * 0.999).unwrap_or_else(|| decimal(raw / DAY).max(1.0) * DAY)
        }
        // Percentages of a share are round where the share is.
        _ => decimal(raw.max(f64::MIN_POSITIVE)),
    }
}

/// A tick of a time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeTick {
    /// When, milliseconds since the epoch.
    pub t_ms: i64,
    /// As it is written.
    pub label: String,
    /// Whether it may be left out where there is little room.
    pub minor: bool,
}

/// Ticks of a time axis, at round times of the zone's clock, at most about so many.
pub fn times(start_ms: i64, end_ms: i64, most: usize, zone: &TimeZone, language: Language) -> Vec<TimeTick> {
    let span_s = (end_ms.saturating_sub(start_ms)).max(1) as f64 / 1_000.0;
    let raw = span_s / most.max(1) as f64;
    let marks = match CLOCK.into_iter().find(|s| *s >= raw) {
        Some(step) if span_s >= 2.0 => on_the_clock(start_ms, end_ms, (step * 1_000.0) as i64, zone),
        _ if span_s < 2.0 => on_the_clock(start_ms, end_ms, 250, zone),
        _ => on_days(start_ms, end_ms, (raw / DAY).ceil() as i64, zone),
    };
    let seconds = raw <= 30.0;
    let all = marks.into_iter().enumerate().map(|(i, t)| TimeTick {
        t_ms: t,
        label: label(t, seconds, span_s < 2.0, zone, language),
        minor: i % 2 == 1,
    });
    all.collect()
}

fn on_the_clock(start: i64, end: i64, step: i64, zone: &TimeZone) -> Vec<i64> {
    let offset = i64::from(zone.to_offset(Timestamp::from_millis(start).to_jiff()).seconds()) * 1_000;
    let first = (start + offset).div_euclid(step) * step - offset;
    let first = if first < start { first + step } else { first };
    (0..).map(|i| first + i * step).take_while(|t| *t <= end).collect()
}

fn on_days(start: i64, end: i64, days: i64, zone: &TimeZone) -> Vec<i64> {
    let begin = Timestamp::from_millis(start).in_zone(zone).date();
    let since = begin.since(jiff::civil::date(1970, 1, 5)).map_or(0, |s| i64::from(s.get_days()));
    let mut day = begin.checked_sub(since.rem_euclid(days.max(1)).days()).ok();
    let mut out = Vec::new();
    while let Some(date) = day {
        let Ok(at) = date.to_zoned(zone.clone()) else { break };
        let at = at.timestamp().as_millisecond();
        if at > end {
            break;
        }
        if at >= start {
            out.push(at);
        }
        day = date.checked_add(days.max(1).days()).ok();
    }
    out
}

fn label(t: i64, seconds: bool, millis: bool, zone: &TimeZone, language: Language) -> String {
    let at = Timestamp::from_millis(t).in_zone(zone);
    let time = format!("{:02}:{:02}", at.hour(), at.minute());
    match (at.hour(), at.minute(), at.second()) {
        _ if millis => format!("{time}:{:02}.{:03}", at.second(), at.millisecond()),
        (0, 0, 0) => day_month(language, &at),
        _ if seconds => format!("{time}:{:02}", at.second()),
        _ => time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(least: f64, most: f64, unit: Unit) -> (f64, f64, f64) {
        let s = Scale::new(least, most, (None, None), 5, &unit);
        assert!(s.ticks.iter().all(|t| *t >= s.low - 1e-9 && *t <= s.high * 1.000_001 + 1e-9), "{s:?}");
        (s.low, s.high, s.step)
    }

    #[test]
    fn axes_end_at_round_values() {
        assert_eq!(scale(0.0, 0.93, Unit::Short), (0.0, 1.0, 0.2));
        assert_eq!(scale(3.0, 97.0, Unit::Short), (0.0, 100.0, 20.0));
        assert_eq!(scale(-5.0, 5.0, Unit::Short), (-6.0, 6.0, 2.0));
        assert_eq!(scale(0.0, 3e9, Unit::Bytes), (0.0, 3_221_225_472.0, 1_073_741_824.0));
        assert_eq!(scale(0.0, 7_000.0, Unit::Seconds), (0.0, 7_200.0, 1_800.0));
        assert_eq!(scale(4.0, 4.0, Unit::Short), (0.0, 6.0, 2.0));
        assert_eq!(scale(0.0, 0.0, Unit::Short), (0.0, 1.0, 0.2));
        assert_eq!(scale(f64::INFINITY, f64::NEG_INFINITY, Unit::Short), (0.0, 1.0, 0.2));
        let fixed = Scale::new(3.0, 250.0, (Some(0.0), Some(100.0)), 5, &Unit::Percent);
        assert_eq!((fixed.low, fixed.high), (0.0, 100.0));
    }

    #[test]
    fn times_are_round_on_the_local_clock() {
        let lima = TimeZone::get("America/Lima").unwrap();
        let start = 1_770_119_400_000; // 2026-02-03 06:50 in Lima
        let labels = |hours: i64, most: usize| -> Vec<String> {
            let all = times(start, start + hours * 3_600_000, most, &lima, Language::Es);
            all.into_iter().map(|t| t.label).collect()
        };
        assert_eq!(labels(1, 6), ["06:50", "07:00", "07:10", "07:20", "07:30", "07:40", "07:50"]);
        assert_eq!(labels(24, 4), ["12:00", "18:00", "4 feb", "06:00"]);
        assert_eq!(labels(96, 5), ["4 feb", "5 feb", "6 feb", "7 feb"]);
        let kathmandu = TimeZone::get("Asia/Kathmandu").unwrap();
        let first = times(start, start + 7_200_000, 4, &kathmandu, Language::En);
        assert!(first[0].label.ends_with(":00") || first[0].label.ends_with(":30"), "{first:?}");
    }

    #[test]
    fn a_change_to_summer_time_keeps_days_at_midnight() {
        let madrid = TimeZone::get("Europe/Madrid").unwrap();
        let start = Timestamp::parse("2026-03-27T12:00:00Z").unwrap().as_millis();
        let all = times(start, start + 4 * 86_400_000, 4, &madrid, Language::Es);
        let labels: Vec<&str> = all.iter().map(|t| t.label.as_str()).collect();
        assert_eq!(labels, ["28 mar", "29 mar", "30 mar", "31 mar"]);
    }
}
