//! HashiCorp Vault as Farero meets it: key-value version 2 under `kv`, tokens that end, AppRole, policies. I/O.
//!
//! This is no Vault: it gives the answers, written by hand after the API's description, that Vault gives to these requests, statuses, bodies and error texts, with the
//! values that a test wrote. Building the real one takes longer than all other tests together; the story was also gone through by hand beside
//! Vault 1.21.4 (see `docs/decisions/access-trail-and-two-databases.md`), with the same outcome at each step.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use parking_lot::Mutex;
use serde_json::{Value, json};

const ROOT: &str = "hvs.root-of-the-tests-0123456789";
const ROLE: &str = "7c3b1f0e-role-of-farero";
const SECRET: &str = "f1a2d3c4-secret-of-farero";

/// The running stand-in; gone when dropped.
pub struct Vault {
    address: String,
    kept: Arc<Kept>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    secrets: Mutex<HashMap<String, Value>>,
    /// When each token ends.
    tokens: Mutex<HashMap<String, Instant>>,
    life: Mutex<Duration>,
    log_ins: Mutex<usize>,
}

impl Vault {
    /// Starts it.
    ///
    /// # Panics
    /// No port is free.
    pub async fn start() -> Self {
        let kept: Arc<Kept> = Arc::default();
        let app = Router::new()
            .route("/v1/kv/data/{*path}", get(read))
            .route("/v1/auth/approle/login", post(log_in))
            .route("/v1/auth/token/renew-self", post(renew))
            .route("/v1/auth/token/lookup-self", get(look_up))
            .fallback(async || errors(StatusCode::NOT_FOUND, "no handler for route"))
            .with_state(kept.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { address, kept, task }
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A token that may read everything and never ends.
    pub const fn token(&self) -> &'static str {
        ROOT
    }

    /// Writes a secret under `kv`.
    pub fn write(&self, path: &str, data: Value) {
        self.kept.secrets.lock().insert(path.to_owned(), data);
    }

    /// Role id and secret id for AppRole, whose tokens live so long and may read `kv/data/prueba/*`.
    pub fn approle(&self, life: Duration) -> (&'static str, &'static str) {
        *self.kept.life.lock() = life;
        (ROLE, SECRET)
    }

    /// How often somebody logged in by AppRole.
    pub fn log_ins(&self) -> usize {
        *self.kept.log_ins.lock()
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn errors(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "errors": [text] }))).into_response()
}

/// Which token a request carries, when it is good.
#[allow(clippy::result_large_err, reason = "the answer itself is the refusal; this server is for tests")]
fn token(kept: &Kept, headers: &HeaderMap) -> Result<String, Response> {
    let given = headers.get("x-vault-token").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let alive = kept.tokens.lock().get(given).is_some_and(|end| Instant::now() < *end);
    if headers.get("x-vault-request").is_none() {
        return Err(errors(StatusCode::PRECONDITION_FAILED, "missing required header: X-Vault-Request"));
    }
    if given == ROOT || alive {
        Ok(given.to_owned())
    } else {
        Err(errors(StatusCode::FORBIDDEN, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"))
    }
}

async fn read(State(kept): State<Arc<Kept>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let token = match token(&kept, &headers) {
        Ok(token) => token,
        Err(refused) => return refused,
    };
    if token != ROOT && !path.starts_with("prueba/") {
        return errors(StatusCode::FORBIDDEN, "1 error occurred:\n\t* permission denied\n\n");
    }
    match kept.secrets.lock().get(&path) {
        Some(data) => Json(json!({
            "request_id": "7b0c9b5e-0000-4000-8000-000000000000", "lease_id": "", "renewable": false, "lease_duration": 0,
            "data": { "data": data, "metadata": {
                "created_time": "2026-11-26T00:00:00.000000000Z", "custom_metadata": null, "deletion_time": "",
                "destroyed": false, "version": 1 } },
            "wrap_info": null, "warnings": null, "auth": null, "mount_type": "kv"
        }))
        .into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "errors": [] }))).into_response(),
    }
}

fn auth(kept: &Kept, token: &str) -> Response {
    let life = *kept.life.lock();
    kept.tokens.lock().insert(token.to_owned(), Instant::now() + life);
    Json(json!({
        "request_id": "7b0c9b5e-0000-4000-8000-000000000001", "lease_id": "", "renewable": false, "lease_duration": 0,
        "data": null, "wrap_info": null, "warnings": null,
        "auth": {
            "client_token": token, "accessor": "a", "policies": ["default", "lee"], "token_policies": ["default", "lee"],
            "metadata": { "role_name": "farero" }, "lease_duration": life.as_secs(), "renewable": true, "entity_id": "e",
            "token_type": "service", "orphan": true, "mfa_requirement": null, "num_uses": 0
        }
    }))
    .into_response()
}

async fn log_in(State(kept): State<Arc<Kept>>, Json(body): Json<Value>) -> Response {
    if body["role_id"] != ROLE || body["secret_id"] != SECRET {
        return errors(StatusCode::BAD_REQUEST, "invalid role or secret ID");
    }
    let number = {
        let mut log_ins = kept.log_ins.lock();
        *log_ins += 1;
        *log_ins
    };
    auth(&kept, &format!("hvs.token-of-approle-number-{number:04}"))
}

async fn renew(State(kept): State<Arc<Kept>>, headers: HeaderMap) -> Response {
    match token(&kept, &headers) {
        Ok(token) if token == ROOT => errors(StatusCode::BAD_REQUEST, "lease is not renewable"),
        Ok(token) => auth(&kept, &token),
        Err(refused) => refused,
    }
}

async fn look_up(State(kept): State<Arc<Kept>>, headers: HeaderMap) -> Response {
    match token(&kept, &headers) {
        Ok(_) => Json(json!({ "data": { "ttl": 0, "renewable": false, "policies": ["root"] } })).into_response(),
        Err(refused) => refused,
    }
}
