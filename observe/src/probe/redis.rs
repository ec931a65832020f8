//! Redis checks. I/O.

use plan_model::check::RedisCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Redis check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedRedis;

/// Makes the check ready.
pub(crate) fn prepare_redis(_: &RedisCheck, _: &Preparing<'_>) -> Result<PreparedRedis, PrepareError> {
    Err(PrepareError::unusable("redis", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_redis(_: &PreparedRedis, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
