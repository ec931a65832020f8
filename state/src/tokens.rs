//! API tokens and one-time links, known by the hash of their secret. I/O.

use kernel::Timestamp;

use crate::codec::{json, maybe_time, time, to_json};
use crate::db::{Row, SqlResult, values};
use crate::sessions::TOUCH_EVERY_MS;
use crate::{State, StateError};

/// A token for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Number, never used again.
    pub id: i64,
    /// What it is for, for people.
    pub name: String,
    /// What it allows; the words are the web's matter.
    pub scopes: Vec<String>,
    /// Who made it; it dies with that user.
    pub user_id: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Hash of the secret.
    pub token_hash: String,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<String>,
    /// Who makes it.
    pub user_id: Option<i64>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// A link that works once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Hash of the secret in it.
    pub token_hash: String,
    /// What it lets one do: `create-administrator`, `reset-password`, …
    pub purpose: String,
    /// For whom, where that is known.
    pub user_id: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Works until then.
    pub expires_at: Timestamp,
    /// Who made it; empty where Farero did.
    pub made_by: String,
}

const TOKEN: &str = "id, name, scopes, user_id, created_ms, used_ms, expires_ms, revoked_ms";

fn token(r: &Row<'_>) -> SqlResult<ApiToken> {
    Ok(ApiToken {
        id: r.get(0)?,
        name: r.get(1)?,
        scopes: json(r, 2)?,
        user_id: r.get(3)?,
        created_at: time(r, 4)?,
        last_used_at: maybe_time(r, 5)?,
        expires_at: maybe_time(r, 6)?,
        revoked_at: maybe_time(r, 7)?,
    })
}

impl State {
    /// Makes a token; returns its number.
    pub fn create_token(&self, new: &NewToken, at: Timestamp) -> Result<i64, StateError> {
        self.write("store an API token", |t| {
            t.query_one(
                "INSERT INTO tokens (token_hash, name, scopes, user_id, created_ms, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
                &values![new.token_hash, new.name, to_json(&new.scopes)?, new.user_id, at, new.expires_at],
                |r| r.get(0),
            )
        })
    }

    /// The token of a secret; `None` when it ended, was taken back, never was, or its user may not log in.
    pub fn api_token(&self, token_hash: &str, now: Timestamp) -> Result<Option<ApiToken>, StateError> {
        self.read("read an API token", |t| {
            t.query_maybe(
                &format!(
                    "SELECT {TOKEN} FROM tokens
                 WHERE token_hash = ?1 AND revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?2)
                   AND (user_id IS NULL OR EXISTS
                        (SELECT 1 FROM users u WHERE u.id = tokens.user_id AND u.disabled = 0))"
                ),
                &values![token_hash, now.as_millis()],
                token,
            )
        })
    }

    /// Notes that a token is in use; does nothing when that was noted a moment ago.
    pub fn touch_api_token(&self, used: &ApiToken, now: Timestamp) -> Result<(), StateError> {
        if used.last_used_at.is_some_and(|at| now.as_millis() - at.as_millis() < TOUCH_EVERY_MS) {
            return Ok(());
        }
        self.write("note that an API token is in use", |t| {
            t.execute("UPDATE tokens SET used_ms = ?2 WHERE id = ?1", &values![used.id, now.as_millis()]).map(|_| ())
        })
    }

    /// All tokens, newest first, those that ended too.
    pub fn api_tokens(&self) -> Result<Vec<ApiToken>, StateError> {
        self.read("read the API tokens", |t| {
            t.query(&format!("SELECT {TOKEN} FROM tokens ORDER BY id DESC"), &[], token)
        })
    }

    /// Takes a token back.
    pub fn revoke_api_token(&self, id: i64, at: Timestamp) -> Result<bool, StateError> {
        self.write("take an API token back", |t| {
            t.execute(
                "UPDATE tokens SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms IS NULL",
                &values![id, at.as_millis()],
            )
            .map(|n| n == 1)
        })
    }

    /// Makes a link. Earlier unused links of the same purpose and user work no longer: the newest one counts.
    pub fn create_link(&self, link: &Link) -> Result<(), StateError> {
        self.write("store a one-time link", |t| {
            t.execute(
                "DELETE FROM links WHERE purpose = ?1 AND user_id IS NOT DISTINCT FROM ?2 AND used_ms IS NULL",
                &values![link.purpose, link.user_id],
            )?;
            t.execute(
                "INSERT INTO links (token_hash, purpose, user_id, created_ms, expires_ms, made_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &values![
                    link.token_hash,
                    link.purpose,
                    link.user_id,
                    link.created_at.as_millis(),
                    link.expires_at.as_millis(),
                    link.made_by
                ],
            )
            .map(|_| ())
        })
    }

    /// Looks a link up without using it.
    pub fn link(&self, token_hash: &str, purpose: &str, now: Timestamp) -> Result<Option<Link>, StateError> {
        self.read("read a one-time link", |t| {
            t.query_maybe(
                "SELECT token_hash, purpose, user_id, created_ms, expires_ms, made_by FROM links
                 WHERE token_hash = ?1 AND purpose = ?2 AND used_ms IS NULL AND expires_ms > ?3",
                &values![token_hash, purpose, now.as_millis()],
                link,
            )
        })
    }

    /// Uses a link: of any number of callers at once exactly one gets it.
    pub fn use_link(&self, token_hash: &str, purpose: &str, now: Timestamp) -> Result<Option<Link>, StateError> {
        self.write("use a one-time link", |t| {
            t.query_maybe(
                "UPDATE links SET used_ms = ?3
                 WHERE token_hash = ?1 AND purpose = ?2 AND used_ms IS NULL AND expires_ms > ?3
                 RETURNING token_hash, purpose, user_id, created_ms, expires_ms, made_by",
                &values![token_hash, purpose, now.as_millis()],
                link,
            )
        })
    }
}

fn link(r: &Row<'_>) -> SqlResult<Link> {
    Ok(Link {
        token_hash: r.get(0)?,
        purpose: r.get(1)?,
        user_id: r.get(2)?,
        created_at: time(r, 3)?,
        expires_at: time(r, 4)?,
        made_by: r.get(5)?,
    })
}
