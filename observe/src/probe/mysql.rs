//! Mysql checks. I/O.

use plan_model::check::MysqlCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Mysql check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedMysql;

/// Makes the check ready.
pub(crate) fn prepare_mysql(_: &MysqlCheck, _: &Preparing<'_>) -> Result<PreparedMysql, PrepareError> {
    Err(PrepareError::unusable("mysql", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_mysql(_: &PreparedMysql, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
