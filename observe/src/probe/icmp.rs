//! Icmp checks. I/O.

use plan_model::check::IcmpCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Icmp check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedIcmp;

/// Makes the check ready.
pub(crate) fn prepare_icmp(_: &IcmpCheck, _: &Preparing<'_>) -> Result<PreparedIcmp, PrepareError> {
    Err(PrepareError::unusable("icmp", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_icmp(_: &PreparedIcmp, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
