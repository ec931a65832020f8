//! The loop that measures success: each measure of a plan over the periods that go on and those that are over. I/O by the store.
//!
//! Invariant: what is told for a period that goes on is recorded as `kpi_value`, so that a period whose samples are gone by
//! retention keeps the last value that was measured in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use decide::kpi::{self, Span};
use decide::rules::OfSystem;
use decide::rules::query::SYSTEM;
use decide_promql::Limits;
use kernel::series::{Matcher, Point, Select, SeriesReader, is_stale};
use kernel::{Labels, Timestamp};
use plan_model::{Kpi, Period};
use web::live::{KpiPeriod, KpiState};

use crate::core::Core;
use crate::kept;
use crate::metrics::rules::write::Recorder;
use crate::system::System;

/// Measures are taken this often at most: over days and months they move slowly.
const EVERY: Duration = Duration::from_secs(60);

/// After measuring, nothing is measured for this many times as long: a year of samples is much to read, and may not take
/// more than a hundredth of a core.
const REST: u32 = 100;

/// The series that keeps what was measured, with the labels `system`, `kpi` and `period`.
const RECORDED: &str = "kpi_value";

/// Periods that are told beside the one that goes on: enough to see a trend, few enough for a line.
const fn past(period: Period) -> u32 {
    match period {
        Period::Day => 30,
        Period::Week | Period::Month => 12,
        Period::Quarter => 8,
        Period::Year => 3,
    }
}

/// What was measured over periods that are over, by system, measure, its text, and the period's beginning: it does not change.
type Over = HashMap<(String, String, String, Timestamp, Period), Option<f64>>;

/// What is kept from turn to turn.
#[derive(Default)]
pub struct Memory {
    over: Over,
    recorders: HashMap<String, Recorder>,
}

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut memory = Memory::default();
    let mut changed = core.changed();
    loop {
        let (turn, mut kept) = (core.clone(), memory);
        let began = Instant::now();
        memory = match tokio::task::spawn_blocking(move || (measure(&turn, &mut kept), kept).1).await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::error!(%error, "measuring the plans' measures of success broke off");
                Memory::default()
            }
        };
        tokio::select! {
            () = tokio::time::sleep(EVERY.max(began.elapsed() * REST)) => {}
            _ = changed.changed() => {}
        }
    }
}

/// Measures all that the plans ask for, shows it and records it. Blocking.
pub fn measure(core: &Core, memory: &mut Memory) {
    let systems = core.systems();
    memory.over.retain(|(system, ..), _| systems.contains_key(system));
    memory.recorders.retain(|system, _| systems.contains_key(system));
    for (name, system) in systems.iter().filter(|(_, s)| !s.plan.kpis.is_empty()) {
        let now = core.now();
        let mut told = Vec::new();
        for (kpi_name, kpi) in &system.plan.kpis {
            for period in kpi.periods() {
                let one = Measuring { core, system, name: kpi_name, kpi, period: *period, now };
                told.extend(one.state(&mut memory.over));
            }
        }
        record(core, system, memory.recorders.entry(name.clone()).or_default(), &told, now);
        core.live.set_kpis(name, told);
    }
}

/// One measure over one kind of period.
struct Measuring<'a> {
    core: &'a Core,
    system: &'a System,
    name: &'a str,
    kpi: &'a Kpi,
    period: Period,
    now: Timestamp,
}

impl Measuring<'_> {
    fn state(&self, over: &mut Over) -> Option<KpiState> {
        let current = kpi::span(self.period, self.now, 0, &self.system.zone)?;
        let (value, error) = match self.ask(&current) {
            Ok(value) => (value, None),
            Err(error) => (None, Some(error)),
        };
        let mut periods = vec![self.told(&current, value)];
        for back in 1..=past(self.period) {
            let Some(span) = kpi::span(self.period, self.now, back, &self.system.zone) else { break };
            let value = self.of_the_past(&span, over);
            periods.push(self.told(&span, value));
        }
        // Periods before anything was measured say nothing.
        while periods.len() > 1 && periods.last().is_some_and(|p| p.value.is_none()) {
            periods.pop();
        }
        Some(KpiState { name: self.name.to_owned(), period: self.period, periods, error })
    }

    fn told(&self, span: &Span, value: Option<f64>) -> KpiPeriod {
        KpiPeriod { start: span.start, end: span.end, value, standing: kpi::standing(self.kpi, value) }
    }

    fn ask(&self, span: &Span) -> Result<Option<f64>, String> {
        let query = kpi::query(self.kpi, span, self.now)?;
        let reader = OfSystem { all: &*self.core.series, system: &self.system.plan.system };
        let answer = query.ask(span.asked_at(self.now), &reader, &Limits::default())?;
        Ok(answer.numbers().next().map(|(_, value)| value).filter(|v| !v.is_nan()))
    }

    /// A period that is over: the measure over all of it while its samples are kept, else the last value recorded in it, else the measure
    /// over its roll-ups.
    fn of_the_past(&self, span: &Span, over: &mut Over) -> Option<f64> {
        let system = self.system.plan.system.clone();
        let key = (system, self.name.to_owned(), self.kpi.measure.clone(), span.start, self.period);
        if let Some(known) = over.get(&key) {
            return *known;
        }
        let (plan, asked) = (&self.system.plan, || self.ask(span).ok().flatten());
        let value = if kept::has_samples(plan, span.start, self.now) { asked() } else { None };
        let value = value.or_else(|| self.recorded(span));
        // Roll-ups say what nobody recorded: a measure that is new in the plan has a past all the same.
        let value = value.or_else(|| kept::has_rollups(plan, span.start, self.now).then(asked).flatten());
        over.insert(key, value);
        value
    }

    fn recorded(&self, span: &Span) -> Option<f64> {
        let select = Select {
            matchers: vec![
                Matcher::equal(kernel::labels::METRIC_NAME, RECORDED),
                Matcher::equal(SYSTEM, &self.system.plan.system),
                Matcher::equal("kpi", self.name),
                Matcher::equal("period", self.period.as_str()),
            ],
            start_ms: span.start.as_millis(),
            end_ms: span.end.as_millis() - 1,
        };
        let found = self.core.series.select(&select).ok()?;
        let last = |s: &kernel::series::Series| {
            let values = s.values.floats()?;
            let all = s.timestamps.iter().copied().zip(values.iter().copied());
            all.filter(|(_, v)| !is_stale(*v)).max_by_key(|(t, _)| *t)
        };
        found.iter().filter_map(last).max_by_key(|(t, _)| *t).map(|(_, v)| v)
    }
}

fn record(core: &Core, system: &System, recorder: &mut Recorder, told: &[KpiState], now: Timestamp) {
    let name = &system.plan.system;
    let samples = told.iter().filter_map(|k| {
        let labels = [(SYSTEM, name.as_str()), ("kpi", &k.name), ("period", k.period.as_str())];
        Some((Labels::metric(RECORDED, labels), Point::Float(k.periods.first()?.value?)))
    });
    match recorder.put(&format!("kpis {name}"), now.as_millis(), samples, &*core.series) {
        Ok(appended) => core.counters.samples.add(appended.samples),
        Err(error) => core.store_failed("measures of success", &error),
    }
}
