//! gRPC's framing of messages: a flag, a length, the message. Pure.
//!
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

use crate::body::{Packing, unpack};

/// Path of the call that exports metrics.
pub const EXPORT_METRICS_PATH: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
/// Media type of requests and answers.
pub const CONTENT_TYPE: &str = "application/grpc";

/// A call's end: a status and what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct GrpcStatus {
    /// <https://grpc.github.io/grpc/core/md_doc_statuscodes.html>
    pub code: u8,
    /// What went wrong, for `grpc-message` (which has to be percent-encoded).
    pub text: String,
}

/// The message of a request's body with exactly one; `encoding` is the header `grpc-encoding`, empty when missing.
///
/// # Errors
/// The status to end the call with.
pub fn read_message(body: &[u8], encoding: &str, limit: usize) -> Result<Vec<u8>, GrpcStatus> {
    let status = |code, text: String| GrpcStatus { code, text };
    let fail = |code, text: String| Err(status(code, text));
    let Some(([packed, length @ ..], message)) = body.split_first_chunk::<5>() else {
        return fail(3, "the message's prefix is missing".into());
    };
    let length = u32::from_be_bytes(*length) as usize;
    if length != message.len() {
        return fail(3, format!("the message has {} bytes, but its prefix says {length}", message.len()));
    }
    let packing = match (packed, encoding) {
        (0, _) | (1, "identity") => Packing::Plain,
        (1, "gzip") => Packing::Gzip,
        (1, "zstd") => Packing::Zstd,
        (1, other) => return fail(12, format!("the encoding {other:?} is not known: identity, gzip and zstd are")),
        (other, _) => return fail(3, format!("the message's flag is {other}: 0 or 1 are known")),
    };
    let mut out = Vec::new();
    unpack(packing, message, limit, &mut out).map_err(|error| status(3, error.to_string()))?;
    Ok(out)
}

/// A message with its prefix, not packed.
pub fn write_message(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 5);
    out.push(0);
    out.extend_from_slice(&(message.len() as u32).to_be_bytes());
    out.extend_from_slice(message);
    out
}

/// The gRPC status that says what an HTTP status says.
pub fn status_of(http: u16) -> u8 {
    match http {
        200..=299 => 0,
        401 => 16,
        403 => 7,
        404 => 12,
        413 | 429 => 8,
        503 => 14,
        400..=499 => 3,
        _ => 13,
    }
}

/// Text as `grpc-message` carries it.
pub fn message_header(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' => out.push_str("%25"),
            0x20..=0x7e => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_framed() {
        assert_eq!(write_message(b"ab"), [0, 0, 0, 0, 2, b'a', b'b']);
        assert_eq!(read_message(&write_message(b"ab"), "", 10), Ok(b"ab".to_vec()));
        let mut w = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut w, b"abc").unwrap();
        let mut framed = write_message(&w.finish().unwrap());
        framed[0] = 1;
        assert_eq!(read_message(&framed, "gzip", 10), Ok(b"abc".to_vec()));
        assert_eq!(read_message(&framed, "br", 10).unwrap_err().code, 12);
        assert_eq!(read_message(&framed, "gzip", 2).unwrap_err().code, 3);
        assert_eq!(read_message(&[0, 0, 0], "", 10).unwrap_err().code, 3);
        assert_eq!(read_message(&[0, 0, 0, 0, 9, 1], "", 10).unwrap_err().code, 3);
        assert_eq!(message_header("50 % é\n"), "50 %25 %C3%A9%0A");
    }
}
