//! Measures of success: each system's scorecard, by periods of the calendar (KPI-01, KPI-13). I/O: HTTP.

use askama::Template;
use axum::extract::State;
use kernel::{Language, Timestamp};
use plan_model::{Kpi, Period};

use super::frame::{Frame, Nav};
use super::view::StateView;
use super::visit::Visit;
use super::{Answer, page};
use crate::app::App;
use crate::format;
use crate::live::{KpiPeriod, KpiState, SystemState};
use crate::text::text;

/// Periods shown at once; the others open on demand.
const SHOWN: usize = 4;

#[derive(Template)]
#[template(path = "kpis.html")]
struct KpisPage {
    f: Frame,
    systems: Vec<(String, String, Vec<Card>)>,
}

/// A measure with all its kinds of periods.
struct Card {
    name: String,
    label: String,
    description: Option<String>,
    source: Option<String>,
    measure: String,
    /// What each bound is called, and the bound.
    bounds: Vec<(&'static str, String)>,
    aimed: bool,
    lines: Vec<Line>,
}

/// One kind of period.
struct Line {
    period: &'static str,
    shown: Vec<Cell>,
    older: Vec<Cell>,
    error: Option<String>,
}

/// One period.
struct Cell {
    name: String,
    value: Option<String>,
    state: Option<StateView>,
    /// How it has changed since the period before.
    change: Option<String>,
}

/// `GET /kpis`
pub(crate) async fn kpis(State(app): State<App>, visit: Visit) -> Answer {
    let language = visit.language;
    let systems = visit.seen(&app).systems(|s| (s.name().to_owned(), s.label().to_owned(), cards(s, language)));
    let f = Frame::new(&app, &visit, Nav::Kpis, text(language).kpis.title).live("view=kpis");
    Ok(page(&KpisPage { f, systems }))
}

fn cards(system: &SystemState, language: Language) -> Vec<Card> {
    let t = &text(language).kpis;
    let card = |(name, kpi): (&String, &Kpi)| {
        let states: Vec<&KpiState> = system.kpis.iter().filter(|k| k.name == *name).collect();
        // What is not told may rest on what is hidden from the reader.
        (!states.is_empty()).then(|| Card {
            name: name.clone(),
            label: kpi.label_or(name).to_owned(),
            description: kpi.description.clone(),
            source: kpi.source.clone(),
            measure: kpi.measure.clone(),
            bounds: [(t.target, &kpi.target), (t.warning, &kpi.warning), (t.critical, &kpi.critical)]
                .into_iter()
                .filter_map(|(word, bound)| Some((word, bound.as_ref()?.text().to_owned())))
                .collect(),
            aimed: kpi.target.is_some() || kpi.warning.is_some() || kpi.critical.is_some(),
            lines: states.iter().map(|s| line(s, kpi, system, language)).collect(),
        })
    };
    system.plan().kpis.iter().filter_map(card).collect()
}

fn line(state: &KpiState, kpi: &Kpi, system: &SystemState, language: Language) -> Line {
    let unit = kpi.unit.as_deref();
    let before = state.periods.iter().skip(1).map(|p| p.value).chain([None]);
    let mut shown: Vec<Cell> = state
        .periods
        .iter()
        .zip(before)
        .map(|(p, before)| Cell {
            name: period_name(state.period, p.start, &system.zone, language),
            value: p.value.map(|v| measured(v, unit, language)),
            state: word(p, language),
            change: p.value.zip(before).and_then(|(now, before)| change(now, before, language)),
        })
        .collect();
    let older = shown.split_off(SHOWN.min(shown.len()));
    let t = &text(language).kpis;
    let period = match state.period {
        Period::Day => t.by_day,
        Period::Week => t.by_week,
        Period::Month => t.by_month,
        Period::Quarter => t.by_quarter,
        Period::Year => t.by_year,
    };
    Line { period, shown, older, error: state.error.clone() }
}

/// The gravest that is true of a value; the target is told beside it by its own word.
fn word(p: &KpiPeriod, language: Language) -> Option<StateView> {
    let t = &text(language).kpis;
    let s = p.standing;
    match (s.critical, s.warning, s.met) {
        (true, _, _) => Some(StateView { class: "down", word: t.is_critical }),
        (_, true, Some(true)) => Some(StateView { class: "slow", word: t.met_with_warning }),
        (_, true, _) => Some(StateView { class: "slow", word: t.is_warning }),
        (_, _, Some(true)) => Some(StateView { class: "up", word: t.met }),
        (_, _, Some(false)) => Some(StateView { class: "slow", word: t.missed }),
        _ => None,
    }
}

/// The change against the period before, in percent of it.
fn change(now: f64, before: f64, language: Language) -> Option<String> {
    let percent = (now / before - 1.0) * 100.0;
    let sign = if percent > 0.0 { "+" } else { "" };
    let told = percent.is_finite() && percent.abs() >= 0.05;
    told.then(|| format!("{sign}{}%", format::number(language, percent, 1)))
}

/// A value with its unit: seconds and shares are written as people do.
pub(crate) fn measured(value: f64, unit: Option<&str>, language: Language) -> String {
    match unit {
        Some("s") => format::millis(language, value * 1_000.0),
        Some("%") => format::percent(language, value * 100.0),
        Some("bytes") => format::bytes(language, value),
        Some(unit) => format!("{} {unit}", format::value(language, value)),
        None => format::value(language, value),
    }
}

fn period_name(period: Period, start: Timestamp, zone: &jiff::tz::TimeZone, language: Language) -> String {
    let z = start.in_zone(zone);
    let day = || format::day(language, start, zone);
    match period {
        Period::Day => day(),
        Period::Week => format!("{} {}", text(language).kpis.week_of, day()),
        Period::Month => format::month_of(language, start, zone),
        Period::Quarter => format!("{}{} {}", language.pick('T', 'Q'), (z.month() - 1) / 3 + 1, z.year()),
        Period::Year => z.year().to_string(),
    }
}
