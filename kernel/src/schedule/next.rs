//! When a schedule is due next. Pure: the time is an argument.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, ToSpan};

use super::{Days, MonthDay, Occurrence, Rule, Schedule, TimeOfDay};
use crate::{Duration, Timestamp};

/// How many periods are looked at for a day that not every period has: the 29th of February comes within 8 years, the
/// fifth of a weekday within a few months; one each is looked at.
const MOST_PERIODS: usize = 400;

/// How many starts in the past are passed over before giving up; two suffice, near a change of clocks.
const MOST_TRIES: usize = 8;

const DAY_MS: i64 = 86_400_000;

impl Schedule {
    /// The first occurrence that starts after a time. For what counts from the last time, `after` is the last time. `None`
    /// for what has no place on a calendar, and when there is none before the calendar's end.
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Occurrence> {
        match &self.rule {
            Rule::Interval(length) => interval(*length, after, zone).map(instant),
            Rule::Elapsed(length) => Some(instant(after + length.std())).filter(|o| o.start > after),
            Rule::Calendar { on, time } => calendar(on, *time, after, zone),
            Rule::Cron(cron) => {
                let next = cron.find_next_occurrence(&after.in_zone(zone), false).ok()?;
                Some(instant(Timestamp::from_jiff(next.timestamp()))).filter(|o| o.start > after)
            }
            Rule::Continuous | Rule::Event(_) | Rule::After { .. } => None,
        }
    }

    /// The occurrences that start after `from` and not after `to`, at most `limit` of them.
    pub fn occurrences(&self, from: Timestamp, to: Timestamp, zone: &TimeZone, limit: usize) -> Vec<Occurrence> {
        let mut out = Vec::new();
        let mut after = from;
        while out.len() < limit {
            let Some(next) = self.next_after(after, zone).filter(|o| o.start <= to) else { break };
            after = next.start;
            out.push(next);
        }
        out
    }
}

const fn instant(at: Timestamp) -> Occurrence {
    Occurrence { start: at, end: at }
}

/// Local midnight and every so often after it, where the length divides a day; else counted from the epoch.
fn interval(length: Duration, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let length = i64::try_from(length.as_millis()).ok().filter(|l| *l > 0)?;
    if DAY_MS % length != 0 {
        let next = (after.as_millis().div_euclid(length) + 1).checked_mul(length)?;
        return Some(Timestamp::from_millis(next));
    }
    let today = after.in_zone(zone).date();
    let midnight = resolve(today.at(0, 0, 0, 0), zone)?;
    let tomorrow = resolve(today.tomorrow().ok()?.at(0, 0, 0, 0), zone)?;
    let steps = (after.as_millis() - midnight.as_millis()).div_euclid(length) + 1;
    let next = Timestamp::from_millis(midnight.as_millis() + steps * length);
    Some(if next < tomorrow || tomorrow <= after { next } else { tomorrow })
}

fn calendar(on: &Days, time: Option<TimeOfDay>, after: Timestamp, zone: &TimeZone) -> Option<Occurrence> {
    let mut from = after.in_zone(zone).date().yesterday().ok()?;
    for _ in 0..MOST_TRIES {
        let (first, last) = next_days(on, from)?;
        let found = occurrence(first, last, time, zone)?;
        if found.start > after {
            return Some(found);
        }
        from = first.tomorrow().ok()?;
    }
    None
}

/// The occurrence on the day `first`, or over the days up to and without `last` where no time is given.
fn occurrence(first: Date, last: Date, time: Option<TimeOfDay>, zone: &TimeZone) -> Option<Occurrence> {
    let Some(time) = time else {
        let (start, end) = (resolve(first.at(0, 0, 0, 0), zone)?, resolve(last.at(0, 0, 0, 0), zone)?);
        return Some(Occurrence { start, end });
    };
    let start = resolve(at_minute(first, time.start)?, zone)?;
    let Some(end) = time.end else { return Some(instant(start)) };
    let day = if end <= time.start { first.tomorrow().ok()? } else { first };
    let end = resolve(at_minute(day, end)?, zone)?;
    Some(Occurrence { start, end: end.max(start) })
}

fn at_minute(day: Date, minute: u16) -> Option<DateTime> {
    if minute >= 1440 {
        return day.tomorrow().ok().map(|d| d.at(0, 0, 0, 0));
    }
    let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
    Some(day.at(hour, minute, 0, 0))
}

/// The moment a local time stands for: the first that exists after a gap, the first of two.
fn resolve(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let at = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok()?,
        AmbiguousOffset::Gap { .. } => {
            let later = ambiguous.later().ok()?;
            let edge = later.checked_add(Span::new().nanoseconds(1)).ok()?;
            zone.preceding(edge).next().map_or(later, |t| t.timestamp())
        }
    };
    Some(Timestamp::from_jiff(at))
}

/// The first days of the next occurrence that begins on `from` or later: its first day and the day after its last.
fn next_days(on: &Days, from: Date) -> Option<(Date, Date)> {
    let one = |day: Date| Some((day, day.tomorrow().ok()?));
    match on {
        Days::Daily => one(from),
        Days::Weekdays => one(next_matching(from, |d| !matches!(d.weekday(), Weekday::Saturday | Weekday::Sunday))?),
        Days::Weekly(days) if days.is_empty() => {
            let monday = next_matching(from, |d| d.weekday() == Weekday::Monday)?;
            Some((monday, monday.checked_add(7.days()).ok()?))
        }
        Days::Weekly(days) => one(next_matching(from, |d| days.contains(&d.weekday()))?),
        Days::Months { step, on } => {
            let mut first = period_start(from, *step);
            for _ in 0..MOST_PERIODS {
                let next = first.checked_add(i64::from(*step).months()).ok()?;
                match on {
                    None if first >= from => return Some((first, next)),
                    Some(on) => match day_of_month(first, *on).filter(|d| *d >= from) {
                        Some(day) => return one(day),
                        None => first = next,
                    },
                    None => first = next,
                }
            }
            None
        }
        Days::YearDay { month, day } => {
            let last = from.year().saturating_add(9);
            let days = (from.year()..=last).filter_map(|y| Date::new(y, *month, *day).ok());
            days.into_iter().find(|d| *d >= from).and_then(one)
        }
    }
}

fn next_matching(from: Date, wanted: impl Fn(Date) -> bool) -> Option<Date> {
    let mut day = from;
    for _ in 0..7 {
        if wanted(day) {
            return Some(day);
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// The first day of the period of `step` months that a day lies in, periods counted from January.
fn period_start(day: Date, step: u8) -> Date {
    let step = i8::try_from(step).unwrap_or(1).max(1);
    let month = (day.month() - 1) / step * step + 1;
    Date::new(day.year(), month, 1).unwrap_or(day)
}

fn day_of_month(first: Date, on: MonthDay) -> Option<Date> {
    match on {
        MonthDay::Number(day) => Date::new(first.year(), first.month(), day).ok(),
        MonthDay::Last => Some(first.last_of_month()),
        MonthDay::Nth(n, weekday) => first.nth_weekday_of_month(n, weekday).ok(),
        MonthDay::LastOf(weekday) => first.nth_weekday_of_month(-1, weekday).ok(),
    }
}
