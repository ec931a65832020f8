//! Prometheus's chunks: samples of one series as a stream of bits. Pure.
//!
//! <https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md>. Written are XOR and float-histogram chunks;
//! read are these and those of integer histograms. Chunks with start times (XOR2 and the *ST* kinds) are experimental in
//! Prometheus and not read.

mod bits;
mod histogram;
mod xor;

pub(crate) use histogram::{read_histograms, write_histograms};
pub(crate) use xor::{read_xor, write_xor};

/// Samples of one chunk at most, as Prometheus cuts them.
pub(crate) const SAMPLES: usize = 120;

/// How a chunk is coded, by Prometheus's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Xor = 1,
    Histogram = 2,
    FloatHistogram = 3,
}

impl Encoding {
    pub(crate) fn numbered(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Xor),
            2 => Some(Self::Histogram),
            3 => Some(Self::FloatHistogram),
            _ => None,
        }
    }
}

/// Why a chunk cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChunkError {
    #[error("a chunk ends in the middle of a sample")]
    Truncated,
    #[error("a chunk names {0} buckets, more than it could hold")]
    Buckets(u64),
}

#[cfg(test)]
mod tests;
