//! One's own passkeys: adding, taking away; and the links to accounts at providers. I/O: HTTP, state.

use ::auth::from_base64;
use ::auth::webauthn::{self, RegistrationAnswer, verify_registration};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use http::request::Parts;
use kernel::trail::Actor;
use serde::Deserialize;
use serde_json::json;
use state::{NewPasskey, StateError};

use super::HERE;
use crate::answer::Failure;
use crate::app::App;
use crate::auth::enter::deed;
use crate::auth::{ceremony, proof};
use crate::limits;
use crate::pages::form::Form;
use crate::pages::login::passkey::site;
use crate::pages::settings::person;
use crate::pages::visit::Visit;
use crate::pages::{Answer, done};
use crate::text::text;

/// `POST /settings/security/passkeys/begin`
pub(crate) async fn begin(State(app): State<App>, visit: Visit) -> Answer {
    let (me, id, _) = person(&visit)?;
    let site = site(&app, &visit)?;
    if proof::require(&app, &visit, HERE).await?.is_some() {
        // The page's script goes there itself.
        return Ok(Json(json!({ "to": format!("/confirm?next={HERE}") })).into_response());
    }
    let fresh = webauthn::handle();
    let (known, handle) = app.db(move |s| Ok((s.passkeys(id)?, s.passkey_handle(id, &fresh)?))).await?;
    if known.len() >= limits::PASSKEYS {
        return Err(Failure::refused(text(visit.language).login.passkeys_many));
    }
    let (handle, challenge) = (handle.ok_or_else(Failure::unauthorized)?, webauthn::challenge());
    let ids: Vec<String> = known.into_iter().map(|k| k.credential_id).collect();
    let cookie = ceremony::begin(&app, ceremony::REGISTER, Some(id), ::auth::to_base64(&challenge)).await?;
    let mut answer = Json(webauthn::creation_options(site, &challenge, &handle, &me.name, &ids)).into_response();
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// What the page's script sends.
#[derive(Deserialize)]
pub(crate) struct Answered {
    #[serde(flatten)]
    answer: RegistrationAnswer,
    #[serde(default)]
    name: String,
}

/// `POST /settings/security/passkeys`
pub(crate) async fn finish(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Json(given): Json<Answered>,
) -> Result<Response, Failure> {
    let (me, id, _) = person(&visit)?;
    let t = &text(visit.language).login;
    let begun = ceremony::take_own(&app, &parts, ceremony::REGISTER, id).await?;
    let challenge = from_base64(&begun.data).unwrap_or_default();
    let registered = verify_registration(site(&app, &visit)?, &challenge, &given.answer);
    let registered = registered.map_err(|e| Failure::invalid(format!("{} {e}.", t.passkey_refused)))?;
    let name: String = given.name.trim().chars().filter(|c| !c.is_control()).take(limits::NAME_LONGEST).collect();
    let name = if name.is_empty() { t.passkey_unnamed.to_owned() } else { name };
    let deed = deed(&app, &parts, Actor::person(&me.name), "login.passkey.add").on("user", &me.name);
    let (deed, now) = (deed.set("passkey", &name), app.clock.now());
    let new = NewPasskey {
        user_id: id,
        credential_id: registered.id,
        public_key: registered.public_key,
        uses: registered.count,
        name,
        backed_up: registered.backed_up,
    };
    let stored = app.db(move |s| match s.add_passkey(&new, now, &deed) {
        Ok(()) => Ok(true),
        Err(StateError::Taken { .. }) => Ok(false),
        Err(error) => Err(error),
    });
    if !stored.await? {
        return Err(Failure::refused(t.passkey_known));
    }
    Ok(Json(json!({ "to": format!("{HERE}?done=saved") })).into_response())
}

/// `POST /settings/security/passkeys/{id}/remove`
pub(crate) async fn remove(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Path(passkey): Path<i64>,
) -> Result<Response, Failure> {
    let (me, id, _) = person(&visit)?;
    if let Some(first) = proof::require(&app, &visit, HERE).await? {
        return Ok(first);
    }
    let known = app.db(move |s| s.passkeys(id)).await?.into_iter().find(|k| k.id == passkey);
    let known = known.ok_or_else(|| Failure::not_found(passkey.to_string()))?;
    let deed = deed(&app, &parts, Actor::person(&me.name), "login.passkey.remove").on("user", &me.name);
    let deed = deed.changed("passkey", Some(&known.name), None);
    app.db(move |s| s.remove_passkey(id, passkey, &deed)).await?;
    Ok(done(HERE, "saved"))
}

/// Names one linked account.
#[derive(Deserialize)]
pub(crate) struct Unlinked {
    issuer: String,
    subject: String,
}

/// `POST /settings/security/unlink`
pub(crate) async fn unlink(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Form(form): Form<Unlinked>,
) -> Result<Response, Failure> {
    let (me, id, _) = person(&visit)?;
    if let Some(first) = proof::require(&app, &visit, HERE).await? {
        return Ok(first);
    }
    let deed = deed(&app, &parts, Actor::person(&me.name), "login.provider.unlink").on("user", &me.name);
    let deed = deed.changed("provider", Some(&form.issuer), None);
    app.db(move |s| s.unlink_identity(id, &form.issuer, &form.subject, &deed)).await?;
    Ok(done(HERE, "saved"))
}
