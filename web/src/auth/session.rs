//! Sessions: a random secret in a cookie, its hash in the database, an end. I/O: state.

use http::HeaderValue;
use http::request::Parts;
use kernel::Timestamp;
use state::Session;

use super::{Identity, Proof, rights, secret};
use crate::answer::Failure;
use crate::app::{App, PeerAddress};
use crate::limits;
use crate::pages::visit::cookie;
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

/// Begins a session and returns its secret.
pub(crate) async fn begin(app: &App, user_id: i64, client: String) -> Result<String, Failure> {
    let secret = secret::fresh();
    let now = app.clock.now();
    let session = Session {
        token_hash: secret::hash(&secret),
        user_id,
        created_at: now,
        last_seen_at: now,
        idle_ends_at: now + limits::SESSION_IDLE,
        ends_at: now + limits::SESSION_LIFE,
        client,
    };
    app.db(move |s| s.create_session(&session)).await?;
    Ok(secret)
}

/// Who the session's cookie belongs to.
pub(crate) async fn identify(app: &App, parts: &Parts) -> Result<Option<Identity>, Failure> {
    let Some(secret) = cookie(parts, cookie_name(app.config.tls)).filter(|s| !s.is_empty() && s.len() < 100) else {
        return Ok(None);
    };
    let (token_hash, csrf, now) = (secret::hash(&secret), secret::csrf(&secret), app.clock.now());
    let (epoch, plans) = (app.gates.known.epoch(), app.live.plans_counted());
    if let Some(known) = app.gates.known.get(&token_hash, plans, now) {
        return Ok(Some(known));
    }
    let (wanted, live) = (token_hash.clone(), app.live.clone());
    let found = app.db(move |s| {
        let Some((session, user)) = s.session(&wanted, now)? else { return Ok(None) };
        s.touch_session(&session, now, idle_end(&session, now))?;
        let access = rights::of_account(s, &live, &user)?;
        Ok(Some((user, access)))
    });
    let Some((user, access)) = found.await? else { return Ok(None) };
    let proof = Proof::Session { token_hash: token_hash.clone(), csrf };
    let identity = Identity { user_id: Some(user.id), name: user.name, access, language: Some(user.language), proof };
    app.gates.known.put(token_hash, identity.clone(), (epoch, plans), now);
    Ok(Some(identity))
}

fn idle_end(session: &Session, now: Timestamp) -> Timestamp {
    (now + limits::SESSION_IDLE).min(session.ends_at)
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
