//! What the checker says about trees. Pure.

use super::*;
use crate::source::SourceFile;
use serde_json::json;

fn check(text: &str, expect: &[&str]) -> Node {
    let schema = json!({
        "type": "object",
        "required": ["name"],
        "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+$"},
            "every": {"type": ["string", "null"], "format": "even"},
            "count": {"type": ["integer", "null"], "minimum": 1, "maximum": 10},
            "rank": {"oneOf": [{"type": "string", "const": "high"}, {"type": "string", "const": "low"}]},
            "items": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Item"}},
            "list": {"type": "array", "items": {"type": "string"}},
            "on": {"type": "boolean"}
        },
        "$defs": {"Item": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["url"],
            "additionalProperties": false, "properties": {"url": {"type": "string"}, "tries": {"type": "integer"}}}]}}
    });
    let shapes = Shapes::new(&schema).unwrap();
    let even: Format = |t| if t.len() % 2 == 0 { Ok(()) } else { Err(format!("`{t}` is odd")) };
    let formats = HashMap::from([("even", even)]);
    let sources = Sources::new(&[SourceFile::new("p", text)], "");
    let mut root = crate::read(&sources, 0).root.unwrap();
    let found = Checker::new(&shapes, &formats, &sources).check(&mut root);
    let said: Vec<String> = found
        .iter()
        .map(|d| {
            let help = d.help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
            format!("{}:{} {}: {}{help}", d.place.line, d.place.column, d.code, d.message)
        })
        .collect();
    assert_eq!(said, expect, "{text}");
    root
}

#[test]
fn good_trees_are_mended() {
    let root = check("name: a\nevery: 12\ncount: null\nitems: {a: 5, b: {url: x}}\nlist:\non: true\n", &[]);
    assert_eq!(root.at("every").unwrap().as_scalar().unwrap().kind, ScalarKind::Text);
    assert_eq!(root.at("items.a").unwrap().as_scalar().unwrap().kind, ScalarKind::Text);
    assert_eq!(root.at("list").unwrap().value, Value::List(vec![]));
}

#[test]
fn all_mistakes_are_said() {
    check(
        "nam: a\nevery: 123\ncount: 11\nrank: hihg\nitems: {a: {tries: x, uri: 1}, b: [1]}\nlist: {}\non: yes\n",
        &[
            "1:1 unknown-key: the plan has no key `nam` (did you mean `name`?)",
            "2:8 bad-value: `123` is odd",
            "3:8 bad-value: 11 is too large",
            "4:7 bad-value: `hihg` is not a `rank` that Farero knows (did you mean `high`?)",
            "5:20 wrong-kind: `tries` must be a whole number, and this is a text",
            "5:23 unknown-key: `a` has no key `uri` (did you mean `url`?)",
            "5:9 missing-key: `a` lacks `url`",
            "5:32 wrong-kind: `b` must be a text or a map, and this is a list (take the hyphen or the brackets off)",
            "6:1 wrong-kind: `list` must be a list, and this is a map",
            "7:5 wrong-kind: `on` must be true or false, and this is a text (write true)",
            "1:1 missing-key: the plan lacks `name`",
        ],
    );
    check(
        "name: A\ncount:\n",
        &[
            "1:7 bad-value: `A` cannot be a `name`",
            "2:1 no-value: `count` has no value (write a whole number after the colon, or take the key out)",
        ],
    );
}
