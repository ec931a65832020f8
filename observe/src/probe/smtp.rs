//! Smtp checks. I/O.

use plan_model::check::SmtpCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Smtp check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedSmtp;

/// Makes the check ready.
pub(crate) fn prepare_smtp(_: &SmtpCheck, _: &Preparing<'_>) -> Result<PreparedSmtp, PrepareError> {
    Err(PrepareError::unusable("smtp", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_smtp(_: &PreparedSmtp, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
