//! What was begun and waits for its second half, known by the hash of a secret in the browser. I/O.

use kernel::Timestamp;

use crate::codec::time;
use crate::db::{Row, values};
use crate::{SqlResult, State, StateError};

/// Ceremonies kept at once: they live for minutes, and anybody may begin one. The oldest make room.
pub const CEREMONIES: i64 = 10_000;

/// Something begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceremony {
    /// Hash of the secret in the browser's cookie.
    pub token_hash: String,
    /// What for; the words are the web's matter.
    pub purpose: String,
    /// Whose, where that is known.
    pub user_id: Option<i64>,
    /// What must be known at the end.
    pub data: String,
    /// How often the end was tried.
    pub tries: u32,
    /// Good until then.
    pub expires_at: Timestamp,
}

const CEREMONY: &str = "token_hash, purpose, user_id, data, tries, expires_ms";

fn ceremony(r: &Row<'_>) -> SqlResult<Ceremony> {
    Ok(Ceremony {
        token_hash: r.get(0)?,
        purpose: r.get(1)?,
        user_id: r.get(2)?,
        data: r.get(3)?,
        tries: r.get(4)?,
        expires_at: time(r, 5)?,
    })
}

impl State {
    /// Begins something; what has ended goes.
    pub fn begin_ceremony(&self, new: &Ceremony, now: Timestamp) -> Result<(), StateError> {
        self.write("begin a log-in", |t| {
            t.execute("DELETE FROM ceremonies WHERE expires_ms <= ?1", &values![now])?;
            t.execute(
                "DELETE FROM ceremonies WHERE token_hash IN
                 (SELECT token_hash FROM ceremonies ORDER BY expires_ms DESC LIMIT 1000 OFFSET ?1)",
                &values![CEREMONIES],
            )?;
            t.execute(
                "INSERT INTO ceremonies (token_hash, purpose, user_id, data, tries, expires_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &values![new.token_hash, new.purpose, new.user_id, new.data, new.tries, new.expires_at],
            )
            .map(|_| ())
        })
    }

    /// Looks at something begun.
    pub fn ceremony(&self, token_hash: &str, purpose: &str, now: Timestamp) -> Result<Option<Ceremony>, StateError> {
        self.read("read what was begun", |t| {
            t.query_maybe(
                &format!(
                    "SELECT {CEREMONY} FROM ceremonies WHERE token_hash = ?1 AND purpose = ?2 AND expires_ms > ?3"
                ),
                &values![token_hash, purpose, now],
                ceremony,
            )
        })
    }

    /// Ends something begun: of any number of callers exactly one gets it.
    pub fn take_ceremony(
        &self,
        token_hash: &str,
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<Ceremony>, StateError> {
        self.write("end what was begun", |t| {
            t.query_maybe(
                &format!(
                    "DELETE FROM ceremonies WHERE token_hash = ?1 AND purpose = ?2 AND expires_ms > ?3
                     RETURNING {CEREMONY}"
                ),
                &values![token_hash, purpose, now],
                ceremony,
            )
        })
    }

    /// Notes a try that failed; after `most` of them the ceremony is gone. Returns whether it goes on.
    pub fn note_try(&self, token_hash: &str, most: u32) -> Result<bool, StateError> {
        self.write("note a failed try", |t| {
            t.execute("UPDATE ceremonies SET tries = tries + 1 WHERE token_hash = ?1", &values![token_hash])?;
            t.execute("DELETE FROM ceremonies WHERE token_hash = ?1 AND tries >= ?2", &values![token_hash, most])?;
            t.exists("SELECT 1 FROM ceremonies WHERE token_hash = ?1", &values![token_hash])
        })
    }
}
