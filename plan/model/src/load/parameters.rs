//! Parameters put in where the tree refers to them: `${param:NAME}` (PLN-10). Pure.
//!
//! A scalar that is nothing but a reference takes the parameter's value with its kind; a reference inside a longer text
//! is replaced by the value's text. What refers to a parameter without a value becomes open.

use std::sync::Arc;

use indexmap::IndexMap;
use plan_syntax::suggest::{listing, nearest};
use plan_syntax::tree::{Scalar, ScalarKind};
use plan_syntax::{Diagnostic, Node, Place, Sources, Span, Value};
use serde::Serialize;

const BEGIN: &str = "${param:";

/// A parameter without a value, and what waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenParameter {
    /// Its name.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// Paths of the items and settings that are inactive without it.
    pub waiting: Vec<String>,
    /// Something that is not optional waits for it.
    pub needed: bool,
    /// Where it stands.
    pub place: Place,
}

pub(super) struct Substitution {
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) open: Vec<OpenParameter>,
    pub(super) environment: Option<String>,
}

/// Puts parameters in, with the values of an environment: the one asked for, else the plan's own choice.
pub(super) fn substitute(root: &mut Node, sources: &Sources, asked: Option<&str>) -> Substitution {
    let mut out = Substitution { diagnostics: Vec::new(), open: Vec::new(), environment: None };
    out.environment = environment(root, sources, asked, &mut out.diagnostics);
    let values = values(root, sources, out.environment.as_deref(), &mut out.diagnostics);
    out.open = open(root, sources, &values);
    let mut putter = Putter { values: &values, sources, diagnostics: &mut out.diagnostics };
    if let Value::Map(map) = &mut root.value {
        for (_, entry) in map.iter_mut().filter(|(k, _)| !matches!(&***k, "parameters" | "environments")) {
            putter.node(&mut entry.node);
        }
    }
    out
}

fn environment(root: &Node, sources: &Sources, asked: Option<&str>, out: &mut Vec<Diagnostic>) -> Option<String> {
    let own = root.entry_at("environment");
    let name = asked.or_else(|| own.and_then(|(_, n)| n.as_text()))?;
    let declared = root.get("environments").and_then(Node::as_map);
    if declared.is_some_and(|d| d.contains_key(name)) {
        return Some(name.to_owned());
    }
    let place = match own {
        Some((_, node)) if asked.is_none() => node.span,
        _ => root.entry_at("environments").map_or(Span { end: root.span.start, ..root.span }, |(span, _)| span),
    };
    let names = || declared.into_iter().flat_map(|d| d.keys()).map(|k| &**k);
    let help = nearest(name, names()).map(|n| format!("did you mean `{n}`?"));
    let message = format!("the plan has no environment `{name}`");
    let mut error = Diagnostic::error("unknown-environment", sources.place(place), message).maybe_help(help);
    error.expected = Some(listing(names(), 12, "or")).filter(|l| !l.is_empty());
    out.push(error);
    None
}

/// Values by name; `None` for open ones.
type Values = IndexMap<Arc<str>, Option<(Scalar, Span)>>;

fn values(root: &Node, sources: &Sources, environment: Option<&str>, out: &mut Vec<Diagnostic>) -> Values {
    let mut values = Values::new();
    let value_of = |node: &Node| node.as_scalar().map(|s| (s.clone(), node.span));
    for (name, entry) in root.get("parameters").and_then(Node::as_map).into_iter().flatten() {
        values.insert(name.clone(), entry.node.get("value").and_then(value_of));
    }
    for (env, entry) in root.get("environments").and_then(Node::as_map).into_iter().flatten() {
        for (name, set) in entry.node.get("parameters").and_then(Node::as_map).into_iter().flatten() {
            if !values.contains_key(name) {
                out.push(unknown(name, sources.place(set.key_span), &values));
            } else if environment == Some(env) {
                values.insert(name.clone(), value_of(&set.node));
            }
        }
    }
    for (scalar, span) in values.values().flatten().filter(|(s, _)| s.text.contains(BEGIN)) {
        let message = format!("`{}` refers to a parameter, and a parameter's value cannot", scalar.text);
        let help = "write the value out, or refer to both parameters where they are used";
        out.push(Diagnostic::error("nested-parameter", sources.place(*span), message).help(help));
    }
    values
}

fn open(root: &Node, sources: &Sources, values: &Values) -> Vec<OpenParameter> {
    let declared = root.get("parameters").and_then(Node::as_map);
    let describe = |name: &Arc<str>| {
        let entry = declared?.get(name)?;
        let meaning = entry.node.get("meaning").and_then(Node::as_text).unwrap_or("").to_owned();
        let place = sources.place(entry.key_span);
        Some(OpenParameter { name: name.to_string(), meaning, waiting: Vec::new(), needed: false, place })
    };
    values.iter().filter(|(_, v)| v.is_none()).filter_map(|(name, _)| describe(name)).collect()
}

fn unknown(name: &str, place: Place, values: &Values) -> Diagnostic {
    let names = || values.keys().map(|k| &**k);
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("declare it under `parameters:` as `{name}: {{ meaning: …, value: … }}`"),
    };
    Diagnostic::error("unknown-parameter", place, format!("there is no parameter `{name}`")).help(help)
}

struct Putter<'a> {
    values: &'a Values,
    sources: &'a Sources,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Putter<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::List(items) => items.iter_mut().for_each(|item| self.node(item)),
            Value::Map(map) => map.values_mut().for_each(|entry| self.node(&mut entry.node)),
            Value::Scalar(scalar) if scalar.text.contains(BEGIN) => {
                let text = scalar.text.clone();
                let (value, origin) = self.scalar(&text, node.span);
                node.value = value;
                node.origin = origin;
            }
            _ => {}
        }
    }

    fn scalar(&mut self, text: &str, span: Span) -> (Value, Option<Span>) {
        let (mut joined, mut open, mut origin, mut rest) = (String::new(), Vec::new(), None, text);
        while let Some(start) = rest.find(BEGIN) {
            let escaped = rest[..start].ends_with('$');
            let Some(len) = rest[start..].find('}').filter(|_| !escaped) else {
                joined.push_str(&rest[..start + BEGIN.len()]);
                rest = &rest[start + BEGIN.len()..];
                continue;
            };
            let name = rest[start + BEGIN.len()..start + len].trim();
            joined.push_str(&rest[..start]);
            rest = &rest[start + len + 1..];
            match self.values.get(name) {
                Some(Some((scalar, from))) => {
                    origin = Some(*from);
                    if joined.is_empty() && rest.is_empty() && open.is_empty() {
                        return (Value::Scalar(scalar.clone()), origin);
                    }
                    joined.push_str(&scalar.text);
                }
                Some(None) => open.push(name.into()),
                None => {
                    self.diagnostics.push(unknown(name, self.sources.place(span), self.values));
                    open.push(name.into());
                }
            }
        }
        if !open.is_empty() {
            return (Value::Open(open), None);
        }
        joined.push_str(rest);
        (Value::Scalar(Scalar { text: joined.into(), kind: ScalarKind::Text }), origin)
    }
}
