//! What JSON of OTLP must look like, so that a wrong type is an error with its place and never a zero. Pure.

use serde_json::Value as Json;

use super::{double, int, uint};

/// What a value may be; `null` is as good as no value, and keys that are not named here are nobody's business, as OTLP has it.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// Hexadecimal digits, so many or none.
    Hex(usize),
    Bool,
    Uint,
    Int,
    Double,
    Temporality,
    List(&'static Self),
    Object(Keys),
}

type Keys = &'static [(&'static str, Kind)];

static ANY: [(&str, Kind); 7] = [
    ("stringValue", Kind::Text),
    ("bytesValue", Kind::Text),
    ("boolValue", Kind::Bool),
    ("intValue", Kind::Int),
    ("doubleValue", Kind::Double),
    ("arrayValue", Kind::Object(&[("values", Kind::List(&Kind::Object(&ANY)))])),
    ("kvlistValue", Kind::Object(&[("values", Kind::List(&Kind::Object(&ATTRIBUTE)))])),
];
static ATTRIBUTE: [(&str, Kind); 2] = [("key", Kind::Text), ("value", Kind::Object(&ANY))];
const ATTRIBUTES: Kind = Kind::List(&Kind::Object(&ATTRIBUTE));

const EXEMPLARS: Kind = Kind::List(&Kind::Object(&[
    ("filteredAttributes", ATTRIBUTES),
    ("timeUnixNano", Kind::Uint),
    ("asInt", Kind::Int),
    ("asDouble", Kind::Double),
    ("spanId", Kind::Hex(16)),
    ("traceId", Kind::Hex(32)),
]));

/// Buckets of an exponential histogram.
const BUCKETS: Kind = Kind::Object(&[("offset", Kind::Int), ("bucketCounts", Kind::List(&Kind::Uint))]);

/// The points of every kind of metric: their keys never mean different things.
const POINTS: (&str, Kind) = (
    "dataPoints",
    Kind::List(&Kind::Object(&[
        ("attributes", ATTRIBUTES),
        ("startTimeUnixNano", Kind::Uint),
        ("timeUnixNano", Kind::Uint),
        ("flags", Kind::Uint),
        ("exemplars", EXEMPLARS),
        ("asInt", Kind::Int),
        ("asDouble", Kind::Double),
        ("count", Kind::Uint),
        ("sum", Kind::Double),
        ("bucketCounts", Kind::List(&Kind::Uint)),
        ("explicitBounds", Kind::List(&Kind::Double)),
        ("scale", Kind::Int),
        ("zeroCount", Kind::Uint),
        ("positive", BUCKETS),
        ("negative", BUCKETS),
        ("quantileValues", Kind::List(&Kind::Object(&[("quantile", Kind::Double), ("value", Kind::Double)]))),
    ])),
);
const TEMPORALITY: (&str, Kind) = ("aggregationTemporality", Kind::Temporality);
/// `aggregationTemporality` in words; as a number it is one of 0 to 2, or none that is known.
const TEMPORALITIES: [&str; 3] =
    ["AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE"];

const METRICS: Kind = Kind::List(&Kind::Object(&[
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("unit", Kind::Text),
    ("gauge", Kind::Object(&[POINTS])),
    ("sum", Kind::Object(&[POINTS, TEMPORALITY, ("isMonotonic", Kind::Bool)])),
    ("histogram", Kind::Object(&[POINTS, TEMPORALITY])),
    ("exponentialHistogram", Kind::Object(&[POINTS, TEMPORALITY])),
    ("summary", Kind::Object(&[POINTS])),
]));

/// `ExportMetricsServiceRequest`
const REQUEST: Kind = Kind::Object(&[(
    "resourceMetrics",
    Kind::List(&Kind::Object(&[
        ("resource", Kind::Object(&[("attributes", ATTRIBUTES)])),
        (
            "scopeMetrics",
            Kind::List(&Kind::Object(&[
                ("schemaUrl", Kind::Text),
                ("scope", Kind::Object(&[("name", Kind::Text), ("version", Kind::Text), ("attributes", ATTRIBUTES)])),
                ("metrics", METRICS),
            ])),
        ),
    ])),
)]);

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Hex(16) => "16 hexadecimal digits",
            Self::Hex(_) => "32 hexadecimal digits",
            Self::Bool => "true or false",
            Self::Uint => "a whole number that is not negative",
            Self::Int => "a whole number",
            Self::Double => "a number",
            Self::Temporality => "an aggregation temporality",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    fn fits(self, json: &Json) -> bool {
        let whole = || json.as_f64().is_none_or(|v| v.fract() == 0.0);
        match self {
            Self::Text => json.is_string(),
            Self::Hex(digits) => json
                .as_str()
                .is_some_and(|id| (id.is_empty() || id.len() == digits) && id.bytes().all(|b| b.is_ascii_hexdigit())),
            Self::Bool => json.is_boolean(),
            Self::Uint => uint(json).is_some() && whole(),
            Self::Int => int(json).is_some() && whole(),
            Self::Double => double(json).is_some(),
            Self::Temporality => match json.as_str() {
                Some(name) => TEMPORALITIES.contains(&name),
                None => uint(json).is_some() && whole(),
            },
            Self::List(_) => json.is_array(),
            Self::Object(_) => json.is_object(),
        }
    }
}

/// Gives keys in protobuf's form, which its own JSON allows and some senders use, the form of OTLP. Attributes' names are values here.
pub(super) fn rename(json: &mut Json) {
    match json {
        Json::Array(all) => all.iter_mut().for_each(rename),
        Json::Object(all) => {
            let written: Vec<String> = all.keys().filter(|key| key.contains('_')).cloned().collect();
            for key in written {
                let mut parts = key.split('_');
                let first = parts.next().unwrap_or_default().to_owned();
                let renamed = parts.fold(first, |name, part| {
                    let mut letters = part.chars();
                    let initial = letters.next().map(|c| c.to_ascii_uppercase());
                    name + &initial.into_iter().chain(letters).collect::<String>()
                });
                if let Some(value) = all.remove(&key) {
                    all.entry(renamed).or_insert(value);
                }
            }
            all.values_mut().for_each(rename);
        }
        _ => {}
    }
}

/// Whether a request has the right types throughout.
///
/// # Errors
/// What is wrong first, and where: `resourceMetrics[0].scopeMetrics[0].metrics[2].name: 5 is not text`.
pub(super) fn verify(request: &Json) -> Result<(), String> {
    check(request, REQUEST, &mut String::new())
}

fn check(json: &Json, kind: Kind, path: &mut String) -> Result<(), String> {
    /// So much of a wrong value is told.
    const TOLD: usize = 40;
    if json.is_null() {
        return Ok(());
    }
    if !kind.fits(json) {
        let (found, place) = (json.to_string(), path.trim_start_matches('.'));
        let found: String = found.chars().take(TOLD).collect();
        let place = if place.is_empty() { "the request" } else { place };
        return Err(format!("{place}: {found} is not {}", kind.name()));
    }
    let length = path.len();
    match (kind, json) {
        (Kind::List(each), Json::Array(all)) => {
            for (at, json) in all.iter().enumerate() {
                path.push_str(&format!("[{at}]"));
                check(json, *each, path)?;
                path.truncate(length);
            }
        }
        (Kind::Object(keys), Json::Object(all)) => {
            for (key, kind) in keys {
                let Some(json) = all.get(*key) else { continue };
                path.push('.');
                path.push_str(key);
                check(json, *kind, path)?;
                path.truncate(length);
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_may_be_written_as_in_protobuf() {
        let attributes = json!([{"key": "a_b", "value": {"string_value": "x_y"}}]);
        let mut json = json!({"resource_metrics": [{"resource": {"attributes": attributes}, "scope_metrics": []}]});
        rename(&mut json);
        let attributes = json!([{"key": "a_b", "value": {"stringValue": "x_y"}}]);
        assert_eq!(json, json!({"resourceMetrics": [{"resource": {"attributes": attributes}, "scopeMetrics": []}]}));
        let mut both = json!({"time_unix_nano": "1", "timeUnixNano": "2"});
        rename(&mut both);
        assert_eq!(both, json!({"timeUnixNano": "2"}));
    }

    #[test]
    fn wrong_types_are_told_with_their_place() {
        let point = |key: &str, value: Json| {
            let mut point = json!({"timeUnixNano": "5", "asDouble": 1.5});
            point[key] = value;
            let metrics = json!([{"name": "a", "gauge": {"dataPoints": [{"asInt": "1"}, point]}}]);
            verify(&json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}))
        };
        let place = "resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[1]";
        for (key, value, told) in [
            ("asDouble", json!("abc"), r#"asDouble: "abc" is not a number"#),
            ("asDouble", json!({}), "asDouble: {} is not a number"),
            ("asInt", json!(1.5), "asInt: 1.5 is not a whole number"),
            ("timeUnixNano", json!(-1), "timeUnixNano: -1 is not a whole number that is not negative"),
            ("timeUnixNano", json!("1e3"), r#"timeUnixNano: "1e3" is not a whole number that is not negative"#),
            ("attributes", json!([{"key": 5}]), "attributes[0].key: 5 is not text"),
            (
                "attributes",
                json!([{"key": "a", "value": {"arrayValue": {"values": [{"boolValue": "yes"}]}}}]),
                r#"attributes[0].value.arrayValue.values[0].boolValue: "yes" is not true or false"#,
            ),
            ("exemplars", json!([{"traceId": "xyz"}]), r#"exemplars[0].traceId: "xyz" is not 32 hexadecimal digits"#),
            ("exemplars", json!([[]]), "exemplars[0]: [] is not an object"),
        ] {
            assert_eq!(point(key, value), Err(format!("{place}.{told}")));
        }
        let good = [("asDouble", json!("NaN")), ("asInt", json!(3.0)), ("new", json!([1])), ("attributes", Json::Null)];
        for (key, value) in good {
            assert_eq!(point(key, value), Ok(()), "{key}");
        }
        assert_eq!(verify(&json!({"resourceMetrics": 5})), Err("resourceMetrics: 5 is not a list".to_owned()));
        assert_eq!(verify(&json!([])), Err("the request: [] is not an object".to_owned()));
        let sum = |temporality: Json| {
            let metrics = json!([{"sum": {"aggregationTemporality": temporality}}]);
            verify(&json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}))
        };
        assert!(sum(json!(2)).is_ok() && sum(json!("AGGREGATION_TEMPORALITY_DELTA")).is_ok());
        assert!(sum(json!("DELTA")).unwrap_err().ends_with(r#""DELTA" is not an aggregation temporality"#));
    }
}
