//! Texts into schedules, with errors that say what to write. Pure.

use jiff::civil::Weekday;

use super::{Days, MonthDay, Rule, TimeOfDay};
use crate::Duration;

/// Why a text is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a schedule: {problem}")]
pub struct ScheduleError {
    /// As written.
    pub text: String,
    /// What is wrong and what to write.
    pub problem: String,
}

/// Longest text that is looked at; the longest sensible one has about 50 characters.
const LONGEST_TEXT: usize = 200;

const WEEKDAYS: [(&str, &str, Weekday); 7] = [
    ("monday", "lunes", Weekday::Monday),
    ("tuesday", "martes", Weekday::Tuesday),
    ("wednesday", "miércoles", Weekday::Wednesday),
    ("thursday", "jueves", Weekday::Thursday),
    ("friday", "viernes", Weekday::Friday),
    ("saturday", "sábado", Weekday::Saturday),
    ("sunday", "domingo", Weekday::Sunday),
];

const MONTHS: [(&str, &str); 12] = [
    ("january", "enero"),
    ("february", "febrero"),
    ("march", "marzo"),
    ("april", "abril"),
    ("may", "mayo"),
    ("june", "junio"),
    ("july", "julio"),
    ("august", "agosto"),
    ("september", "septiembre"),
    ("october", "octubre"),
    ("november", "noviembre"),
    ("december", "diciembre"),
];

const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

const CADENCES: &str = "day, weekdays, week, month, quarter, half-year or year";

type Parsed<T> = Result<T, String>;

/// What a text says.
pub(super) fn rule(written: &str) -> Result<Rule, ScheduleError> {
    let text = written.trim();
    let wrong = |problem: String| ScheduleError { text: text.chars().take(LONGEST_TEXT).collect(), problem };
    if text.len() > LONGEST_TEXT {
        return Err(wrong(format!("it is longer than {LONGEST_TEXT} characters")));
    }
    if let Some(fields) = text.strip_prefix("cron:") {
        let cron = fields.trim().parse::<croner::Cron>();
        return cron.map(|c| Rule::Cron(Box::new(c))).map_err(|e| wrong(format!("cron's fields are wrong: {e}")));
    }
    let lower = text.to_lowercase().replace(['–', '—'], "-");
    let words: Vec<&str> = lower.split_whitespace().collect();
    let words = if words.first() == Some(&"every") { &words[1..] } else { &words[..] };
    words_to_rule(words, text).map_err(wrong)
}

fn words_to_rule(words: &[&str], text: &str) -> Parsed<Rule> {
    match words {
        [] => Err(format!("it is empty; write an interval such as 6h, or {CADENCES}")),
        ["continuous" | "always" | "24/7"] => Ok(Rule::Continuous),
        ["on", "event", _] => Ok(Rule::Event(last_word(text).to_owned())),
        ["on", "deploy"] => Ok(Rule::Event("deploy".to_owned())),
        ["on", "pull-request"] => Ok(Rule::Event("pull-request".to_owned())),
        ["on", ..] => Err("after `on` write `deploy`, `pull-request` or `event NAME`".to_owned()),
        ["for", length @ .., "after", _] if !length.is_empty() => {
            let length = duration(&length.join(" "))?;
            Ok(Rule::After { length, event: last_word(text).to_owned() })
        }
        ["for", ..] => Err("write how long and after what, such as `for 7d after go-live`".to_owned()),
        [length @ .., "elapsed"] => duration(&length.join(" ")).map(Rule::Elapsed),
        [number, "months" | "month", rest @ ..] if number.parse::<u32>().is_ok() => months(number, rest),
        [first, ..] if first.starts_with(|c: char| c.is_ascii_digit()) => interval(&words.join(" ")),
        [cadence, rest @ ..] => calendar(cadence, rest),
    }
}

fn last_word(text: &str) -> &str {
    text.split_whitespace().last().unwrap_or(text)
}

fn duration(text: &str) -> Parsed<Duration> {
    let length: Duration = text.parse().map_err(|e: crate::duration::DurationError| e.to_string())?;
    if length < Duration::from_secs(1) { Err("it must be at least 1s".to_owned()) } else { Ok(length) }
}

/// Intervals longer than a day count from the last time: no clock shows every 90 days.
fn interval(text: &str) -> Parsed<Rule> {
    let length = duration(text)?;
    let day = Duration::from_secs(86_400);
    Ok(if length > day { Rule::Elapsed(length) } else { Rule::Interval(length) })
}

fn months(number: &str, rest: &[&str]) -> Parsed<Rule> {
    match number {
        "1" | "2" | "3" | "4" | "6" | "12" => {
            let step = number.parse().unwrap_or(1);
            period(step, rest)
        }
        _ => Err("months repeat every 1, 2, 3, 4, 6 or 12; for others write days, such as `150d elapsed`".to_owned()),
    }
}

fn calendar(cadence: &str, rest: &[&str]) -> Parsed<Rule> {
    match cadence {
        "day" | "daily" => Ok(Rule::Calendar { on: Days::Daily, time: time(rest)? }),
        "weekdays" => Ok(Rule::Calendar { on: Days::Weekdays, time: time(rest)? }),
        "week" | "weekly" => week(rest),
        "month" | "monthly" => period(1, rest),
        "quarter" | "quarterly" => period(3, rest),
        "half-year" => period(6, rest),
        "year" | "yearly" => period(12, rest),
        other => match weekday(other) {
            Ok(_) => Err(format!("write `week on {other}`")),
            Err(_) => Err(format!("`{other}` is no cadence; write an interval such as 6h, or {CADENCES}")),
        },
    }
}

fn week(rest: &[&str]) -> Parsed<Rule> {
    let ["on", rest @ ..] = rest else {
        let days = Days::Weekly(Vec::new());
        return match rest {
            [] => Ok(Rule::Calendar { on: days, time: None }),
            _ => Err("a week needs its day before the time, such as `week on monday at 07:00`".to_owned()),
        };
    };
    let mut days = Vec::new();
    let mut used = 0;
    for word in rest {
        match word.trim_end_matches(',') {
            "and" if !days.is_empty() => {}
            name if days.is_empty() || !name.starts_with(|c: char| c.is_ascii_digit()) && name != "at" => {
                days.push(weekday(name)?);
            }
            _ => break,
        }
        used += 1;
    }
    if days.is_empty() {
        return Err("after `on` write a day of the week, such as `week on monday`".to_owned());
    }
    days.sort_by_key(|d| d.to_monday_zero_offset());
    days.dedup();
    Ok(Rule::Calendar { on: Days::Weekly(days), time: time(&rest[used..])? })
}

/// A month or several: `on day 1`, `on last day`, `on first sunday`, `on 15 march` (a year).
fn period(step: u8, rest: &[&str]) -> Parsed<Rule> {
    let on =
        |on: MonthDay, rest: &[&str]| Ok(Rule::Calendar { on: Days::Months { step, on: Some(on) }, time: time(rest)? });
    match rest {
        [] => Ok(Rule::Calendar { on: Days::Months { step, on: None }, time: None }),
        ["on", "day", number, rest @ ..] => on(MonthDay::Number(day_number(number, 31)?), rest),
        ["on", "last", "day", rest @ ..] => on(MonthDay::Last, rest),
        ["on", "last", name, rest @ ..] => on(MonthDay::LastOf(weekday(name)?), rest),
        ["on", ordinal, name, rest @ ..] if ORDINALS.contains(ordinal) => {
            let n = ORDINALS.iter().zip(1..).find(|(o, _)| *o == ordinal).map_or(1, |(_, n)| n);
            if *name == "day" { on(MonthDay::Number(n), rest) } else { on(MonthDay::Nth(n, weekday(name)?), rest) }
        }
        ["on", number, name, rest @ ..] if step == 12 && number.parse::<u8>().is_ok() => {
            let month = month(name)?;
            let most = if month == 2 { 29 } else { 30 + (month + i8::from(month > 7)) % 2 };
            let day = day_number(number, most)?;
            Ok(Rule::Calendar { on: Days::YearDay { month, day }, time: time(rest)? })
        }
        ["on", ..] if step == 12 => {
            Err("after `on` write a day, such as `year on 15 march` or `year on first monday`".to_owned())
        }
        ["on", ..] => {
            Err("after `on` write `day 1`, `last day`, or a weekday with its number, such as `first sunday`".to_owned())
        }
        _ => Err("a time needs its day before it, such as `month on day 1 at 02:00`".to_owned()),
    }
}

fn day_number(text: &str, most: i8) -> Parsed<i8> {
    let number = text.parse::<i8>().ok().filter(|n| (1..=most).contains(n));
    number.ok_or_else(|| format!("`{text}` is not a day from 1 to {most}"))
}

fn weekday(name: &str) -> Parsed<Weekday> {
    let found =
        WEEKDAYS.iter().find(|(english, _, _)| name == *english || (name.len() == 3 && english.starts_with(name)));
    if let Some((_, _, day)) = found {
        return Ok(*day);
    }
    match WEEKDAYS.iter().find(|(_, spanish, _)| name == *spanish || name == plain(spanish)) {
        Some((english, _, _)) => Err(format!("write `{english}` for `{name}`")),
        None => Err(format!("`{name}` is not a day of the week; write monday to sunday")),
    }
}

fn month(name: &str) -> Parsed<i8> {
    let numbered = MONTHS.iter().zip(1i8..);
    for ((english, spanish), number) in numbered {
        if name == *english || (name.len() == 3 && english.starts_with(name)) {
            return Ok(number);
        }
        if name == *spanish {
            return Err(format!("write `{english}` for `{name}`"));
        }
    }
    Err(format!("`{name}` is not a month; write january to december"))
}

fn plain(spanish: &str) -> String {
    spanish.replace('é', "e").replace('á', "a")
}

/// `at 02:00`, `02:00-04:00`, or nothing.
fn time(words: &[&str]) -> Parsed<Option<TimeOfDay>> {
    match words {
        [] => Ok(None),
        ["at", clock] => Ok(Some(TimeOfDay { start: minutes(clock, 1439)?, end: None })),
        ["at"] => Err("after `at` write a time, such as 02:00".to_owned()),
        [window] if window.contains('-') => window_of(window),
        [start, "-" | "to", end] => window_of(&format!("{start}-{end}")),
        [clock] if clock.contains(':') => Err(format!("write `at {clock}`, or a window such as {clock}-23:00")),
        _ => Err(format!("`{}` is not a time; write `at 02:00` or a window such as 02:00-04:00", words.join(" "))),
    }
}

fn window_of(window: &str) -> Parsed<Option<TimeOfDay>> {
    let (start, end) = window.split_once('-').unwrap_or((window, ""));
    let (start, end) = (minutes(start, 1439)?, minutes(end, 1440)?);
    let end = if end == 0 { 1440 } else { end };
    if start == end || end - start.min(end) == 1440 && start != 0 {
        return Err("the window is empty: its end is its start".to_owned());
    }
    Ok(Some(TimeOfDay { start, end: Some(end) }))
}

fn minutes(clock: &str, most: u16) -> Parsed<u16> {
    let wrong = || format!("`{clock}` is not a time; write two digits for hour and minute, such as 02:00");
    let (hour, minute) = clock.split_once(':').ok_or_else(wrong)?;
    let digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return Err(wrong());
    }
    let (hour, minute): (u16, u16) = (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    let total = hour * 60 + minute;
    if minute > 59 || total > most { Err(wrong()) } else { Ok(total) }
}
