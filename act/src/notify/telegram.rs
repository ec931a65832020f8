//! Telegram bots. I/O.
//!
//! Protocol: <https://core.telegram.org/bots/api#sendmessage>; plain text, so nothing has to be escaped, at most 4,096 characters.

use kernel::message::{AttemptResult, OutboxEntry};
use kernel::secret::Secret;
use plan_model::channel;
use serde_json::json;

use super::Trouble;
use super::chat::cut;
use super::http::Endpoint;
use super::receivers::Receivers;

const MESSAGE_CHARS: usize = 4_096;

#[derive(Debug)]
pub(super) struct Telegram {
    endpoint: Endpoint,
    chat: Secret,
}

impl Telegram {
    pub(super) fn prepare(settings: &channel::Telegram, with: &Receivers<'_>) -> Result<Self, Trouble> {
        let api = match &settings.api {
            Some(api) => api.resolve(with.resolver)?,
            None => Secret::new("https://api.telegram.org".to_owned()),
        };
        let token = settings.token.resolve(with.resolver)?;
        let url =
            Secret::new(format!("{}/bot{}/sendMessage", api.expose().trim_end_matches('/'), token.expose().trim()));
        Ok(Self { endpoint: Endpoint::of_secret(&url, with)?, chat: settings.chat.resolve(with.resolver)? })
    }

    pub(super) async fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        let message = &entry.message;
        // The text is complete on its own: its first line is the title, its last one the link.
        let body = json!({
            "chat_id": self.chat.expose(),
            "text": cut(&message.text, MESSAGE_CHARS),
            "disable_notification": message.rank < kernel::Rank::Warning,
            "link_preview_options": { "is_disabled": true }
        });
        self.endpoint.send_json(&body, &entry.key).await
    }
}
