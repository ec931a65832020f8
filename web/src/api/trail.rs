//! The audit trail: search, export, the public key. I/O: HTTP, state, the loops.

use axum::extract::State;
use axum::response::Response;
use kernel::trail::{Entry, Outcome};
use serde::{Deserialize, Serialize};
use state::TrailFilter;
use utoipa::{IntoParams, ToSchema};

use super::alerts::time;
use super::{Answer, Json, Query, rows};
use crate::answer::Failure;
use crate::app::App;
use crate::pages::trail::send;
use crate::pages::visit::Visit;
use crate::trail_export::Format;

/// Which entries are wanted; what is left out does not limit.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// Account, part of Farero, or user of the machine.
    #[serde(default)]
    actor: String,
    /// Kind of the thing it was done to: `alert`, `user`, …
    #[serde(default)]
    object_kind: String,
    /// Name or number of the thing.
    #[serde(default)]
    object: String,
    /// System of the plan.
    #[serde(default)]
    system: String,
    /// Environment of the plan.
    #[serde(default)]
    environment: String,
    /// `alert.acknowledge`, or all of a kind with a dot at the end: `alert.`
    #[serde(default)]
    action: String,
    /// `done`, `refused` or `failed`.
    #[serde(default)]
    outcome: String,
    /// Number of the incident, change or request.
    #[serde(default)]
    business_id: String,
    /// Not before this time, RFC 3339.
    since: Option<String>,
    /// Before this time, RFC 3339.
    until: Option<String>,
    /// A text in any part, upper and lower case alike.
    #[serde(default)]
    text: String,
    /// Only entries with a smaller number: the next page.
    before: Option<u64>,
    /// At most so many; 100 when left out, 1000 at most.
    limit: Option<usize>,
    /// Form of an export: `jsonl` (when left out) or `csv`.
    #[serde(default)]
    format: String,
}

impl Wanted {
    fn filter(&self) -> Result<TrailFilter, Failure> {
        let outcome = match self.outcome.as_str() {
            "" => None,
            word => Some(
                Outcome::parse(word)
                    .ok_or_else(|| Failure::invalid(format!("outcome `{word}`: use done, refused or failed")))?,
            ),
        };
        Ok(TrailFilter {
            actor: self.actor.clone(),
            object_kind: self.object_kind.clone(),
            object: self.object.clone(),
            system: self.system.clone(),
            environment: self.environment.clone(),
            action: self.action.clone(),
            outcome,
            business_id: self.business_id.clone(),
            since: time(self.since.as_deref())?,
            until: time(self.until.as_deref())?,
            text: self.text.clone(),
            before: self.before,
            limit: rows(self.limit),
        })
    }
}

/// An entry of the trail.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrailEntry {
    /// Its number: 1, 2, 3, … without a gap.
    sequence: u64,
    /// Hash of the entry before it.
    previous: String,
    /// Its own hash.
    hash: String,
    /// Who did what to which thing, when, from where, and what it changed.
    #[schema(value_type = Object)]
    deed: serde_json::Value,
}

impl From<Entry> for TrailEntry {
    fn from(e: Entry) -> Self {
        let deed = serde_json::from_str(&e.text).unwrap_or(serde_json::Value::String(e.text));
        Self { sequence: e.sequence, previous: e.previous.to_string(), hash: e.hash.to_string(), deed }
    }
}

/// Entries of the audit trail, newest first.
#[utoipa::path(get, path = "/api/farero/v1/trail", tag = "trail", params(Wanted), responses((status = 200, body = Vec<TrailEntry>)))]
pub(crate) async fn trail(State(app): State<App>, Query(wanted): Query<Wanted>) -> Answer<Vec<TrailEntry>> {
    let filter = wanted.filter()?;
    let found = app.db(move |s| s.trail(&filter)).await?;
    Ok(Json(found.into_iter().map(TrailEntry::from).collect()))
}

/// An export of the trail: JSON Lines, which `farero trail verify` checks without Farero, or CSV. An excerpt keeps the hashes of what
/// it leaves out.
#[utoipa::path(get, path = "/api/farero/v1/trail/export", tag = "trail", params(Wanted),
    responses((status = 200, description = "the export, written as it is read", content_type = "application/jsonl")))]
pub(crate) async fn export(
    State(app): State<App>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    let word = if wanted.format.is_empty() { "jsonl" } else { &wanted.format };
    let format = Format::parse(word).ok_or_else(|| Failure::invalid(format!("format `{word}`: use jsonl or csv")))?;
    let filter = TrailFilter { before: None, limit: 0, ..wanted.filter()? };
    send(&app, &visit, filter, format).await
}

/// The public key of the trail, and how far it is signed.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrailKey {
    /// The key: 32 bytes as hexadecimal digits (Ed25519).
    key: String,
    /// Number of the last entry.
    last: u64,
    /// Number of the last entry that a signed checkpoint covers.
    signed: u64,
}

/// The public key that verifies the trail. Note it somewhere else.
#[utoipa::path(get, path = "/api/farero/v1/trail/key", tag = "trail", responses((status = 200, body = TrailKey)))]
pub(crate) async fn key(State(app): State<App>) -> Answer<TrailKey> {
    let (last, signed) = app.db(|s| Ok((s.trail_head()?.sequence, s.checkpointed()?))).await?;
    Ok(Json(TrailKey { key: app.control.trail_key(), last, signed }))
}
