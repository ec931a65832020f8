//! Heartbeats by URL, as Healthchecks takes them: `/ping/TOKEN`, `/start`, `/fail`, an exit code. I/O: HTTP, the loops.
//!
//! The token in the address is the secret; whoever has it can say that the job was done, and nothing else.

use axum::body::Body;
use axum::extract::{Path, State};
use futures_util::StreamExt;
use kernel::heartbeat::{Ping, PingKind};
use kernel::probe::{CheckId, EVIDENCE_BODY_BYTES};

use crate::answer::Failure;
use crate::app::App;
use crate::limits::PING_BODY_BYTES;

/// Longest token that is looked up.
const LONGEST_TOKEN: usize = 200;

/// `/ping/{token}`
pub(crate) async fn success(
    State(app): State<App>,
    Path(token): Path<String>,
    body: Body,
) -> Result<&'static str, Failure> {
    accept(&app, &token, PingKind::Success, None, body).await
}

/// `/ping/{token}/{what}`: `start`, `fail`, or an exit code, 0 to 255.
pub(crate) async fn told(
    State(app): State<App>,
    Path((token, what)): Path<(String, String)>,
    body: Body,
) -> Result<&'static str, Failure> {
    let (kind, code) = match what.as_str() {
        "start" => (PingKind::Start, None),
        "fail" => (PingKind::Fail, None),
        number => match number.parse::<u8>() {
            Ok(0) => (PingKind::Success, Some(0)),
            Ok(code) => (PingKind::Fail, Some(i32::from(code))),
            Err(_) => return Err(Failure::not_found("use /start, /fail or an exit code from 0 to 255")),
        },
    };
    accept(&app, &token, kind, code, body).await
}

async fn accept(
    app: &App,
    token: &str,
    kind: PingKind,
    exit_code: Option<i32>,
    body: Body,
) -> Result<&'static str, Failure> {
    let unknown = || Failure::not_found("no heartbeat has this address; copy it again from the check's page");
    if token.len() > LONGEST_TOKEN {
        return Err(unknown());
    }
    let wanted = token.to_owned();
    let check: CheckId = app.db(move |s| s.check_by_token(&wanted)).await?.ok_or_else(unknown)?;
    let ping = Ping { at: app.clock.now(), kind, duration_ms: None, exit_code, body: text_of(body).await };
    app.control.accept_ping(&check, ping).await?;
    Ok("OK\n")
}

/// The first bytes of a body as text. What comes after [`PING_BODY_BYTES`] is not read.
async fn text_of(body: Body) -> Option<String> {
    let (mut stream, mut read) = (body.into_data_stream(), Vec::new());
    while let Some(Ok(chunk)) = stream.next().await {
        read.extend_from_slice(&chunk[..chunk.len().min(PING_BODY_BYTES - read.len())]);
        if read.len() >= PING_BODY_BYTES {
            break;
        }
    }
    let text = String::from_utf8_lossy(&read);
    let mut end = text.len().min(EVIDENCE_BODY_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(text[..end].to_owned()).filter(|t| !t.is_empty())
}
