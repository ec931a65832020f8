//! One YAML file into a tree: anchors, aliases, merge keys, duplicate keys, limits. Pure.
//!
//! YAML parsers give up at the first mistake in the form. Here reading goes on at the next key that starts a line, so
//! that one bad quote hides nothing but its own section.

use saphyr_parser::{Event, Parser, ScalarStyle, Span as YamlSpan, Tag};

use crate::diagnostic::Diagnostic;
use crate::scalar;
use crate::source::{LARGEST_FILE_BYTES, Sources, Span};
use crate::tree::{Node, Value};

mod build;
mod explain;

use build::Builder;

/// Deepest nesting; the plan's own shapes need 9.
pub const MAX_DEPTH: usize = 64;

/// Most nodes that aliases may add to one file, against texts that grow exponentially ("billion laughs").
pub const MAX_ALIAS_NODES: usize = 100_000;

/// Most sections that are tried after mistakes in the form of one file.
pub const MAX_RESUMPTIONS: usize = 20;

/// What a file gave.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The tree; `None` for a file without content.
    pub root: Option<Node>,
    /// Whether parts are missing because of errors: then nothing should be said about what is not there.
    pub partial: bool,
    /// What is wrong with its form.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads one of the sources.
pub fn read(sources: &Sources, file: u32) -> Reading {
    let text = sources.text(file);
    let mut out = Reading::default();
    if text.len() >= LARGEST_FILE_BYTES {
        let place = sources.place(Span { file, start: 0, end: 0 });
        out.diagnostics.push(Diagnostic::error("file-too-large", place, "this file is too large to be a plan"));
        out.partial = true;
        return out;
    }
    let mut from = 0;
    for section in 0..=MAX_RESUMPTIONS {
        let mut reader = Section::new(sources, file, from);
        let failed_at = reader.read(section > 0);
        join_sections(&mut out, reader.builder);
        let Some(failed_at) = failed_at else { return out };
        out.partial = true;
        match next_section(text, failed_at.max(from + 1)) {
            Some(next) => from = next,
            None => return out,
        }
    }
    out
}

/// The start of the next line after `from` that begins with a key in its first column.
fn next_section(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find('\n')? + 1;
        let line = text.get(at..)?.lines().next()?;
        let word = line.split(':').next().unwrap_or("");
        let is_key = line.contains(':') && word.starts_with(|c: char| c.is_alphabetic());
        if is_key && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
            return Some(at);
        }
    }
}

fn join_sections(out: &mut Reading, builder: Builder<'_>) {
    let (root, diagnostics) = builder.finish();
    out.diagnostics.extend(diagnostics);
    let Some(root) = root else { return };
    let Some(whole) = &mut out.root else {
        out.root = Some(root);
        return;
    };
    if let (Some(map), Value::Map(more)) = (whole.as_map_mut(), root.value) {
        for (key, entry) in more {
            map.entry(key).or_insert(entry);
        }
    }
}

/// One run of the parser over a file or its rest.
struct Section<'s> {
    text: &'s str,
    base: usize,
    file: u32,
    /// Byte offset of every character, where the text has others than ASCII.
    offsets: Option<Vec<u32>>,
    builder: Builder<'s>,
}

impl<'s> Section<'s> {
    fn new(sources: &'s Sources, file: u32, base: usize) -> Self {
        let text = sources.text(file).get(base..).unwrap_or("");
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(i, _)| i as u32).collect());
        Self { text, base, file, offsets, builder: Builder::new(sources) }
    }

    fn byte(&self, index: usize) -> usize {
        match &self.offsets {
            Some(offsets) => offsets.get(index).map_or(self.text.len(), |o| *o as usize),
            None => index.min(self.text.len()),
        }
    }

    fn span(&self, span: YamlSpan) -> Span {
        let (start, end) = (self.byte(span.start.index()), self.byte(span.end.index()));
        let end = start + self.text.get(start..end).unwrap_or("").trim_end().len();
        Span { file: self.file, start: (self.base + start) as u32, end: (self.base + end.max(start)) as u32 }
    }

    /// Feeds all events to the builder; gives the byte where the form went wrong.
    fn read(&mut self, resumed: bool) -> Option<usize> {
        let mut parser = Parser::new_from_str(self.text);
        let mut documents = 0;
        loop {
            let (event, span) = match parser.next_event()? {
                Ok(next) => next,
                Err(error) => {
                    let at = self.base + self.byte(error.marker().index());
                    let unknown_anchor = error.info().contains("unknown anchor");
                    if !(resumed && unknown_anchor) {
                        self.builder.report(explain::explain(&self.builder, self.file, at, error.info()));
                    }
                    return Some(at);
                }
            };
            let span = self.span(span);
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    self.builder
                        .error("several-documents", span, "a second document begins here")
                        .help("a plan file holds one document: take `---` out, or use another file");
                    return None;
                }
            }
            if !self.event(event, span) {
                return Some(span.start as usize);
            }
        }
    }

    /// Takes one event; `false` when reading cannot go on.
    fn event(&mut self, event: Event<'_>, span: Span) -> bool {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = self.tag(tag.as_deref(), span);
                let plain = style == ScalarStyle::Plain && !is_text;
                let value = if plain { scalar::resolve_plain(&text) } else { scalar::quoted(&text) };
                self.builder.value(Node::new(value, span), anchor, style == ScalarStyle::Plain)
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.as_deref(), span);
                self.builder.open_list(span, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.tag(tag.as_deref(), span);
                self.builder.open_map(span, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.builder.close(span),
            Event::Alias(anchor) => self.builder.alias(anchor, span),
            _ => true,
        }
    }

    /// Whether a tag makes a scalar a text; reports tags that mean nothing here.
    fn tag(&mut self, tag: Option<&Tag>, span: Span) -> bool {
        let Some(tag) = tag else { return false };
        if !tag.is_yaml_core_schema() && tag.handle != "!" {
            self.builder
                .error("unknown-tag", span, format!("the tag `{tag}` means nothing in a plan"))
                .help("take it out");
        } else if tag.handle == "!" && !tag.suffix.is_empty() {
            let message = format!("the tag `!{}` means nothing in a plan", tag.suffix);
            self.builder.error("unknown-tag", span, message).help("take it out");
        }
        tag.is_yaml_core_schema() && tag.suffix == "str"
    }
}

#[cfg(test)]
mod tests;
