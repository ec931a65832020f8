//! Templates into tokens, with their places. Pure.

use super::TemplateError;

/// A token inside an action.
#[derive(Clone, Debug, PartialEq)]
pub enum Tok {
    /// A word: keyword or function.
    Word(String),
    /// `$name`, `$` alone has the name `""`.
    Var(String),
    /// `.name`.
    Field(String),
    /// `.` alone.
    Dot,
    /// A text constant.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// `|`, `(`, `)`, `,`, `=`.
    Sign(char),
    /// `:=`
    Declare,
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub tok: Tok,
    /// Its first byte in the template.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// Whether it touches the token before it.
    pub glued: bool,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Stands for itself.
    Text(String),
    /// What stands between `{{` and `}}`, and where.
    Action(Vec<Token>, usize, usize),
}

/// Splits a template into texts and actions. Comments are left out, trim markers obeyed.
pub fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut out = Vec::new();
    let (mut at, mut trim_next) = (0, false);
    while let Some(found) = text[at..].find("{{") {
        let open = at + found;
        let mut start = open + 2;
        let trim_before = text[start..].starts_with('-') && text[start + 1..].starts_with([' ', '\t', '\n', '\r']);
        if trim_before {
            start += 1;
        }
        push_text(&mut out, &text[at..open], trim_next, trim_before);
        let inner = text[start..].trim_start();
        let (tokens, end) = if inner.starts_with("/*") {
            (None, comment_end(text, start, open)?)
        } else {
            let (tokens, end) = action(text, start, open)?;
            (Some(tokens), end)
        };
        trim_next = text[..end].ends_with('-') && text[..end - 1].ends_with([' ', '\t', '\n', '\r']);
        at = end + 2;
        out.extend(tokens.map(|tokens| Piece::Action(tokens, open, at)));
    }
    push_text(&mut out, &text[at..], trim_next, false);
    Ok(out)
}

fn push_text(out: &mut Vec<Piece>, text: &str, trim_start: bool, trim_end: bool) {
    let text = if trim_start { text.trim_start_matches([' ', '\t', '\n', '\r']) } else { text };
    let text = if trim_end { text.trim_end_matches([' ', '\t', '\n', '\r']) } else { text };
    if !text.is_empty() {
        out.push(Piece::Text(text.to_owned()));
    }
}

/// Where the `}}` after a comment begins.
fn comment_end(text: &str, start: usize, open: usize) -> Result<usize, TemplateError> {
    let unclosed =
        || TemplateError::new(open, 2, "this comment is not closed: end it with `*/}}`").go("unclosed comment");
    let close = start + text[start..].find("*/").ok_or_else(unclosed)? + 2;
    let end = close + text[close..].find("}}").ok_or_else(unclosed)?;
    let between = text[close..end].trim();
    if between.is_empty() || between == "-" { Ok(end) } else { Err(unclosed()) }
}

/// The tokens of an action, and where its `}}` begins.
fn action(text: &str, start: usize, open: usize) -> Result<(Vec<Token>, usize), TemplateError> {
    let mut tokens = Vec::new();
    let mut at = start;
    let mut glued = false;
    loop {
        let rest = &text[at..];
        let Some(c) = rest.chars().next() else {
            let error = TemplateError::new(open, 2, "this action is not closed: end it with `}}`");
            return Err(error.go("unclosed action"));
        };
        if rest.starts_with("}}") {
            return Ok((tokens, at));
        }
        if matches!(c, ' ' | '\t' | '\n' | '\r') {
            at += 1;
            glued = false;
            if text[at..].starts_with("-}}") {
                return Ok((tokens, at + 1));
            }
            continue;
        }
        let fresh = matches!(tokens.last().map(|t: &Token| &t.tok), None | Some(Tok::Sign(_) | Tok::Declare));
        let (tok, length) = token(rest, at, fresh)?;
        tokens.push(Token { tok, start: at, end: at + length, glued });
        at += length;
        glued = true;
    }
}

/// The next token; `fresh` where none or a sign stands before it.
fn token(rest: &str, at: usize, fresh: bool) -> Result<(Tok, usize), TemplateError> {
    let Some(first) = rest.chars().next() else { return Err(TemplateError::new(at, 1, "nothing follows")) };
    let word = |s: &str| s.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(s.len());
    let after = &rest[first.len_utf8()..];
    match first {
        '|' | '(' | ')' | ',' | '=' => Ok((Tok::Sign(first), 1)),
        ':' if after.starts_with('=') => Ok((Tok::Declare, 2)),
        '"' => quoted(rest, at),
        '`' => match after.find('`') {
            Some(end) => Ok((Tok::Text(after[..end].to_owned()), end + 2)),
            None => Err(TemplateError::new(at, 1, "this text is not closed: end it with a backquote")
                .go("unterminated raw quoted string")),
        },
        '$' => {
            let length = word(after);
            Ok((Tok::Var(after[..length].to_owned()), 1 + length))
        }
        '.' if after.starts_with(|c: char| c.is_ascii_digit()) => number(rest, at),
        '.' => match word(after) {
            0 => Ok((Tok::Dot, 1)),
            length => Ok((Tok::Field(after[..length].to_owned()), 1 + length)),
        },
        '0'..='9' => number(rest, at),
        '+' | '-' if after.starts_with(|c: char| c.is_ascii_digit() || c == '.') => number(rest, at),
        c if c.is_alphabetic() || c == '_' => {
            let length = word(rest);
            Ok((Tok::Word(rest[..length].to_owned()), length))
        }
        '\'' => character(rest, at),
        c => {
            let go = match c.is_ascii_graphic() {
                true => format!("unexpected {:?} in {}", c.to_string(), if fresh { "command" } else { "operand" }),
                false => format!("unrecognized character in action: U+{:04X} '{c}'", c as u32),
            };
            Err(TemplateError::new(at, c.len_utf8(), format!("`{c}` does not belong in an action")).go(go))
        }
    }
}

fn number(rest: &str, at: usize) -> Result<(Tok, usize), TemplateError> {
    let mut end = 0;
    let mut previous = ' ';
    for (i, c) in rest.char_indices() {
        let sign = matches!(c, '+' | '-') && (i == 0 || matches!(previous, 'e' | 'E'));
        if !(sign || c.is_ascii_alphanumeric() || c == '.' || c == '_') {
            break;
        }
        end = i + c.len_utf8();
        previous = c;
    }
    let written = &rest[..end];
    let plain = written.replace('_', "");
    let wrong = || {
        let go = format!("bad number syntax: {written:?}");
        TemplateError::new(at, end, format!("`{written}` is not a number")).go(go)
    };
    let (sign, digits) = plain.strip_prefix('-').map_or((1, plain.trim_start_matches('+')), |d| (-1, d));
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).map(|n| (Tok::Int(sign * n), end)).map_err(|_| wrong());
    }
    if let Ok(n) = plain.trim_start_matches('+').parse::<i64>() {
        return Ok((Tok::Int(n), end));
    }
    match plain.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok((Tok::Float(n), end)),
        _ => Err(wrong()),
    }
}

/// A character constant: its number.
fn character(rest: &str, at: usize) -> Result<(Tok, usize), TemplateError> {
    let unclosed = || {
        TemplateError::new(at, 1, "this character is not closed: end it with `'`").go("unterminated character constant")
    };
    let end = rest.char_indices().skip(1).scan(false, |escaped, (i, c)| {
        let ends = c == '\'' && !*escaped;
        *escaped = c == '\\' && !*escaped;
        Some((i, ends))
    });
    let end = end.filter(|(_, ends)| *ends).map(|(i, _)| i).next().ok_or_else(unclosed)?;
    // Read as a text of one character.
    let text = format!("\"{}\"", rest[1..end].replace('"', "\\\""));
    match quoted(&text, at)? {
        (Tok::Text(one), _) if one.chars().count() == 1 => {
            Ok((Tok::Int(one.chars().next().map_or(0, |c| i64::from(u32::from(c)))), end + 1))
        }
        _ => {
            let go = format!("malformed character constant: {}", &rest[..=end]);
            Err(TemplateError::new(at, end + 1, "between `'` stands one character").go(go))
        }
    }
}

/// A text constant with Go's escapes.
fn quoted(rest: &str, at: usize) -> Result<(Tok, usize), TemplateError> {
    let unclosed = || {
        let message = "this text is not closed: end it with a quote on the same line";
        TemplateError::new(at, 1, message).go("unterminated quoted string")
    };
    let mut out = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Ok((Tok::Text(out), i + 1)),
            '\n' => return Err(unclosed()),
            '\\' => {
                let (j, e) = chars.next().ok_or_else(unclosed)?;
                let simple = match e {
                    'n' => Some('\n'),
                    't' => Some('\t'),
                    'r' => Some('\r'),
                    '\\' | '"' | '\'' => Some(e),
                    'a' => Some('\u{7}'),
                    'b' => Some('\u{8}'),
                    'f' => Some('\u{c}'),
                    'v' => Some('\u{b}'),
                    _ => None,
                };
                if let Some(c) = simple {
                    out.push(c);
                    continue;
                }
                let digits = match e {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                let hex = rest.get(j + 1..j + 1 + digits).filter(|_| digits > 0);
                let code = hex.and_then(|h| u32::from_str_radix(h, 16).ok()).and_then(char::from_u32);
                let Some(code) = code else {
                    return Err(TemplateError::new(
                        at + i,
                        2,
                        format!("`\\{e}` is not an escape; a backslash is `\\\\`"),
                    ));
                };
                out.push(code);
                for _ in 0..digits {
                    chars.next();
                }
            }
            c => out.push(c),
        }
    }
    Err(unclosed())
}
