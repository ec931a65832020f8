//! Docker checks. I/O.

use plan_model::check::DockerCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Docker check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedDocker;

/// Makes the check ready.
pub(crate) fn prepare_docker(_: &DockerCheck, _: &Preparing<'_>) -> Result<PreparedDocker, PrepareError> {
    Err(PrepareError::unusable("docker", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_docker(_: &PreparedDocker, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
