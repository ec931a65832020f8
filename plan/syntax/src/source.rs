//! Source texts and places in them. Pure.

use std::sync::Arc;

use serde::Serialize;

/// A file as it was read: its path below the plan's folder, with `/` between the parts, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path below the plan's folder.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// From path and text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

/// A range of bytes in one of the [`Sources`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which file, counted from 0.
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// A place that people can find: file, line and column, both counted from 1, and the length in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file's name as shown: the plan's folder and the path below it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Length in characters, within the first line; at least 1.
    pub length: u32,
    /// The same as bytes.
    #[serde(skip)]
    pub span: Span,
}

/// All texts of one plan, with an index of their lines.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Indexed>);

#[derive(Clone, Debug)]
struct Indexed {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Vec<u32>,
}

/// Longest file that is read, so that positions fit 32 bits with room to spare; a plan of 10,000 lines has 0.5 MB.
pub const LARGEST_FILE_BYTES: usize = 64 << 20;

impl Sources {
    /// Of these files; `folder` is put before their paths where they are shown. A byte order mark is taken off; what is
    /// beyond [`LARGEST_FILE_BYTES`] is cut, which the reader reports.
    pub fn new(files: &[SourceFile], folder: &str) -> Self {
        let folder = folder.trim_end_matches('/');
        Self(files.iter().map(|f| Indexed::new(f, folder)).collect())
    }

    /// The text of a file.
    pub fn text(&self, file: u32) -> &str {
        self.0.get(file as usize).map_or("", |f| &f.text)
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Where a span is, for people.
    pub fn place(&self, span: Span) -> Place {
        let Some(file) = self.0.get(span.file as usize) else { return Place::default() };
        let line = file.line_starts.partition_point(|s| *s <= span.start).max(1) - 1;
        let from = file.line_starts[line] as usize;
        let before = file.text.get(from..span.start as usize).unwrap_or("");
        let inside = file.text.get(span.start as usize..span.end as usize).unwrap_or("");
        let inside = inside.lines().next().unwrap_or("").trim_end();
        Place {
            file: file.name.clone(),
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX),
            length: u32::try_from(inside.chars().count().max(1)).unwrap_or(u32::MAX),
            span,
        }
    }

    /// The number of a place's file, by its shown name.
    pub(crate) fn line_of(&self, span: Span) -> Option<(usize, &str)> {
        let file = self.0.get(span.file as usize)?;
        let line = file.line_starts.partition_point(|s| *s <= span.start).max(1) - 1;
        let from = file.line_starts[line] as usize;
        let to = file.line_starts.get(line + 1).map_or(file.text.len(), |s| *s as usize);
        Some((from, file.text.get(from..to)?.trim_end_matches(['\n', '\r'])))
    }
}

impl Indexed {
    fn new(file: &SourceFile, folder: &str) -> Self {
        let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
        let mut end = text.len().min(LARGEST_FILE_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = &text[..end];
        let starts = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1);
        let name = if folder.is_empty() { file.path.clone() } else { format!("{folder}/{}", file.path) };
        Self { name: name.into(), text: text.into(), line_starts: std::iter::once(0).chain(starts).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters() {
        let sources = Sources::new(&[SourceFile::new("plan.yaml", "\u{feff}a: 1\nñandú: está\n")], "plans/x/");
        let start = sources.text(0).find("está").unwrap() as u32;
        let place = sources.place(Span { file: 0, start, end: start + 5 });
        assert_eq!((&*place.file, place.line, place.column, place.length), ("plans/x/plan.yaml", 2, 8, 4));
        assert_eq!(sources.place(Span { file: 9, start: 0, end: 1 }), Place::default());
    }
}
