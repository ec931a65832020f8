//! One-time codes and recovery codes. I/O.

use kernel::Timestamp;
use kernel::trail::Deed;

use crate::codec::time;
use crate::db::{Tx, values};
use crate::{SqlResult, State, StateError};

/// That an account uses one-time codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// The secret, sealed by the caller.
    pub sealed: String,
    /// Since when.
    pub made_at: Timestamp,
    /// The last step whose code was taken.
    pub last_step: u64,
}

impl State {
    /// The account's one-time codes; `None` when it uses none.
    pub fn totp(&self, user_id: i64) -> Result<Option<Totp>, StateError> {
        self.read("read one-time codes", |t| {
            t.query_maybe("SELECT sealed, made_ms, last_step FROM totp WHERE user_id = ?1", &values![user_id], |r| {
                Ok(Totp { sealed: r.get(0)?, made_at: time(r, 1)?, last_step: r.get(2)? })
            })
        })
    }

    /// Begins one-time codes for an account, with `step` as the first that was taken, and gives it recovery codes in place of those
    /// it had.
    pub fn enrol_totp(&self, user_id: i64, totp: &Totp, recovery: &[String], deed: &Deed) -> Result<(), StateError> {
        self.write_recorded("store one-time codes", std::slice::from_ref(deed), |t| {
            t.execute(
                "INSERT INTO totp (user_id, sealed, made_ms, last_step) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (user_id) DO UPDATE
                 SET sealed = excluded.sealed, made_ms = excluded.made_ms, last_step = excluded.last_step",
                &values![user_id, totp.sealed, totp.made_at, totp.last_step],
            )?;
            replace_recovery(t, user_id, recovery)
        })
    }

    /// Takes a step: of any number of callers with the same or an older one exactly one gets it.
    pub fn take_totp_step(&self, user_id: i64, step: u64) -> Result<bool, StateError> {
        self.write("take a one-time code", |t| {
            let taken = t.execute(
                "UPDATE totp SET last_step = ?2 WHERE user_id = ?1 AND last_step < ?2",
                &values![user_id, step],
            )?;
            Ok(taken == 1)
        })
    }

    /// Ends one-time codes and recovery codes of an account.
    pub fn remove_totp(&self, user_id: i64, deed: &Deed) -> Result<(), StateError> {
        self.write_recorded("take one-time codes away", std::slice::from_ref(deed), |t| {
            t.execute("DELETE FROM totp WHERE user_id = ?1", &values![user_id])?;
            replace_recovery(t, user_id, &[])
        })
    }

    /// How many recovery codes an account has left.
    pub fn recovery_codes_left(&self, user_id: i64) -> Result<usize, StateError> {
        self.read("count recovery codes", |t| {
            let left: i64 = t.query_one(
                "SELECT count(*) FROM recovery_codes WHERE user_id = ?1 AND used_ms IS NULL",
                &values![user_id],
                |r| r.get(0),
            )?;
            Ok(usize::try_from(left).unwrap_or(0))
        })
    }

    /// Gives an account new recovery codes; the old ones work no longer.
    pub fn replace_recovery_codes(&self, user_id: i64, hashes: &[String], deed: &Deed) -> Result<(), StateError> {
        self.write_recorded("store recovery codes", std::slice::from_ref(deed), |t| {
            replace_recovery(t, user_id, hashes)
        })
    }

    /// Uses a recovery code: of any number of callers exactly one gets it.
    pub fn use_recovery_code(
        &self,
        user_id: i64,
        code_hash: &str,
        at: Timestamp,
        deed: &Deed,
    ) -> Result<bool, StateError> {
        self.write_recorded_if("use a recovery code", deed, |t| {
            let used = t.execute(
                "UPDATE recovery_codes SET used_ms = ?3 WHERE user_id = ?1 AND code_hash = ?2 AND used_ms IS NULL",
                &values![user_id, code_hash, at],
            )?;
            Ok(used == 1)
        })
    }
}

fn replace_recovery(t: &Tx<'_>, user_id: i64, hashes: &[String]) -> SqlResult<()> {
    t.execute("DELETE FROM recovery_codes WHERE user_id = ?1", &values![user_id])?;
    for hash in hashes {
        t.execute("INSERT INTO recovery_codes (user_id, code_hash) VALUES (?1, ?2)", &values![user_id, hash])?;
    }
    Ok(())
}
