//! What comes into a running Farero and its store from elsewhere: endpoints of a plan, data of a real Prometheus, files. I/O: sockets, processes,
//! temporary folders.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests, their helpers too"
)]

mod application;
mod import;
mod killed;
mod prometheus;
mod scrapes;
mod senders;

use std::future::Future;
use std::time::{Duration, Instant};

/// How long something may take to become true on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer.
async fn wait_for<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < end, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The body of an answer, and its status.
async fn get(url: &str) -> (u16, String) {
    let answer = run::http_client().unwrap().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The status of an answer, when there is one.
async fn get_or_none(url: &str) -> Option<u16> {
    Some(run::http_client().unwrap().get(url).send().await.ok()?.status().as_u16())
}

/// A question to Prometheus's API: what stands under `data`.
async fn data(base: &str, path: &str) -> serde_json::Value {
    let (status, text) = get(&format!("{base}{path}")).await;
    let answer: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {status} {e}: {text}"));
    assert_eq!(answer["status"], "success", "{path}: {text}");
    answer["data"].clone()
}

/// Percent-encoded for a query.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// The first value that an expression has now.
async fn value(base: &str, expression: &str) -> Option<f64> {
    let found = data(base, &format!("/api/v1/query?query={}", encoded(expression))).await;
    found["result"].get(0)?["value"][1].as_str()?.parse().ok()
}
