//! Events into nodes, with an explicit stack: no text can exhaust the program's own. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::source::{Sources, Span};
use crate::tree::{Entry, Map, Node, Value};

use super::{MAX_ALIAS_NODES, MAX_DEPTH};

/// Builds one tree.
pub(super) struct Builder<'s> {
    pub(super) sources: &'s Sources,
    stack: Vec<Frame>,
    anchors: HashMap<usize, (Node, usize)>,
    alias_nodes: usize,
    root: Option<Node>,
    diagnostics: Vec<Diagnostic>,
}

/// A list or map whose end has not come yet.
struct Frame {
    span: Span,
    anchor: usize,
    body: Body,
}

enum Body {
    List(Vec<Node>),
    Map { map: Map, key: Option<Key>, merges: Vec<Node> },
}

enum Key {
    Name(Arc<str>, Span),
    Merge,
    /// Not a text: already reported, its value is dropped.
    Bad,
}

/// Adds help to the diagnostic that was reported last.
pub(super) struct Reported<'b>(Option<&'b mut Diagnostic>);

impl Reported<'_> {
    pub(super) fn help(self, text: &str) {
        if let Some(d) = self.0 {
            d.help = Some(text.to_owned());
        }
    }
}

impl<'s> Builder<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        Self {
            sources,
            stack: Vec::new(),
            anchors: HashMap::new(),
            alias_nodes: 0,
            root: None,
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Reported<'_> {
        self.diagnostics.push(Diagnostic::error(code, self.sources.place(span), message));
        Reported(self.diagnostics.last_mut())
    }

    /// What was built, even when the end did not come.
    pub(super) fn finish(mut self) -> (Option<Node>, Vec<Diagnostic>) {
        while let Some(frame) = self.stack.last() {
            let span = frame.span;
            self.close(span);
        }
        (self.root, self.diagnostics)
    }

    pub(super) fn open_list(&mut self, span: Span, anchor: usize) -> bool {
        self.open(Frame { span, anchor, body: Body::List(Vec::new()) })
    }

    pub(super) fn open_map(&mut self, span: Span, anchor: usize) -> bool {
        self.open(Frame { span, anchor, body: Body::Map { map: Map::new(), key: None, merges: Vec::new() } })
    }

    fn open(&mut self, frame: Frame) -> bool {
        if self.stack.len() >= MAX_DEPTH {
            self.error("too-deep", frame.span, format!("this is nested more than {MAX_DEPTH} levels deep"))
                .help("no part of a plan needs that: check the indentation");
            return false;
        }
        self.stack.push(frame);
        true
    }

    pub(super) fn close(&mut self, end: Span) -> bool {
        let Some(frame) = self.stack.pop() else { return true };
        let span = Span { end: end.end.max(frame.span.end), ..frame.span };
        let value = match frame.body {
            Body::List(items) => Value::List(items),
            Body::Map { mut map, merges, .. } => {
                self.merge(&mut map, merges);
                Value::Map(map)
            }
        };
        self.value(Node::new(value, span), frame.anchor, false)
    }

    /// A finished value: keeps it under its anchor and gives it to the list or map around it. `plain` tells scalars
    /// without quotes, of which `<<` is the merge key.
    pub(super) fn value(&mut self, node: Node, anchor: usize, plain: bool) -> bool {
        if anchor > 0 {
            let count = node.count();
            self.anchors.insert(anchor, (node.clone(), count));
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root.get_or_insert(node);
            return true;
        };
        match &mut frame.body {
            Body::List(items) => items.push(node),
            Body::Map { map, key, merges } => match key.take() {
                None => {
                    let next = self.key(&node, plain);
                    if let Some(Frame { body: Body::Map { key, .. }, .. }) = self.stack.last_mut() {
                        *key = Some(next);
                    }
                }
                Some(Key::Bad) => {}
                Some(Key::Merge) => merges.push(node),
                Some(Key::Name(name, key_span)) => match map.get(&name) {
                    None => {
                        map.insert(name, Entry { key_span, node });
                    }
                    Some(first) => {
                        let first = self.sources.place(first.key_span);
                        let message = format!("`{name}` stands here a second time");
                        let twice = Diagnostic::error("duplicate-key", self.sources.place(key_span), message)
                            .related(first, "the first is here")
                            .help("keep one of them, or give one another name");
                        self.diagnostics.push(twice);
                    }
                },
            },
        }
        true
    }

    fn key(&mut self, node: &Node, plain: bool) -> Key {
        match node.as_text() {
            Some("<<") if plain => Key::Merge,
            Some(text) => Key::Name(text.into(), node.span),
            None => {
                self.error("bad-key", node.span, format!("{} cannot be a key", node.kind_name()))
                    .help("a key is a word before a colon; put texts that begin with { or [ in quotes");
                Key::Bad
            }
        }
    }

    pub(super) fn alias(&mut self, anchor: usize, span: Span) -> bool {
        let Some((node, count)) = self.anchors.get(&anchor) else {
            self.error("recursive-alias", span, "this alias stands inside of what it stands for");
            return false;
        };
        self.alias_nodes += count;
        if self.alias_nodes > MAX_ALIAS_NODES {
            let message = format!("aliases add more than {MAX_ALIAS_NODES} values to this file");
            self.error("too-many-aliases", span, message).help("write the values out, or use fewer aliases");
            return false;
        }
        let node = node.clone();
        if self.stack.len() + depth(&node) > MAX_DEPTH {
            self.error("too-deep", span, format!("this alias nests more than {MAX_DEPTH} levels deep"));
            return false;
        }
        self.value(node, 0, false)
    }

    /// Puts the entries of merged maps behind the map's own; what stands in the map itself wins, then the first merged.
    fn merge(&mut self, map: &mut Map, merges: Vec<Node>) {
        for node in merges {
            let parts = match node.value {
                Value::List(items) => items,
                _ => vec![node],
            };
            for part in parts {
                match part.value {
                    Value::Map(more) => {
                        for (key, entry) in more {
                            map.entry(key).or_insert(entry);
                        }
                    }
                    _ => self
                        .error("bad-merge", part.span, format!("`<<` takes a map, not {}", part.kind_name()))
                        .help("write `<<: *name`, where `&name` stands before a map"),
                }
            }
        }
    }
}

fn depth(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => 1 + map.values().map(|e| depth(&e.node)).max().unwrap_or(0),
        _ => 0,
    }
}
