//! Variables in texts: `$name`, `${name}`, `${name:form}` and the built-ins, replaced by what was chosen. Pure.
//!
//! | built-in | stands for |
//! | --- | --- |
//! | `$__interval`, `$__interval_ms` | the distance of two points |
//! | `$__rate_interval` | a range that holds four samples at least, for `rate` |
//! | `$__range`, `$__range_s`, `$__range_ms` | the whole range |
//! | `$__from`, `$__to` | its ends, milliseconds since 1970 |
//! | `$__dashboard` | the dashboard's name |
//!
//! In PromQL several values become a regular expression, `(a|b)`, each escaped; so write `=~` where several may be chosen. One
//! value is escaped so that it cannot end the text around it. `$1` and `$$` are none of ours.

use std::ops::Range;

/// Built-in variables.
pub const BUILT_IN: [&str; 9] = [
    "__interval",
    "__interval_ms",
    "__rate_interval",
    "__range",
    "__range_s",
    "__range_ms",
    "__from",
    "__to",
    "__dashboard",
];

/// Forms that may stand behind a colon.
pub const FORMS: [&str; 8] = ["regex", "pipe", "csv", "raw", "text", "queryparam", "percentencode", "doublequote"];

/// What was chosen of a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The values.
    pub values: Vec<String>,
    /// What people read instead of them.
    pub labels: Vec<String>,
    /// Whether several may be chosen, so that expressions compare by regular expression.
    pub several: bool,
    /// What stands for all, where all are chosen: a regular expression already.
    pub all_value: Option<String>,
}

impl Chosen {
    /// One value.
    pub fn one(value: impl Into<String>) -> Self {
        let value = value.into();
        Self { labels: vec![value.clone()], values: vec![value], ..Self::default() }
    }

    /// As an expression takes it, in a form.
    fn written(&self, form: Option<&str>, name: &str) -> String {
        if let (Some(all), None | Some("regex" | "pipe" | "raw")) = (&self.all_value, form) {
            return all.clone();
        }
        let join = |each: &dyn Fn(&str) -> String, between: &str| {
            self.values.iter().map(|v| each(v)).collect::<Vec<_>>().join(between)
        };
        match form {
            Some("raw" | "csv") => join(&str::to_owned, ","),
            Some("pipe") => join(&str::to_owned, "|"),
            Some("text") => self.labels.join(" + "),
            Some("doublequote") => join(&|v| format!("\"{}\"", quoted(v)), ","),
            Some("percentencode") => percent_encoded(&join(&str::to_owned, ",")),
            Some("queryparam") => {
                let each = |v: &str| format!("var-{}={}", percent_encoded(name), percent_encoded(v));
                join(&each, "&")
            }
            Some(_) => self.regex(),
            None if self.several => self.regex(),
            None => join(&quoted, ","),
        }
    }

    fn regex(&self) -> String {
        let each: Vec<String> = self.values.iter().map(|v| quoted_regex(v)).collect();
        match each.as_slice() {
            [one] => one.clone(),
            // No value at all matches nothing.
            [] => "a^".to_owned(),
            all => format!("({})", all.join("|")),
        }
    }
}

/// A value inside of a quoted text of PromQL.
fn quoted(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\'', "\\'").replace('\n', "\\n")
}

/// A value as a regular expression that matches it alone, inside of a quoted text of PromQL.
fn quoted_regex(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '"' | '\'' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str("\\\\\\\\"),
            '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                out.push_str("\\\\");
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// A text as a part of an address (RFC 3986, section 2.1): everything but letters, digits and `-._~` is encoded.
pub fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A text with everything replaced, and where its parts come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The text.
    pub text: String,
    /// For each variable that was replaced: the bytes of the new text, and those of the old one.
    pub pieces: Vec<(Range<usize>, Range<usize>)>,
}

impl Expanded {
    /// The bytes of the old text that a part of the new one comes from.
    pub fn origin(&self, range: Range<usize>) -> Range<usize> {
        let start = self.origin_of(range.start, false);
        start..self.origin_of(range.end, true).max(start)
    }

    fn origin_of(&self, at: usize, is_end: bool) -> usize {
        let (mut new, mut old) = (0, 0);
        for (made, from) in &self.pieces {
            if at < made.start || (is_end && at == made.start) {
                break;
            }
            if at < made.end || (is_end && at == made.end) {
                return if is_end { from.end } else { from.start };
            }
            (new, old) = (made.end, from.end);
        }
        old + (at - new)
    }
}

/// A variable in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention<'t> {
    /// Its name.
    pub name: &'t str,
    /// The form behind the colon.
    pub form: Option<&'t str>,
    /// Its bytes in the text.
    pub range: Range<usize>,
}

/// All variables that a text names, in order.
pub fn mentions(text: &str) -> Vec<Mention<'_>> {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(found) = text[at..].find('$').map(|i| at + i) {
        let rest = &text[found + 1..];
        let (mention, length) = match rest.strip_prefix('{') {
            Some(inner) => braced(inner, found),
            None => {
                let length = name_length(rest);
                let range = found..found + 1 + length;
                ((length > 0).then(|| Mention { name: &rest[..length], form: None, range }), length)
            }
        };
        out.extend(mention);
        at = found + 1 + length;
    }
    out
}

fn braced(inner: &str, found: usize) -> (Option<Mention<'_>>, usize) {
    let length = name_length(inner);
    let after = &inner[length..];
    let (form, closed) = match after.strip_prefix(':') {
        Some(form) => match form.find('}') {
            Some(end) => (Some(&form[..end]), length + 1 + end),
            None => return (None, 1),
        },
        None if after.starts_with('}') => (None, length),
        None => return (None, 1),
    };
    let mention = Mention { name: &inner[..length], form, range: found..found + closed + 3 };
    ((length > 0).then_some(mention), closed + 2)
}

/// Bytes of the name at the start of a text: letters, digits and `_`, no digit first.
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// Replaces every variable that is known; others stay as they are.
pub fn expand(text: &str, chosen: &dyn Fn(&str) -> Option<Chosen>) -> Expanded {
    let (mut out, mut at) = (Expanded::default(), 0);
    for mention in mentions(text) {
        let Some(value) = chosen(mention.name) else { continue };
        out.text.push_str(&text[at..mention.range.start]);
        let start = out.text.len();
        out.text.push_str(&value.written(mention.form, mention.name));
        out.pieces.push((start..out.text.len(), mention.range.clone()));
        at = mention.range.end;
    }
    out.text.push_str(&text[at..]);
    out
}

/// Replaces every variable that is known by what people read: for titles and texts.
pub fn expand_for_people(text: &str, chosen: &dyn Fn(&str) -> Option<Chosen>) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for mention in mentions(text) {
        let Some(value) = chosen(mention.name) else { continue };
        out.push_str(&text[at..mention.range.start]);
        out.push_str(&value.labels.join(" + "));
        at = mention.range.end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chosen(name: &str) -> Option<Chosen> {
        let several = |values: &[&str]| Chosen {
            values: values.iter().map(|v| (*v).to_owned()).collect(),
            labels: values.iter().map(|v| v.to_uppercase()).collect(),
            several: true,
            all_value: None,
        };
        Some(match name {
            "one" => Chosen::one("a\"b\\c"),
            "few" => several(&["a.b", "c"]),
            "single" => several(&["a.b"]),
            "nothing" => several(&[]),
            "all" => Chosen { all_value: Some(".*".into()), ..several(&["a", "b"]) },
            "__rate_interval" => Chosen::one("1m"),
            _ => return None,
        })
    }

    fn check(text: &str, expect: &str) {
        assert_eq!(expand(text, &chosen).text, expect, "{text}");
    }

    #[test]
    fn variables_become_what_was_chosen() {
        check("x{a=\"$one\"}", "x{a=\"a\\\"b\\\\c\"}");
        check("x{a=~\"$few\"}", "x{a=~\"(a\\\\.b|c)\"}");
        check("x{a=~\"$single\"}", "x{a=~\"a\\\\.b\"}");
        check("x{a=~\"${all}\"}", "x{a=~\".*\"}");
        check("x{a=~\"$nothing\"}", "x{a=~\"a^\"}");
        check("${few:pipe} ${few:csv} ${few:text} ${few:regex}", "a.b|c a.b,c A.B + C (a\\\\.b|c)");
        check("/x?${few:queryparam}", "/x?var-few=a.b&var-few=c");
        check("rate(x[$__rate_interval])", "rate(x[1m])");
        check("label_replace(x, \"a\", \"$1\", \"b\", \"$\")", "label_replace(x, \"a\", \"$1\", \"b\", \"$\")");
        check("$unknown ${unknown} ${un closed", "$unknown ${unknown} ${un closed");
        check("$few_more ${few}_more", "$few_more (a\\\\.b|c)_more");
    }

    #[test]
    fn places_lead_back_to_what_was_written() {
        let text = "rate(x[$__rate_interval]) + )";
        let made = expand(text, &chosen);
        let at = made.text.rfind(')').unwrap();
        assert_eq!(&text[made.origin(at..at + 1)], ")");
        assert_eq!(&text[made.origin(7..9)], "$__rate_interval");
        assert_eq!(made.origin(0..4), 0..4);
    }

    proptest! {
        #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read(text in "[$a-c{}:_ \\[\\]\"ñ1]{0,40}") {
            let made = expand(&text, &chosen);
            for end in (0..=made.text.len()).filter(|e| made.text.is_char_boundary(*e)) {
                let origin = made.origin(0..end);
                prop_assert!(text.get(origin.clone()).is_some(), "{origin:?} of {text:?}");
            }
            prop_assert_eq!(expand(&text, &|_| None).text, text);
        }

        #[test]
        fn a_chosen_value_cannot_end_the_text_around_it(value in any::<String>()) {
            let written = Chosen::one(value.clone()).written(None, "v");
            let mut escaped = false;
            for c in written.chars() {
                prop_assert!(c != '"' || escaped);
                escaped = c == '\\' && !escaped;
            }
            prop_assert!(!escaped);
        }
    }
}
