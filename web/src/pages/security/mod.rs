//! One's own log-in: password, one-time codes, passkeys, accounts at providers, sessions. I/O: HTTP, state.

pub(crate) mod codes;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod sessions;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use state::{Identity as Linked, Passkey, Session};

use super::frame::{Frame, Nav};
use super::login::code::Offer;
use super::settings::{administers, person};
use super::visit::Visit;
use super::{Answer, page};
use crate::app::App;
use crate::auth::policy::Policy;
use crate::auth::proof;
use crate::text::text;

/// The page's address; what leads back to it after a proof.
pub(crate) const HERE: &str = "/settings/security";

/// What is shown this once beside what is stored.
#[derive(Default)]
pub(crate) struct Once {
    /// Codes being set up.
    pub(crate) offer: Option<Offer>,
    /// Fresh recovery codes.
    pub(crate) codes: Vec<String>,
    /// What went wrong.
    pub(crate) error: String,
}

impl Once {
    pub(crate) fn error(words: &str) -> Self {
        Self { error: words.to_owned(), ..Self::default() }
    }
}

/// A provider's button: its name in addresses and its label.
struct Door {
    name: String,
    label: String,
}

#[derive(Template)]
#[template(path = "security.html")]
struct SecurityPage {
    f: Frame,
    name: String,
    has_password: bool,
    totp: bool,
    recovery_left: usize,
    needs_second: bool,
    passkeys: Vec<Passkey>,
    passkeys_possible: bool,
    linked: Vec<Linked>,
    doors: Vec<Door>,
    sessions: Vec<Session>,
    own_session: String,
    fresh: bool,
    once: Once,
}

impl SecurityPage {
    /// How a session's person proved who they are, in words.
    fn method(&self, session: &Session) -> String {
        method_words(&self.f, &session.method)
    }
}

/// How a session's person proved who they are, in words.
pub(crate) fn method_words(f: &Frame, method: &str) -> String {
    let t = &f.t.login;
    match method {
        "password" => t.by_password.to_owned(),
        "password+code" => t.by_code.to_owned(),
        "password+recovery" => t.by_recovery.to_owned(),
        "passkey" => t.by_passkey.to_owned(),
        "link" => t.by_link.to_owned(),
        "seal" => t.by_seal.to_owned(),
        other => {
            other.strip_prefix("provider:").map_or_else(|| other.to_owned(), |name| format!("{} {name}", t.by_provider))
        }
    }
}

/// The page, with what was just made on it.
pub(crate) async fn show(app: &App, visit: &Visit, once: Once) -> Answer {
    let (me, id, own_session) = person(visit)?;
    let fresh = proof::is_fresh(app, &proof::session_of(app, visit).await?);
    let (now, name) = (app.clock.now(), me.name.clone());
    let stored = app.db(move |s| {
        let user = s.credentials(&name)?;
        let kept = (s.totp(id)?.is_some(), s.recovery_codes_left(id)?, s.passkeys(id)?, s.identities(id)?);
        Ok((user, kept, s.sessions(id, now)?, Policy::read(s)?))
    });
    let (user, (totp, recovery_left, passkeys, linked), sessions, policy) = stored.await?;
    let has_password = user.as_ref().is_some_and(|(_, hash)| hash != crate::auth::password::UNUSABLE);
    let administers = administers(&me);
    let mut f = Frame::new(app, visit, Nav::Settings, text(visit.language).login.security);
    f.here = HERE.to_owned();
    let failed = !once.error.is_empty();
    let doors = app.login.providers.iter();
    let mut answer = page(&SecurityPage {
        f,
        name: me.name,
        has_password,
        totp,
        recovery_left,
        needs_second: policy.second_factor.asks(administers),
        passkeys,
        passkeys_possible: app.login.site.is_some(),
        linked,
        doors: doors.map(|p| Door { name: p.name().to_owned(), label: p.settings().label.clone() }).collect(),
        sessions,
        own_session,
        fresh,
        once,
    });
    if failed {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

/// `GET /settings/security`
pub(crate) async fn security(State(app): State<App>, visit: Visit) -> Result<Response, crate::answer::Failure> {
    show(&app, &visit, Once::default()).await
}
