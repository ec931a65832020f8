//! People who may log in. Passwords are known here only as hashes that callers give. I/O.

use kernel::trail::Deed;
use kernel::{Language, Timestamp};

use crate::codec::{from_word, time, word};
use crate::db::{Row, SqlResult, values};
use crate::{State, StateError};

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Number, never used again.
    pub id: i64,
    /// The name to log in with.
    pub name: String,
    /// The role's word: `administrator`, `viewer`, …; what it allows is the web's matter.
    pub role: String,
    /// Language of the pages.
    pub language: Language,
    /// Since when.
    pub created_at: Timestamp,
    /// May not log in.
    pub disabled: bool,
}

/// Someone to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The name to log in with.
    pub name: String,
    /// The role's word.
    pub role: String,
    /// Language of the pages.
    pub language: Language,
    /// Hash of the password, with its salt and parameters (PHC string).
    pub password_hash: String,
}

pub(crate) const USER: &str = "u.id, u.name, u.role, u.language, u.created_ms, u.disabled";

/// How many columns [`USER`] has.
pub(crate) const COLUMNS: usize = 6;

/// A user from the columns of [`USER`], which begin at `first`.
pub(crate) fn user(r: &Row<'_>, first: usize) -> SqlResult<User> {
    Ok(User {
        id: r.get(first)?,
        name: r.get(first + 1)?,
        role: r.get(first + 2)?,
        language: from_word(r, first + 3)?,
        created_at: time(r, first + 4)?,
        disabled: r.get(first + 5)?,
    })
}

impl State {
    /// Lets someone in.
    ///
    /// # Errors
    /// [`StateError::Taken`] when the name exists.
    pub fn create_user(&self, new: &NewUser, at: Timestamp) -> Result<User, StateError> {
        let stored = self.write("store a user", |t| {
            t.query_one(
                "INSERT INTO users (name, role, language, password_hash, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)
                 RETURNING id",
                &values![new.name, new.role, word(&new.language)?, new.password_hash, at],
                |r| r.get(0),
            )
        });
        let id = stored.map_err(|e| e.taken("user", &new.name))?;
        Ok(User {
            id,
            name: new.name.clone(),
            role: new.role.clone(),
            language: new.language,
            created_at: at,
            disabled: false,
        })
    }

    /// All users by name.
    pub fn users(&self) -> Result<Vec<User>, StateError> {
        self.read("read the users", |t| {
            t.query(&format!("SELECT {USER} FROM users u ORDER BY name"), &[], |r| user(r, 0))
        })
    }

    /// One user.
    pub fn user(&self, id: i64) -> Result<Option<User>, StateError> {
        self.read("read a user", |t| {
            t.query_maybe(&format!("SELECT {USER} FROM users u WHERE id = ?1"), &values![id], |r| user(r, 0))
        })
    }

    /// The user of a name with the hash of the password, to verify a log-in.
    pub fn credentials(&self, name: &str) -> Result<Option<(User, String)>, StateError> {
        self.read("read a user", |t| {
            t.query_maybe(
                &format!("SELECT {USER}, u.password_hash FROM users u WHERE name = ?1"),
                &values![name],
                |r| Ok((user(r, 0)?, r.get(6)?)),
            )
        })
    }

    /// Replaces the hash of a password and ends all sessions of the account.
    pub fn change_password(&self, id: i64, password_hash: &str, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("store a password's hash", deed, |t| {
            t.execute("DELETE FROM sessions WHERE user_id = ?1", &values![id])?;
            t.execute("UPDATE users SET password_hash = ?2 WHERE id = ?1", &values![id, password_hash]).map(|n| n == 1)
        })
    }

    /// Changes role, language and whether someone may log in; whoever may not is logged out by it.
    pub fn update_user(&self, id: i64, role: &str, language: Language, disabled: bool) -> Result<bool, StateError> {
        self.write("change a user", |t| {
            let found = t.execute(
                "UPDATE users SET role = ?2, language = ?3, disabled = ?4 WHERE id = ?1",
                &values![id, role, word(&language)?, disabled],
            )?;
            if disabled {
                t.execute("DELETE FROM sessions WHERE user_id = ?1", &values![id])?;
            }
            Ok(found == 1)
        })
    }
}
