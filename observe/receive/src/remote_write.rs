//! Prometheus's remote-write protocol, versions 1.0 and 2.0: which one a request speaks. Pure.
//!
//! <https://prometheus.io/docs/specs/prw/remote_write_spec/>,
//! <https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/>. The texts of errors are those of Prometheus's receiver.

mod encode;
mod histogram;
mod v1;
mod v2;

pub use encode::{Outgoing, OutgoingSeries, pack};
pub(crate) use v1::V1;
pub use v1::{MetricMetadata, MetricType};
pub(crate) use v2::V2;

use crate::body::Packing;

/// The media type of both versions.
pub const CONTENT_TYPE: &str = "application/x-protobuf";
/// Says how many samples were written (version 2.0).
pub const SAMPLES_WRITTEN: &str = "X-Prometheus-Remote-Write-Samples-Written";
/// Says how many histograms were written (version 2.0).
pub const HISTOGRAMS_WRITTEN: &str = "X-Prometheus-Remote-Write-Histograms-Written";
/// Says how many exemplars were written (version 2.0).
pub const EXEMPLARS_WRITTEN: &str = "X-Prometheus-Remote-Write-Exemplars-Written";

/// Which message a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// `prometheus.WriteRequest`, remote-write 1.0.
    V1,
    /// `io.prometheus.write.v2.Request`, remote-write 2.0.
    V2,
}

const V1_NAME: &str = "prometheus.WriteRequest";
const V2_NAME: &str = "io.prometheus.write.v2.Request";

/// What the headers `Content-Type` and `Content-Encoding` (empty when missing) say of a body.
///
/// # Errors
/// The text that belongs to the status 415, as Prometheus's receiver says it.
pub fn negotiate(content_type: &str, content_encoding: &str) -> Result<(Message, Packing), String> {
    let message = message(if content_type.is_empty() { CONTENT_TYPE } else { content_type })?;
    if !content_encoding.is_empty() && !content_encoding.eq_ignore_ascii_case("snappy") {
        return Err(format!(
            "{content_encoding} encoding (compression) is not accepted by this server; only snappy is acceptable"
        ));
    }
    Ok((message, Packing::Snappy))
}

fn message(content_type: &str) -> Result<Message, String> {
    let content_type = content_type.trim();
    let mut parts = content_type.split(';');
    if parts.next() != Some(CONTENT_TYPE) {
        return Err(format!("expected {CONTENT_TYPE} as the first (media) part, got {content_type} content-type"));
    }
    for part in parts {
        let mut pair = part.split('=');
        let (Some(key), Some(value), None) = (pair.next(), pair.next(), pair.next()) else {
            return Err(format!(
                "as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, \
                 got {part} in {content_type} content-type"
            ));
        };
        // A blank after the semicolon is allowed by RFC 9110.
        match (key.trim_start(), value) {
            ("proto", V1_NAME) => return Ok(Message::V1),
            ("proto", V2_NAME) => return Ok(Message::V2),
            ("proto", other) => {
                return Err(format!(
                    "got {content_type} content type; unknown type for remote write protobuf message {other}, \
                     supported: {V1_NAME}, {V2_NAME}"
                ));
            }
            _ => {}
        }
    }
    Ok(Message::V1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_choose_the_message() {
        for (content_type, encoding, expect) in [
            ("", "", Ok(Message::V1)),
            ("application/x-protobuf", "Snappy", Ok(Message::V1)),
            ("application/x-protobuf;proto=prometheus.WriteRequest", "snappy", Ok(Message::V1)),
            ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", Ok(Message::V2)),
            (" application/x-protobuf; proto=io.prometheus.write.v2.Request", "snappy", Ok(Message::V2)),
            ("application/json", "snappy", Err("expected application/x-protobuf as the first (media) part, got ")),
            ("application/x-protobuf;proto=x.Y", "snappy", Err("got application/x-protobuf;proto=x.Y content type; ")),
            ("application/x-protobuf;proto", "snappy", Err("as per https://www.rfc-editor.org/rfc/rfc9110#parameter")),
            ("application/x-protobuf", "zstd", Err("zstd encoding (compression) is not accepted by this server; ")),
        ] {
            match (negotiate(content_type, encoding), expect) {
                (Ok((message, packing)), Ok(expect)) => assert_eq!((message, packing), (expect, Packing::Snappy)),
                (Err(text), Err(start)) => assert!(text.starts_with(start), "{text}"),
                (got, _) => panic!("{content_type}: {got:?}"),
            }
        }
    }
}
