//! Durations as people write them: `30s`, `5m`, `1h30m`, `2 d`, `6 weeks`. Pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration as StdDuration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Language;

/// A length of time from a plan: whole milliseconds, at most 100 years.
///
/// Written as one or more number-unit pairs, largest unit first, spaces allowed. Units: `ms`, `s`, `m` (minutes),
/// `h`, `d`, `w`, `y` (365 days), as in Prometheus, and their English names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(StdDuration);

/// Longest duration that a plan may name: 100 years, so that no arithmetic on times can overflow.
pub const LONGEST: StdDuration = StdDuration::from_secs(100 * 365 * 86_400);

const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(StdDuration::ZERO);

    /// `n` milliseconds.
    pub const fn from_millis(n: u64) -> Self {
        Self(StdDuration::from_millis(n))
    }

    /// `n` seconds.
    pub const fn from_secs(n: u64) -> Self {
        Self(StdDuration::from_secs(n))
    }

    /// `n` minutes.
    pub const fn from_mins(n: u64) -> Self {
        Self(StdDuration::from_secs(n * 60))
    }

    /// The standard library's type.
    pub const fn std(self) -> StdDuration {
        self.0
    }

    /// Whole milliseconds.
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Seconds with fraction.
    pub fn as_secs_f64(self) -> f64 {
        self.0.as_secs_f64()
    }

    /// For people, two units at most: `5 min`, `1 h 30 min`, `2 días`.
    pub fn humanize(self, language: Language) -> String {
        let ms = self.as_millis();
        if ms < 1_000 {
            return format!("{ms} ms");
        }
        let (day, days) = match language {
            Language::Es => ("día", "días"),
            Language::En => ("day", "days"),
        };
        let seconds = ms / 1_000;
        let parts =
            [(seconds / 86_400, ""), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
        let first = parts.iter().position(|(n, _)| *n > 0).unwrap_or(3);
        let mut out: Vec<String> = Vec::new();
        for (n, unit) in parts.iter().skip(first).take(2).filter(|(n, _)| *n > 0) {
            out.push(match *unit {
                "" if *n == 1 => format!("1 {day}"),
                "" => format!("{n} {days}"),
                unit => format!("{n} {unit}"),
            });
        }
        out.join(" ")
    }
}

impl From<StdDuration> for Duration {
    fn from(d: StdDuration) -> Self {
        Self(d.min(LONGEST))
    }
}

impl From<Duration> for StdDuration {
    fn from(d: Duration) -> Self {
        d.0
    }
}

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing but spaces.
    #[error("a duration is missing: write a number and a unit, such as 30s, 5m, 1h30m or 7d")]
    Empty,
    /// A number without a unit.
    #[error("`{0}` has no unit: write {0}s for seconds, {0}m for minutes or {0}h for hours")]
    NoUnit(String),
    /// A unit nobody knows.
    #[error("`{0}` is not a unit of time: use ms, s, m (minutes), h, d, w or y")]
    UnknownUnit(String),
    /// Something else than a number where a number belongs.
    #[error("`{0}` is not a duration: write a number and a unit, such as 30s, 5m, 1h30m or 7d")]
    NotANumber(String),
    /// Units not from large to small, or one of them twice.
    #[error("`{0}` has its units out of order: write the largest first, each once, such as 1h30m")]
    Order(String),
    /// More than [`LONGEST`].
    #[error("`{0}` is longer than 100 years")]
    TooLong(String),
}

fn unit_rank(name: &str) -> Option<usize> {
    let short = match name {
        "ms" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "second" | "seconds" => "s",
        "m" | "min" | "minute" | "minutes" => "m",
        "h" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "w" | "week" | "weeks" => "w",
        "y" | "year" | "years" => "y",
        _ => return None,
    };
    UNITS.iter().position(|(unit, _)| *unit == short)
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let whole = text.trim();
        let mut rest = whole;
        if rest.is_empty() {
            return Err(DurationError::Empty);
        }
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        let (mut total_ms, mut least) = (0u64, None::<usize>);
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let number = &rest[..digits];
            rest = rest[digits..].trim_start();
            if number.is_empty() {
                return Err(DurationError::NotANumber(whole.to_owned()));
            }
            let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            let unit = &rest[..end];
            rest = rest[end..].trim_start();
            if unit.is_empty() {
                return Err(DurationError::NoUnit(number.to_owned()));
            }
            let rank = unit_rank(unit).ok_or_else(|| DurationError::UnknownUnit(unit.to_owned()))?;
            if least.is_some_and(|l| rank <= l) {
                return Err(DurationError::Order(whole.to_owned()));
            }
            least = Some(rank);
            let too_long = || DurationError::TooLong(whole.to_owned());
            let ms = number.parse::<u64>().ok().and_then(|n| n.checked_mul(UNITS[rank].1)).ok_or_else(too_long)?;
            total_ms =
                total_ms.checked_add(ms).filter(|t| u128::from(*t) <= LONGEST.as_millis()).ok_or_else(too_long)?;
        }
        Ok(Self::from_millis(total_ms))
    }
}

impl fmt::Display for Duration {
    /// The shortest form that reads back as the same duration; like Prometheus it uses weeks and years only alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ms = self.as_millis();
        if ms == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in UNITS {
            let alone = matches!(unit, "y" | "w");
            if (alone && ms.is_multiple_of(size)) || (!alone && ms >= size) {
                write!(f, "{}{unit}", ms / size)?;
                ms %= size;
            }
            if ms == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "duration",
            "description": "A duration: number and unit, largest unit first, such as 30s, 5m, 1h30m, 7d.",
            "examples": ["30s", "5m", "1h30m", "7d"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: Result<u64, &str>) {
        let got = text.parse::<Duration>();
        match expect {
            Ok(ms) => assert_eq!(got, Ok(Duration::from_millis(ms)), "{text}"),
            Err(part) => {
                let message = got.expect_err(text).to_string();
                assert!(message.contains(part), "{text}: {message}");
            }
        }
    }

    #[test]
    fn reads_what_people_write() {
        check("30s", Ok(30_000));
        check("5m", Ok(300_000));
        check("1h30m", Ok(5_400_000));
        check("1h 30 min", Ok(5_400_000));
        check("2 days", Ok(172_800_000));
        check("0", Ok(0));
        check("150ms", Ok(150));
    }

    #[test]
    fn says_what_is_wrong() {
        check("", Err("missing"));
        check("5", Err("write 5s for seconds"));
        check("5 parsecs", Err("`parsecs` is not a unit"));
        check("soon", Err("not a duration"));
        check("30m1h", Err("out of order"));
        check("1m1m", Err("out of order"));
        check("999999999999y", Err("longer than 100 years"));
        check("-5m", Err("not a duration"));
    }

    #[test]
    fn speaks_to_people() {
        assert_eq!(Duration::from_secs(5_400).humanize(Language::Es), "1 h 30 min");
        assert_eq!(Duration::from_secs(86_400).humanize(Language::Es), "1 día");
        assert_eq!(Duration::from_secs(3 * 86_400 + 7_200).humanize(Language::En), "3 days 2 h");
        assert_eq!(Duration::from_secs(65).humanize(Language::En), "1 min 5 s");
        assert_eq!(Duration::from_secs(3_605).humanize(Language::En), "1 h");
    }

    proptest! {
        #[test]
        fn prints_what_it_reads_back(ms in 0u64..=(100 * 365 * 86_400_000)) {
            let d = Duration::from_millis(ms);
            prop_assert_eq!(d.to_string().parse::<Duration>(), Ok(d));
        }

        #[test]
        fn never_panics(text in ".{0,40}") {
            let _ = text.parse::<Duration>();
        }
    }
}
