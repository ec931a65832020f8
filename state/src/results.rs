//! Results of checks: what is written at once, what is counted in memory, the flush that joins them. I/O.
//!
//! A check that works says the same thing every few seconds. Writing each time would cost a disk write per check and
//! interval for nothing, so such results only change counters in memory; they reach the disk with the next flush, in
//! one transaction with `last_alive`. What is lost by a crash therefore lies after `last_alive`, in time that counts as
//! blind. A failure, a change of outcome and one sample per hour are on disk, with the counters of their check, when
//! `record_results` returns.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::Timestamp;
use kernel::probe::{CheckId, Outcome, ProbeResult};

use crate::codec::{from_word, maybe_time, to_json};
use crate::db::{SqlResult, Tx, Value, values};
use crate::rollups::{Counts, Delta, Span, write_deltas};
use crate::{State, StateError};

/// Changes of outcome kept per check: over a year of one outage a day.
pub const CHANGES_KEPT: i64 = 200;
/// Failures kept per check beside the changes: more than half an hour at one result in 10 s.
pub const FAILURES_KEPT: i64 = 200;
/// Samples kept per check, one per hour: two days.
pub const SAMPLES_KEPT: i64 = 48;
/// Successes wait in memory at most this long before the next flush, by the results' own times.
pub const FLUSH_EVERY_MS: i64 = 15_000;

/// The latest success of a check is written at most this often: its counters matter more than its text.
const LATEST_EVERY_MS: i64 = 300_000;
/// Checks take turns with that, in this many groups, one per flush.
const TURNS: i64 = 20;

const HOUR_MS: i64 = 3_600_000;

/// Why a result is kept in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its outcome differs from that of the result before.
    Change,
    /// It failed.
    Failure,
    /// One per hour.
    Sample,
}

impl Kind {
    const fn kept(self) -> i64 {
        match self {
            Self::Change => CHANGES_KEPT,
            Self::Failure => FAILURES_KEPT,
            Self::Sample => SAMPLES_KEPT,
        }
    }

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Change => 0,
            Self::Failure => 1,
            Self::Sample => 2,
        }
    }
}

/// What is known of one check in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    outcome: Option<Outcome>,
    pub(crate) since: Timestamp,
    at: Timestamp,
    sampled_hour: i64,
    /// History rows written so far, by kind; the next one's slot is this modulo what is kept.
    written: [i64; 3],
    /// The latest result, while it is not on disk.
    pub(crate) latest: Option<Arc<ProbeResult>>,
    /// The time of the latest result that is on disk.
    stored_at: Timestamp,
    /// Counts that are not on disk.
    pub(crate) deltas: Vec<Delta>,
}

impl Entry {
    /// The latest result, when it is time to write it.
    fn due_latest(&self) -> Option<&Arc<ProbeResult>> {
        let wait = LATEST_EVERY_MS + self.id % TURNS * FLUSH_EVERY_MS;
        self.latest.as_ref().filter(|l| l.started_at.as_millis() - self.stored_at.as_millis() >= wait)
    }
}

/// Checks by name, with what waits for the next flush.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) checks: HashMap<CheckId, Entry>,
    waiting_since: Option<Timestamp>,
}

impl Pending {
    pub(crate) fn load(t: &Tx<'_>) -> SqlResult<Self> {
        let sql = "SELECT name, id, outcome, since_ms, at_ms, changes, failures, samples FROM checks";
        let rows: Vec<(String, Entry)> = t.query(sql, &[], |r| {
            let outcome: Option<String> = r.get(2)?;
            let entry = Entry {
                id: r.get(1)?,
                outcome: if outcome.is_some() { Some(from_word(r, 2)?) } else { None },
                since: maybe_time(r, 3)?.unwrap_or_default(),
                at: maybe_time(r, 4)?.unwrap_or_default(),
                sampled_hour: 0,
                written: [r.get(5)?, r.get(6)?, r.get(7)?],
                latest: None,
                stored_at: maybe_time(r, 4)?.unwrap_or_default(),
                deltas: Vec::new(),
            };
            Ok((r.get(0)?, entry))
        })?;
        let checks = rows.into_iter().filter_map(|(name, entry)| Some((CheckId::parse(&name)?, entry))).collect();
        Ok(Self { checks, waiting_since: None })
    }

    /// The history kind of a result, if any.
    fn kind(&self, result: &ProbeResult) -> Option<Kind> {
        let Some(entry) = self.checks.get(&result.check) else { return Some(Kind::Change) };
        if entry.outcome != Some(result.outcome) {
            Some(Kind::Change)
        } else if result.outcome == Outcome::Down {
            Some(Kind::Failure)
        } else {
            (entry.sampled_hour != result.started_at.as_millis().div_euclid(HOUR_MS)).then_some(Kind::Sample)
        }
    }

    /// Takes a result into memory: latest, outcome, counters.
    fn take(&mut self, result: &Arc<ProbeResult>) {
        let entry = self.checks.entry(result.check.clone()).or_default();
        if entry.outcome != Some(result.outcome) {
            entry.outcome = Some(result.outcome);
            entry.since = result.started_at;
        }
        entry.sampled_hour = result.started_at.as_millis().div_euclid(HOUR_MS);
        for span in [Span::Hour, Span::Day] {
            let start = span.start_of(result.started_at);
            let counts = Counts::of(result);
            match entry.deltas.iter_mut().find(|d| d.span == span && d.start == start) {
                Some(delta) => delta.counts.add(&counts),
                None => entry.deltas.push(Delta { span, start, counts }),
            }
        }
        if result.started_at >= entry.at {
            entry.at = result.started_at;
            entry.latest = Some(result.clone());
        }
        self.waiting_since.get_or_insert(result.started_at);
    }

    fn flush_is_due(&self, results: &[Arc<ProbeResult>]) -> bool {
        let newest = results.iter().map(|r| r.started_at.as_millis()).max();
        newest.zip(self.waiting_since).is_some_and(|(n, w)| n - w.as_millis() >= FLUSH_EVERY_MS)
    }
}

impl State {
    /// Records results: failures, changes of outcome and hourly samples are on disk when this returns, the rest with the
    /// next flush. Results of one check come in the order of their times.
    ///
    /// # Errors
    /// When the database refuses, counters and latest results stay in memory for the next flush; the history rows of
    /// this call are lost.
    pub fn record_results(&self, results: &[Arc<ProbeResult>]) -> Result<(), StateError> {
        let mut pending = self.0.results.write();
        let mut durable: Vec<(usize, Kind)> = Vec::new();
        for (place, result) in results.iter().enumerate() {
            durable.extend(pending.kind(result).map(|kind| (place, kind)));
            pending.take(result);
        }
        let all = pending.flush_is_due(results);
        if durable.is_empty() && !all {
            return Ok(());
        }
        let doing = "store results of checks";
        let touched: Vec<CheckId> = if all {
            pending.dirty()
        } else {
            let mut ids: Vec<CheckId> = durable.iter().map(|(place, _)| results[*place].check.clone()).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let written = self.write(doing, |t| {
            let mut rows = HashMap::new();
            let mut history = Vec::with_capacity(durable.len());
            for (place, kind) in &durable {
                let result = &results[*place];
                let (id, mut numbers) = match rows.get(&result.check) {
                    Some(known) => *known,
                    None => row_of(t, &result.check, pending.checks.get(&result.check))?,
                };
                history.push(history_row(id, &mut numbers, *kind, result)?);
                rows.insert(result.check.clone(), (id, numbers));
            }
            t.execute_many(INSERT_HISTORY, &history)?;
            write_latest(t, rows.iter().map(|(check, (id, numbers))| (*id, *numbers, pending.checks.get(check))))?;
            flush(t, &pending, &touched, &rows)?;
            Ok(rows)
        })?;
        pending.settle(&touched, &written);
        if all {
            pending.waiting_since = None;
        }
        Ok(())
    }

    /// Writes everything that waits in memory, and that Farero watched until `now`, in one transaction. To be called
    /// every [`FLUSH_EVERY_MS`] or so and at shutdown; time after the last call counts as blind when the next start finds it.
    pub fn mark_alive(&self, now: Timestamp) -> Result<(), StateError> {
        let mut pending = self.0.results.write();
        let touched = pending.dirty();
        let written = self.write("store that Farero is alive", |t| {
            let mut rows = HashMap::new();
            for check in &touched {
                if let Some(entry) = pending.checks.get(check).filter(|e| e.id == 0) {
                    rows.insert(check.clone(), row_of(t, check, Some(entry))?);
                }
            }
            write_latest(t, rows.iter().map(|(check, (id, numbers))| (*id, *numbers, pending.checks.get(check))))?;
            flush(t, &pending, &touched, &rows)?;
            t.execute(
                "INSERT INTO marks (key, at_ms) VALUES ('farero.alive', ?1)
                 ON CONFLICT (key) DO UPDATE SET at_ms = excluded.at_ms",
                &values![now.as_millis()],
            )?;
            Ok(rows)
        })?;
        pending.settle(&touched, &written);
        pending.waiting_since = None;
        Ok(())
    }
}

type Rows = HashMap<CheckId, (i64, [i64; 3])>;

impl Pending {
    fn dirty(&self) -> Vec<CheckId> {
        let mut ids: Vec<(&CheckId, i64)> = self
            .checks
            .iter()
            .filter(|(_, e)| e.due_latest().is_some() || !e.deltas.is_empty())
            .map(|(c, e)| (c, e.id))
            .collect();
        ids.sort_unstable_by_key(|(_, id)| *id);
        ids.into_iter().map(|(c, _)| c.clone()).collect()
    }

    /// After a commit: what was written waits no longer.
    fn settle(&mut self, touched: &[CheckId], rows: &Rows) {
        for (check, (id, numbers)) in rows {
            if let Some(entry) = self.checks.get_mut(check) {
                entry.id = *id;
                entry.written = *numbers;
            }
        }
        for check in touched {
            if let Some(entry) = self.checks.get_mut(check) {
                entry.deltas.clear();
                if rows.contains_key(check) || entry.due_latest().is_some() {
                    entry.stored_at = entry.at;
                    entry.latest = None;
                }
            }
        }
    }
}

/// The row of a check, made when it is new, and its history counters.
fn row_of(t: &Tx<'_>, check: &CheckId, known: Option<&Entry>) -> SqlResult<(i64, [i64; 3])> {
    if let Some(entry) = known.filter(|e| e.id != 0) {
        return Ok((entry.id, entry.written));
    }
    t.query_one(
        "INSERT INTO checks (name) VALUES (?1) ON CONFLICT (name) DO UPDATE SET name = excluded.name
         RETURNING id, changes, failures, samples",
        &values![check.to_string()],
        |r| Ok((r.get(0)?, [r.get(1)?, r.get(2)?, r.get(3)?])),
    )
}

const INSERT_HISTORY: &str = "INSERT INTO results (check_id, kind, slot, at_ms, outcome, json)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (check_id, kind, slot) DO UPDATE
    SET at_ms = excluded.at_ms, outcome = excluded.outcome, json = excluded.json";

/// The row of a result in the history of its check, which it counts.
fn history_row(id: i64, numbers: &mut [i64; 3], kind: Kind, result: &ProbeResult) -> SqlResult<[Value<'static>; 6]> {
    let number = &mut numbers[usize::try_from(kind.number()).unwrap_or(0)];
    let slot = *number % kind.kept();
    *number += 1;
    let outcome = Value::Text(result.outcome.as_str().into());
    let at = Value::Int(result.started_at.as_millis());
    Ok([Value::Int(id), Value::Int(kind.number()), Value::Int(slot), at, outcome, to_json(result)?.into()])
}

/// Writes the counters of checks, and their latest results where these wait in memory.
fn write_latest<'a>(t: &Tx<'_>, checks: impl Iterator<Item = (i64, [i64; 3], Option<&'a Entry>)>) -> SqlResult<()> {
    let (mut counters, mut latest) = (Vec::new(), Vec::new());
    for (id, [changes, failures, samples], entry) in checks {
        counters.push([Value::Int(id), Value::Int(changes), Value::Int(failures), Value::Int(samples)]);
        let Some((entry, result)) = entry.and_then(|e| e.latest.as_ref().map(|l| (e, l))) else { continue };
        let outcome = Value::Text(result.outcome.as_str().into());
        let times = [entry.since, result.started_at].map(|at| Value::Int(at.as_millis()));
        let [since, at] = times;
        latest.push([Value::Int(id), outcome, since, at, to_json(&**result)?.into()]);
    }
    t.execute_many("UPDATE checks SET changes = ?2, failures = ?3, samples = ?4 WHERE id = ?1", &counters)?;
    t.execute_many("UPDATE checks SET outcome = ?2, since_ms = ?3, at_ms = ?4, json = ?5 WHERE id = ?1", &latest)?;
    Ok(())
}

/// Writes what waits for the touched checks.
fn flush(t: &Tx<'_>, pending: &Pending, touched: &[CheckId], rows: &Rows) -> SqlResult<()> {
    let mut deltas = Vec::new();
    let mut latest = Vec::new();
    for check in touched {
        let Some(entry) = pending.checks.get(check) else { continue };
        let (id, numbers) = rows.get(check).copied().unwrap_or((entry.id, entry.written));
        if !rows.contains_key(check) && entry.due_latest().is_some() {
            latest.push((id, numbers, Some(entry)));
        }
        deltas.extend(entry.deltas.iter().map(|d| (id, d)));
    }
    write_latest(t, latest.into_iter())?;
    write_deltas(t, deltas)
}
