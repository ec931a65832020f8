//! The moment somebody is in: the session begins, the browser is marked, the trail is told. I/O: state.

use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use http::request::Parts;
use kernel::trail::{Actor, Deed};
use state::User;

use super::throttle::{self, Try};
use super::{Proof, ceremony, session};
use crate::answer::Failure;
use crate::app::App;
use crate::pages::visit::Visit;

/// How somebody proved who they are; the words stand with the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Password,
    PasswordAndCode,
    PasswordAndRecoveryCode,
    Passkey,
    Provider(String),
    Link,
    Seal,
}

impl Method {
    /// From the word with a session.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "password+code" => Self::PasswordAndCode,
            "password+recovery" => Self::PasswordAndRecoveryCode,
            "passkey" => Self::Passkey,
            "link" => Self::Link,
            "seal" => Self::Seal,
            other => other.strip_prefix("provider:").map_or(Self::Password, |name| Self::Provider(name.to_owned())),
        }
    }

    /// The word with the session.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Password => "password".to_owned(),
            Self::PasswordAndCode => "password+code".to_owned(),
            Self::PasswordAndRecoveryCode => "password+recovery".to_owned(),
            Self::Passkey => "passkey".to_owned(),
            Self::Provider(name) => format!("provider:{name}"),
            Self::Link => "link".to_owned(),
            Self::Seal => "seal".to_owned(),
        }
    }
}

/// A deed of somebody who is logging in, or tries to.
pub(crate) fn deed(app: &App, parts: &Parts, actor: Actor, action: &str) -> Deed {
    Deed::new(app.clock.now(), actor, action).from(session::address(parts))
}

/// Notes a try that failed, for the waits and for the trail.
pub(crate) async fn refused(app: &App, parts: &Parts, tried: &Try, account: &str, why: &str) -> Result<(), Failure> {
    tracing::warn!(%account, address = %session::address(parts), why, "a log-in failed");
    let deed = deed(app, parts, Actor::Nobody, "session.begin").on("user", account).refused(why);
    tried.failed(app).await?;
    app.refused(deed).await
}

/// Begins a session for somebody who proved who they are, and sends the browser on. A session that this browser had before ends,
/// so that nobody finds themselves in somebody else's.
pub(crate) async fn enter(
    app: &App,
    visit: &Visit,
    parts: &Parts,
    user: &User,
    method: &Method,
    to: &str,
) -> Result<Response, Failure> {
    let mut answer = Redirect::to(to).into_response();
    open(app, visit, parts, user, method, &mut answer).await?;
    Ok(answer)
}

/// As [`enter`], onto an answer that stands already.
pub(crate) async fn open(
    app: &App,
    visit: &Visit,
    parts: &Parts,
    user: &User,
    method: &Method,
    answer: &mut Response,
) -> Result<(), Failure> {
    if let Some(Proof::Session { token_hash, .. }) = visit.identity.as_ref().map(|i| i.proof.clone()) {
        app.db(move |s| s.end_session(&token_hash)).await?;
    }
    let deed = deed(app, parts, Actor::person(&user.name), "session.begin")
        .on("user", &user.name)
        .set("method", method.word());
    let secret = session::begin(app, user.id, session::client(parts), method, deed).await?;
    // The way back from a provider is a GET, after which nobody else forgets who was recognised.
    app.forget_identities();
    let headers = answer.headers_mut();
    headers.append(header::SET_COOKIE, session::set_cookie(app, &secret));
    headers.append(header::SET_COOKIE, ceremony::set_cookie(app, ""));
    headers.append(header::SET_COOKIE, throttle::device_cookie(app, &user.name, app.clock.now()));
    Ok(())
}
