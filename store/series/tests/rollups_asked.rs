//! PromQL over a store with roll-ups beside a store that kept every sample: where figures are kept the answers are the same, elsewhere near. I/O.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use common::{START, labels, options};
use decide_promql::{AnnotationKind, Evaluated, Limits, Query, Value, evaluate, evaluate_explained, parse};
use kernel::Timestamp;
use kernel::series::{Batch, BucketSpan, Cell, Histogram, Point, SeriesReader, SeriesWriter};
use store_series::{Options, SeriesStore};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 86_400_000;
/// The first whole hour behind [`START`], and as many days as are written.
const BEGIN: i64 = START - START % HOUR + HOUR;
const DAYS: i64 = 66;
const END: i64 = BEGIN + DAYS * DAY;

/// A store with all samples, and one that keeps 30 days of them and roll-ups of the others.
struct Both {
    full: SeriesStore,
    rolled: SeriesStore,
    before_ms: i64,
    _folders: [tempfile::TempDir; 2],
}

static BOTH: LazyLock<Both> = LazyLock::new(|| {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let kept = |days: u64| Options { retention: Duration::from_secs(days * 86_400), ..options() };
    let [full, rolled] =
        [(0, 10_000), (1, 30)].map(|(i, days)| SeriesStore::open(folders[i].path(), kept(days)).unwrap().0);
    for store in [&full, &rolled] {
        write(store);
    }
    assert_eq!(full.rolled_up(), []);
    let before_ms = rolled.rolled_up()[0].before_ms;
    assert!(END - before_ms >= 30 * DAY && END - before_ms < 32 * DAY);
    Both { full, rolled, before_ms, _folders: folders }
});

/// A native histogram that counted so much, some of it above its second bucket.
fn latency(hits: u64) -> Point {
    let buckets = [hits / 2, hits / 3, hits - hits / 2 - hits / 3].map(|n| n as f64);
    Point::Histogram(Arc::new(Histogram {
        count: hits as f64,
        sum: hits as f64 * 0.37,
        positive_spans: vec![BucketSpan { offset: 1, length: 3 }],
        positive_buckets: buckets.to_vec(),
        ..Histogram::default()
    }))
}

/// A check that fails now and then, a gauge, a counter and a native histogram that begin anew now and then; a sample every two minutes, at
/// odd times.
fn write(store: &SeriesStore) {
    let group = store.open_group("all").unwrap();
    let names = ["probe_success", "temperature", "hits_total", "latency"];
    let columns = store.columns(group, &names.map(|name| labels(name, 0))).unwrap();
    let (mut hits, mut random) = (0u64, 99u64);
    for day in 0..DAYS {
        let mut batch = Batch::default();
        for i in 0..DAY / (2 * MINUTE) {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let chance = random >> 33;
            hits = if chance % 997 == 0 { 0 } else { hits + chance % 50 };
            let t = BEGIN + day * DAY + i * 2 * MINUTE + 17_321;
            let success = f64::from(u8::from(chance % 200 != 0));
            let temperature = (i as f64 / 60.0).sin() * 20.0 + (chance % 10) as f64;
            for (column, value) in columns.iter().zip([success, temperature, hits as f64]) {
                batch.push(group, t, *column, value);
            }
            batch.push_cell(group, t, Cell { column: columns[3], value: latency(hits), start_ms: 0 });
        }
        store.append(&batch).unwrap();
        if day % 3 == 2 {
            store.maintain(Timestamp::from_millis(BEGIN + (day + 1) * DAY)).unwrap();
        }
    }
    store.maintain(Timestamp::from_millis(END)).unwrap();
}

fn asked(store: &SeriesStore, expr: &str, (start, end, step): (i64, i64, i64)) -> Evaluated {
    let expr = parse(expr).unwrap();
    evaluate(&Query::range(&expr, start, end, step), store, &Limits::default()).unwrap()
}

/// Times and values of the one series of an answer.
fn only(found: &Evaluated) -> Vec<(i64, f64)> {
    let Value::Matrix(matrix) = &found.value else { panic!("{found:?}") };
    assert_eq!(matrix.len(), 1, "{found:?}");
    matrix[0].samples.iter().map(|s| (s.t_ms, s.value)).collect()
}

/// The greatest difference between both answers, as a share; times have to be the same.
fn difference(expr: &str, times: (i64, i64, i64)) -> f64 {
    let (full, rolled) = (asked(&BOTH.full, expr, times), asked(&BOTH.rolled, expr, times));
    let (full, rolled) = (only(&full), only(&rolled));
    assert_eq!(full.iter().map(|s| s.0).collect::<Vec<_>>(), rolled.iter().map(|s| s.0).collect::<Vec<_>>(), "{expr}");
    let apart = full.iter().zip(&rolled).map(|(a, b)| (a.1 - b.1).abs() / a.1.abs().max(1e-9));
    apart.fold(0.0, f64::max)
}

#[test]
fn figures_over_sixty_days_are_those_of_all_samples() {
    for function in ["avg", "min", "max", "sum", "count"] {
        for metric in ["probe_success", "temperature"] {
            let expr = format!("{function}_over_time({metric}[60d])");
            let apart = difference(&expr, (END - 5 * DAY, END, DAY));
            assert!(apart < 1e-9, "{expr}: {apart}");
            let found = asked(&BOTH.rolled, &expr, (END, END, DAY));
            let read = found.stats.samples;
            assert!(
                read < 60 * 720 * 8 / 10 * if function == "avg" { 2 } else { 1 },
                "{expr}: {read} samples are read"
            );
        }
    }
}

#[test]
fn native_histograms_have_sums_means_counts_and_rates_over_sixty_days() {
    let times = (END - DAY, END, DAY);
    for read in ["histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev"] {
        for function in ["sum_over_time", "avg_over_time"] {
            let expr = format!("{read}({function}(latency[60d]))");
            let apart = difference(&expr, times);
            assert!(apart < 1e-9, "{expr}: {apart}");
        }
    }
    for expr in [
        "count_over_time(latency[60d])",
        "histogram_quantile(0.9, avg_over_time(latency[60d]))",
        "histogram_fraction(0, 3, sum_over_time(latency[50d]))",
        "histogram_count(avg_over_time(latency[1h] offset 40d))",
    ] {
        let apart = difference(expr, times);
        assert!(apart < 1e-9, "{expr}: {apart}");
    }
    for expr in ["histogram_count(increase(latency[60d]))", "histogram_sum(rate(latency[60d]))"] {
        let apart = difference(expr, times);
        assert!(apart < 0.000_5, "{expr}: {apart}");
    }
    let over_the_boundary = (BOTH.before_ms / HOUR * HOUR - DAY, BOTH.before_ms / HOUR * HOUR + DAY, HOUR);
    for expr in ["histogram_sum(avg_over_time(latency[6h]))", "histogram_count(sum_over_time(latency[1h]))"] {
        let apart = difference(expr, over_the_boundary);
        assert!(apart < 1e-9, "{expr}: {apart}");
    }
}

#[test]
fn a_range_goes_on_over_the_boundary() {
    let around = (BOTH.before_ms - 3 * DAY, BOTH.before_ms + 3 * DAY);
    let start = around.0 - around.0 % HOUR;
    for expr in [
        "temperature",
        "avg_over_time(temperature[1h])",
        "max_over_time(temperature[6h])",
        "count_over_time(probe_success[1h])",
        "sum by (kind) (avg_over_time(probe_success[2h]) * 100) - 1",
        "avg_over_time(temperature[1h] offset 1d)",
        "max_over_time(avg_over_time(temperature[1h])[4h:1h])",
        "last_over_time(hits_total[1h])",
        "present_over_time(hits_total[1h])",
        "absent_over_time(hits_total[1h]) or present_over_time(hits_total[1h])",
    ] {
        let apart = difference(expr, (start, around.1, HOUR));
        assert!(apart < 1e-9, "{expr}: {apart}");
    }
    // Rates are extended from the first and last samples of a range: which are others now, but no increase is lost.
    for (expr, near) in
        [("rate(hits_total[1d])", 0.02), ("increase(hits_total[2d])", 0.02), ("delta(temperature[1d])", 1e9)]
    {
        let apart = difference(expr, (start, around.1, HOUR));
        assert!(apart < near, "{expr}: {apart}");
    }
    assert!(difference("increase(hits_total[60d])", (END, END, DAY)) < 0.000_2);
}

#[test]
fn short_ranges_are_widened_and_totals_are_for_what_was_asked() {
    let old = (BEGIN + 10 * DAY, BEGIN + 12 * DAY, HOUR);
    for expr in ["rate(hits_total[2m])", "increase(hits_total[2m])", "count_over_time(probe_success[2m])"] {
        let found = only(&asked(&BOTH.rolled, expr, old));
        assert_eq!(found.len(), 49, "{expr}");
        let mean = found.iter().map(|s| s.1).sum::<f64>() / found.len() as f64;
        let wanted = match expr {
            "rate(hits_total[2m])" => 24.5 / 120.0,
            "increase(hits_total[2m])" => 24.5,
            _ => 1.0,
        };
        assert!((mean / wanted - 1.0).abs() < 0.25, "{expr}: {mean} instead of {wanted}");
    }
}

#[test]
fn an_answer_says_that_rollups_were_read_and_only_then() {
    let infos = |found: &Evaluated| -> Vec<String> {
        assert!(found.annotations.iter().all(|a| a.kind == AnnotationKind::Info));
        found.annotations.iter().map(ToString::to_string).collect()
    };
    let old = (END - 40 * DAY, END, DAY);
    let said = infos(&asked(&BOTH.rolled, "temperature + avg_over_time(temperature[1h])", old));
    // Said once, at the place that is evaluated last.
    let text = "PromQL info: read roll-ups of 5m: samples of that age are not kept themselves";
    assert_eq!(said, [format!("{text} (1:29)")]);
    for expr in ["temperature", "rate(hits_total[1h])", "avg_over_time(temperature[20d])", "timestamp(temperature)"] {
        let new = (END - 5 * DAY, END, HOUR);
        let [full, rolled] = [&BOTH.full, &BOTH.rolled].map(|store| asked(store, expr, new));
        assert_eq!(full, rolled, "{expr}: nothing changes in front of the boundary, in results and in cost");
    }
}

#[test]
fn met_14_an_explained_query_says_which_parts_read_rollups() {
    let told = |at: i64| {
        let expr = parse("sum(probe_success) + avg_over_time(probe_success[1h])").unwrap();
        let (query, never) = (Query::instant(&expr, at), AtomicBool::new(false));
        let (_, explained) = evaluate_explained(&query, &BOTH.rolled, &Limits::default(), &never, &|| 0).unwrap();
        let selector = explained.children[0].children[0].rollup_ms;
        (explained.rollup_ms, selector, explained.children[1].rollup_ms)
    };
    let fine = Some(300_000);
    assert_eq!(told(BOTH.before_ms - 10 * DAY), (None, fine, fine));
    assert_eq!(told(END), (None, None, None));
}

#[test]
fn met_02_rollups_stand_among_the_blocks_with_their_resolution() {
    use kernel::series::SeriesAdmin as _;
    let blocks = BOTH.rolled.blocks();
    let rollups: Vec<_> = blocks.iter().take_while(|b| b.rollup_ms.is_some()).collect();
    assert!(!rollups.is_empty() && rollups.iter().all(|b| b.max_ms < BOTH.before_ms && b.name.starts_with("rollup-")));
    assert!(blocks.iter().skip(rollups.len()).all(|b| b.rollup_ms.is_none()), "{blocks:?}");
    assert!(rollups.iter().all(|b| matches!(b.rollup_ms, Some(300_000 | 3_600_000)) && b.samples > 0));
    let mut names: Vec<&str> = blocks.iter().map(|b| b.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), blocks.len(), "each has a name of its own");
}
