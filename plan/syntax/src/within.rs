//! Places inside of a scalar: which bytes of the file a part of its text is. Pure.
//!
//! YAML changes texts on the way: quotes and escapes go, block scalars lose their indentation, folded lines become spaces.
//! Text and file are walked side by side: what the text holds is looked for in the file, passing over what YAML takes away.

use crate::{Node, Sources, Span};

/// The bytes of the file that `from..to` of a scalar's text came from; the whole scalar where they cannot be told.
pub fn within(sources: &Sources, node: &Node, from: usize, to: usize) -> Span {
    let (Some(text), raw) = (node.as_text(), sources.slice(node.span)) else { return node.span };
    let starts = starts(text, raw);
    let at = |offset: usize| starts.iter().find(|(o, _)| *o >= offset).map(|(_, r)| *r);
    let last = starts.iter().rev().find(|(o, _)| *o < to.max(from + 1)).map(|(o, r)| r + char_length(text, *o));
    let end_of_text = starts.last().map(|(o, r)| r + char_length(text, *o));
    let Some(start) = at(from).or(end_of_text) else { return node.span };
    let end = last.unwrap_or(start + 1).max(start + 1).min(raw.len().max(start + 1));
    let base = node.span.start as usize;
    let as_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span { file: node.span.file, start: as_u32(base + start), end: as_u32(base + end) }
}

fn char_length(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8)
}

/// For each character of the text its offset there and in the file.
fn starts(text: &str, raw: &str) -> Vec<(usize, usize)> {
    let mut at = content_start(text, raw);
    let mut out = Vec::with_capacity(text.len());
    for (offset, c) in text.char_indices() {
        let found = if c.is_whitespace() { find_space(raw, at, c) } else { find_char(raw, at, c) };
        let Some(found) = found else { break };
        out.push((offset, found));
        at = found + raw[found..].chars().next().map_or(1, char::len_utf8);
    }
    out
}

/// Where the content begins: after the head of a block scalar or the first quote.
fn content_start(text: &str, raw: &str) -> usize {
    let first_line = raw.lines().next().unwrap_or("");
    let head =
        first_line.trim_start_matches(['|', '>']).trim_start_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
    let is_block = first_line.starts_with(['|', '>']) && (head.trim().is_empty() || head.trim_start().starts_with('#'));
    if is_block {
        return raw.find('\n').map_or(raw.len(), |i| i + 1);
    }
    usize::from(raw.starts_with(['"', '\'']) && !text.starts_with(raw))
}

/// A space of the text: any space of the file, the same one where it is near.
fn find_space(raw: &str, at: usize, c: char) -> Option<usize> {
    let rest = raw.get(at..)?;
    let (length, next) = rest.char_indices().find(|(_, r)| *r != '\\' && *r != '"' && *r != '\'')?;
    if next == c || next.is_whitespace() { Some(at + length) } else { rest.find(char::is_whitespace).map(|i| at + i) }
}

fn find_char(raw: &str, at: usize, c: char) -> Option<usize> {
    let mut chars = raw.get(at..)?.char_indices();
    chars.find(|(_, r)| *r == c).map(|(i, _)| at + i)
}
