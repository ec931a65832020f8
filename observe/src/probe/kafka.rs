//! Kafka checks. I/O.

use plan_model::check::KafkaCheck;

use super::{Attempt, PrepareError, Preparing, Probed};

/// A Kafka check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedKafka;

/// Makes the check ready.
pub(crate) fn prepare_kafka(_: &KafkaCheck, _: &Preparing<'_>) -> Result<PreparedKafka, PrepareError> {
    Err(PrepareError::unusable("kafka", "this Farero does not ask it yet"))
}

/// Asks once.
pub(crate) async fn probe_kafka(_: &PreparedKafka, _: &Attempt) -> Probed {
    Probed::blind("this Farero does not ask it yet")
}
