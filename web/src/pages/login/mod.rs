//! The way in: by password, and to the steps that may follow it. I/O: HTTP, state.

pub(crate) mod code;
pub(crate) mod passkey;
pub(crate) mod provider;
pub(crate) mod sealed;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use state::User;

use super::form::Form;
use super::frame::{Frame, Nav};
use super::visit::Visit;
use super::{Answer, local, page};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::enter::{Method, enter, refused};
use crate::auth::policy::Policy;
use crate::auth::throttle::Try;
use crate::auth::{ceremony, password, rights};
use crate::text::{phrases, text};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    f: Frame,
    next: String,
    name: String,
    error: String,
    no_users: bool,
    passkeys: bool,
    providers: Vec<(String, String)>,
    sealed: bool,
}

/// Where to go after the log-in.
#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

async fn show(app: &App, visit: &Visit, next: &str, name: &str, error: String) -> Answer {
    let (no_users, seal) = app.db(|s| Ok((s.users()?.is_empty(), s.seal()?))).await?;
    let f = Frame::new(app, visit, Nav::None, text(visit.language).auth.login).bare();
    let providers = app.login.providers.iter().map(|p| (p.name().to_owned(), p.settings().label.clone())).collect();
    Ok(page(&LoginPage {
        f,
        next: local(next).to_owned(),
        name: name.to_owned(),
        error,
        no_users,
        passkeys: app.login.site.is_some(),
        providers,
        sealed: seal.is_some_and(|s| s.used_at.is_none()),
    }))
}

/// `GET /login`
pub(crate) async fn login(State(app): State<App>, visit: Visit, Query(next): Query<Next>) -> Answer {
    show(&app, &visit, &next.next, "", String::new()).await
}

/// The fields of the log-in.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// What must be known once the second step is done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Where to go then.
    next: String,
    /// The secret of codes that are being set up, sealed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    secret: String,
}

impl Step {
    pub(super) fn to_json(&self) -> String {
        // Two texts: nothing in it can be refused.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn of(data: &str) -> Self {
        serde_json::from_str(data).unwrap_or_default()
    }
}

/// `429 Too Many Requests`, onto a page that says for how long.
pub(crate) fn too_many(mut answer: Response, seconds: u64) -> Response {
    *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// What is said to somebody who has to wait.
pub(crate) fn wait_words(visit: &Visit, seconds: u64) -> String {
    format!("{} ({}).", text(visit.language).auth.wait, phrases::within(visit.language, seconds))
}

/// `POST /login`
pub(crate) async fn log_in(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Form(form): Form<Credentials>,
) -> Answer {
    let name = form.name.trim().to_owned();
    let tried = Try::of(&app, &parts, &name);
    let wait = tried.wait(&app).await?;
    if !wait.is_zero() {
        let seconds = wait.as_secs() + 1;
        let shown = show(&app, &visit, &form.next, &name, wait_words(&visit, seconds)).await?;
        return Ok(too_many(shown, seconds));
    }
    let wanted = name.clone();
    let found = app.db(move |s| s.credentials(&wanted)).await?.filter(|(user, _)| !user.disabled);
    let stored = found.as_ref().map(|(_, hash)| hash.clone());
    if !password::verify(&app, form.password, stored).await? {
        refused(&app, &parts, &tried, &name, "wrong name or password").await?;
        let wrong = text(visit.language).auth.wrong.to_owned();
        let mut answer = show(&app, &visit, &form.next, &name, wrong).await?;
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(answer);
    }
    let Some((user, _)) = found else { return Err(Failure::forbidden("")) };
    tried.succeeded(&app).await?;
    after_password(&app, &visit, &parts, &user, local(&form.next), &Method::Password).await
}

/// In, or to the second step where the account has one or must have one.
pub(crate) async fn after_password(
    app: &App,
    visit: &Visit,
    parts: &Parts,
    user: &User,
    next: &str,
    method: &Method,
) -> Answer {
    let id = user.id;
    let (live, account) = (app.live.clone(), user.clone());
    let stored = app.db(move |s| Ok((s.totp(id)?, Policy::read(s)?, rights::administers(s, &live, &account)?)));
    let (totp, policy, administers) = stored.await?;
    let step = Step { next: next.to_owned(), ..Step::default() };
    let cookie = match totp {
        Some(_) => ceremony::begin(app, ceremony::CODE, Some(id), step.to_json()).await?,
        None if policy.second_factor.asks(administers) => {
            let step = Step { secret: code::fresh_secret(app, id), ..step };
            ceremony::begin(app, ceremony::ENROL, Some(id), step.to_json()).await?
        }
        None => return enter(app, visit, parts, user, method, next).await,
    };
    let mut answer = Redirect::to("/login/code").into_response();
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}
