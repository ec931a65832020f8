//! Proving again who one is before something grave: the last proof may not be older than ten minutes. I/O: state.

use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use http::request::Parts;
use state::Session;

use super::guard::encode;
use super::{session, throttle};
use crate::answer::Failure;
use crate::app::App;
use crate::limits;
use crate::pages::settings::person;
use crate::pages::visit::Visit;

/// The session behind a visit.
pub(crate) async fn session_of(app: &App, visit: &Visit) -> Result<Session, Failure> {
    let (_, _, hash) = person(visit)?;
    let now = app.clock.now();
    let found = app.db(move |s| s.session(&hash, now)).await?;
    found.map(|(session, _)| session).ok_or_else(Failure::unauthorized)
}

/// Whether a session's person has proved lately who they are.
pub(crate) fn is_fresh(app: &App, session: &Session) -> bool {
    app.clock.now().since(session.proved_at) <= limits::PROOF_LIFE
}

/// Lets a grave change pass, or leads to the page that asks for a proof and comes back to `page`.
pub(crate) async fn require(app: &App, visit: &Visit, page: &str) -> Result<Option<Response>, Failure> {
    let session = session_of(app, visit).await?;
    Ok((!is_fresh(app, &session)).then(|| Redirect::to(&format!("/confirm?next={}", encode(page))).into_response()))
}

/// Gives a session that has just been proved a new secret, and the browser with it.
pub(crate) async fn renew(app: &App, visit: &Visit, parts: &Parts, to: &str) -> Result<Response, Failure> {
    let old = session_of(app, visit).await?;
    let (secret, hash, now) = session::fresh_secret(app);
    let renewed = Session { token_hash: hash, last_seen_at: now, proved_at: now, ..old.clone() };
    let done = app.db(move |s| s.rotate_session(&old.token_hash, &renewed)).await?;
    if !done {
        return Err(Failure::unauthorized());
    }
    throttle::Try::of(app, parts, &visit.by()).succeeded(app).await?;
    let mut answer = Redirect::to(to).into_response();
    answer.headers_mut().append(header::SET_COOKIE, session::set_cookie(app, &secret));
    Ok(answer)
}
