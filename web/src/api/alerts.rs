//! Alerts and their acknowledgement. I/O: HTTP, state.

use axum::extract::{Path, State};
use kernel::Timestamp;
use kernel::alert::{Alert, AlertEvent};
use serde::{Deserialize, Serialize};
use state::{AlertFilter, AlertRecord};
use utoipa::{IntoParams, ToSchema};

use super::status::Done;
use super::{Answer, Json, Query, rows};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::lists;
use crate::pages::alerts::store_acknowledgement;
use crate::pages::visit::Visit;

/// Who took notice of an alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct Acknowledged {
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    note: String,
}

/// A firing of an alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct Firing {
    /// Identity of the firing.
    id: String,
    /// The alert as it is now, or as it was when it ended.
    #[schema(value_type = Object)]
    alert: Alert,
    acknowledged: Option<Acknowledged>,
}

impl From<AlertRecord> for Firing {
    fn from(r: AlertRecord) -> Self {
        let acknowledged = r.acknowledged.map(|a| Acknowledged { by: a.by, at: a.at, note: a.note });
        Self { id: r.firing_id, alert: r.alert, acknowledged }
    }
}

/// Which alerts to list.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// Only of this system.
    system: Option<String>,
    /// `firing` (when left out), `past` or `all`.
    #[serde(default)]
    state: String,
    /// Only with this text in labels, rule or annotations.
    text: Option<String>,
    /// Only those that began to fire before this time, RFC 3339.
    before: Option<String>,
    /// At most so many; 100 when left out, 1000 at most.
    limit: Option<usize>,
}

/// A time of a query.
pub(crate) fn time(text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let parse =
        |t: &str| Timestamp::parse(t).map_err(|e| Failure::invalid(format!("`{t}` is no time (RFC 3339): {e}")));
    text.map(parse).transpose()
}

/// Alerts, newest first.
#[utoipa::path(get, path = "/api/farero/v1/alerts", tag = "alerts", params(Wanted), responses((status = 200, body = Vec<Firing>)))]
pub(crate) async fn alerts(
    State(app): State<App>,
    access: Access,
    Query(wanted): Query<Wanted>,
) -> Answer<Vec<Firing>> {
    let (firing_only, past_only) = match wanted.state.as_str() {
        "" | "firing" => (true, false),
        "past" => (false, true),
        "all" => (false, false),
        other => return Err(Failure::invalid(format!("state `{other}`: use firing, past or all"))),
    };
    let before = time(wanted.before.as_deref())?;
    let (system, text, limit) = (wanted.system, wanted.text, rows(wanted.limit));
    let filter = AlertFilter { system, firing_only, past_only, text, before, limit };
    let found = lists::alerts(&app, &access, filter).await?;
    Ok(Json(found.into_iter().map(Firing::from).collect()))
}

/// A firing and what was told of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct History {
    #[serde(flatten)]
    firing: Firing,
    /// What was told of it, oldest first.
    #[schema(value_type = Vec<Object>)]
    events: Vec<AlertEvent>,
}

/// One firing with its events.
#[utoipa::path(get, path = "/api/farero/v1/alerts/{id}", tag = "alerts", params(("id" = String, Path)),
    responses((status = 200, body = History), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn alert(State(app): State<App>, Path(id): Path<String>) -> Answer<History> {
    let wanted = id.clone();
    let (record, events) = app.db(move |s| Ok((s.alert(&wanted)?, s.events_of(&wanted)?))).await?;
    let record = record.ok_or_else(|| Failure::not_found(id))?;
    Ok(Json(History { firing: record.into(), events }))
}

/// An acknowledgement.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct Note {
    /// What is known, what is being done; may be empty.
    #[serde(default)]
    note: String,
}

/// Takes notice of a firing. The first acknowledgement stays.
#[utoipa::path(post, path = "/api/farero/v1/alerts/{id}/acknowledge", tag = "alerts", request_body = Note, params(("id" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn acknowledge(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<String>,
    Json(note): Json<Note>,
) -> Answer<Done> {
    match store_acknowledgement(&app, &id, &visit, &note.note).await? {
        true => Ok(Json(Done::yes("acknowledged"))),
        false => Err(Failure::not_found(id)),
    }
}
