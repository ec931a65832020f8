//! What a sender is answered. Pure.

use crate::remote_write::{EXEMPLARS_WRITTEN, HISTOGRAMS_WRITTEN, MetricMetadata, SAMPLES_WRITTEN};

/// What was written of a request; what was there already counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Numbers.
    pub samples: u64,
    /// Histograms.
    pub histograms: u64,
    /// Exemplars.
    pub exemplars: u64,
}

/// The answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status: 2xx everything was taken and is durable; 4xx something cannot be taken, the rest was; 429 and 5xx send it
    /// once more.
    pub status: u16,
    /// What was wrong, a line each; empty when nothing was.
    pub text: String,
    /// What was written.
    pub written: Written,
    /// Samples that were not.
    pub rejected: u64,
    /// Seconds to wait before the next try.
    pub retry_after_s: Option<u32>,
    /// What the sender said of its metrics, for series that are new.
    pub metadata: Vec<MetricMetadata>,
    /// Whether the headers say what was written.
    pub(crate) says_written: bool,
}

impl Answer {
    pub(crate) fn failed(status: u16, text: String) -> Self {
        let retry_after_s = matches!(status, 429 | 503).then_some(RETRY_AFTER_S);
        Self { status, text, retry_after_s, ..Self::default() }
    }

    /// Headers of the answer, beside those of its body.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        if self.says_written {
            headers.push((SAMPLES_WRITTEN, self.written.samples.to_string()));
            headers.push((HISTOGRAMS_WRITTEN, self.written.histograms.to_string()));
            headers.push((EXEMPLARS_WRITTEN, self.written.exemplars.to_string()));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.push(("Retry-After", seconds.to_string()));
        }
        headers
    }
}

/// Senders that are turned away for a while come back after this.
const RETRY_AFTER_S: u32 = 5;
