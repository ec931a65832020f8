//! Postgres checks. I/O.

use plan_model::check::PostgresCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Postgres check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedPostgres;

/// Makes the check ready.
pub(crate) fn prepare_postgres(_: &PostgresCheck, _: &Preparing<'_>) -> Result<PreparedPostgres, PrepareError> {
    Err(PrepareError::unusable("postgres", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_postgres(_: &PreparedPostgres, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
