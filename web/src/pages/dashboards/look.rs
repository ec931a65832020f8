//! A dashboard as somebody looks at it: range, variables, addresses. I/O: values of labels from the series store.

use std::collections::HashMap;
use std::sync::Arc;

use decide::dashboards::marks::newest;
use decide::dashboards::{Moment, Selection, asked, choose};
use decide_promql::{Control, ExprKind, Limits, Query, Value, evaluate_cancellable, parse};
use jiff::tz::TimeZone;
use kernel::series::{Select, SeriesReader};
use kernel::{Duration, Language, Timestamp};
use plan_model::Plan;
use plan_model::dashboard::expand::{Chosen, expand, expand_for_people, percent_encoded};
use plan_model::dashboard::layout::place;
use plan_model::dashboard::variable::{Variable, VariableKind};
use plan_model::dashboard::{Dashboard, Link, Panel, PanelKind};

use super::Pairs;
use super::marks::Marks;
use super::shown::Scope;
use crate::answer::Failure;
use crate::app::App;
use crate::limits::{CHART_POINTS, PANEL_TIME};
use crate::live::SeenSeries;
use crate::pages::frame::{Frame, Nav};
use crate::pages::visit::Visit;

/// Points of the narrowest chart.
const LEAST_POINTS: usize = 80;
/// Rows of the grid that a panel takes which is shown alone: most of a screen.
pub(super) const ALONE_ROWS: u32 = 16;
/// Pixels of a row of the grid with the gap below it, and of what a panel has around its content.
const ROW_PX: u32 = 38;
const AROUND_PX: u32 = 58;
/// Longest range: what PromQL's times can bear, and more than anything is kept.
const LONGEST_RANGE_MS: i64 = 20 * 365 * 86_400_000;

/// A dashboard under somebody's eyes.
pub(crate) struct Sight {
    pub(crate) plan: Arc<Plan>,
    pub(crate) system: String,
    pub(crate) id: String,
    pub(crate) language: Language,
    pub(crate) zone: TimeZone,
    pub(crate) reader: Arc<dyn SeriesReader>,
    /// First and last moment.
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) now: Timestamp,
    /// The range counted back from now, as it stands in the address; `None` where both ends are given.
    pub(crate) range: Option<Duration>,
    pub(crate) selections: HashMap<String, Selection>,
    /// What happened in the range.
    pub(crate) marks: Arc<Marks>,
    pub(super) pairs: Pairs,
    sample_ms: i64,
}

impl Sight {
    pub(crate) async fn new(
        app: &App,
        visit: &Visit,
        plan: Arc<Plan>,
        (system, id): (String, String),
        pairs: Pairs,
        only: Option<usize>,
    ) -> Result<Self, Failure> {
        let reader = SeenSeries::of_system(app.series.clone(), &app.live, &visit.access, &system);
        let reader: Arc<dyn SeriesReader> = Arc::new(reader.map_err(|e| Failure::internal("read series", e))?);
        let apart =
            |d: Option<Duration>| i64::try_from(d.unwrap_or(Duration::from_secs(15)).as_millis()).unwrap_or(15_000);
        let sample_ms = apart(plan.defaults.scrape_every).max(apart(plan.defaults.host_every));
        let (now, zone) = (app.clock.now(), zone(app, visit, &system));
        let mut sight = Self {
            language: visit.language,
            selections: HashMap::new(),
            marks: Arc::default(),
            range: None,
            from: now,
            to: now,
            plan,
            system,
            id,
            zone,
            reader,
            now,
            pairs,
            sample_ms,
        };
        sight.read_range();
        let events = match only.is_none_or(|number| sight.has_marks(number)) && !sight.hides_marks() {
            true => super::marks::events(app, &visit.access, &sight).await?,
            false => Vec::new(),
        };
        let asks_marks =
            !sight.hides_marks() && only.map_or(!sight.dashboard().annotations.is_empty(), |n| sight.has_marks(n));
        if sight.dashboard().variables.is_empty() && !asks_marks && events.is_empty() {
            return Ok(sight);
        }
        // Without their values a dashboard is still a dashboard: those that take too long have none.
        let asked = Arc::new(sight);
        let for_work = asked.clone();
        let work = move |control: &dyn Control| {
            let mut sight = for_work.for_work();
            sight.selections = sight.choose(control);
            let marks = if asks_marks { sight.annotations(control) } else { Marks::default() };
            (sight.selections, marks)
        };
        let (selections, mut marks) = app.gates.queries.timed(PANEL_TIME, work).await.unwrap_or_default();
        marks.all.extend(events);
        marks.all = newest(marks.all);
        let sight = Arc::try_unwrap(asked).unwrap_or_else(|shared| shared.for_work());
        Ok(Self { selections, marks: Arc::new(marks), ..sight })
    }

    /// Whether a panel shows marks.
    fn has_marks(&self, number: usize) -> bool {
        let dashboard = self.dashboard();
        let has = !dashboard.annotations.is_empty() || !dashboard.events.is_empty();
        has && dashboard.all_panels().nth(number).is_some_and(|(_, p)| p.kind == PanelKind::TimeSeries)
    }

    /// Whether whoever looks does not want to see them.
    pub(super) fn hides_marks(&self) -> bool {
        self.value("marks") == Some("0")
    }

    /// What the address says a repeated panel stands for.
    pub(crate) fn asked_scope(&self, number: usize) -> Scope {
        let (mut first, mut out) = (0, Scope::default());
        for (_, row, panels) in self.dashboard().groups() {
            if let Some(panel) = number.checked_sub(first).and_then(|i| panels.get(i)) {
                let value = |key: &str| self.value(key).map(str::to_owned);
                out.row = row.and_then(|r| r.repeat.clone()).zip(value("row"));
                out.panel = panel.repeat.clone().zip(value("repeat"));
            }
            first += panels.len();
        }
        out
    }

    /// The same, with single values where something is repeated. Values that are not chosen are not shown.
    pub(crate) fn scoped(&self, scope: &Scope) -> Self {
        let mut out = self.for_work();
        for (name, value) in scope.values() {
            let Some(selection) = out.selections.get_mut(name) else { continue };
            let chosen = &mut selection.chosen;
            let at = chosen.values.iter().position(|v| v == value);
            let label = at.and_then(|i| chosen.labels.get(i).cloned()).unwrap_or_else(|| value.clone());
            chosen.values = at.map(|_| value.clone()).into_iter().collect();
            (chosen.labels, chosen.all_value) = (vec![label], None);
            selection.is_all = false;
        }
        out
    }

    /// The same, to be shared with work.
    pub(super) fn for_work(&self) -> Self {
        Self {
            plan: self.plan.clone(),
            system: self.system.clone(),
            id: self.id.clone(),
            zone: self.zone.clone(),
            reader: self.reader.clone(),
            selections: self.selections.clone(),
            marks: self.marks.clone(),
            pairs: self.pairs.clone(),
            ..*self
        }
    }

    /// The dashboard; its presence was looked at before.
    pub(crate) fn dashboard(&self) -> &Dashboard {
        static NONE: std::sync::OnceLock<Dashboard> = std::sync::OnceLock::new();
        self.plan.dashboards.get(&self.id).unwrap_or_else(|| NONE.get_or_init(Dashboard::default))
    }

    /// A value of the address.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    fn read_range(&mut self) {
        let usual = self.dashboard().usual_range();
        let asked = self.value("range").and_then(|r| r.parse::<Duration>().ok()).filter(|d| *d > Duration::ZERO);
        let ends = self
            .value("from")
            .and_then(|t| time_of(t, &self.zone))
            .zip(self.value("to").and_then(|t| time_of(t, &self.zone)));
        let longest = |d: Duration| Duration::from_millis(d.as_millis().min(LONGEST_RANGE_MS.unsigned_abs()));
        match (asked, ends) {
            (None, Some((from, to))) if from < to && to.as_millis() - from.as_millis() <= LONGEST_RANGE_MS => {
                (self.from, self.to, self.range) = (from, to, None);
            }
            _ => {
                let range = longest(asked.unwrap_or(usual));
                (self.from, self.to, self.range) = (self.now - range.std(), self.now, Some(range));
            }
        }
    }

    /// Seconds between two refreshes; 0 for never. What lies in the past does not change.
    pub(crate) fn refresh(&self) -> u64 {
        let asked = self.value("refresh").and_then(|r| r.parse::<Duration>().ok());
        let every = asked.or_else(|| self.dashboard().refresh_every()).unwrap_or(Duration::ZERO);
        let fastest = plan_model::dashboard::FASTEST_REFRESH;
        match every {
            Duration::ZERO => 0,
            _ if self.range.is_none() => 0,
            every => every.max(fastest).as_millis() / 1_000,
        }
    }

    /// What a panel of so many columns is asked for.
    pub(super) fn moment(&self, columns: u32) -> Moment {
        let points = (CHART_POINTS * columns as usize / 24).max(LEAST_POINTS);
        // Closer than samples are, there is nothing new.
        Moment::new(self.from, self.to, points, self.sample_ms.min(15_000), self.sample_ms)
    }

    /// The room of a panel's content, CSS pixels.
    pub(super) fn height(&self, number: usize, panel: &Panel) -> u32 {
        let heights = self.dashboard().groups().flat_map(|(_, _, panels)| place(panels));
        let rows = heights.map(|cell| cell.h).nth(number).unwrap_or(panel.rows_high());
        let title = if panel.title.is_empty() { 0 } else { AROUND_PX };
        (rows * ROW_PX).saturating_sub(title.max(28)).max(60)
    }

    /// What stands for a variable.
    pub(super) fn chosen(&self, name: &str, moment: Moment) -> Option<Chosen> {
        let own = self.selections.get(name).map(|s| s.chosen.clone());
        own.or_else(|| moment.built_in(name, &self.id))
    }

    /// A text for people with its variables put in.
    pub(crate) fn for_people(&self, text: &str) -> String {
        let moment = self.moment(24);
        expand_for_people(text, &|name| self.chosen(name, moment))
    }

    /// What was asked for of each variable, and what there is; those before may stand in those after.
    fn choose(&self, control: &dyn Control) -> HashMap<String, Selection> {
        let moment = self.moment(24);
        let mut out: HashMap<String, Selection> = HashMap::new();
        for (name, variable) in &self.dashboard().variables {
            let chosen = |n: &str| out.get(n).map(|s| s.chosen.clone()).or_else(|| moment.built_in(n, &self.id));
            let found = match variable.kinds().first() {
                Some(VariableKind::Label(label, query)) => {
                    let query = query.map(|q| expand(q, &chosen).text);
                    self.values(label, query.as_deref(), moment, control)
                }
                _ => Vec::new(),
            };
            let selection = choose(variable, &asked(&self.pairs, name), found);
            out.insert(name.clone(), selection);
        }
        out
    }

    /// Values of a label. What cannot be asked for has none.
    fn values(&self, label: &str, query: Option<&str>, moment: Moment, control: &dyn Control) -> Vec<String> {
        let range = |matchers| Select { matchers, start_ms: moment.start_ms, end_ms: moment.end_ms };
        let Some(query) = query else {
            return self.reader.label_values(label, &range(Vec::new())).unwrap_or_default();
        };
        let Ok(expr) = parse(query) else { return Vec::new() };
        if let ExprKind::Selector(selector) = &expr.kind {
            return self.reader.label_values(label, &range(selector.matchers.clone())).unwrap_or_default();
        }
        let found =
            evaluate_cancellable(&Query::instant(&expr, moment.to_ms), &*self.reader, &Limits::default(), control);
        match found.map(|f| f.value) {
            Ok(Value::Vector(all)) => all.iter().filter_map(|s| s.labels.get(label).map(str::to_owned)).collect(),
            _ => Vec::new(),
        }
    }

    /// The first query of a panel in Explore, over the same range.
    pub(super) fn explore(&self, panel: &Panel) -> Option<String> {
        let moment = self.moment(24);
        let queries = panel.all_queries();
        let expressions: Vec<String> = queries
            .iter()
            .filter(|q| !q.hidden)
            .map(|q| format!("q={}", percent_encoded(&expand(&q.query, &|n| self.chosen(n, moment)).text)))
            .collect();
        let when = match self.range {
            Some(range) => format!("range={}", percent_encoded(&range.to_string())),
            None => format!("from={}&to={}", seconds(self.from), seconds(self.to)),
        };
        (!expressions.is_empty()).then(|| format!("/explore?{}&{when}", expressions.join("&")))
    }

    /// Links with their variables put in.
    pub(super) fn links(&self, links: &[Link]) -> Vec<Link> {
        let moment = self.moment(24);
        let encoded = |name: &str| {
            let mut chosen = self.chosen(name, moment)?;
            chosen.values = chosen.values.iter().map(|v| percent_encoded(v)).collect();
            Some(Chosen { labels: chosen.values.clone(), ..chosen })
        };
        let put = |link: &Link| Link {
            title: self.for_people(&link.title),
            url: plan_model::dashboard::expand::expand_for_people(&link.url, &encoded),
        };
        links.iter().map(put).collect()
    }

    /// The dashboard's variables in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&String, &Variable)> {
        self.dashboard().variables.iter().filter(|(_, v)| !v.hidden)
    }
}

/// Seconds since 1970, as addresses have them.
pub(super) fn seconds(at: Timestamp) -> String {
    format!("{}", at.as_millis() as f64 / 1_000.0)
}

/// The zone of a system's times, as its pages show them.
fn zone(app: &App, visit: &Visit, system: &str) -> TimeZone {
    Frame::new(app, visit, Nav::Dashboards, "").about(app, system).zone
}

/// A moment as an address has it: seconds since 1970, or a date with a time as browsers' fields write it, in a zone.
fn time_of(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<f64>() {
        let ms = seconds * 1_000.0;
        return (ms.is_finite() && (0.0..2.5e14).contains(&ms)).then(|| Timestamp::from_millis(ms as i64));
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    let at = zone.to_zoned(local).ok()?.timestamp();
    Some(Timestamp::from_millis(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_browsers_write_them() {
        let lima = TimeZone::get("America/Lima").unwrap();
        let check = |text: &str, expect: Option<i64>| {
            assert_eq!(time_of(text, &lima).map(|t| t.as_millis()), expect, "{text}");
        };
        check("1770120005.5", Some(1_770_120_005_500));
        check("2026-02-03T07:00", Some(1_770_120_000_000));
        check("tomorrow", None);
        check("1e99", None);
        check("NaN", None);
        check("-5", None);
    }
}
