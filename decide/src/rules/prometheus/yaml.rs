//! YAML into values as Go's yaml package does it, with its words: users know them from promtool. Pure.
//!
//! Errors of types are gathered, each with its line; a value whose own reader refuses it (a duration) ends the reading, as
//! there.

use std::sync::Arc;

use kernel::Duration;
use plan_syntax::tree::ScalarKind;
use plan_syntax::{Map, Node, SourceFile, Sources, Span, Value};

use super::duration;

/// One document, read but not yet understood.
pub struct Document {
    sources: Sources,
    /// The tree; `None` for an empty text.
    pub root: Option<Node>,
    /// What is wrong with its form, in the package's words; nothing else is said then.
    pub broken: Option<String>,
    /// Keys that stand twice in one map.
    repeated: Vec<String>,
}

/// Where a value stands: line and column from 1; zeros where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// Line.
    pub line: u32,
    /// Column in characters.
    pub column: u32,
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Document {
    /// Reads a text.
    pub fn read(text: &str) -> Self {
        let sources = Sources::new(&[SourceFile::new("", text)], "");
        let reading = plan_syntax::read(&sources, 0);
        let (mut broken, mut repeated) = (None, Vec::new());
        for problem in reading.diagnostics {
            let line = problem.place.line;
            match problem.code {
                "duplicate-key" => {
                    let first = problem.related.first().map_or(0, |r| r.place.line);
                    let key = problem.message.split('`').nth(1).unwrap_or_default();
                    repeated.push(format!("line {line}: mapping key {key:?} already defined at line {first}"));
                }
                // Only the first document counts there.
                "several-documents" => {}
                _ => {
                    broken.get_or_insert_with(|| format!("yaml: line {line}: {}", problem.message));
                }
            }
        }
        Self { sources, root: reading.root, broken, repeated }
    }

    /// Where a span begins.
    pub fn at(&self, span: Span) -> At {
        let place = self.sources.place(span);
        At { line: place.line, column: place.column }
    }

    /// A reader of this document's values. `strict` refuses keys that are not known.
    pub fn decoder(&self, strict: bool) -> Decoder<'_> {
        Decoder { document: self, strict, errors: self.repeated.clone(), failed: None }
    }
}

/// Reads values, and gathers what is wrong with them.
pub struct Decoder<'d> {
    document: &'d Document,
    strict: bool,
    errors: Vec<String>,
    failed: Option<String>,
}

impl Decoder<'_> {
    /// What was wrong, as one error; `None` when nothing was.
    pub fn finish(self) -> Option<String> {
        if self.failed.is_some() {
            return self.failed;
        }
        let all: Vec<String> = self.errors.iter().map(|e| format!("\n  {e}")).collect();
        (!all.is_empty()).then(|| format!("yaml: unmarshal errors:{}", all.concat()))
    }

    /// Whether reading is over.
    pub fn is_over(&self) -> bool {
        self.failed.is_some()
    }

    /// Where a node begins.
    pub fn at(&self, node: &Node) -> At {
        self.document.at(node.span)
    }

    fn mismatch(&mut self, node: &Node, what: &str) {
        let line = self.at(node).line;
        self.errors.push(format!("line {line}: cannot unmarshal {} into {what}", tagged(node)));
    }

    /// A map, whose keys are these where reading is strict.
    pub fn map<'n>(&mut self, node: &'n Node, what: &str, keys: &[&str]) -> Option<&'n Map> {
        match &node.value {
            Value::Map(map) => {
                for (key, entry) in map.iter().filter(|(key, _)| self.strict && !keys.contains(&key.as_ref())) {
                    let line = self.document.at(entry.key_span).line;
                    self.errors.push(format!("line {line}: field {key} not found in type {what}"));
                }
                Some(map)
            }
            Value::Null { .. } => None,
            _ => {
                self.mismatch(node, what);
                None
            }
        }
    }

    /// The items of a list; none where there is none.
    pub fn list<'n>(&mut self, map: &'n Map, key: &str, what: &str) -> &'n [Node] {
        match map.get(key).map(|e| &e.node) {
            Some(Node { value: Value::List(list), .. }) => list,
            None | Some(Node { value: Value::Null { .. }, .. }) => &[],
            Some(other) => {
                self.mismatch(other, what);
                &[]
            }
        }
    }

    /// A text; `""` where there is none.
    pub fn text(&mut self, map: &Map, key: &str) -> String {
        map.get(key).map_or_else(String::new, |entry| self.text_of(&entry.node))
    }

    /// The text of a node.
    pub fn text_of(&mut self, node: &Node) -> String {
        match &node.value {
            Value::Scalar(scalar) => scalar.text.to_string(),
            Value::Null { .. } => String::new(),
            _ => {
                self.mismatch(node, "string");
                String::new()
            }
        }
    }

    /// A whole number; 0 where there is none.
    pub fn integer(&mut self, map: &Map, key: &str) -> i64 {
        let Some(node) = map.get(key).map(|e| &e.node) else { return 0 };
        match &node.value {
            Value::Null { .. } => 0,
            Value::Scalar(s) => match s.kind {
                ScalarKind::Integer(n) => n,
                ScalarKind::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => f as i64,
                _ => {
                    self.mismatch(node, "int");
                    0
                }
            },
            _ => {
                self.mismatch(node, "int");
                0
            }
        }
    }

    /// A number; 0 where there is none.
    pub fn number(&mut self, map: &Map, key: &str) -> f64 {
        let Some(node) = map.get(key).map(|e| &e.node) else { return 0.0 };
        match &node.value {
            Value::Null { .. } => 0.0,
            Value::Scalar(s) => match s.kind {
                ScalarKind::Integer(n) => n as f64,
                ScalarKind::Float(f) => f,
                _ => {
                    self.mismatch(node, "float64");
                    0.0
                }
            },
            _ => {
                self.mismatch(node, "float64");
                0.0
            }
        }
    }

    /// Yes or no; no where nothing is said.
    pub fn boolean(&mut self, map: &Map, key: &str) -> bool {
        let Some(node) = map.get(key).map(|e| &e.node) else { return false };
        match &node.value {
            Value::Null { .. } => false,
            Value::Scalar(s) => match (s.kind, &*s.text) {
                (ScalarKind::Bool(b), _) => b,
                // The older spelling is taken where a boolean belongs.
                (_, "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y") => true,
                (_, "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N") => false,
                _ => {
                    self.mismatch(node, "bool");
                    false
                }
            },
            _ => {
                self.mismatch(node, "bool");
                false
            }
        }
    }

    /// A duration, `None` where there is none.
    pub fn duration(&mut self, map: &Map, key: &str) -> Option<Duration> {
        let node = &map.get(key)?.node;
        if matches!(node.value, Value::Null { .. }) {
            return None;
        }
        let Some(text) = node.as_text() else {
            self.mismatch(node, "string");
            return None;
        };
        match duration::parse(text) {
            Ok(duration) => Some(duration),
            Err(message) => {
                self.failed.get_or_insert(message);
                None
            }
        }
    }

    /// Texts by name, in the order of their names.
    pub fn texts(&mut self, map: &Map, key: &str) -> Vec<(String, String)> {
        let Some(node) = map.get(key).map(|e| &e.node) else { return Vec::new() };
        let all = match &node.value {
            Value::Map(all) => all,
            Value::Null { .. } => return Vec::new(),
            _ => {
                self.mismatch(node, "map[string]string");
                return Vec::new();
            }
        };
        let mut out: Vec<(String, String)> = Vec::with_capacity(all.len());
        for (name, entry) in all {
            out.push((name.to_string(), self.text_of(&entry.node)));
        }
        out.sort();
        out
    }

    /// Texts in order.
    pub fn strings(&mut self, map: &Map, key: &str) -> Vec<String> {
        let items: Vec<Node> = self.list(map, key, "[]string").to_vec();
        items.iter().map(|node| self.text_of(node)).collect()
    }
}

/// A node as the package names it in its errors: `!!str` with the beginning of its text.
fn tagged(node: &Node) -> String {
    let scalar = |tag: &str, text: &Arc<str>| {
        let shown = if text.len() > 10 { format!("{}...", cut(text, 7)) } else { text.to_string() };
        format!("!!{tag} `{shown}`")
    };
    match &node.value {
        Value::Null { .. } => "!!null".to_owned(),
        Value::List(_) => "!!seq".to_owned(),
        Value::Map(_) => "!!map".to_owned(),
        Value::Open(_) | Value::Broken => "!!str".to_owned(),
        Value::Scalar(s) => match s.kind {
            ScalarKind::Text => scalar("str", &s.text),
            ScalarKind::Integer(_) => scalar("int", &s.text),
            ScalarKind::Float(_) => scalar("float", &s.text),
            ScalarKind::Bool(_) => scalar("bool", &s.text),
        },
    }
}

fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
