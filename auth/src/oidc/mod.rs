//! Log-in at somebody else's door: OpenID Connect's code flow with PKCE. I/O: HTTP to the provider.
//!
//! One try: [`Provider::begin`] gives the address to send the browser to and a [`Ceremony`] that the caller keeps, bound to that
//! browser; [`Provider::finish`] takes the browser's answer and that ceremony and says who it is. What the provider's
//! documents say is kept for a while; an ID token signed with a key that is not among the known ones makes Farero read the
//! keys again, so that a provider may change them at any time.
//!
//! People are known by issuer and subject, never by e-mail alone: an address can be given to somebody else.

mod callback;
mod exchange;
mod metadata;
mod settings;
mod token;

use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use callback::Callback;
pub use exchange::Provider;
pub use metadata::client as http_client;
pub use settings::{GroupRole, ProviderSettings, SettingsError};
pub use token::check_id_token;

/// Bytes of a provider's answer: keys and claims have some kilobytes.
pub const ANSWER_BYTES: usize = 1 << 20;

/// Time for one request to a provider: a person waits for it.
pub const REQUEST_TIME: Duration = Duration::from_secs(10);

/// The provider's documents are read again after this long.
pub const METADATA_LIFE: Duration = Duration::from_secs(3_600);

/// Keys are read again for an unknown signature at most this often, so that bad tokens cannot make Farero ask without end.
pub const KEYS_PAUSE: Duration = Duration::from_secs(5);

/// Groups of one person that are looked at.
pub const GROUPS: usize = 500;

/// Why a log-in at a provider did not work.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The provider cannot be reached, or answers nonsense.
    #[error("{doing} at {issuer} did not work: {why}")]
    Provider {
        /// What was asked.
        doing: &'static str,
        /// Of whom.
        issuer: String,
        /// What happened.
        why: String,
    },
    /// The provider said no; `access_denied` is the person's own no.
    #[error("the provider refused the log-in: {error}{}", description.as_ref().map(|d| format!(" ({d})")).unwrap_or_default())]
    Refused {
        /// Its word (RFC 6749, 4.1.2.1).
        error: String,
        /// Its sentence.
        description: Option<String>,
    },
    /// The answer does not belong to this browser's question, or is not from this provider.
    #[error("the answer does not belong to this log-in: {0}; begin again from the log-in page")]
    Foreign(&'static str),
    /// The ID token is not to be believed.
    #[error("the provider's ID token is not believed: {0}")]
    Token(String),
}

/// What must be kept between the two halves of a log-in, on the server.
#[derive(Clone, Serialize, Deserialize)]
pub struct Ceremony {
    /// Name of the provider in the settings.
    pub provider: String,
    /// Comes back in the address; shows that the answer belongs to this question.
    pub state: String,
    /// Comes back inside the signed token.
    pub nonce: String,
    /// Proves to the provider that who began also ends (RFC 7636).
    pub verifier: String,
    /// Where the browser comes back to.
    pub redirect: String,
}

impl std::fmt::Debug for Ceremony {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ceremony({})", self.provider)
    }
}

/// Who the provider says it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// The provider.
    pub issuer: String,
    /// Its number for the person, never used again.
    pub subject: String,
    /// The name that people know, where it is told.
    pub name: Option<String>,
    /// E-mail address, where it is told.
    pub email: Option<String>,
    /// Whether the provider has verified that the address is the person's.
    pub email_verified: bool,
    /// Groups.
    pub groups: Vec<String>,
    /// When the provider last asked the person for a proof, where it tells.
    pub authenticated_at: Option<Timestamp>,
}

impl Person {
    /// From claims that have been verified.
    fn of(issuer: &str, subject: &str, claims: &Map<String, Value>, groups_claim: &str) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            name: text("preferred_username").or_else(|| text("name")),
            email: text("email"),
            // Some providers write it as a text.
            email_verified: claims.get("email_verified").is_some_and(|v| v == &Value::Bool(true) || v == "true"),
            groups: groups_at(claims, groups_claim),
            authenticated_at: claims.get("auth_time").and_then(Value::as_i64).map(Timestamp::from_secs),
        }
    }
}

/// The groups' claim: its name, or a path with dots into claims inside claims (`realm_access.roles`).
fn groups_at(claims: &Map<String, Value>, path: &str) -> Vec<String> {
    let whole = claims.get(path);
    let found = whole.or_else(|| {
        let mut parts = path.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    });
    match found {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).take(GROUPS).map(ToOwned::to_owned).collect(),
        Some(Value::String(one)) => one.split_whitespace().take(GROUPS).map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sec_12_groups_are_found_where_providers_put_them() {
        let check = |claims: Value, path: &str, expect: &[&str]| {
            assert_eq!(groups_at(claims.as_object().unwrap(), path), expect, "{path}");
        };
        check(json!({"groups": ["a", "b", 3]}), "groups", &["a", "b"]);
        check(json!({"groups": "a b"}), "groups", &["a", "b"]);
        check(json!({"realm_access": {"roles": ["x"]}}), "realm_access.roles", &["x"]);
        check(json!({"https://example.org/groups": ["x"]}), "https://example.org/groups", &["x"]);
        check(json!({"groups": null}), "groups", &[]);
        check(json!({}), "realm_access.roles", &[]);
    }

    #[test]
    fn an_address_counts_as_verified_only_when_the_provider_says_so() {
        let verified = |claims: Value| Person::of("i", "s", claims.as_object().unwrap(), "groups").email_verified;
        assert!(verified(json!({"email": "a@b", "email_verified": true})));
        assert!(verified(json!({"email": "a@b", "email_verified": "true"})));
        assert!(!verified(json!({"email": "a@b"})) && !verified(json!({"email_verified": "false"})));
    }
}
