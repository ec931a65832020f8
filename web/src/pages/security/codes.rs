//! One's own one-time codes and recovery codes: setting up, taking away, new ones. I/O: HTTP, state.

use ::auth::recovery;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use http::request::Parts;
use kernel::trail::Actor;
use serde::Deserialize;
use state::User;

use super::password::is_own;
use super::{HERE, Once, show};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::enter::deed;
use crate::auth::policy::Policy;
use crate::auth::throttle::Try;
use crate::auth::{ceremony, proof};
use crate::limits;
use crate::pages::form::Form;
use crate::pages::login::code;
use crate::pages::settings::{administers, person};
use crate::pages::visit::Visit;
use crate::pages::{Answer, done};
use crate::text::text;

async fn me(app: &App, visit: &Visit) -> Result<User, Failure> {
    let (_, id, _) = person(visit)?;
    app.db(move |s| s.user(id)).await?.ok_or_else(Failure::unauthorized)
}

/// `POST /settings/security/codes/begin`
pub(crate) async fn begin(State(app): State<App>, visit: Visit) -> Answer {
    if let Some(first) = proof::require(&app, &visit, HERE).await? {
        return Ok(first);
    }
    let user = me(&app, &visit).await?;
    let sealed = code::fresh_secret(&app, user.id);
    let offer = code::offer(&app, &visit, &user, &sealed);
    let cookie = ceremony::begin(&app, ceremony::TOTP, Some(user.id), sealed).await?;
    let mut answer = show(&app, &visit, Once { offer, ..Once::default() }).await?;
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// The code that shows that the app has taken the secret.
#[derive(Deserialize)]
pub(crate) struct First {
    code: String,
}

/// `POST /settings/security/codes`
pub(crate) async fn confirm(State(app): State<App>, visit: Visit, parts: Parts, Form(form): Form<First>) -> Answer {
    let user = me(&app, &visit).await?;
    let begun = ceremony::look(&app, &parts, ceremony::TOTP).await?.filter(|c| c.user_id == Some(user.id));
    let begun = begun.ok_or_else(|| Failure::stale(http::StatusCode::GONE))?;
    let Some(step) = code::take_first(&app, &user, &begun.data, &form.code) else {
        let hash = begun.token_hash.clone();
        app.db(move |s| s.note_try(&hash, limits::CODE_TRIES)).await?;
        let offer = code::offer(&app, &visit, &user, &begun.data);
        let error = text(visit.language).login.code_wrong.to_owned();
        return show(&app, &visit, Once { offer, error, ..Once::default() }).await;
    };
    ceremony::take_or_fail(&app, &parts, ceremony::TOTP).await?;
    let codes = code::enrol(&app, &parts, &user, begun.data, step).await?;
    let mut answer = show(&app, &visit, Once { codes, ..Once::default() }).await?;
    answer.headers_mut().append(header::SET_COOKIE, ceremony::set_cookie(&app, ""));
    Ok(answer.into_response())
}

/// The password, asked for again; empty for accounts that have none.
#[derive(Deserialize)]
pub(crate) struct Again {
    #[serde(default)]
    password: String,
}

/// Whether the visitor has just proved who they are: by the password, or where there is none by another proof.
async fn proven(app: &App, visit: &Visit, parts: &Parts, given: String) -> Result<bool, Failure> {
    let (me, _, _) = person(visit)?;
    let name = me.name.clone();
    let hash = app.db(move |s| s.credentials(&name)).await?.map(|(_, hash)| hash);
    match hash.as_deref() {
        None | Some(crate::auth::password::UNUSABLE) => Ok(proof::is_fresh(app, &proof::session_of(app, visit).await?)),
        Some(_) => is_own(app, visit, parts, given).await,
    }
}

/// `POST /settings/security/codes/remove`
pub(crate) async fn remove(State(app): State<App>, visit: Visit, parts: Parts, Form(form): Form<Again>) -> Answer {
    let (user, t) = (me(&app, &visit).await?, &text(visit.language).login);
    if !proven(&app, &visit, &parts, form.password).await? {
        return show(&app, &visit, Once::error(t.password_wrong)).await;
    }
    let (identity, _, _) = person(&visit)?;
    if app.db(Policy::read).await?.second_factor.asks(administers(&identity)) {
        return show(&app, &visit, Once::error(t.second_needed)).await;
    }
    let deed = deed(&app, &parts, Actor::person(&user.name), "login.codes.end").on("user", &user.name);
    app.db(move |s| s.remove_totp(user.id, &deed)).await?;
    Ok(done(HERE, "saved"))
}

/// `POST /settings/security/recovery`
pub(crate) async fn renew(State(app): State<App>, visit: Visit, parts: Parts, Form(form): Form<Again>) -> Answer {
    let user = me(&app, &visit).await?;
    if !proven(&app, &visit, &parts, form.password).await? {
        return show(&app, &visit, Once::error(text(visit.language).login.password_wrong)).await;
    }
    let id = user.id;
    if app.db(move |s| s.totp(id)).await?.is_none() {
        return Err(Failure::invalid(text(visit.language).login.recovery_needs_codes));
    }
    let codes = recovery::fresh();
    let hashes: Vec<String> = codes.iter().filter_map(|c| recovery::hash(user.id, c)).collect();
    let deed = deed(&app, &parts, Actor::person(&user.name), "login.recovery.renew").on("user", &user.name);
    app.db(move |s| s.replace_recovery_codes(user.id, &hashes, &deed)).await?;
    Try::of(&app, &parts, &user.name).succeeded(&app).await?;
    show(&app, &visit, Once { codes, ..Once::default() }).await
}
