//! One line of an exposition, read from left to right. Pure.

use std::borrow::Cow;

use kernel::Labels;
use kernel::labels::METRIC_NAME;

/// Where something is wrong (offset in bytes) and what.
type Wrong = (usize, String);

/// A line and how far it has been read.
pub(super) struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    /// Offset of what comes next.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn is_before(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// Reads over `text` if it comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let is_next = self.is_before(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    /// Spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn take_while(&mut self, is_part: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.bytes().position(|b| !is_part(b)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// All up to the next blank.
    pub(super) fn word(&mut self) -> &'a str {
        self.take_while(|b| !matches!(b, b' ' | b'\t'))
    }

    fn wrong<T>(&self, message: impl Into<String>) -> Result<T, Wrong> {
        Err((self.at, message.into()))
    }

    /// A metric's name, bare or in quotes, and the rest of the line behind one blank.
    pub(super) fn name_and_rest(&mut self) -> Result<(String, &'a str), Wrong> {
        self.skip_blanks();
        let name = if self.is_before("\"") { self.quoted()?.into_owned() } else { self.word().to_owned() };
        if name.is_empty() {
            return self.wrong("the name of a metric is missing");
        }
        self.skip_blanks();
        Ok((name, self.rest()))
    }

    /// A series: `name`, `name{a="b"}`, or with the name in quotes among the labels `{"name", "a"="b"}`.
    pub(super) fn series(&mut self) -> Result<Labels, Wrong> {
        let start = self.at;
        let name = self.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'));
        if name.starts_with(|c: char| c.is_ascii_digit()) || (name.is_empty() && !self.is_before("{")) {
            return Err((start, "the name of a metric is expected here".to_owned()));
        }
        let mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        if !name.is_empty() {
            pairs.push((METRIC_NAME.into(), name.into()));
        }
        self.skip_blanks();
        if self.take("{") {
            self.labels(&mut pairs)?;
        }
        if pairs.iter().all(|(n, v)| n != METRIC_NAME || v.is_empty()) {
            return Err((start, "the series has no name".to_owned()));
        }
        Ok(Labels::new(pairs))
    }

    /// The labels of an exemplar, which has no name.
    pub(super) fn labels_of_exemplar(&mut self) -> Result<(), Wrong> {
        if !self.take("{") {
            return self.wrong("the labels of an exemplar are expected here: `{`");
        }
        self.labels(&mut Vec::new())
    }

    /// Labels up to the closing brace, which is read over.
    fn labels(&mut self, pairs: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Result<(), Wrong> {
        loop {
            self.skip_blanks();
            if self.take("}") {
                return Ok(());
            }
            let start = self.at;
            let (name, is_quoted) = self.label_name()?;
            self.skip_blanks();
            let pair = if self.take("=") {
                self.skip_blanks();
                (name, self.quoted()?)
            } else if is_quoted {
                (METRIC_NAME.into(), name)
            } else {
                return self.wrong("`=` is expected here");
            };
            if pairs.iter().any(|(n, _)| *n == pair.0) {
                let what =
                    if pair.0 == METRIC_NAME { "the metric's name".into() } else { format!("the label `{}`", pair.0) };
                return Err((start, format!("{what} is there twice")));
            }
            pairs.push(pair);
            self.skip_blanks();
            if !self.take(",") && !self.is_before("}") {
                return self.wrong("`,` or `}` is expected here");
            }
        }
    }

    fn label_name(&mut self) -> Result<(Cow<'a, str>, bool), Wrong> {
        let start = self.at;
        if self.is_before("\"") {
            let name = self.quoted()?;
            return if name.is_empty() { Err((start, "a name is empty".to_owned())) } else { Ok((name, true)) };
        }
        let name = self.take_while(|b| b.is_ascii_alphanumeric() || b == b'_');
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err((start, "the name of a label is expected here".to_owned()));
        }
        Ok((name.into(), false))
    }

    /// A text in quotes; `\\`, `\"` and `\n` are escapes, any other backslash stands for itself.
    fn quoted(&mut self) -> Result<Cow<'a, str>, Wrong> {
        let start = self.at;
        if !self.take("\"") {
            return self.wrong("a value in quotes is expected here");
        }
        let plain = self.take_while(|b| !matches!(b, b'"' | b'\\'));
        if self.take("\"") {
            return Ok(plain.into());
        }
        let mut out = plain.to_owned();
        loop {
            out.push_str(self.take_while(|b| !matches!(b, b'"' | b'\\')));
            if self.take("\"") {
                return Ok(out.into());
            }
            if !self.take("\\") {
                return Err((start, "the closing quote is missing".to_owned()));
            }
            let escape = self.rest().chars().next();
            self.at += escape.map_or(0, char::len_utf8);
            match escape {
                Some('n') => out.push('\n'),
                Some(c @ ('\\' | '"')) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => return Err((start, "the closing quote is missing".to_owned())),
            }
        }
    }

    /// A floating-point number as Go writes it: `1`, `-2.5e3`, `NaN`, `+Inf`.
    pub(super) fn number(&mut self, what: &str) -> Result<f64, Wrong> {
        self.skip_blanks();
        let start = self.at;
        let word = self.word();
        word.parse().map_err(|_| (start, format!("{what} is expected here, not `{}`", shown(word))))
    }

    /// A whole number.
    pub(super) fn whole_number(&mut self, what: &str) -> Result<i64, Wrong> {
        let start = self.at;
        let word = self.word();
        word.parse().map_err(|_| (start, format!("{what} is expected here, not `{}`", shown(word))))
    }
}

/// The first characters of a word, for a message.
fn shown(word: &str) -> String {
    word.chars().take(40).collect()
}
