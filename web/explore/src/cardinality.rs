//! What makes series many: metrics, labels, pairs, churn, blocks. I/O: the store's facts, series.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;

use askama::Template;
use kernel::Labels;
use kernel::series::{BlockFacts, Cardinality as Facts, Counted, MatchOp, Matcher, Select, SeriesError};
use web_prometheus::{Api, Asking};

use crate::format::{bytes, date_time, number};
use crate::limits::{CARDINALITY_TOP, CHURN_SERIES};
use crate::text::{Cardinality, Common};
use crate::{Body, Site, explore_link};

/// How far back churn is counted, milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// A series without a sample for so long is over: the lookback of queries.
const ALIVE_MS: i64 = 300_000;

/// A row of a list: name, link, figure, its share in percent of the largest.
struct Row {
    name: String,
    link: Option<String>,
    figure: String,
    width: u32,
}

/// A list with its heads.
struct List {
    title: &'static str,
    name: &'static str,
    figure: &'static str,
    rows: Vec<Row>,
}

/// Churn of a metric.
struct Churned {
    name: String,
    link: String,
    labels: usize,
    seen: String,
    alive: String,
    made: String,
    ended: String,
    /// Samples a minute.
    samples: String,
}

struct Block {
    name: String,
    range: String,
    series: String,
    samples: String,
    size: String,
    per_sample: String,
    level: u32,
}

#[derive(Template)]
#[template(path = "cardinality.html")]
struct Page {
    c: &'static Common,
    t: &'static Cardinality,
    figures: Vec<(&'static str, String)>,
    lists: Vec<List>,
    churn: Option<Vec<Churned>>,
    systems: List,
    samples: List,
    blocks: Vec<Block>,
    known: bool,
    empty: bool,
    error: Option<String>,
}

/// Series by their metric, in the last hour.
#[derive(Default)]
struct Churn {
    metrics: BTreeMap<String, Counts>,
    systems: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    seen: u64,
    alive: u64,
    made: u64,
    labels: usize,
    /// Samples of the last five minutes.
    samples: u64,
}

impl Counts {
    fn samples_a_minute(&self) -> f64 {
        self.samples as f64 * 60_000.0 / ALIVE_MS as f64
    }
}

/// `GET /cardinality`: for those who may see everything, as it tells of all series together.
pub async fn page(site: &Site, api: &Api) -> Body {
    let (c, t) = (&site.text().common, &site.text().cardinality);
    let store = api.store();
    let known = store.is_some();
    let now = site.now.as_millis();
    let work = api.work(move |asking| {
        let Some(store) = store else { return Ok((Facts::default(), Vec::new(), None)) };
        let facts = store.cardinality(CARDINALITY_TOP);
        let churn = if facts.series <= CHURN_SERIES { Some(churn(asking, now)?) } else { None };
        Ok((facts, store.blocks(), churn))
    });
    let (facts, blocks, churn, error) = match work.await {
        Ok((facts, blocks, churn)) => (facts, blocks, churn, None),
        Err(error) => (Facts::default(), Vec::new(), None, Some(site.said(error.message()).into_owned())),
    };
    let at = |ms: Option<i64>| {
        ms.map_or_else(|| "–".to_owned(), |ms| date_time(site.language, kernel::Timestamp::from_millis(ms), &site.zone))
    };
    let figures = vec![
        (t.series, site.count(facts.series)),
        (t.pairs, site.count(facts.label_pairs)),
        (t.groups, site.count(facts.groups)),
        (t.oldest, at(facts.min_ms)),
        (t.newest, at(facts.max_ms)),
    ];
    let systems = churn.as_ref().map(|c| systems(site, c)).unwrap_or_default();
    let samples = churn.as_ref().map(|c| samples(site, c)).unwrap_or_default();
    let page = Page {
        c,
        t,
        figures,
        lists: lists(site, &facts),
        churn: churn.as_ref().map(|c| churned(site, c)),
        systems: List { title: t.by_system, name: t.system, figure: t.n_series, rows: systems },
        samples: List { title: t.by_samples, name: t.metric, figure: t.samples_a_minute, rows: samples },
        blocks: blocks.iter().rev().map(|b| block(site, b)).collect(),
        known,
        empty: known && facts.series == 0 && blocks.is_empty(),
        error,
    };
    site.body(c.cardinality, &page)
}

/// Reads label sets of the last hour, of now, and of an hour ago.
fn churn(asking: &Asking, now: i64) -> Result<Churn, SeriesError> {
    let within = |start_ms: i64, end_ms: i64| {
        // Everything has a name.
        let any = Matcher::new(kernel::labels::METRIC_NAME, MatchOp::NotEqual, "");
        let any = any.map_err(|e| SeriesError::Storage(e.to_string()))?;
        Ok::<_, SeriesError>(Select { matchers: vec![any], start_ms, end_ms })
    };
    let before = asking.reader.series(&within(now - HOUR_MS - ALIVE_MS, now - HOUR_MS)?)?;
    let before: HashSet<u64> = before.iter().map(Labels::fingerprint).collect();
    let (mut out, mut names): (Churn, BTreeMap<String, BTreeSet<String>>) = Default::default();
    let mut alive = HashSet::new();
    asking.reader.visit(&within(now - ALIVE_MS, now)?, &mut |series| {
        alive.insert(series.labels.fingerprint());
        let counts = out.metrics.entry(series.labels.name().to_owned()).or_default();
        counts.samples += series.timestamps.len() as u64;
        ControlFlow::Continue(())
    })?;
    for labels in asking.reader.series(&within(now - HOUR_MS, now)?)? {
        let print = labels.fingerprint();
        let counts = out.metrics.entry(labels.name().to_owned()).or_default();
        counts.seen += 1;
        counts.alive += u64::from(alive.contains(&print));
        counts.made += u64::from(!before.contains(&print));
        let known = names.entry(labels.name().to_owned()).or_default();
        for (name, _) in labels.iter().filter(|(n, _)| *n != kernel::labels::METRIC_NAME) {
            if !known.contains(name) {
                known.insert(name.to_owned());
            }
        }
        let system = labels.get("system").or(labels.get("job")).unwrap_or_default().to_owned();
        *out.systems.entry(system).or_default() += 1;
    }
    for (name, labels) in names {
        if let Some(counts) = out.metrics.get_mut(&name) {
            counts.labels = labels.len();
        }
    }
    Ok(out)
}

fn churned(site: &Site, churn: &Churn) -> Vec<Churned> {
    let mut all: Vec<(&String, &Counts)> = churn.metrics.iter().collect();
    all.sort_by_key(|(name, c)| {
        (std::cmp::Reverse(c.made + c.seen.saturating_sub(c.alive)), std::cmp::Reverse(c.seen), *name)
    });
    let one = |(name, c): (&String, &Counts)| Churned {
        link: explore_link(&selector(name)),
        name: name.clone(),
        labels: c.labels,
        seen: site.count(c.seen),
        alive: site.count(c.alive),
        made: site.count(c.made),
        ended: site.count(c.seen.saturating_sub(c.alive)),
        samples: number(site.language, c.samples_a_minute(), 0),
    };
    all.into_iter().take(CARDINALITY_TOP).map(one).collect()
}

/// Metrics that are written most often, in samples a minute.
fn samples(site: &Site, churn: &Churn) -> Vec<Row> {
    let all = churn.metrics.iter().map(|(name, c)| (name, c.samples_a_minute().round() as u64));
    let mut all: Vec<Counted> = all.map(|(name, count)| Counted { name: name.clone(), count }).collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    all.retain(|c| c.count > 0);
    all.truncate(CARDINALITY_TOP);
    let each_minute = |name: &str| explore_link(&format!("60 / 300 * sum(count_over_time({}[5m]))", selector(name)));
    rows(&all, |n| site.count(n), |name| Some(each_minute(name)))
}

fn systems(site: &Site, churn: &Churn) -> Vec<Row> {
    let t = &site.text().cardinality;
    let mut all: Vec<Counted> =
        churn.systems.iter().map(|(name, count)| Counted { name: name.clone(), count: *count }).collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    all.truncate(CARDINALITY_TOP);
    let mut rows = rows(&all, |n| site.count(n), |_| None);
    rows.iter_mut().filter(|r| r.name.is_empty()).for_each(|r| t.no_system.clone_into(&mut r.name));
    rows
}

fn lists(site: &Site, facts: &Facts) -> Vec<List> {
    let t = &site.text().cardinality;
    let count = |n: u64| site.count(n);
    let size = |n: u64| bytes(site.language, n as f64);
    let metric = |name: &str| Some(explore_link(&selector(name)));
    let label =
        |name: &str| Some(explore_link(&format!("topk(20, count by ({}) ({{{}!=\"\"}}))", label(name), label(name))));
    let pair = |text: &str| {
        let (name, value) = text.split_once('=')?;
        Some(explore_link(&format!("topk(20, count by (__name__) ({{{}=\"{}\"}}))", self::label(name), quoted(value))))
    };
    vec![
        List {
            title: t.by_metric,
            name: t.metric,
            figure: t.n_series,
            rows: rows(&facts.series_by_metric, count, metric),
        },
        List { title: t.by_label, name: t.label, figure: t.values, rows: rows(&facts.values_by_label, count, label) },
        List { title: t.by_pair, name: t.pair, figure: t.n_series, rows: rows(&facts.series_by_pair, count, pair) },
        List { title: t.by_bytes, name: t.label, figure: t.bytes, rows: rows(&facts.bytes_by_label, size, label) },
    ]
}

fn rows(all: &[Counted], figure: impl Fn(u64) -> String, link: impl Fn(&str) -> Option<String>) -> Vec<Row> {
    let most = all.iter().map(|c| c.count).max().unwrap_or(1).max(1);
    let row = |c: &Counted| Row {
        name: c.name.clone(),
        link: link(&c.name),
        figure: figure(c.count),
        width: u32::try_from(c.count * 100 / most).unwrap_or(100).max(1),
    };
    all.iter().map(row).collect()
}

fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn is_plain(name: &str, extra: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || c == '_' || extra.contains(c);
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(sign)
}

/// A metric as an expression, quoted where its name needs it.
fn selector(name: &str) -> String {
    if is_plain(name, ":") { name.to_owned() } else { format!("{{\"{}\"}}", quoted(name)) }
}

fn label(name: &str) -> String {
    if is_plain(name, "") { name.to_owned() } else { format!("\"{}\"", quoted(name)) }
}

fn block(site: &Site, b: &BlockFacts) -> Block {
    let at = |ms: i64| date_time(site.language, kernel::Timestamp::from_millis(ms), &site.zone);
    let per_sample = b.bytes as f64 / b.samples.max(1) as f64;
    Block {
        name: b.name.clone(),
        range: format!("{} – {}", at(b.min_ms), at(b.max_ms)),
        series: site.count(b.series),
        samples: site.count(b.samples),
        size: bytes(site.language, b.bytes as f64),
        per_sample: number(site.language, per_sample, 2),
        level: b.level,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_expressions_that_can_be_read() {
        for name in ["up", "job:x:rate5m", "with space", "quo\"te", "back\\slash", "1digit", "ñandú"] {
            let text = selector(name);
            let expr = decide_promql::parse(&text).unwrap();
            assert_eq!(crate::unit::metric(&expr), Some(name), "{text}");
            let by = format!("count by ({}) ({{{}!=\"\"}})", label(name), label(name));
            assert!(decide_promql::parse(&by).is_ok() || name.contains(':'), "{by}");
        }
    }
}
