//! Slack incoming webhooks (CHN-02). I/O.
//!
//! Protocol: <https://api.slack.com/messaging/webhooks>, Block Kit for the form. Limits used: a header 150 characters, a section
//! 3,000, 10 fields.

use kernel::message::{AttemptResult, Message, OutboxEntry};
use plan_model::channel::WebhookUrl;
use serde_json::{Value, json};

use super::Trouble;
use super::chat::{SHOWN_ITEMS, colour, cut, facts, item_line, more};
use super::http::Endpoint;
use super::receivers::Receivers;

const HEADER_CHARS: usize = 150;
const SECTION_CHARS: usize = 3_000;

#[derive(Debug)]
pub(super) struct Slack(Endpoint);

impl Slack {
    pub(super) fn prepare(settings: &WebhookUrl, with: &Receivers<'_>) -> Result<Self, Trouble> {
        Endpoint::post(&settings.url, with).map(Self)
    }

    pub(super) async fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        self.0.send_json(&payload(&entry.message), &entry.key).await
    }
}

/// `&`, `<`, `>` are Slack's only control characters.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn payload(message: &Message) -> Value {
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": cut(&message.title, HEADER_CHARS), "emoji": false }
    })];
    if message.items.is_empty() {
        blocks.push(section(&escape(&message.text)));
    }
    for item in message.items.iter().take(SHOWN_ITEMS) {
        let mut text = format!("*{}*", escape(&item_line(item, message.language)));
        if !item.description.is_empty() {
            text.push('\n');
            text.push_str(&escape(&item.description));
        }
        for (name, value) in facts(item, message.language) {
            text.push_str(&format!("\n{name}: {}", escape(&value)));
        }
        blocks.push(section(&text));
    }
    if let Some(text) = more(message) {
        blocks.push(section(&text));
    }
    if let Some(link) = &message.link {
        blocks.push(section(&format!(
            "<{}|{}>",
            escape(link),
            message.language.pick("Abrir en Farero", "Open in Farero")
        )));
    }
    json!({
        "text": escape(&message.title),
        "attachments": [{ "color": format!("#{:06x}", colour(message)), "blocks": blocks }]
    })
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": cut(text, SECTION_CHARS) } })
}
