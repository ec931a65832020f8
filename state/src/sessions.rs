//! Log-in sessions, known by the hash of their token. I/O.

use kernel::Timestamp;

use crate::codec::time;
use crate::db::{Row, SqlResult, values};
use crate::people::{USER, User, user};
use crate::{State, StateError};

/// That a session is in use is written at most this often: each page would otherwise cost a disk write.
pub const TOUCH_EVERY_MS: i64 = 60_000;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Hash of the token in the cookie.
    pub token_hash: String,
    /// Whose.
    pub user_id: i64,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to [`TOUCH_EVERY_MS`].
    pub last_seen_at: Timestamp,
    /// Ends at this time unless it is used before.
    pub idle_ends_at: Timestamp,
    /// Ends at this time in any case.
    pub ends_at: Timestamp,
    /// The browser and address it was begun from, for the list of one's sessions.
    pub client: String,
}

const SESSION: &str = "s.token_hash, s.user_id, s.created_ms, s.seen_ms, s.idle_ends_ms, s.ends_ms, s.client";

fn session(r: &Row<'_>) -> SqlResult<Session> {
    Ok(Session {
        token_hash: r.get(0)?,
        user_id: r.get(1)?,
        created_at: time(r, 2)?,
        last_seen_at: time(r, 3)?,
        idle_ends_at: time(r, 4)?,
        ends_at: time(r, 5)?,
        client: r.get(6)?,
    })
}

impl State {
    /// Begins a session.
    pub fn create_session(&self, s: &Session) -> Result<(), StateError> {
        self.write("store a session", |t| {
            t.execute(
                "INSERT INTO sessions (token_hash, user_id, created_ms, seen_ms, idle_ends_ms, ends_ms, client)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &values![
                    s.token_hash,
                    s.user_id,
                    s.created_at.as_millis(),
                    s.last_seen_at.as_millis(),
                    s.idle_ends_at.as_millis(),
                    s.ends_at.as_millis(),
                    s.client
                ],
            )
            .map(|_| ())
        })
    }

    /// The session of a token and its user; `None` when it ended, never was, or the user may not log in.
    pub fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<(Session, User)>, StateError> {
        self.read("read a session", |t| {
            t.query_maybe(
                &format!(
                    "SELECT {SESSION}, {USER} FROM sessions s JOIN users u ON u.id = s.user_id
                 WHERE s.token_hash = ?1 AND s.ends_ms > ?2 AND s.idle_ends_ms > ?2 AND u.disabled = 0"
                ),
                &values![token_hash, now.as_millis()],
                |r| Ok((session(r)?, user(r, 7)?)),
            )
        })
    }

    /// Notes that a session is in use and moves its idle end; does nothing when that was noted a moment ago.
    pub fn touch_session(&self, session: &Session, now: Timestamp, idle_ends_at: Timestamp) -> Result<(), StateError> {
        if now.as_millis() - session.last_seen_at.as_millis() < TOUCH_EVERY_MS {
            return Ok(());
        }
        self.write("note that a session is in use", |t| {
            t.execute(
                "UPDATE sessions SET seen_ms = ?2, idle_ends_ms = ?3 WHERE token_hash = ?1",
                &values![session.token_hash, now.as_millis(), idle_ends_at.as_millis()],
            )
            .map(|_| ())
        })
    }

    /// A user's sessions, newest first.
    pub fn sessions(&self, user_id: i64, now: Timestamp) -> Result<Vec<Session>, StateError> {
        self.read("read the sessions", |t| {
            t.query(
                &format!(
                    "SELECT {SESSION} FROM sessions s WHERE user_id = ?1 AND ends_ms > ?2 AND idle_ends_ms > ?2
                 ORDER BY created_ms DESC"
                ),
                &values![user_id, now.as_millis()],
                session,
            )
        })
    }

    /// Ends one session.
    pub fn end_session(&self, token_hash: &str) -> Result<bool, StateError> {
        self.write("end a session", |t| {
            t.execute("DELETE FROM sessions WHERE token_hash = ?1", &values![token_hash]).map(|n| n == 1)
        })
    }

    /// Ends all sessions of a user; returns how many there were.
    pub fn end_sessions(&self, user_id: i64) -> Result<usize, StateError> {
        self.write("end a user's sessions", |t| t.execute("DELETE FROM sessions WHERE user_id = ?1", &values![user_id]))
    }
}
