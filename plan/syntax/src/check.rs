//! A tree against shapes: unknown and missing keys, wrong kinds of values, wrong words, numbers out of bounds. Pure.
//!
//! The checker also mends what means the same: a number where a text belongs becomes the text as written, an empty
//! section becomes an empty map. Values that are wrong become [`Value::Broken`], missing ones too, and unknown keys go, so
//! that the rest can still be looked at. After it, reading a tree without broken values into types fails only by a bug.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::shape::{MapShape, Shape, ShapeId, Shapes};
use crate::source::{Sources, Span};
use crate::suggest::{listing, nearest};
use crate::tree::{Entry, Map, Node, ScalarKind, Value};

mod words;

use words::{article, kind_of_shape};

/// Parses a text of a named format; an error says what is wrong and what to write.
pub type Format = fn(&str) -> Result<(), String>;

/// Checks trees against shapes.
#[derive(Clone, Debug)]
pub struct Checker<'a> {
    shapes: &'a Shapes,
    formats: &'a HashMap<&'static str, Format>,
    sources: &'a Sources,
    partial: bool,
}

/// Most keys that a message lists.
const MOST_LISTED: usize = 12;

impl<'a> Checker<'a> {
    /// With parsers for the formats that the schema names.
    pub const fn new(shapes: &'a Shapes, formats: &'a HashMap<&'static str, Format>, sources: &'a Sources) -> Self {
        Self { shapes, formats, sources, partial: false }
    }

    /// Parts of the tree are missing because of errors already reported: missing keys of the root are not reported.
    #[must_use]
    pub const fn partial(mut self, partial: bool) -> Self {
        self.partial = partial;
        self
    }

    /// Checks a whole tree and mends it.
    pub fn check(&self, root: &mut Node) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        let at = At { name: "the plan", key_span: None, root: true };
        self.node(root, self.shapes.root(), &at, &mut out);
        out
    }

    fn node(&self, node: &mut Node, id: ShapeId, at: &At<'_>, out: &mut Vec<Diagnostic>) {
        if matches!(node.value, Value::Open(_) | Value::Broken) {
            return;
        }
        match self.shapes.get(id) {
            Shape::Any | Shape::Null if self.accepts(id, node, false) => {}
            Shape::Either(options) => self.either(node, options, at, out),
            shape if self.accepts(id, node, true) => {
                if let Some(problem) = self.fitting(node, shape, at, out) {
                    out.push(problem);
                    node.value = Value::Broken;
                }
            }
            _ => {
                out.push(self.wrong_kinds(node, &[id], at));
                node.value = Value::Broken;
            }
        }
    }

    /// Whether a shape is of the node's kind; leniently, a number is a text and nothing is an empty map or list.
    fn accepts(&self, id: ShapeId, node: &Node, lenient: bool) -> bool {
        let shape = self.shapes.get(id);
        match (&node.value, shape) {
            (Value::Open(_) | Value::Broken, _) | (_, Shape::Any) | (Value::Null { .. }, Shape::Null) => true,
            (_, Shape::Either(options)) => options.iter().any(|o| self.accepts(*o, node, lenient)),
            (Value::Null { written: false }, Shape::Map(_) | Shape::List(_)) => lenient,
            (Value::Map(_), Shape::Map(_)) | (Value::List(_), Shape::List(_)) => true,
            (Value::Scalar(s), Shape::Text { .. } | Shape::Words(_)) => lenient || s.kind == ScalarKind::Text,
            (Value::Scalar(s), Shape::Bool) => matches!(s.kind, ScalarKind::Bool(_)),
            (Value::Scalar(s), Shape::Number { .. }) => matches!(s.kind, ScalarKind::Integer(_) | ScalarKind::Float(_)),
            _ => false,
        }
    }

    fn either(&self, node: &mut Node, options: &[ShapeId], at: &At<'_>, out: &mut Vec<Diagnostic>) {
        let unwritten = matches!(node.value, Value::Null { written: false });
        let fits = |lenient: bool| -> Vec<ShapeId> {
            let null = |o: &ShapeId| unwritten && matches!(self.shapes.get(*o), Shape::Null);
            options.iter().copied().filter(|o| !null(o) && self.accepts(*o, node, lenient)).collect()
        };
        let mut fitting = fits(false);
        if fitting.is_empty() {
            fitting = fits(true);
        }
        match fitting.as_slice() {
            [] => {
                let real = options.iter().copied().filter(|o| !matches!(self.shapes.get(*o), Shape::Null));
                out.push(self.wrong_kinds(node, &real.collect::<Vec<_>>(), at));
                node.value = Value::Broken;
            }
            [one] => self.node(node, *one, at, out),
            several => {
                let mut first: Option<(Node, Vec<Diagnostic>)> = None;
                for option in several {
                    let (mut copy, mut found) = (node.clone(), Vec::new());
                    self.node(&mut copy, *option, at, &mut found);
                    if found.is_empty() {
                        *node = copy;
                        return;
                    }
                    first.get_or_insert((copy, found));
                }
                if let Some((copy, found)) = first {
                    *node = copy;
                    out.extend(found);
                }
            }
        }
    }

    /// A node of the right kind; gives what is wrong with the node itself.
    fn fitting(&self, node: &mut Node, shape: &Shape, at: &At<'_>, out: &mut Vec<Diagnostic>) -> Option<Diagnostic> {
        if matches!(node.value, Value::Null { written: false }) {
            match shape {
                Shape::Map(_) => node.value = Value::Map(Map::new()),
                Shape::List(_) => node.value = Value::List(Vec::new()),
                _ => {}
            }
        }
        let (span, origin) = (node.span, node.origin);
        match (&mut node.value, shape) {
            (Value::Map(map), Shape::Map(shape)) => self.map(map, span, shape, at, out),
            (Value::List(items), Shape::List(id)) => {
                for item in items {
                    self.node(item, *id, &At { name: at.name, key_span: None, root: false }, out);
                }
            }
            (Value::Scalar(scalar), Shape::Number { whole, min, max }) => {
                return words::number_problem(scalar, *whole, *min, *max).map(|w| self.bad_value(span, origin, w));
            }
            (Value::Scalar(scalar), Shape::Words(_) | Shape::Text { .. }) => {
                scalar.kind = ScalarKind::Text;
                return self.text(&scalar.text, shape, (span, origin), at);
            }
            _ => {}
        }
        None
    }

    fn text(&self, text: &str, shape: &Shape, place: (Span, Option<Span>), at: &At<'_>) -> Option<Diagnostic> {
        match shape {
            Shape::Words(allowed) if !allowed.iter().any(|w| &**w == text) => {
                Some(self.unknown_word(text, allowed, place, at))
            }
            Shape::Text { format, pattern } => {
                if let Some(parse) = format.as_deref().and_then(|f| self.formats.get(f)) {
                    return parse(text).err().map(|problem| self.bad_value(place.0, place.1, (problem, None)));
                }
                let pattern = pattern.as_ref().filter(|p| !p.is_match(text))?;
                let problem = format!("`{text}` cannot be {}", article(at.name));
                Some(self.bad_value(place.0, place.1, (problem, Some(format!("a text that matches `{pattern}`")))))
            }
            _ => None,
        }
    }

    fn map(&self, map: &mut Map, span: Span, shape: &MapShape, at: &At<'_>, out: &mut Vec<Diagnostic>) {
        let MapShape { keys, required, others } = shape;
        for (key, entry) in map.iter_mut() {
            let inner = At { name: key, key_span: Some(entry.key_span), root: false };
            match keys.get(key).copied().or(*others) {
                Some(id) => self.node(&mut entry.node, id, &inner, out),
                None => out.push(self.unknown_key(key, shape, entry.key_span, at)),
            }
        }
        if others.is_none() {
            map.retain(|key, _| keys.contains_key(key));
        }
        if self.partial && at.root {
            return;
        }
        for key in required {
            if map.contains_key(key) {
                continue;
            }
            let here = at.key_span.unwrap_or(Span { end: span.start, ..span });
            map.insert(key.clone(), Entry { key_span: here, node: Node::new(Value::Broken, here) });
            let place = self.sources.place(here);
            let message =
                if at.root { format!("the plan lacks `{key}`") } else { format!("`{}` lacks `{key}`", at.name) };
            let all = listing(required.iter().map(|k| &**k), MOST_LISTED, "and");
            out.push(Diagnostic::error("missing-key", place, message).expected(format!("the key {all}")));
        }
    }

    fn unknown_key(&self, key: &str, shape: &MapShape, span: Span, at: &At<'_>) -> Diagnostic {
        let names = || shape.keys.keys().map(|k| &**k);
        let inside = if at.root { "the plan".to_owned() } else { format!("`{}`", at.name) };
        let found = nearest(key, names());
        let help = found.map(|n| format!("did you mean `{n}`?"));
        Diagnostic::error("unknown-key", self.sources.place(span), format!("{inside} has no key `{key}`"))
            .expected(found.map_or_else(|| listing(names(), MOST_LISTED, "or"), |n| format!("`{n}`")))
            .maybe_help(help)
    }

    fn unknown_word(
        &self,
        text: &str,
        allowed: &[Arc<str>],
        (span, origin): (Span, Option<Span>),
        at: &At<'_>,
    ) -> Diagnostic {
        let names = || allowed.iter().map(|w| &**w);
        let expected = Some(listing(names(), MOST_LISTED * 2, "or"));
        let found = nearest(text, names());
        let problem = format!("`{text}` is not {} that Farero knows", article(at.name));
        self.bad_value(span, origin, (problem, expected)).maybe_help(found.map(|n| format!("did you mean `{n}`?")))
    }

    fn bad_value(&self, span: Span, origin: Option<Span>, (problem, expected): (String, Option<String>)) -> Diagnostic {
        let mut out = Diagnostic::error("bad-value", self.sources.place(span), problem);
        out.expected = expected;
        match origin {
            Some(origin) => out.related(self.sources.place(origin), "the value comes from here"),
            None => out,
        }
    }

    fn wrong_kinds(&self, node: &Node, ids: &[ShapeId], at: &At<'_>) -> Diagnostic {
        let mut kinds: Vec<&str> = ids.iter().map(|id| kind_of_shape(self.shapes, *id)).collect();
        kinds.dedup();
        let expected = kinds.join(" or ");
        if matches!(node.value, Value::Null { .. }) {
            let place = self.sources.place(at.key_span.unwrap_or(node.span));
            return Diagnostic::error("no-value", place, format!("`{}` has no value", at.name))
                .help(format!("write {expected} after the colon, or take the key out"))
                .expected(expected);
        }
        let span = match node.value {
            Value::Scalar(_) => node.span,
            _ => at.key_span.unwrap_or(node.span),
        };
        let message = format!("`{}` must be {expected}, and this is {}", at.name, node.kind_name());
        let out = self.bad_value(span, node.origin, (message, Some(expected)));
        Diagnostic { code: "wrong-kind", ..out.maybe_help(words::hint(node)) }
    }
}

/// Where in the tree the checker is.
struct At<'n> {
    /// Key of the node.
    name: &'n str,
    /// Where the key stands.
    key_span: Option<Span>,
    root: bool,
}

#[cfg(test)]
mod tests;
