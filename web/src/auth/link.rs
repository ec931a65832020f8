//! One-time links: for the first administrator, and for accounts that others make. I/O: state.

use std::time::Duration;

use kernel::Timestamp;
use state::{Link, State, StateError};

use super::secret;
use crate::limits;

/// Creates the first administrator.
pub(crate) const FIRST: &str = "create-administrator";
/// Lets someone choose a password for an existing account.
pub(crate) const PASSWORD: &str = "set-password";

/// The path of a one-time link to create the first administrator, while there is no user; `None` once there is one. Print
/// it after the base URL. Each call makes the earlier link useless.
///
/// # Errors
/// The database cannot be read or written.
pub fn first_administrator(state: &State, now: Timestamp) -> Result<Option<String>, StateError> {
    if !state.users()?.is_empty() {
        return Ok(None);
    }
    make(state, FIRST, None, "", limits::SETUP_LINK_LIFE, now).map(Some)
}

/// The path of a one-time link to choose a password; who uses it is shown who made it.
pub(crate) fn choose_password(
    state: &State,
    user_id: i64,
    made_by: &str,
    life: Duration,
    now: Timestamp,
) -> Result<String, StateError> {
    make(state, PASSWORD, Some(user_id), made_by, life, now)
}

/// How long an invitation is good, as it was chosen, within its bounds.
pub(crate) fn life_of(hours: Option<u64>) -> Duration {
    let (shortest, longest) = limits::INVITATION_HOURS;
    hours.map_or(limits::SETUP_LINK_LIFE, |h| Duration::from_secs(h.clamp(shortest, longest) * 3_600))
}

fn make(
    state: &State,
    purpose: &str,
    user_id: Option<i64>,
    made_by: &str,
    life: Duration,
    now: Timestamp,
) -> Result<String, StateError> {
    let fresh = secret::fresh();
    state.create_link(&Link {
        token_hash: secret::hash(&fresh),
        purpose: purpose.to_owned(),
        user_id,
        created_at: now,
        expires_at: now + life,
        made_by: made_by.to_owned(),
    })?;
    Ok(format!("/setup/{fresh}"))
}
