//! The OCR: slow by nature, slower when broken. I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

/// How long it takes to answer; the plan's demo environment calls more than 900 ms slow.
const USUAL: Duration = Duration::from_millis(350);
/// How long it takes when broken: slow, but within the demo's time limit of 1 s and so not down.
const BROKEN: Duration = Duration::from_millis(950);

pub(crate) fn router(slow: Arc<AtomicBool>) -> Router {
    let health = move || {
        let wait = if slow.load(Ordering::Relaxed) { BROKEN } else { USUAL };
        async move {
            tokio::time::sleep(wait).await;
            Json(json!({ "status": "ok", "engine": "imitation" }))
        }
    };
    Router::new().route("/health", get(health))
}
