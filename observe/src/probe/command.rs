//! Command checks. I/O.

use plan_model::check::CommandCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Command check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedCommand;

/// Makes the check ready.
pub(crate) fn prepare_command(_: &CommandCheck, _: &Preparing<'_>) -> Result<PreparedCommand, PrepareError> {
    Err(PrepareError::unusable("command", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_command(_: &PreparedCommand, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
