//! Name and labels of a line: `name{label="value",…}`, quoted names too. Pure.

use std::borrow::Cow;

use super::{Fault, Format, MetricKind, Pair};
use crate::number;

/// Name and labels as they stand in a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NameText<'a> {
    /// The name first, as `__name__`.
    pub(crate) labels: Vec<Pair<'a>>,
    /// Bytes up to the value, blanks before it included.
    pub(crate) value_at: usize,
}

/// A cursor over one line and what follows it.
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    pub(crate) strict: bool,
}

const fn starts_label(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_'
}

const fn starts_name(b: u8) -> bool {
    starts_label(b) || b == b':'
}

impl<'a> Cursor<'a> {
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Blanks may stand between tokens of the text form, but not of OpenMetrics.
    pub(crate) fn blanks(&mut self) {
        while !self.strict && matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    pub(crate) fn expected(&self, what: &str) -> Fault {
        Fault::expected(what, self.bytes, self.at)
    }

    fn word(&mut self, more: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&more) {
            self.at += 1;
        }
        std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default()
    }

    /// A metric's name without quotes.
    pub(crate) fn name(&mut self) -> Option<&'a str> {
        self.peek().filter(|b| starts_name(*b))?;
        Some(self.word(|b| starts_name(b) || b.is_ascii_digit()))
    }

    /// A quoted text, its escapes replaced. The cursor stands on the first quote.
    pub(crate) fn quoted(&mut self, what: &str, lines: bool) -> Result<Cow<'a, str>, Fault> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            match self.bytes.get(at) {
                None => return Err(self.expected(what)),
                Some(b'\n') if !lines => return Err(self.expected(what)),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                Some(_) => at += 1,
            }
        }
        let raw = &self.bytes[start..at];
        let text = std::str::from_utf8(raw)
            .map_err(|e| Fault::new(start + e.valid_up_to(), format!("invalid UTF-8 label value: {raw:?}")))?;
        self.at = at + 1;
        Ok(if escaped { unescaped(text).into() } else { text.into() })
    }

    /// What stands between braces; the cursor is behind the first one. `name` is set by a quoted text without a value.
    pub(crate) fn labels(
        &mut self,
        out: &mut Vec<Pair<'a>>,
        mut name: Option<&mut Option<Cow<'a, str>>>,
    ) -> Result<(), Fault> {
        loop {
            self.blanks();
            let label: Cow<'a, str> = match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'"') => {
                    let quoted = self.quoted("expected label name", true)?;
                    self.blanks();
                    if let Some(end @ (b',' | b'}')) = self.peek() {
                        let Some(name) = name.as_deref_mut() else { return Err(self.expected("expected label name")) };
                        if name.is_some() {
                            return Err(Fault::new(self.at, "metric name already set"));
                        }
                        *name = Some(quoted);
                        self.at += 1;
                        if end == b'}' {
                            return Ok(());
                        }
                        continue;
                    }
                    quoted
                }
                Some(b) if starts_label(b) => self.word(|b| starts_label(b) || b.is_ascii_digit()).into(),
                _ => return Err(self.expected("expected label name")),
            };
            self.blanks();
            if self.peek() != Some(b'=') {
                return Err(self.expected("expected equal"));
            }
            self.at += 1;
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.expected("expected label value"));
            }
            let value = self.quoted("expected label value", !self.strict)?;
            out.push((label, value));
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {}
                _ if self.strict => return Err(self.expected("expected comma or brace close")),
                _ => {}
            }
        }
    }
}

/// Reads name and labels at the start of a line.
///
/// # Errors
/// What Prometheus would refuse, and where.
pub(crate) fn series(bytes: &[u8], format: Format, kind: MetricKind) -> Result<NameText<'_>, Fault> {
    let mut cursor = Cursor { bytes, at: 0, strict: format == Format::OpenMetrics };
    let mut labels = vec![(Cow::Borrowed(kernel::labels::METRIC_NAME), Cow::Borrowed(""))];
    let mut name = cursor.name().map(Cow::Borrowed);
    if name.is_none() && cursor.peek() != Some(b'{') {
        return Err(cursor.expected("expected a valid start token"));
    }
    cursor.blanks();
    if cursor.peek() == Some(b'{') {
        cursor.at += 1;
        cursor.labels(&mut labels, Some(&mut name))?;
    }
    let Some(name) = name else {
        return Err(Fault::new(cursor.at, "metric name not set"));
    };
    labels[0].1 = name;
    for (label, value) in &mut labels[1..] {
        normalize(kind, label, value);
    }
    cursor.blanks();
    if cursor.strict {
        if cursor.peek() != Some(b' ') {
            return Err(cursor.expected("expected value after metric"));
        }
        cursor.at += 1;
    }
    Ok(NameText { labels, value_at: cursor.at })
}

/// Bounds and quantiles are written alike, so that the same series has the same labels in every format.
pub(crate) fn normalize(kind: MetricKind, label: &str, value: &mut Cow<'_, str>) {
    let is_number = match kind {
        MetricKind::Histogram => label == "le",
        MetricKind::Summary => label == "quantile",
        _ => false,
    };
    if is_number && let Some(number) = number::parse(value) {
        let text = number::canonical(number);
        if text != *value {
            *value = text.into();
        }
    }
}

/// Replaces `\"`, `\\` and `\n`; other backslashes stay.
pub(crate) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut ahead = chars.clone();
        match ahead.next() {
            Some('n') => out.push('\n'),
            Some(c @ ('"' | '\\')) => out.push(c),
            _ => {
                out.push('\\');
                continue;
            }
        }
        chars = ahead;
    }
    out
}
