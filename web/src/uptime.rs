//! Uptime of a check over the usual spans, from the counts in the database. I/O: state.

use std::time::Duration;

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

/// Successes among the results that said something, in percent. Blind results count on neither side.
fn share<'a>(buckets: impl Iterator<Item = &'a Bucket>) -> Option<f64> {
    let (good, known) =
        buckets.fold((0u64, 0u64), |(good, known), b| (good + b.counts.up + b.counts.slow, known + b.counts.known()));
    (known > 0).then(|| good as f64 * 100.0 / known as f64)
}
