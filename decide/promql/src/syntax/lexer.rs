//! Text to words. Pure.

use super::error::ParseError;
use super::span::Span;
use super::token::{Kind, Token};

/// Longer texts are refused; no rule or dashboard comes near.
pub(crate) const MAX_TEXT_BYTES: usize = 1 << 20;

/// Units of durations, longest name first so that `ms` wins over `m`; in seconds.
const UNITS: &[(&str, f64)] =
    &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0), ("w", 604_800.0), ("y", 31_536_000.0)];

struct Lexer<'a> {
    source: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
    braces: bool,
    brackets: bool,
}

/// All words of a text, closed by [`Kind::End`].
pub(crate) fn read_tokens(source: &str) -> Result<Vec<Token>, ParseError> {
    if source.len() > MAX_TEXT_BYTES {
        let span = Span { start: 0, end: 0, line: 1, column: 1 };
        return Err(ParseError::new(span, format!("expression is longer than {MAX_TEXT_BYTES} bytes")));
    }
    let mut lexer =
        Lexer { source, bytes: source.as_bytes(), at: 0, line: 1, line_start: 0, braces: false, brackets: false };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        tokens.push(token);
        if token.kind == Kind::End {
            return Ok(tokens);
        }
    }
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn span_from(&self, start: usize, line: u32, line_start: usize) -> Span {
        let column = (start - line_start + 1) as u32;
        Span { start: start as u32, end: self.at as u32, line, column }
    }

    fn here(&self, length: usize) -> Span {
        let mut span = self.span_from(self.at, self.line, self.line_start);
        span.end = (self.at + length).min(self.bytes.len()) as u32;
        span
    }

    fn skip_blank(&mut self) {
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.at;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' => {
                    while self.at < self.bytes.len() && self.bytes[self.at] != b'\n' {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn next(&mut self) -> Result<Token, ParseError> {
        self.skip_blank();
        let (start, line, line_start) = (self.at, self.line, self.line_start);
        let kind = if self.at == self.bytes.len() { self.end_of_text()? } else { self.word()? };
        Ok(Token { kind, span: self.span_from(start, line, line_start) })
    }

    fn end_of_text(&self) -> Result<Kind, ParseError> {
        if self.braces {
            return Err(ParseError::new(self.here(0), "unexpected end of input inside braces, expected \"}\""));
        }
        if self.brackets {
            return Err(ParseError::new(self.here(0), "unexpected end of input inside brackets, expected \"]\""));
        }
        Ok(Kind::End)
    }

    fn word(&mut self) -> Result<Kind, ParseError> {
        let c = self.peek(0);
        match c {
            b'"' | b'\'' => return self.quoted(c),
            b'`' => return self.raw(),
            b'0'..=b'9' => return self.number(),
            b'.' if self.peek(1).is_ascii_digit() => return self.number(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => return Ok(self.name()),
            b':' if !self.braces && !self.brackets => return Ok(self.name()),
            _ if self.letter() > 0 => return Ok(self.name()),
            _ => {}
        }
        let (kind, length) = match (c, self.peek(1)) {
            (b'=', b'=') => (Kind::Equal, 2),
            (b'=', b'~') => (Kind::MatchRegex, 2),
            (b'=', _) => (Kind::Assign, 1),
            (b'!', b'=') => (Kind::NotEqual, 2),
            (b'!', b'~') => (Kind::NotRegex, 2),
            (b'<', b'=') => (Kind::LessEqual, 2),
            (b'<', b'/') => (Kind::TrimUpper, 2),
            (b'<', _) => (Kind::Less, 1),
            (b'>', b'=') => (Kind::GreaterEqual, 2),
            (b'>', b'/') => (Kind::TrimLower, 2),
            (b'>', _) => (Kind::Greater, 1),
            _ => (self.punctuation(c)?, 1),
        };
        self.at += length;
        Ok(kind)
    }

    fn punctuation(&mut self, c: u8) -> Result<Kind, ParseError> {
        Ok(match c {
            b'(' => Kind::LeftParen,
            b')' => Kind::RightParen,
            b',' => Kind::Comma,
            b':' => Kind::Colon,
            b'@' => Kind::At,
            b'+' => Kind::Add,
            b'-' => Kind::Sub,
            b'*' => Kind::Mul,
            b'/' => Kind::Div,
            b'%' => Kind::Mod,
            b'^' => Kind::Pow,
            b'{' if !self.braces => {
                self.braces = true;
                Kind::LeftBrace
            }
            b'}' if self.braces => {
                self.braces = false;
                Kind::RightBrace
            }
            b'[' if !self.brackets => {
                self.brackets = true;
                Kind::LeftBracket
            }
            b']' if self.brackets => {
                self.brackets = false;
                Kind::RightBracket
            }
            _ => return Err(self.unexpected_character()),
        })
    }

    fn unexpected_character(&self) -> ParseError {
        let c = self.source[self.at..].chars().next().unwrap_or('\u{fffd}');
        let place = if self.braces {
            " inside braces"
        } else if self.brackets {
            " inside brackets"
        } else {
            ""
        };
        ParseError::new(self.here(c.len_utf8()), format!("unexpected character{place}: {c:?}"))
    }

    /// Bytes of the letter that comes next, where it is one beyond ASCII and names may be here; 0 otherwise.
    fn letter(&self) -> usize {
        if self.brackets || self.peek(0).is_ascii() {
            return 0;
        }
        let next = self.source.get(self.at..).and_then(|rest| rest.chars().next());
        next.filter(|c| c.is_alphabetic()).map_or(0, char::len_utf8)
    }

    /// A name: letters of any script, digits, `_`, and dots but for the first place.
    fn name(&mut self) -> Kind {
        let colons = !self.braces && !self.brackets;
        let mut kind = Kind::Name;
        loop {
            self.at += match self.peek(0) {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' => 1,
                b'.' if !self.brackets => 1,
                b':' if colons => {
                    kind = Kind::MetricName;
                    1
                }
                _ => match self.letter() {
                    0 => return kind,
                    bytes => bytes,
                },
            };
        }
    }

    fn quoted(&mut self, quote: u8) -> Result<Kind, ParseError> {
        let opening = self.here(1);
        self.at += 1;
        loop {
            match self.peek(0) {
                _ if self.at >= self.bytes.len() => return Err(ParseError::new(opening, "unterminated quoted string")),
                b'\n' => return Err(ParseError::new(opening, "unterminated quoted string")),
                b'\\' => self.at += 2,
                c if c == quote => {
                    self.at += 1;
                    return Ok(Kind::Text);
                }
                _ => self.at += 1,
            }
        }
    }

    fn raw(&mut self) -> Result<Kind, ParseError> {
        let opening = self.here(1);
        self.at += 1;
        while self.at < self.bytes.len() {
            let c = self.bytes[self.at];
            self.at += 1;
            match c {
                b'`' => return Ok(Kind::Text),
                b'\n' => {
                    self.line += 1;
                    self.line_start = self.at;
                }
                _ => {}
            }
        }
        Err(ParseError::new(opening, "unterminated raw string"))
    }

    fn digits(&mut self, hex: bool) {
        while (if hex { self.peek(0).is_ascii_hexdigit() } else { self.peek(0).is_ascii_digit() })
            || (self.peek(0) == b'_' && self.peek(1).is_ascii_hexdigit())
        {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Result<Kind, ParseError> {
        let start = self.at;
        let mut kind = Kind::Number;
        if self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X') {
            self.at += 2;
            self.digits(true);
            if matches!(self.peek(0), b'p' | b'P') {
                self.exponent();
            }
        } else {
            self.digits(false);
            if let Some(after) = duration_at(&self.source[start..]) {
                self.at = start + after;
                kind = Kind::Duration;
            } else {
                if self.peek(0) == b'.' {
                    self.at += 1;
                    self.digits(false);
                }
                if matches!(self.peek(0), b'e' | b'E') {
                    self.exponent();
                }
            }
        }
        if matches!(self.peek(0), b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | b'.') {
            while matches!(self.peek(0), b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | b'.') {
                self.at += 1;
            }
            let text = &self.source[start..self.at];
            let span = Span { start: start as u32, ..self.here(0) };
            let span = Span { column: (start - self.line_start + 1) as u32, end: self.at as u32, ..span };
            return Err(ParseError::new(span, format!("bad number or duration syntax: {text:?}")));
        }
        Ok(kind)
    }

    fn exponent(&mut self) {
        let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
        if self.peek(1 + sign).is_ascii_digit() {
            self.at += 1 + sign;
            self.digits(false);
        }
    }
}

/// The length of the duration a text begins with, such as `1h30m`.
fn duration_at(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit = UNITS.iter().find(|(unit, _)| rest[digits..].starts_with(unit));
        match (digits, unit) {
            (0, _) | (_, None) => return (at > 0).then_some(at),
            (_, Some((unit, _))) => at += digits + unit.len(),
        }
    }
}

/// The seconds of a duration as written; units must come largest first, each once.
pub(crate) fn duration_seconds(text: &str) -> Result<f64, String> {
    let (mut rest, mut last, mut total_ms) = (text, UNITS.len(), 0.0);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let found = UNITS.iter().position(|(unit, _)| rest[digits..].starts_with(unit));
        let (Some(index), Ok(count)) = (found, rest[..digits].parse::<u64>()) else {
            return Err(format!("not a valid duration string: {text:?}"));
        };
        if index >= last {
            return Err(format!("not a valid duration string: {text:?} (units go from large to small, each once)"));
        }
        last = index;
        total_ms += count as f64 * (UNITS[index].1 * 1000.0);
        rest = &rest[digits + UNITS[index].0.len()..];
    }
    if total_ms >= 9.2e15 {
        return Err("duration out of range".to_owned());
    }
    Ok(total_ms / 1000.0)
}
