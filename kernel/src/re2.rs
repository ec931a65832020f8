//! Regular expressions as Prometheus writes them: Go's RE2 syntax, anchored at both ends. Pure.
//!
//! Go's and Rust's syntaxes are siblings with small differences: Go's classes `\d`, `\s`, `\w` and `\b` are ASCII, a `{`
//! that begins no repetition is a brace, `\Q…\E` quotes, and brackets and operators inside `[…]` are plain characters.

use regex::{Regex, RegexBuilder};

/// Regular expressions may compile to at most this many bytes.
pub const SIZE_LIMIT: usize = 1 << 20;

/// Compiles an expression that must match a whole text; `.` matches line ends too.
///
/// # Errors
/// It is no regular expression, or compiles to more than [`SIZE_LIMIT`].
pub fn anchored(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&format!("^(?s:{})$", translated(pattern))).size_limit(SIZE_LIMIT).build()
}

/// A pattern in Go's syntax as one in Rust's.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let used = match c {
            '\\' => escape(rest, false, &mut out),
            '[' => class(rest, &mut out),
            '{' if !is_repetition(rest) => {
                out.push_str("\\{");
                1
            }
            _ => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[used..];
    }
    out
}

/// Translates the escape a text begins with; says how many bytes it takes.
fn escape(text: &str, in_class: bool, out: &mut String) -> usize {
    let Some(c) = text[1..].chars().next() else {
        out.push('\\');
        return 1;
    };
    let set = match c {
        'd' | 'D' => "0-9",
        's' | 'S' => r"\t\n\f\r ",
        'w' | 'W' => "0-9A-Za-z_",
        'Q' if !in_class => {
            let end = text.find("\\E").unwrap_or(text.len());
            out.push_str(&regex::escape(&text[2..end]));
            return (end + 2).min(text.len());
        }
        'b' if !in_class => {
            out.push_str(r"(?-u:\b)");
            return 2;
        }
        'p' | 'P' | 'x' if text[2..].starts_with('{') => {
            let end = text.find('}').map_or(text.len(), |end| end + 1);
            out.push_str(&text[..end]);
            return end;
        }
        _ => {
            out.push('\\');
            out.push(c);
            return 1 + c.len_utf8();
        }
    };
    match (c.is_ascii_uppercase(), in_class) {
        (true, _) => out.push_str(&format!("[^{set}]")),
        (false, true) => out.push_str(set),
        (false, false) => out.push_str(&format!("[{set}]")),
    }
    2
}

/// Translates the character class a text begins with; says how many bytes it takes.
fn class(text: &str, out: &mut String) -> usize {
    out.push('[');
    let mut at = 1;
    if text[at..].starts_with('^') {
        out.push('^');
        at += 1;
    }
    let first = at;
    while let Some(c) = text[at..].chars().next() {
        match c {
            ']' if at > first => {
                out.push(']');
                return at + 1;
            }
            '\\' => {
                at += escape(&text[at..], true, out);
                continue;
            }
            '[' if text[at..].starts_with("[:") && text[at..].contains(":]") => {
                let end = at + text[at..].find(":]").unwrap_or(0) + 2;
                out.push_str(&text[at..end]);
                at = end;
                continue;
            }
            '[' | ']' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        at += c.len_utf8();
    }
    at
}

/// Whether a text begins with `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(text: &str) -> bool {
    let Some(end) = text.find('}') else { return false };
    let (least, most) = text[1..end].split_once(',').unwrap_or((&text[1..end], ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_go_does() {
        let check = |pattern: &str, text: &str, expect: bool| {
            assert_eq!(anchored(pattern).unwrap().is_match(text), expect, "{pattern} on {text:?}");
        };
        check("5..", "503", true);
        check("5..", "1503", false);
        check("a|b", "ab", false);
        check(".*", "two\nlines", true);
        check(r"\d+", "42", true);
        check(r"\d+", "٤٢", false);
        check(r"[\d.]+", "1.5", true);
        check(r"[^\w]", "é", true);
        check(r"\W", "é", true);
        check("{a}{2}", "{a}}", true);
        check("x{,2}", "x{,2}", true);
        check("x{2,3}", "xxx", true);
        check("[[]x[]]", "[x]", true);
        check("[[:alpha:]&&]+", "a&", true);
        check(r"\Qa.b\E+", "a.bb", true);
        check(r"a\.b\-c\/d", "a.b-c/d", true);
        check(r"\bfoo\b.*", "foo bar", true);
        check("(?i)PRO.*", "production", true);
        check(r"\p{Greek}\x{41}[\p{Lu}]", "αAB", true);
    }

    #[test]
    fn wrong_ones_are_refused() {
        for pattern in ["(", "[a", "*", "\\", "(?z)", r"(a)\1", r"\p{Nothing}"] {
            assert!(anchored(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn groups_are_kept() {
        let found = anchored(r"(\w+)-(?P<n>\d+)").unwrap();
        let found = found.captures("web-7").unwrap();
        assert_eq!((&found[1], &found["n"]), ("web", "7"));
    }
}
