//! Retention: what is deleted after which time. I/O.

use kernel::Timestamp;

use crate::db::values;
use crate::{State, StateError};

const DAY_MS: i64 = 86_400_000;

/// Hours of the roll-ups: enough for the uptime of the last 24 hours and 7 days by the hour.
pub const HOURS_KEPT_MS: i64 = 9 * DAY_MS;
/// Days of the roll-ups, blind periods and alert history: 25 months, so that a year can be compared with the one before (MET-03).
pub const DAYS_KEPT_MS: i64 = 762 * DAY_MS;
/// Results with their evidence; what is newer is capped by number.
pub const RESULTS_KEPT_MS: i64 = 400 * DAY_MS;
/// Messages that reached their end, with their tries, and events decided.
pub const DELIVERIES_KEPT_MS: i64 = 400 * DAY_MS;
/// Sessions and links that ended.
pub const ENDED_KEPT_MS: i64 = 30 * DAY_MS;
/// Rows deleted in one transaction: other writers wait no longer than that.
const BATCH: i64 = 2_000;

/// What is deleted: a table, the columns of its key, the rows (`?1` is the oldest time kept), and how long they are kept.
const RULES: [(&str, &str, &str, i64); 10] = [
    ("rollups", "span_ms, start_ms, check_id", "span_ms = 3600000 AND start_ms < ?1", HOURS_KEPT_MS),
    ("rollups", "span_ms, start_ms, check_id", "span_ms = 86400000 AND start_ms < ?1", DAYS_KEPT_MS),
    ("blind", "from_ms", "to_ms < ?1", DAYS_KEPT_MS),
    ("alerts", "firing_id", "resolved_ms < ?1", DAYS_KEPT_MS),
    ("results", "check_id, kind, slot", "at_ms < ?1", RESULTS_KEPT_MS),
    ("outbox", "key", "state IN ('sent', 'failed') AND created_ms < ?1", DELIVERIES_KEPT_MS),
    ("events", "id", "decided = 1 AND at_ms < ?1", DELIVERIES_KEPT_MS),
    // What became of them is in the trail, which is kept for its own time.
    ("approvals", "id", "expires_ms < ?1", DAYS_KEPT_MS),
    ("sessions", "token_hash", "ends_ms < ?1 OR idle_ends_ms < ?1", ENDED_KEPT_MS),
    ("links", "token_hash", "expires_ms < ?1", ENDED_KEPT_MS),
];

impl State {
    /// Deletes what has been kept long enough, in small steps; returns how many rows. Once an hour is often enough.
    pub fn clean(&self, now: Timestamp) -> Result<u64, StateError> {
        let mut deleted = 0;
        for (table, key, rows, kept_ms) in RULES {
            let oldest = now.as_millis().saturating_sub(kept_ms);
            let sql =
                format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {rows} LIMIT {BATCH})");
            loop {
                let n = self.write("delete what was kept long enough", |t| t.execute(&sql, &values![oldest]))?;
                deleted += n as u64;
                if (n as i64) < BATCH {
                    break;
                }
            }
        }
        Ok(deleted)
    }
}
