//! Log-in by passkey: what the browser is asked, and what it answers. I/O: HTTP, state.

use ::auth::from_base64;
use ::auth::webauthn::{self, AssertionAnswer, Site, verify_assertion};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use http::request::Parts;
use serde::Deserialize;
use serde_json::json;
use state::{Passkey, User};

use crate::answer::Failure;
use crate::app::App;
use crate::auth::ceremony;
use crate::auth::enter::{self, Method, refused};
use crate::auth::throttle::Try;
use crate::pages::visit::Visit;
use crate::pages::{Answer, local};
use crate::text::text;

/// The site of passkeys, or the reason why there are none.
pub(crate) fn site<'a>(app: &'a App, visit: &Visit) -> Result<&'a Site, Failure> {
    app.login.site.as_ref().ok_or_else(|| Failure::invalid(text(visit.language).login.passkeys_need_tls))
}

/// Asks the browser for a passkey: begins the ceremony and tells it what to ask for.
pub(crate) async fn ask(
    app: &App,
    visit: &Visit,
    purpose: &'static str,
    user_id: Option<i64>,
    allowed: &[String],
) -> Answer {
    let (site, challenge) = (site(app, visit)?, webauthn::challenge());
    let cookie = ceremony::begin(app, purpose, user_id, ::auth::to_base64(&challenge)).await?;
    let mut answer = Json(webauthn::request_options(site, &challenge, allowed)).into_response();
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// `POST /login/passkey/begin`
pub(crate) async fn begin(State(app): State<App>, visit: Visit, parts: Parts) -> Answer {
    let wait = Try::of_address(&parts).wait(&app).await?;
    if !wait.is_zero() {
        return Err(Failure::busy());
    }
    ask(&app, &visit, ceremony::PASSKEY, None, &[]).await
}

/// What the page's script sends.
#[derive(Deserialize)]
pub(crate) struct Answered {
    #[serde(flatten)]
    answer: AssertionAnswer,
    #[serde(default)]
    next: String,
}

/// `POST /login/passkey`
pub(crate) async fn finish(
    State(app): State<App>,
    visit: Visit,
    parts: Parts,
    Json(given): Json<Answered>,
) -> Result<Response, Failure> {
    let begun = ceremony::take_or_fail(&app, &parts, ceremony::PASSKEY).await?;
    match believe(&app, &visit, &begun.data, &given.answer, None).await? {
        Ok((user, _)) => {
            let mut answer = Json(json!({ "to": local(&given.next) })).into_response();
            enter::open(&app, &visit, &parts, &user, &Method::Passkey, &mut answer).await?;
            Ok(answer)
        }
        Err(why) => {
            refused(&app, &parts, &Try::of_address(&parts), "", &why).await?;
            Err(Failure::invalid(format!("{} {why}", text(visit.language).login.passkey_refused)))
        }
    }
}

/// Whose passkey answered, once the answer is believed and its use is stored; else why not. With `of`: only that account's.
pub(crate) async fn believe(
    app: &App,
    visit: &Visit,
    challenge: &str,
    answer: &AssertionAnswer,
    of: Option<i64>,
) -> Result<Result<(User, Passkey), String>, Failure> {
    let (site, wanted) = (site(app, visit)?, answer.id.trim_end_matches('=').to_owned());
    let Some((passkey, user, handle)) = app.db(move |s| s.passkey(&wanted)).await? else {
        return Ok(Err("the passkey is not known here".to_owned()));
    };
    let told = answer.user_handle.trim_end_matches('=');
    // A discoverable passkey names its account; one that was asked for by name may leave it out.
    if of.is_some_and(|id| id != user.id) || (told != handle && !(told.is_empty() && of.is_some())) {
        return Ok(Err("the passkey is somebody else's".to_owned()));
    }
    let challenge = from_base64(challenge).unwrap_or_default();
    let asserted = match verify_assertion(site, &challenge, &passkey.public_key, passkey.uses, answer) {
        Ok(asserted) => asserted,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let (id, before, now) = (passkey.id, passkey.uses, app.clock.now());
    let noted = app.db(move |s| s.use_passkey(id, before, asserted.count, asserted.backed_up, now)).await?;
    Ok(if noted { Ok((user, passkey)) } else { Err("the passkey was used twice at the same time".to_owned()) })
}
