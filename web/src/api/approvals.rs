//! Requests for approval. I/O: HTTP, state.

use axum::extract::{Path, State};
use decide::access::{ApprovalRule, Standing, Vote};
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Answer, Json, Query, rows};
use crate::answer::Failure;
use crate::app::App;
use crate::approvals::{self, Read};
use crate::auth::Access;
use crate::pages::visit::Visit;

/// A request for approval.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestView {
    id: i64,
    /// `plan`, `administrator` or `deployment`.
    what: String,
    system: String,
    environment: String,
    /// What it is about.
    subject: String,
    /// What would change.
    details: String,
    requested_by: String,
    #[schema(value_type = String, format = DateTime)]
    requested_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// How many people must say yes, who they are, and whether whoever asks may be one of them.
    #[schema(value_type = Object)]
    rule: ApprovalRule,
    /// What was said.
    #[schema(value_type = Vec<Object>)]
    votes: Vec<Vote>,
    /// `waiting`, `approved`, `rejected` or `expired`.
    #[schema(value_type = String)]
    standing: Standing,
}

impl From<Read> for RequestView {
    fn from(r: Read) -> Self {
        let a = r.asked;
        Self {
            id: r.id,
            what: a.what,
            system: a.system,
            environment: a.environment,
            subject: a.subject,
            details: a.details,
            requested_by: a.requested_by,
            requested_at: a.requested_at,
            expires_at: a.expires_at,
            rule: r.rule,
            votes: r.votes,
            standing: r.standing,
        }
    }
}

/// Which requests to list.
#[derive(Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// Only those that wait.
    #[serde(default)]
    waiting: bool,
    /// At most so many; 100 when left out, 1000 at most.
    limit: Option<usize>,
}

/// Requests for approval, newest first.
#[utoipa::path(get, path = "/api/farero/v1/approvals", tag = "approvals", params(Wanted),
    responses((status = 200, body = Vec<RequestView>)))]
pub(crate) async fn approvals(
    State(app): State<App>,
    access: Access,
    Query(wanted): Query<Wanted>,
) -> Answer<Vec<RequestView>> {
    let found = approvals::list(&app, &access, wanted.waiting, rows(wanted.limit)).await?;
    Ok(Json(found.into_iter().map(RequestView::from).collect()))
}

/// One request for approval.
#[utoipa::path(get, path = "/api/farero/v1/approvals/{id}", tag = "approvals", params(("id" = i64, Path)),
    responses((status = 200, body = RequestView), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn approval(State(app): State<App>, Path(id): Path<i64>) -> Answer<RequestView> {
    let found = approvals::one(&app, id).await?;
    found.map(|r| Json(r.into())).ok_or_else(|| Failure::not_found(id.to_string()))
}

/// An answer to a request.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Answered {
    /// Whether it may happen.
    yes: bool,
    /// Why; may be empty.
    #[serde(default)]
    note: String,
}

/// Says yes or no to a request; what follows from it is done.
#[utoipa::path(post, path = "/api/farero/v1/approvals/{id}/answer", tag = "approvals", request_body = Answered,
    params(("id" = i64, Path)), responses((status = 200, body = RequestView), (status = 404, body = crate::answer::Problem),
        (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn answer(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Json(said): Json<Answered>,
) -> Answer<RequestView> {
    approvals::answer(&app, &visit, id, said.yes, &said.note).await?;
    let found = approvals::one(&app, id).await?;
    found.map(|r| Json(r.into())).ok_or_else(|| Failure::not_found(id.to_string()))
}

/// A deployment to be approved.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Deployment {
    /// Where to.
    environment: String,
    /// What: a version, a tag, a commit.
    subject: String,
    /// What would change.
    #[serde(default)]
    details: String,
}

/// Asks that something may be deployed; the plan says who approves it.
#[utoipa::path(post, path = "/api/farero/v1/systems/{system}/deployments", tag = "approvals", request_body = Deployment,
    params(("system" = String, Path)), responses((status = 200, body = RequestView), (status = 400, body = crate::answer::Problem),
        (status = 404, body = crate::answer::Problem), (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn deploy(
    State(app): State<App>,
    visit: Visit,
    Path(system): Path<String>,
    Json(wanted): Json<Deployment>,
) -> Answer<RequestView> {
    let what = (wanted.subject.as_str(), wanted.details.as_str());
    let id = approvals::of_deployment(&app, &visit, (&system, &wanted.environment), what).await?;
    let found = approvals::one(&app, id).await?;
    found.map(|r| Json(r.into())).ok_or_else(|| Failure::not_found(id.to_string()))
}
