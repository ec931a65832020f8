//! `ExportMetricsServiceRequest` from JSON, as OTLP has it: 64-bit integers as text or numbers, ids in hexadecimal. Pure.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::model::{
    Attribute, Buckets, Data, Exemplar, Explicit, Exponential, Metric, Point, ResourceMetrics, ScopeMetrics, Summary,
    Temporality,
};
use super::value::{AnyValue, DEPTH, object};

mod shape;

type Object = Map<String, Json>;

/// The whole request, its keys as OTLP has them (`timeUnixNano`) or as protobuf's (`time_unix_nano`). What is unknown is left out.
///
/// # Errors
/// It is no JSON, or something has another type than it should.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<ResourceMetrics<'static>>, String> {
    let mut json: Json = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    shape::rename(&mut json);
    shape::verify(&json)?;
    let request = json.as_object().ok_or("the request is no JSON object")?;
    Ok(objects(request, "resourceMetrics").map(resource_metrics).collect())
}

fn list<'a>(of: &'a Object, key: &str) -> &'a [Json] {
    of.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn objects<'a>(of: &'a Object, key: &str) -> impl Iterator<Item = &'a Object> {
    list(of, key).iter().filter_map(Json::as_object)
}

fn text(of: &Object, key: &str) -> Cow<'static, str> {
    Cow::Owned(of.get(key).and_then(Json::as_str).unwrap_or_default().to_owned())
}

fn uint(json: &Json) -> Option<u64> {
    match json {
        Json::String(text) => text.parse().ok(),
        other => other.as_u64().or_else(|| other.as_f64().filter(|v| *v >= 0.0).map(|v| v as u64)),
    }
}

fn int(json: &Json) -> Option<i64> {
    match json {
        Json::String(text) => text.parse().ok(),
        other => other.as_i64().or_else(|| other.as_f64().map(|v| v as i64)),
    }
}

fn double(json: &Json) -> Option<f64> {
    match json {
        Json::String(text) => match text.as_str() {
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            "NaN" => Some(f64::NAN),
            text => text.parse().ok(),
        },
        other => other.as_f64(),
    }
}

fn get<T>(of: &Object, key: &str, read: fn(&Json) -> Option<T>) -> Option<T> {
    of.get(key).and_then(read)
}

fn attributes(of: &Object, key: &str) -> Vec<Attribute<'static>> {
    let each = objects(of, key);
    each.map(|of| {
        let value = of.get("value").map_or(AnyValue::Text(Cow::Borrowed("")), |value| any_value(value, 0));
        (text(of, "key"), value.text())
    })
    .collect()
}

fn any_value(json: &Json, depth: usize) -> AnyValue<'static> {
    let empty = AnyValue::Text(Cow::Borrowed(""));
    let Some((kind, value)) = json.as_object().filter(|_| depth < DEPTH).and_then(|of| of.iter().next()) else {
        return empty;
    };
    match kind.as_str() {
        "stringValue" | "bytesValue" => AnyValue::Text(Cow::Owned(value.as_str().unwrap_or_default().to_owned())),
        "boolValue" => AnyValue::Json(Json::Bool(value.as_bool().unwrap_or_default())),
        "intValue" => AnyValue::Json(Json::from(int(value).unwrap_or_default())),
        "doubleValue" => match double(value).map(|v| (v, serde_json::Number::from_f64(v))) {
            Some((_, Some(number))) => AnyValue::Json(Json::Number(number)),
            Some((v, None)) => AnyValue::Text(super::value::double_text(v).into()),
            None => empty,
        },
        "arrayValue" => {
            let all = value.as_object().map(|of| list(of, "values")).unwrap_or_default();
            AnyValue::Json(Json::Array(all.iter().map(|v| any_value(v, depth + 1).json()).collect()))
        }
        "kvlistValue" => {
            let all = value.as_object().map(|of| list(of, "values")).unwrap_or_default();
            let member = |of: &Object| {
                let value = of.get("value").map(|v| any_value(v, depth + 1).json());
                (text(of, "key").into_owned(), value.unwrap_or_default())
            };
            AnyValue::Json(object(all.iter().filter_map(Json::as_object).map(member).collect()))
        }
        _ => empty,
    }
}

fn resource_metrics(of: &Object) -> ResourceMetrics<'static> {
    let attributes = of.get("resource").and_then(Json::as_object).map(|of| attributes(of, "attributes"));
    let scopes = objects(of, "scopeMetrics").map(scope_metrics).collect();
    ResourceMetrics { attributes: attributes.unwrap_or_default(), scopes }
}

fn scope_metrics(of: &Object) -> ScopeMetrics<'static> {
    let mut out = ScopeMetrics {
        schema_url: text(of, "schemaUrl"),
        metrics: objects(of, "metrics").map(metric).collect(),
        ..ScopeMetrics::default()
    };
    if let Some(scope) = of.get("scope").and_then(Json::as_object) {
        (out.name, out.version) = (text(scope, "name"), text(scope, "version"));
        out.attributes = attributes(scope, "attributes");
    }
    out
}

fn metric(of: &Object) -> Metric<'static> {
    let data = |key: &str| of.get(key).and_then(Json::as_object);
    let data = if let Some(of) = data("gauge") {
        Data::Gauge(points(of, number))
    } else if let Some(of) = data("sum") {
        let monotonic = get(of, "isMonotonic", Json::as_bool).unwrap_or_default();
        Data::Sum { points: points(of, number), temporality: temporality(of), monotonic }
    } else if let Some(of) = data("histogram") {
        Data::Histogram { points: points(of, explicit), temporality: temporality(of) }
    } else if let Some(of) = data("exponentialHistogram") {
        Data::Exponential { points: points(of, exponential), temporality: temporality(of) }
    } else if let Some(of) = data("summary") {
        Data::Summary(points(of, summary))
    } else {
        Data::None
    };
    Metric { name: text(of, "name"), description: text(of, "description"), unit: text(of, "unit"), data }
}

fn temporality(of: &Object) -> Temporality {
    match of.get("aggregationTemporality") {
        Some(Json::String(name)) if name == "AGGREGATION_TEMPORALITY_DELTA" => Temporality::Delta,
        Some(Json::String(name)) if name == "AGGREGATION_TEMPORALITY_CUMULATIVE" => Temporality::Cumulative,
        Some(number) => Temporality::numbered(uint(number).unwrap_or_default()),
        None => Temporality::Unspecified,
    }
}

fn points<V>(of: &Object, value: fn(&Object) -> V) -> Vec<Point<'static, V>> {
    let each = objects(of, "dataPoints");
    each.map(|of| Point {
        attributes: attributes(of, "attributes"),
        start_ns: get(of, "startTimeUnixNano", uint).unwrap_or_default(),
        t_ns: get(of, "timeUnixNano", uint).unwrap_or_default(),
        flags: get(of, "flags", uint).unwrap_or_default(),
        value: value(of),
        exemplars: objects(of, "exemplars").map(exemplar).collect(),
        was_delta: false,
        is_fresh: false,
        is_anew: false,
    })
    .collect()
}

fn number(of: &Object) -> f64 {
    let whole = get(of, "asInt", int).map(|v| v as f64);
    whole.or_else(|| get(of, "asDouble", double)).unwrap_or_default()
}

fn explicit(of: &Object) -> Explicit {
    Explicit {
        count: get(of, "count", uint).unwrap_or_default(),
        sum: get(of, "sum", double),
        counts: list(of, "bucketCounts").iter().map(|v| uint(v).unwrap_or_default()).collect(),
        bounds: list(of, "explicitBounds").iter().map(|v| double(v).unwrap_or_default()).collect(),
    }
}

fn exponential(of: &Object) -> Exponential {
    let buckets = |key: &str| {
        let Some(of) = of.get(key).and_then(Json::as_object) else { return Buckets::default() };
        let counts = list(of, "bucketCounts").iter().map(|v| uint(v).unwrap_or_default()).collect();
        Buckets { offset: get(of, "offset", int).unwrap_or_default() as i32, counts }
    };
    Exponential {
        count: get(of, "count", uint).unwrap_or_default(),
        sum: get(of, "sum", double),
        scale: get(of, "scale", int).unwrap_or_default() as i32,
        zero_count: get(of, "zeroCount", uint).unwrap_or_default(),
        positive: buckets("positive"),
        negative: buckets("negative"),
    }
}

fn summary(of: &Object) -> Summary {
    let quantile =
        |of: &Object| (get(of, "quantile", double).unwrap_or_default(), get(of, "value", double).unwrap_or_default());
    Summary {
        count: get(of, "count", uint).unwrap_or_default(),
        sum: get(of, "sum", double).unwrap_or_default(),
        quantiles: objects(of, "quantileValues").map(quantile).collect(),
    }
}

fn exemplar(of: &Object) -> Exemplar<'static> {
    let id = |key: &str| {
        let id = text(of, key).to_ascii_lowercase();
        if id.bytes().all(|b| b == b'0') { String::new() } else { id }
    };
    Exemplar {
        attributes: attributes(of, "filteredAttributes"),
        t_ns: get(of, "timeUnixNano", uint).unwrap_or_default(),
        value: number(of),
        span_id: id("spanId"),
        trace_id: id("traceId"),
    }
}
