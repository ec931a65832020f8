//! Proving again who one is, before something grave: by password, code, passkey or provider. I/O: HTTP, state.

use ::auth::webauthn::AssertionAnswer;
use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::form::Form;
use super::frame::{Frame, Nav};
use super::login::{code, passkey};
use super::settings::person;
use super::visit::Visit;
use super::{Answer, local, page};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::enter::refused;
use crate::auth::throttle::Try;
use crate::auth::{ceremony, password, proof};
use crate::text::text;

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    f: Frame,
    name: String,
    next: String,
    has_password: bool,
    has_codes: bool,
    has_passkeys: bool,
    providers: Vec<(String, String)>,
    error: String,
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

async fn show(app: &App, visit: &Visit, next: &str, error: String) -> Answer {
    let (me, id, _) = person(visit)?;
    let name = me.name.clone();
    let stored = app.db(move |s| Ok((s.credentials(&name)?, s.totp(id)?, s.passkeys(id)?, s.identities(id)?)));
    let (user, totp, passkeys, linked) = stored.await?;
    let has_password = user.is_some_and(|(_, hash)| hash != password::UNUSABLE);
    let providers = app.login.providers.iter().filter(|p| linked.iter().any(|l| l.issuer == p.settings().issuer));
    let f = Frame::new(app, visit, Nav::None, text(visit.language).login.confirm).bare();
    Ok(page(&ConfirmPage {
        f,
        name: me.name,
        next: local(next).to_owned(),
        has_password,
        // With a password, the code comes with it; without one the code stands alone.
        has_codes: totp.is_some(),
        has_passkeys: !passkeys.is_empty() && app.login.site.is_some(),
        providers: providers.map(|p| (p.name().to_owned(), p.settings().label.clone())).collect(),
        error,
    }))
}

/// `GET /confirm`
pub(crate) async fn confirm(State(app): State<App>, visit: Visit, Query(next): Query<Next>) -> Answer {
    show(&app, &visit, &next.next, String::new()).await
}

/// The fields of the form: the password, and the code where the account has codes.
#[derive(Deserialize)]
pub(crate) struct Given {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `POST /confirm`
pub(crate) async fn prove(State(app): State<App>, visit: Visit, parts: Parts, Form(form): Form<Given>) -> Answer {
    let (me, id, _) = person(&visit)?;
    let tried = Try::of(&app, &parts, &me.name);
    if !tried.wait(&app).await?.is_zero() {
        return Err(Failure::busy());
    }
    let name = me.name.clone();
    let stored = app.db(move |s| Ok((s.credentials(&name)?, s.totp(id)?.is_some()))).await?;
    let (Some((user, hash)), has_codes) = stored else { return Err(Failure::unauthorized()) };
    let has_password = hash != password::UNUSABLE;
    // Everything that the account has is asked for: half a proof is none.
    let mut right = has_password || has_codes;
    if has_password {
        right &= password::verify(&app, form.password, Some(hash)).await?;
    }
    if has_codes && right {
        right = code::take(&app, &parts, &user, &form.code).await?.is_some();
    }
    if !right {
        refused(&app, &parts, &tried, &me.name, "a proof that was asked for again was wrong").await?;
        let mut answer = show(&app, &visit, &form.next, text(visit.language).login.proof_wrong.to_owned()).await?;
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(answer);
    }
    proof::renew(&app, &visit, &parts, local(&form.next)).await
}

/// `POST /confirm/passkey/begin`
pub(crate) async fn begin_passkey(State(app): State<App>, visit: Visit) -> Answer {
    let (_, id, _) = person(&visit)?;
    let own = app.db(move |s| s.passkeys(id)).await?;
    let ids: Vec<String> = own.into_iter().map(|k| k.credential_id).collect();
    if ids.is_empty() {
        return Err(Failure::invalid("this account has no passkey"));
    }
    passkey::ask(&app, &visit, ceremony::PROVE, Some(id), &ids).await
}

/// What the page's script sends.
#[derive(Deserialize)]
pub(crate) struct Answered {
    #[serde(flatten)]
    answer: AssertionAnswer,
    #[serde(default)]
    next: String,
}

/// `POST /confirm/passkey`
pub(crate) async fn prove_by_passkey(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Json(given): Json<Answered>,
) -> Result<Response, Failure> {
    let (me, id, _) = person(&visit)?;
    let begun = ceremony::take_own(&app, &parts, ceremony::PROVE, id).await?;
    if let Err(why) = passkey::believe(&app, &visit, &begun.data, &given.answer, Some(id)).await? {
        refused(&app, &parts, &Try::of(&app, &parts, &me.name), &me.name, &why).await?;
        return Err(Failure::invalid(format!("{} {why}.", text(visit.language).login.passkey_refused)));
    }
    let to = local(&given.next).to_owned();
    let renewed = proof::renew(&app, &visit, &parts, &to).await?;
    let mut answer = Json(json!({ "to": to })).into_response();
    for value in renewed.headers().get_all(header::SET_COOKIE) {
        answer.headers_mut().append(header::SET_COOKIE, value.clone());
    }
    Ok(answer)
}
