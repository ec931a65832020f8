//! The store against a naive model: numbers, histograms and start times in any order, rows in pieces, new series, deletes,
//! cuts, joins, copies and restarts. I/O.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use common::{START, labels};
use kernel::series::{
    Batch, Cell, Column, CounterReset, Exemplar, Histogram, Matcher, Point, Select, Series, SeriesAdmin, SeriesReader,
    SeriesRef, SeriesWriter,
};
use kernel::{Labels, Timestamp};
use proptest::prelude::*;
use store_series::{Options, SeriesStore};

const WINDOW_MS: i64 = 3_600_000;
const GROUPS: usize = 3;

/// One cell of a piece of a row.
#[derive(Clone, Debug)]
struct Piece {
    group: usize,
    /// Against the group's newest time.
    gap: i64,
    cells: BTreeMap<usize, (Value, i64)>,
}

#[derive(Clone, Debug)]
enum Value {
    Number(u64),
    Histogram(u32),
}

/// What one step does.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Piece>),
    Cut,
    Flush,
    Maintain,
    Restart,
    Delete(Vec<Matcher>, i64, i64),
    Clean,
    Compact,
    Snapshot,
    Read(Vec<Matcher>, i64, i64),
}

fn series(group: usize, number: usize) -> Labels {
    labels(["probe_success", "probe_duration_seconds", "up"][number % 3], group * 100 + number / 3)
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => Just(1f64.to_bits()),
        1 => Just(0f64.to_bits()),
        1 => Just(kernel::series::stale_nan().to_bits()),
        1 => any::<u64>(),
        2 => (0u32..1_000_000).prop_map(|n| (f64::from(n) / 1e6).to_bits()),
        2 => (0u32..1_000).prop_map(|n| f64::from(n).to_bits()),
    ]
}

fn value() -> impl Strategy<Value = (Value, i64)> {
    let value = prop_oneof![8 => number().prop_map(Value::Number), 1 => (0u32..1_000).prop_map(Value::Histogram)];
    (value, prop_oneof![9 => Just(0i64), 1 => 1i64..4])
}

fn matcher() -> impl Strategy<Value = Matcher> {
    use kernel::series::MatchOp::{Equal, NotEqual, NotRegex, Regex};
    let name = proptest::sample::select(vec!["__name__", "service", "gone"]);
    let op = proptest::sample::select(vec![Equal, NotEqual, Regex, NotRegex]);
    let value = proptest::sample::select(vec!["up", "probe_.*", "s1", "s[01]00", "", ".+"]);
    (name, op, value).prop_map(|(n, o, v)| Matcher::new(n, o, v).unwrap())
}

fn step() -> impl Strategy<Value = Step> {
    let gap = prop_oneof![
        8 => Just(10_000i64), 3 => Just(0), 2 => 1i64..30_000, 2 => -100_000i64..=0, 1 => -8_000_000i64..0, 1 => Just(3_600_000),
    ];
    let cells = prop_oneof![
        3 => proptest::collection::vec(value(), 6).prop_map(|all| all.into_iter().enumerate().collect()),
        2 => proptest::collection::vec((0usize..6, value()), 1..4).prop_map(|all| all.into_iter().collect()),
        1 => proptest::collection::vec((60usize..140, value()), 1..30).prop_map(|all| all.into_iter().collect()),
    ];
    let piece = (0..GROUPS, gap, cells).prop_map(|(group, gap, cells)| Piece { group, gap, cells });
    let many = proptest::collection::vec(piece, 1..80);
    let hours = -2i64..40;
    let range = || (proptest::collection::vec(matcher(), 0..3), hours.clone(), hours.clone());
    let at = |h: i64| START + h * 3_600_000;
    prop_oneof![
        8 => many.prop_map(Step::Append),
        1 => Just(Step::Cut),
        1 => Just(Step::Flush),
        1 => Just(Step::Maintain),
        1 => Just(Step::Restart),
        1 => range().prop_map(move |(m, a, b)| Step::Delete(m, at(a), at(b))),
        1 => Just(Step::Clean),
        1 => Just(Step::Compact),
        1 => Just(Step::Snapshot),
        2 => range().prop_map(move |(m, a, b)| Step::Read(m, at(a), at(b))),
    ]
}

fn histogram(n: u32) -> Histogram {
    let buckets = vec![f64::from(n % 7), f64::from(n % 11)];
    let positive_spans = vec![kernel::series::BucketSpan { offset: -1, length: 2 }];
    Histogram {
        count: f64::from(n),
        sum: f64::from(n) / 3.0,
        positive_buckets: buckets,
        positive_spans,
        ..Histogram::default()
    }
}

/// A sample as it can be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    bits: u64,
    histogram: Option<String>,
    start: i64,
}

fn sample(value: &Value, start: i64) -> Sample {
    match value {
        Value::Number(bits) => Sample { bits: *bits, histogram: None, start },
        Value::Histogram(n) => {
            let h = histogram(*n);
            Sample { bits: h.sum.to_bits(), histogram: Some(format!("{h:?}")), start }
        }
    }
}

/// What must be there, and what may be.
#[derive(Default)]
struct Model {
    samples: BTreeMap<Labels, BTreeMap<i64, Sample>>,
    /// Samples of which only the store knows whether they were taken.
    maybe: BTreeSet<(Labels, i64)>,
    newest: BTreeMap<Labels, i64>,
    group_newest: [Option<i64>; GROUPS],
    /// Series of which the store may not know the newest time any more, but that it is not after this.
    floor: BTreeMap<Labels, i64>,
}

impl Model {
    fn take(&mut self, group: usize, labels: Labels, t: i64, value: &Value, start: i64) {
        let newest = self.newest.get(&labels).copied().unwrap_or(i64::MIN);
        let in_window = self.group_newest[group].is_none_or(|g| t >= g - WINDOW_MS);
        if self.samples.get(&labels).is_some_and(|s| s.contains_key(&t)) || self.maybe.contains(&(labels.clone(), t)) {
            return;
        }
        let unsure = self.floor.get(&labels).is_some_and(|floor| t <= *floor && !in_window);
        if t <= newest && !in_window && !unsure {
            return;
        }
        if unsure {
            self.maybe.insert((labels, t));
            return;
        }
        self.samples.entry(labels.clone()).or_default().insert(t, sample(value, start));
        self.newest.insert(labels, newest.max(t));
        self.group_newest[group] = Some(self.group_newest[group].map_or(t, |g| g.max(t)));
    }

    fn restarted(&mut self) {
        for group in 0..GROUPS {
            let Some(newest) = self.group_newest[group] else { continue };
            for n in 0..140 {
                self.floor.insert(series(group, n), newest);
            }
        }
    }

    fn delete(&mut self, matchers: &[Matcher], from: i64, to: i64) {
        let hit =
            |labels: &Labels, t: i64| matchers.iter().all(|m| m.matches_labels(labels)) && (from..=to).contains(&t);
        for (labels, samples) in &mut self.samples {
            let gone: Vec<i64> = samples.keys().copied().filter(|t| hit(labels, *t)).collect();
            for t in gone {
                samples.remove(&t);
                // The store finds a deleted sample's place taken or not, as memory still knows it.
                self.maybe.insert((labels.clone(), t));
            }
        }
    }
}

fn points(series: &Series) -> BTreeMap<i64, Sample> {
    let start = |i: usize| series.starts.as_ref().map_or(0, |s| s[i]);
    let one = |i: usize| match series.values.get(i).unwrap() {
        Point::Float(v) => Sample { bits: v.to_bits(), histogram: None, start: start(i) },
        Point::Histogram(h) => {
            // What is known of resets depends on the sample before.
            let plain = Histogram { reset: CounterReset::Unknown, ..(*h).clone() };
            Sample { bits: h.sum.to_bits(), histogram: Some(format!("{plain:?}")), start: start(i) }
        }
    };
    series.timestamps.iter().enumerate().map(|(i, t)| (*t, one(i))).collect()
}

/// Whoever wants the newest samples only gets those of whoever wants all.
fn compare_newest(store: &dyn SeriesReader, found: &[Series], select: &Select) {
    let newest = |s: &Series| points(s).pop_last().map(|(t, sample)| (t, sample.bits, sample.histogram));
    let all: BTreeMap<_, _> = found.iter().map(|s| (s.labels.clone(), newest(s))).collect();
    let mut only = BTreeMap::new();
    let visited = store.visit_newest(select, &mut |s| {
        assert!(only.insert(s.labels.clone(), newest(&s)).is_none(), "each series once");
        std::ops::ControlFlow::Continue(())
    });
    visited.unwrap();
    assert_eq!(only, all);
    assert!(store.at_most(select).is_none_or(|most| most >= found.len() as u64));
}

fn compare(store: &dyn SeriesReader, model: &Model, select: &Select) {
    let found = store.select(select).unwrap();
    compare_newest(store, &found, select);
    let mut have: BTreeMap<Labels, BTreeMap<i64, Sample>> = BTreeMap::new();
    for s in &found {
        assert!(s.timestamps.windows(2).all(|w| w[0] < w[1]), "times strictly increase");
        assert!(s.values.len() == s.timestamps.len() && !s.timestamps.is_empty());
        let needless = matches!(&s.values, Column::Mixed(all) if all.iter().all(|p| matches!(p, Point::Float(_))));
        assert!(!needless, "numbers alone come as numbers");
        assert!(have.insert(s.labels.clone(), points(s)).is_none(), "each series once");
    }
    let within = |t: i64| (select.start_ms..=select.end_ms).contains(&t);
    for (labels, samples) in &model.samples {
        if !select.matchers.iter().all(|m| m.matches_labels(labels)) {
            assert!(!have.contains_key(labels));
            continue;
        }
        let mut mine = have.remove(labels).unwrap_or_default();
        for (t, wanted) in samples.iter().filter(|(t, _)| within(**t)) {
            let got = mine.remove(t);
            // Start times of late samples are known for those after them, too: only what the sample is must be exact.
            assert_eq!(
                got.map(|s| (s.bits, s.histogram)),
                Some((wanted.bits, wanted.histogram.clone())),
                "{labels} at {t}"
            );
        }
        for t in mine.keys() {
            assert!(model.maybe.contains(&(labels.clone(), *t)), "{labels} has a sample at {t} that nobody wrote");
        }
    }
    for (labels, samples) in have {
        samples.keys().for_each(|t| assert!(model.maybe.contains(&(labels.clone(), *t)), "{labels} at {t}"));
    }
}

fn open(folder: &std::path::Path) -> SeriesStore {
    let late_window = Duration::from_millis(WINDOW_MS as u64);
    let options = Options { late_window, ..common::options() };
    let (store, report) = SeriesStore::open(folder, options).unwrap();
    assert_eq!(report.damage, [""; 0]);
    store
}

fn append(store: &SeriesStore, model: &mut Model, pieces: &[Piece]) {
    let mut batch = Batch::default();
    let mut cells = 0;
    let mut newest = model.group_newest;
    let mut before = None;
    for piece in pieces {
        let t = newest[piece.group].unwrap_or(START) + piece.gap;
        newest[piece.group] = Some(newest[piece.group].map_or(t, |n| n.max(t)));
        if before.replace((piece.group, t)) == Some((piece.group, t)) {
            // Of one row and series the number counts: pieces of one time come one after the other.
            write(store, &mut batch, &mut cells);
        }
        let group = store.open_group(&format!("g{}", piece.group)).unwrap();
        let all: Vec<Labels> = piece.cells.keys().map(|n| series(piece.group, *n)).collect();
        let columns = store.columns(group, &all).unwrap();
        // Numbers of a row come before its histograms.
        for histograms in [false, true] {
            for ((n, (value, start)), column) in piece.cells.iter().zip(&columns) {
                let is_histogram = matches!(value, Value::Histogram(_));
                if is_histogram != histograms {
                    continue;
                }
                let point = match value {
                    Value::Number(bits) => Point::Float(f64::from_bits(*bits)),
                    Value::Histogram(n) => Point::Histogram(Arc::new(histogram(*n))),
                };
                batch.push_cell(group, t, Cell { column: *column, value: point, start_ms: *start });
                model.take(piece.group, series(piece.group, *n), t, value, *start);
                cells += 1;
            }
        }
    }
    write(store, &mut batch, &mut cells);
}

fn write(store: &SeriesStore, batch: &mut Batch, cells: &mut u64) {
    let appended = store.append(batch).unwrap();
    assert_eq!(appended.samples + appended.duplicates + appended.out_of_order, *cells, "{appended:?}");
    assert_eq!(appended.unknown, 0);
    batch.clear();
    *cells = 0;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..ProptestConfig::default() })]
    #[test]
    fn answers_as_the_model_does(steps in proptest::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Append(pieces) => append(&store, &mut model, &pieces),
                Step::Cut => _ = store.cut().unwrap(),
                Step::Flush => store.flush().unwrap(),
                Step::Maintain => {
                    let newest = model.group_newest.iter().flatten().max().copied().unwrap_or(START);
                    store.maintain(Timestamp::from_millis(newest)).unwrap();
                    // What is forgotten comes back with its groups.
                    model.restarted();
                }
                Step::Restart => {
                    drop(store);
                    store = open(folder.path());
                    model.restarted();
                }
                Step::Delete(matchers, from, to) => {
                    store.delete(&matchers, from, to).unwrap();
                    model.delete(&matchers, from, to);
                }
                Step::Clean => store.clean_deleted().unwrap(),
                Step::Compact => store.compact().unwrap(),
                Step::Snapshot => {
                    let name = store.snapshot(false, kernel::Timestamp::from_millis(1_770_000_000_000)).unwrap();
                    let copy = open(&folder.path().join("snapshots").join(name));
                    compare(&copy, &model, &common::all());
                }
                Step::Read(matchers, start_ms, end_ms) => compare(&store, &model, &Select { matchers, start_ms, end_ms }),
            }
        }
        compare(&store, &model, &common::all());
        prop_assert_eq!(store.stats().damaged, 0);
    }
}

#[test]
fn start_times_and_exemplars_come_back_wherever_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let group = store.open_group("g").unwrap();
    let column = store.columns(group, &[labels("requests_total", 0)]).unwrap()[0];
    let exemplar = |t_ms| Exemplar { labels: Labels::new([("trace_id", "abc")]), value: 0.5, t_ms };
    for (i, start) in [0, 0, 5, 5, 5, 9, 9, 0].into_iter().enumerate() {
        let (mut batch, t_ms) = (Batch::default(), START + i as i64 * 15_000);
        let cell = Cell { column, value: Point::Float(i as f64), start_ms: start };
        batch.push_cell(group, t_ms, cell);
        batch.push_exemplar(SeriesRef { group, column }, exemplar(t_ms));
        let appended = store.append(&batch).unwrap();
        assert_eq!((appended.samples, appended.exemplars), (1, 1));
    }
    let check = |store: &SeriesStore, place: &str| {
        let found = store.select(&common::by_name("requests_total")).unwrap();
        assert_eq!(found[0].starts.as_deref(), Some(&[0, 0, 5, 5, 5, 9, 9, 0][..]), "{place}");
    };
    check(&store, "memory");
    drop(store);
    store = open(folder.path());
    check(&store, "log");
    let exemplars = store.exemplars(&common::all()).unwrap();
    assert_eq!((exemplars.len(), exemplars[0].1.len()), (1, 8));
    assert_eq!(exemplars[0].1[7], exemplar(START + 7 * 15_000));
    store.flush().unwrap();
    check(&store, "span");
    store.cut().unwrap();
    check(&store, "block");
    drop(store);
    let store = open(folder.path());
    check(&store, "block, opened again");
    // The log is gone by now; their own file keeps them, and what the log says again is not there twice.
    let exemplars = store.exemplars(&common::all()).unwrap();
    assert_eq!((exemplars.len(), exemplars[0].1.len()), (1, 8));
    assert_eq!(exemplars[0].1[7], exemplar(START + 7 * 15_000));
}

/// A native histogram tells all its exemplars with every scrape, and one of several senders may be late.
#[test]
fn exemplars_that_are_told_again_are_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let group = store.open_group("g").unwrap();
    let column = store.columns(group, &[labels("latency_seconds", 0)]).unwrap()[0];
    let exemplar = |t_ms, value| Exemplar { labels: Labels::new([("trace_id", "abc")]), value, t_ms };
    let told = [exemplar(START, 0.5), exemplar(START, 0.2), exemplar(START + 1, f64::NAN), exemplar(START - 9, 0.5)];
    for taken in [4, 0, 0] {
        let mut batch = Batch::default();
        told.iter().for_each(|e| batch.push_exemplar(SeriesRef { group, column }, e.clone()));
        assert_eq!(store.append(&batch).unwrap().exemplars, taken);
    }
    for place in ["memory", "log", "their file"] {
        assert_eq!(store.exemplars(&common::all()).unwrap()[0].1.len(), 4, "{place}");
        if place == "log" {
            store.flush().unwrap();
            store.cut().unwrap();
        }
        drop(store);
        store = open(folder.path());
    }
}
