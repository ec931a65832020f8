//! Dns checks. I/O.

use plan_model::check::DnsCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Dns check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedDns;

/// Makes the check ready.
pub(crate) fn prepare_dns(_: &DnsCheck, _: &Preparing<'_>) -> Result<PreparedDns, PrepareError> {
    Err(PrepareError::unusable("dns", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_dns(_: &PreparedDns, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
