//! Any receiver of Alertmanager's webhook payload, version 4. I/O.
//!
//! Payload: <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>. With a signing key the header
//! `X-Farero-Signature: sha256=HEX` is the HMAC-SHA256 (RFC 2104) of the body, as GitHub signs its webhooks.

use hmac::{Hmac, KeyInit, Mac};
use kernel::alert::{Alert, AlertState, EventKind};
use kernel::message::{AttemptResult, Message, MessageItem, OutboxEntry};
use kernel::secret::Secret;
use plan_model::channel;
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::Trouble;
use super::http::Endpoint;
use super::receivers::Receivers;

#[derive(Debug)]
pub(super) struct Webhook {
    endpoint: Endpoint,
    signing_key: Option<Secret>,
}

impl Webhook {
    pub(super) fn prepare(settings: &channel::Webhook, with: &Receivers<'_>) -> Result<Self, Trouble> {
        Ok(Self {
            endpoint: Endpoint::post(&settings.url, with)?.headers(&settings.headers, with.resolver)?,
            signing_key: settings.signing_key.as_ref().map(|k| k.resolve(with.resolver)).transpose()?,
        })
    }

    pub(super) async fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        let body = payload(entry).to_string().into_bytes();
        let headers: Vec<(&'static str, String)> =
            self.signing_key.iter().map(|key| ("x-farero-signature", sign(key, &body))).collect();
        self.endpoint.send_to(self.endpoint.url().clone(), "application/json", body, &entry.key, &headers).await
    }
}

fn sign(key: &Secret, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()) else {
        return String::new(); // HMAC takes keys of any length; there is no such error
    };
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256={hex}")
}

/// The payload of one outbox entry. `groupKey` is the idempotency key; a message without events (digest, test) has one alert
/// that carries its texts, so that any receiver shows it.
fn payload(entry: &OutboxEntry) -> Value {
    let message = &entry.message;
    let alerts: Vec<Value> = if message.items.is_empty() {
        vec![text_as_alert(message)]
    } else {
        message.items.iter().map(alert_value).collect()
    };
    let firing = message.items.iter().any(|i| i.kind != EventKind::Resolved) || message.items.is_empty();
    json!({
        "version": "4",
        "groupKey": entry.key,
        "truncatedAlerts": 0,
        "status": if firing { "firing" } else { "resolved" },
        "receiver": entry.channel,
        "groupLabels": { "system": message.system },
        "commonLabels": common(message, |a| &a.labels),
        "commonAnnotations": common(message, |a| &a.annotations),
        "externalURL": message.link.clone().unwrap_or_default(),
        "title": message.title,
        "message": message.text,
        "alerts": alerts,
    })
}

/// The labels or annotations that all events share with the same value.
fn common(message: &Message, of: impl Fn(&Alert) -> &kernel::Labels) -> Value {
    let mut items = message.items.iter().map(|i| of(&i.alert));
    let Some(first) = items.next() else { return json!({}) };
    let mut shared: Map<String, Value> = first.iter().map(|(n, v)| (n.to_owned(), json!(v))).collect();
    for labels in items {
        shared.retain(|name, value| labels.get(name) == value.as_str());
    }
    Value::Object(shared)
}

fn alert_value(item: &MessageItem) -> Value {
    let alert = &item.alert;
    let ended = alert.state == AlertState::Resolved || item.kind == EventKind::Resolved;
    json!({
        "status": if ended { "resolved" } else { "firing" },
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": alert.fired_at.unwrap_or(alert.active_at),
        "endsAt": alert.resolved_at.map_or_else(|| json!("0001-01-01T00:00:00Z"), |t| json!(t)),
        "generatorURL": item.link.clone().unwrap_or_default(),
        "fingerprint": format!("{:016x}", alert.fingerprint()),
    })
}

fn text_as_alert(message: &Message) -> Value {
    json!({
        "status": "firing",
        "labels": { "alertname": "FareroMessage", "system": message.system, "severity": message.rank.as_str() },
        "annotations": { "summary": message.title, "description": message.text },
        "startsAt": message.created_at,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": message.link.clone().unwrap_or_default(),
        "fingerprint": format!("{:016x}", kernel::Labels::new([("title", &message.title)]).fingerprint()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_hmac_sha256() {
        // RFC 4231, test case 2
        let got = sign(&Secret::new("Jefe".into()), b"what do ya want for nothing?");
        assert_eq!(got, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
