//! When Farero watched and when it was blind. I/O.

use kernel::Timestamp;

use crate::codec::time;
use crate::db::values;
use crate::trail::{append, machine};
use crate::{State, StateError};

impl State {
    /// Until when Farero watched, as far as is known.
    pub fn last_alive(&self) -> Result<Option<Timestamp>, StateError> {
        self.mark("farero.alive")
    }

    /// Notes that Farero did not watch between two times.
    pub fn record_blind(&self, from: Timestamp, to: Timestamp) -> Result<(), StateError> {
        if to <= from {
            return Ok(());
        }
        self.write("store a blind period", |t| {
            t.execute(
                "INSERT INTO blind (from_ms, to_ms) VALUES (?1, ?2)
                 ON CONFLICT (from_ms) DO UPDATE SET to_ms = excluded.to_ms WHERE blind.to_ms < excluded.to_ms",
                &values![from.as_millis(), to.as_millis()],
            )?;
            append(t, [&machine::of_blind(from, to)]).map(|_| ())
        })
    }

    /// The periods that ended after a time in which Farero did not watch, oldest first.
    pub fn blind_periods(&self, since: Timestamp) -> Result<Vec<(Timestamp, Timestamp)>, StateError> {
        self.read("read the blind periods", |t| {
            t.query(
                "SELECT from_ms, to_ms FROM blind WHERE to_ms > ?1 ORDER BY from_ms",
                &values![since.as_millis()],
                |r| Ok((time(r, 0)?, time(r, 1)?)),
            )
        })
    }
}
