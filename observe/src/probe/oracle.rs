//! Oracle checks. I/O.

use plan_model::check::OracleCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Oracle check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedOracle;

/// Makes the check ready.
pub(crate) fn prepare_oracle(_: &OracleCheck, _: &Preparing<'_>) -> Result<PreparedOracle, PrepareError> {
    Err(PrepareError::unusable("oracle", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_oracle(_: &PreparedOracle, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
