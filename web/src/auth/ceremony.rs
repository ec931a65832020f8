//! What a browser began and must end: kept on the server, bound to the browser by a cookie, good once and for minutes. I/O: state.

use ::auth::credentials::secret_in_cookie;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use state::Ceremony;

use super::secret;
use crate::answer::Failure;
use crate::app::App;
use crate::limits;

/// The password was right; the code is still to come.
pub(crate) const CODE: &str = "code";
/// The password was right, and a second factor must be set up before anything else.
pub(crate) const ENROL: &str = "enrol";
/// A passkey is asked for, at the log-in.
pub(crate) const PASSKEY: &str = "passkey";
/// A passkey is asked for, of somebody who is logged in.
pub(crate) const PROVE: &str = "prove";
/// A passkey is being registered.
pub(crate) const REGISTER: &str = "register";
/// One-time codes are being set up.
pub(crate) const TOTP: &str = "totp";
/// The browser is at a provider.
pub(crate) const PROVIDER: &str = "provider";

/// The cookie. `Lax`, because the way back from a provider begins at another site.
const fn cookie_name(tls: bool) -> &'static str {
    if tls { "__Host-farero-step" } else { "farero_step" }
}

/// The header that sets the cookie; an empty secret takes it away.
pub(crate) fn set_cookie(app: &App, secret: &str) -> HeaderValue {
    let (name, secure) = (cookie_name(app.config.tls), if app.config.tls { "; Secure" } else { "" });
    let life = if secret.is_empty() { 0 } else { limits::CEREMONY_LIFE.as_secs() };
    let text = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Begins something; returns the header for the browser.
pub(crate) async fn begin(
    app: &App,
    purpose: &'static str,
    user_id: Option<i64>,
    data: String,
) -> Result<HeaderValue, Failure> {
    let (fresh, now) = (secret::fresh(), app.clock.now());
    let ceremony = Ceremony {
        token_hash: secret::hash(&fresh),
        purpose: purpose.to_owned(),
        user_id,
        data,
        tries: 0,
        expires_at: now + limits::CEREMONY_LIFE,
    };
    app.db(move |s| s.begin_ceremony(&ceremony, now)).await?;
    Ok(set_cookie(app, &fresh))
}

fn carried(app: &App, parts: &Parts) -> Option<String> {
    secret_in_cookie(&parts.headers, cookie_name(app.config.tls)).map(secret::hash)
}

/// What this browser began, left as it is.
pub(crate) async fn look(app: &App, parts: &Parts, purpose: &'static str) -> Result<Option<Ceremony>, Failure> {
    let Some(hash) = carried(app, parts) else { return Ok(None) };
    let now = app.clock.now();
    app.db(move |s| s.ceremony(&hash, purpose, now)).await
}

/// What this browser began, ended by this.
pub(crate) async fn take(app: &App, parts: &Parts, purpose: &'static str) -> Result<Option<Ceremony>, Failure> {
    let Some(hash) = carried(app, parts) else { return Ok(None) };
    let now = app.clock.now();
    app.db(move |s| s.take_ceremony(&hash, purpose, now)).await
}

/// As [`take`]; one that is gone is a failure that people understand.
pub(crate) async fn take_or_fail(app: &App, parts: &Parts, purpose: &'static str) -> Result<Ceremony, Failure> {
    take(app, parts, purpose).await?.ok_or_else(|| Failure::stale(StatusCode::GONE))
}

/// As [`take_or_fail`], of an account: what somebody else began in this browser is gone for it.
pub(crate) async fn take_own(
    app: &App,
    parts: &Parts,
    purpose: &'static str,
    user_id: i64,
) -> Result<Ceremony, Failure> {
    let begun = take_or_fail(app, parts, purpose).await?;
    if begun.user_id == Some(user_id) { Ok(begun) } else { Err(Failure::stale(StatusCode::GONE)) }
}
