//! Systemd checks. I/O.

use plan_model::check::SystemdCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Systemd check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedSystemd;

/// Makes the check ready.
pub(crate) fn prepare_systemd(_: &SystemdCheck, _: &Preparing<'_>) -> Result<PreparedSystemd, PrepareError> {
    Err(PrepareError::unusable("systemd", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_systemd(_: &PreparedSystemd, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
