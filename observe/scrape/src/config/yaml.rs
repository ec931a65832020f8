//! YAML into a tree whose nodes know their places. Pure.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Deepest nesting; Prometheus's own sections need 8.
const MAX_DEPTH: usize = 64;

/// Most nodes that aliases may add to one file, against texts that grow exponentially.
const MAX_ALIAS_NODES: usize = 100_000;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    /// A text, and whether it stands without quotes.
    Text(String, bool),
    List(Vec<Node>),
    /// Keys are unique texts, in the order of the file.
    Map(Vec<(Node, Node)>),
}

impl Node {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Text(..) => 0,
            Value::List(all) => all.iter().map(Self::count).sum(),
            Value::Map(all) => all.iter().map(|(k, v)| k.count() + v.count()).sum(),
        }
    }
}

/// A mistake in the form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct YamlError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

struct Frame {
    node: Node,
    anchor: usize,
    key: Option<Node>,
}

struct Builder {
    stack: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    alias_nodes: usize,
    root: Option<Node>,
}

/// Reads one document; `None` when there is nothing in it.
pub(crate) fn read_yaml(text: &str) -> Result<Option<Node>, YamlError> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder { stack: Vec::new(), anchors: HashMap::new(), alias_nodes: 0, root: None };
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|e| YamlError {
            line: e.marker().line(),
            column: e.marker().col() + 1,
            message: format!("this is not YAML: {}", e.info()),
        })?;
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let fail = |message: &str| YamlError { line, column, message: message.to_owned() };
        let open = |value| Node { value, line, column };
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let null = plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Text(text.into_owned(), plain) };
                builder.add(open(value), anchor)?;
            }
            Event::SequenceStart(anchor, _) => builder.open(open(Value::List(Vec::new())), anchor)?,
            Event::MappingStart(anchor, _) => builder.open(open(Value::Map(Vec::new())), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => builder.close()?,
            Event::Alias(id) => {
                let mut node = builder.anchors.get(&id).cloned().ok_or_else(|| fail("this alias has no anchor"))?;
                builder.alias_nodes += node.count();
                if builder.alias_nodes > MAX_ALIAS_NODES {
                    return Err(fail("aliases make this file too large: write it out, or use fewer of them"));
                }
                (node.line, node.column) = (line, column);
                builder.add(node, 0)?;
            }
            Event::DocumentStart(_) if builder.root.is_some() => {
                return Err(fail("a second document begins here; only one is read"));
            }
            _ => {}
        }
    }
    Ok(builder.root)
}

impl Builder {
    fn open(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if self.stack.len() >= MAX_DEPTH {
            let (line, column) = (node.line, node.column);
            return Err(YamlError { line, column, message: format!("nested more than {MAX_DEPTH} deep") });
        }
        self.stack.push(Frame { node, anchor, key: None });
        Ok(())
    }

    fn close(&mut self) -> Result<(), YamlError> {
        match self.stack.pop() {
            Some(frame) => self.add(frame.node, frame.anchor),
            None => Ok(()),
        }
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.node.value {
            Value::List(all) => all.push(node),
            Value::Map(all) => match frame.key.take() {
                None => frame.key = Some(node),
                Some(key) => put(all, key, node)?,
            },
            Value::Null | Value::Text(..) => {}
        }
        Ok(())
    }
}

/// Puts a key into a map; `<<` joins another map whose keys count only where there are none.
fn put(all: &mut Vec<(Node, Node)>, key: Node, node: Node) -> Result<(), YamlError> {
    let fail = |key: &Node, message: String| YamlError { line: key.line, column: key.column, message };
    let Some(name) = key.text() else { return Err(fail(&key, "a key must be a text".to_owned())) };
    if name == "<<" && matches!(key.value, Value::Text(_, true)) {
        let maps = match node.value {
            Value::List(maps) => maps,
            _ => vec![node],
        };
        for map in maps {
            let Value::Map(entries) = map.value else {
                return Err(fail(&map, "map merge requires map or sequence of maps as the value".to_owned()));
            };
            for (mut key, node) in entries {
                if !all.iter().any(|(k, _)| k.text() == key.text()) {
                    // Marked as joined by line 0, so that the map's own key may still come.
                    key.line = 0;
                    all.push((key, node));
                }
            }
        }
        return Ok(());
    }
    match all.iter_mut().find(|(k, _)| k.text() == Some(name)) {
        Some(joined) if joined.0.line == 0 => *joined = (key, node),
        Some(_) => return Err(fail(&key, format!("key {name:?} already set in map"))),
        None => all.push((key, node)),
    }
    Ok(())
}
