//! SMS through any HTTP gateway (CHN-04). I/O.
//!
//! One request a number. In URL, body and headers `{to}` and `{text}` stand for number and text, encoded as the place needs it:
//! percent-encoding in URLs and forms (WHATWG URL, RFC 1866), string escapes in JSON (RFC 8259).

use kernel::message::{AttemptResult, Message, OutboxEntry};
use kernel::secret::Secret;
use plan_model::channel;

use super::Trouble;
use super::chat::cut;
use super::http::Endpoint;
use super::receivers::{Receivers, Wanted};

/// Length of one SMS in the GSM alphabet (3GPP TS 23.038); longer texts cost several.
const MESSAGE_CHARS: usize = 160;

#[derive(Debug)]
pub(super) struct Sms {
    url: Secret,
    template: Endpoint,
    body: Option<Secret>,
    content_type: String,
    to: Vec<String>,
    max_chars: usize,
}

impl Sms {
    pub(super) fn prepare(settings: &channel::Sms, with: &Receivers<'_>) -> Result<Self, Trouble> {
        let url = settings.url.resolve(with.resolver)?;
        let template = Endpoint::of_secret(&Secret::new(fill(url.expose(), "0", "0", percent)), with)?
            .method(settings.method.as_deref().unwrap_or("POST"))?
            .headers(&settings.headers, with.resolver)?;
        let to = with.addresses(&settings.to, Wanted::Mobile)?;
        if to.is_empty() {
            return Err(Trouble::Settings("`to` names nobody: give at least one number, role or person".to_owned()));
        }
        Ok(Self {
            url,
            template,
            body: settings.body.as_ref().map(|b| b.resolve(with.resolver)).transpose()?,
            content_type: settings
                .content_type
                .clone()
                .unwrap_or_else(|| "application/x-www-form-urlencoded".to_owned()),
            to,
            max_chars: settings.max_chars.unwrap_or(MESSAGE_CHARS),
        })
    }

    /// All numbers, one after the other. When one fails, the whole entry is tried again later, so the numbers before it may
    /// get the text twice; the gateway can tell by the idempotency key, which ends in the number's place.
    pub(super) async fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        let text = self.text(&entry.message);
        let json = self.content_type.contains("json");
        let mut answers: Vec<String> = Vec::new();
        for (place, number) in self.to.iter().enumerate() {
            let encode = if json { json_escape } else { percent };
            let body = self.body.as_ref().map_or_else(String::new, |b| fill(b.expose(), number, &text, encode));
            let url = fill(self.url.expose(), number, &text, percent);
            let Ok(url) = url.parse() else {
                return AttemptResult::Refused {
                    error: "the gateway's URL is none once number and text stand in it".to_owned(),
                };
            };
            let key = format!("{}-{place}", entry.key);
            match self.template.send_to(url, &self.content_type, body.into_bytes(), &key, &[]).await {
                AttemptResult::Taken { answer } => answers.push(answer),
                other => return other,
            }
        }
        AttemptResult::Taken { answer: format!("{} × {}", answers.len(), answers.pop().unwrap_or_default()) }
    }

    fn text(&self, message: &Message) -> String {
        let with_link = message.link.as_ref().map(|link| format!("{} {link}", message.title));
        match with_link.filter(|t| t.chars().count() <= self.max_chars) {
            Some(text) => text,
            None => cut(&message.title, self.max_chars),
        }
    }
}

fn fill(template: &str, to: &str, text: &str, encode: fn(&str) -> String) -> String {
    // Filled piece by piece, so that a `{to}` inside the text stays as it is.
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("{to}") {
            out.push_str(&encode(to));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("{text}") {
            out.push_str(&encode(text));
            rest = after;
        } else {
            out.push('{');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn json_escape(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chn_04_text_is_encoded_for_its_place() {
        assert_eq!(fill("to={to}&m={text}", "+51 9", "a&b {to}", percent), "to=%2B51%209&m=a%26b%20%7Bto%7D");
        assert_eq!(fill(r#"{"m":"{text}"}"#, "1", "say \"hi\"\n", json_escape), r#"{"m":"say \"hi\"\n"}"#);
    }
}
