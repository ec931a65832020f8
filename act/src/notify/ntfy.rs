//! ntfy topics. I/O.
//!
//! Protocol: <https://docs.ntfy.sh/publish/#publish-as-json>; priorities 1 to 5; messages over 4,096 bytes would become attachments.

use kernel::Rank;
use kernel::message::{AttemptResult, MessageKind, OutboxEntry};
use kernel::secret::Secret;
use plan_model::channel;
use serde_json::json;

use super::Trouble;
use super::chat::cut;
use super::http::Endpoint;
use super::receivers::Receivers;

/// Characters kept of the text; 4,096 bytes hold as many even when a third of them are accented.
const MESSAGE_CHARS: usize = 3_000;

#[derive(Debug)]
pub(super) struct Ntfy {
    endpoint: Endpoint,
    topic: Secret,
}

impl Ntfy {
    pub(super) fn prepare(settings: &channel::Ntfy, with: &Receivers<'_>) -> Result<Self, Trouble> {
        let server = match &settings.server {
            Some(server) => server.resolve(with.resolver)?,
            None => Secret::new("https://ntfy.sh".to_owned()),
        };
        let mut endpoint = Endpoint::of_secret(&server, with)?;
        if let Some(token) = &settings.token {
            let token = token.resolve(with.resolver)?;
            endpoint = endpoint.header("authorization", &format!("Bearer {}", token.expose().trim()))?;
        }
        Ok(Self { endpoint, topic: settings.topic.resolve(with.resolver)? })
    }

    pub(super) async fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        let message = &entry.message;
        let (priority, tag) = match (message.kind, message.rank) {
            (MessageKind::Resolved, _) => (3, "white_check_mark"),
            (_, Rank::Critical) => (5, "rotating_light"),
            (_, Rank::High) => (4, "warning"),
            (_, Rank::Warning) => (3, "warning"),
            (_, Rank::Low | Rank::Info) => (2, "information_source"),
        };
        let mut body = json!({
            "topic": self.topic.expose(),
            "title": message.title,
            "message": cut(&message.text, MESSAGE_CHARS),
            "priority": priority,
            "tags": [tag],
        });
        if let (Some(link), Some(map)) = (&message.link, body.as_object_mut()) {
            map.insert("click".to_owned(), json!(link));
        }
        self.endpoint.send_json(&body, &entry.key).await
    }
}
