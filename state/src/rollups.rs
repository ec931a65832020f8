//! Counts of results per check and hour or day: what uptime is computed from. I/O.

use std::collections::HashMap;

use kernel::Timestamp;
use kernel::probe::{CheckId, Outcome, ProbeResult};

use crate::db::{Row, SqlResult, Tx, Value, values};
use crate::{State, StateError};

/// A length of time that counts are kept for; it begins at a whole hour or day of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Span {
    /// Kept for [`crate::clean::HOURS_KEPT_MS`].
    Hour,
    /// Kept for [`crate::clean::DAYS_KEPT_MS`].
    Day,
}

impl Span {
    /// Its length in milliseconds.
    pub const fn length_ms(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// The start of the span that a time lies in.
    pub const fn start_of(self, at: Timestamp) -> Timestamp {
        let length = self.length_ms();
        Timestamp::from_millis(at.as_millis().div_euclid(length) * length)
    }
}

/// How many results had which outcome, and how long they took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Worked.
    pub up: u64,
    /// Worked, but slowly.
    pub slow: u64,
    /// Did not work.
    pub down: u64,
    /// Could not be said.
    pub blind: u64,
    /// All durations of successes together, milliseconds.
    pub duration_sum_ms: u64,
    /// The longest duration of a success, milliseconds.
    pub duration_max_ms: u64,
}

impl Counts {
    /// Of one result.
    pub fn of(result: &ProbeResult) -> Self {
        let one = |outcome| u64::from(result.outcome == outcome);
        let ms = if result.outcome.is_success() { result.duration.as_millis() } else { 0 };
        Self {
            up: one(Outcome::Up),
            slow: one(Outcome::Slow),
            down: one(Outcome::Down),
            blind: one(Outcome::Blind),
            duration_sum_ms: ms,
            duration_max_ms: ms,
        }
    }

    /// Joins the counts of another set of results.
    pub fn add(&mut self, other: &Self) {
        self.up += other.up;
        self.slow += other.slow;
        self.down += other.down;
        self.blind += other.blind;
        self.duration_sum_ms = self.duration_sum_ms.saturating_add(other.duration_sum_ms);
        self.duration_max_ms = self.duration_max_ms.max(other.duration_max_ms);
    }

    /// Results that said something: all but the blind ones.
    pub const fn known(&self) -> u64 {
        self.up + self.slow + self.down
    }
}

/// Counts of one check in one hour or day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// When it begins.
    pub start: Timestamp,
    /// How long it is.
    pub span: Span,
    /// The counts.
    pub counts: Counts,
}

/// Counts that wait for the next flush.
#[derive(Clone, Debug)]
pub(crate) struct Delta {
    pub(crate) span: Span,
    pub(crate) start: Timestamp,
    pub(crate) counts: Counts,
}

/// Adds counts to what is stored, in the order of the key.
pub(crate) fn write_deltas(t: &Tx<'_>, mut deltas: Vec<(i64, &Delta)>) -> SqlResult<()> {
    deltas.sort_unstable_by_key(|(id, d)| (d.span, d.start, *id));
    let n = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let rows: Vec<[Value<'_>; 9]> = deltas
        .into_iter()
        .map(|(id, d)| {
            let c = &d.counts;
            let (span, start) = (Value::Int(d.span.length_ms()), Value::Int(d.start.as_millis()));
            let (sum, max) = (n(c.duration_sum_ms), n(c.duration_max_ms));
            [span, start, Value::Int(id), n(c.up), n(c.slow), n(c.down), n(c.blind), sum, max]
        })
        .collect();
    t.execute_many(
        "INSERT INTO rollups (span_ms, start_ms, check_id, up, slow, down, blind, sum_ms, max_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (span_ms, start_ms, check_id) DO UPDATE
         SET up = rollups.up + excluded.up, slow = rollups.slow + excluded.slow,
             down = rollups.down + excluded.down, blind = rollups.blind + excluded.blind,
             sum_ms = rollups.sum_ms + excluded.sum_ms,
             max_ms = CASE WHEN rollups.max_ms < excluded.max_ms THEN excluded.max_ms ELSE rollups.max_ms END",
        &rows,
    )
    .map(|_| ())
}

/// `up` and the columns after it.
fn counts(r: &Row<'_>, first: usize) -> SqlResult<Counts> {
    let n = |i: usize| r.get::<i64>(first + i).map(i64::unsigned_abs);
    Ok(Counts { up: n(0)?, slow: n(1)?, down: n(2)?, blind: n(3)?, duration_sum_ms: n(4)?, duration_max_ms: n(5)? })
}

impl State {
    /// A check's days (UTC) that begin within `from..=to`, oldest first; days without a result are left out.
    pub fn days(&self, check: &CheckId, from: Timestamp, to: Timestamp) -> Result<Vec<Bucket>, StateError> {
        self.buckets(Span::Day, check, from, to)
    }

    /// A check's hours that begin within `from..=to`, oldest first.
    pub fn hours(&self, check: &CheckId, from: Timestamp, to: Timestamp) -> Result<Vec<Bucket>, StateError> {
        self.buckets(Span::Hour, check, from, to)
    }

    fn buckets(&self, span: Span, check: &CheckId, from: Timestamp, to: Timestamp) -> Result<Vec<Bucket>, StateError> {
        let pending = self.0.results.read();
        let mut found: Vec<Bucket> = self.read("read the counts of a check", |t| {
            // The key begins with the start, so each span is looked up by itself: 365 look-ups, not a scan.
            t.query(
                "WITH RECURSIVE starts (start_ms) AS (
                     SELECT CAST(?2 AS BIGINT) WHERE CAST(?2 AS BIGINT) <= CAST(?3 AS BIGINT)
                     UNION ALL SELECT start_ms + CAST(?1 AS BIGINT) FROM starts
                     WHERE start_ms + CAST(?1 AS BIGINT) <= CAST(?3 AS BIGINT))
                 SELECT s.start_ms, r.up, r.slow, r.down, r.blind, r.sum_ms, r.max_ms
                 FROM checks c CROSS JOIN starts s
                 CROSS JOIN rollups r
                 WHERE r.span_ms = ?1 AND r.start_ms = s.start_ms AND r.check_id = c.id AND c.name = ?4",
                &values![span.length_ms(), first_start(span, from).as_millis(), to.as_millis(), check.to_string()],
                |r| Ok(Bucket { start: Timestamp::from_millis(r.get(0)?), span, counts: counts(r, 1)? }),
            )
        })?;
        let waiting = pending.checks.get(check).map(|e| e.deltas.as_slice()).unwrap_or_default();
        for delta in waiting.iter().filter(|d| d.span == span && d.start >= from && d.start <= to) {
            merge(&mut found, delta);
        }
        found.sort_unstable_by_key(|b| b.start);
        Ok(found)
    }

    /// The counts of every check in its hours or days that begin within `from..=to`, added up.
    pub fn all_counts(
        &self,
        span: Span,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<HashMap<CheckId, Counts>, StateError> {
        let pending = self.0.results.read();
        let mut by_id: HashMap<i64, Counts> = self.read("read the counts of all checks", |t| {
            t.query(
                "SELECT check_id, CAST(sum(up) AS BIGINT), CAST(sum(slow) AS BIGINT), CAST(sum(down) AS BIGINT),
                        CAST(sum(blind) AS BIGINT), CAST(sum(sum_ms) AS BIGINT), max(max_ms) FROM rollups
                 WHERE span_ms = ?1 AND start_ms BETWEEN ?2 AND ?3 GROUP BY check_id",
                &values![span.length_ms(), from.as_millis(), to.as_millis()],
                |r| Ok((r.get(0)?, counts(r, 1)?)),
            )
        })?;
        let mut out = HashMap::with_capacity(pending.checks.len());
        for (check, entry) in &pending.checks {
            let mut sum = by_id.remove(&entry.id).unwrap_or_default();
            let waiting = entry.deltas.iter().filter(|d| d.span == span && d.start >= from && d.start <= to);
            waiting.for_each(|d| sum.add(&d.counts));
            if sum != Counts::default() {
                out.insert(check.clone(), sum);
            }
        }
        Ok(out)
    }
}

/// The first span that begins at or after a time.
fn first_start(span: Span, from: Timestamp) -> Timestamp {
    let start = span.start_of(from);
    if start < from { Timestamp::from_millis(start.as_millis().saturating_add(span.length_ms())) } else { start }
}

fn merge(list: &mut Vec<Bucket>, delta: &Delta) {
    match list.iter_mut().find(|b| b.start == delta.start) {
        Some(bucket) => bucket.counts.add(&delta.counts),
        None => list.push(Bucket { start: delta.start, span: delta.span, counts: delta.counts }),
    }
}
