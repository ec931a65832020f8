//! Deliveries and channels. I/O: HTTP, state, the loops.

use axum::extract::{Path, State};
use kernel::message::{DeliveryAttempt, OutboxEntry};
use kernel::{Rank, Timestamp};
use serde::{Deserialize, Serialize};
use state::OutboxRecord;
use utoipa::{IntoParams, ToSchema};

use super::status::Done;
use super::{Answer, Json, Query, rows};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::Access;
use crate::lists;
use crate::pages::channels::send_test;
use crate::pages::deliveries::{STATES, Wanted as Filter, store_confirmation, store_retry};
use crate::pages::visit::Visit;

/// A delivery.
#[derive(Serialize, ToSchema)]
pub(crate) struct Delivery {
    /// The entry of the outbox with its message.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    entry: OutboxEntry,
    /// Who confirmed that it was passed on, for a person as channel.
    confirmed_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    confirmed_at: Option<Timestamp>,
    /// The last attempt and what the other side said.
    #[schema(value_type = Option<Object>)]
    last_attempt: Option<DeliveryAttempt>,
}

impl From<OutboxRecord> for Delivery {
    fn from(r: OutboxRecord) -> Self {
        let (confirmed_by, confirmed_at) = r.confirmed.unzip();
        Self { entry: r.entry, confirmed_by, confirmed_at, last_attempt: r.last_attempt }
    }
}

/// Which deliveries to list.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// Only of this system.
    #[serde(default)]
    system: String,
    /// Only over this channel.
    #[serde(default)]
    channel: String,
    /// Only in this state: `queued`, `sending`, `sent`, `awaiting_person`, `failed`.
    #[serde(default)]
    state: String,
    /// Only those stored before this time, RFC 3339.
    before: Option<String>,
    /// At most so many; 100 when left out, 1000 at most.
    limit: Option<usize>,
}

/// Deliveries, newest first.
#[utoipa::path(get, path = "/api/farero/v1/deliveries", tag = "deliveries", params(Wanted), responses((status = 200, body = Vec<Delivery>)))]
pub(crate) async fn deliveries(
    State(app): State<App>,
    access: Access,
    Query(wanted): Query<Wanted>,
) -> Answer<Vec<Delivery>> {
    if !wanted.state.is_empty() && !STATES.iter().any(|(_, w)| *w == wanted.state) {
        let known: Vec<&str> = STATES.iter().map(|(_, w)| *w).collect();
        return Err(Failure::invalid(format!("state `{}`: use one of {}", wanted.state, known.join(", "))));
    }
    let before = super::alerts::time(wanted.before.as_deref())?.map(Timestamp::as_millis);
    let limit = rows(wanted.limit);
    let filter = Filter { system: wanted.system, channel: wanted.channel, state: wanted.state, before }.filter(limit);
    let found = lists::deliveries(&app, &access, filter).await?;
    Ok(Json(found.into_iter().map(Delivery::from).collect()))
}

/// Says that a person has passed a message on.
#[utoipa::path(post, path = "/api/farero/v1/deliveries/confirm/{key}", tag = "deliveries", params(("key" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn confirm(State(app): State<App>, visit: Visit, Path(key): Path<String>) -> Answer<Done> {
    match store_confirmation(&app, &key, &visit).await? {
        true => Ok(Json(Done::yes("confirmed"))),
        false => Err(Failure::not_found(format!("no delivery `{key}` waits for a person"))),
    }
}

/// Tries a delivery again, at once.
#[utoipa::path(post, path = "/api/farero/v1/deliveries/retry/{key}", tag = "deliveries", params(("key" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn retry(State(app): State<App>, visit: Visit, Path(key): Path<String>) -> Answer<Done> {
    match store_retry(&app, &key, &visit).await? {
        true => Ok(Json(Done::yes("queued"))),
        false => Err(Failure::not_found(format!("no delivery `{key}` waits or has failed"))),
    }
}

/// A channel and who uses it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Channel {
    system: String,
    name: String,
    label: String,
    /// `email`, `slack`, `person`, …
    kind: &'static str,
    /// Severities whose alerts go over it.
    severities: Vec<String>,
    /// The channel that takes over when this one fails.
    fallback: Option<String>,
    /// Only messages of at least this rank.
    #[schema(value_type = Option<String>)]
    at_least: Option<Rank>,
}

/// The active channels of all systems.
#[utoipa::path(get, path = "/api/farero/v1/channels", tag = "deliveries", responses((status = 200, body = Vec<Channel>)))]
pub(crate) async fn channels(State(app): State<App>, access: Access) -> Json<Vec<Channel>> {
    let all = access.seen(&app).systems(|s| {
        let plan = s.plan();
        let users = |name: &str| {
            let using = plan.severities.iter().filter(|(_, v)| v.channels.iter().any(|c| c == name));
            using.map(|(n, _)| n.clone()).collect()
        };
        let one = |(name, c): (&String, &plan_model::Channel)| Channel {
            system: s.name().to_owned(),
            name: name.clone(),
            label: c.label.clone().unwrap_or_else(|| name.clone()),
            kind: c.kinds().first().map_or("?", |k| k.name()),
            severities: users(name),
            fallback: c.fallback.clone(),
            at_least: c.at_least,
        };
        plan.channels.iter().filter(|(name, _)| access.sees_channel(s, name)).map(one).collect::<Vec<_>>()
    });
    Json(all.into_iter().flatten().collect())
}

/// Sends a test message over a channel.
#[utoipa::path(post, path = "/api/farero/v1/systems/{system}/channels/{channel}/test", tag = "deliveries",
    params(("system" = String, Path), ("channel" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = crate::answer::Problem), (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn test(
    State(app): State<App>,
    visit: Visit,
    Path((system, channel)): Path<(String, String)>,
) -> Answer<Done> {
    let known = visit.seen(&app).system(&system, |s| s.plan().channels.contains_key(&channel)).unwrap_or(false);
    if !known {
        return Err(Failure::not_found(format!("{system}/{channel}")));
    }
    let answer = send_test(&app, &visit, &system, &channel).await?;
    Ok(Json(Done::yes(answer)))
}
