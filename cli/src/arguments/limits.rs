//! What may be said of the store and of what is received, for `farero run` and `farero metrics` alike. Pure.

use clap::Args;
use run::ReceiveLimits;

/// What one sender of remote-write or OTLP may bring; more is refused, with the reason in the answer, and counted.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is received")]
pub(crate) struct Receive {
    /// Series of one sender that are alive at the same time.
    #[arg(long = "receive.max-series", env = "FARERO_RECEIVE_MAX_SERIES", default_value_t = 2_000_000)]
    pub(crate) series: usize,
    /// Labels of a series, its name included.
    #[arg(long = "receive.max-labels", env = "FARERO_RECEIVE_MAX_LABELS", default_value_t = 128)]
    pub(crate) labels: usize,
    /// Bytes of a label's name.
    #[arg(long = "receive.max-label-name-bytes", env = "FARERO_RECEIVE_MAX_LABEL_NAME_BYTES", default_value_t = 1_024)]
    pub(crate) label_name_bytes: usize,
    /// Bytes of a label's value.
    #[arg(
        long = "receive.max-label-value-bytes",
        env = "FARERO_RECEIVE_MAX_LABEL_VALUE_BYTES",
        default_value_t = 16_384
    )]
    pub(crate) label_value_bytes: usize,
    /// Samples a second of one sender, on average; bursts of ten seconds are taken. No limit when left out.
    #[arg(
        long = "receive.max-samples-per-second",
        env = "FARERO_RECEIVE_MAX_SAMPLES_PER_SECOND",
        value_name = "SAMPLES"
    )]
    pub(crate) samples_per_second: Option<u64>,
}

impl Receive {
    /// As the receiver has them.
    pub(crate) fn limits(&self) -> ReceiveLimits {
        ReceiveLimits {
            series: self.series,
            labels: self.labels,
            label_name_bytes: self.label_name_bytes,
            label_value_bytes: self.label_value_bytes,
            samples_per_second: self.samples_per_second,
            ..ReceiveLimits::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        receive: Receive,
    }

    #[test]
    fn without_a_word_limits_are_the_receivers_own() {
        let line = Line::parse_from(["farero"]);
        assert_eq!(line.receive.limits(), ReceiveLimits::default());
        let line = Line::parse_from(["farero", "--receive.max-series", "5", "--receive.max-samples-per-second", "7"]);
        let limits = line.receive.limits();
        assert_eq!((limits.series, limits.samples_per_second), (5, Some(7)));
    }
}
