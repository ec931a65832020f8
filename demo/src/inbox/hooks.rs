//! Receives webhooks and SMS. I/O.

use anyhow::Result;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::any;
use serde_json::Value;

use super::Inbox;
use crate::switch::Server;

pub(super) async fn serve(inbox: Inbox) -> Result<u16> {
    let router = Router::new().route("/{channel}", any(take)).with_state(inbox);
    let server = Server::start(0, router).await?;
    let port = server.port();
    std::mem::forget(server); // it runs as long as the demo
    Ok(port)
}

async fn take(State(inbox): State<Inbox>, Path(channel): Path<String>, body: String) -> StatusCode {
    let value: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let subject = match channel.as_str() {
        "discord" => word("/content"),
        "webhook" => word("/title"),
        _ => word("/text"),
    };
    inbox.add(&channel, word("/to"), subject, texts(&value).join("\n"));
    StatusCode::OK
}

/// All texts inside a chat message, in order, without the technical ones.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("text" | "description" | "name" | "value" | "message", Value::String(text)) => vec![text.clone()],
                (_, Value::String(_)) => Vec::new(),
                (_, inner) => texts(inner),
            })
            .filter(|text| !text.is_empty())
            .collect(),
        _ => Vec::new(),
    }
}
