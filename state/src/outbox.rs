//! The outbox and the delivery log: every message on its way out, every try. I/O.

use kernel::Timestamp;
use kernel::message::{AttemptResult, DeliveryAttempt, DeliveryState, OutboxEntry};
use kernel::trail::Deed;

use crate::codec::{from_word, json, maybe_time, time, to_json, whole, word};
use crate::db::{Row, SqlResult, Tx, Value, values};
use crate::trail::{append, machine};
use crate::{State, StateError};

/// Which outbox entries to list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxFilter {
    /// Only of this system.
    pub system: Option<String>,
    /// Only to this channel.
    pub channel: Option<String>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only those stored before this time (for the next page of a list).
    pub before: Option<Timestamp>,
    /// At most this many.
    pub limit: usize,
}

impl Default for OutboxFilter {
    fn default() -> Self {
        Self { system: None, channel: None, state: None, before: None, limit: 100 }
    }
}

/// An outbox entry as the delivery log shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxRecord {
    /// The entry.
    pub entry: OutboxEntry,
    /// Who confirmed that it was said, and when; only for a person as channel.
    pub confirmed: Option<(String, Timestamp)>,
    /// The last try.
    pub last_attempt: Option<DeliveryAttempt>,
}

/// How many entries of a system are in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxCount {
    /// The plan's system.
    pub system: String,
    /// The state.
    pub state: DeliveryState,
    /// How many.
    pub count: u64,
    /// The earliest time at which one of them was stored.
    pub oldest_at: Timestamp,
}

const ENTRY: &str = "key, system, channel, state, tries, due_ms, created_ms, fallen_from, message";

fn entry(r: &Row<'_>) -> SqlResult<OutboxEntry> {
    Ok(OutboxEntry {
        key: r.get(0)?,
        system: r.get(1)?,
        channel: r.get(2)?,
        state: from_word(r, 3)?,
        tries: r.get(4)?,
        due_at: time(r, 5)?,
        created_at: time(r, 6)?,
        fallen_from: json(r, 7)?,
        message: json(r, 8)?,
    })
}

/// Stores an entry unless its key is known; returns how many were stored, 0 or 1.
pub(crate) fn insert_entry(t: &Tx<'_>, e: &OutboxEntry) -> SqlResult<usize> {
    t.execute(
        "INSERT INTO outbox (key, system, channel, state, tries, due_ms, created_ms, fallen_from, message)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (key) DO NOTHING",
        &values![
            e.key,
            e.system,
            e.channel,
            word(&e.state)?,
            e.tries,
            e.due_at.as_millis(),
            e.created_at.as_millis(),
            to_json(&e.fallen_from)?,
            to_json(&e.message)?
        ],
    )
}

impl State {
    /// The entries whose time has come, the longest due first.
    pub fn due_outbox(&self, now: Timestamp, limit: usize) -> Result<Vec<OutboxEntry>, StateError> {
        self.read("read the outbox", |t| {
            t.query(&format!(
                "SELECT {ENTRY} FROM outbox WHERE state = 'queued' AND due_ms <= ?1 ORDER BY due_ms, created_ms LIMIT ?2"
            ), &values![now.as_millis(), whole(limit)], entry)
        })
    }

    /// When the next queued entry is due; `None` when none is queued.
    pub fn next_due(&self) -> Result<Option<Timestamp>, StateError> {
        self.read("read the outbox", |t| {
            t.query_one("SELECT min(due_ms) FROM outbox WHERE state = 'queued'", &[], |r| maybe_time(r, 0))
        })
    }

    /// Queues again what a crash interrupted: for each of these the other side may have taken the message already.
    /// To be called once at start, before the first try. Returns the entries.
    pub fn requeue_interrupted(&self) -> Result<Vec<OutboxEntry>, StateError> {
        self.write("queue interrupted deliveries again", |t| {
            t.query(
                &format!("UPDATE outbox SET state = 'queued' WHERE state = 'sending' RETURNING {ENTRY}"),
                &[],
                entry,
            )
        })
    }

    /// Notes, before anything goes out, that a try begins. `false` when the entry is not queued any more.
    pub fn begin_attempt(&self, key: &str, at: Timestamp) -> Result<bool, StateError> {
        self.write("note the beginning of a delivery", |t| {
            t.execute(
                "UPDATE outbox SET state = 'sending', tries = tries + 1, due_ms = ?2
                 WHERE key = ?1 AND state = 'queued'",
                &values![key, at.as_millis()],
            )
            .map(|n| n == 1)
        })
    }

    /// Stores what became of a try, the entry's new state and the entry of the fallback channel, all or nothing. A try that
    /// is stored already stays as it is: whoever does not know whether it was stored may store it again.
    pub fn finish_attempt(
        &self,
        attempt: &DeliveryAttempt,
        entry: &OutboxEntry,
        fallback: Option<&OutboxEntry>,
    ) -> Result<(), StateError> {
        self.write("store what became of a delivery", |t| {
            let known = "SELECT 1 FROM attempts WHERE key = ?1 AND channel = ?2 AND at_ms = ?3";
            if t.exists(known, &values![attempt.key, attempt.channel, attempt.at])? {
                return Ok(());
            }
            t.execute(
                "INSERT INTO attempts (key, system, channel, at_ms, took_ms, result, json)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &values![
                    attempt.key,
                    entry.system,
                    attempt.channel,
                    attempt.at.as_millis(),
                    i64::try_from(attempt.took_ms).unwrap_or(i64::MAX),
                    result_word(&attempt.result),
                    to_json(attempt)?
                ],
            )?;
            t.execute(
                "UPDATE outbox SET state = ?2, tries = ?3, due_ms = ?4, fallen_from = ?5, message = ?6 WHERE key = ?1",
                &values![
                    entry.key,
                    word(&entry.state)?,
                    entry.tries,
                    entry.due_at.as_millis(),
                    to_json(&entry.fallen_from)?,
                    to_json(&entry.message)?
                ],
            )?;
            if let Some(fallback) = fallback {
                insert_entry(t, fallback)?;
            }
            append(t, machine::of_attempt(attempt, entry, fallback).as_ref())?;
            Ok(())
        })
    }

    /// Puts an entry off without a try (rate limit, channel not usable yet).
    pub fn postpone(&self, key: &str, due_at: Timestamp) -> Result<bool, StateError> {
        self.write("put a delivery off", |t| {
            t.execute(
                "UPDATE outbox SET due_ms = ?2 WHERE key = ?1 AND state = 'queued'",
                &values![key, due_at.as_millis()],
            )
            .map(|n| n == 1)
        })
    }

    /// A person wants it tried again, now: one that waits, or one that was given up. `false` when it is neither.
    pub fn retry_now(&self, key: &str, at: Timestamp, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("queue a delivery again", deed, |t| {
            t.execute(
                "UPDATE outbox SET state = 'queued', due_ms = ?2 WHERE key = ?1 AND state IN ('queued', 'failed')",
                &values![key, at.as_millis()],
            )
            .map(|n| n == 1)
        })
    }

    /// A person says that the message was passed on. `false` when the entry does not wait for one.
    pub fn confirm_by_person(&self, key: &str, by: &str, at: Timestamp, deed: &Deed) -> Result<bool, StateError> {
        self.write_recorded_if("store a confirmation", deed, |t| {
            t.execute(
                "UPDATE outbox SET state = 'sent', confirmed_by = ?2, confirmed_ms = ?3
                 WHERE key = ?1 AND state = 'awaiting_person'",
                &values![key, by, at.as_millis()],
            )
            .map(|n| n == 1)
        })
    }

    /// The entries that fulfil a filter, newest first.
    pub fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<OutboxRecord>, StateError> {
        let state = filter.state.map(|s| word(&s)).transpose();
        self.read("read the deliveries", |t| {
            t.query(
                &format!(
                    "SELECT {ENTRY}, confirmed_by, confirmed_ms,
                        (SELECT json FROM attempts a WHERE a.key = outbox.key ORDER BY a.id DESC LIMIT 1)
                 FROM outbox
                 WHERE (system = ?1 OR ?1 IS NULL) AND (channel = ?2 OR ?2 IS NULL) AND (state = ?3 OR ?3 IS NULL)
                   AND (created_ms < ?4 OR ?4 IS NULL)
                 ORDER BY created_ms DESC, key LIMIT ?5"
                ),
                &values![
                    filter.system,
                    filter.channel,
                    state?,
                    filter.before.map(Timestamp::as_millis),
                    whole(filter.limit)
                ],
                record,
            )
        })
    }

    /// One entry.
    pub fn outbox_entry(&self, key: &str) -> Result<Option<OutboxEntry>, StateError> {
        self.read("read a delivery", |t| {
            t.query_maybe(&format!("SELECT {ENTRY} FROM outbox WHERE key = ?1"), &values![key], entry)
        })
    }

    /// The tries of one entry, oldest first.
    pub fn attempts(&self, key: &str) -> Result<Vec<DeliveryAttempt>, StateError> {
        self.read("read the delivery log", |t| {
            t.query("SELECT json FROM attempts WHERE key = ?1 ORDER BY id", &values![key], |r| json(r, 0))
        })
    }

    /// When a system's channel last took messages, since a time, oldest first: what its rate limit counts.
    pub fn sent_times(&self, system: &str, channel: &str, since: Timestamp) -> Result<Vec<Timestamp>, StateError> {
        self.read("read the delivery log", |t| {
            t.query(
                "SELECT at_ms FROM attempts
                 WHERE system = ?1 AND channel = ?2 AND at_ms >= ?3 AND result = 'taken' ORDER BY at_ms",
                &values![system, channel, since.as_millis()],
                |r| time(r, 0),
            )
        })
    }

    /// How many entries wait for a channel (queued, being sent, or for a person), by system and channel.
    pub fn outbox_waiting(&self) -> Result<Vec<(String, String, u64)>, StateError> {
        self.read("count what waits", |t| {
            t.query(
                "SELECT system, channel, count(*) FROM outbox
                 WHERE state IN ('queued', 'sending', 'awaiting_person')
                 GROUP BY system, channel ORDER BY system, channel",
                &[],
                |r| Ok((r.get(0)?, r.get(1)?, r.get::<i64>(2)?.unsigned_abs())),
            )
        })
    }

    /// How many entries are in which state, by system.
    pub fn outbox_counts(&self) -> Result<Vec<OutboxCount>, StateError> {
        self.read("count the deliveries", |t| {
            t.query("SELECT system, state, count(*), min(created_ms) FROM outbox GROUP BY system, state ORDER BY system, state", &[], |r| {
                    Ok(OutboxCount {
                        system: r.get(0)?,
                        state: from_word(r, 1)?,
                        count: r.get::<i64>(2)?.unsigned_abs(),
                        oldest_at: time(r, 3)?,
                    })
                })
        })
    }
}

fn record(r: &Row<'_>) -> SqlResult<OutboxRecord> {
    let by: Option<String> = r.get(9)?;
    let last_attempt = if r.value(11)? == Value::Null { None } else { Some(json(r, 11)?) };
    Ok(OutboxRecord { entry: entry(r)?, confirmed: by.zip(maybe_time(r, 10)?), last_attempt })
}

const fn result_word(result: &AttemptResult) -> &'static str {
    match result {
        AttemptResult::Taken { .. } => "taken",
        AttemptResult::Postponed { .. } => "postponed",
        AttemptResult::Refused { .. } => "refused",
    }
}
