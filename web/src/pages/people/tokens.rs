//! Tokens of an account, made and taken back by administrators: service accounts have no other way. I/O: HTTP, state.

use axum::extract::{Path, State};
use axum::response::Response;
use kernel::access::{Scope, TokenScope};
use serde::Deserialize;

use super::{Once, show_one};
use crate::answer::Failure;
use crate::app::App;
use crate::auth::{proof, token};
use crate::pages::form::Form;
use crate::pages::visit::Visit;
use crate::pages::{Answer, done};
use crate::people;
use state::Holder;

/// The fields of a new token.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    name: String,
    /// Verbs with commas between.
    #[serde(default)]
    verbs: String,
    #[serde(default)]
    systems: String,
    /// Days until it ends; 0: never.
    days: u64,
}

/// `POST /people/{id}/tokens`
pub(crate) async fn make_token(
    State(app): State<App>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<Wanted>,
) -> Answer {
    if let Some(first) = proof::require(&app, &visit, &format!("/people/{id}")).await? {
        return Ok(first);
    }
    let owner = people::holder_name(&app, Holder::User(id)).await?;
    if !app.db(|s| s.services()).await?.contains(&id) {
        return Err(Failure::refused("people make their own tokens, in their settings"));
    }
    let verbs: Result<_, _> = people::words(&form.verbs).iter().map(|w| w.parse()).collect();
    let verbs = verbs.map_err(|e: kernel::access::UnknownWord| Failure::invalid(e.to_string()))?;
    let scope = TokenScope { verbs, systems: Scope::of_names(people::words(&form.systems)) };
    let secret = token::make(&app, &visit, (id, &owner), &form.name, &scope, form.days).await?;
    show_one(&app, &visit, id, Once { token: Some(secret), link: None }).await
}

/// `POST /people/{id}/tokens/{token}/revoke`
pub(crate) async fn revoke_token(
    State(app): State<App>,
    visit: Visit,
    Path((id, number)): Path<(i64, i64)>,
) -> Result<Response, Failure> {
    let owner = people::holder_name(&app, Holder::User(id)).await?;
    let tokens = app.db(|s| s.api_tokens()).await?;
    let found = tokens.into_iter().find(|t| t.id == number && t.user_id == Some(id));
    let found = found.ok_or_else(|| Failure::not_found(number.to_string()))?;
    token::revoke(&app, &visit, &owner, &found).await?;
    Ok(done(&format!("/people/{id}"), "revoked"))
}
