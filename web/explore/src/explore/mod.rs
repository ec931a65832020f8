//! Explore: expressions, their charts and tables. I/O: series.

mod request;
mod result;
mod table;

use askama::Template;
use decide_promql::{AnnotationKind, Expr, ExprKind, MatrixSeries};
use web_prometheus::Api;

use crate::chart::{Buckets, Heatmap, LINES_DRAWN, Line, TimeSeries, Unit};
use crate::functions::words;
use crate::text::{Common, Explore};
use crate::times::{RANGES, local};
use crate::{Body, Site, unit};
use request::{Entry, Request, View, letter};
use result::{Outcome, evaluate, unit_of};

#[cfg(test)]
pub(crate) use request::tests::site as test_site;
pub(crate) use table::labels_html;

/// What a new page offers: expression, and what it shows.
const EXAMPLES: [(&str, usize); 3] =
    [("up", 0), ("topk(10, count by (__name__) ({__name__!=\"\"}))", 1), ("topk(10, scrape_duration_seconds)", 2)];

/// An expression with what became of it.
struct Row {
    letter: char,
    number: usize,
    entry: Entry,
    lines: usize,
    error: Option<String>,
    remarks: Vec<(bool, String)>,
    stats: Option<String>,
    table: Option<String>,
}

#[derive(Template)]
#[template(path = "explore.html")]
struct Page {
    c: &'static Common,
    t: &'static Explore,
    rows: Vec<Row>,
    remarks: Vec<&'static str>,
    ranges: Vec<(&'static str, bool)>,
    other_range: Option<String>,
    exact: bool,
    from: String,
    to: String,
    step: String,
    step_in_use: String,
    view: View,
    views: Vec<(&'static str, String, bool)>,
    share: Option<String>,
    chart: Option<String>,
    hints: Vec<(&'static str, &'static str, String)>,
    examples: Vec<(&'static str, &'static str, String)>,
    words: String,
}

/// `GET /explore`
pub async fn page(site: &Site, api: &Api, query: &str) -> Body {
    let request = Request::read(query, site);
    let outcomes = evaluate(site, api, &request).await;
    let (t, c) = (&site.text().explore, &site.text().common);
    let (chart, hints) = match request.view.has_chart() && outcomes.iter().any(|o| o.error.is_none()) {
        true => chart(site, &request, &outcomes),
        false => (None, Vec::new()),
    };
    let asked = !outcomes.is_empty();
    let names = [t.view_both, t.view_graph, t.view_table, t.view_heat];
    let view = |(v, name): (View, &'static str)| (name, request.with_view(v), request.view == v);
    let helps = [t.begin_up, t.begin_many, t.begin_slow];
    let examples = EXAMPLES.into_iter().map(|(e, i)| (e, helps[i], crate::explore_link(e)));
    let range = request.window.range.clone();
    let page = Page {
        c,
        t,
        remarks: request.remarks.clone(),
        ranges: RANGES.into_iter().map(|(name, _)| (name, range.as_deref() == Some(name))).collect(),
        other_range: range.clone().filter(|r| RANGES.iter().all(|(name, _)| name != r)),
        exact: range.is_none(),
        from: if range.is_none() { local(request.window.start_ms, &site.zone) } else { String::new() },
        to: if range.is_none() { local(request.window.end_ms, &site.zone) } else { String::new() },
        step: request.step_ms.map(readable).unwrap_or_default(),
        step_in_use: readable(request.step()),
        view: request.view,
        views: View::ALL.into_iter().zip(names).map(view).collect(),
        share: asked.then(|| request.address(true)),
        chart,
        hints,
        examples: if asked { Vec::new() } else { examples.collect() },
        words: serde_json::to_string(&words(site.language)).unwrap_or_default(),
        rows: rows(site, &request, outcomes),
    };
    site.body(c.explore, &page)
}

/// A step as people write it.
fn readable(ms: i64) -> String {
    match ms {
        ms if ms % 86_400_000 == 0 => format!("{}d", ms / 86_400_000),
        ms if ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

fn rows(site: &Site, request: &Request, outcomes: Vec<Outcome>) -> Vec<Row> {
    let row = |(i, entry): (usize, &Entry)| Row {
        letter: letter(i),
        number: i + 1,
        lines: entry.text.lines().count().clamp(1, 12),
        entry: entry.clone(),
        error: None,
        remarks: Vec::new(),
        stats: None,
        table: None,
    };
    let mut rows: Vec<Row> = request.entries.iter().enumerate().map(row).collect();
    for outcome in outcomes {
        let Some(row) = rows.get_mut(outcome.place) else { continue };
        if outcome.error.is_none() {
            row.stats = Some(stats(site, &outcome));
        }
        let unit = outcome.expr.as_ref().map(unit::of).unwrap_or_default();
        let observed = outcome.expr.as_ref().map(observed).unwrap_or_default();
        row.table = outcome.at_end.as_ref().map(|value| table::table(site, value, &unit, &observed));
        let is_warning = |kind: AnnotationKind| kind == AnnotationKind::Warning;
        row.remarks = outcome.remarks.into_iter().map(|(kind, text)| (is_warning(kind), text)).collect();
        row.error = outcome.error;
    }
    rows
}

/// `12 series · 3,400 samples read · 8 ms`
fn stats(site: &Site, outcome: &Outcome) -> String {
    let t = &site.text().explore;
    let (series, samples) = (site.count(outcome.series() as u64), site.count(outcome.samples));
    let word = if outcome.series() == 1 { t.one_series } else { t.series };
    format!("{series} {word} · {samples} {} · {}", t.samples, site.took(outcome.took))
}

type Hints = Vec<(&'static str, &'static str, String)>;

/// The chart of all results, and what else might be looked at.
fn chart(site: &Site, request: &Request, outcomes: &[Outcome]) -> (Option<String>, Hints) {
    let t = &site.text().explore;
    let drawn: Vec<&Outcome> = outcomes.iter().filter(|o| o.over_time.is_some()).collect();
    let notice = |text: &str| format!("<p class=\"empty\">{text}</p>");
    if drawn.is_empty() {
        return (Some(notice(t.no_numbers)), Vec::new());
    }
    let bucketed: Vec<&&Outcome> = drawn.iter().filter(|o| buckets(o).is_some()).collect();
    let mut hints = Vec::new();
    if let (View::Both | View::Graph, Some(_)) = (request.view, bucketed.first()) {
        hints.push((t.has_buckets, t.show_heat, request.with_view(View::Heat)));
    }
    if request.view == View::Heat {
        for outcome in &bucketed {
            hints.extend(counter_hint(site, request, outcome));
        }
        let maps: String = bucketed.iter().filter_map(|o| heat_map(site, request, o)).collect();
        return (Some(if maps.is_empty() { notice(t.no_buckets) } else { maps }), hints);
    }
    let only_histograms =
        drawn.iter().all(|o| series(o).iter().all(|s| s.samples.is_empty() && !s.histograms.is_empty()));
    if only_histograms && !bucketed.is_empty() {
        return (Some(bucketed.iter().filter_map(|o| heat_map(site, request, o)).collect()), Vec::new());
    }
    (Some(lines(site, request, outcomes, &drawn)), hints)
}

fn series(outcome: &Outcome) -> &[MatrixSeries] {
    outcome.over_time.as_deref().unwrap_or_default()
}

/// The lines of all results in one chart.
fn lines(site: &Site, request: &Request, outcomes: &[Outcome], drawn: &[&Outcome]) -> String {
    let several = outcomes.len() > 1;
    let mut lines = Vec::new();
    let mut all = 0;
    for outcome in drawn {
        all += series(outcome).len();
        for one in series(outcome).iter().take(LINES_DRAWN.saturating_sub(lines.len())) {
            let name = match one.labels.is_empty() {
                true => outcome.expr.as_ref().map(ToString::to_string).unwrap_or_default(),
                false => one.labels.to_string(),
            };
            let name = if several { format!("{}: {name}", letter(outcome.place)) } else { name };
            // Of native histograms beside numbers the mean is drawn.
            lines.push(Line::of(name, one, |h| if h.count > 0.0 { h.sum / h.count } else { f64::NAN }));
        }
    }
    let window = &request.window;
    let chart = TimeSeries {
        title: request.active().map(|(_, text)| text).collect::<Vec<_>>().join("; "),
        unit: unit_of(outcomes),
        lines_in_all: all,
        height: 300,
        zoom: true,
        numbers: true,
        ..TimeSeries::new(lines, window.start_ms, window.end_ms, request.step())
    };
    chart.render(&site.look())
}

/// What the histograms of an expression observed, whatever is done to them.
fn observed(expr: &Expr) -> Unit {
    unit::metric(expr).map_or(Unit::Short, |name| Unit::guess(name, false))
}

/// The buckets of a result, when it has any.
fn buckets(outcome: &Outcome) -> Option<Buckets> {
    Buckets::native(series(outcome)).or_else(|| Buckets::classic(series(outcome)))
}

fn heat_map(site: &Site, request: &Request, outcome: &Outcome) -> Option<String> {
    let expr = outcome.expr.as_ref()?;
    let window = &request.window;
    let map = Heatmap {
        title: expr.to_string(),
        unit: observed(expr),
        zoom: true,
        ..Heatmap::new(buckets(outcome)?, window.start_ms, window.end_ms, request.step())
    };
    Some(map.render(&site.look()))
}

/// Where buckets are shown as they were counted, what would show how many come at a time.
fn counter_hint(site: &Site, request: &Request, outcome: &Outcome) -> Option<(&'static str, &'static str, String)> {
    let t = &site.text().explore;
    let expr = outcome.expr.as_ref()?;
    let ExprKind::Selector(_) = expr.unwrapped().kind else { return None };
    let range = readable(request.step().max(60_000) * 4);
    let classic = Buckets::native(series(outcome)).is_none();
    let rate = format!("rate({}[{range}])", expr.unwrapped());
    let text = if classic { format!("sum by (le) ({rate})") } else { format!("sum({rate})") };
    Some((t.counter, t.with_rate, request.with_text(outcome.place, &text, View::Heat)))
}
