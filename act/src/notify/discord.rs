//! Discord webhooks (CHN-03). I/O.
//!
//! Protocol: <https://discord.com/developers/docs/resources/webhook#execute-webhook>. Limits used: title 256 characters,
//! description 4,096, 25 fields with names of 256 and values of 1,024. `?wait=true` makes Discord answer only when the message stands.

use kernel::message::{AttemptResult, Message, OutboxEntry};
use plan_model::channel::WebhookUrl;
use serde_json::{Value, json};

use super::Trouble;
use super::chat::{SHOWN_ITEMS, colour, cut, facts, item_line, more};
use super::http::Endpoint;
use super::receivers::Receivers;

#[derive(Debug)]
pub(super) struct Discord(Endpoint);

impl Discord {
    pub(super) fn prepare(settings: &WebhookUrl, with: &Receivers<'_>) -> Result<Self, Trouble> {
        Endpoint::post(&settings.url, with).map(Self)
    }

    pub(super) async fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        let mut url = self.0.url().clone();
        url.query_pairs_mut().append_pair("wait", "true");
        let body = payload(&entry.message).to_string().into_bytes();
        self.0.send_to(url, "application/json", body, &entry.key, &[]).await
    }
}

fn payload(message: &Message) -> Value {
    let fields: Vec<Value> = message
        .items
        .iter()
        .take(SHOWN_ITEMS)
        .map(|item| {
            let mut text = item.description.clone();
            for (name, value) in facts(item, message.language) {
                text.push_str(&format!("\n{name}: {value}"));
            }
            let text = if text.trim().is_empty() { "-".to_owned() } else { text.trim().to_owned() };
            json!({ "name": cut(&item_line(item, message.language), 256), "value": cut(&text, 1_024) })
        })
        .collect();
    let description = if message.items.is_empty() { message.text.clone() } else { more(message).unwrap_or_default() };
    json!({
        "content": cut(&message.title, 2_000),
        "allowed_mentions": { "parse": [] },
        "embeds": [{
            "title": cut(&message.title, 256),
            "description": cut(&description, 4_096),
            "url": message.link,
            "color": colour(message),
            "fields": fields,
            "timestamp": message.created_at.to_string(),
        }]
    })
}
