//! Accounts, their tokens and sessions, changed by somebody's will: the rows and the entry of the trail are one transaction. I/O.

use std::collections::HashMap;

use kernel::Timestamp;
use kernel::trail::Deed;

use super::AccountKind;
use crate::codec::{maybe_time, to_json, word};
use crate::db::values;
use crate::{NewToken, NewUser, State, StateError};

impl State {
    /// When each account was last active: seen in a session that is still known, by a token, or doing something that the trail tells.
    /// Accounts that never were are left out.
    pub fn last_active(&self) -> Result<HashMap<i64, Timestamp>, StateError> {
        let found: Vec<(i64, [Option<Timestamp>; 3])> = self.read("read when accounts were last active", |t| {
            t.query(
                "SELECT u.id,
                     (SELECT MAX(s.seen_ms) FROM sessions s WHERE s.user_id = u.id),
                     (SELECT MAX(k.used_ms) FROM tokens k WHERE k.user_id = u.id),
                     (SELECT d.at_ms FROM trail d WHERE d.actor = u.name AND d.actor_kind IN ('person', 'service', 'token')
                         AND d.outcome = 'done' ORDER BY d.sequence DESC LIMIT 1)
                 FROM users u",
                &[],
                |r| Ok((r.get(0)?, [maybe_time(r, 1)?, maybe_time(r, 2)?, maybe_time(r, 3)?])),
            )
        })?;
        Ok(found.into_iter().filter_map(|(id, times)| Some((id, times.into_iter().flatten().max()?))).collect())
    }

    /// Makes an account; returns its number.
    ///
    /// # Errors
    /// [`StateError::Taken`] when the name exists.
    pub fn add_account(&self, new: &NewUser, kind: AccountKind, at: Timestamp, deed: &Deed) -> Result<i64, StateError> {
        let made = self.write_recorded("store a user", std::slice::from_ref(deed), |t| {
            t.query_one(
                "INSERT INTO users (name, role, language, password_hash, created_ms, kind) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 RETURNING id",
                &values![new.name, new.role, word(&new.language)?, new.password_hash, at, kind.as_str()],
                |r| r.get(0),
            )
        });
        made.map_err(|e| match e {
            StateError::Sql { source, .. } if source.is_unique() => {
                StateError::Taken { what: "user", name: new.name.clone() }
            }
            other => other,
        })
    }

    /// Changes an account's own role and whether it may log in; whoever may not is logged out by it.
    pub fn set_account(&self, id: i64, role: &str, disabled: bool, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("change a user", deed, |t| {
            if disabled {
                t.execute("DELETE FROM sessions WHERE user_id = ?1", &values![id])?;
            }
            let changed =
                t.execute("UPDATE users SET role = ?2, disabled = ?3 WHERE id = ?1", &values![id, role, disabled])?;
            Ok(changed == 1)
        })
    }

    /// Makes a token; returns its number.
    pub fn issue_token(&self, new: &NewToken, at: Timestamp, deed: &Deed) -> Result<i64, StateError> {
        self.write_recorded("store an API token", std::slice::from_ref(deed), |t| {
            t.query_one(
                "INSERT INTO tokens (token_hash, name, scopes, user_id, created_ms, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
                &values![new.token_hash, new.name, to_json(&new.scopes)?, new.user_id, at, new.expires_at],
                |r| r.get(0),
            )
        })
    }

    /// Takes a token back.
    pub fn revoke_token(&self, id: i64, at: Timestamp, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("take an API token back", deed, |t| {
            let sql = "UPDATE tokens SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms IS NULL";
            Ok(t.execute(sql, &values![id, at])? == 1)
        })
    }

    /// Ends all sessions of an account; whether there was one.
    pub fn end_sessions_by(&self, user_id: i64, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("end a user's sessions", deed, |t| {
            Ok(t.execute("DELETE FROM sessions WHERE user_id = ?1", &values![user_id])? > 0)
        })
    }
}
