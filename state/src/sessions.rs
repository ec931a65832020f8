//! Log-in sessions, known by the hash of their token. I/O.

use std::time::Duration;

use kernel::Timestamp;
use kernel::trail::Deed;

use crate::codec::time;
use crate::db::{Row, SqlResult, Tx, values};
use crate::people::{USER, User, user};
use crate::{State, StateError};

/// That a session is in use is written at most this often: each page would otherwise cost a disk write.
pub const TOUCH_EVERY_MS: i64 = 60_000;

/// Sessions of everybody that are shown at once; a list of more is read by nobody.
const MOST_SHOWN: usize = 500;

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
    /// When its person last proved who they are.
    pub proved_at: Timestamp,
    /// How they proved it when it began; the words are the web's matter.
    pub method: String,
}

const SESSION: &str = "s.token_hash, s.user_id, s.created_ms, s.seen_ms, s.idle_ends_ms, s.ends_ms, s.client, \
                       s.proved_ms, s.method";

/// How many columns [`SESSION`] has.
const COLUMNS: usize = 9;

fn session(r: &Row<'_>) -> SqlResult<Session> {
    Ok(Session {
        token_hash: r.get(0)?,
        user_id: r.get(1)?,
        created_at: time(r, 2)?,
        last_seen_at: time(r, 3)?,
        idle_ends_at: time(r, 4)?,
        ends_at: time(r, 5)?,
        client: r.get(6)?,
        proved_at: time(r, 7)?,
        method: r.get(8)?,
    })
}

impl State {
    /// Begins a session.
    pub fn begin_session(&self, s: &Session, deed: &Deed) -> Result<(), StateError> {
        self.write_recorded("store a session", std::slice::from_ref(deed), |t| insert(t, s))
    }

    /// Gives a session a new secret, and what else is new about it; `false` when it has ended meanwhile.
    pub fn rotate_session(&self, old_hash: &str, s: &Session) -> Result<bool, StateError> {
        self.write("give a session a new secret", |t| {
            let known = t.execute("DELETE FROM sessions WHERE token_hash = ?1", &values![old_hash])? == 1;
            if known {
                insert(t, s)?;
            }
            Ok(known)
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
                |r| Ok((session(r)?, user(r, COLUMNS)?)),
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

    /// Everybody's sessions, those used last first.
    pub fn all_sessions(&self, now: Timestamp) -> Result<Vec<(Session, User)>, StateError> {
        self.read("read the sessions", |t| {
            t.query(
                &format!(
                    "SELECT {SESSION}, {USER} FROM sessions s JOIN users u ON u.id = s.user_id
                     WHERE s.ends_ms > ?1 AND s.idle_ends_ms > ?1 ORDER BY s.seen_ms DESC LIMIT {MOST_SHOWN}"
                ),
                &values![now],
                |r| Ok((session(r)?, user(r, COLUMNS)?)),
            )
        })
    }

    /// Brings the ends of sessions that began under longer limits forward.
    pub fn shorten_sessions(&self, idle: Duration, life: Duration) -> Result<usize, StateError> {
        let ms = |d: Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
        let (idle, life) = (ms(idle), ms(life));
        self.write("shorten the sessions", |t| {
            let ended = t.execute(
                "UPDATE sessions SET ends_ms = created_ms + ?1 WHERE ends_ms > created_ms + ?1",
                &values![life],
            )?;
            let idled = t.execute(
                "UPDATE sessions SET idle_ends_ms = seen_ms + ?1 WHERE idle_ends_ms > seen_ms + ?1",
                &values![idle],
            )?;
            Ok(ended + idled)
        })
    }

    /// Ends one session, as another one takes its place.
    pub fn end_session(&self, token_hash: &str) -> Result<bool, StateError> {
        self.write("end a session", |t| {
            t.execute("DELETE FROM sessions WHERE token_hash = ?1", &values![token_hash]).map(|n| n == 1)
        })
    }

    /// Ends one session by somebody's will.
    pub fn end_session_by(&self, token_hash: &str, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("end a session", deed, |t| {
            t.execute("DELETE FROM sessions WHERE token_hash = ?1", &values![token_hash]).map(|n| n == 1)
        })
    }

    /// Ends all sessions of a user but one; returns how many there were.
    pub fn end_other_sessions(&self, user_id: i64, but: &str, deed: &Deed) -> Result<usize, StateError> {
        self.write_recorded_if("end a user's sessions", deed, |t| {
            t.execute("DELETE FROM sessions WHERE user_id = ?1 AND token_hash <> ?2", &values![user_id, but])
        })
    }

    /// Ends all sessions of a user; returns how many there were.
    pub fn end_sessions(&self, user_id: i64) -> Result<usize, StateError> {
        self.write("end a user's sessions", |t| t.execute("DELETE FROM sessions WHERE user_id = ?1", &values![user_id]))
    }
}

fn insert(t: &Tx<'_>, s: &Session) -> SqlResult<()> {
    t.execute(
        "INSERT INTO sessions (token_hash, user_id, created_ms, seen_ms, idle_ends_ms, ends_ms, client, proved_ms, method)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &values![
            s.token_hash,
            s.user_id,
            s.created_at,
            s.last_seen_at,
            s.idle_ends_at,
            s.ends_at,
            s.client,
            s.proved_at,
            s.method
        ],
    )
    .map(|_| ())
}
