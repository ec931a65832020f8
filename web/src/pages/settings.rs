//! One's own account and API tokens. I/O: HTTP, state.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::access::{Kind, Object, Scope, TokenScope, Verb};
use serde::Deserialize;
use state::ApiToken;

use super::form::Form;
use super::frame::{Frame, Nav};
use super::visit::Visit;
use super::{Answer, done, page};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::{Identity, Proof, Role, proof, token};
use crate::people::words;
use crate::text::text;

/// Something just made that is shown this once.
#[derive(Default)]
pub(crate) struct Once {
    /// A new API token.
    pub(crate) token: Option<String>,
    /// What went wrong.
    pub(crate) error: String,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    f: Frame,
    me: Identity,
    tokens: Vec<ApiToken>,
    once: Once,
}

impl SettingsPage {
    fn own_role(&self) -> String {
        let mut roles: Vec<Role> = self.me.access.grants().iter().map(|g| g.grant.role).collect();
        roles.sort_unstable();
        roles.dedup();
        roles.iter().map(|r| r.label(self.f.language)).collect::<Vec<_>>().join(", ")
    }

    fn token_verbs(&self) -> Vec<(Verb, &'static str)> {
        token::VERBS.iter().map(|v| (*v, v.label(self.f.language))).collect()
    }

    fn is_over(&self, token: &ApiToken) -> bool {
        token.expires_at.is_some_and(|at| at <= self.f.now)
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
    let stored = app.db(move |s| {
        let mut tokens = s.api_tokens()?;
        tokens.retain(|t| t.user_id == Some(id));
        Ok(tokens)
    });
    let tokens = stored.await?;
    let mut f = Frame::new(app, visit, Nav::Settings, text(visit.language).auth.settings_title);
    f.here = "/settings".to_owned();
    let failed = !once.error.is_empty();
    let mut answer = page(&SettingsPage { f, me, tokens, once });
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
    /// Words of a scope with commas between: verbs, `read`, `write`.
    scope: String,
    /// Names of systems with commas between; all when empty.
    #[serde(default)]
    systems: String,
    /// Days until it ends; 0: never.
    days: u64,
}

/// `POST /settings/tokens`
pub(crate) async fn make_token(State(app): State<App>, visit: Visit, Form(form): Form<TokenWanted>) -> Answer {
    let (me, id, _) = person(&visit)?;
    if let Some(first) = proof::require(&app, &visit, "/settings").await? {
        return Ok(first);
    }
    let scope = TokenScope { systems: Scope::of_names(words(&form.systems)), ..token::scope_of(&words(&form.scope)) };
    let made = token::make(&app, &visit, (id, &me.name), &form.name, &scope, form.days).await?;
    show(&app, &visit, Once { token: Some(made), ..Once::default() }).await
}

/// `POST /settings/tokens/{id}/revoke`
pub(crate) async fn revoke_token(
    State(app): State<App>,
    visit: Visit,
    Path(number): Path<i64>,
) -> Result<Response, Failure> {
    let (me, id, _) = person(&visit)?;
    let tokens = app.db(|s| s.api_tokens()).await?;
    // Only one's own; those of others are on their pages.
    let own = tokens.into_iter().find(|t| t.id == number && t.user_id == Some(id));
    let own = own.ok_or_else(|| Failure::not_found(number.to_string()))?;
    token::revoke(&app, &visit, &me.name, &own).await?;
    Ok(done("/settings", "revoked"))
}
