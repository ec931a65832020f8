//! Changing one's own password: it ends every other session. I/O: HTTP, state.

use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use http::request::Parts;
use kernel::trail::Actor;
use serde::Deserialize;

use super::{HERE, Once, show};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::enter::{self, deed, refused};
use crate::auth::throttle::Try;
use crate::auth::{password, session};
use crate::pages::entry::complaint;
use crate::pages::form::Form;
use crate::pages::settings::person;
use crate::pages::visit::Visit;
use crate::pages::{Answer, done};
use crate::text::text;

/// Whether a password is the visitor's; a wrong one counts as a failed log-in.
pub(crate) async fn is_own(app: &App, visit: &Visit, parts: &Parts, given: String) -> Result<bool, Failure> {
    let (me, _, _) = person(visit)?;
    let tried = Try::of(app, parts, &me.name);
    if !tried.wait(app).await?.is_zero() {
        return Err(Failure::busy());
    }
    let name = me.name.clone();
    let stored = app.db(move |s| s.credentials(&name)).await?.map(|(_, hash)| hash);
    let right = password::verify(app, given, stored).await?;
    if !right {
        refused(app, parts, &tried, &me.name, "wrong password, asked for again").await?;
    }
    Ok(right)
}

/// The fields of a change of password.
#[derive(Deserialize)]
pub(crate) struct Change {
    current: String,
    password: String,
    again: String,
}

/// `POST /settings/password`
pub(crate) async fn change(State(app): State<App>, visit: Visit, parts: Parts, Form(form): Form<Change>) -> Answer {
    let (me, id, own) = person(&visit)?;
    if !is_own(&app, &visit, &parts, form.current).await? {
        return show(&app, &visit, Once::error(text(visit.language).login.password_wrong)).await;
    }
    if let Some(error) = complaint(visit.language, &form.password, &form.again, &me.name) {
        return show(&app, &visit, Once::error(error)).await;
    }
    let hash = password::hash(&app, form.password).await?;
    let changed = deed(&app, &parts, Actor::person(&me.name), "password.change").on("user", &me.name);
    let changed = changed.changed_in_secret("password");
    let now = app.clock.now();
    let method = app.db(move |s| {
        let method = s.session(&own, now)?.map(|(session, _)| session.method).unwrap_or_default();
        s.change_password(id, &hash, &changed)?;
        Ok(method)
    });
    let method = method.await?;
    // This browser goes on, under a new session with the proof that was just given.
    let begun = deed(&app, &parts, Actor::person(&me.name), "session.begin").on("user", &me.name);
    let method = enter::Method::of(&method);
    let secret = session::begin(&app, id, session::client(&parts), &method, begun.set("method", method.word())).await?;
    let mut answer = done(HERE, "password").into_response();
    answer.headers_mut().append(header::SET_COOKIE, session::set_cookie(&app, &secret));
    Ok(answer)
}
