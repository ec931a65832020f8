//! Names that are no old names (letters, digits, `_`), written so that old readers take them. Pure.
//!
//! <https://github.com/prometheus/proposals/blob/main/proposals/2023-08-21-utf8.md>

use std::borrow::Cow;

/// How names are written for a reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// As they are, in quotes.
    None,
    /// What does not fit becomes `_`.
    #[default]
    Underscores,
    /// `.` becomes `_dot_`, `_` becomes `__`, the rest `__`.
    Dots,
    /// `U__`, and the code of what does not fit between `_`.
    Values,
}

impl Escaping {
    /// By the name in a request's `Accept`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "allow-utf-8" => Self::None,
            "underscores" => Self::Underscores,
            "dots" => Self::Dots,
            "values" => Self::Values,
            _ => return None,
        })
    }

    /// The name in an answer's `Content-Type`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// A name as the reader takes it.
    pub(crate) fn apply(self, name: &str) -> Cow<'_, str> {
        let plain = is_plain(name);
        match self {
            Self::None => Cow::Borrowed(name),
            Self::Underscores | Self::Values if plain => Cow::Borrowed(name),
            // Dots change `_` in names that would fit, too.
            Self::Dots if plain && !name.contains('_') => Cow::Borrowed(name),
            Self::Underscores => Cow::Owned(each(name, "", |_, out| out.push('_'))),
            Self::Dots => Cow::Owned(dots(name)),
            Self::Values => Cow::Owned(values(name)),
        }
    }
}

/// Whether a name needs no quotes.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.char_indices().all(|(i, c)| fits(i, c))
}

const fn fits(i: usize, c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':' || (i > 0 && c.is_ascii_digit())
}

fn each(name: &str, start: &str, mut other: impl FnMut(char, &mut String)) -> String {
    let mut out = start.to_owned();
    for (i, c) in name.char_indices() {
        if fits(i, c) { out.push(c) } else { other(c, &mut out) }
    }
    out
}

fn dots(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    for (i, c) in name.char_indices() {
        match c {
            '_' => out.push_str("__"),
            '.' => out.push_str("_dot_"),
            c if fits(i, c) => out.push(c),
            _ => out.push_str("__"),
        }
    }
    out
}

fn values(name: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("U__");
    for (i, c) in name.char_indices() {
        match c {
            '_' => out.push_str("__"),
            c if fits(i, c) => out.push(c),
            // Writing into a String cannot fail.
            c => {
                let _ = write!(out, "_{:x}_", c as u32);
            }
        }
    }
    out
}

/// A name that was written by [`Escaping::Values`]; any other one, and one that was not written so, as it is.
pub(crate) fn unescape(name: &str) -> String {
    let read = || {
        let mut rest = name.strip_prefix("U__")?;
        let mut out = String::with_capacity(rest.len());
        while let Some(at) = rest.find('_') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('_') {
                out.push('_');
                rest = after;
                continue;
            }
            let end = rest.find('_')?;
            let code = u32::from_str_radix(&rest[..end], 16).ok().filter(|_| end <= 6)?;
            out.push(char::from_u32(code)?);
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Some(out)
    };
    read().unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_written_for_old_readers() {
        let check = |name: &str, under: &str, dots: &str, values: &str| {
            assert_eq!(Escaping::Underscores.apply(name), under);
            assert_eq!(Escaping::Dots.apply(name), dots);
            assert_eq!(Escaping::Values.apply(name), values);
        };
        check("up", "up", "up", "up");
        check("a_b", "a_b", "a__b", "a_b");
        check("http.status_code", "http_status_code", "http_dot_status__code", "U__http_2e_status__code");
        check("ñandú", "_and_", "__and__", "U___f1_and_fa_");
        check("1x", "_x", "__x", "U___31_x");
        assert_eq!(unescape("U__http_2e_status__code"), "http.status_code");
        assert_eq!(unescape("U__broken_zz"), "U__broken_zz");
        assert_eq!(unescape("job"), "job");
    }

    proptest! {
        #[test]
        fn values_are_read_back(name in "[^_\u{0}]{1,12}") {
            prop_assume!(!is_plain(&name));
            prop_assert_eq!(unescape(&Escaping::Values.apply(&name)), name);
        }
    }
}
