//! From events to the outbox: what is undecided, what waits, and the one transaction that decides. I/O.

use kernel::Timestamp;
use kernel::alert::AlertEvent;
use kernel::message::{HeldItem, OutboxEntry};

use crate::codec::{json, time, to_json, whole};
use crate::db::values;
use crate::outbox::insert_entry;
use crate::{State, StateError};

/// What one turn of deciding deliveries changes, all or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeliveryCommit {
    /// Ids of the events that are decided now.
    pub decided: Vec<String>,
    /// Items that wait from now on; one that waits already stays as it is.
    pub hold: Vec<HeldItem>,
    /// Ids of the items that wait no longer.
    pub release: Vec<String>,
    /// Messages to send; a key that is stored already stays as it is.
    pub outbox: Vec<OutboxEntry>,
    /// Times to remember, such as that of the last digest.
    pub marks: Vec<(String, Timestamp)>,
}

impl State {
    /// The system's events from which no deliveries were decided yet, oldest first.
    pub fn undecided_events(&self, system: &str, limit: usize) -> Result<Vec<AlertEvent>, StateError> {
        self.read("read the undecided events", |t| {
            t.query(
                "SELECT json FROM events WHERE system = ?1 AND decided = 0 ORDER BY at_ms, id LIMIT ?2",
                &values![system, whole(limit)],
                |r| json(r, 0),
            )
        })
    }

    /// The system's items that wait for their class's delay or the digest, the most pressing first.
    pub fn held_items(&self, system: &str) -> Result<Vec<HeldItem>, StateError> {
        self.read("read the waiting items", |t| {
            t.query("SELECT json FROM held WHERE system = ?1 ORDER BY due_ms, id", &values![system], |r| json(r, 0))
        })
    }

    /// Stores what was decided; returns how many outbox entries were new.
    pub fn commit_deliveries(&self, commit: &DeliveryCommit) -> Result<usize, StateError> {
        if *commit == DeliveryCommit::default() {
            return Ok(0);
        }
        self.write("store decided deliveries", |t| {
            for id in &commit.decided {
                t.execute("UPDATE events SET decided = 1 WHERE id = ?1", &values![id])?;
            }
            for item in &commit.hold {
                t.execute(
                    "INSERT INTO held (id, system, severity, due_ms, json) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (id) DO NOTHING",
                    &values![item.id, item.system, item.severity, item.due_at.as_millis(), to_json(item)?],
                )?;
            }
            for id in &commit.release {
                t.execute("DELETE FROM held WHERE id = ?1", &values![id])?;
            }
            let mut stored = 0;
            for entry in &commit.outbox {
                stored += insert_entry(t, entry)?;
            }
            for (key, at) in &commit.marks {
                t.execute(
                    "INSERT INTO marks (key, at_ms) VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET at_ms = excluded.at_ms",
                    &values![key, at.as_millis()],
                )?;
            }
            Ok(stored)
        })
    }

    /// A remembered time.
    pub fn mark(&self, key: &str) -> Result<Option<Timestamp>, StateError> {
        self.read("read a remembered time", |t| {
            t.query_maybe("SELECT at_ms FROM marks WHERE key = ?1", &values![key], |r| time(r, 0))
        })
    }
}
