//! Ssh checks. I/O.

use plan_model::check::SshCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Ssh check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedSsh;

/// Makes the check ready.
pub(crate) fn prepare_ssh(_: &SshCheck, _: &Preparing<'_>) -> Result<PreparedSsh, PrepareError> {
    Err(PrepareError::unusable("ssh", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_ssh(_: &PreparedSsh, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
