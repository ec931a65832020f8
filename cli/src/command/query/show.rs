//! Answers as text: tables, CSV, the tree of what the parts cost. Pure.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kernel::{Labels, Timestamp};
use serde_json::Value;

/// Anything but letters, digits and `-._~` as `%XX` (RFC 3986, section 2.3).
pub(super) fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// One point: its time in seconds and its value, a histogram in short.
struct Point<'v> {
    time: f64,
    value: &'v Value,
}

impl Point<'_> {
    fn value(&self) -> String {
        match self.value {
            Value::String(text) => text.clone(),
            Value::Object(histogram) => {
                let part = |name: &str| histogram.get(name).and_then(Value::as_str).unwrap_or("?");
                format!("histogram count={} sum={}", part("count"), part("sum"))
            }
            other => other.to_string(),
        }
    }
}

/// A series and its points.
struct Series<'v> {
    labels: Labels,
    points: Vec<Point<'v>>,
}

fn labels(metric: &Value) -> Labels {
    let pairs = metric.as_object().into_iter().flatten();
    Labels::new(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())))
}

fn point(pair: &Value) -> Option<Point<'_>> {
    Some(Point { time: pair[0].as_f64()?, value: pair.get(1)? })
}

/// The series of a result; a scalar or a text is one without labels.
fn series(data: &Value) -> Vec<Series<'_>> {
    let result = &data["result"];
    if matches!(data["resultType"].as_str(), Some("scalar" | "string")) {
        return vec![Series { labels: Labels::default(), points: point(result).into_iter().collect() }];
    }
    let one = |entry: &'_ Value| -> Labels { labels(&entry["metric"]) };
    let all = result.as_array().into_iter().flatten();
    all.map(|entry| {
        let single = ["value", "histogram"].into_iter().filter_map(|key| point(&entry[key]));
        let many = ["values", "histograms"].into_iter().flat_map(|key| entry[key].as_array().into_iter().flatten());
        let mut points: Vec<Point<'_>> = single.chain(many.filter_map(point)).collect();
        points.sort_by(|a, b| a.time.total_cmp(&b.time));
        Series { labels: one(entry), points }
    })
    .collect()
}

fn time(seconds: f64) -> String {
    Timestamp::from_millis((seconds * 1_000.0).round() as i64).to_string()
}

/// For people: a line for each series, or its name and a line for each point.
pub(super) fn table(data: &Value) -> String {
    let (all, mut out) = (series(data), String::new());
    if data["resultType"] != "matrix" {
        let names: Vec<String> = all.iter().map(|s| s.labels.to_string()).collect();
        let width = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
        for (name, one) in names.iter().zip(&all) {
            let value = one.points.first().map(Point::value).unwrap_or_default();
            let name = if one.labels.is_empty() && all.len() == 1 { String::new() } else { format!("{name:width$}  ") };
            let _ = writeln!(out, "{name}{value}");
        }
        return out;
    }
    for one in &all {
        let _ = writeln!(out, "{}", one.labels);
        for point in &one.points {
            let _ = writeln!(out, "  {}  {}", time(point.time), point.value());
        }
    }
    out
}

/// A column for each label there is, then time (seconds) and value (RFC 4180).
pub(super) fn csv(data: &Value) -> String {
    let all = series(data);
    let names: BTreeSet<&str> = all.iter().flat_map(|s| s.labels.iter().map(|(name, _)| name)).collect();
    let mut out = String::new();
    let mut line = |fields: &mut dyn Iterator<Item = String>| {
        let fields: Vec<String> = fields.map(|f| quoted(&f)).collect();
        out.push_str(&fields.join(","));
        out.push('\n');
    };
    line(&mut names.iter().map(|n| (*n).to_owned()).chain(["time".to_owned(), "value".to_owned()]));
    for one in &all {
        for point in &one.points {
            let labels = names.iter().map(|n| one.labels.get(n).unwrap_or_default().to_owned());
            line(&mut labels.chain([point.time.to_string(), point.value()]));
        }
    }
    out
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// What each part cost, parts below what they are parts of.
pub(super) fn tree(explained: &Value) -> String {
    let mut out = format!("{:>12} {:>10} {:>12}  part\n", "time", "series", "samples");
    branch(explained, 0, &mut out);
    out
}

fn branch(part: &Value, depth: usize, out: &mut String) {
    let seconds = part["seconds"].as_f64().unwrap_or(0.0);
    let (series, samples) = (part["series"].as_u64().unwrap_or(0), part["samples"].as_u64().unwrap_or(0));
    let time = format!("{:.3} ms", seconds * 1_000.0);
    let text = part["expr"].as_str().unwrap_or("?");
    let rolled = part["rollup_seconds"].as_f64();
    let rolled =
        rolled.map(|s| format!("  (roll-ups of {})", kernel::Duration::from_secs(s as u64))).unwrap_or_default();
    let _ = writeln!(out, "{time:>12} {series:>10} {samples:>12}  {}{text}{rolled}", "  ".repeat(depth));
    part["children"].as_array().into_iter().flatten().for_each(|child| branch(child, depth + 1, out));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vector() -> Value {
        json!({ "resultType": "vector", "result": [
            { "metric": { "__name__": "up", "job": "a,b" }, "value": [1.5, "1"] },
            { "metric": { "__name__": "up", "instance": "x", "job": "c" }, "value": [1.5, "NaN"] },
        ]})
    }

    #[test]
    fn vectors() {
        assert_eq!(table(&vector()), "up{job=\"a,b\"}              1\nup{instance=\"x\", job=\"c\"}  NaN\n");
        let expect = "__name__,instance,job,time,value\nup,,\"a,b\",1.5,1\nup,x,c,1.5,NaN\n";
        assert_eq!(csv(&vector()), expect);
        assert_eq!(table(&json!({ "resultType": "scalar", "result": [1, "2.5"] })), "2.5\n");
    }

    #[test]
    fn matrices_and_histograms() {
        let data = json!({ "resultType": "matrix", "result": [
            { "metric": { "__name__": "m" }, "values": [[60, "1"], [0, "2"]],
              "histograms": [[30, { "count": "3", "sum": "4.5" }]] },
        ]});
        let expect = "m\n  1970-01-01T00:00:00.000Z  2\n  1970-01-01T00:00:30.000Z  histogram count=3 sum=4.5\n  \
                      1970-01-01T00:01:00.000Z  1\n";
        assert_eq!(table(&data), expect);
        assert_eq!(csv(&data).lines().count(), 4);
    }

    #[test]
    fn trees_show_parts_below_the_whole() {
        let explained = json!({ "expr": "sum(up)", "series": 1, "samples": 0, "seconds": 0.002, "children": [
            { "expr": "up", "series": 3, "samples": 3, "seconds": 0.001, "rollup_seconds": 300, "children": [] },
        ]});
        let lines: Vec<String> = tree(&explained).lines().map(str::to_owned).collect();
        assert_eq!(lines[1], "    2.000 ms          1            0  sum(up)");
        assert_eq!(lines[2], "    1.000 ms          3            3    up  (roll-ups of 5m)");
    }

    #[test]
    fn whatever_is_no_letter_is_encoded() {
        assert_eq!(percent_encoded("a{b=\"ñ\"}~"), "a%7Bb%3D%22%C3%B1%22%7D~");
    }
}
