//! Schedules as people write them: `day at 02:00`, `week on monday`, `month on first sunday 01:00-05:00`. Pure.
//!
//! | written | due |
//! | --- | --- |
//! | `5m`, `every 6h` | by the clock: at local midnight and every so often after it |
//! | `90d elapsed`, `90d` | so long after the last time |
//! | `day`, `weekdays`, `week`, `month`, `quarter`, `half-year`, `year`, `6 months` | once in each of them |
//! | … `at 02:00`, … `02:00-04:00` | at that time; within that window |
//! | `week on monday`, `month on day 1`, `month on last day`, `quarter on first monday`, `year on 15 march` | on that day |
//! | `continuous` | always |
//! | `on deploy`, `on pull-request`, `on event NAME` | when that happens |
//! | `for 7d after NAME` | so long after it happened |
//! | `cron: 0 2 * * *` | as cron reads it, with `L`, `#`, `W` |
//!
//! Times are local. One that does not exist, because clocks go forward, moves to the first that does; one that comes
//! twice, because clocks go back, is due once, the first time.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use schemars::{JsonSchema, Schema as JsonShape, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Duration, Timestamp};

mod next;
mod parse;

pub use parse::ScheduleError;

/// When something is due, in the system's time zone. Keeps the text as written.
#[derive(Clone, Debug)]
pub struct Schedule {
    text: String,
    rule: Rule,
}

/// What a schedule says.
#[derive(Clone, Debug)]
pub enum Rule {
    /// By the clock, at local midnight and every so often after it.
    Interval(Duration),
    /// So long after the last time.
    Elapsed(Duration),
    /// On days of the calendar.
    Calendar {
        /// Which days or periods.
        on: Days,
        /// At what time of the day; the whole day or period when `None`.
        time: Option<TimeOfDay>,
    },
    /// Always.
    Continuous,
    /// When something happens: `deploy`, `pull-request` or an event's name.
    Event(String),
    /// For a time after something happened.
    After {
        /// How long.
        length: Duration,
        /// After what.
        event: String,
    },
    /// Fields of cron.
    Cron(Box<croner::Cron>),
}

/// Days or periods of the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Days {
    /// Every day.
    Daily,
    /// Monday to Friday.
    Weekdays,
    /// Every week, on these days; the whole week from Monday when empty.
    Weekly(Vec<Weekday>),
    /// Every so many months, counted from January; 12 is a year.
    Months {
        /// 1, 2, 3, 4, 6 or 12.
        step: u8,
        /// Which day of the first month; the whole period when `None`.
        on: Option<MonthDay>,
    },
    /// A day of the year: month and day.
    YearDay {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
}

/// A day of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonthDay {
    /// By its number; months that lack it are passed over.
    Number(i8),
    /// The last day.
    Last,
    /// The n-th weekday, 1 to 5; months that lack a fifth are passed over.
    Nth(i8, Weekday),
    /// The last of a weekday.
    LastOf(Weekday),
}

/// A time of the day or a window, in minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    /// When it begins, 0 to 1439.
    pub start: u16,
    /// When it ends, 1 to 1440; not after the start: on the next day. `None` for a time alone.
    pub end: Option<u16>,
}

/// One time at which something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// From when.
    pub start: Timestamp,
    /// Until when; the same as `start` where no window is given.
    pub end: Timestamp,
}

impl Schedule {
    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says.
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Whether it can be put on a calendar: neither continuous nor waiting for an event.
    pub const fn is_on_calendar(&self) -> bool {
        !matches!(self.rule, Rule::Continuous | Rule::Event(_) | Rule::After { .. })
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Schedule {}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        Ok(Self { text: text.trim().to_owned(), rule: parse::rule(text)? })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Schedule {
    fn schema_name() -> Cow<'static, str> {
        "Schedule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> JsonShape {
        json_schema!({
            "type": "string",
            "format": "schedule",
            "description": "When it is due, in the system's time zone: an interval (6h), a cadence (day, weekdays, week, month, quarter, half-year, year) with a day (on monday, on first sunday, on day 1, on last day, on 15 march) and a time (at 02:00) or window (02:00-04:00), a time since the last one (90d elapsed), continuous, an event (on deploy, on event NAME, for 7d after NAME), or cron: and its fields.",
            "examples": [
                "6h", "day at 02:00", "day 02:00-04:00", "weekdays at 09:00", "week on monday", "month on first sunday 01:00-05:00",
                "month on last day", "quarter on first monday", "half-year", "year on 15 march", "90d elapsed", "continuous",
                "on deploy", "for 7d after go-live", "cron: 0 2 * * *"
            ]
        })
    }
}

#[cfg(test)]
mod tests;
