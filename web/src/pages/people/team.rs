//! One team: its members and what it is granted. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use kernel::access::Role;
use serde::Deserialize;
use state::{GrantRow, Holder, Team, User};

use super::given;
use crate::answer::Failure;
use crate::app::App;
use crate::auth::proof;
use crate::pages::form::Form;
use crate::pages::frame::{Frame, Nav};
use crate::pages::visit::Visit;
use crate::pages::{Answer, done, page};
use crate::people::{self, Written};

#[derive(Template)]
#[template(path = "team.html")]
struct TeamPage {
    f: Frame,
    team: Team,
    grants: Vec<GrantRow>,
    others: Vec<User>,
}

impl TeamPage {
    fn roles(&self) -> Vec<(Role, &'static str)> {
        super::roles(self.f.language)
    }

    fn grant(&self, row: &GrantRow) -> String {
        people::in_words(&row.grant, self.f.language)
    }

    fn takeable(&self, row: &GrantRow) -> bool {
        people::may_give(&self.f.access, &row.grant)
    }
}

/// `GET /teams/{id}`
pub(crate) async fn team(State(app): State<App>, visit: Visit, Path(id): Path<i64>) -> Answer {
    let team = people::team(&app, id).await?;
    let (mut grants, mut others) = app.db(|s| Ok((s.grants()?, s.users()?))).await?;
    grants.retain(|g| g.holder == Holder::Team(id));
    others.retain(|u| team.members.iter().all(|m| m.user_id != u.id));
    let mut f = Frame::new(&app, &visit, Nav::People, team.name.clone());
    f.here = format!("/teams/{id}");
    Ok(page(&TeamPage { f, team, grants, others }))
}

/// The field of a new team.
#[derive(Deserialize)]
pub(crate) struct Named {
    name: String,
}

/// `POST /teams`
pub(crate) async fn add_team(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<Named>,
) -> Result<Response, Failure> {
    let id = people::add_team(&app, &visit, &form.name).await?;
    Ok(done(&format!("/teams/{id}"), "saved"))
}

/// `POST /teams/{id}/remove`
pub(crate) async fn remove_team(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
) -> Result<Response, Failure> {
    if let Some(first) = proof::require(&app, &visit, &format!("/teams/{id}")).await? {
        return Ok(first);
    }
    people::remove_team(&app, &visit, id).await?;
    Ok(done("/people", "saved"))
}

/// The fields of a change of members.
#[derive(Deserialize)]
pub(crate) struct Membership {
    user: i64,
    /// `yes` or `no`.
    member: String,
}

/// `POST /teams/{id}/members`
pub(crate) async fn change_member(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<Membership>,
) -> Result<Response, Failure> {
    if let Some(first) = proof::require(&app, &visit, &format!("/teams/{id}")).await? {
        return Ok(first);
    }
    people::set_member(&app, &visit, id, form.user, form.member != "no").await?;
    Ok(done(&format!("/teams/{id}"), "saved"))
}

/// `POST /teams/{id}/grants`
pub(crate) async fn give_team(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<Written>,
) -> Result<Response, Failure> {
    if let Some(first) = proof::require(&app, &visit, &format!("/teams/{id}")).await? {
        return Ok(first);
    }
    let what = people::give(&app, &visit, Holder::Team(id), form.grant()?).await?;
    Ok(given(&format!("/teams/{id}"), &what))
}

/// `POST /teams/{id}/grants/{grant}/take`
pub(crate) async fn take_team(
    State(app): State<App>,
    visit: Visit,
    Path((id, grant)): Path<(i64, i64)>,
) -> Result<Response, Failure> {
    if let Some(first) = proof::require(&app, &visit, &format!("/teams/{id}")).await? {
        return Ok(first);
    }
    people::take(&app, &visit, Holder::Team(id), grant).await?;
    Ok(done(&format!("/teams/{id}"), "saved"))
}
