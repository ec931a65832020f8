//! The JSON Schema of plan files, for editors and for the checker: one source, the types. Pure.

use std::collections::HashMap;
use std::sync::OnceLock;

use plan_syntax::check::Format;
use plan_syntax::shape::{ShapeError, Shapes};
use serde_json::{Value, json};

use crate::Plan;

mod references;

/// The schema of one plan file, JSON Schema draft 2020-12.
///
/// Every file of a plan's folder has this shape, and the system may stand in any one of them, so editors are not told
/// that a file needs it; the checker asks for it when all files are joined. Keys that begin with `x-` are free, for
/// anchors, and a parameter may stand for any value.
pub fn schema() -> Value {
    let mut out = whole_schema().clone();
    if let Some(object) = out.as_object_mut() {
        object.insert("$id".into(), json!("https://farero.dev/schema/plan.json"));
        object.shift_remove("required");
        object.insert("patternProperties".into(), json!({"^x-": true}));
    }
    references::allow(&mut out);
    out
}

/// The schema of a whole plan, all files together.
pub(crate) fn whole_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| schemars::schema_for!(Plan).to_value())
}

/// The shapes of a whole plan.
pub(crate) fn shapes() -> Result<&'static Shapes, ShapeError> {
    static SHAPES: OnceLock<Result<Shapes, ShapeError>> = OnceLock::new();
    SHAPES.get_or_init(|| Shapes::new(whole_schema())).as_ref().map_err(Clone::clone)
}

/// Parsers of the formats that the schema names.
pub(crate) fn formats() -> &'static HashMap<&'static str, Format> {
    static FORMATS: OnceLock<HashMap<&'static str, Format>> = OnceLock::new();
    FORMATS.get_or_init(|| {
        HashMap::from([
            ("duration", parse::<kernel::Duration> as Format),
            ("percent", parse::<kernel::quantity::Percent>),
            ("bound", parse::<crate::kpi::Bound>),
            ("schedule", parse::<kernel::schedule::Schedule>),
            ("deliver", parse::<crate::Deliver>),
            ("date", date),
            ("timezone", timezone),
            ("regex", regex),
            ("unit", parse::<crate::dashboard::Unit>),
        ])
    })
}

fn parse<T: std::str::FromStr<Err: ToString>>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(drop).map_err(|e| e.to_string())
}

fn date(text: &str) -> Result<(), String> {
    let parsed = text.parse::<jiff::civil::Date>();
    parsed.map(drop).map_err(|_| format!("`{text}` is not a date: write year, month and day, such as 2026-03-01"))
}

fn timezone(text: &str) -> Result<(), String> {
    let zones = jiff::tz::TimeZoneDatabase::bundled();
    if zones.get(text).is_ok() {
        return Ok(());
    }
    let names: Vec<String> = zones.available().map(|n| n.as_str().to_owned()).collect();
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let near = plan_syntax::suggest::nearest(text, names.iter().map(String::as_str)).map(str::to_owned);
    let near = near.or_else(|| names.iter().find(|n| city(n).eq_ignore_ascii_case(&city(text))).cloned());
    let hint = near.map_or_else(|| "such as America/Lima".to_owned(), |n| format!("did you mean {n}?"));
    Err(format!("`{text}` is not a time zone: write its IANA name, {hint}"))
}

fn regex(text: &str) -> Result<(), String> {
    regex::Regex::new(text).map(drop).map_err(|e| {
        let reason = e.to_string();
        let last = reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
        format!("`{text}` is not a regular expression: {last}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checker_understands_the_whole_schema() {
        assert!(shapes().is_ok(), "{:?}", shapes().err());
        let text = whole_schema().to_string();
        for (start, _) in text.match_indices("\"format\":\"") {
            let name = text[start + 10..].split('"').next().unwrap();
            let known = formats().contains_key(name)
                || name == "schedule"
                || name.starts_with("uint")
                || name == "uint"
                || name == "double";
            assert!(known, "no parser for the format {name}");
        }
    }

    #[test]
    fn editors_get_a_schema_for_every_file() {
        let schema = schema();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(schema.get("required").is_none());
        assert!(schema["properties"]["services"]["description"].as_str().is_some_and(|d| d.contains("Services")));
    }

    #[test]
    fn formats_say_what_to_write() {
        assert!(timezone("America/Lima").is_ok());
        assert!(timezone("America/Limma").unwrap_err().contains("did you mean America/Lima?"));
        assert!(timezone("Lima").unwrap_err().contains("America/Lima"));
        assert!(date("2026-02-30").unwrap_err().contains("2026-03-01"));
        assert!(regex("(").unwrap_err().contains("not a regular expression"));
    }
}
