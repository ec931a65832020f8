//! What senders send, and what becomes of it.

use std::sync::Arc;

use kernel::series::{CounterReset, Point};
use proptest::prelude::*;

use super::memory::Memory;
use crate::limits::{Limits, Reason};
use crate::wire::Writer as Wire;
use crate::writer::{Answer, Writer, Written};

const V1: (&str, &str) = ("application/x-protobuf", "snappy");
const V2: (&str, &str) = ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy");
const NOW: i64 = 1_000_000;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn packed(plain: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(plain).unwrap()
}

fn v1_series(w: &mut Wire, labels: Pairs<'_>, samples: &[(i64, f64)]) {
    w.message(1, |w| {
        for (name, value) in labels {
            w.message(1, |w| {
                w.string(1, name);
                w.string(2, value);
            });
        }
        for (t, v) in samples {
            w.message(2, |w| {
                w.double(1, *v);
                w.int(2, *t);
            });
        }
    });
}

/// A request of version 2.0: symbols are numbered by their first use.
struct V2Request {
    symbols: Vec<String>,
    series: Wire,
}

impl V2Request {
    fn new() -> Self {
        Self { symbols: vec![String::new()], series: Wire::default() }
    }

    fn symbol(&mut self, text: &str) -> u64 {
        let at = self.symbols.iter().position(|s| s == text);
        at.unwrap_or_else(|| {
            self.symbols.push(text.into());
            self.symbols.len() - 1
        }) as u64
    }

    fn refs(&mut self, labels: Pairs<'_>) -> Vec<u64> {
        labels.iter().flat_map(|(n, v)| [self.symbol(n), self.symbol(v)]).collect()
    }

    fn series(&mut self, labels: Pairs<'_>, body: impl FnOnce(&mut Wire)) {
        let refs = self.refs(labels);
        self.series.message(5, |w| {
            w.varints(1, refs);
            body(w);
        });
    }

    fn body(self) -> Vec<u8> {
        let mut w = Wire::default();
        for symbol in &self.symbols {
            w.string(4, symbol);
        }
        let mut plain = w.finish();
        plain.extend_from_slice(self.series.bytes());
        packed(&plain)
    }
}

fn v2_sample(w: &mut Wire, t: i64, v: f64, start: i64) {
    w.message(2, |w| {
        w.double(1, v);
        w.int(2, t);
        if start != 0 {
            w.int(3, start);
        }
    });
}

fn receiver(limits: Limits) -> (Writer, Arc<Memory>) {
    let store = Arc::new(Memory::default());
    (Writer::new(store.clone(), limits), store)
}

fn send_v1(writer: &Writer, all: &[(Pairs<'_>, &[(i64, f64)])]) -> Answer {
    let mut w = Wire::default();
    for (labels, samples) in all {
        v1_series(&mut w, labels, samples);
    }
    writer.remote_write("team", V1, &packed(w.bytes()), NOW)
}

#[test]
fn known_series_are_found_by_the_bytes_of_their_labels() {
    let (writer, store) = receiver(Limits::default());
    let up: Pairs<'_> = &[("__name__", "up"), ("instance", "a:1"), ("job", "node")];
    let down: Pairs<'_> = &[("__name__", "down"), ("instance", "b:1"), ("job", "node")];
    for t in [10, 20, 30] {
        let answer = send_v1(&writer, &[(up, &[(t, 1.0)]), (down, &[(t, 2.0)]), (up, &[(t + 1, 3.0)])]);
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        assert_eq!(answer.written, Written { samples: 3, histograms: 0, exemplars: 0 });
    }
    assert_eq!(store.dump().len(), 9);
    assert_eq!(store.asked(), 2, "each series is asked for once");
    assert_eq!(store.group_names(), [("write/team/node/a:1".into(), 1), ("write/team/node/b:1".into(), 1)]);
    assert_eq!(writer.sender("team", NOW).unwrap().counters().samples(), 9);
}

#[test]
fn many_samples_of_a_series_are_sorted_by_time() {
    let (writer, store) = receiver(Limits::default());
    let samples = |n: f64| (0..5).map(|t| (t * 10, t as f64 + n)).collect::<Vec<_>>();
    let answer = send_v1(&writer, &[(&[("__name__", "a")], &samples(0.0)), (&[("__name__", "b")], &samples(0.5))]);
    assert_eq!((answer.status, store.dump().len()), (204, 10));
}

#[test]
fn what_the_store_refuses_is_named() {
    let (writer, store) = receiver(Limits::default());
    let a: Pairs<'_> = &[("__name__", "a"), ("job", "x")];
    assert_eq!(send_v1(&writer, &[(a, &[(100, 1.0)])]).status, 204);
    let answer = send_v1(&writer, &[(a, &[(50, 1.0)]), (&[("__name__", "b")], &[(50, 1.0)]), (a, &[(100, 2.0)])]);
    assert_eq!((answer.status, answer.written.samples, answer.rejected), (400, 1, 2));
    let text = "out of order sample for series {__name__=\"a\", job=\"x\"}\n\
                duplicate sample for timestamp for series {__name__=\"a\", job=\"x\"}";
    assert_eq!(answer.text, text);
    assert_eq!(send_v1(&writer, &[(a, &[(100, 1.0)])]).status, 204, "the same once more is harmless");
    let ahead = send_v1(&writer, &[(a, &[(NOW + 600_001, 1.0)])]);
    assert_eq!(ahead.text, "out of bounds: timestamp is too far in the future for series {__name__=\"a\", job=\"x\"}");
    assert_eq!(store.dump().len(), 2);
    let counted: Vec<_> = writer.sender("team", NOW).unwrap().counters().rejected().filter(|(_, n)| *n > 0).collect();
    assert_eq!(counted, [(Reason::Future, 1), (Reason::OutOfOrder, 1), (Reason::Conflict, 1)]);
}

#[test]
fn labels_that_are_none_are_left_out() {
    let (writer, store) = receiver(Limits::default());
    let bad: Pairs<'_> = &[("a", "x")];
    // Prometheus's receiver of version 1.0 leaves them out silently, that of 2.0 says so.
    let answer = send_v1(&writer, &[(bad, &[(1, 1.0)]), (&[("__name__", "b")], &[(1, 1.0)])]);
    assert_eq!((answer.status, answer.rejected), (204, 1));
    let mut request = V2Request::new();
    request.series(bad, |w| v2_sample(w, 1, 1.0, 0));
    request.series(&[("__name__", "c"), ("a", "1"), ("a", "2")], |w| v2_sample(w, 1, 1.0, 0));
    request.series(&[("__name__", "c")], |_| ());
    request.series(&[("__name__", "d")], |w| v2_sample(w, 1, 1.0, 0));
    request.series.message(5, |w| w.varints(1, [1, 2, 3]));
    request.series.message(5, |w| w.varints(1, [1, 99]));
    let answer = writer.remote_write("team", V2, &request.body(), NOW);
    let lines: Vec<&str> = answer.text.lines().collect();
    assert_eq!(
        lines,
        [
            r#"invalid metric name or labels, got {a="x"}"#,
            r#"invalid labels for series, labels {__name__="c", a="1", a="2"}, duplicated label a"#,
            r#"TimeSeries must contain at least one sample or histogram for series {__name__="c"}"#,
            "parsing labels for series [1 2 3]: invalid labelRefs length 3",
            "parsing labels for series [1 99]: labelRefs 1 (name) = 99 (value) outside of symbols table (size 8)",
        ]
    );
    assert_eq!((answer.status, answer.written.samples), (400, 1));
    assert_eq!(store.dump(), ["b 1 1", "d 1 1"]);
}

#[test]
fn version_2_brings_starts_histograms_exemplars_and_metadata() {
    let (writer, store) = receiver(Limits::default());
    let mut request = V2Request::new();
    let (help, unit) = (request.symbol("Bytes received."), request.symbol("bytes"));
    let trace = request.refs(&[("trace_id", "abc")]);
    request.series(&[("__name__", "in_bytes_total"), ("job", "j")], |w| {
        v2_sample(w, 5, 1.5, 2);
        v2_sample(w, 6, 2.5, 0);
        w.message(4, |w| {
            w.varints(1, trace);
            w.double(2, 0.5);
            w.int(3, 4);
        });
        w.message(5, |w| {
            w.uint(1, 1);
            w.uint(3, help);
            w.uint(4, unit);
        });
        w.int(6, 3);
    });
    request.series(&[("__name__", "h"), ("job", "j")], |w| {
        w.message(3, |w| {
            w.uint(1, 7);
            w.double(3, 4.5);
            w.sint(4, 3);
            w.double(5, 0.001);
            w.uint(6, 1);
            w.message(11, |w| {
                w.sint(1, -1);
                w.uint(2, 2);
            });
            w.sints(12, [2, 1]);
            w.message(8, |w| w.uint(2, 1));
            w.sints(9, [1]);
            w.uint(14, 3);
            w.int(15, 9);
            w.int(17, 8);
        });
    });
    let answer = writer.remote_write("", V2, &request.body(), NOW);
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let header = |name: &str| format!("X-Prometheus-Remote-Write-{name}-Written");
    let expect: Vec<(String, String)> =
        [("Samples", 2), ("Histograms", 1), ("Exemplars", 1)].map(|(n, v)| (header(n), v.to_string())).to_vec();
    assert_eq!(answer.headers().into_iter().map(|(n, v)| (n.to_owned(), v)).collect::<Vec<_>>(), expect);
    let total = r#"in_bytes_total{job="j"}"#;
    let expect = [
        r#"h{job="j"} 9 histogram(count 7, sum 4.5) since 8"#.to_owned(),
        format!("{total} 5 1.5 since 2"),
        format!("{total} 6 2.5 since 3"),
    ];
    assert_eq!(store.dump(), expect);
    let Some(Point::Histogram(h)) = store.points().into_iter().find(|(_, t, _)| *t == 9).map(|(_, _, p)| p) else {
        panic!("no histogram");
    };
    assert_eq!((h.positive_buckets.as_slice(), h.negative_buckets.as_slice()), (&[2.0, 3.0][..], &[1.0][..]));
    assert_eq!((h.schema, h.zero_threshold, h.reset), (3, 0.001, CounterReset::Gauge));
    assert_eq!(store.exemplars()[0].1.labels.get("trace_id"), Some("abc"));
    let metadata = &answer.metadata[0];
    assert_eq!((metadata.family.as_str(), metadata.kind.name()), ("in_bytes_total", "counter"));
    assert_eq!((metadata.help.as_str(), metadata.unit.as_str()), ("Bytes received.", "bytes"));
}

#[test]
fn a_histogram_that_is_none_is_refused_and_the_rest_kept() {
    let (writer, store) = receiver(Limits::default());
    let histogram = |w: &mut Wire, count: u64, t: i64| {
        w.message(4, |w| {
            w.uint(1, count);
            w.double(3, 1.0);
            w.message(11, |w| w.uint(2, 1));
            w.sints(12, [5]);
            w.int(15, t);
        });
    };
    for t in [1, 2] {
        let mut w = Wire::default();
        w.message(1, |w| {
            w.message(1, |w| {
                w.string(1, "__name__");
                w.string(2, "h");
            });
            histogram(w, 5, t);
            histogram(w, 6, t + 10);
        });
        let answer = writer.remote_write("", V1, &packed(w.bytes()), NOW);
        assert_eq!((answer.status, answer.written.histograms, answer.rejected), (400, 1, 1));
        assert_eq!(
            answer.text,
            "5 observations found in buckets, but the Count field is 6: histogram's observation count should equal \
             the number of observations found in the buckets (in absence of NaN) for series {__name__=\"h\"}"
        );
    }
    assert_eq!(store.dump().len(), 2);
}

#[test]
fn evicted_groups_are_asked_for_again() {
    let (writer, store) = receiver(Limits::default());
    let a: Pairs<'_> = &[("__name__", "a")];
    assert_eq!(send_v1(&writer, &[(a, &[(1, 1.0)])]).status, 204);
    store.forget_groups();
    let answer = send_v1(&writer, &[(a, &[(2, 2.0)])]);
    assert_eq!((answer.status, answer.written.samples), (204, 1));
    assert_eq!(store.dump(), ["a 1 1", "a 2 2"]);
}

#[test]
fn a_full_group_is_followed_by_another() {
    let (writer, store) = receiver(Limits { group_series: 3, ..Limits::default() });
    let send = |writer: &Writer, names: std::ops::Range<u32>, t: i64| {
        let mut w = Wire::default();
        for n in names {
            v1_series(&mut w, &[("__name__", &format!("m{n}")), ("job", "j")], &[(t, 1.0)]);
        }
        writer.remote_write("s", V1, &packed(w.bytes()), NOW).status
    };
    assert_eq!((send(&writer, 0..4, 1), send(&writer, 2..8, 2)), (204, 204));
    let groups = [("write/s/j/".to_owned(), 3), ("write/s/j//2".into(), 3), ("write/s/j//3".into(), 2)];
    assert_eq!(store.group_names(), groups);
    // After a restart nothing is made twice, in whichever order they come.
    let again = Writer::new(store.clone(), Limits { group_series: 3, ..Limits::default() });
    assert_eq!((send(&again, 5..9, 3), send(&again, 0..9, 4)), (204, 204));
    let [first, second, ..] = groups;
    assert_eq!(store.group_names(), [first, second, ("write/s/j//3".into(), 3)]);
}

#[test]
fn limits_have_reasons() {
    let limits = Limits { series: 2, labels: 2, samples_per_second: Some(1), body_bytes: 300, ..Limits::default() };
    let (writer, store) = receiver(limits);
    let name = |n: &'static str| -> Vec<(&'static str, &'static str)> { vec![("__name__", n)] };
    let (a, b, c) = (name("a"), name("b"), name("c"));
    let answer = send_v1(&writer, &[(&a, &[(1, 1.0)]), (&b, &[(1, 1.0)]), (&c, &[(1, 1.0), (2, 1.0)])]);
    let text = "2 series are the limit of this sender: {__name__=\"c\"} was left out; drop labels with many values, \
                or raise the limit";
    assert_eq!((answer.status, answer.text.as_str(), answer.rejected), (400, text, 2));
    let wide: Pairs<'_> = &[("__name__", "w"), ("x", "1"), ("y", "2")];
    assert!(send_v1(&writer, &[(wide, &[(1, 1.0)])]).text.starts_with("3 labels are over the limit of 2 labels"));
    let many: Vec<(i64, f64)> = (10..15).map(|t| (t, 1.0)).collect();
    assert_eq!(send_v1(&writer, &[(&a, &many)]).status, 204);
    let answer = send_v1(&writer, &[(&a, &[(20, 1.0), (21, 1.0), (22, 1.0), (23, 1.0)])]);
    assert_eq!((answer.status, answer.retry_after_s, answer.rejected), (429, Some(5), 4));
    assert_eq!(writer.remote_write("team", V1, &[0; 301], NOW).status, 413);
    assert_eq!(writer.remote_write("team", V1, b"nonsense", NOW).status, 400);
    assert_eq!(writer.remote_write("team", V1, &packed(&[0x0a, 5, 1]), NOW).status, 400);
    assert_eq!(writer.remote_write("team", ("text/plain", ""), b"", NOW).status, 415);
    store.fill_up();
    writer.sender("team", NOW).unwrap().set_limits(Limits::default());
    let answer = send_v1(&writer, &[(&a, &[(30, 1.0)])]);
    assert_eq!((answer.status, answer.text.as_str()), (503, "nothing was written: the disk is full"));
    let counted: Vec<_> = writer.sender("team", NOW).unwrap().counters().rejected().filter(|(_, n)| *n > 0).collect();
    let expect = [
        (Reason::Body, 1),
        (Reason::Malformed, 3),
        (Reason::Rate, 4),
        (Reason::Series, 2),
        (Reason::Labels, 1),
        (Reason::Store, 1),
    ];
    assert_eq!(counted, expect);
}

#[test]
fn labels_behind_samples_belong_to_the_series_too() {
    let (writer, store) = receiver(Limits::default());
    let mut w = Wire::default();
    let label = |w: &mut Wire, name: &str, value: &str| {
        w.message(1, |w| {
            w.string(1, name);
            w.string(2, value);
        });
    };
    let sample = |w: &mut Wire, t: i64| {
        w.message(2, |w| {
            w.double(1, 1.0);
            w.int(2, t);
        });
    };
    w.message(1, |w| {
        label(w, "__name__", "a");
        sample(w, 1);
        label(w, "b", "c");
        sample(w, 2);
    });
    v1_series(&mut w, &[("__name__", "a"), ("b", "c")], &[(3, 1.0)]);
    assert_eq!(writer.remote_write("", V1, &packed(w.bytes()), NOW).status, 204);
    assert_eq!(store.dump(), [r#"a{b="c"} 1 1"#, r#"a{b="c"} 2 1"#, r#"a{b="c"} 3 1"#]);
    assert_eq!(store.asked(), 1);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(plain in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (writer, _) = receiver(Limits::default());
        for headers in [V1, V2] {
            let answer = writer.remote_write("", headers, &packed(&plain), NOW);
            prop_assert!([204, 400].contains(&answer.status));
            writer.remote_write("", headers, &plain, NOW);
        }
    }

    /// A request that was damaged in one place is read, or refused.
    #[test]
    fn damaged_requests_never_panic(at in 0usize..200, byte in any::<u8>()) {
        let (writer, _) = receiver(Limits::default());
        let mut request = V2Request::new();
        request.series(&[("__name__", "a"), ("b", "c")], |w| {
            v2_sample(w, 1, 1.0, 1);
            w.message(3, |w| {
                w.uint(1, 3);
                w.message(11, |w| w.uint(2, 2));
                w.sints(12, [1, 1]);
            });
        });
        let mut plain = snap::raw::Decoder::new().decompress_vec(&request.body()).unwrap();
        let at = at % plain.len();
        plain[at] = byte;
        writer.remote_write("", V2, &packed(&plain), NOW);
    }
}
