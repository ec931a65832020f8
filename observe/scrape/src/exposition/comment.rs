//! Lines that begin with `#`, and what they say of metric families. Pure.

use std::borrow::Cow;

use super::series::{Cursor, unescaped};
use super::{Fault, Format, MetricKind};

/// What is known of a metric family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Of what kind it is.
    pub kind: MetricKind,
    /// What it means.
    pub help: String,
    /// In what unit it counts.
    pub unit: String,
}

/// What a comment says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Comment<'a> {
    Help(Cow<'a, str>, Cow<'a, str>),
    Type(Cow<'a, str>, MetricKind),
    Unit(Cow<'a, str>, Cow<'a, str>),
    Plain(&'a str),
    /// `# EOF`
    End,
}

/// Bytes of a line that says nothing at all: empty, or in the text form blank.
pub(crate) fn skip_blank(bytes: &[u8], format: Format) -> usize {
    if format == Format::OpenMetrics {
        return 0;
    }
    let blanks = bytes.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(bytes.len());
    match bytes.get(blanks) {
        Some(b'\n') => blanks + 1,
        None => blanks,
        Some(_) => 0,
    }
}

/// Reads a line that begins with `#` (in the text form after blanks); `None` when it is none. Gives its bytes too.
///
/// # Errors
/// What Prometheus would refuse, and where.
pub(crate) fn comment(bytes: &[u8], format: Format) -> Result<Option<(Comment<'_>, usize)>, Fault> {
    let strict = format == Format::OpenMetrics;
    let mut cursor = Cursor { bytes, at: 0, strict };
    cursor.blanks();
    if cursor.peek() != Some(b'#') {
        return Ok(None);
    }
    let end = cursor.at + memchr::memchr(b'\n', &bytes[cursor.at..]).unwrap_or(bytes.len() - cursor.at);
    let length = (end + 1).min(bytes.len());
    let line = &bytes[..end];
    cursor.bytes = line;
    let start = cursor.at;
    cursor.at += 1;
    if strict {
        match line.get(1..) {
            Some(b" EOF") => return Ok(Some((Comment::End, length))),
            Some([b' ', ..]) => cursor.at += 1,
            _ => return Err(cursor.expected("expected a valid start token")),
        }
    }
    let blank = cursor.at;
    cursor.blanks();
    let spaced = strict || cursor.at > blank;
    let word = [&b"HELP"[..], b"TYPE", b"UNIT"].into_iter().find(|word| {
        let behind = line[cursor.at..].strip_prefix(*word).and_then(|rest| rest.first());
        spaced && matches!(behind, Some(b' ')) || (spaced && !strict && matches!(behind, Some(b'\t')))
    });
    let Some(word) = word.filter(|word| strict || *word != b"UNIT") else {
        if strict {
            return Err(cursor.expected("expected HELP, TYPE, UNIT or EOF after #"));
        }
        let text = String::from_utf8_lossy(&line[start..]);
        return Ok(Some((Comment::Plain(if let Cow::Borrowed(text) = text { text } else { "" }), length)));
    };
    cursor.at += word.len() + usize::from(strict);
    cursor.blanks();
    let word = std::str::from_utf8(word).unwrap_or_default();
    let name = if cursor.peek() == Some(b'"') {
        cursor.quoted("expected metric name", false)?
    } else {
        let name = cursor.name();
        name.ok_or_else(|| cursor.expected(&format!("expected metric name after {word}")))?.into()
    };
    let rest = line.get(cursor.at..).unwrap_or_default();
    if strict && (rest.first() != Some(&b' ') || end == bytes.len()) {
        return Err(cursor.expected(&format!("expected text in {word}")));
    }
    let raw = rest.get(1..).unwrap_or_default();
    let text = std::str::from_utf8(raw)
        .map_err(|e| Fault::new(cursor.at + 1 + e.valid_up_to(), "this text is not a valid utf8 string"))?;
    let said = match word {
        "HELP" => Comment::Help(name, help(text, strict)),
        "UNIT" => {
            let fits = |name: &str| name.strip_suffix(text).is_some_and(|rest| rest.ends_with('_'));
            if !text.is_empty() && !fits(&name) {
                return Err(Fault::new(cursor.at + 1, format!("unit {text:?} not a suffix of metric {name:?}")));
            }
            Comment::Unit(name, text.into())
        }
        _ => {
            let kind = MetricKind::named(text, format);
            let kind = kind.ok_or_else(|| Fault::new(cursor.at + 1, format!("invalid metric type {text:?}")))?;
            Comment::Type(name, kind)
        }
    };
    Ok(Some((said, length)))
}

/// A help text; the text form does not escape quotes.
fn help(text: &str, strict: bool) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    if strict { unescaped(text).into() } else { unescaped(&text.replace("\\\"", "\\\\\"")).into() }
}
