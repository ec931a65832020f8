//! One's own account and API tokens. I/O: HTTP, state.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::Timestamp;
use kernel::access::{Kind, Object, Verb};
use serde::Deserialize;
use state::{ApiToken, NewToken, User};

use super::form::Form;
use super::frame::{Frame, Nav};
use super::visit::Visit;
use super::{Answer, done, page};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::{Identity, Proof, Role, proof, secret, token};
use crate::text::text;

/// Something just made that is shown this once.
#[derive(Default)]
pub(crate) struct Once {
    /// A new API token.
    pub(crate) token: Option<String>,
    /// The link for a new account.
    pub(crate) link: Option<String>,
    /// What went wrong.
    pub(crate) error: String,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    f: Frame,
    me: Identity,
    tokens: Vec<ApiToken>,
    users: Vec<User>,
    once: Once,
}

impl SettingsPage {
    fn own_role(&self) -> String {
        let mut roles: Vec<Role> = self.me.access.grants().iter().map(|g| g.grant.role).collect();
        roles.sort_unstable();
        roles.dedup();
        roles.iter().map(|r| r.label(self.f.language)).collect::<Vec<_>>().join(", ")
    }

    fn roles(&self) -> Vec<(Role, &'static str)> {
        Role::ALL.iter().map(|r| (*r, r.label(self.f.language))).collect()
    }

    fn is_over(&self, token: &ApiToken) -> bool {
        token.expires_at.is_some_and(|at| at <= self.f.now)
    }

    fn is_me(&self, user: &User) -> bool {
        self.me.user_id == Some(user.id)
    }
}

/// Who is logged in, with the account's number: tokens have no settings.
pub(crate) fn person(visit: &Visit) -> Result<(Identity, i64, String), Failure> {
    let identity = visit.identity.clone().ok_or_else(Failure::unauthorized)?;
    match (&identity.proof, identity.user_id) {
        (Proof::Session { token_hash, .. }, Some(id)) => {
            let hash = token_hash.clone();
            Ok((identity, id, hash))
        }
        _ => Err(Failure::forbidden("")),
    }
}

/// Whether somebody lets people in and out.
pub(crate) fn administers(me: &Identity) -> bool {
    me.access.may(Verb::Administer, Object::platform(Kind::People))
}

/// The page, with what was just made on it.
pub(crate) async fn show(app: &App, visit: &Visit, once: Once) -> Answer {
    let (me, id, _) = person(visit)?;
    let administers = administers(&me);
    let stored = app.db(move |s| {
        let users = if administers { s.users()? } else { Vec::new() };
        let mut tokens = s.api_tokens()?;
        tokens.retain(|t| administers || t.user_id == Some(id));
        Ok((tokens, users))
    });
    let (tokens, users) = stored.await?;
    let mut f = Frame::new(app, visit, Nav::Settings, text(visit.language).auth.settings_title);
    f.here = "/settings".to_owned();
    let failed = !once.error.is_empty();
    let mut answer = page(&SettingsPage { f, me, tokens, users, once });
    if failed {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

/// `GET /settings`
pub(crate) async fn settings(State(app): State<App>, visit: Visit) -> Answer {
    show(&app, &visit, Once::default()).await
}

/// The fields of a new token.
#[derive(Deserialize)]
pub(crate) struct TokenWanted {
    name: String,
    scope: String,
    /// Days until it ends; 0: never.
    days: u64,
}

/// `POST /settings/tokens`
pub(crate) async fn make_token(State(app): State<App>, visit: Visit, Form(form): Form<TokenWanted>) -> Answer {
    let (_, id, _) = person(&visit)?;
    if let Some(first) = proof::require(&app, &visit, "/settings").await? {
        return Ok(first);
    }
    let name: String = form.name.trim().chars().filter(|c| !c.is_control()).take(80).collect();
    if name.is_empty() || !["read", "write"].contains(&form.scope.as_str()) {
        return Err(Failure::invalid("name and scope (read or write) are needed"));
    }
    let (now, made) = (app.clock.now(), format!("{}{}", token::PREFIX, secret::fresh()));
    let ends = |days: u64| -> Timestamp { now + Duration::from_secs(days.min(3_650) * 86_400) };
    let new = NewToken {
        token_hash: secret::hash(&made),
        name,
        scopes: vec![form.scope],
        user_id: Some(id),
        expires_at: (form.days > 0).then(|| ends(form.days)),
    };
    app.db(move |s| s.create_token(&new, now)).await?;
    show(&app, &visit, Once { token: Some(made), ..Once::default() }).await
}

/// `POST /settings/tokens/{id}/revoke`
pub(crate) async fn revoke_token(
    State(app): State<App>,
    visit: Visit,
    Path(token): Path<i64>,
) -> Result<Response, Failure> {
    let (me, id, _) = person(&visit)?;
    let (now, administers) = (app.clock.now(), administers(&me));
    app.db(move |s| {
        let own = s.api_tokens()?.iter().any(|t| t.id == token && (administers || t.user_id == Some(id)));
        if own { s.revoke_api_token(token, now) } else { Ok(false) }
    })
    .await?;
    Ok(done("/settings", "revoked"))
}
