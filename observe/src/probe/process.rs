//! Process checks. I/O.

use plan_model::check::ProcessCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Process check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedProcess;

/// Makes the check ready.
pub(crate) fn prepare_process(_: &ProcessCheck, _: &Preparing<'_>) -> Result<PreparedProcess, PrepareError> {
    Err(PrepareError::unusable("process", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_process(_: &PreparedProcess, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
