//! The store against a naive model, under random appends, cuts, joins and restarts. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::{START, labels, open, points};
use kernel::series::{GroupId, Matcher, Row, Select, SeriesReader, SeriesWriter};
use kernel::{Labels, Timestamp};
use proptest::prelude::*;

/// What one step does.
#[derive(Clone, Debug)]
enum Step {
    /// Rows for a group: by how many ms each is later than the last, and its values.
    Append(usize, Vec<(i64, Vec<Option<f64>>)>),
    Cut,
    Maintain,
    Restart,
    Read(Vec<Matcher>, i64, i64),
}

/// Columns of the groups; some series are in two of them.
const GROUPS: [&[usize]; 4] = [&[0, 1, 2], &[3], &[1, 4], &[5, 6, 7, 8, 0]];

fn series(number: usize) -> Labels {
    labels(["probe_success", "probe_duration_seconds", "up"][number % 3], number / 3)
}

fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        4 => Just(Some(1.0)),
        1 => Just(Some(0.0)),
        1 => Just(Some(kernel::series::stale_nan())),
        1 => any::<u64>().prop_map(|b| Some(f64::from_bits(b))),
        2 => (0u32..1_000_000).prop_map(|n| Some(f64::from(n) / 1e6)),
    ]
}

fn matcher() -> impl Strategy<Value = Matcher> {
    use kernel::series::MatchOp::{Equal, NotEqual, NotRegex, Regex};
    let name = proptest::sample::select(vec!["__name__", "service", "gone"]);
    let op = proptest::sample::select(vec![Equal, NotEqual, Regex, NotRegex]);
    let value = proptest::sample::select(vec!["up", "probe_.*", "s1", "s[01]", "", ".+"]);
    (name, op, value).prop_map(|(n, o, v)| Matcher::new(n, o, v).unwrap())
}

fn step() -> impl Strategy<Value = Step> {
    let gap = prop_oneof![6 => Just(10_000i64), 2 => 1i64..30_000, 1 => -20_000i64..=0, 1 => Just(3_600_000)];
    let append = (0..GROUPS.len()).prop_flat_map(move |g| {
        let values = proptest::collection::vec(value(), GROUPS[g].len());
        proptest::collection::vec((gap.clone(), values), 1..60).prop_map(move |rows| Step::Append(g, rows))
    });
    let hours = -2i64..40;
    prop_oneof![
        6 => append,
        1 => Just(Step::Cut),
        1 => Just(Step::Maintain),
        1 => Just(Step::Restart),
        2 => (proptest::collection::vec(matcher(), 0..3), hours.clone(), hours)
            .prop_map(|(m, a, b)| Step::Read(m, START + a * 3_600_000, START + b * 3_600_000)),
    ]
}

/// Per group: its rows, in the order of their times.
#[derive(Default)]
struct Model {
    rows: [BTreeMap<i64, Vec<Option<f64>>>; GROUPS.len()],
}

impl Model {
    /// What a selection must give; where a series is in two groups at one time, the later group counts.
    fn read(&self, select: &Select) -> BTreeMap<Labels, Vec<(i64, u64)>> {
        let mut out: BTreeMap<Labels, BTreeMap<i64, u64>> = BTreeMap::new();
        for (group, rows) in self.rows.iter().enumerate() {
            for (t, values) in rows.iter().filter(|(t, _)| (select.start_ms..=select.end_ms).contains(*t)) {
                for (number, value) in GROUPS[group].iter().zip(values) {
                    let labels = series(*number);
                    if let Some(v) = value.filter(|_| select.matchers.iter().all(|m| m.matches_labels(&labels))) {
                        out.entry(labels).or_default().insert(*t, v.to_bits());
                    }
                }
            }
        }
        out.into_iter().map(|(l, p)| (l, p.into_iter().collect())).collect()
    }
}

fn group(store: &store_series::SeriesStore, number: usize) -> GroupId {
    store.group(&GROUPS[number].iter().map(|n| series(*n)).collect::<Vec<_>>()).unwrap()
}

fn compare(store: &store_series::SeriesStore, model: &Model, select: &Select) {
    let found = store.select(select).unwrap();
    for s in &found {
        assert!(s.timestamps.windows(2).all(|w| w[0] < w[1]), "times strictly increase");
    }
    let found: BTreeMap<_, _> = found.iter().map(|s| (s.labels.clone(), points(s))).collect();
    assert_eq!(found, model.read(select));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn answers_as_the_model_does(steps in proptest::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let mut model = Model::default();
        // Groups get their numbers in order, so that the model knows which is the later one.
        (0..GROUPS.len()).for_each(|g| { group(&store, g); });
        let mut newest = START;
        for step in steps {
            match step {
                Step::Append(number, rows) => {
                    let id = group(&store, number);
                    let mut t_ms = model.rows[number].keys().next_back().copied().unwrap_or(START);
                    let mut batch = Vec::new();
                    let (mut taken, mut left_out) = (0, 0);
                    for (gap, values) in rows {
                        t_ms += gap;
                        let samples = values.iter().flatten().count() as u64;
                        batch.push(Row { group: id, t_ms, values: values.clone() });
                        if model.rows[number].keys().next_back().is_none_or(|last| t_ms > *last) {
                            model.rows[number].insert(t_ms, values);
                            taken += samples;
                        } else {
                            left_out += samples;
                        }
                    }
                    let appended = store.append(&batch).unwrap();
                    prop_assert_eq!((appended.samples, appended.out_of_order + appended.duplicates), (taken, left_out));
                    newest = newest.max(model.rows[number].keys().next_back().copied().unwrap_or(START));
                }
                Step::Cut => { store.cut().unwrap(); }
                Step::Maintain => { store.maintain(Timestamp::from_millis(newest)).unwrap(); }
                Step::Restart => {
                    drop(store);
                    store = open(folder.path());
                }
                Step::Read(matchers, start_ms, end_ms) => compare(&store, &model, &Select { matchers, start_ms, end_ms }),
            }
        }
        compare(&store, &model, &common::all());
        prop_assert_eq!(store.stats().damaged, 0);
    }
}
