//! An HTTP service to watch, with a switch: off, its port is closed. I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A service that answers `/api/health` with a status that can be set, and `/metrics` with a text that can be set.
pub struct Target {
    port: u16,
    status: Arc<AtomicU16>,
    metrics: Arc<Mutex<String>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Target {
    /// Starts it.
    ///
    /// # Panics
    /// No port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let target =
            Self { port, status: Arc::new(AtomicU16::new(200)), metrics: Arc::default(), task: Mutex::new(None) };
        target.serve(listener);
        target
    }

    fn serve(&self, listener: TcpListener) {
        let (status, metrics) = (self.status.clone(), self.metrics.clone());
        let health = move || {
            let status = StatusCode::from_u16(status.load(Ordering::Relaxed)).unwrap_or(StatusCode::OK);
            async move { (status, format!("{{\"status\":\"{}\"}}", status.as_u16())) }
        };
        let metrics = move || {
            let text = metrics.lock().clone();
            async move { text }
        };
        let app = Router::new().route("/api/health", get(health)).route("/metrics", get(metrics));
        *self.task.lock() = Some(tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        }));
    }

    /// Base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Closes the port.
    pub async fn off(&self) {
        let task = self.task.lock().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }

    /// Opens the port again.
    ///
    /// # Panics
    /// Somebody else has taken it.
    pub async fn on(&self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.expect("the port is free again");
        self.serve(listener);
    }

    /// Sets the status of `/api/health`.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// Sets the text of `/metrics`.
    pub fn metrics(&self, text: impl Into<String>) {
        *self.metrics.lock() = text.into();
    }
}
