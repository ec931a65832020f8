//! People: accounts, one account with what it may do and why, teams. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use kernel::access::{Grant, Granted, Kind, Object, Role, Source, Verb};
use kernel::{Language, Timestamp};
use serde::Deserialize;
use state::{AccountKind, ApiToken, GrantRow, Holder, Session, Team, User};

use super::form::Form;
use super::frame::{Frame, Nav};
use super::visit::{Visit, language_of};
use super::{Answer, done, page};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::{proof, rights, token};
use crate::people::{self, Given, NewAccount, Written};
use crate::text::text;

mod team;
mod tokens;

pub(crate) use team::{add_team, change_member, give_team, remove_team, take_team, team};
pub(crate) use tokens::{make_token, revoke_token};

/// Something that is shown this once.
#[derive(Default)]
pub(crate) struct Once {
    /// The link for a new account.
    link: Option<String>,
    /// A new token.
    token: Option<String>,
}

/// An account in the list.
struct Line {
    user: User,
    service: bool,
    grants: Vec<String>,
    /// When they were last active; none when they never were.
    active_at: Option<Timestamp>,
    /// Whether that is so long ago that somebody should ask whether the account is still needed.
    idle: bool,
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    f: Frame,
    people: Vec<Line>,
    teams: Vec<Team>,
    once: Once,
}

impl PeoplePage {
    fn roles(&self) -> Vec<(Role, &'static str)> {
        roles(self.f.language)
    }
}

fn roles(language: Language) -> Vec<(Role, &'static str)> {
    Role::ALL.iter().map(|r| (*r, r.label(language))).collect()
}

async fn show_all(app: &App, visit: &Visit, once: Once) -> Answer {
    let (live, now) = (app.live.clone(), app.clock.now());
    let (users, services, teams, rights, active) = app
        .db(move |s| {
            let users = s.users()?;
            let rights: Result<Vec<_>, _> = users.iter().map(|u| rights::of_account(s, &live, u)).collect();
            Ok((users, s.services()?, s.teams()?, rights?, s.last_active()?))
        })
        .await?;
    let line = |(user, access): (User, crate::auth::Access)| {
        let mut grants: Vec<String> =
            access.grants().iter().map(|g| people::in_words(&g.grant, visit.language)).collect();
        grants.dedup();
        let active_at = active.get(&user.id).copied();
        let idle = people::is_idle(active_at.unwrap_or(user.created_at), now) && !user.disabled;
        Line { service: services.contains(&user.id), user, grants, active_at, idle }
    };
    let people = users.into_iter().zip(rights).map(line).collect();
    let mut f = Frame::new(app, visit, Nav::People, text(visit.language).people.title);
    f.here = "/people".to_owned();
    Ok(page(&PeoplePage { f, people, teams, once }))
}

/// `GET /people`
pub(crate) async fn people(State(app): State<App>, visit: Visit) -> Answer {
    show_all(&app, &visit, Once::default()).await
}

/// The fields of a new account; its first grant is left out with an empty role.
#[derive(Deserialize)]
pub(crate) struct Added {
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    language: String,
    /// Hours for which the invitation is good.
    #[serde(default)]
    hours: String,
    #[serde(flatten)]
    grant: Written,
}

/// `POST /people`
pub(crate) async fn add(State(app): State<App>, visit: Visit, Form(form): Form<Added>) -> Answer {
    if let Some(first) = proof::require(&app, &visit, "/people").await? {
        return Ok(first);
    }
    let grant: Option<Grant> = if form.grant.role.is_empty() { None } else { Some(form.grant.grant()?) };
    let new = NewAccount {
        name: form.name,
        kind: AccountKind::parse(&form.kind),
        language: language_of(&form.language).unwrap_or(visit.language),
        grant,
        hours: form.hours.parse().ok(),
    };
    let made = people::add(&app, &visit, new).await?;
    match made.link {
        Some(path) => show_all(&app, &visit, Once { link: Some(url(&app, &path)), token: None }).await,
        None => Ok(done(&format!("/people/{}", made.id), "saved")),
    }
}

fn url(app: &App, path: &str) -> String {
    format!("{}{path}", app.config.base_url)
}

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    f: Frame,
    user: User,
    service: bool,
    effective: Vec<(Granted, Option<GrantRow>)>,
    teams: Vec<Team>,
    sessions: Vec<Session>,
    tokens: Vec<ApiToken>,
    me: bool,
    once: Once,
}

impl PersonPage {
    fn roles(&self) -> Vec<(Role, &'static str)> {
        roles(self.f.language)
    }

    fn grant(&self, granted: &Granted) -> String {
        people::in_words(&granted.grant, self.f.language)
    }

    fn source(&self, granted: &Granted) -> String {
        people::source_in_words(&granted.source, self.f.language)
    }

    /// The number of a grant that whoever looks may take back here.
    fn takeable(&self, granted: &Granted, row: &Option<GrantRow>) -> Option<i64> {
        let own_role = row.is_none() && granted.source == Source::Page;
        if own_role && people::may_give(&self.f.access, &granted.grant) {
            return Some(people::ROLE);
        }
        let row = row.as_ref()?;
        people::may_give(&self.f.access, &row.grant).then_some(row.id)
    }

    fn token_verbs(&self) -> Vec<(Verb, &'static str)> {
        token::VERBS.iter().map(|v| (*v, v.label(self.f.language))).collect()
    }

    fn is_over(&self, token: &ApiToken) -> bool {
        token.revoked_at.is_some() || token.expires_at.is_some_and(|at| at <= self.f.now)
    }
}

async fn show_one(app: &App, visit: &Visit, id: i64, once: Once) -> Answer {
    let (live, now, administers) =
        (app.live.clone(), app.clock.now(), visit.access.may(Verb::Administer, Object::platform(Kind::People)));
    let found = app.db(move |s| {
        let Some(user) = s.user(id)? else { return Ok(None) };
        let access = rights::of_account(s, &live, &user)?;
        let rows: Vec<GrantRow> = s.grants()?.into_iter().filter(|g| g.holder == Holder::User(id)).collect();
        let teams: Vec<Team> = s.teams()?.into_iter().filter(|t| t.members.iter().any(|m| m.user_id == id)).collect();
        let sessions = if administers { s.sessions(id, now)? } else { Vec::new() };
        let mut tokens = if administers { s.api_tokens()? } else { Vec::new() };
        tokens.retain(|t| t.user_id == Some(id));
        Ok(Some((user, access, rows, teams, s.services()?.contains(&id), (sessions, tokens))))
    });
    let found = found.await?.ok_or_else(|| Failure::not_found(id.to_string()))?;
    let (user, access, mut rows, teams, service, (sessions, tokens)) = found;
    let effective = access.grants().iter().map(|granted| {
        let own = granted.source == Source::Page;
        let at = rows.iter().position(|r| own && r.grant == granted.grant);
        (granted.clone(), at.map(|at| rows.remove(at)))
    });
    let effective = effective.collect();
    let me = visit.identity.as_ref().and_then(|i| i.user_id) == Some(id);
    let mut f = Frame::new(app, visit, Nav::People, user.name.clone());
    f.here = format!("/people/{id}");
    Ok(page(&PersonPage { f, user, service, effective, teams, sessions, tokens, me, once }))
}

/// `GET /people/{id}`
pub(crate) async fn person(State(app): State<App>, visit: Visit, Path(id): Path<i64>) -> Answer {
    show_one(&app, &visit, id, Once::default()).await
}

/// After a grant was given: to the page it belongs to, which says whether it holds or waits.
fn given(path: &str, given: &Given) -> Response {
    match given {
        Given::Now(_) => done(path, "saved"),
        Given::Waits(request) => done(&format!("/approvals/{request}"), "asked"),
    }
}

/// `POST /people/{id}/grants`
pub(crate) async fn give(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<Written>,
) -> Result<Response, Failure> {
    if let Some(first) = proof::require(&app, &visit, &format!("/people/{id}")).await? {
        return Ok(first);
    }
    let what = people::give(&app, &visit, Holder::User(id), form.grant()?).await?;
    Ok(given(&format!("/people/{id}"), &what))
}

/// `POST /people/{id}/grants/{grant}/take`
pub(crate) async fn take(
    State(app): State<App>,
    visit: Visit,
    Path((id, grant)): Path<(i64, i64)>,
) -> Result<Response, Failure> {
    if let Some(first) = proof::require(&app, &visit, &format!("/people/{id}")).await? {
        return Ok(first);
    }
    people::take(&app, &visit, Holder::User(id), grant).await?;
    Ok(done(&format!("/people/{id}"), "saved"))
}

/// The field of the switch.
#[derive(Deserialize)]
pub(crate) struct Enabled {
    /// `yes` or `no`.
    enabled: String,
}

/// `POST /people/{id}/enabled`
pub(crate) async fn enable(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<Enabled>,
) -> Result<Response, Failure> {
    if let Some(first) = proof::require(&app, &visit, &format!("/people/{id}")).await? {
        return Ok(first);
    }
    people::set_enabled(&app, &visit, id, form.enabled != "no").await?;
    Ok(done(&format!("/people/{id}"), "saved"))
}

/// `POST /people/{id}/link`
pub(crate) async fn new_link(State(app): State<App>, visit: Visit, Path(id): Path<i64>) -> Answer {
    if let Some(first) = proof::require(&app, &visit, &format!("/people/{id}")).await? {
        return Ok(first);
    }
    let path = people::new_link(&app, &visit, id).await?;
    show_one(&app, &visit, id, Once { link: Some(url(&app, &path)), token: None }).await
}

/// `POST /people/{id}/sessions/end`
pub(crate) async fn end_sessions(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
) -> Result<Response, Failure> {
    if let Some(first) = proof::require(&app, &visit, &format!("/people/{id}")).await? {
        return Ok(first);
    }
    let name = people::holder_name(&app, Holder::User(id)).await?;
    let deed = visit.deed(app.clock.now(), "session.end").on("user", &name);
    app.db(move |s| s.end_sessions_by(id, &deed)).await?;
    Ok(done(&format!("/people/{id}"), "ended"))
}
