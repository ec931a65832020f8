//! Results as Prometheus writes them. Pure.

use std::fmt::Write as _;

use axum::response::{IntoResponse, Response};
use decide_promql::{AnnotationKind, Evaluated, Value, format_number};
use http::header;
use kernel::Labels;
use kernel::series::Sample;

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
                out.push_str(r#","value":"#);
                point(&mut out, &one.sample);
                out.push('}');
            }
            out.push(']');
        }
        Value::Matrix(all) => {
            out.push_str(r#"matrix","result":["#);
            for (i, one) in all.iter().enumerate() {
                metric(&mut out, i, &one.labels);
                out.push_str(r#","values":["#);
                for (j, sample) in one.samples.iter().enumerate() {
                    out.push_str(if j == 0 { "" } else { "," });
                    point(&mut out, sample);
                }
                out.push_str("]}");
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

fn point(out: &mut String, sample: &Sample) {
    let (seconds, rest) = (sample.t_ms.div_euclid(1_000), sample.t_ms.rem_euclid(1_000));
    let _ = match rest {
        0 => write!(out, "[{seconds}"),
        _ => write!(out, "[{seconds}.{rest:03}"),
    };
    let _ = write!(out, r#","{}"]"#, format_number(sample.value));
}

fn remarks(out: &mut String, found: &Evaluated, kind: AnnotationKind, name: &str) {
    let all: Vec<String> = found.annotations.iter().filter(|a| a.kind == kind).map(ToString::to_string).collect();
    if !all.is_empty() {
        let _ = write!(out, r#","{name}":{}"#, serde_json::to_string(&all).unwrap_or_default());
    }
}
