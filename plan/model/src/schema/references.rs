//! Tells editors that `${param:NAME}` may stand where a number, a word of a list or a text of a given form is expected. Pure.
//!
//! Farero puts parameters in before it checks a plan, so its own schema knows nothing of them; an editor sees the file as
//! it is written.

use serde_json::{Map, Value, json};

/// Name of the definition that the others refer to.
const DEFINITION: &str = "ParameterReference";

/// What says something about a value without restricting it; it stays beside the two alternatives.
const REMARKS: [&str; 5] = ["title", "description", "default", "examples", "deprecated"];

/// What holds values instead of schemas.
const VALUES: [&str; 5] = ["default", "examples", "enum", "const", "required"];

/// Lets a reference stand in for every scalar that is more than a free text.
pub(super) fn allow(schema: &mut Value) {
    loosen(schema);
    let definition = json!({
        "type": "string",
        "pattern": r"\$\{param:[^}]+\}",
        "description": "A parameter's value: ${param:NAME}."
    });
    if let Some(defs) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        defs.insert(DEFINITION.into(), definition);
    }
}

fn loosen(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(loosen),
        Value::Object(map) if is_strict_scalar(map) => {
            let (remarks, strict): (Map<_, _>, Map<_, _>) =
                std::mem::take(map).into_iter().partition(|(key, _)| REMARKS.contains(&key.as_str()));
            *map = remarks;
            map.insert("anyOf".into(), json!([strict, { "$ref": format!("#/$defs/{DEFINITION}") }]));
        }
        Value::Object(map) => {
            map.iter_mut().filter(|(key, _)| !VALUES.contains(&key.as_str())).for_each(|(_, inner)| loosen(inner));
        }
        _ => {}
    }
}

/// A number, yes or no, one of several words, or a text of a given form.
fn is_strict_scalar(map: &Map<String, Value>) -> bool {
    let types: Vec<&str> = match map.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let strict_type = types.iter().any(|t| ["integer", "number", "boolean"].contains(t));
    let formed =
        types.contains(&"string") && ["pattern", "format"].iter().any(|k| map.get(*k).is_some_and(Value::is_string));
    strict_type || formed || is_choice(map)
}

fn is_choice(map: &Map<String, Value>) -> bool {
    let word = |m: &Map<String, Value>| {
        m.get("enum").is_some_and(Value::is_array) || m.get("const").is_some_and(Value::is_string)
    };
    let all_words = |all: &Vec<Value>| !all.is_empty() && all.iter().all(|v| v.as_object().is_some_and(word));
    word(map) || map.get("oneOf").and_then(Value::as_array).is_some_and(all_words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut schema: Value, expect: Value) {
        loosen(&mut schema);
        assert_eq!(schema, expect);
    }

    #[test]
    fn references_may_stand_for_all_but_free_texts() {
        let reference = json!({ "$ref": "#/$defs/ParameterReference" });
        check(json!({ "type": "string", "description": "d" }), json!({ "type": "string", "description": "d" }));
        check(
            json!({ "properties": { "type": { "type": ["integer", "null"], "minimum": 1, "description": "d" } } }),
            json!({ "properties": { "type": {
                "description": "d", "anyOf": [{ "type": ["integer", "null"], "minimum": 1 }, reference.clone()]
            } } }),
        );
        check(
            json!({ "oneOf": [{ "const": "a", "type": "string" }, { "enum": ["b", "c"] }], "default": "a" }),
            json!({ "default": "a", "anyOf": [
                { "oneOf": [{ "const": "a", "type": "string" }, { "enum": ["b", "c"] }] }, reference.clone()
            ] }),
        );
        check(
            json!({ "type": "string", "format": "date" }),
            json!({ "anyOf": [{ "type": "string", "format": "date" }, reference] }),
        );
    }
}
