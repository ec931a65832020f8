//! `/api/v1/status/self_metrics`: its own numbers as JSON, read out of their text form. Pure.
//!
//! Each family is a message `io.prometheus.client.MetricFamily` in the JSON form of protobuf
//! (<https://protobuf.dev/programming-guides/json/>).

use serde_json::{Map, Value, json};

use crate::answer::{Answer, Api, success};
use crate::error::ApiError;
use crate::params::Params;

/// `GET /api/v1/status/self_metrics`
pub(crate) async fn self_metrics(api: Api, params: Params) -> Answer {
    let pattern = params.get("metric_name_pattern").map(kernel::re2::anchored).transpose();
    let pattern = pattern.map_err(|e| ApiError::bad(format!("invalid metric_name_pattern: {e}")))?;
    let mut all = families(&api.own_metrics());
    all.retain(|family| pattern.as_ref().is_none_or(|p| family["name"].as_str().is_some_and(|n| p.is_match(n))));
    success(&all)
}

/// The families of a text. It is our own, so that a line that cannot be read is left out.
fn families(text: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or((rest, ""));
            family(&mut all, name)["help"] = json!(unescaped(help));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, ""));
            family(&mut all, name)["type"] = json!(match kind {
                "counter" => "COUNTER",
                "gauge" => "GAUGE",
                _ => "UNTYPED",
            });
        } else if let Some((name, labels, value)) = sample(line) {
            let family = family(&mut all, name);
            let part = family["type"].as_str().unwrap_or("UNTYPED").to_lowercase();
            let mut metric = Map::new();
            let labels: Vec<Value> = labels.iter().map(|(n, v)| json!({ "name": n, "value": v })).collect();
            metric.insert("label".to_owned(), Value::Array(labels));
            metric.insert(part, json!({ "value": value }));
            if let Some(list) = family["metric"].as_array_mut() {
                list.push(Value::Object(metric));
            }
        }
    }
    all.retain(|family| family["metric"].as_array().is_some_and(|m| !m.is_empty()));
    all.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    all
}

/// The family of that name, made when it is new: lines of one stand together.
fn family<'a>(all: &'a mut Vec<Value>, name: &str) -> &'a mut Value {
    if all.last().is_none_or(|last| last["name"] != name) {
        all.push(json!({ "name": name, "help": "", "type": "UNTYPED", "metric": [] }));
    }
    let last = all.len() - 1;
    &mut all[last]
}

type Labels = Vec<(String, String)>;

/// A line `name{label="value",…} number`.
fn sample(line: &str) -> Option<(&str, Labels, Value)> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while let Some((label, after)) = rest.trim_start_matches(',').split_once("=\"") {
            if rest.starts_with('}') {
                break;
            }
            let close = closing(after)?;
            labels.push((label.to_owned(), unescaped(&after[..close])));
            rest = &after[close + 1..];
        }
        rest = rest.strip_prefix('}')?;
    }
    let number = rest.split_whitespace().next()?;
    let value: f64 = number.replace("Inf", "inf").parse().ok()?;
    // JSON has no such numbers; protobuf's form of it writes them as texts.
    let value = match value {
        v if v.is_nan() => json!("NaN"),
        v if v == f64::INFINITY => json!("Infinity"),
        v if v == f64::NEG_INFINITY => json!("-Infinity"),
        v if v.fract() == 0.0 && v.abs() < 9_007_199_254_740_992.0 => json!(v as i64),
        v => json!(v),
    };
    Some((name, labels, value))
}

/// Where a text in quotes ends.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    let mut closes = |c: char| {
        let plain = !escaped;
        escaped = plain && c == '\\';
        plain && c == '"'
    };
    text.char_indices().find(|(_, c)| closes(*c)).map(|(at, _)| at)
}

fn unescaped(text: &str) -> String {
    let (mut out, mut letters) = (String::with_capacity(text.len()), text.chars());
    while let Some(c) = letters.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_become_messages() {
        let text = "# HELP a_total How \\\\ often.\n# TYPE a_total counter\na_total{x=\"1,\\\"}\",y=\"b\\nc\"} 3\na_total 2.5\n\
                    # HELP none Nothing.\n# TYPE none gauge\n# TYPE g gauge\ng NaN\n";
        let expect = json!([
            { "name": "a_total", "help": "How \\ often.", "type": "COUNTER", "metric": [
                { "label": [{ "name": "x", "value": "1,\"}" }, { "name": "y", "value": "b\nc" }], "counter": { "value": 3 } },
                { "label": [], "counter": { "value": 2.5 } },
            ]},
            { "name": "g", "help": "", "type": "GAUGE", "metric": [{ "label": [], "gauge": { "value": "NaN" } }] },
        ]);
        assert_eq!(json!(families(text)), expect);
    }
}
