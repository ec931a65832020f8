//! The parser's words about a mistake in the form, as a person would say them. Pure.

use crate::diagnostic::Diagnostic;
use crate::source::Span;

use super::build::Builder;

/// What the parser says (a part of it), what is wrong, what to do.
const WORDS: &[(&str, &str, &str)] = &[
    ("tab", "there is a tab where YAML allows only spaces", "indent with spaces, two for each level"),
    (
        "unknown anchor",
        "no anchor of this name stands before this alias",
        "write `&name` before the value that `*name` repeats; anchors hold within one file",
    ),
    ("end of stream", "a text in quotes is never closed", "close it with the same quote it begins with"),
    (
        "quoted scalar",
        "a text in quotes is not written as YAML wants it",
        "in double quotes, write a backslash as `\\\\`; or use single quotes",
    ),
    (
        "flow mapping",
        "a map in braces is not written as YAML wants it",
        "separate entries by commas and close with `}`; put texts with `${…}` in quotes inside braces",
    ),
    (
        "flow sequence",
        "a list in brackets is not written as YAML wants it",
        "separate items by commas and close with `]`; put texts with `${…}` in quotes inside brackets",
    ),
    ("misplaced bracket", "a bracket closes nothing", "take it out, or put the text in quotes"),
    (
        "mapping values",
        "a colon followed by a space stands inside a text, or the indentation is wrong",
        "put the text in quotes, or check the indentation",
    ),
    (
        "block mapping",
        "here a key was expected",
        "check the indentation of this line and of the one before: keys of one map begin in the same column",
    ),
    (
        "block collection",
        "here a list item or a key was expected",
        "check the indentation of this line and of the one before",
    ),
    (
        "simple key",
        "here a key followed by a colon was expected",
        "write `key: value`; a text over several lines needs `|` or quotes",
    ),
    ("indentation", "this line is not indented as the lines before it", "keys of one map begin in the same column"),
    (
        "block sequence",
        "a list item stands where none can be",
        "check the indentation of this line and of the one before",
    ),
    ("unexpected character", "a text cannot begin with this character", "put the text in quotes"),
    ("unprintable", "there is a character that cannot be printed", "take it out"),
    ("anchor", "the name of an anchor is missing or wrong", "put the text in quotes if `&` or `*` belongs to it"),
];

/// A diagnostic for the parser's message at a byte of a file.
pub(super) fn explain(builder: &Builder<'_>, file: u32, at: usize, info: &str) -> Diagnostic {
    let text = builder.sources.text(file);
    let mut at = at.min(text.len());
    if at == text.len() {
        at = text.trim_end().len();
    }
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let width = text[at..].chars().next().map_or(0, char::len_utf8);
    let place = builder.sources.place(Span { file, start: at as u32, end: (at + width) as u32 });
    match WORDS.iter().find(|(part, _, _)| info.contains(part)) {
        Some((_, message, help)) => {
            Diagnostic::error("yaml", place, *message).expected(format!("YAML ({info})")).help(*help)
        }
        None => Diagnostic::error("yaml", place, format!("this is not YAML: {info}")),
    }
}
