//! Accounts at OIDC providers, known by issuer and subject. I/O.

use kernel::Timestamp;
use kernel::access::Granted;
use kernel::trail::Deed;

use crate::codec::{json, maybe_time, time, to_json};
use crate::db::{Row, values};
use crate::people::{USER, User, user};
use crate::{SqlResult, State, StateError};

/// That an account at a provider is an account here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Its number for the person.
    pub subject: String,
    /// Whose.
    pub user_id: i64,
    /// The name there, for people.
    pub name: String,
    /// Whether the account here came to be by it: without a group there it does not get in.
    pub managed: bool,
    /// What the groups there grant, as they were at the last log-in.
    pub grants: Vec<Granted>,
    /// Since when.
    pub made_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

const IDENTITY: &str = "i.issuer, i.subject, i.user_id, i.name, i.managed, i.grants, i.made_ms, i.used_ms";
const COLUMNS: usize = 8;

fn identity(r: &Row<'_>) -> SqlResult<Identity> {
    Ok(Identity {
        issuer: r.get(0)?,
        subject: r.get(1)?,
        user_id: r.get(2)?,
        name: r.get(3)?,
        managed: r.get(4)?,
        grants: json(r, 5)?,
        made_at: time(r, 6)?,
        used_at: maybe_time(r, 7)?,
    })
}

impl State {
    /// The account of somebody at a provider.
    pub fn identity(&self, issuer: &str, subject: &str) -> Result<Option<(Identity, User)>, StateError> {
        self.read("read an account at a provider", |t| {
            t.query_maybe(
                &format!(
                    "SELECT {IDENTITY}, {USER} FROM identities i JOIN users u ON u.id = i.user_id
                     WHERE i.issuer = ?1 AND i.subject = ?2"
                ),
                &values![issuer, subject],
                |r| Ok((identity(r)?, user(r, COLUMNS)?)),
            )
        })
    }

    /// An account's accounts at providers.
    pub fn identities(&self, user_id: i64) -> Result<Vec<Identity>, StateError> {
        self.read("read the accounts at providers", |t| {
            t.query(
                &format!("SELECT {IDENTITY} FROM identities i WHERE i.user_id = ?1 ORDER BY i.made_ms"),
                &values![user_id],
                identity,
            )
        })
    }

    /// Links an account at a provider to an account here.
    ///
    /// # Errors
    /// [`StateError::Taken`] when it is linked already, to whomever.
    pub fn link_identity(&self, new: &Identity, deed: &Deed) -> Result<(), StateError> {
        let stored = self.write_recorded("link an account at a provider", std::slice::from_ref(deed), |t| {
            t.execute(
                "INSERT INTO identities (issuer, subject, user_id, name, managed, grants, made_ms, used_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                &values![
                    new.issuer,
                    new.subject,
                    new.user_id,
                    new.name,
                    new.managed,
                    to_json(&new.grants)?,
                    new.made_at
                ],
            )
            .map(|_| ())
        });
        stored.map_err(|e| e.taken("account at the provider", &new.name))
    }

    /// Notes a log-in.
    pub fn use_identity(&self, issuer: &str, subject: &str, at: Timestamp) -> Result<(), StateError> {
        self.write("note a log-in at a provider", |t| {
            t.execute(
                "UPDATE identities SET used_ms = ?3 WHERE issuer = ?1 AND subject = ?2",
                &values![issuer, subject, at],
            )
            .map(|_| ())
        })
    }

    /// Stores that the groups of an account at a provider grant something else now, and ends the sessions of the account here.
    pub fn change_group_grants(&self, changed: &Identity, deed: &Deed) -> Result<(), StateError> {
        self.write_recorded("store what groups grant", std::slice::from_ref(deed), |t| {
            t.execute(
                "UPDATE identities SET grants = ?3 WHERE issuer = ?1 AND subject = ?2",
                &values![changed.issuer, changed.subject, to_json(&changed.grants)?],
            )?;
            t.execute("DELETE FROM sessions WHERE user_id = ?1", &values![changed.user_id]).map(|_| ())
        })
    }

    /// Ends a link of an account.
    pub fn unlink_identity(&self, user_id: i64, issuer: &str, subject: &str, deed: &Deed) -> Result<(), StateError> {
        self.write_recorded("end the link to an account at a provider", std::slice::from_ref(deed), |t| {
            t.execute(
                "DELETE FROM identities WHERE user_id = ?1 AND issuer = ?2 AND subject = ?3",
                &values![user_id, issuer, subject],
            )
            .map(|_| ())
        })
    }
}
