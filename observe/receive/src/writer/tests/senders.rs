//! Several senders of one space: series in common, limits and counters apart.

use std::sync::Arc;

use super::memory::Memory;
use crate::limits::{Limits, Reason};
use crate::otlp::{Form, OtlpOptions};
use crate::wire::Writer as Wire;
use crate::writer::{Answer, OTHERS, SENDERS_OF_SPACE, SenderName, Writer};

const NOW: i64 = 1_000_000;
/// Longer than a sender is remembered that sends nothing.
const LATER: i64 = NOW + 5 * 3_600_000;

fn of(sender: &str) -> SenderName {
    SenderName { space: String::new(), sender: sender.to_owned() }
}

/// Sends one sample of each series.
fn send(writer: &Writer, sender: &str, series: std::ops::Range<u32>, t_ms: i64, now_ms: i64) -> Answer {
    let mut w = Wire::default();
    for n in series {
        w.message(1, |w| {
            for (name, value) in [("__name__", "m"), ("n", &n.to_string())] {
                w.message(1, |w| {
                    w.string(1, name);
                    w.string(2, value);
                });
            }
            w.message(2, |w| {
                w.double(1, f64::from(n));
                w.int(2, t_ms);
            });
        });
    }
    let body = snap::raw::Encoder::new().compress_vec(w.bytes()).unwrap();
    writer.remote_write(of(sender), ("application/x-protobuf", "snappy"), &body, now_ms)
}

fn rejected(writer: &Writer, sender: &str) -> Vec<(Reason, u64)> {
    let sender = writer.sender(of(sender), NOW).unwrap();
    sender.counters().rejected().filter(|(_, n)| *n > 0).collect()
}

#[test]
fn one_that_brings_too_much_takes_nothing_from_the_others() {
    let store = Arc::new(Memory::default());
    let limits = Limits { series: 10, samples_per_second: Some(3), ..Limits::default() };
    let writer = Writer::new(store.clone(), limits);
    let bad = send(&writer, "192.0.2.1", 0..25, 1, NOW);
    assert_eq!((bad.status, bad.rejected), (400, 15));
    assert!(bad.text.contains("10 series are the limit of this sender"), "{}", bad.text);
    // What the bad one has brought is there for the other too, and is one series.
    let good = send(&writer, "192.0.2.2", 5..15, 2, NOW);
    assert_eq!((good.status, good.written.samples), (204, 10), "{}", good.text);
    assert_eq!(store.group_names(), [("write///".to_owned(), 15)]);
    // The rate is each one's own: the bad one goes on without pause.
    let mut turned_away = 0;
    for t in 3..20 {
        let bad = send(&writer, "192.0.2.1", 0..10, t, NOW + 10);
        turned_away += u64::from(bad.status == 429) * 10;
    }
    assert!(turned_away >= 140, "{turned_away}");
    assert_eq!(send(&writer, "192.0.2.2", 5..10, 21, NOW + 10).status, 204);
    assert_eq!(rejected(&writer, "192.0.2.1"), [(Reason::Rate, turned_away), (Reason::Series, 15)]);
    assert_eq!(rejected(&writer, "192.0.2.2"), []);
    let series: Vec<_> = writer.senders().iter().map(|s| (s.name().to_owned(), s.series())).collect();
    assert_eq!(series, [("192.0.2.1".to_owned(), 10), ("192.0.2.2".to_owned(), 10)]);
}

#[test]
fn the_same_sample_is_a_duplicate_whoever_sends_it() {
    let store = Arc::new(Memory::default());
    let writer = Writer::new(store.clone(), Limits::default());
    assert_eq!(send(&writer, "a", 0..3, 1, NOW).status, 204);
    assert_eq!(send(&writer, "b", 0..3, 1, NOW).status, 204);
    assert_eq!(store.dump().len(), 3);
}

#[test]
fn whoever_has_many_addresses_has_not_as_many_limits() {
    let writer = Writer::new(Arc::new(Memory::default()), Limits { series: 1, ..Limits::default() });
    for n in 0..SENDERS_OF_SPACE as u32 {
        assert_eq!(send(&writer, &format!("a{n}"), n..n + 1, 1, NOW).status, 204);
    }
    assert_eq!(send(&writer, "b1", 5_000..5_001, 1, NOW).status, 204);
    assert_eq!(send(&writer, "b2", 5_001..5_002, 1, NOW).status, 400, "it shares its limit with b1");
    assert_eq!(rejected(&writer, OTHERS), [(Reason::Series, 1)]);
    assert_eq!(writer.senders().len(), SENDERS_OF_SPACE + 1);
    // Another space is not touched, and after some hours there is room again.
    assert_eq!(writer.sender("team", NOW).unwrap().name(), "team");
    assert_eq!(send(&writer, "b3", 5_003..5_004, 2, LATER).status, 204);
    assert_eq!(writer.sender(of("b3"), LATER).unwrap().name(), "b3");
}

#[test]
fn a_stream_of_deltas_goes_on_when_it_comes_by_another_way() {
    let store = Arc::new(Memory::default());
    let writer = Writer::new(store.clone(), Limits::default());
    for (n, sender) in ["a", "b", "a"].into_iter().enumerate() {
        let (from, to) = (n as u64 * 1_000_000, (n as u64 + 1) * 1_000_000);
        let point =
            serde_json::json!({"asInt": 5, "startTimeUnixNano": from.to_string(), "timeUnixNano": to.to_string()});
        let sum = serde_json::json!({"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [point]});
        let metrics = serde_json::json!([{"name": "c", "sum": sum}]);
        let body = serde_json::json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}).to_string();
        let answer = writer.otlp(of(sender), (Form::Json, ""), body.as_bytes(), &OtlpOptions::default(), NOW);
        assert_eq!((answer.status, answer.rejected), (200, 0), "{}", answer.text);
    }
    assert_eq!(store.dump(), ["c_total 1 5", "c_total 2 10", "c_total 3 15"]);
}
