//! A webhook receiver that keeps what arrives, slowly if asked. I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;

/// One request.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Idempotency key.
    pub key: String,
    /// The body as JSON.
    pub body: Value,
    /// When it came, since 1970.
    pub at: Duration,
}

#[derive(Default)]
struct Kept {
    hooks: Mutex<Vec<Hook>>,
    delay_ms: AtomicU64,
}

/// The receiver.
#[derive(Clone)]
pub struct Hooks {
    url: String,
    kept: Arc<Kept>,
}

impl Hooks {
    /// Starts it.
    ///
    /// # Panics
    /// No port is free.
    pub async fn start() -> Self {
        let kept: Arc<Kept> = Arc::default();
        let app = Router::new().fallback(take).with_state(kept.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { url, kept }
    }

    /// Where to send.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes this long to answer from now on.
    pub fn slow(&self, delay: Duration) {
        self.kept.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What has arrived.
    pub fn all(&self) -> Vec<Hook> {
        self.kept.hooks.lock().clone()
    }

    /// Alerts that have arrived with a status: name, service.
    pub fn alerts(&self, status: &str) -> Vec<(String, String)> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let alerts = |hook: Hook| hook.body["alerts"].as_array().cloned().unwrap_or_default();
        self.all()
            .into_iter()
            .flat_map(alerts)
            .filter(|a| a["status"] == status)
            .map(|a| (text(&a["labels"]["alertname"]), text(&a["labels"]["service"])))
            .collect()
    }
}

async fn take(State(kept): State<Arc<Kept>>, headers: HeaderMap, body: String) -> StatusCode {
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let hook = Hook { key, body: serde_json::from_str(&body).unwrap_or(Value::String(body)), at };
    // Noted before the answer: what a sender that dies meanwhile has sent counts as received.
    kept.hooks.lock().push(hook);
    tokio::time::sleep(Duration::from_millis(kept.delay_ms.load(Ordering::Relaxed))).await;
    StatusCode::OK
}
