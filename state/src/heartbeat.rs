//! Heartbeats: the token in a check's URL, and the calls that came. I/O.
//!
//! The token lets nobody do anything but say "I live", and the page shows the URL again and again; so, unlike every
//! other token, it is kept as it is and not as a hash.

use kernel::heartbeat::Ping;
use kernel::probe::CheckId;

use crate::codec::{json, to_json, whole};
use crate::db::values;
use crate::{State, StateError};

/// Calls kept per check.
pub const PINGS_KEPT: i64 = 200;

/// Random bytes of a token.
const TOKEN_BYTES: usize = 16;

impl State {
    /// The token of a check's URL, made at the first call and the same ever after.
    pub fn heartbeat_token(&self, check: &CheckId) -> Result<String, StateError> {
        let name = check.to_string();
        let known = self.read("read a heartbeat's token", |t| {
            t.query_maybe("SELECT token FROM heartbeats WHERE name = ?1", &values![&name], |r| r.get(0))
        })?;
        if let Some(token) = known {
            return Ok(token);
        }
        let fresh: String = rand::random::<[u8; TOKEN_BYTES]>().iter().map(|b| format!("{b:02x}")).collect();
        self.write("store a heartbeat's token", |t| {
            t.execute(
                "INSERT INTO heartbeats (name, token) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
                &values![&name, &fresh],
            )?;
            t.query_one("SELECT token FROM heartbeats WHERE name = ?1", &values![&name], |r| r.get(0))
        })
    }

    /// Sets the token of a check's URL to the one that the plan names. `false` when another check has it already.
    pub fn set_heartbeat_token(&self, check: &CheckId, token: &str) -> Result<bool, StateError> {
        let name = check.to_string();
        self.write("store a heartbeat's token", |t| {
            let owner: Option<String> =
                t.query_maybe("SELECT name FROM heartbeats WHERE token = ?1", &values![token], |r| r.get(0))?;
            if let Some(owner) = owner {
                return Ok(owner == name);
            }
            t.execute(
                "INSERT INTO heartbeats (name, token) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET token = ?2",
                &values![&*name, token],
            )?;
            Ok(true)
        })
    }

    /// The check that a token belongs to.
    pub fn check_by_token(&self, token: &str) -> Result<Option<CheckId>, StateError> {
        let name: Option<String> = self.read("look a heartbeat's token up", |t| {
            t.query_maybe("SELECT name FROM heartbeats WHERE token = ?1", &values![token], |r| r.get(0))
        })?;
        Ok(name.as_deref().and_then(CheckId::parse))
    }

    /// Records a call; the newest [`PINGS_KEPT`] of a check are kept.
    pub fn record_ping(&self, check: &CheckId, ping: &Ping) -> Result<(), StateError> {
        let name = check.to_string();
        self.write("store a heartbeat", |t| {
            t.execute(
                "INSERT INTO pings (name, at_ms, json) VALUES (?1, ?2, ?3)",
                &values![name, ping.at.as_millis(), to_json(ping)?],
            )?;
            t.execute(
                "DELETE FROM pings WHERE name = ?1 AND id NOT IN
                     (SELECT id FROM pings WHERE name = ?1 ORDER BY at_ms DESC, id DESC LIMIT ?2)",
                &values![name, PINGS_KEPT],
            )
            .map(|_| ())
        })
    }

    /// A check's calls, newest first.
    pub fn pings(&self, check: &CheckId, limit: usize) -> Result<Vec<Ping>, StateError> {
        self.read("read the heartbeats", |t| {
            t.query(
                "SELECT json FROM pings WHERE name = ?1 ORDER BY at_ms DESC, id DESC LIMIT ?2",
                &values![check.to_string(), whole(limit)],
                |r| json(r, 0),
            )
        })
    }
}
