//! Results as Prometheus writes them. Pure.

use std::fmt::Write as _;

use axum::response::{IntoResponse, Response};
use decide_promql::{AnnotationKind, Evaluated, Value, format_number};
use http::header;
use kernel::Labels;
use kernel::series::{Histogram, Point, Sample};

/// A successful answer. Written by hand: a range query may have a million points.
pub(super) fn evaluated(found: &Evaluated) -> Response {
    let mut out = String::with_capacity(1_024);
    out.push_str(r#"{"status":"success","data":{"resultType":""#);
    match &found.value {
        Value::Scalar(sample) => {
            out.push_str(r#"scalar","result":"#);
            point(&mut out, sample);
        }
        Value::String(text) => {
            let text = serde_json::to_string(text).unwrap_or_default();
            let _ = write!(out, r#"string","result":[0,{text}]"#);
        }
        Value::Vector(all) => {
            out.push_str(r#"vector","result":["#);
            for (i, one) in all.iter().enumerate() {
                metric(&mut out, i, &one.labels);
                match &one.value {
                    Point::Float(value) => {
                        out.push_str(r#","value":"#);
                        point(&mut out, &Sample { t_ms: one.t_ms, value: *value });
                    }
                    Point::Histogram(h) => {
                        out.push_str(r#","histogram":"#);
                        native(&mut out, one.t_ms, h);
                    }
                }
                out.push('}');
            }
            out.push(']');
        }
        Value::Matrix(all) => {
            out.push_str(r#"matrix","result":["#);
            for (i, one) in all.iter().enumerate() {
                metric(&mut out, i, &one.labels);
                if !one.samples.is_empty() || one.histograms.is_empty() {
                    out.push_str(r#","values":["#);
                    for (j, sample) in one.samples.iter().enumerate() {
                        out.push_str(if j == 0 { "" } else { "," });
                        point(&mut out, sample);
                    }
                    out.push(']');
                }
                if !one.histograms.is_empty() {
                    out.push_str(r#","histograms":["#);
                    for (j, (t, h)) in one.histograms.iter().enumerate() {
                        out.push_str(if j == 0 { "" } else { "," });
                        native(&mut out, *t, h);
                    }
                    out.push(']');
                }
                out.push('}');
            }
            out.push(']');
        }
        other => {
            let text = serde_json::to_string(&format!("{other:?}")).unwrap_or_default();
            let _ = write!(out, r#"string","result":[0,{text}]"#);
        }
    }
    out.push('}');
    remarks(&mut out, found, AnnotationKind::Warning, "warnings");
    remarks(&mut out, found, AnnotationKind::Info, "infos");
    out.push('}');
    ([(header::CONTENT_TYPE, "application/json")], out).into_response()
}

fn metric(out: &mut String, i: usize, labels: &Labels) {
    let labels = serde_json::to_string(labels).unwrap_or_default();
    // Writing into a String cannot fail.
    let _ = write!(out, r#"{}{{"metric":{labels}"#, if i == 0 { "" } else { "," });
}

/// Opens a point with its time in seconds.
fn time(out: &mut String, t_ms: i64) {
    let (sign, ms) = (if t_ms < 0 { "-" } else { "" }, t_ms.unsigned_abs());
    let (seconds, rest) = (ms / 1_000, ms % 1_000);
    let _ = match rest {
        0 => write!(out, "[{sign}{seconds}"),
        _ => write!(out, "[{sign}{seconds}.{rest:03}"),
    };
}

fn point(out: &mut String, sample: &Sample) {
    time(out, sample.t_ms);
    let _ = write!(out, r#","{}"]"#, format_number(sample.value));
}

/// A native histogram: count, sum, and the buckets that hold something, each with the rule of its bounds.
fn native(out: &mut String, t_ms: i64, h: &Histogram) {
    time(out, t_ms);
    let _ = write!(out, r#",{{"count":"{}","sum":"{}""#, format_number(h.count), format_number(h.sum));
    let buckets: Vec<_> = h.buckets().into_iter().filter(|b| b.count != 0.0).collect();
    for (i, b) in buckets.iter().enumerate() {
        out.push_str(if i == 0 { r#","buckets":["# } else { "," });
        let [lower, upper, count] = [b.lower, b.upper, b.count].map(format_number);
        let _ = write!(out, r#"[{},"{lower}","{upper}","{count}"]"#, b.boundary_rule());
    }
    out.push_str(if buckets.is_empty() { "}]" } else { "]}]" });
}

fn remarks(out: &mut String, found: &Evaluated, kind: AnnotationKind, name: &str) {
    let all: Vec<String> = found.annotations.iter().filter(|a| a.kind == kind).map(ToString::to_string).collect();
    if !all.is_empty() {
        let _ = write!(out, r#","{name}":{}"#, serde_json::to_string(&all).unwrap_or_default());
    }
}
