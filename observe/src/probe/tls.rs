//! Tls checks. I/O.

use plan_model::check::TlsCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Tls check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedTls;

/// Makes the check ready.
pub(crate) fn prepare_tls(_: &TlsCheck, _: &Preparing<'_>) -> Result<PreparedTls, PrepareError> {
    Err(PrepareError::unusable("tls", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_tls(_: &PreparedTls, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
