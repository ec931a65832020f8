//! Measures this machine. I/O.

use plan_model::check::HostCheck;

use crate::probe::{Attempt, PrepareError, Preparing, Probed};

/// A Host check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedHost;

/// Makes the check ready.
pub(crate) fn prepare_host(_: &HostCheck, _: &Preparing<'_>) -> Result<PreparedHost, PrepareError> {
    Err(PrepareError::unusable("host", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_host(_: &PreparedHost, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
