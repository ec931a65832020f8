//! One-time links, log-out, language and appearance. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use kernel::trail::{Actor, Deed};
use kernel::{Language, Timestamp};
use serde::Deserialize;
use state::{Link, NewUser, StateError, User};

use super::form::Form;
use super::frame::{Frame, Nav};
use super::login::after_password;
use super::visit::{LANGUAGE_COOKIE, THEME_COOKIE, Theme, Visit, language_of};
use super::{Answer, local, page};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::enter::{Method, deed};
use crate::auth::password::{self, Weak};
use crate::auth::{Proof, Role, link, secret, session};
use crate::text::text;

#[derive(Template)]
#[template(path = "bye.html")]
struct ByePage {
    f: Frame,
    label: String,
    url: String,
}

/// `POST /logout`
pub(crate) async fn log_out(State(app): State<App>, visit: Visit, parts: Parts) -> Answer {
    let mut answer = Redirect::to("/login").into_response();
    if let Some((Proof::Session { token_hash, .. }, name)) = visit.identity.as_ref().map(|i| (i.proof.clone(), &i.name))
    {
        let now = app.clock.now();
        let deed = deed(&app, &parts, Actor::person(name), "session.end").on("user", name);
        let ended = app.db(move |s| {
            let session = s.session(&token_hash, now)?;
            s.end_session_by(&token_hash, &deed)?;
            Ok(session)
        });
        let method = ended.await?.map(|(session, _)| session.method).unwrap_or_default();
        if let Some(provider) = method.strip_prefix("provider:").and_then(|name| app.login.provider(name)) {
            // A link, not a redirect: whoever logs out here may want to stay logged in there.
            if let Some(url) = provider.log_out_url(&format!("{}/login", app.config.base_url), now).await {
                let away = Visit { identity: None, csrf: String::new(), ..visit.clone() };
                let f = Frame::new(&app, &away, Nav::None, text(visit.language).login.bye).bare();
                answer = page(&ByePage { f, label: provider.settings().label.clone(), url });
            }
        }
    }
    answer.headers_mut().append(header::SET_COOKIE, session::set_cookie(&app, ""));
    Ok(answer)
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    f: Frame,
    first: bool,
    gone: bool,
    /// Whose account it is, who invites, and until when, where there is one.
    invited: Option<(String, String, Timestamp)>,
    name: String,
    error: String,
}

fn setup_page(app: &App, visit: &Visit, found: Option<&Found>, name: &str, error: &str) -> Response {
    let (first, gone) = (found.is_some_and(|f| f.user.is_none()), found.is_none());
    let t = &text(visit.language).auth;
    let title = if gone {
        t.link_gone
    } else if first {
        t.setup
    } else {
        t.choose
    };
    let f = Frame::new(app, visit, Nav::None, title).bare();
    let invited = found.and_then(|x| Some((x.user.as_ref()?.name.clone(), x.link.made_by.clone(), x.link.expires_at)));
    let mut answer = page(&SetupPage { f, first, gone, invited, name: name.to_owned(), error: error.to_owned() });
    if gone {
        *answer.status_mut() = StatusCode::GONE;
    }
    answer
}

/// A one-time link that still works, and the account that it is for; the first administrator's has none.
struct Found {
    link: Link,
    user: Option<User>,
}

async fn look_up(app: &App, given: &str) -> Result<Option<Found>, Failure> {
    let (hash, now) = (secret::hash(given), app.clock.now());
    let found = app.db(move |s| {
        for purpose in [link::FIRST, link::PASSWORD] {
            if let Some(link) = s.link(&hash, purpose, now)? {
                let user = match link.user_id {
                    Some(id) => s.user(id)?,
                    None => None,
                };
                let lost = link.user_id.is_some() && user.as_ref().is_none_or(|u| u.disabled);
                return Ok((!lost).then_some(Found { link, user }));
            }
        }
        Ok(None)
    });
    found.await
}

/// `GET /setup/{token}`
pub(crate) async fn setup(State(app): State<App>, visit: Visit, Path(given): Path<String>) -> Answer {
    let found = look_up(&app, &given).await?;
    Ok(setup_page(&app, &visit, found.as_ref(), "", ""))
}

/// The fields of a one-time link's form.
#[derive(Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    name: String,
    password: String,
    again: String,
}

/// What is wrong with a chosen password, in words.
pub(crate) fn complaint(language: Language, password: &str, again: &str, name: &str) -> Option<&'static str> {
    let t = &text(language).auth;
    match password::check_new(password, name) {
        Err(Weak::Short) => Some(t.weak_short),
        Err(Weak::Long) => Some(t.weak_long),
        Err(Weak::LikeName) => Some(t.weak_like_name),
        Err(Weak::Common) => Some(t.weak_common),
        Ok(()) => (password != again).then_some(t.differ),
    }
}

/// Whether a text can be a user name.
pub(crate) fn is_name(name: &str) -> bool {
    let length = name.chars().count();
    (2..=64).contains(&length) && name.trim() == name && !name.chars().any(char::is_control)
}

/// `POST /setup/{token}`
pub(crate) async fn set_up(
    State(app): State<App>,
    visit: Visit,
    Path(given): Path<String>,
    parts: Parts,
    Form(form): Form<Chosen>,
) -> Answer {
    let Some(found) = look_up(&app, &given).await? else {
        return Ok(setup_page(&app, &visit, None, "", ""));
    };
    let typed = form.name.trim().to_owned();
    let name = found.user.as_ref().map_or_else(|| typed.clone(), |u| u.name.clone());
    let bad_name = (!is_name(&name)).then_some(text(visit.language).auth.name_invalid);
    if let Some(error) = bad_name.or_else(|| complaint(visit.language, &form.password, &form.again, &name)) {
        let mut answer = setup_page(&app, &visit, Some(&found), &typed, error);
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(answer);
    }
    let (first, invited) = (found.user.is_none(), found.user.is_some());
    let password_hash = password::hash(&app, form.password).await?;
    let deed = deed(&app, &parts, Actor::person(&name), if first { "user.create" } else { "password.change" });
    let deed = deed.on("user", &name).changed_in_secret("password");
    let (language, now) = (visit.language, app.clock.now());
    let entered = app.db(move |s| {
        use_link(
            s,
            &found,
            NewUser { name, role: Role::Administrator.as_str().to_owned(), language, password_hash },
            now,
            &deed,
        )
    });
    match entered.await? {
        // The link stands for the password; the second step is asked for all the same.
        Some(user) if invited => after_password(&app, &visit, &parts, &user, "/", &Method::Link).await,
        Some(user) => {
            // Whoever brought a plan has taken the first steps.
            let next = if super::welcome::starter(&app).is_some() { "/welcome" } else { "/" };
            after_password(&app, &visit, &parts, &user, next, &Method::Link).await
        }
        None => Ok(setup_page(&app, &visit, None, "", "")),
    }
}

/// Uses a link: sets its account's password and ends that account's sessions, or makes the first administrator, and only the first.
fn use_link(
    s: &state::State,
    found: &Found,
    new: NewUser,
    now: Timestamp,
    deed: &Deed,
) -> Result<Option<User>, StateError> {
    if s.use_link(&found.link.token_hash, &found.link.purpose, now)?.is_none() {
        return Ok(None);
    }
    match &found.user {
        Some(user) => {
            s.change_password(user.id, &new.password_hash, deed)?;
            Ok(Some(user.clone()))
        }
        None if s.users()?.is_empty() => {
            let user = s.create_user(&new, now)?;
            s.record(deed)?;
            Ok(Some(user))
        }
        None => Ok(None),
    }
}

/// The switches at the edge of every page.
#[derive(Deserialize)]
pub(crate) struct Preferences {
    theme: Option<String>,
    language: Option<String>,
    #[serde(default)]
    back: String,
}

/// `POST /preferences`
pub(crate) async fn preferences(State(app): State<App>, Form(form): Form<Preferences>) -> Response {
    let mut answer = Redirect::to(local(&form.back)).into_response();
    let secure = if app.config.tls { "; Secure" } else { "" };
    let mut set = |name: &str, value: &str| {
        let text = format!("{name}={value}; Path=/; SameSite=Lax; Max-Age=31536000{secure}");
        if let Ok(value) = HeaderValue::from_str(&text) {
            answer.headers_mut().append(header::SET_COOKIE, value);
        }
    };
    if let Some(theme) = &form.theme {
        set(THEME_COOKIE, Theme::parse(theme).as_str());
    }
    if let Some(language) = form.language.as_deref().and_then(language_of) {
        set(LANGUAGE_COOKIE, language.tag());
    }
    answer
}
