//! The receiver in front of the real store: what was acknowledged is there, groups fill up, and a restart makes nothing twice. I/O.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::series::{Matcher, Select, SeriesReader};
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
