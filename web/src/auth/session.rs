//! Sessions: a random secret in a cookie, its hash in the database, an end. I/O: state.

use ::auth::credentials::secret_in_cookie;
use http::HeaderValue;
use http::request::Parts;
use kernel::Timestamp;
use kernel::trail::Deed;
use state::Session;

use super::enter::Method;
use super::policy::Policy;
use super::{Identity, Proof, rights, secret};
use crate::answer::Failure;
use crate::app::{App, PeerAddress};
use crate::limits;
use crate::serve::LocalPeer;

/// Name of the cookie: with the prefix that binds it to this host and to TLS, where there is TLS.
pub(crate) const fn cookie_name(tls: bool) -> &'static str {
    if tls { "__Host-farero" } else { "farero_session" }
}

/// The header that sets the session's cookie; an empty secret takes it away.
pub(crate) fn set_cookie(app: &App, secret: &str) -> HeaderValue {
    let (name, secure) = (cookie_name(app.config.tls), if app.config.tls { "; Secure" } else { "" });
    let life = if secret.is_empty() { 0 } else { limits::SESSION_LIFE.as_secs() };
    let text = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// A fresh secret, its hash, and the time now.
pub(crate) fn fresh_secret(app: &App) -> (String, String, Timestamp) {
    let secret = secret::fresh();
    let hash = secret::hash(&secret);
    (secret, hash, app.clock.now())
}

/// Begins a session by a method, tells the trail of it, and returns its secret.
pub(crate) async fn begin(
    app: &App,
    user_id: i64,
    client: String,
    method: &Method,
    deed: Deed,
) -> Result<String, Failure> {
    let (secret, token_hash, now) = fresh_secret(app);
    let (method, sealed) = (method.word(), *method == Method::Seal);
    app.db(move |s| {
        let policy = Policy::read(s)?;
        let life = if sealed { policy.life().min(limits::SEALED_LIFE) } else { policy.life() };
        let session = Session {
            token_hash,
            user_id,
            created_at: now,
            last_seen_at: now,
            idle_ends_at: now + policy.idle().min(life),
            ends_at: now + life,
            client,
            proved_at: now,
            method,
        };
        s.begin_session(&session, &deed)
    })
    .await?;
    Ok(secret)
}

/// Who the session's cookie belongs to.
pub(crate) async fn identify(app: &App, parts: &Parts) -> Result<Option<Identity>, Failure> {
    let Some(secret) = secret_in_cookie(&parts.headers, cookie_name(app.config.tls)) else { return Ok(None) };
    let (token_hash, csrf, now) = (secret::hash(secret), secret::csrf(secret), app.clock.now());
    let (epoch, plans) = (app.gates.known.epoch(), app.live.plans_counted());
    if let Some(known) = app.gates.known.get(&token_hash, plans, now) {
        return Ok(Some(known));
    }
    let (wanted, live) = (token_hash.clone(), app.live.clone());
    let found = app.db(move |s| {
        let Some((session, user)) = s.session(&wanted, now)? else { return Ok(None) };
        // Noted once a minute: only then the policy matters.
        if now.as_millis() - session.last_seen_at.as_millis() >= state::TOUCH_EVERY_MS {
            let idle = Policy::read(s)?.idle();
            s.touch_session(&session, now, (now + idle).min(session.ends_at))?;
        }
        let access = rights::of_account(s, &live, &user)?;
        Ok(Some((user, access)))
    });
    let Some((user, access)) = found.await? else { return Ok(None) };
    let proof = Proof::Session { token_hash: token_hash.clone(), csrf };
    let identity = Identity { user_id: Some(user.id), name: user.name, access, language: Some(user.language), proof };
    app.gates.known.put(token_hash, identity.clone(), (epoch, plans), now);
    Ok(Some(identity))
}

/// Browser and address a session is begun from, for people to recognise it.
pub(crate) fn client(parts: &Parts) -> String {
    let agent = parts.headers.get(http::header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or("?");
    let short: String = agent.chars().filter(|c| !c.is_control()).take(120).collect();
    format!("{short} · {}", address(parts))
}

/// The caller's address.
pub(crate) fn address(parts: &Parts) -> String {
    if parts.extensions.get::<LocalPeer>().is_some() {
        return "unix socket".to_owned();
    }
    let connected = parts.extensions.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>().map(|c| c.0);
    let peer = parts.extensions.get::<PeerAddress>().map(|p| p.0).or(connected);
    peer.map_or_else(|| "?".to_owned(), |p| p.ip().to_string())
}
