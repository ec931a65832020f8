//! Ending one's own sessions: one, or all others. I/O: HTTP, state.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use kernel::trail::Actor;
use serde::Deserialize;

use super::HERE;
use crate::answer::Failure;
use crate::app::App;
use crate::auth::enter::deed;
use crate::pages::done;
use crate::pages::form::Form;
use crate::pages::settings::person;
use crate::pages::visit::Visit;

/// Names one session.
#[derive(Deserialize)]
pub(crate) struct OneSession {
    session: String,
}

/// `POST /settings/sessions/end`
pub(crate) async fn end(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Form(form): Form<OneSession>,
) -> Result<Response, Failure> {
    let (me, id, _) = person(&visit)?;
    let (now, deed) =
        (app.clock.now(), deed(&app, &parts, Actor::person(&me.name), "session.end").on("user", &me.name));
    app.db(move |s| {
        // Only one's own: the hash alone must not end a stranger's session.
        let own = s.sessions(id, now)?.iter().any(|x| x.token_hash == form.session);
        if own { s.end_session_by(&form.session, &deed) } else { Ok(false) }
    })
    .await?;
    Ok(done(HERE, "ended"))
}

/// `POST /settings/sessions/end-others`
pub(crate) async fn end_others(State(app): State<App>, visit: Visit, parts: Parts) -> Result<Response, Failure> {
    let (me, id, own) = person(&visit)?;
    let deed = deed(&app, &parts, Actor::person(&me.name), "session.end").on("user", &me.name).saying("all others");
    app.db(move |s| s.end_other_sessions(id, &own, &deed)).await?;
    Ok(done(HERE, "ended"))
}
