//! Ntp checks. I/O.

use plan_model::check::NtpCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Ntp check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedNtp;

/// Makes the check ready.
pub(crate) fn prepare_ntp(_: &NtpCheck, _: &Preparing<'_>) -> Result<PreparedNtp, PrepareError> {
    Err(PrepareError::unusable("ntp", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_ntp(_: &PreparedNtp, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
