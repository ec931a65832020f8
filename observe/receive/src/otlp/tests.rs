//! What OpenTelemetry's senders send, and which series it becomes.

use std::sync::Arc;

use kernel::series::{Point, is_stale};
use proptest::prelude::*;
use serde_json::json;

use super::{Form, OtlpOptions, Translation};
use crate::limits::Limits;
use crate::wire::Writer as Wire;
use crate::writer::tests::memory::Memory;
use crate::writer::{Answer, Writer};

const NOW: i64 = 2_000_000_000_000;

fn receiver() -> (Writer, Arc<Memory>) {
    let store = Arc::new(Memory::default());
    (Writer::new(store.clone(), Limits::default()), store)
}

fn send(writer: &Writer, metrics: serde_json::Value, options: &OtlpOptions) -> Answer {
    let resource = json!([
        {"key": "service.name", "value": {"stringValue": "shop"}},
        {"key": "service.namespace", "value": {"stringValue": "eu"}},
        {"key": "service.instance.id", "value": {"stringValue": "i-1"}},
        {"key": "host.name", "value": {"stringValue": "h"}},
        {"key": "cores", "value": {"intValue": "8"}},
    ]);
    let scope = json!({"name": "lib.x", "version": "2", "attributes": [{"key": "a.b", "value": {"boolValue": true}}]});
    let body = json!({"resourceMetrics": [
        {"resource": {"attributes": resource}, "scopeMetrics": [{"scope": scope, "metrics": metrics}]}
    ]});
    writer.otlp("", (Form::Json, ""), body.to_string().as_bytes(), options, NOW)
}

fn check(metrics: serde_json::Value, options: &OtlpOptions, expect: &[&str]) -> Arc<Memory> {
    let (writer, store) = receiver();
    let answer = send(&writer, metrics, options);
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(store.dump(), expect);
    store
}

fn without_target_info() -> OtlpOptions {
    OtlpOptions { target_info: false, ..OtlpOptions::default() }
}

#[test]
fn numbers_become_gauges_and_counters() {
    let metrics = json!([
        {"name": "http.requests", "unit": "{request}", "description": "All.", "sum": {
            "aggregationTemporality": 2, "isMonotonic": true,
            "dataPoints": [{
                "asInt": "7", "startTimeUnixNano": "1000000000", "timeUnixNano": "5000000000",
                "attributes": [
                    {"key": "http.method", "value": {"stringValue": "GET"}},
                    {"key": "http_method", "value": {"stringValue": "get"}},
                    {"key": "tags", "value": {"arrayValue": {"values": [{"stringValue": "x"}, {"intValue": 2}]}}},
                ],
                "exemplars": [{
                    "asDouble": 0.5, "timeUnixNano": "4000000000", "traceId": "5B8EFFF798038103D269B633813FC60C",
                    "spanId": "0000000000000000",
                    "filteredAttributes": [{"key": "user", "value": {"stringValue": "u"}}],
                }],
            }],
        }},
        {"name": "cpu.utilization", "unit": "1", "gauge": {"dataPoints": [
            {"asDouble": 0.25, "timeUnixNano": "5000000000"},
            {"asDouble": 0.5, "timeUnixNano": "6000000000", "flags": 1},
        ]}},
    ]);
    let series = r#"http_requests_total{http_method="GET;get", instance="i-1", job="eu/shop", tags="[\"x\",2]"}"#;
    let gauge = r#"cpu_utilization_ratio{instance="i-1", job="eu/shop"}"#;
    let info = r#"target_info{cores="8", host_name="h", instance="i-1", job="eu/shop"}"#;
    let expect = [
        format!("{gauge} 5000 0.25"),
        format!("{gauge} 6000 NaN"),
        format!("{series} 5000 7 since 1000"),
        format!("{info} 5000 1"),
        format!("{info} 6000 1"),
    ];
    let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
    let store = check(metrics, &OtlpOptions::default(), &expect);
    let exemplar = &store.exemplars()[0].1;
    assert_eq!((exemplar.value, exemplar.t_ms), (0.5, 4000));
    assert_eq!(exemplar.labels.get("trace_id"), Some("5b8efff798038103d269b633813fc60c"));
    assert_eq!((exemplar.labels.get("span_id"), exemplar.labels.get("user")), (None, Some("u")));
    let stale = store.points().into_iter().find(|(_, t, _)| *t == 6000).map(|(_, _, point)| point);
    assert!(store.points().iter().any(|(_, _, point)| point.is_stale()), "{stale:?}");
}

#[test]
fn names_and_labels_follow_the_options() {
    let metrics = json!([{"name": "a.b", "unit": "s", "gauge": {"dataPoints": [{
        "asInt": 1, "timeUnixNano": 1_000_000, "attributes": [{"key": "x.y", "value": {"doubleValue": 1.5}}],
    }]}}]);
    let options = OtlpOptions {
        translation: Translation::NoUtf8EscapingWithSuffixes,
        promote: vec!["host.name".into()],
        scope_labels: true,
        ..without_target_info()
    };
    let scope = r#"otel_scope_name="lib.x", otel_scope_version="2""#;
    let expect = format!(
        r#"a.b_seconds{{host.name="h", instance="i-1", job="eu/shop", otel_scope_a.b="true", {scope}, x.y="1.5"}} 1 1"#
    );
    check(metrics.clone(), &options, &[&expect]);
    let options = OtlpOptions {
        promote_all: true,
        ignore: vec!["cores".into(), "service.name".into(), "service.namespace".into(), "service.instance.id".into()],
        keep_identifying: true,
        ..OtlpOptions::default()
    };
    let info = r#"target_info{cores="8", host_name="h", instance="i-1", job="eu/shop", service_instance_id="i-1", "#;
    let expect = [
        r#"a_b_seconds{host_name="h", instance="i-1", job="eu/shop", x_y="1.5"} 1 1"#.to_owned(),
        format!(r#"{info}service_name="shop", service_namespace="eu"}} 1 1"#),
    ];
    check(metrics, &options, &[&expect[0], &expect[1]]);
}

fn histogram() -> serde_json::Value {
    json!([{"name": "latency", "unit": "ms", "histogram": {"aggregationTemporality": 2, "dataPoints": [{
        "count": "6", "sum": 12.5, "bucketCounts": ["1", "2", "3"], "explicitBounds": [0.5, 10],
        "startTimeUnixNano": "1000000", "timeUnixNano": "2000000",
        "exemplars": [{"asDouble": 7, "timeUnixNano": "2000000"}, {"asDouble": 70, "timeUnixNano": "2000000"}],
    }]}}])
}

#[test]
fn explicit_histograms_become_classic_ones() {
    let labels = r#"instance="i-1", job="eu/shop""#;
    let bucket =
        |le: &str, count: u64| format!(r#"latency_milliseconds_bucket{{{labels}, le="{le}"}} 2 {count} since 1"#);
    let labels = format!("{{{labels}}}");
    let expect = [
        bucket("+Inf", 6),
        bucket("0.5", 1),
        bucket("10", 3),
        format!("latency_milliseconds_count{labels} 2 6 since 1"),
        format!("latency_milliseconds_sum{labels} 2 12.5 since 1"),
    ];
    let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
    let store = check(histogram(), &without_target_info(), &expect);
    let exemplars = store.exemplars();
    let mut at: Vec<_> = exemplars.iter().map(|(l, e)| (l.get("le").unwrap_or_default(), e.value)).collect();
    at.sort_by(|a, b| a.1.total_cmp(&b.1));
    assert_eq!(at, [("10", 7.0), ("+Inf", 70.0)]);
    let options = OtlpOptions { custom_bounds: true, ..without_target_info() };
    let series = r#"latency_milliseconds{instance="i-1", job="eu/shop"}"#;
    let store = check(histogram(), &options, &[&format!("{series} 2 histogram(count 6, sum 12.5) since 1")]);
    let Point::Histogram(h) = &store.points()[0].2 else { panic!("no histogram") };
    assert_eq!((h.schema, h.custom_bounds.as_slice()), (-53, &[0.5, 10.0][..]));
}

#[test]
fn exponential_histograms_and_summaries() {
    let metrics = json!([
        {"name": "size", "unit": "By", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [
            {
                "count": 4, "sum": 9, "scale": 1, "zeroCount": "1", "timeUnixNano": "3000000",
                "positive": {"offset": 2, "bucketCounts": ["1", "0", "2"]},
            },
            {"timeUnixNano": "4000000", "flags": 1},
        ]}},
        {"name": "wait", "summary": {"dataPoints": [
            {"count": 2, "sum": 3, "timeUnixNano": "3000000", "quantileValues": [{"quantile": 0.99, "value": 2}]},
        ]}},
    ]);
    let labels = r#"{instance="i-1", job="eu/shop"}"#;
    let expect = [
        format!("size_bytes{labels} 3 histogram(count 4, sum 9)"),
        format!("size_bytes{labels} 4 histogram(count 0, sum NaN)"),
        format!("wait_count{labels} 3 2"),
        format!("wait_sum{labels} 3 3"),
        r#"wait{instance="i-1", job="eu/shop", quantile="0.99"} 3 2"#.to_owned(),
    ];
    let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
    let store = check(metrics, &without_target_info(), &expect);
    let stale = store.points().into_iter().find(|(_, t, _)| *t == 4).map(|(_, _, point)| point);
    assert!(matches!(stale, Some(Point::Histogram(h)) if is_stale(h.sum)));
}

#[test]
fn deltas_add_up_or_are_refused() {
    let (writer, store) = receiver();
    let delta = |start: u64, t: u64, v: u64| {
        json!([{"name": "n", "sum": {"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [{
            "asInt": v, "startTimeUnixNano": start * 1_000_000, "timeUnixNano": t * 1_000_000,
        }]}}])
    };
    let options = without_target_info();
    for (start, t, v) in [(10, 20, 3), (20, 30, 4), (20, 30, 4)] {
        assert_eq!(send(&writer, delta(start, t, v), &options).status, 200);
    }
    let labels = r#"n_total{instance="i-1", job="eu/shop"}"#;
    assert_eq!(store.dump(), [format!("{labels} 20 3 since 10"), format!("{labels} 30 7 since 10")]);
    let late = send(&writer, delta(5, 25, 1), &options);
    assert_eq!((late.status, late.rejected), (200, 1));
    assert_eq!(late.text, "1 delta points lie before points that were added already");
    let refused = send(&writer, delta(30, 40, 1), &OtlpOptions { add_deltas: false, ..options });
    assert_eq!((refused.status, refused.rejected), (400, 1));
    assert_eq!(refused.text, "invalid temporality and type combination for metric \"n\"");
}

#[test]
fn a_part_that_fails_is_a_partial_success() {
    let (writer, store) = receiver();
    let metrics = json!([
        {"name": "ok", "gauge": {"dataPoints": [{"asInt": 1, "timeUnixNano": 1_000_000}]}},
        {"name": "...", "gauge": {"dataPoints": [{"asInt": 1, "timeUnixNano": 1_000_000}]}},
    ]);
    let answer = send(&writer, metrics, &without_target_info());
    assert_eq!((answer.status, answer.rejected, store.dump().len()), (200, 1, 1));
    let text = "normalization for metric \"...\" resulted in empty name";
    assert_eq!(answer.text, text);
    let json: serde_json::Value = serde_json::from_slice(&Form::Json.answer(&answer)).unwrap();
    assert_eq!(json, json!({"partialSuccess": {"rejectedDataPoints": "1", "errorMessage": text}}));
    let mut expect = Wire::default();
    expect.message(1, |w| {
        w.uint(1, 1);
        w.string(2, text);
    });
    assert_eq!(Form::Protobuf.answer(&answer), expect.finish());
    let whole = Answer { status: 200, ..Answer::default() };
    assert_eq!((Form::Json.answer(&whole), Form::Protobuf.answer(&whole)), (b"{}".to_vec(), Vec::new()));
    assert_eq!(writer.otlp("", (Form::Json, ""), b"[1]", &OtlpOptions::default(), NOW).status, 400);
    assert_eq!(writer.otlp("", (Form::Json, "br"), b"{}", &OtlpOptions::default(), NOW).status, 415);
    assert!(Form::of("text/plain").is_err());
}

fn protobuf() -> Vec<u8> {
    let key_value = |w: &mut Wire, field: u32, key: &str, value: &str| {
        w.message(field, |w| {
            w.string(1, key);
            w.message(2, |w| w.string(1, value));
        });
    };
    let mut w = Wire::default();
    w.message(1, |w| {
        w.message(1, |w| key_value(w, 1, "service.name", "shop"));
        w.message(2, |w| {
            w.message(1, |w| w.string(1, "lib"));
            w.message(2, |w| {
                w.string(1, "h");
                w.message(9, |w| {
                    w.uint(2, 2);
                    w.message(1, |w| {
                        key_value(w, 9, "k", "v");
                        w.fixed64(2, 1_000_000);
                        w.fixed64(3, 2_000_000);
                        w.fixed64(4, 3);
                        w.double(5, 1.5);
                        w.message(6, |_| ());
                        w.fixed64(6, 1);
                        w.fixed64(6, 2);
                        w.doubles(7, &[1.0]);
                    });
                });
            });
            w.message(2, |w| {
                w.string(1, "e");
                w.message(10, |w| {
                    w.uint(2, 2);
                    w.message(1, |w| {
                        w.fixed64(3, 2_000_000);
                        w.fixed64(4, 4);
                        w.sint(6, -1);
                        w.fixed64(7, 1);
                        w.message(9, |w| {
                            w.sint(1, -3);
                            w.varints(2, [1, 2]);
                        });
                    });
                });
            });
            w.message(2, |w| {
                w.string(1, "g");
                w.message(5, |w| {
                    w.message(1, |w| {
                        w.fixed64(3, 2_000_000);
                        w.fixed64(6, (-5i64) as u64);
                    })
                });
            });
        });
    });
    w.finish()
}

#[test]
fn protobuf_says_the_same_as_json() {
    let (writer, store) = receiver();
    let answer = writer.otlp("", (Form::Protobuf, ""), &protobuf(), &OtlpOptions::default(), NOW);
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    let expect = [
        r#"e{job="shop"} 2 histogram(count 4, sum 0)"#,
        r#"g{job="shop"} 2 -5"#,
        r#"h_bucket{job="shop", k="v", le="+Inf"} 2 3 since 1"#,
        r#"h_bucket{job="shop", k="v", le="1"} 2 1 since 1"#,
        r#"h_count{job="shop", k="v"} 2 3 since 1"#,
        r#"h_sum{job="shop", k="v"} 2 1.5 since 1"#,
    ];
    assert_eq!(store.dump(), expect);
    let metadata: Vec<_> = answer.metadata.iter().map(|m| (m.family.as_str(), m.kind.name())).collect();
    assert_eq!(metadata, [("h", "histogram"), ("e", "histogram"), ("g", "gauge")]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (writer, _) = receiver();
        writer.otlp("", (Form::Protobuf, ""), &bytes, &OtlpOptions::default(), NOW);
        writer.otlp("", (Form::Json, ""), &bytes, &OtlpOptions::default(), NOW);
    }

    #[test]
    fn arbitrary_points_never_panic(
        t in any::<u64>(), start in any::<u64>(), scale in any::<i32>(), offset in any::<i32>(),
        counts in proptest::collection::vec(any::<u64>(), 0..20), bounds in proptest::collection::vec(any::<f64>(), 0..20),
        temporality in 0u64..4,
    ) {
        let (writer, _) = receiver();
        let mut w = Wire::default();
        w.message(1, |w| {
            w.message(1, |w| w.message(1, |w| {
                w.string(1, "service.name");
                w.message(2, |w| w.string(1, "a"));
            }));
            w.message(1, |w| w.message(1, |w| {
                w.string(1, "x");
                w.message(2, |w| w.double(4, f64::from(scale)));
            }));
            w.message(2, |w| {
                for (field, name) in [(9u32, "h"), (10, "e")] {
                    w.message(2, |w| {
                        w.string(1, name);
                        w.message(field, |w| {
                            w.uint(2, temporality);
                            for t in [t, start, t / 2] {
                                w.message(1, |w| {
                                    w.fixed64(2, start);
                                    w.fixed64(3, t);
                                    w.fixed64(4, counts.iter().fold(0, |a: u64, b| a.wrapping_add(*b)));
                                    if field == 9 {
                                        for count in &counts {
                                            w.fixed64(6, *count);
                                        }
                                        w.doubles(7, &bounds);
                                    } else {
                                        w.sint(6, i64::from(scale));
                                        w.message(8, |w| {
                                            w.sint(1, i64::from(offset));
                                            w.varints(2, counts.iter().copied());
                                        });
                                    }
                                });
                            }
                        });
                    });
                }
            });
        });
        for custom_bounds in [false, true] {
            let options = OtlpOptions { custom_bounds, ..OtlpOptions::default() };
            writer.otlp("", (Form::Protobuf, ""), w.bytes(), &options, NOW);
        }
    }
}
