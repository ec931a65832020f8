//! Passkeys: public keys by the credential's id, several per account. I/O.

use kernel::Timestamp;
use kernel::trail::Deed;

use crate::codec::{maybe_time, time};
use crate::db::{Row, values};
use crate::people::{USER, User, user};
use crate::{SqlResult, State, StateError};

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Number, never used again.
    pub id: i64,
    /// Whose.
    pub user_id: i64,
    /// The credential's id, as the browser tells it.
    pub credential_id: String,
    /// The public key.
    pub public_key: String,
    /// How often the device says it was used; 0 where it does not count.
    pub uses: u32,
    /// What its person calls it.
    pub name: String,
    /// Whether a copy is kept elsewhere.
    pub backed_up: bool,
    /// Since when.
    pub made_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

/// A passkey to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPasskey {
    /// Whose.
    pub user_id: i64,
    /// The credential's id.
    pub credential_id: String,
    /// The public key.
    pub public_key: String,
    /// How often it was used.
    pub uses: u32,
    /// What its person calls it.
    pub name: String,
    /// Whether a copy is kept elsewhere.
    pub backed_up: bool,
}

const PASSKEY: &str =
    "p.id, p.user_id, p.credential_id, p.public_key, p.uses, p.name, p.backed_up, p.made_ms, p.used_ms";
const COLUMNS: usize = 9;

fn passkey(r: &Row<'_>) -> SqlResult<Passkey> {
    Ok(Passkey {
        id: r.get(0)?,
        user_id: r.get(1)?,
        credential_id: r.get(2)?,
        public_key: r.get(3)?,
        uses: r.get(4)?,
        name: r.get(5)?,
        backed_up: r.get(6)?,
        made_at: time(r, 7)?,
        used_at: maybe_time(r, 8)?,
    })
}

impl State {
    /// An account's passkeys, oldest first.
    pub fn passkeys(&self, user_id: i64) -> Result<Vec<Passkey>, StateError> {
        self.read("read the passkeys", |t| {
            t.query(
                &format!("SELECT {PASSKEY} FROM passkeys p WHERE p.user_id = ?1 ORDER BY p.id"),
                &values![user_id],
                passkey,
            )
        })
    }

    /// The passkey of a credential, its account, and the account's handle; `None` when it is not known or the account may not log in.
    pub fn passkey(&self, credential_id: &str) -> Result<Option<(Passkey, User, String)>, StateError> {
        self.read("read a passkey", |t| {
            t.query_maybe(
                &format!(
                    "SELECT {PASSKEY}, {USER}, u.handle FROM passkeys p JOIN users u ON u.id = p.user_id
                     WHERE p.credential_id = ?1 AND u.disabled = 0"
                ),
                &values![credential_id],
                |r| {
                    let handle: Option<String> = r.get(COLUMNS + crate::people::COLUMNS)?;
                    Ok((passkey(r)?, user(r, COLUMNS)?, handle.unwrap_or_default()))
                },
            )
        })
    }

    /// The account's handle inside passkeys: the one it has, or `fresh` from now on.
    pub fn passkey_handle(&self, user_id: i64, fresh: &str) -> Result<Option<String>, StateError> {
        self.write("store an account's handle", |t| {
            t.execute("UPDATE users SET handle = ?2 WHERE id = ?1 AND handle IS NULL", &values![user_id, fresh])?;
            let handle = t.query_maybe("SELECT handle FROM users WHERE id = ?1", &values![user_id], |r| r.get(0))?;
            Ok(handle.flatten())
        })
    }

    /// Stores a passkey.
    ///
    /// # Errors
    /// [`StateError::Taken`] when the credential is registered already.
    pub fn add_passkey(&self, new: &NewPasskey, at: Timestamp, deed: &Deed) -> Result<(), StateError> {
        let stored = self.write_recorded("store a passkey", std::slice::from_ref(deed), |t| {
            t.execute(
                "INSERT INTO passkeys (user_id, credential_id, public_key, uses, name, backed_up, made_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &values![new.user_id, new.credential_id, new.public_key, new.uses, new.name, new.backed_up, at],
            )
            .map(|_| ())
        });
        stored.map_err(|e| e.taken("passkey", &new.name))
    }

    /// Notes a use; `false` when another use came between, so that the count that was checked is no longer the stored one.
    pub fn use_passkey(
        &self,
        id: i64,
        uses_before: u32,
        uses: u32,
        backed_up: bool,
        at: Timestamp,
    ) -> Result<bool, StateError> {
        self.write("note the use of a passkey", |t| {
            let noted = t.execute(
                "UPDATE passkeys SET uses = ?3, backed_up = ?4, used_ms = ?5 WHERE id = ?1 AND uses = ?2",
                &values![id, uses_before, uses, backed_up, at],
            )?;
            Ok(noted == 1)
        })
    }

    /// Takes a passkey of an account away.
    pub fn remove_passkey(&self, user_id: i64, id: i64, deed: &Deed) -> Result<(), StateError> {
        self.write_recorded("take a passkey away", std::slice::from_ref(deed), |t| {
            t.execute("DELETE FROM passkeys WHERE user_id = ?1 AND id = ?2", &values![user_id, id]).map(|_| ())
        })
    }

    /// Takes away everything beside the password by which an account proves who it is; for people who lost it all.
    pub fn remove_second_factors(&self, user_id: i64, deed: &Deed) -> Result<(), StateError> {
        self.write_recorded("take second factors away", std::slice::from_ref(deed), |t| {
            for table in ["totp", "recovery_codes", "passkeys"] {
                t.execute(&format!("DELETE FROM {table} WHERE user_id = ?1"), &values![user_id])?;
            }
            t.execute("DELETE FROM sessions WHERE user_id = ?1", &values![user_id]).map(|_| ())
        })
    }
}
