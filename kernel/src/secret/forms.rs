//! How a secret may look inside another text: plain, percent-encoded, in a form, in JSON, in HTML, in base64, in hexadecimal. Pure.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// Of a base64 text only the characters that depend on the secret alone can be looked for; fewer than this would stand in
/// any long base64 text by chance.
const SHORTEST_BASE64: usize = 6;

/// What percent-encoders leave as it is besides letters and digits: nothing (the strictest), RFC 3986's unreserved characters,
/// these and `/` (Python), those of JavaScript's `encodeURIComponent` and `encodeURI`, and RFC 3986's user information.
const KEPT_BY_ENCODERS: [&str; 6] = ["", "-._~", "-._~/", "-._~!*'()", "-._~!*'();,/?:@&=+$#", "-._~!$&'()*+,;="];

/// Every form of a secret that is looked for, each once.
pub(super) fn all(secret: &str) -> Vec<Form> {
    let mut out: Vec<Form> = Vec::with_capacity(16);
    let mut add = |text: String, runs: Run| {
        if text.len() >= super::SHORTEST_REDACTED && !out.iter().any(|f| f.text == text) {
            out.push(Form { text, run: runs });
        }
    };
    add(secret.to_owned(), Run::Exact);
    for upper in [true, false] {
        for kept in KEPT_BY_ENCODERS {
            add(percent(secret, upper, false, kept), Run::Exact);
        }
        add(percent(secret, upper, true, "-._*"), Run::Exact);
        add(hexadecimal(secret, upper), Run::Exact);
    }
    add(json(secret), Run::Exact);
    // A text in JSON in JSON in JSON: a webhook's payload that an answer quotes, in the API.
    add(json(&json(secret)), Run::Exact);
    add(json(&json(&json(secret))), Run::Exact);
    add(html(secret, &["&#38;", "&#60;", "&#62;", "&#34;", "&#39;"]), Run::Exact);
    add(html(secret, &["&amp;", "&lt;", "&gt;", "&quot;", "&#x27;"]), Run::Exact);
    for text in base64(secret) {
        add(text, Run::Base64);
    }
    out
}

/// One form.
pub(super) struct Form {
    /// What is looked for.
    pub(super) text: String,
    /// How far what was found reaches.
    pub(super) run: Run,
}

/// How far a find reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// As far as the text that was looked for.
    Exact,
    /// As far as the base64 text around it: its edges hold bits of the secret.
    Base64,
}

fn percent(text: &str, upper: bool, form: bool, kept: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte);
        match (plain, byte) {
            (true, _) => out.push(char::from(byte)),
            (false, b' ') if form => out.push('+'),
            (false, _) if upper => out.push_str(&format!("%{byte:02X}")),
            (false, _) => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

fn hexadecimal(text: &str, upper: bool) -> String {
    text.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn html(text: &str, [and, less, more, double, single]: &[&str; 5]) -> String {
    text.replace('&', and).replace('<', less).replace('>', more).replace('"', double).replace('\'', single)
}

/// The parts of base64 texts that show a secret wherever it stands in what was encoded: at each of the three places
/// within a group of three bytes, without the characters that hold bits of its neighbours.
fn base64(secret: &str) -> Vec<String> {
    let mut out = Vec::with_capacity(6);
    for before in 0..3_usize {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        let whole_groups_of_bits = bytes.len() * 8 / 6;
        let skip = [0, 2, 3][before];
        for encoded in [BASE64_STANDARD_NO_PAD.encode(&bytes), BASE64_URL_SAFE_NO_PAD.encode(&bytes)] {
            if let Some(inner) = encoded.get(skip..whole_groups_of_bits).filter(|i| i.len() >= SHORTEST_BASE64) {
                out.push(inner.to_owned());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_shows_a_secret_wherever_it_stands() {
        for secret in ["hunter22", "llave-de-correo", "ñandú/+?&"] {
            let forms = base64(secret);
            for before in ["", "a", "ab", "abc", "admin:", "user.name:"] {
                for after in ["", "x", "xy", "xyz"] {
                    let text = format!("{before}{secret}{after}");
                    for encoded in [BASE64_STANDARD_NO_PAD.encode(&text), BASE64_URL_SAFE_NO_PAD.encode(&text)] {
                        assert!(forms.iter().any(|f| encoded.contains(f)), "{text}: {encoded}: {forms:?}");
                    }
                }
            }
        }
    }
}
