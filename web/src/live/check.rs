//! One check in the read model: its last results and what follows from them at a glance. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use kernel::probe::{CheckId, Outcome, ProbeResult};
use kernel::{Duration, Timestamp};
use plan_model::{Check, CheckSettings};

use crate::limits::RECENT_RESULTS;

/// Data are stale once nothing came for this many intervals and their timeouts.
const STALE_INTERVALS: u32 = 3;

/// One result as the heartbeat bar needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// When the check ran.
    pub at: Timestamp,
    /// What it said.
    pub outcome: Outcome,
    /// How long it took.
    pub duration_ms: u32,
}

impl Beat {
    /// Of a result.
    pub fn of(result: &ProbeResult) -> Self {
        let duration_ms = u32::try_from(result.duration.as_millis()).unwrap_or(u32::MAX);
        Self { at: result.started_at, outcome: result.outcome, duration_ms }
    }
}

/// Share of the time that something worked, in percent; `None` where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Uptime {
    /// Last 24 hours.
    pub day: Option<f64>,
    /// Last 7 days.
    pub week: Option<f64>,
    /// Last 30 days.
    pub month: Option<f64>,
    /// Last 365 days.
    pub year: Option<f64>,
}

/// A check of the plan and where it stands.
#[derive(Clone, Debug)]
pub struct CheckState {
    /// Which check.
    pub id: CheckId,
    /// Its name for people.
    pub label: String,
    /// The kind's key in the plan: `http`, `postgres`, …
    pub kind: &'static str,
    /// How often it runs.
    pub every: Duration,
    /// Slower than this is slow.
    pub slow: Option<Duration>,
    /// Run by others.
    pub third_party: bool,
    /// The last result; none before the first one.
    pub last: Option<Arc<ProbeResult>>,
    /// The last results, oldest first, at most [`RECENT_RESULTS`].
    pub recent: VecDeque<Beat>,
    /// Since when the outcome is what it is.
    pub since: Option<Timestamp>,
    /// The failing check that explains this failure.
    pub explained_by: Option<CheckId>,
    /// Uptime as last computed.
    pub uptime: Uptime,
}

impl CheckState {
    /// Of the plan, before the first result.
    pub fn new(id: CheckId, check: &Check, settings: &CheckSettings) -> Self {
        Self {
            label: check.label.clone().unwrap_or_else(|| id.check.to_string()),
            kind: check.kinds().first().map_or("?", plan_model::CheckKind::name),
            every: settings.every,
            slow: settings.slow,
            third_party: settings.third_party,
            id,
            last: None,
            recent: VecDeque::new(),
            since: None,
            explained_by: None,
            uptime: Uptime::default(),
        }
    }

    /// The last outcome; `Blind` before the first.
    pub fn outcome(&self) -> Outcome {
        self.last.as_ref().map_or(Outcome::Blind, |r| r.outcome)
    }

    /// When the last result came.
    pub fn at(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|r| r.started_at)
    }

    /// Whether results have stopped coming.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.at()
            .is_some_and(|at| now.since(at) > self.every.std() * STALE_INTERVALS + std::time::Duration::from_secs(60))
    }

    /// Used and maximum connections, where the check reads them (CHK-03).
    pub fn connections(&self) -> Option<(f64, f64)> {
        let readings = &self.last.as_ref()?.readings;
        let value = |name: &str| readings.iter().find(|r| r.metric == name && r.labels.is_empty()).map(|r| r.value);
        Some((value("farero_db_connections")?, value("farero_db_connections_max")?))
    }

    pub(super) fn record(&mut self, result: &Arc<ProbeResult>, explained_by: Option<CheckId>) {
        if self.last.as_ref().is_some_and(|l| l.started_at > result.started_at) {
            return; // An older result that arrives late changes nothing that is shown.
        }
        if self.since.is_none() || self.outcome() != result.outcome {
            self.since = Some(result.started_at);
        }
        self.explained_by = explained_by;
        self.last = Some(result.clone());
        self.push(Beat::of(result));
    }

    pub(super) fn restore(&mut self, beats: impl IntoIterator<Item = Beat>) {
        let newer: Vec<Beat> = self.recent.drain(..).collect();
        for beat in beats {
            if newer.first().is_none_or(|n| beat.at < n.at) {
                self.push(beat);
            }
        }
        newer.into_iter().for_each(|b| self.push(b));
        let Some(last) = self.recent.back().copied() else { return };
        let unbroken = self.recent.iter().rev().take_while(|b| b.outcome == last.outcome).last();
        self.since = unbroken.map(|b| b.at).min(self.since.or(Some(last.at)));
    }

    /// Keeps what was seen when a new version of the plan has the same check.
    pub(super) fn inherit(&mut self, old: Self) {
        if old.kind == self.kind {
            (self.last, self.recent, self.since) = (old.last, old.recent, old.since);
            (self.explained_by, self.uptime) = (old.explained_by, old.uptime);
        }
    }

    fn push(&mut self, beat: Beat) {
        if self.recent.len() == RECENT_RESULTS {
            self.recent.pop_front();
        }
        self.recent.push_back(beat);
    }
}
