//! Grpc checks. I/O.

use plan_model::check::GrpcCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Grpc check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedGrpc;

/// Makes the check ready.
pub(crate) fn prepare_grpc(_: &GrpcCheck, _: &Preparing<'_>) -> Result<PreparedGrpc, PrepareError> {
    Err(PrepareError::unusable("grpc", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_grpc(_: &PreparedGrpc, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
