//! People, teams, grants, roles, one's own access. I/O: HTTP, state.

use axum::extract::{Path, State};
use kernel::Timestamp;
use kernel::access::{Grant, Granted, Kind, Role, Scope, TABLE, Verb};
use serde::{Deserialize, Serialize};
use state::{AccountKind, Holder, User};
use utoipa::ToSchema;

use super::status::Done;
use super::{Answer, Json};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::{Access, rights};
use crate::pages::visit::{Visit, language_of};
use crate::people::{self, Given, NewAccount};

/// An account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Account {
    id: i64,
    name: String,
    /// `person` or `service`.
    kind: &'static str,
    /// Whether it may log in, or its tokens may be used.
    enabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last active: in a session, by a token, or doing something that the trail tells.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_active_at: Option<Timestamp>,
    /// Whether it should be asked if the account is still needed: enabled, and not active for 90 days.
    idle: bool,
    /// All that it was granted, each with where it comes from.
    #[schema(value_type = Vec<Object>)]
    grants: Vec<Granted>,
}

impl Account {
    fn new(user: User, access: &Access, services: &[i64], last_active_at: Option<Timestamp>, now: Timestamp) -> Self {
        let kind = if services.contains(&user.id) { AccountKind::Service } else { AccountKind::Person };
        Self {
            id: user.id,
            name: user.name,
            kind: kind.as_str(),
            enabled: !user.disabled,
            created_at: user.created_at,
            last_active_at,
            idle: people::is_idle(last_active_at.unwrap_or(user.created_at), now) && !user.disabled,
            grants: access.grants().to_vec(),
        }
    }
}

/// All accounts with what they may do.
#[utoipa::path(get, path = "/api/farero/v1/people", tag = "people", responses((status = 200, body = Vec<Account>)))]
pub(crate) async fn people(State(app): State<App>) -> Answer<Vec<Account>> {
    let (live, now) = (app.live.clone(), app.clock.now());
    let found = app.db(move |s| {
        let (services, active) = (s.services()?, s.last_active()?);
        let one = |u: User| {
            let access = rights::of_account(s, &live, &u)?;
            let at = active.get(&u.id).copied();
            Ok(Account::new(u, &access, &services, at, now))
        };
        s.users()?.into_iter().map(one).collect()
    });
    found.await.map(Json)
}

/// One account with what it may do.
#[utoipa::path(get, path = "/api/farero/v1/people/{id}", tag = "people", params(("id" = i64, Path)),
    responses((status = 200, body = Account), (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn person(State(app): State<App>, Path(id): Path<i64>) -> Answer<Account> {
    let (live, now) = (app.live.clone(), app.clock.now());
    let found = app.db(move |s| {
        let Some(user) = s.user(id)? else { return Ok(None) };
        let access = rights::of_account(s, &live, &user)?;
        let at = s.last_active()?.get(&id).copied();
        Ok(Some(Account::new(user, &access, &s.services()?, at, now)))
    });
    found.await?.map(Json).ok_or_else(|| Failure::not_found(id.to_string()))
}

/// A role and where it holds.
#[derive(Deserialize, ToSchema)]
pub(crate) struct GrantWanted {
    /// A built-in role.
    #[schema(value_type = String)]
    role: Role,
    /// `*`, or names of systems.
    #[schema(value_type = Object)]
    systems: Scope,
    /// `*`, or names of environments.
    #[serde(default)]
    #[schema(value_type = Object)]
    environments: Scope,
    /// `*`, or names of procedures.
    #[serde(default)]
    #[schema(value_type = Object)]
    procedures: Scope,
    /// `*`, or names of channels.
    #[serde(default)]
    #[schema(value_type = Object)]
    channels: Scope,
}

impl From<GrantWanted> for Grant {
    fn from(w: GrantWanted) -> Self {
        let GrantWanted { role, systems, environments, procedures, channels } = w;
        Self { role, systems, environments, procedures, channels }
    }
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct AccountWanted {
    name: String,
    /// `person` (when left out) or `service`.
    #[serde(default)]
    kind: String,
    /// `es` or `en`.
    #[serde(default)]
    language: String,
    /// What it may do to begin with.
    grant: Option<GrantWanted>,
    /// Hours for which the invitation is good.
    hours: Option<u64>,
}

/// An account that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountMade {
    id: i64,
    /// One-time link with which a person chooses a password.
    link: Option<String>,
}

/// Makes an account.
#[utoipa::path(post, path = "/api/farero/v1/people", tag = "people", request_body = AccountWanted,
    responses((status = 200, body = AccountMade), (status = 400, body = crate::answer::Problem),
        (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn add(
    State(app): State<App>,
    visit: Visit,
    Json(wanted): Json<AccountWanted>,
) -> Answer<AccountMade> {
    let new = NewAccount {
        name: wanted.name,
        kind: AccountKind::parse(&wanted.kind),
        language: language_of(&wanted.language).unwrap_or(visit.language),
        grant: wanted.grant.map(Grant::from),
        hours: wanted.hours,
    };
    let made = people::add(&app, &visit, new).await?;
    let link = made.link.map(|path| format!("{}{path}", app.config.base_url));
    Ok(Json(AccountMade { id: made.id, link }))
}

/// Whether an account may log in.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Enabled {
    enabled: bool,
}

/// Lets an account log in, or not.
#[utoipa::path(post, path = "/api/farero/v1/people/{id}/enabled", tag = "people", request_body = Enabled,
    params(("id" = i64, Path)), responses((status = 200, body = Done), (status = 404, body = crate::answer::Problem),
        (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn enable(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Json(wanted): Json<Enabled>,
) -> Answer<Done> {
    people::set_enabled(&app, &visit, id, wanted.enabled).await?;
    Ok(Json(Done::yes("saved")))
}

/// What became of a grant.
#[derive(Serialize, ToSchema)]
pub(crate) struct GrantMade {
    /// Number of the grant, where it holds now.
    grant: Option<i64>,
    /// Number of the request, where others must say yes first.
    approval: Option<i64>,
}

impl From<Given> for GrantMade {
    fn from(given: Given) -> Self {
        match given {
            Given::Now(id) => Self { grant: Some(id), approval: None },
            Given::Waits(id) => Self { grant: None, approval: Some(id) },
        }
    }
}

/// Gives an account a grant.
#[utoipa::path(post, path = "/api/farero/v1/people/{id}/grants", tag = "people", request_body = GrantWanted,
    params(("id" = i64, Path)), responses((status = 200, body = GrantMade), (status = 403, body = crate::answer::Problem),
        (status = 404, body = crate::answer::Problem)))]
pub(crate) async fn give(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Json(wanted): Json<GrantWanted>,
) -> Answer<GrantMade> {
    let given = people::give(&app, &visit, Holder::User(id), wanted.into()).await?;
    Ok(Json(given.into()))
}

/// Takes a grant of an account back.
#[utoipa::path(post, path = "/api/farero/v1/people/{id}/grants/{grant}/take", tag = "people",
    params(("id" = i64, Path), ("grant" = i64, Path)), responses((status = 200, body = Done),
        (status = 403, body = crate::answer::Problem), (status = 404, body = crate::answer::Problem),
        (status = 409, body = crate::answer::Problem)))]
pub(crate) async fn take(State(app): State<App>, visit: Visit, Path((id, grant)): Path<(i64, i64)>) -> Answer<Done> {
    people::take(&app, &visit, Holder::User(id), grant).await?;
    Ok(Json(Done::yes("taken back")))
}

/// What a role may do to one kind of thing.
#[derive(Serialize, ToSchema)]
pub(crate) struct RoleCell {
    #[schema(value_type = String)]
    kind: Kind,
    #[schema(value_type = Vec<String>)]
    verbs: Vec<Verb>,
}

/// A role and what it may do.
#[derive(Serialize, ToSchema)]
pub(crate) struct RoleView {
    #[schema(value_type = String)]
    role: Role,
    may: Vec<RoleCell>,
}

/// The table of roles.
#[utoipa::path(get, path = "/api/farero/v1/roles", tag = "people", responses((status = 200, body = Vec<RoleView>)))]
pub(crate) async fn roles() -> Json<Vec<RoleView>> {
    let cell = |role: Role, kind: &Kind| RoleCell { kind: *kind, verbs: role.verbs(*kind).to_vec() };
    let view =
        |(role, _): &(Role, _)| RoleView { role: *role, may: Kind::ALL.iter().map(|k| cell(*role, k)).collect() };
    Json(TABLE.iter().map(view).collect())
}

/// Who asks, and what they may do.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// The account behind the request.
    account: String,
    #[schema(value_type = Vec<Object>)]
    grants: Vec<Granted>,
    /// What a token leaves of them; none for a session.
    #[schema(value_type = Option<Object>)]
    token: Option<kernel::access::TokenScope>,
}

/// Who asks, and what they may do.
#[utoipa::path(get, path = "/api/farero/v1/me", tag = "people", responses((status = 200, body = Me)))]
pub(crate) async fn me(visit: Visit) -> Json<Me> {
    let token = visit.access.subject().token.cloned();
    Json(Me { account: visit.account(), grants: visit.access.grants().to_vec(), token })
}
