//! Counts of failed log-ins. They survive a restart, so that one does not end the waits. I/O.

use kernel::Timestamp;

use crate::codec::time;
use crate::db::values;
use crate::{State, StateError};

/// Counts kept: 100 bytes each. The oldest make room.
pub const FAILURES: i64 = 20_000;

/// How often something failed in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureCount {
    /// How often.
    pub count: u32,
    /// The last time.
    pub last: Timestamp,
}

impl State {
    /// The counts of some keys, in their order.
    pub fn failures(&self, keys: &[String]) -> Result<Vec<Option<FailureCount>>, StateError> {
        self.read("read failed log-ins", |t| {
            keys.iter()
                .map(|key| {
                    t.query_maybe("SELECT count, last_ms FROM failures WHERE key = ?1", &values![key], |r| {
                        Ok(FailureCount { count: r.get(0)?, last: time(r, 1)? })
                    })
                })
                .collect()
        })
    }

    /// Notes a failure under some keys: `next` says what the count becomes.
    pub fn note_failure(
        &self,
        keys: &[String],
        next: impl Fn(Option<FailureCount>) -> FailureCount,
    ) -> Result<(), StateError> {
        self.write("note a failed log-in", |t| {
            for key in keys {
                let sql = format!("SELECT count, last_ms FROM failures WHERE key = ?1{}", t.for_update());
                let before = t.query_maybe(&sql, &values![key], |r| {
                    Ok(FailureCount { count: r.get(0)?, last: time(r, 1)? })
                })?;
                let after = next(before);
                t.execute(
                    "INSERT INTO failures (key, count, last_ms) VALUES (?1, ?2, ?3)
                     ON CONFLICT (key) DO UPDATE SET count = excluded.count, last_ms = excluded.last_ms",
                    &values![key, after.count, after.last],
                )?;
            }
            t.execute(
                "DELETE FROM failures WHERE key IN (SELECT key FROM failures ORDER BY last_ms DESC LIMIT 1000 OFFSET ?1)",
                &values![FAILURES],
            )
            .map(|_| ())
        })
    }

    /// Forgets the counts of some keys, after a success.
    pub fn forget_failures(&self, keys: &[String]) -> Result<(), StateError> {
        if self.failures(keys)?.iter().all(Option::is_none) {
            return Ok(());
        }
        self.write("forget failed log-ins", |t| {
            for key in keys {
                t.execute("DELETE FROM failures WHERE key = ?1", &values![key])?;
            }
            Ok(())
        })
    }
}
