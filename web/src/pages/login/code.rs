//! The second step after a password: a one-time code or a recovery code; or setting codes up, where the installation asks for
//! them. I/O: HTTP, state.

use ::auth::totp::TotpSecret;
use ::auth::{qr, recovery};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::request::Parts;
use kernel::trail::Actor;
use serde::Deserialize;
use state::{Ceremony, Totp, User};

use super::{Step, too_many, wait_words};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::ceremony;
use crate::auth::enter::{self, Method, deed, refused};
use crate::auth::throttle::Try;
use crate::limits;
use crate::pages::form::Form;
use crate::pages::frame::{Frame, Nav};
use crate::pages::visit::Visit;
use crate::pages::{Answer, local, page};
use crate::text::text;

/// What an app is given: drawing and text. Shown while codes are being set up.
pub(crate) struct Offer {
    /// The QR code as an SVG; safe HTML.
    pub(crate) drawing: String,
    /// The same for typing.
    pub(crate) typing: String,
}

#[derive(Template)]
#[template(path = "code.html")]
struct CodePage {
    f: Frame,
    offer: Option<Offer>,
    error: String,
}

#[derive(Template)]
#[template(path = "codes.html")]
struct CodesPage {
    f: Frame,
    codes: Vec<String>,
    next: String,
}

/// A fresh secret for an account, sealed.
pub(crate) fn fresh_secret(app: &App, user_id: i64) -> String {
    app.login.sealer.seal(&purpose(user_id), TotpSecret::fresh().as_bytes())
}

/// What a sealed secret is sealed for: nobody can put one account's secret in another's place.
fn purpose(user_id: i64) -> String {
    format!("totp {user_id}")
}

/// A secret, opened. It cannot be when the key beside the database was lost.
pub(crate) fn open_secret(app: &App, user_id: i64, sealed: &str) -> Option<TotpSecret> {
    app.login.sealer.open(&purpose(user_id), sealed).and_then(|bytes| TotpSecret::from_bytes(&bytes))
}

/// What an app is given of a secret.
pub(crate) fn offer(app: &App, visit: &Visit, user: &User, sealed: &str) -> Option<Offer> {
    let secret = open_secret(app, user.id, sealed)?;
    let host = app.config.base_url.split("://").nth(1).unwrap_or_default();
    let uri = secret.uri(&format!("Farero {host}"), &user.name);
    Some(Offer { drawing: qr::svg(&uri, text(visit.language).login.qr)?, typing: secret.for_typing() })
}

/// Stores codes that were just proved to work, with fresh recovery codes; returns those.
pub(crate) async fn enrol(
    app: &App,
    parts: &Parts,
    user: &User,
    sealed: String,
    step: u64,
) -> Result<Vec<String>, Failure> {
    let codes = recovery::fresh();
    let hashes: Vec<String> = codes.iter().filter_map(|c| recovery::hash(user.id, c)).collect();
    let deed = deed(app, parts, Actor::person(&user.name), "login.codes.begin").on("user", &user.name);
    let (id, totp) = (user.id, Totp { sealed, made_at: app.clock.now(), last_step: step });
    app.db(move |s| s.enrol_totp(id, &totp, &hashes, &deed)).await?;
    Ok(codes)
}

/// The page that shows recovery codes, this once.
pub(crate) fn codes_page(app: &App, visit: &Visit, codes: Vec<String>, next: &str) -> Response {
    let f = Frame::new(app, visit, Nav::None, text(visit.language).login.recovery_title).bare();
    page(&CodesPage { f, codes, next: next.to_owned() })
}

/// What this browser has begun: the ceremony, its account, and whether codes are being set up.
async fn begun(app: &App, parts: &Parts) -> Result<Option<(Ceremony, User, bool)>, Failure> {
    for (purpose, enrols) in [(ceremony::CODE, false), (ceremony::ENROL, true)] {
        let Some(found) = ceremony::look(app, parts, purpose).await? else { continue };
        let Some(id) = found.user_id else { continue };
        if let Some(user) = app.db(move |s| s.user(id)).await?.filter(|u| !u.disabled) {
            return Ok(Some((found, user, enrols)));
        }
    }
    Ok(None)
}

fn show(app: &App, visit: &Visit, offer: Option<Offer>, error: String) -> Response {
    let t = &text(visit.language).login;
    let title = if offer.is_some() { t.totp_set_up } else { t.code_title };
    let f = Frame::new(app, visit, Nav::None, title).bare();
    page(&CodePage { f, offer, error })
}

/// `GET /login/code`
pub(crate) async fn code(State(app): State<App>, visit: Visit, parts: Parts) -> Answer {
    let Some((found, user, enrols)) = begun(&app, &parts).await? else {
        return Err(Failure::stale(StatusCode::GONE));
    };
    let offer = if enrols { offer(&app, &visit, &user, &Step::of(&found.data).secret) } else { None };
    Ok(show(&app, &visit, offer, String::new()))
}

/// The field of the second step: a one-time code, or a recovery code.
#[derive(Deserialize)]
pub(crate) struct Given {
    code: String,
}

/// `POST /login/code`
pub(crate) async fn give_code(State(app): State<App>, visit: Visit, parts: Parts, Form(form): Form<Given>) -> Answer {
    let Some((found, user, enrols)) = begun(&app, &parts).await? else {
        return Err(Failure::stale(StatusCode::GONE));
    };
    let (tried, step) = (Try::of(&app, &parts, &user.name), Step::of(&found.data));
    let again = |error: String| {
        let offer = if enrols { offer(&app, &visit, &user, &step.secret) } else { None };
        show(&app, &visit, offer, error)
    };
    let wait = tried.wait(&app).await?;
    if !wait.is_zero() {
        let seconds = wait.as_secs() + 1;
        return Ok(too_many(again(wait_words(&visit, seconds)), seconds));
    }
    let taken = match enrols {
        true => take_first(&app, &user, &step.secret, &form.code).map(|s| (Method::PasswordAndCode, Some(s))),
        false => take(&app, &parts, &user, &form.code).await?.map(|method| (method, None)),
    };
    let Some((method, first)) = taken else {
        refused(&app, &parts, &tried, &user.name, "wrong code").await?;
        let hash = found.token_hash.clone();
        if !app.db(move |s| s.note_try(&hash, limits::CODE_TRIES)).await? {
            return Ok(Redirect::to("/login").into_response());
        }
        let mut answer = again(text(visit.language).login.code_wrong.to_owned());
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(answer);
    };
    // The step is over for everybody else who has it, too.
    ceremony::take_or_fail(&app, &parts, if enrols { ceremony::ENROL } else { ceremony::CODE }).await?;
    tried.succeeded(&app).await?;
    let next = local(&step.next).to_owned();
    match first {
        None => enter::enter(&app, &visit, &parts, &user, &method, &next).await,
        Some(taken) => {
            let codes = enrol(&app, &parts, &user, step.secret, taken).await?;
            let mut answer = codes_page(&app, &visit, codes, &next);
            enter::open(&app, &visit, &parts, &user, &method, &mut answer).await?;
            Ok(answer)
        }
    }
}

/// The step of a first code, while codes are being set up.
pub(crate) fn take_first(app: &App, user: &User, sealed: &str, code: &str) -> Option<u64> {
    open_secret(app, user.id, sealed)?.check(code, app.clock.now(), None)
}

/// Takes a one-time code or a recovery code of an account; `None` when it is neither, or was taken already.
pub(crate) async fn take(app: &App, parts: &Parts, user: &User, given: &str) -> Result<Option<Method>, Failure> {
    let (id, now) = (user.id, app.clock.now());
    let Some(totp) = app.db(move |s| s.totp(id)).await? else { return Ok(None) };
    let secret = open_secret(app, id, &totp.sealed);
    if secret.is_none() {
        tracing::error!(account = %user.name, "the secret of one-time codes cannot be opened: the key file beside the database is another one; recovery codes still work");
    }
    if let Some(step) = secret.and_then(|s| s.check(given, now, Some(totp.last_step))) {
        return Ok(app.db(move |s| s.take_totp_step(id, step)).await?.then_some(Method::PasswordAndCode));
    }
    let Some(hash) = recovery::hash(id, given) else { return Ok(None) };
    let deed = deed(app, parts, Actor::person(&user.name), "login.recovery.use").on("user", &user.name);
    let used = app.db(move |s| s.use_recovery_code(id, &hash, now, &deed)).await?;
    Ok(used.then_some(Method::PasswordAndRecoveryCode))
}
