//! Uptime of a check over the usual spans, from the counts in the database. I/O: state.

use std::time::Duration;

use decide::health::{Counts, uptime_percent};
use kernel::Timestamp;
use kernel::probe::CheckId;
use state::{Bucket, State, StateError};

use crate::live::Uptime;

const DAY: Duration = Duration::from_secs(86_400);

/// Uptime of a check for 24 hours, 7 and 30 days and a year, as of now.
///
/// # Errors
/// The database cannot be read.
pub fn of_check(state: &State, check: &CheckId, now: Timestamp) -> Result<Uptime, StateError> {
    let hours = state.hours(check, now - DAY, now)?;
    let days = state.days(check, now - DAY * 365, now)?;
    let since = |span: Duration| share(days.iter().filter(|b| b.start >= now - span));
    Ok(Uptime { day: share(hours.iter()), week: since(DAY * 7), month: since(DAY * 30), year: since(DAY * 365) })
}

fn share<'a>(buckets: impl Iterator<Item = &'a Bucket>) -> Option<f64> {
    let counts =
        buckets.map(|b| Counts { up: b.counts.up, slow: b.counts.slow, down: b.counts.down, blind: b.counts.blind });
    uptime_percent(counts.sum())
}
