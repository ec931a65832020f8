//! The demo's page: causes faults, shows the inbox; and the same as commands over HTTP. I/O.

use std::sync::Arc;

use anyhow::Result;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kernel::Language;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Fault;
use crate::inbox::Inbox;
use crate::switch::Server;
use crate::system::System;

#[derive(Clone)]
struct Page {
    system: Arc<System>,
    inbox: Inbox,
}

pub(crate) async fn serve(port: u16, system: Arc<System>, inbox: Inbox) -> Result<Server> {
    let router = Router::new()
        .route("/", get(|| async { Html(include_str!("demo.html")) }))
        .route("/demo.css", get(|| async { ([("content-type", "text/css; charset=utf-8")], include_str!("demo.css")) }))
        .route(
            "/demo.js",
            get(|| async { ([("content-type", "text/javascript; charset=utf-8")], include_str!("demo.js")) }),
        )
        .route("/state", get(state))
        .route("/faults/{name}/{action}", post(act))
        .with_state(Page { system, inbox });
    Server::start(port, router).await
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    language: Language,
}

async fn state(State(page): State<Page>, Query(since): Query<Since>) -> Json<Value> {
    let broken = page.system.broken();
    let faults: Vec<Value> = Fault::ALL
        .into_iter()
        .map(|fault| {
            json!({
                "name": fault.name(),
                "label": fault.label(since.language),
                "expect": fault.expect(since.language),
                "broken": broken.contains(&fault),
            })
        })
        .collect();
    Json(json!({ "faults": faults, "messages": page.inbox.after(since.after), "notes": page.system.notes() }))
}

async fn act(State(page): State<Page>, Path((name, action)): Path<(String, String)>) -> Response {
    let problem =
        |status: StatusCode, detail: String| (status, Json(json!({ "title": status.to_string(), "detail": detail })));
    let fault: Fault = match name.parse() {
        Ok(fault) => fault,
        Err(detail) => return problem(StatusCode::NOT_FOUND, detail).into_response(),
    };
    let done = match action.as_str() {
        "break" => page.system.cause(fault).await,
        "mend" => page.system.mend(fault).await,
        _ => return problem(StatusCode::NOT_FOUND, format!("`{action}`: use break or mend")).into_response(),
    };
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => problem(StatusCode::CONFLICT, format!("{error:#}")).into_response(),
    }
}
