//! The receiver in front of the real store: what was acknowledged is there, groups fill up, and a restart makes nothing twice. I/O.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::series::{Batch, Matcher, Select, SeriesReader, SeriesWriter};
use kernel::{Labels, Timestamp};
use observe_receive::limits::Limits;
use observe_receive::otlp::{Form, OtlpOptions};
use observe_receive::wire::Writer as Wire;
use observe_receive::writer::{Answer, Writer};
use store_series::{Options, SeriesStore};

/// 2026-02-02T02:40:00Z.
const START: i64 = 1_770_000_000_000;

fn open(folder: &Path, group_series: u32) -> (Arc<SeriesStore>, Writer) {
    let options = Options { commit_interval: Duration::ZERO, ..Options::default() };
    let store = Arc::new(SeriesStore::open(folder, options).unwrap().0);
    (store.clone(), Writer::new(store, Limits { group_series, ..Limits::default() }))
}

/// The same, with a writer that reads what the store has.
fn reopened(folder: &Path) -> (Arc<SeriesStore>, Writer) {
    let (store, writer) = open(folder, 1_000);
    let writer = writer.with_reader(store.clone());
    (store, writer)
}

/// Series `from..to` of one instance, samples at the given times.
fn send(writer: &Writer, series: std::ops::Range<u32>, times: &[i64]) -> Answer {
    let mut w = Wire::default();
    for n in series {
        w.message(1, |w| {
            for (name, value) in [("__name__", format!("m{}", n % 7)), ("instance", "i".into()), ("n", n.to_string())] {
                w.message(1, |w| {
                    w.string(1, name);
                    w.string(2, &value);
                });
            }
            for t in times {
                w.message(2, |w| {
                    w.double(1, f64::from(n) + *t as f64 / 1e3);
                    w.int(2, *t);
                });
            }
        });
    }
    let body = snap::raw::Encoder::new().compress_vec(w.bytes()).unwrap();
    writer.remote_write("s", ("application/x-protobuf", "snappy"), &body, START + 3_600_000)
}

fn all(store: &SeriesStore) -> Vec<kernel::series::Series> {
    let matchers = vec![Matcher::equal("instance", "i")];
    store.select(&Select { matchers, start_ms: i64::MIN, end_ms: i64::MAX }).unwrap()
}

#[test]
fn what_was_acknowledged_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, writer) = open(folder.path(), 30);
    let times: Vec<i64> = (0..10).map(|n| START + n * 15_000).collect();
    assert_eq!(send(&writer, 0..50, &times[..5]).status, 204);
    assert_eq!(send(&writer, 40..80, &times[..5]).status, 204, "samples that come twice are harmless");
    drop((store, writer));
    let (store, writer) = open(folder.path(), 30);
    // In another order than at first.
    assert_eq!(send(&writer, 60..80, &times[5..]).status, 204);
    assert_eq!(send(&writer, 0..60, &times[5..]).status, 204);
    let groups = kernel::series::SeriesAdmin::cardinality(&*store, 10);
    assert_eq!((groups.series, groups.groups), (80, 3));
    let read = all(&store);
    assert_eq!(read.len(), 80);
    for series in read {
        let n: f64 = series.labels.get("n").unwrap().parse().unwrap();
        assert_eq!(*series.timestamps, times);
        let expect: Vec<f64> = times.iter().map(|t| n + *t as f64 / 1e3).collect();
        assert_eq!(series.values.floats(), Some(&expect[..]));
    }
}

#[test]
fn conflicts_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, writer) = open(folder.path(), 1_000);
    assert_eq!(send(&writer, 0..3, &[START]).status, 204);
    let mut w = Wire::default();
    w.message(1, |w| {
        for (name, value) in [("__name__", "m1"), ("instance", "i"), ("n", "1")] {
            w.message(1, |w| {
                w.string(1, name);
                w.string(2, value);
            });
        }
        w.message(2, |w| {
            w.double(1, -1.0);
            w.int(2, START);
        });
    });
    let body = snap::raw::Encoder::new().compress_vec(w.bytes()).unwrap();
    let answer = writer.remote_write("s", ("", ""), &body, START);
    assert_eq!((answer.status, answer.rejected), (400, 1));
    assert_eq!(answer.text, r#"duplicate sample for timestamp for series {__name__="m1", instance="i", n="1"}"#);
}

#[test]
fn histograms_of_opentelemetry_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (store, writer) = open(folder.path(), 1_000);
    let body = serde_json::json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.instance.id", "value": {"stringValue": "i"}}]},
        "scopeMetrics": [{"metrics": [{"name": "h", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [{
            "count": 3, "sum": 6, "scale": 2, "zeroCount": 1, "startTimeUnixNano": ((START - 1_000) * 1_000_000).to_string(),
            "timeUnixNano": (START * 1_000_000).to_string(), "positive": {"offset": 4, "bucketCounts": [2]},
        }]}}]}],
    }]});
    let answer = writer.otlp("s", (Form::Json, ""), body.to_string().as_bytes(), &OtlpOptions::default(), START);
    assert_eq!((answer.status, answer.text.as_str(), answer.written.histograms), (200, "", 1));
    let read = all(&store);
    let Some(kernel::series::Point::Histogram(h)) = read[0].values.get(0) else { panic!("{read:?}") };
    assert_eq!((h.count, h.sum, h.positive_spans[0].offset), (3.0, 6.0, 5));
    assert_eq!(read[0].starts.as_deref(), Some(&[START - 1_000][..]));
}

/// A request of deltas: a counter, a level and a histogram, observed from one time to another.
fn deltas(writer: &Writer, (from, to): (i64, i64), (counter, level, counts): (u64, i64, [u64; 2])) {
    let ns = |t: i64| (t * 1_000_000).to_string();
    let of = |value: serde_json::Value| {
        let mut point = value;
        point["startTimeUnixNano"] = ns(from).into();
        point["timeUnixNano"] = ns(to).into();
        serde_json::json!([point])
    };
    let points = [
        of(serde_json::json!({"asInt": counter})),
        of(serde_json::json!({"asInt": level})),
        of(serde_json::json!({
            "count": counts[0] + counts[1], "sum": counts[0] as f64 / 4.0, "explicitBounds": [0.5], "bucketCounts": counts,
        })),
    ];
    let [counter, level, histogram] = points;
    let body = serde_json::json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.instance.id", "value": {"stringValue": "i"}}]},
        "scopeMetrics": [{"metrics": [
            {"name": "c", "sum": {"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": counter}},
            {"name": "l", "sum": {"aggregationTemporality": 1, "isMonotonic": false, "dataPoints": level}},
            {"name": "h", "histogram": {"aggregationTemporality": 1, "dataPoints": histogram}},
        ]}],
    }]});
    let answer = writer.otlp("s", (Form::Json, ""), body.to_string().as_bytes(), &OtlpOptions::default(), to);
    assert_eq!((answer.status, answer.text.as_str(), answer.rejected), (200, "", 0));
}

/// All series by name and bound, with their values.
fn values(store: &SeriesStore) -> Vec<(String, Vec<f64>)> {
    let of = |s: kernel::series::Series| {
        let name = format!("{}{}", s.labels.name(), s.labels.get("le").unwrap_or_default());
        (name, s.values.floats().unwrap().to_vec())
    };
    let mut out: Vec<_> = all(store).into_iter().map(of).collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

#[test]
fn totals_of_deltas_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let reopened = || reopened(folder.path());
    let at = |n: i64| (START + (n - 1) * 10_000, START + n * 10_000);
    let (store, writer) = reopened();
    deltas(&writer, at(1), (5, 7, [4, 1]));
    deltas(&writer, at(2), (6, -3, [0, 2]));
    drop((store, writer));

    let (store, writer) = reopened();
    // The answer to the last request was lost with the program: it comes once more, and counts once.
    deltas(&writer, at(2), (6, -3, [0, 2]));
    // Larger than everything before it: as a counter that begins anew it would be taken for 29.
    deltas(&writer, at(3), (40, 1, [8, 0]));
    deltas(&writer, at(4), (1, 1, [1, 1]));
    let expect = |name: &str, values: &[f64]| (name.to_owned(), values.to_vec());
    let whole = [
        expect("c_total", &[5.0, 11.0, 51.0, 52.0]),
        expect("h_bucket+Inf", &[5.0, 7.0, 15.0, 17.0]),
        expect("h_bucket0.5", &[4.0, 4.0, 12.0, 13.0]),
        expect("h_count", &[5.0, 7.0, 15.0, 17.0]),
        expect("h_sum", &[1.0, 1.0, 3.0, 3.25]),
        expect("l", &[7.0, 4.0, 5.0, 6.0]),
    ];
    assert_eq!(values(&store), whole);
    drop((store, writer));

    // Whoever was silent for more than a day begins anew.
    let (store, writer) = reopened();
    deltas(&writer, at(10_000), (2, 2, [1, 0]));
    assert_eq!(values(&store)[0].1.last(), Some(&2.0));
}

/// A request with one delta of an exponential histogram, or of one with explicit bounds that becomes native.
fn native_delta(writer: &Writer, (from, to): (i64, i64), metric: serde_json::Value) {
    let mut metric = metric;
    let data = metric.as_object_mut().unwrap().iter_mut().find(|(_, v)| v.is_object()).unwrap().1;
    data["aggregationTemporality"] = 1.into();
    let point = &mut data["dataPoints"][0];
    point["startTimeUnixNano"] = (from * 1_000_000).to_string().into();
    point["timeUnixNano"] = (to * 1_000_000).to_string().into();
    let body = serde_json::json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.instance.id", "value": {"stringValue": "i"}}]},
        "scopeMetrics": [{"metrics": [metric]}],
    }]});
    let options = OtlpOptions { custom_bounds: true, ..OtlpOptions::default() };
    let answer = writer.otlp("s", (Form::Json, ""), body.to_string().as_bytes(), &options, to);
    assert_eq!((answer.status, answer.text.as_str(), answer.rejected), (200, "", 0));
}

fn exponential(scale: i32, offset: i32, counts: &[u64]) -> serde_json::Value {
    let count: u64 = counts.iter().sum::<u64>() + 1;
    serde_json::json!({"name": "e", "exponentialHistogram": {"dataPoints": [{
        "count": count, "sum": count, "scale": scale, "zeroCount": 1, "positive": {"offset": offset, "bucketCounts": counts},
    }]}})
}

fn explicit(bounds: &[f64], counts: &[u64]) -> serde_json::Value {
    let count: u64 = counts.iter().sum();
    serde_json::json!({"name": "c", "histogram": {"dataPoints": [{
        "count": count, "sum": count, "explicitBounds": bounds, "bucketCounts": counts,
    }]}})
}

/// The positive buckets with their indexes.
fn positive(h: &kernel::series::Histogram) -> Vec<(i32, f64)> {
    let (mut next, mut indexes) = (0, Vec::new());
    for span in &h.positive_spans {
        next += span.offset;
        indexes.extend(next..next + span.length as i32);
        next += span.length as i32;
    }
    indexes.into_iter().zip(h.positive_buckets.iter().copied()).collect()
}

/// A histogram as it is compared.
type Counts = (f64, f64, Vec<(i32, f64)>);

/// Count, zero bucket, and positive buckets with their indexes, of all samples of a series.
fn histograms(store: &SeriesStore, name: &str) -> Vec<Counts> {
    let found = all(store).into_iter().find(|s| s.labels.name() == name).unwrap();
    let of = |at: usize| match found.values.get(at) {
        Some(kernel::series::Point::Histogram(h)) => (h.count, h.zero_count, positive(&h)),
        other => panic!("{other:?}"),
    };
    (0..found.timestamps.len()).map(of).collect()
}

#[test]
fn deltas_of_native_histograms_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let reopened = || reopened(folder.path());
    let at = |n: i64| (START + (n - 1) * 10_000, START + n * 10_000);
    let (store, writer) = reopened();
    for n in 1..3 {
        native_delta(&writer, at(n), exponential(1, 0, &[2, 1]));
        native_delta(&writer, at(n), explicit(&[1.0, 2.0], &[1, 0, 2]));
    }
    drop((store, writer));

    let (store, writer) = reopened();
    // The last one once more, since its answer was lost; then finer buckets than the store has, then coarser ones.
    native_delta(&writer, at(2), exponential(1, 0, &[2, 1]));
    native_delta(&writer, at(3), exponential(2, 0, &[4, 0, 1, 1]));
    native_delta(&writer, at(4), exponential(0, 1, &[5]));
    native_delta(&writer, at(2), explicit(&[1.0, 2.0], &[1, 0, 2]));
    native_delta(&writer, at(3), explicit(&[1.0, 2.0], &[9, 1, 0]));
    // Other bounds begin anew: their total has nothing to be added to.
    native_delta(&writer, at(4), explicit(&[1.0, 5.0], &[1, 1, 0]));
    native_delta(&writer, at(5), explicit(&[1.0, 5.0], &[0, 1, 0]));
    let expect = [
        (4.0, 1.0, vec![(1, 2.0), (2, 1.0)]),
        (8.0, 2.0, vec![(1, 4.0), (2, 2.0)]),
        // Scale 2, buckets 0 and 2, 3 lie in 0 and 1 of scale 1.
        (15.0, 3.0, vec![(1, 8.0), (2, 4.0)]),
        (21.0, 4.0, vec![(1, 12.0), (2, 5.0)]),
    ];
    assert_eq!(histograms(&store, "e"), expect);
    let expect = [
        (3.0, 0.0, vec![(0, 1.0), (2, 2.0)]),
        (6.0, 0.0, vec![(0, 2.0), (2, 4.0)]),
        (16.0, 0.0, vec![(0, 11.0), (1, 1.0), (2, 4.0)]),
        (2.0, 0.0, vec![(0, 1.0), (1, 1.0)]),
        (3.0, 0.0, vec![(0, 1.0), (1, 2.0)]),
    ];
    assert_eq!(histograms(&store, "c"), expect);
}

#[test]
fn a_metric_that_changes_its_type_keeps_the_totals_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let (store, writer) = open(folder.path(), 1_000);
    let writer = writer.with_reader(store.clone());
    let at = |n: i64| (START + (n - 1) * 10_000, START + n * 10_000);
    let number = |value: u64| serde_json::json!({"name": "e", "sum": {"dataPoints": [{"asInt": value}]}});
    native_delta(&writer, at(1), number(3));
    native_delta(&writer, at(2), exponential(1, 0, &[2]));
    native_delta(&writer, at(3), number(4));
    native_delta(&writer, at(4), exponential(1, 0, &[1]));
    let found = all(&store).into_iter().find(|s| s.labels.name() == "e").unwrap();
    let counts = |at: usize| match found.values.get(at).unwrap() {
        kernel::series::Point::Float(value) => value,
        kernel::series::Point::Histogram(h) => h.count,
    };
    assert_eq!((0..4).map(counts).collect::<Vec<_>>(), [3.0, 3.0, 7.0, 5.0]);
}

#[test]
fn whoever_was_silent_for_long_is_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, writer) = open(folder.path(), 1_000);
    let hours = 3 * 3_600_000;
    assert_eq!(send(&writer, 0..20, &[START - hours]).status, 204);
    // Another sender goes on for hours: what is idle meanwhile goes into a block, and its group is forgotten.
    let other = store.open_group("other").unwrap();
    let column = store.columns(other, &[Labels::metric("other", [("a", "b")])]).unwrap()[0];
    let mut batch = Batch::default();
    batch.push(other, START, column, 1.0);
    store.append(&batch).unwrap();
    store.maintain(Timestamp::from_millis(START)).unwrap();
    assert_eq!(store.stats().groups, 1, "the other one's");
    // Known series, new ones, and both together.
    for (series, t) in [(20..40, 1), (0..20, 2), (10..60, 3)] {
        let answer = send(&writer, series.clone(), &[START + t]);
        assert_eq!(answer.status, 204, "{series:?}: {}", answer.text);
    }
    assert_eq!(all(&store).len(), 60);
}
