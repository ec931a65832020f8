//! The break-glass account's sealed code: made once, good once, its use told to everybody in the same transaction. I/O.

use kernel::Timestamp;
use kernel::message::OutboxEntry;
use kernel::trail::Deed;

use crate::codec::{maybe_time, time};
use crate::db::values;
use crate::{State, StateError};

/// The newest sealed code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The account it opens.
    pub user_id: i64,
    /// When it was made.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// When it was used; then it must be made anew.
    pub used_at: Option<Timestamp>,
    /// From where it was used.
    pub used_from: Option<String>,
    /// What whoever used it gave as the reason.
    pub reason: Option<String>,
}

impl State {
    /// The newest sealed code; `None` when there never was one.
    pub fn seal(&self) -> Result<Option<Seal>, StateError> {
        self.read("read the seal", |t| {
            t.query_maybe(
                "SELECT user_id, made_ms, made_by, used_ms, used_from, reason FROM seals ORDER BY id DESC LIMIT 1",
                &[],
                |r| {
                    Ok(Seal {
                        user_id: r.get(0)?,
                        made_at: time(r, 1)?,
                        made_by: r.get(2)?,
                        used_at: maybe_time(r, 3)?,
                        used_from: r.get(4)?,
                        reason: r.get(5)?,
                    })
                },
            )
        })
    }

    /// Seals a new code for an account; one that was not used works no longer.
    pub fn renew_seal(
        &self,
        code_hash: &str,
        user_id: i64,
        by: &str,
        at: Timestamp,
        deed: &Deed,
    ) -> Result<(), StateError> {
        self.write_recorded("store the seal", std::slice::from_ref(deed), |t| {
            t.execute("DELETE FROM seals WHERE used_ms IS NULL", &[])?;
            t.execute(
                "INSERT INTO seals (code_hash, user_id, made_ms, made_by) VALUES (?1, ?2, ?3, ?4)",
                &values![code_hash, user_id, at, by],
            )
            .map(|_| ())
        })
    }

    /// The account that a code opens, without using it.
    pub fn sealed_account(&self, code_hash: &str) -> Result<Option<i64>, StateError> {
        self.read("look at the seal", |t| {
            t.query_maybe(
                "SELECT s.user_id FROM seals s JOIN users u ON u.id = s.user_id
                 WHERE s.code_hash = ?1 AND s.used_ms IS NULL AND u.disabled = 0",
                &values![code_hash],
                |r| r.get(0),
            )
        })
    }

    /// Breaks the seal: the code is used up, and what tells everybody of it stands in the outbox, or none of both. Of any number of
    /// callers with the same code exactly one gets in.
    pub fn break_seal(
        &self,
        code_hash: &str,
        from: &str,
        reason: &str,
        at: Timestamp,
        alarms: &[OutboxEntry],
        deed: &Deed,
    ) -> Result<bool, StateError> {
        if self.sealed_account(code_hash)?.is_none() {
            return Ok(false);
        }
        self.write_recorded_if("break the seal", deed, |t| {
            let broken = t.execute(
                "UPDATE seals SET used_ms = ?2, used_from = ?3, reason = ?4 WHERE code_hash = ?1 AND used_ms IS NULL",
                &values![code_hash, at, from, reason],
            )?;
            if broken == 1 {
                alarms.iter().try_for_each(|entry| crate::outbox::insert_entry(t, entry).map(|_| ()))?;
            }
            Ok(broken == 1)
        })
    }
}
