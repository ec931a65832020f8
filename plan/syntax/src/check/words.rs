//! Words for the checker's messages. Pure.

use crate::shape::{Shape, ShapeId, Shapes};
use crate::tree::{Node, Scalar, ScalarKind, Value};

/// A key's name with its article: `a timezone`, `an author`.
pub(super) fn article(name: &str) -> String {
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} `{name}`", if vowel { "an" } else { "a" })
}

/// What a shape wants, for messages.
pub(super) fn kind_of_shape(shapes: &Shapes, id: ShapeId) -> &'static str {
    match shapes.get(id) {
        Shape::Any => "anything",
        Shape::Null => "nothing",
        Shape::Bool => "true or false",
        Shape::Number { whole: true, .. } => "a whole number",
        Shape::Number { .. } => "a number",
        Shape::Words(_) => "a word",
        Shape::Text { format, .. } => match format.as_deref() {
            Some("duration") => "a duration such as 5m",
            Some("percent") => "a percentage such as 90%",
            Some("schedule") => "a schedule such as day at 02:00",
            Some("date") => "a date such as 2026-03-01",
            _ => "a text",
        },
        Shape::List(_) => "a list",
        Shape::Map(_) => "a map",
        Shape::Either(options) => options.first().map_or("anything", |o| kind_of_shape(shapes, *o)),
    }
}

/// What to do about a value of the wrong kind, where that can be guessed.
pub(super) fn hint(node: &Node) -> Option<String> {
    match &node.value {
        Value::Scalar(s) if matches!(&*s.text, "yes" | "on") => Some("write true".into()),
        Value::Scalar(s) if matches!(&*s.text, "no" | "off") => Some("write false".into()),
        Value::Scalar(s) if s.kind == ScalarKind::Text && s.text.parse::<f64>().is_ok() => {
            Some("take the quotes off".into())
        }
        Value::Scalar(s) if s.text.contains("${") => {
            Some("here only `${param:NAME}` can stand, with a parameter of the right kind".into())
        }
        Value::List(items) if items.len() == 1 => Some("take the hyphen or the brackets off".into()),
        _ => None,
    }
}

/// What is wrong with a number, and what was expected.
pub(super) fn number_problem(
    scalar: &Scalar,
    whole: bool,
    min: Option<f64>,
    max: Option<f64>,
) -> Option<(String, Option<String>)> {
    let text = &scalar.text;
    let number = match scalar.kind {
        ScalarKind::Integer(n) => n as f64,
        ScalarKind::Float(n) if whole => {
            let problem = format!("`{text}` is not a whole number");
            return (n.fract() != 0.0 || n.abs() > 9e15).then_some((problem, Some("a whole number".into())));
        }
        ScalarKind::Float(n) => n,
        _ => return None,
    };
    if !number.is_finite() {
        return Some((format!("`{text}` is not a number that can be used"), Some("a finite number".into())));
    }
    let bounds = match (min, max) {
        (Some(min), Some(max)) => format!("a number from {min} to {max}"),
        (Some(min), None) => format!("a number from {min} on"),
        (None, Some(max)) => format!("a number up to {max}"),
        (None, None) => return None,
    };
    if min.is_some_and(|m| number < m) {
        return Some((format!("{text} is too small"), Some(bounds)));
    }
    max.is_some_and(|m| number > m).then(|| (format!("{text} is too large"), Some(bounds)))
}
