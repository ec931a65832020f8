//! Alerts: the memory of the rules, every firing that was, acknowledgements. I/O.

use std::collections::HashSet;

use kernel::Timestamp;
use kernel::alert::{Alert, AlertEvent, AlertState};
use kernel::trail::Deed;

use crate::codec::{json, like, maybe_time, to_json, whole};
use crate::db::{Cell, Row, SqlResult, Tx, Value, values};
use crate::trail::{append, machine};
use crate::{State, StateError};

/// What one evaluation of one rule group changed.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationCommit {
    /// The plan's system.
    pub system: String,
    /// The rule group.
    pub group: String,
    /// All alerts of the group that are pending or firing now; they replace those of the evaluation before.
    pub active: Vec<Alert>,
    /// What people may have to hear of.
    pub events: Vec<AlertEvent>,
    /// When it was evaluated.
    pub at: Timestamp,
}

/// Which firings to list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertFilter {
    /// Only of this system.
    pub system: Option<String>,
    /// Only those that fire now.
    pub firing_only: bool,
    /// Only those that ended.
    pub past_only: bool,
    /// Only with this text in labels, rule or annotations; upper and lower case are the same.
    pub text: Option<String>,
    /// Only those that began to fire before this time (for the next page of a list).
    pub before: Option<Timestamp>,
    /// At most this many.
    pub limit: usize,
}

impl Default for AlertFilter {
    fn default() -> Self {
        Self { system: None, firing_only: false, past_only: false, text: None, before: None, limit: 100 }
    }
}

/// That a person took notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// With which words; may be empty.
    pub note: String,
}

/// One firing.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRecord {
    /// The alert as it is now, or as it was when it ended.
    pub alert: Alert,
    /// Identity of the firing.
    pub firing_id: String,
    /// Who took notice of it.
    pub acknowledged: Option<Acknowledgement>,
}

impl State {
    /// The pending and firing alerts of a system, in the order of their groups: what the rules start from.
    pub fn active_alerts(&self, system: &str) -> Result<Vec<Alert>, StateError> {
        self.read("read the active alerts", |t| {
            t.query("SELECT json FROM active_alerts WHERE system = ?1 ORDER BY grp, place", &values![system], |r| {
                json(r, 0)
            })
        })
    }

    /// Stores an evaluation: the group's active alerts, the history and the events, all or nothing.
    ///
    /// A firing of the group that is in the history but no longer active is closed at `at`, so that what the history
    /// shows as firing is what the rules say. An event that is stored already stays as it is. Returns how many events
    /// were new. An evaluation that changes nothing (nothing active before and after) does not touch the disk.
    pub fn commit_evaluation(&self, commit: &EvaluationCommit) -> Result<usize, StateError> {
        if commit.active.is_empty() && commit.events.is_empty() && !self.has_active(&commit.system, &commit.group)? {
            return Ok(0);
        }
        self.write("store an evaluation of the rules", |t| {
            replace_active(t, commit)?;
            for alert in commit.active.iter().filter(|a| a.state != AlertState::Pending) {
                upsert_history(t, alert)?;
            }
            let (mut stored, mut told) = (0, Vec::new());
            for event in &commit.events {
                let new = insert_event(t, event)?;
                stored += new;
                if new > 0 {
                    told.extend(machine::of_event(event));
                }
                if event.alert.fired_at.is_some() {
                    upsert_history(t, &event.alert)?;
                }
            }
            told.extend(close_vanished(t, commit)?.iter().map(|ended| machine::of_vanished(ended, commit.at)));
            append(t, &told)?;
            Ok(stored)
        })
    }

    fn has_active(&self, system: &str, group: &str) -> Result<bool, StateError> {
        self.read("read the active alerts", |t| {
            t.exists("SELECT 1 FROM active_alerts WHERE system = ?1 AND grp = ?2 LIMIT 1", &values![system, group])
        })
    }

    /// The firings that fulfil a filter, newest first.
    pub fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRecord>, StateError> {
        self.read("read the alerts", |t| {
            t.query(
                "SELECT json, firing_id, ack_by, ack_ms, ack_note FROM alerts
                 WHERE (system = ?1 OR ?1 IS NULL)
                   AND (NOT ?2 OR resolved_ms IS NULL) AND (NOT ?3 OR resolved_ms IS NOT NULL)
                   AND (search LIKE ?4 ESCAPE '\\' OR ?4 IS NULL)
                   AND (fired_ms < ?5 OR ?5 IS NULL)
                 ORDER BY fired_ms DESC, firing_id LIMIT ?6",
                &values![
                    filter.system,
                    filter.firing_only,
                    filter.past_only,
                    filter.text.as_deref().map(like),
                    filter.before.map(Timestamp::as_millis),
                    whole(filter.limit)
                ],
                record,
            )
        })
    }

    /// One firing.
    pub fn alert(&self, firing_id: &str) -> Result<Option<AlertRecord>, StateError> {
        self.read("read an alert", |t| {
            t.query_maybe(
                "SELECT json, firing_id, ack_by, ack_ms, ack_note FROM alerts WHERE firing_id = ?1",
                &values![firing_id],
                record,
            )
        })
    }

    /// Everything that was told of one firing, oldest first.
    pub fn events_of(&self, firing_id: &str) -> Result<Vec<AlertEvent>, StateError> {
        self.read("read the events of an alert", |t| {
            t.query("SELECT json FROM events WHERE firing_id = ?1 ORDER BY at_ms, id", &values![firing_id], |r| {
                json(r, 0)
            })
        })
    }

    /// Notes that a person took notice of a firing. The first acknowledgement stays; the one that stands is returned,
    /// `None` when there is no such firing.
    pub fn acknowledge(
        &self,
        firing_id: &str,
        by: &str,
        at: Timestamp,
        note: &str,
        deed: &Deed,
    ) -> Result<Option<Acknowledgement>, StateError> {
        self.write("store an acknowledgement", |t| {
            let first = t.execute(
                "UPDATE alerts SET ack_by = ?2, ack_ms = ?3, ack_note = ?4 WHERE firing_id = ?1 AND ack_by IS NULL",
                &values![firing_id, by, at.as_millis(), note],
            )?;
            let found = t.query_maybe(
                "SELECT json, firing_id, ack_by, ack_ms, ack_note FROM alerts WHERE firing_id = ?1",
                &values![firing_id],
                record,
            )?;
            if first > 0 {
                append(t, [deed])?;
            }
            Ok(found.and_then(|r| r.acknowledged))
        })
    }
}

fn record(row: &Row<'_>) -> SqlResult<AlertRecord> {
    let by: Option<String> = row.get(2)?;
    let acknowledged = match (by, maybe_time(row, 3)?) {
        (Some(by), Some(at)) => {
            Some(Acknowledgement { by, at, note: row.get::<Option<String>>(4)?.unwrap_or_default() })
        }
        _ => None,
    };
    Ok(AlertRecord { alert: json(row, 0)?, firing_id: row.get(1)?, acknowledged })
}

fn replace_active(t: &Tx<'_>, commit: &EvaluationCommit) -> SqlResult<()> {
    t.execute(
        "DELETE FROM active_alerts WHERE system = ?1 AND grp = ?2 AND place >= ?3",
        &values![commit.system, commit.group, whole(commit.active.len())],
    )?;
    let mut rows = Vec::with_capacity(commit.active.len());
    for (place, alert) in commit.active.iter().enumerate() {
        rows.push([commit.system.value(), commit.group.value(), Value::Int(whole(place)), to_json(alert)?.into()]);
    }
    t.execute_many(
        "INSERT INTO active_alerts (system, grp, place, json) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (system, grp, place) DO UPDATE SET json = excluded.json WHERE active_alerts.json <> excluded.json",
        &rows,
    )?;
    Ok(())
}

/// Stores a firing as it is now. One that has ended never opens again under the same identity.
fn upsert_history(t: &Tx<'_>, alert: &Alert) -> SqlResult<()> {
    t.execute(
        "INSERT INTO alerts (firing_id, system, grp, fired_ms, resolved_ms, search, json)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (firing_id) DO UPDATE
         SET resolved_ms = excluded.resolved_ms, search = excluded.search, json = excluded.json
         WHERE alerts.resolved_ms IS NULL AND alerts.json <> excluded.json",
        &values![
            alert.firing_id(),
            alert.system,
            alert.group,
            alert.fired_at.unwrap_or(alert.active_at).as_millis(),
            alert.resolved_at.map(Timestamp::as_millis),
            search_text(alert),
            to_json(alert)?
        ],
    )?;
    Ok(())
}

fn search_text(alert: &Alert) -> String {
    let mut text = format!("{} {} {}", alert.system, alert.group, alert.rule);
    for (_, value) in alert.labels.iter().chain(alert.annotations.iter()) {
        text.push(' ');
        text.push_str(value);
    }
    text.to_lowercase()
}

fn insert_event(t: &Tx<'_>, event: &AlertEvent) -> SqlResult<usize> {
    t.execute(
        "INSERT INTO events (id, system, at_ms, firing_id, json) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO NOTHING",
        &values![event.id, event.alert.system, event.at.as_millis(), event.alert.firing_id(), to_json(event)?],
    )
}

/// Closes the group's open firings that are not among the active ones; returns them.
fn close_vanished(t: &Tx<'_>, commit: &EvaluationCommit) -> SqlResult<Vec<Alert>> {
    let open: Vec<String> = t.query(
        "SELECT firing_id FROM alerts WHERE system = ?1 AND grp = ?2 AND resolved_ms IS NULL",
        &values![&commit.system, &commit.group],
        |r| r.get(0),
    )?;
    let active: HashSet<String> =
        commit.active.iter().filter(|a| a.state == AlertState::Firing).map(Alert::firing_id).collect();
    let mut closed = Vec::new();
    for id in open.into_iter().filter(|id| !active.contains(id)) {
        let alert: Alert =
            t.query_one("SELECT json FROM alerts WHERE firing_id = ?1", &values![&id], |r| json(r, 0))?;
        let ended = Alert { state: AlertState::Resolved, resolved_at: Some(commit.at), ..alert };
        t.execute(
            "UPDATE alerts SET resolved_ms = ?2, json = ?3 WHERE firing_id = ?1",
            &values![id, commit.at.as_millis(), to_json(&ended)?],
        )?;
        closed.push(ended);
    }
    Ok(closed)
}
