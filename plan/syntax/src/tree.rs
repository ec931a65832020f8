//! The tree that files are read into: values with their places. Pure.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::source::Span;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands; for a value that came by an alias, where the anchor is.
    pub span: Span,
    /// Where the value comes from when it was put in for something else, such as a parameter.
    pub origin: Option<Span>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value: nothing was written, or `null` or `~` was.
    Null {
        /// Whether `null` or `~` was written.
        written: bool,
    },
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping; keys are texts, in the order of the file.
    Map(Map),
    /// Not known yet: these open parameters would give it. Fits every shape.
    Open(Vec<Arc<str>>),
    /// Wrong, and already reported. Fits every shape.
    Broken,
}

/// A mapping.
pub type Map = IndexMap<Arc<str>, Entry>;

/// A value of a mapping and where its key stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

/// A scalar: its text as written and what it means in YAML 1.2's core schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text, without quotes and with escapes replaced.
    pub text: Arc<str>,
    /// What it means.
    pub kind: ScalarKind,
}

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScalarKind {
    /// A text.
    Text,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
}

impl Node {
    /// A node that was not put in for something else.
    pub fn new(value: Value, span: Span) -> Self {
        Self { value, span, origin: None }
    }

    /// A text.
    pub fn text(text: &str, span: Span) -> Self {
        Self::new(Value::Scalar(Scalar { text: text.into(), kind: ScalarKind::Text }), span)
    }

    /// The mapping, where it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The mapping, where it is one, to change it.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The scalar, where it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The scalar's text as written, whatever it means.
    pub fn as_text(&self) -> Option<&str> {
        self.as_scalar().map(|s| &*s.text)
    }

    /// The value of a key, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key).map(|e| &e.node)
    }

    /// What a path leads to: `services.backend.check`, `alerts.disk[1].above`.
    pub fn at(&self, path: &str) -> Option<&Self> {
        self.entry_at(path).map(|(_, node)| node)
    }

    /// What a path leads to, and where its key stands.
    pub fn entry_at(&self, path: &str) -> Option<(Span, &Self)> {
        let (mut span, mut node) = (self.span, self);
        for part in path.split('.').filter(|p| !p.is_empty()) {
            let (key, indexes) = part.find('[').map_or((part, ""), |i| part.split_at(i));
            if !key.is_empty() {
                let entry = node.as_map()?.get(key)?;
                (span, node) = (entry.key_span, &entry.node);
            }
            for index in indexes.split('[').filter(|i| !i.is_empty()) {
                let Value::List(list) = &node.value else { return None };
                node = list.get(index.strip_suffix(']')?.parse::<usize>().ok()?)?;
                span = node.span;
            }
        }
        Some((span, node))
    }

    /// What it is, for messages: `a text`, `a map`.
    pub fn kind_name(&self) -> &'static str {
        match &self.value {
            Value::Null { .. } => "nothing",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Open(_) | Value::Broken => "an open value",
            Value::Scalar(s) => match s.kind {
                ScalarKind::Text => "a text",
                ScalarKind::Integer(_) | ScalarKind::Float(_) => "a number",
                ScalarKind::Bool(_) => "true or false",
            },
        }
    }

    /// How many nodes it holds, itself counted.
    pub fn count(&self) -> usize {
        1 + match &self.value {
            Value::List(list) => list.iter().map(Self::count).sum(),
            Value::Map(map) => map.values().map(|e| e.node.count()).sum(),
            _ => 0,
        }
    }
}
