//! The Backend: `/api/health`, the endpoints its users call, `/metrics`. I/O.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

/// Upper bounds of the duration histogram, seconds.
const BUCKETS: [f64; 6] = [0.005, 0.025, 0.1, 0.5, 1.0, 5.0];

/// What the Backend counts. Every status starts at 0, so that the first error already shows in `increase()`.
#[derive(Default)]
struct Counters {
    requests_200: AtomicU64,
    requests_500: AtomicU64,
    requests_503: AtomicU64,
    submissions: AtomicU64,
    certificates: AtomicU64,
    payments: AtomicU64,
    users: AtomicU64,
    buckets: [AtomicU64; 6],
    duration_micros: AtomicU64,
    durations: AtomicU64,
}

struct Backend {
    counters: Counters,
    database: Option<String>,
    failing: Arc<AtomicBool>,
}

pub(crate) fn router(database: Option<String>, failing: Arc<AtomicBool>) -> Router {
    let backend = Arc::new(Backend { counters: Counters::default(), database, failing });
    Router::new()
        .route("/api/health", get(health))
        .route("/api/solicitudes", post(submission))
        .route("/api/certificados", post(certificate))
        .route("/api/pagos", post(payment))
        .route("/metrics", get(metrics))
        .with_state(backend)
}

async fn health(State(backend): State<Arc<Backend>>) -> impl IntoResponse {
    let start = Instant::now();
    let database = match &backend.database {
        None => "none",
        Some(url) => match tokio::time::timeout(Duration::from_millis(500), ask(url)).await {
            Ok(Ok(())) => "ok",
            _ => "unreachable",
        },
    };
    let status = if database == "unreachable" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    backend.count(status, start);
    (status, Json(json!({ "status": if status.is_success() { "ok" } else { "error" }, "database": database })))
}

async fn ask(url: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let task = tokio::spawn(connection);
    let answer = client.simple_query("SELECT 1").await.map(|_| ());
    drop(client);
    task.abort();
    answer
}

async fn submission(State(backend): State<Arc<Backend>>) -> StatusCode {
    backend.serve(|c| &c.submissions)
}

async fn certificate(State(backend): State<Arc<Backend>>) -> StatusCode {
    backend.serve(|c| &c.certificates)
}

async fn payment(State(backend): State<Arc<Backend>>) -> StatusCode {
    backend.serve(|c| &c.payments)
}

impl Backend {
    /// Serves one user's request: half of them fail while the fault lasts.
    fn serve(&self, counter: impl Fn(&Counters) -> &AtomicU64) -> StatusCode {
        let start = Instant::now();
        let turn = self.counters.durations.load(Ordering::Relaxed);
        let fails = self.failing.load(Ordering::Relaxed) && turn.is_multiple_of(2);
        let status = if fails { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::CREATED };
        if !fails {
            counter(&self.counters).fetch_add(1, Ordering::Relaxed);
            self.counters.users.store(8 + turn % 9, Ordering::Relaxed);
        }
        self.count(status, start);
        status
    }

    fn count(&self, status: StatusCode, start: Instant) {
        let counters = &self.counters;
        let requests = match status.as_u16() {
            500 => &counters.requests_500,
            503 => &counters.requests_503,
            _ => &counters.requests_200,
        };
        requests.fetch_add(1, Ordering::Relaxed);
        let took = start.elapsed();
        for (bound, bucket) in BUCKETS.iter().zip(&counters.buckets) {
            if took.as_secs_f64() <= *bound {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counters.duration_micros.fetch_add(micros, Ordering::Relaxed);
        counters.durations.fetch_add(1, Ordering::Relaxed);
    }
}

/// Prometheus's text form.
async fn metrics(State(backend): State<Arc<Backend>>) -> impl IntoResponse {
    let counters = &backend.counters;
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line("# HELP http_requests_total Requests by status.\n# TYPE http_requests_total counter".to_owned());
    for (status, count) in
        [("200", &counters.requests_200), ("500", &counters.requests_500), ("503", &counters.requests_503)]
    {
        line(format!("http_requests_total{{status=\"{status}\"}} {}", count.load(Ordering::Relaxed)));
    }
    line(
        "# HELP http_request_duration_seconds Time to answer.\n# TYPE http_request_duration_seconds histogram"
            .to_owned(),
    );
    for (bound, count) in BUCKETS.iter().zip(&counters.buckets) {
        line(format!("http_request_duration_seconds_bucket{{le=\"{bound}\"}} {}", count.load(Ordering::Relaxed)));
    }
    let durations = counters.durations.load(Ordering::Relaxed);
    line(format!("http_request_duration_seconds_bucket{{le=\"+Inf\"}} {durations}"));
    let seconds = counters.duration_micros.load(Ordering::Relaxed) as f64 / 1e6;
    line(format!("http_request_duration_seconds_sum {seconds}\nhttp_request_duration_seconds_count {durations}"));
    for (name, kind, count) in [
        ("sigcerh_solicitudes_total", "counter", &counters.submissions),
        ("sigcerh_certificados_total", "counter", &counters.certificates),
        ("sigcerh_pagos_validados_total", "counter", &counters.payments),
        ("sigcerh_usuarios_activos", "gauge", &counters.users),
    ] {
        line(format!("# TYPE {name} {kind}\n{name} {}", count.load(Ordering::Relaxed)));
    }
    ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], out)
}
