//! Prometheus's remote read: the request, and both forms of the answer. Pure.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/>

mod answer;
mod request;

pub use answer::{Frames, SampledAnswer};
pub(crate) use answer::{write_histogram, write_labels};
pub use request::{Query, ReadError, ReadRequest, ResponseType};

/// Media type of a sampled answer, which is packed with snappy.
pub const SAMPLED_CONTENT_TYPE: &str = "application/x-protobuf";
/// Media type of a streamed answer, which is not packed.
pub const STREAMED_CONTENT_TYPE: &str = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
/// Bytes of one frame of a streamed answer, about (Prometheus's default).
pub const FRAME_BYTES: usize = 1 << 20;
/// Most samples of a sampled answer (Prometheus's default).
pub const SAMPLE_LIMIT: usize = 50_000_000;

#[cfg(test)]
mod tests;
