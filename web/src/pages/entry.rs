//! The way in and out: log-in, one-time links, log-out, language and appearance. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use kernel::Language;
use serde::Deserialize;
use state::{NewUser, StateError};

use super::form::Form;
use super::frame::{Frame, Nav};
use super::visit::{LANGUAGE_COOKIE, THEME_COOKIE, Theme, Visit, language_of};
use super::{Answer, local, page};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::password::{self, Weak};
use crate::auth::{Proof, Role, link, secret, session};
use crate::text::{phrases, text};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    f: Frame,
    next: String,
    name: String,
    error: String,
    no_users: bool,
}

/// Where to go after the log-in.
#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

fn login_page(app: &App, visit: &Visit, next: &str, name: &str, error: String, no_users: bool) -> Response {
    let f = Frame::new(app, visit, Nav::None, text(visit.language).auth.login).bare();
    page(&LoginPage { f, next: local(next).to_owned(), name: name.to_owned(), error, no_users })
}

/// `GET /login`
pub(crate) async fn login(State(app): State<App>, visit: Visit, Query(next): Query<Next>) -> Answer {
    let nobody = app.db(|s| s.users()).await?.is_empty();
    Ok(login_page(&app, &visit, &next.next, "", String::new(), nobody))
}

/// The fields of the log-in.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub(crate) async fn log_in(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Form(form): Form<Credentials>,
) -> Answer {
    let t = &text(visit.language).auth;
    let (now, address) = (app.clock.now(), session::address(&parts));
    let name = form.name.trim().to_owned();
    let wait = app.gates.throttle.wait(&name, &address, now);
    if !wait.is_zero() {
        let seconds = wait.as_secs() + 1;
        let error = format!("{} ({}).", t.wait, phrases::within(visit.language, seconds));
        let mut answer = login_page(&app, &visit, &form.next, &name, error, false);
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(answer);
    }
    let wanted = name.clone();
    let found = app.db(move |s| s.credentials(&wanted)).await?.filter(|(user, _)| !user.disabled);
    let stored = found.as_ref().map(|(_, hash)| hash.clone());
    if !password::verify(&app, form.password, stored).await? {
        app.gates.throttle.failed(&name, &address, now);
        tracing::warn!(account = %name, %address, "a log-in failed");
        let mut answer = login_page(&app, &visit, &form.next, &name, t.wrong.to_owned(), false);
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(answer);
    }
    let Some((user, _)) = found else { return Err(Failure::forbidden("")) };
    app.gates.throttle.succeeded(&name, &address);
    enter(&app, user.id, &parts, local(&form.next)).await
}

async fn enter(app: &App, user_id: i64, parts: &Parts, to: &str) -> Answer {
    let secret = session::begin(app, user_id, session::client(parts)).await?;
    let mut answer = Redirect::to(to).into_response();
    answer.headers_mut().append(header::SET_COOKIE, session::set_cookie(app, &secret));
    Ok(answer)
}

/// `POST /logout`
pub(crate) async fn log_out(State(app): State<App>, visit: Visit) -> Answer {
    if let Some(Proof::Session { token_hash, .. }) = visit.identity.map(|i| i.proof) {
        app.db(move |s| s.end_session(&token_hash)).await?;
    }
    let mut answer = Redirect::to("/login").into_response();
    answer.headers_mut().append(header::SET_COOKIE, session::set_cookie(&app, ""));
    Ok(answer)
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    f: Frame,
    first: bool,
    gone: bool,
    name: String,
    error: String,
}

fn setup_page(app: &App, visit: &Visit, first: bool, gone: bool, name: &str, error: &str) -> Response {
    let t = &text(visit.language).auth;
    let title = if gone {
        t.link_gone
    } else if first {
        t.setup
    } else {
        t.choose
    };
    let f = Frame::new(app, visit, Nav::None, title).bare();
    let mut answer = page(&SetupPage { f, first, gone, name: name.to_owned(), error: error.to_owned() });
    if gone {
        *answer.status_mut() = StatusCode::GONE;
    }
    answer
}

/// What a one-time link is for: the purpose, and the account where there is one.
async fn look_up(app: &App, given: &str) -> Result<Option<(&'static str, Option<i64>)>, Failure> {
    let (hash, now) = (secret::hash(given), app.clock.now());
    let found = app.db(move |s| {
        for purpose in [link::FIRST, link::PASSWORD] {
            if let Some(found) = s.link(&hash, purpose, now)? {
                return Ok(Some((purpose, found.user_id)));
            }
        }
        Ok(None)
    });
    found.await
}

/// `GET /setup/{token}`
pub(crate) async fn setup(State(app): State<App>, visit: Visit, Path(given): Path<String>) -> Answer {
    let found = look_up(&app, &given).await?;
    Ok(match found {
        Some((purpose, _)) => setup_page(&app, &visit, purpose == link::FIRST, false, "", ""),
        None => setup_page(&app, &visit, false, true, "", ""),
    })
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
    let Some((purpose, user_id)) = look_up(&app, &given).await? else {
        return Ok(setup_page(&app, &visit, false, true, "", ""));
    };
    let first = purpose == link::FIRST;
    let name = form.name.trim().to_owned();
    let bad_name = (first && !is_name(&name)).then_some(text(visit.language).auth.name_invalid);
    if let Some(error) = bad_name.or_else(|| complaint(visit.language, &form.password, &form.again, &name)) {
        let mut answer = setup_page(&app, &visit, first, false, &name, error);
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(answer);
    }
    let password_hash = password::hash(&app, form.password).await?;
    let (hash, now, language) = (secret::hash(&given), app.clock.now(), visit.language);
    let entered = app.db(move |s| {
        if s.use_link(&hash, purpose, now)?.is_none() {
            return Ok(None);
        }
        match user_id {
            Some(id) => {
                s.set_password(id, &password_hash)?;
                s.end_sessions(id)?;
                Ok(Some(id))
            }
            // The first administrator, and only the first.
            None if s.users()?.is_empty() => {
                let role = Role::Administrator.as_str().to_owned();
                s.create_user(&NewUser { name, role, language, password_hash }, now).map(|u| Some(u.id))
            }
            None => Ok::<_, StateError>(None),
        }
    });
    match entered.await? {
        Some(id) => enter(&app, id, &parts, "/").await,
        None => Ok(setup_page(&app, &visit, false, true, "", "")),
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
