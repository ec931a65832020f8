//! Measures of success over periods of the calendar: which time a period covers, what is asked, which bounds a value
//! reaches (KPI-01, ALR-24). Pure.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use kernel::{Duration, Timestamp};
use plan_model::{Kpi, Loaded, Period, Plan};
use plan_syntax::{Diagnostic, within};

use crate::rules::Query;

/// Stands in a measure for the period, as far as it has passed: `[period]`, and `[period:1m]` in a subquery.
const RANGE: &str = "[period";
/// A range as long as [`RANGE`] in letters, so that places of mistakes stay where they are.
const SAME_LENGTH: &str = "[    1d";

fn with_range(measure: &str, range: &str) -> String {
    [']', ':']
        .iter()
        .fold(measure.to_owned(), |text, end| text.replace(&format!("{RANGE}{end}"), &format!("{range}{end}")))
}

/// A period as it lies in time: from its beginning to the beginning of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub start: Timestamp,
    /// The first moment of the next.
    pub end: Timestamp,
}

/// The period of the calendar that a moment lies in, in a time zone; `back` periods before it. `None` outside of the calendar.
pub fn span(period: Period, at: Timestamp, back: u32, zone: &TimeZone) -> Option<Span> {
    let first = first_day(period, at.in_zone(zone).date())?;
    let step = match period {
        Period::Day => 1.day(),
        Period::Week => 1.week(),
        Period::Month => 1.month(),
        Period::Quarter => 3.months(),
        Period::Year => 1.year(),
    };
    let first = first.checked_sub(step.checked_mul(i64::from(back)).ok()?).ok()?;
    let midnight = |date: Date| Some(Timestamp::from_jiff(date.to_zoned(zone.clone()).ok()?.timestamp()));
    Some(Span { start: midnight(first)?, end: midnight(first.checked_add(step).ok()?)? })
}

fn first_day(period: Period, date: Date) -> Option<Date> {
    match period {
        Period::Day => Some(date),
        Period::Week => date.tomorrow().ok()?.nth_weekday(-1, Weekday::Monday).ok(),
        Period::Month => Some(date.first_of_month()),
        Period::Quarter => Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1).ok(),
        Period::Year => Some(date.first_of_year()),
    }
}

impl Span {
    /// Where the period is asked at a moment: the last millisecond of it once it is over. PromQL's ranges leave out where they begin and
    /// have where they end; so a sample of midnight belongs to the day that begins.
    pub fn asked_at(&self, now: Timestamp) -> Timestamp {
        now.min(Timestamp::from_millis(self.end.as_millis() - 1))
    }
}

/// The measure's query for a period as far as it has passed.
///
/// # Errors
/// It is no PromQL.
pub fn query(kpi: &Kpi, span: &Span, now: Timestamp) -> Result<Query, String> {
    let passed = now.min(span.end).since(span.start).as_secs().max(1);
    let text = with_range(&kpi.measure, &format!("[{}", Duration::from_secs(passed)));
    Query::parse(&text).map_err(|e| e.to_string())
}

/// What a value is against the bounds; each bound counts for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether the target is met; `None` without a target or a value.
    pub met: Option<bool>,
    /// Whether the warning's bound is reached.
    pub warning: bool,
    /// Whether the critical bound is reached.
    pub critical: bool,
}

/// Judges a value.
pub fn standing(kpi: &Kpi, value: Option<f64>) -> Standing {
    let Some(value) = value.filter(|v| !v.is_nan()) else { return Standing::default() };
    Standing {
        met: kpi.target.as_ref().map(|b| b.holds(value)),
        warning: kpi.warning.as_ref().is_some_and(|b| b.holds(value)),
        critical: kpi.critical.as_ref().is_some_and(|b| b.holds(value)),
    }
}

/// What is wrong with the measures of a plan, at their places.
pub fn check(plan: &Plan, loaded: &Loaded) -> Vec<Diagnostic> {
    let wrong = plan.kpis.iter().filter_map(|(name, kpi)| {
        let error = Query::parse(&with_range(&kpi.measure, SAME_LENGTH)).err()?;
        let node = loaded.node(&format!("kpis.{name}.measure"))?;
        let range = error.span.range();
        let span = within(&loaded.sources, node, range.start, range.end);
        let message = format!("the measure of `{name}` cannot be asked: {}", error.message);
        let es = format!("la medida de `{name}` no se puede preguntar: {}", error.message);
        let help = "a measure is PromQL that gives one number; [period] stands for the time since the period began";
        let ayuda = "una medida es PromQL que da un número; [period] es el tiempo desde que comenzó el período";
        let place = loaded.sources.place(span);
        Some(Diagnostic::error("measure", place, message).help(help).es(es, Some(ayuda.to_owned())))
    });
    wrong.collect()
}

#[cfg(test)]
mod tests;
