//! Tcp checks. I/O.

use plan_model::check::TcpCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Tcp check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedTcp;

/// Makes the check ready.
pub(crate) fn prepare_tcp(_: &TcpCheck, _: &Preparing<'_>) -> Result<PreparedTcp, PrepareError> {
    Err(PrepareError::unusable("tcp", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_tcp(_: &PreparedTcp, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
