//! API tokens for programs: `Authorization: Bearer …`, with scopes and an end. I/O: state.

use http::header;
use http::request::Parts;

use super::{Identity, Proof, Role, secret};
use crate::answer::Failure;
use crate::app::App;

/// Every token begins so: secret scanners find it, people recognise it.
pub(crate) const PREFIX: &str = "farero_";

/// What a token may be allowed.
pub(crate) const SCOPES: [&str; 2] = ["read", "write"];

/// The secret in a request, where it carries one.
pub(crate) fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Who a token speaks for. A token never administers, and never may more than the person who made it.
pub(crate) async fn identify(app: &App, given: &str) -> Result<Option<Identity>, Failure> {
    if !given.starts_with(PREFIX) || given.len() > 100 {
        return Ok(None);
    }
    let (token_hash, now) = (secret::hash(given), app.clock.now());
    let found = app.db(move |s| {
        let Some(token) = s.api_token(&token_hash, now)? else { return Ok(None) };
        s.touch_api_token(&token, now)?;
        let owner = match token.user_id {
            Some(id) => s.user(id)?,
            None => None,
        };
        Ok(Some((token, owner)))
    });
    let Some((token, owner)) = found.await? else { return Ok(None) };
    let by_scope = match token.scopes.iter().any(|s| s == "write") {
        true => Role::Operator,
        false => Role::Viewer,
    };
    let by_owner = owner.as_ref().and_then(|o| Role::parse(&o.role)).unwrap_or(Role::Viewer);
    Ok(Some(Identity {
        user_id: token.user_id,
        name: token.name,
        role: by_scope.min(by_owner),
        language: owner.map(|o| o.language),
        proof: Proof::Token { id: token.id },
    }))
}
