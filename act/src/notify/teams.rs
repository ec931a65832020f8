//! Microsoft Teams by a workflow webhook. I/O.
//!
//! Protocol: a message with one Adaptive Card 1.4 (<https://adaptivecards.io/explorer/>), as the workflow "Post to a channel
//! when a webhook request is received" takes it. Such a workflow answers 202.

use kernel::message::{AttemptResult, Message, OutboxEntry};
use kernel::{Rank, message::MessageKind};
use plan_model::channel::WebhookUrl;
use serde_json::{Value, json};

use super::Trouble;
use super::chat::{SHOWN_ITEMS, cut, facts, item_line, more};
use super::http::Endpoint;
use super::receivers::Receivers;

#[derive(Debug)]
pub(super) struct Teams(Endpoint);

impl Teams {
    pub(super) fn prepare(settings: &WebhookUrl, with: &Receivers<'_>) -> Result<Self, Trouble> {
        Endpoint::post(&settings.url, with).map(Self)
    }

    pub(super) async fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        self.0.send_json(&payload(&entry.message), &entry.key).await
    }
}

fn card_colour(message: &Message) -> &'static str {
    match (message.kind, message.rank) {
        (MessageKind::Resolved, _) => "Good",
        (_, Rank::Critical | Rank::High) => "Attention",
        (_, Rank::Warning) => "Warning",
        (_, Rank::Low | Rank::Info) => "Accent",
    }
}

fn payload(message: &Message) -> Value {
    let mut body = vec![json!({
        "type": "TextBlock", "size": "Large", "weight": "Bolder", "wrap": true,
        "text": cut(&message.title, 500), "color": card_colour(message)
    })];
    let block = |text: &str| json!({ "type": "TextBlock", "wrap": true, "text": cut(text, 4_000) });
    if message.items.is_empty() {
        body.push(block(&message.text));
    }
    for item in message.items.iter().take(SHOWN_ITEMS) {
        body.push(
            json!({ "type": "TextBlock", "weight": "Bolder", "wrap": true, "text": item_line(item, message.language) }),
        );
        if !item.description.is_empty() {
            body.push(block(&item.description));
        }
        let facts: Vec<Value> =
            facts(item, message.language).into_iter().map(|(n, v)| json!({ "title": n, "value": v })).collect();
        body.push(json!({ "type": "FactSet", "facts": facts }));
    }
    body.extend(more(message).map(|text| block(&text)));
    let actions: Vec<Value> = message
        .link
        .iter()
        .map(|url| json!({ "type": "Action.OpenUrl", "title": message.language.pick("Abrir en Farero", "Open in Farero"), "url": url }))
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard", "version": "1.4", "body": body, "actions": actions
            }
        }]
    })
}
