//! The break-glass account: its sealed code opens once, and everybody hears of it. I/O: HTTP, state.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use kernel::trail::Actor;
use serde::Deserialize;

use super::{too_many, wait_words};
use crate::app::App;
use crate::auth::enter::{self, Method, deed, refused};
use crate::auth::throttle::Try;
use crate::auth::{secret, session};
use crate::control::Alarm;
use crate::limits;
use crate::pages::form::Form;
use crate::pages::frame::{Frame, Nav};
use crate::pages::visit::Visit;
use crate::pages::{Answer, page};
use crate::text::text;

/// Name of the account that the sealed code opens.
pub(crate) const ACCOUNT: &str = "break-glass";

#[derive(Template)]
#[template(path = "sealed.html")]
struct SealedPage {
    f: Frame,
    reason: String,
    error: String,
}

fn show(app: &App, visit: &Visit, reason: &str, error: String) -> Response {
    let f = Frame::new(app, visit, Nav::None, text(visit.language).login.seal_title).bare();
    page(&SealedPage { f, reason: reason.to_owned(), error })
}

/// `GET /login/sealed`
pub(crate) async fn sealed(State(app): State<App>, visit: Visit) -> Answer {
    Ok(show(&app, &visit, "", String::new()))
}

/// What is stored of a sealed code, however it was typed.
pub(crate) fn hash(code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    secret::hash(&format!("seal\n{}", plain.to_ascii_uppercase()))
}

/// The fields of the form.
#[derive(Deserialize)]
pub(crate) struct Opened {
    code: String,
    reason: String,
}

/// `POST /login/sealed`
pub(crate) async fn open(State(app): State<App>, visit: Visit, parts: Parts, Form(form): Form<Opened>) -> Answer {
    let t = &text(visit.language).login;
    let reason: String = form.reason.trim().chars().filter(|c| !c.is_control()).take(limits::NOTE_LONGEST).collect();
    let tried = Try::of(&app, &parts, ACCOUNT);
    let wait = tried.wait(&app).await?;
    if !wait.is_zero() {
        let seconds = wait.as_secs() + 1;
        return Ok(too_many(show(&app, &visit, &reason, wait_words(&visit, seconds)), seconds));
    }
    if reason.chars().count() < 5 {
        let mut answer = show(&app, &visit, &reason, t.seal_reason_needed.to_owned());
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(answer);
    }
    let (code_hash, address, now) = (hash(&form.code), session::address(&parts), app.clock.now());
    let alarms = app.control.alarms(&Alarm::SealBroken { from: address.clone(), reason: reason.clone() });
    let unheard = alarms.is_empty();
    let deed = deed(&app, &parts, Actor::person(ACCOUNT), "login.seal.break").on("user", ACCOUNT).saying(&reason);
    let why = reason.clone();
    let opened = app.db(move |s| {
        let account = s.sealed_account(&code_hash)?;
        Ok(match account {
            Some(id) if s.break_seal(&code_hash, &address, &why, now, &alarms, &deed)? => s.user(id)?,
            _ => None,
        })
    });
    let Some(user) = opened.await? else {
        refused(&app, &parts, &tried, ACCOUNT, "wrong sealed code").await?;
        let mut answer = show(&app, &visit, &reason, t.seal_wrong.to_owned());
        *answer.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(answer);
    };
    app.control.wake_deliveries();
    tracing::error!(address = %session::address(&parts), reason, unheard, "the seal of the break-glass account was broken");
    tried.succeeded(&app).await?;
    enter::enter(&app, &visit, &parts, &user, &Method::Seal, "/").await
}
