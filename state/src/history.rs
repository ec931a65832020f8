//! Reading results of checks: the latest of each, the history of one, what changed lately. I/O.

use std::collections::HashMap;

use kernel::Timestamp;
use kernel::probe::{CheckId, Outcome, ProbeResult};

use crate::codec::{json, time, whole};
use crate::db::values;
use crate::{State, StateError};

/// A check's latest result.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestResult {
    /// The result.
    pub result: ProbeResult,
    /// Since when the outcome is what it is.
    pub since: Timestamp,
}

/// Which results of a check's history to list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultFilter {
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Only those at which the outcome changed.
    pub changes_only: bool,
    /// Only before this time (for the next page of a list).
    pub before: Option<Timestamp>,
    /// At most this many.
    pub limit: usize,
}

impl Default for ResultFilter {
    fn default() -> Self {
        Self { outcome: None, changes_only: false, before: None, limit: 100 }
    }
}

impl State {
    /// The latest result of every check that ever had one, by name.
    pub fn latest_results(&self) -> Result<Vec<LatestResult>, StateError> {
        let pending = self.0.results.read();
        let mut found: HashMap<CheckId, LatestResult> = self.read("read the latest results", |t| {
            t.query("SELECT json, since_ms FROM checks WHERE json IS NOT NULL", &[], |r| {
                let result: ProbeResult = json(r, 0)?;
                Ok((result.check.clone(), LatestResult { result, since: time(r, 1)? }))
            })
        })?;
        for (check, entry) in &pending.checks {
            if let Some(result) = &entry.latest {
                found.insert(check.clone(), LatestResult { result: result.as_ref().clone(), since: entry.since });
            }
        }
        let mut all: Vec<LatestResult> = found.into_values().collect();
        all.sort_by(|a, b| a.result.check.cmp(&b.result.check));
        Ok(all)
    }

    /// A check's history, newest first: changes, failures, samples, and the latest result.
    pub fn results(&self, check: &CheckId, filter: &ResultFilter) -> Result<Vec<ProbeResult>, StateError> {
        let pending = self.0.results.read();
        let mut found: Vec<ProbeResult> = self.read("read the results of a check", |t| {
            t.query(
                "SELECT r.json FROM results r JOIN checks c ON c.id = r.check_id
                 WHERE c.name = ?1 AND (r.outcome = ?2 OR ?2 IS NULL) AND (NOT ?3 OR r.kind = 0)
                   AND (r.at_ms < ?4 OR ?4 IS NULL)
                 ORDER BY r.at_ms DESC LIMIT ?5",
                &values![
                    check.to_string(),
                    filter.outcome.map(Outcome::as_str),
                    filter.changes_only,
                    filter.before.map(Timestamp::as_millis),
                    whole(filter.limit)
                ],
                |r| json(r, 0),
            )
        })?;
        let latest = pending.checks.get(check).and_then(|e| e.latest.as_ref()).filter(|r| {
            !filter.changes_only
                && filter.outcome.is_none_or(|o| o == r.outcome)
                && filter.before.is_none_or(|b| r.started_at < b)
                && found.first().is_none_or(|first| first.started_at < r.started_at)
        });
        if let Some(latest) = latest {
            found.insert(0, latest.as_ref().clone());
            found.truncate(filter.limit);
        }
        Ok(found)
    }

    /// Changes of outcome of all checks since a time, newest first: what happened today.
    pub fn recent_changes(&self, since: Timestamp, limit: usize) -> Result<Vec<ProbeResult>, StateError> {
        self.read("read the changes of checks", |t| {
            t.query(
                "SELECT json FROM results WHERE kind = 0 AND at_ms >= ?1 ORDER BY at_ms DESC LIMIT ?2",
                &values![since.as_millis(), whole(limit)],
                |r| json(r, 0),
            )
        })
    }
}
