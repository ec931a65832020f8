//! API tokens for programs: `Authorization: Bearer …`, with scopes and an end. I/O: state.

use ::auth::credentials::is_token;
use http::request::Parts;
use kernel::access::{Scope, TokenScope, Verb};

use state::{ApiToken, NewToken};

use super::{Access, Identity, Proof, rights, secret};
use crate::answer::Failure;
use crate::app::App;
use crate::pages::visit::Visit;

/// Every token begins so: secret scanners find it, people recognise it.
pub(crate) const PREFIX: &str = "farero_";

/// What stands before a system's name in a stored scope.
const SYSTEM: &str = "system:";

/// The verbs that a token may be given; it never lets anybody in, and never signs for a person.
pub(crate) const VERBS: [Verb; 5] = [Verb::See, Verb::Acknowledge, Verb::Run, Verb::Approve, Verb::Edit];

/// The secret in a request, where it carries one.
pub(crate) fn bearer(parts: &Parts) -> Option<&str> {
    ::auth::credentials::bearer(&parts.headers)
}

/// What stored scopes leave of the owner's grants: verbs, and `system:NAME` where only some systems are meant. `read` and `write`
/// are the words of tokens made by the first version.
pub(crate) fn scope_of(stored: &[String]) -> TokenScope {
    let mut verbs = std::collections::BTreeSet::new();
    for word in stored {
        match word.as_str() {
            "read" => verbs.extend([Verb::See]),
            "write" => verbs.extend([Verb::See, Verb::Acknowledge, Verb::Run]),
            word => verbs.extend(Verb::parse(word).filter(|v| VERBS.contains(v))),
        }
    }
    let systems: Vec<&str> = stored.iter().filter_map(|w| w.strip_prefix(SYSTEM)).collect();
    TokenScope { verbs, systems: if systems.is_empty() { Scope::All } else { Scope::only(systems) } }
}

/// Scopes as they are stored.
pub(crate) fn stored(scope: &TokenScope) -> Vec<String> {
    let verbs = scope.verbs.iter().map(|v| v.as_str().to_owned());
    let systems = match &scope.systems {
        Scope::All => Vec::new(),
        Scope::Only(names) => names.iter().map(|n| format!("{SYSTEM}{n}")).collect(),
    };
    verbs.chain(systems).collect()
}

/// Who a token speaks for. A token never may more than the account that owns it, and without an owner nothing.
pub(crate) async fn identify(app: &App, given: &str) -> Result<Option<Identity>, Failure> {
    if !is_token(given, PREFIX) {
        return Ok(None);
    }
    let (token_hash, now) = (secret::hash(given), app.clock.now());
    let (epoch, plans) = (app.gates.known.epoch(), app.live.plans_counted());
    if let Some(known) = app.gates.known.get(&token_hash, plans, now) {
        return Ok(Some(known));
    }
    let (wanted, live) = (token_hash.clone(), app.live.clone());
    let found = app.db(move |s| {
        let Some(token) = s.api_token(&wanted, now)? else { return Ok(None) };
        s.touch_api_token(&token, now)?;
        let Some(owner) = token.user_id.map(|id| s.user(id)).transpose()?.flatten() else { return Ok(None) };
        let access: Access = rights::of_account(s, &live, &owner)?;
        Ok(Some((token, owner, access)))
    });
    let Some((token, owner, access)) = found.await? else { return Ok(None) };
    let access = access.cut(scope_of(&token.scopes));
    let (user_id, language, proof) =
        (token.user_id, Some(owner.language), Proof::Token { id: token.id, owner: owner.name });
    let identity = Identity { user_id, name: token.name, access, language, proof };
    app.gates.known.put(token_hash, identity.clone(), (epoch, plans), now);
    Ok(Some(identity))
}

/// Longest name of a token.
const NAME_LONGEST: usize = 80;

/// Longest life of a token that has an end, in days.
const DAYS_LONGEST: u64 = 3_650;

/// Makes a token and gives its secret, which is shown this once.
pub(crate) async fn make(
    app: &App,
    visit: &Visit,
    (owner_id, owner): (i64, &str),
    name: &str,
    scope: &TokenScope,
    days: u64,
) -> Result<String, Failure> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(NAME_LONGEST).collect();
    if name.is_empty() || scope.verbs.is_empty() || !scope.verbs.iter().all(|v| VERBS.contains(v)) {
        let known = VERBS.map(Verb::as_str).join(", ");
        return Err(Failure::invalid(format!("a token needs a name, and verbs among {known}")));
    }
    let (now, secret) = (app.clock.now(), format!("{PREFIX}{}", secret::fresh()));
    let life = std::time::Duration::from_secs(days.min(DAYS_LONGEST) * 86_400);
    let scopes = stored(scope);
    let deed = visit.deed(now, "token.make").on("token", &name);
    let deed = deed.changed("owner", None, Some(owner)).changed("scopes", None, Some(&scopes.join(" ")));
    let new = NewToken {
        token_hash: secret::hash(&secret),
        name,
        scopes,
        user_id: Some(owner_id),
        expires_at: (days > 0).then(|| now + life),
    };
    app.db(move |s| s.issue_token(&new, now, &deed)).await?;
    Ok(secret)
}

/// Takes a token back.
pub(crate) async fn revoke(app: &App, visit: &Visit, owner: &str, token: &ApiToken) -> Result<bool, Failure> {
    let (id, now) = (token.id, app.clock.now());
    let deed = visit.deed(now, "token.revoke").on("token", &token.name).changed("owner", Some(owner), None);
    app.db(move |s| s.revoke_token(id, now, &deed)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_scopes_are_kept_as_words() {
        let words = |all: &[&str]| all.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let scope = scope_of(&words(&["see", "run", "system:nuam"]));
        assert_eq!(stored(&scope), words(&["see", "run", "system:nuam"]));
        assert_eq!(scope.systems, Scope::only(["nuam"]));
        assert_eq!(scope_of(&words(&["write"])).verbs.len(), 3);
        assert!(scope_of(&words(&["administer", "sign", "everything"])).verbs.is_empty());
    }
}
