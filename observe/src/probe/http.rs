//! Http checks. I/O.

use plan_model::check::HttpCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Http check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedHttp;

/// Makes the check ready.
pub(crate) fn prepare_http(_: &HttpCheck, _: &Preparing<'_>) -> Result<PreparedHttp, PrepareError> {
    Err(PrepareError::unusable("http", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_http(_: &PreparedHttp, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
