//! Teams: their members and what they are granted. I/O: HTTP, state.

use axum::extract::{Path, State};
use kernel::access::Grant;
use serde::{Deserialize, Serialize};
use state::Holder;
use utoipa::ToSchema;

use super::people::{GrantMade, GrantWanted};
use super::status::Done;
use super::{Answer, Json};
use crate::app::App;
use crate::pages::visit::Visit;
use crate::people;

/// A team.
#[derive(Serialize, ToSchema)]
pub(crate) struct TeamView {
    id: i64,
    name: String,
    /// Names of its members.
    members: Vec<String>,
    /// What it is granted.
    #[schema(value_type = Vec<Object>)]
    grants: Vec<Grant>,
}

/// All teams.
#[utoipa::path(get, path = "/api/farero/v1/teams", tag = "people", responses((status = 200, body = Vec<TeamView>)))]
pub(crate) async fn teams(State(app): State<App>) -> Answer<Vec<TeamView>> {
    let (teams, grants) = app.db(|s| Ok((s.teams()?, s.grants()?))).await?;
    let of = |id: i64| grants.iter().filter(move |g| g.holder == Holder::Team(id)).map(|g| g.grant.clone());
    let view = |t: state::Team| TeamView {
        grants: of(t.id).collect(),
        id: t.id,
        name: t.name,
        members: t.members.into_iter().map(|m| m.name).collect(),
    };
    Ok(Json(teams.into_iter().map(view).collect()))
}

/// A team to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct TeamWanted {
    name: String,
}

/// A team that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct TeamMade {
    id: i64,
}

/// Makes a team.
#[utoipa::path(post, path = "/api/farero/v1/teams", tag = "people", request_body = TeamWanted,
    responses((status = 200, body = TeamMade), (status = 400, body = crate::answer::Problem),
        (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn add(State(app): State<App>, visit: Visit, Json(wanted): Json<TeamWanted>) -> Answer<TeamMade> {
    let id = people::add_team(&app, &visit, &wanted.name).await?;
    Ok(Json(TeamMade { id }))
}

/// Takes a team away, with what it was granted.
#[utoipa::path(post, path = "/api/farero/v1/teams/{id}/remove", tag = "people", params(("id" = i64, Path)),
    responses((status = 200, body = Done), (status = 404, body = crate::answer::Problem),
        (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn remove(State(app): State<App>, visit: Visit, Path(id): Path<i64>) -> Answer<Done> {
    people::remove_team(&app, &visit, id).await?;
    Ok(Json(Done::yes("removed")))
}

/// Whether an account belongs to a team.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MemberWanted {
    /// Number of the account.
    account: i64,
    member: bool,
}

/// Takes an account into a team, or out of it.
#[utoipa::path(post, path = "/api/farero/v1/teams/{id}/members", tag = "people", request_body = MemberWanted,
    params(("id" = i64, Path)), responses((status = 200, body = Done), (status = 404, body = crate::answer::Problem),
        (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn member(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Json(wanted): Json<MemberWanted>,
) -> Answer<Done> {
    people::set_member(&app, &visit, id, wanted.account, wanted.member).await?;
    Ok(Json(Done::yes("saved")))
}

/// Gives a team a grant.
#[utoipa::path(post, path = "/api/farero/v1/teams/{id}/grants", tag = "people", request_body = GrantWanted,
    params(("id" = i64, Path)), responses((status = 200, body = GrantMade), (status = 403, body = crate::answer::Problem),
        (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn give(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Json(wanted): Json<GrantWanted>,
) -> Answer<GrantMade> {
    let given = people::give(&app, &visit, Holder::Team(id), wanted.into()).await?;
    Ok(Json(given.into()))
}

/// Takes a grant of a team back.
#[utoipa::path(post, path = "/api/farero/v1/teams/{id}/grants/{grant}/take", tag = "people",
    params(("id" = i64, Path), ("grant" = i64, Path)), responses((status = 200, body = Done),
        (status = 403, body = crate::answer::Problem), (status = 404, body = crate::answer::Problem),
        (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn take(State(app): State<App>, visit: Visit, Path((id, grant)): Path<(i64, i64)>) -> Answer<Done> {
    people::take(&app, &visit, Holder::Team(id), grant).await?;
    Ok(Json(Done::yes("taken back")))
}
