//! Who may log in: adding people, their roles, new links. Administrators only. I/O: HTTP, state.

use axum::extract::{Path, State};
use axum::response::Response;
use kernel::Language;
use serde::Deserialize;
use state::NewUser;

use super::entry::is_name;
use super::form::Form;
use super::settings::{Once, person, show};
use super::visit::{Visit, language_of};
use super::{Answer, done};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::{Role, link, password, proof};
use crate::text::text;

/// The fields of a new account.
#[derive(Deserialize)]
pub(crate) struct Added {
    name: String,
    role: String,
    #[serde(default)]
    language: String,
    /// Hours for which the invitation is good.
    hours: Option<u64>,
}

/// `POST /settings/users`
pub(crate) async fn add(State(app): State<App>, visit: Visit, Form(form): Form<Added>) -> Answer {
    let t = &text(visit.language).auth;
    let name = form.name.trim().to_owned();
    let role = Role::parse(&form.role).ok_or_else(|| Failure::invalid("there is no such role"))?;
    if !is_name(&name) {
        return show(&app, &visit, Once { error: t.name_invalid.to_owned(), ..Once::default() }).await;
    }
    let (me, _, _) = person(&visit)?;
    if let Some(first) = proof::require(&app, &visit, "/settings").await? {
        return Ok(first);
    }
    let (now, language) = (app.clock.now(), language_of(&form.language).unwrap_or(Language::Es));
    let life = link::life_of(form.hours);
    let password_hash = password::UNUSABLE.to_owned();
    let new = NewUser { name, role: role.as_str().to_owned(), language, password_hash };
    let made = app.db(move |s| match s.create_user(&new, now) {
        Ok(user) => link::choose_password(s, user.id, &me.name, life, now).map(Some),
        Err(state::StateError::Taken { .. }) => Ok(None),
        Err(error) => Err(error),
    });
    let once = match made.await? {
        Some(path) => Once { link: Some(format!("{}{path}", app.config.base_url)), ..Once::default() },
        None => Once { error: t.name_taken.to_owned(), ..Once::default() },
    };
    show(&app, &visit, once).await
}

/// The fields of a changed account.
#[derive(Deserialize)]
pub(crate) struct Changed {
    role: String,
    /// `yes` or `no`.
    enabled: String,
}

/// `POST /settings/users/{id}`
pub(crate) async fn change(
    State(app): State<App>,
    visit: Visit,
    Path(user): Path<i64>,
    Form(form): Form<Changed>,
) -> Result<Response, Failure> {
    let (_, me, _) = person(&visit)?;
    let role = Role::parse(&form.role).ok_or_else(|| Failure::invalid("there is no such role"))?;
    let disabled = form.enabled == "no";
    if user == me && (role != Role::Administrator || disabled) {
        let error = text(visit.language).auth.not_yourself.to_owned();
        return show(&app, &visit, Once { error, ..Once::default() }).await;
    }
    if let Some(first) = proof::require(&app, &visit, "/settings").await? {
        return Ok(first);
    }
    let found = app.db(move |s| match s.user(user)? {
        Some(known) => {
            let done = s.update_user(user, role.as_str(), known.language, disabled)?;
            // Whoever may do something else from now on proves anew who they are.
            if known.role != role.as_str() {
                s.end_sessions(user)?;
            }
            Ok(done)
        }
        None => Ok(false),
    });
    if found.await? { Ok(done("/settings", "saved")) } else { Err(Failure::not_found(user.to_string())) }
}

/// `POST /settings/users/{id}/link`
pub(crate) async fn new_link(State(app): State<App>, visit: Visit, Path(user): Path<i64>) -> Answer {
    let (me, _, _) = person(&visit)?;
    if let Some(first) = proof::require(&app, &visit, "/settings").await? {
        return Ok(first);
    }
    let now = app.clock.now();
    let made = app.db(move |s| match s.user(user)? {
        Some(_) => link::choose_password(s, user, &me.name, link::life_of(None), now).map(Some),
        None => Ok(None),
    });
    let path = made.await?.ok_or_else(|| Failure::not_found(user.to_string()))?;
    let link = Some(format!("{}{path}", app.config.base_url));
    show(&app, &visit, Once { link, ..Once::default() }).await
}
