//! Every channel against a real HTTP receiver: what arrives, what the answers mean, what never shows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use kernel::alert::{Alert, AlertState, EventKind};
use kernel::message::{AttemptResult, DeliveryState, Message, MessageItem, MessageKind, OutboxEntry};
use kernel::secret::{Redactor, Reference, ResolveError, Resolver, Secret};
use kernel::{Labels, Language, Rank, Timestamp};
use plan_model::Plan;
use serde_json::{Value, json};

use super::*;

#[derive(Clone, Debug)]
struct Arrived {
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// A receiver that keeps what arrives and answers with a given status.
struct Receiver {
    url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Receiver {
    async fn answering(status: u16, answer: &'static str) -> Self {
        let arrived: Arc<Mutex<Vec<Arrived>>> = Arc::default();
        let take = move |State(all): State<Arc<Mutex<Vec<Arrived>>>>, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            all.lock().unwrap().push(Arrived { path: uri.to_string(), headers, body: body.to_vec() });
            (StatusCode::from_u16(status).unwrap(), [("retry-after", "7")], answer)
        };
        let app = axum::Router::new().fallback(take).with_state(arrived.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, arrived }
    }

    fn only(&self) -> Arrived {
        let all = self.arrived.lock().unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.only().body).unwrap()
    }
}

struct Env(HashMap<String, String>);

impl Resolver for Env {
    fn resolve(&self, r: &Reference) -> Result<Secret, ResolveError> {
        self.0
            .get(&r.name)
            .map(|v| Secret::new(v.clone()))
            .ok_or_else(|| ResolveError { reference: r.clone(), reason: "it is not set".into() })
    }
}

fn plan() -> Plan {
    serde_json::from_value(json!({
        "system": "sigcerh", "timezone": "America/Lima", "outgoing": { "allow": ["127.0.0.1"] },
        "people": {
            "ana": { "name": "Ana", "email": "ana@example.org", "mobile": "+51900000001" },
            "luis": { "name": "Luis", "mobile": "+51900000002" }
        },
        "roles": { "devops": { "people": ["ana"] } }
    }))
    .unwrap()
}

fn entry() -> OutboxEntry {
    let at = Timestamp::from_secs(1_770_000_000);
    let alert = Alert {
        system: "sigcerh".into(),
        group: "plan".into(),
        rule: "ServiceDown".into(),
        labels: Labels::new([("alertname", "ServiceDown"), ("service", "backend"), ("severity", "critica")]),
        annotations: Labels::new([("summary", "Backend <caído>")]),
        state: AlertState::Firing,
        value: 0.0,
        active_at: at,
        fired_at: Some(at),
        last_true_at: at,
        resolved_at: None,
    };
    let message = Message {
        kind: MessageKind::Firing,
        system: "sigcerh".into(),
        system_label: "SIGCERH".into(),
        language: Language::Es,
        rank: Rank::Critical,
        severity_label: "Crítica".into(),
        title: "CRÍTICA: Backend no responde".into(),
        text: "CRÍTICA: Backend no responde\n\nBackend no responde desde las 02:40.\nVer: https://farero.example/a/1"
            .into(),
        items: vec![MessageItem {
            kind: EventKind::Fired,
            alert,
            summary: "Backend <caído> & más".into(),
            description: "HTTP 503".into(),
            value: "0".into(),
            since: "2026-02-02 02:40".into(),
            runbook: Some("servicio-caido".into()),
            link: None,
        }],
        link: Some("https://farero.example/a/1".into()),
        created_at: at,
    };
    OutboxEntry {
        key: "abc-1-fired/equipo".into(),
        system: "sigcerh".into(),
        channel: "equipo".into(),
        message,
        state: DeliveryState::Sending,
        tries: 1,
        due_at: at,
        created_at: at,
        fallen_from: vec![],
    }
}

async fn send(channel: Value, env: &[(&str, &str)]) -> AttemptResult {
    let env = Env(env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
    let redactor = Redactor::new(env.0.values().map(|v| Secret::new(v.clone())));
    let channel = serde_json::from_value(channel).unwrap();
    Sender::prepare("equipo", &channel, &plan(), &env, redactor).unwrap().perform(&entry()).await
}

#[tokio::test]
async fn chn_02_slack_takes_text_and_blocks() {
    let receiver = Receiver::answering(200, "ok").await;
    let result = send(json!({ "slack": { "url": "${env:HOOK}" } }), &[("HOOK", &receiver.url)]).await;
    assert_eq!(result, AttemptResult::Taken { answer: "HTTP 200 OK: ok".into() });
    let body = receiver.json();
    assert_eq!(body["text"], "CRÍTICA: Backend no responde");
    let text = body["attachments"][0]["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(text.contains("Backend &lt;caído&gt; &amp; más") && text.contains("Runbook: servicio-caido"), "{text}");
    assert_eq!(receiver.only().headers["idempotency-key"], "abc-1-fired/equipo");
}

#[tokio::test]
async fn chn_03_discord_waits_for_the_message_and_mentions_nobody() {
    let receiver = Receiver::answering(204, "").await;
    send(json!({ "discord": { "url": receiver.url } }), &[]).await;
    assert_eq!(receiver.only().path, "/?wait=true");
    assert_eq!(receiver.json()["allowed_mentions"]["parse"], json!([]));
    assert_eq!(receiver.json()["embeds"][0]["fields"][0]["name"], "ALERTA · Backend <caído> & más");
}

#[tokio::test]
async fn teams_telegram_and_ntfy_get_their_forms() {
    let receiver = Receiver::answering(202, "").await;
    send(json!({ "teams": { "url": receiver.url } }), &[]).await;
    assert_eq!(receiver.json()["attachments"][0]["content"]["type"], "AdaptiveCard");

    let receiver = Receiver::answering(200, "{}").await;
    let telegram = json!({ "telegram": { "token": "${env:T}", "chat": "42", "api": receiver.url } });
    send(telegram, &[("T", "1:secret")]).await;
    assert_eq!(receiver.only().path, "/bot1:secret/sendMessage");
    assert_eq!(receiver.json()["chat_id"], "42");

    let receiver = Receiver::answering(200, "{}").await;
    send(json!({ "ntfy": { "server": receiver.url, "topic": "sigcerh", "token": "${env:T}" } }), &[("T", "tk_1")])
        .await;
    assert_eq!(receiver.json()["priority"], 5);
    assert_eq!(receiver.only().headers["authorization"], "Bearer tk_1");
}

#[tokio::test]
async fn webhook_speaks_alertmanagers_payload_signed() {
    let receiver = Receiver::answering(200, "").await;
    let channel =
        json!({ "webhook": { "url": receiver.url, "signing_key": "${env:K}", "headers": { "x-team": "ops" } } });
    send(channel, &[("K", "llave")]).await;
    let body = receiver.json();
    assert_eq!(
        (&body["version"], &body["status"], &body["receiver"]),
        (&json!("4"), &json!("firing"), &json!("equipo"))
    );
    assert_eq!(body["alerts"][0]["labels"]["service"], "backend");
    assert_eq!(body["commonLabels"]["alertname"], "ServiceDown");
    let headers = receiver.only().headers;
    assert!(headers["x-farero-signature"].to_str().unwrap().starts_with("sha256="));
    assert_eq!(headers["x-team"], "ops");
}

#[tokio::test]
async fn chn_04_sms_goes_to_each_number_of_a_role() {
    let receiver = Receiver::answering(200, "queued").await;
    let channel = json!({ "sms": {
        "url": format!("{}/send?to={{to}}", receiver.url), "body": "m={text}", "to": ["role:devops", "person:luis"]
    } });
    let result = send(channel, &[]).await;
    assert_eq!(result, AttemptResult::Taken { answer: "2 × HTTP 200 OK: queued".into() });
    let arrived = receiver.arrived.lock().unwrap().clone();
    assert_eq!(arrived[0].path, "/send?to=%2B51900000001");
    assert_eq!(arrived[1].path, "/send?to=%2B51900000002");
    let text = String::from_utf8(arrived[0].body.clone()).unwrap();
    assert!(text.starts_with("m=CR%C3%8DTICA%3A%20Backend"), "{text}");
}

#[tokio::test]
async fn chn_05_a_person_gets_the_text_ready() {
    let channel: Channel =
        serde_json::from_value(json!({ "person": { "medium": "WhatsApp", "to": ["role:devops"] } })).unwrap();
    let sender = Sender::prepare("w", &channel, &plan(), &Env(HashMap::new()), Redactor::default()).unwrap();
    let ready = sender.ready_text(&entry()).unwrap();
    assert_eq!((ready.medium.as_str(), ready.to.as_slice()), ("WhatsApp", ["Ana".to_owned()].as_slice()));
    assert!(ready.text.contains("Backend no responde desde") && ready.text.contains("https://farero.example/a/1"));
}

#[tokio::test]
async fn chn_08_answers_say_whether_to_try_again() {
    let postponed = |e: &AttemptResult| matches!(e, AttemptResult::Postponed { retry_after_s: Some(7), .. });
    for (status, later) in [(429, true), (503, true), (400, false), (404, false), (301, false)] {
        let receiver = Receiver::answering(status, "why").await;
        let result = send(json!({ "slack": { "url": receiver.url } }), &[]).await;
        assert_eq!(postponed(&result), later, "{status}: {result:?}");
        assert_eq!(matches!(result, AttemptResult::Refused { .. }), !later, "{status}: {result:?}");
    }
}

#[tokio::test]
async fn chn_11_a_secret_url_never_shows() {
    let result =
        send(json!({ "slack": { "url": "${env:HOOK}" } }), &[("HOOK", "http://127.0.0.1:1/T0/B0/geheim")]).await;
    let AttemptResult::Postponed { error, .. } = &result else { panic!("{result:?}") };
    assert!(!error.contains("geheim") && error.to_lowercase().contains("connect"), "{error}");

    let receiver = Receiver::answering(403, "token T0/B0/geheim is wrong").await;
    let url = format!("{}/x", receiver.url);
    let result = send(json!({ "slack": { "url": url } }), &[("UNUSED", "T0/B0/geheim")]).await;
    assert!(
        matches!(&result, AttemptResult::Refused { error } if error.contains("token [redacted] is wrong")),
        "{result:?}"
    );
}

#[test]
fn channels_that_cannot_work_say_why() {
    let check = |channel: Value, expect: &str| {
        let channel = serde_json::from_value(channel).unwrap();
        let error = Sender::prepare("c", &channel, &plan(), &Env(HashMap::new()), Redactor::default()).unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
    };
    check(json!({}), "exactly one kind");
    check(json!({ "slack": { "url": "${env:GONE}" } }), "${env:GONE} cannot be resolved: it is not set");
    check(json!({ "slack": { "url": "ftp://x" } }), "must begin with https://");
    let mail = |to: &str| json!({ "email": { "server": "m", "from": "a@example.org", "to": [to] } });
    check(mail("role:nobody"), "receiver `role:nobody` is not in the plan");
    check(mail("person:luis"), "receiver `person:luis` has no e-mail address");
    check(mail("not an address"), "an address is none");
}
