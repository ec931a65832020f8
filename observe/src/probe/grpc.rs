//! gRPC health protocol, `grpc.health.v1.Health/Check`, over HTTP/2. I/O.
//!
//! Question and answer are two tiny messages of one field each, so they are written and read here: a whole gRPC stack
//! would be the heaviest dependency of all for the least used kind.

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, TE};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kernel::probe::{Phase, Reading};
use plan_model::check::GrpcCheck;
use tokio::io::{AsyncRead, AsyncWrite};

use super::dial::{Target, connect};
use super::http::{http_error, while_driving};
use super::tls::{Offer, TlsClient};
use super::{Attempt, PrepareError, Preparing, Probed};

/// A health answer has 7 bytes; what is much longer is none.
const ANSWER_LIMIT_BYTES: usize = 4_096;

const PATH: &str = "/grpc.health.v1.Health/Check";

/// A name of a service may be this long.
const LONGEST_SERVICE_BYTES: usize = 1_024;

/// Names of the states, by their number in the protocol.
const SERVING_STATUS: [&str; 4] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/// Names of gRPC's codes, by their number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// A gRPC check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedGrpc {
    target: Target,
    uri: Uri,
    question: Bytes,
    tls: Option<TlsClient>,
}

/// Makes the check ready.
pub(crate) fn prepare_grpc(check: &GrpcCheck, with: &Preparing<'_>) -> Result<PreparedGrpc, PrepareError> {
    let target = Target::parse("grpc.address", with.resolve(&check.address)?.expose(), None)?;
    let scheme = if check.use_tls { "https" } else { "http" };
    let uri = format!("{scheme}://{target}{PATH}");
    Ok(PreparedGrpc {
        uri: uri.parse().map_err(|e| PrepareError::unusable("grpc.address", e))?,
        target,
        question: write_question(check.service.as_deref().unwrap_or_default())?,
        tls: check.use_tls.then(|| TlsClient::prepare(&check.tls, Offer::Http2, with)).transpose()?,
    })
}

/// Asks once.
pub(crate) async fn probe_grpc(check: &PreparedGrpc, attempt: &Attempt) -> Probed {
    attempt.read(Reading::new("probe_grpc_ssl", f64::from(u8::from(check.tls.is_some()))));
    let answered = async {
        let stream = connect(&check.target, attempt).await?;
        match &check.tls {
            None => ask(stream, check, attempt).await,
            Some(tls) => ask(tls.shake_hands(stream, &check.target.host, attempt).await?.0, check, attempt).await,
        }
    };
    match answered.await {
        Ok(answer) => judge(&answer, attempt),
        Err(error) => Probed::down(error),
    }
}

/// What came back: gRPC's own code with its text, and the message.
#[derive(Clone, Debug, Default, PartialEq)]
struct Answer {
    code: Option<usize>,
    text: String,
    serving: Option<usize>,
}

async fn ask<S>(stream: S, check: &PreparedGrpc, attempt: &Attempt) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    attempt.begin(Phase::Processing);
    let mut request = Request::new(Full::new(check.question.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = check.uri.clone();
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    request.headers_mut().insert(TE, HeaderValue::from_static("trailers"));
    let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|e| http_error(&e))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|e| http_error(&e))?;
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            return Err(format!("HTTP status {}: does it speak gRPC on this port?", head.status));
        }
        attempt.begin(Phase::Transfer);
        let body = Limited::new(body, ANSWER_LIMIT_BYTES).collect().await;
        let body = body.map_err(|e| format!("the answer broke off: {e}"))?;
        let mut answer = Answer::default();
        answer.read_status(&head.headers);
        if let Some(trailers) = body.trailers() {
            answer.read_status(trailers);
        }
        answer.serving = read_message(&body.to_bytes());
        Ok(answer)
    };
    while_driving(connection, exchange).await
}

impl Answer {
    fn read_status(&mut self, headers: &HeaderMap) {
        let text = |name| headers.get(HeaderName::from_static(name)).and_then(|v| v.to_str().ok());
        if let Some(code) = text("grpc-status").and_then(|code| code.parse().ok()) {
            self.code = Some(code);
            self.text = text("grpc-message").unwrap_or_default().to_owned();
        }
    }
}

fn judge(answer: &Answer, attempt: &Attempt) -> Probed {
    let Some(code) = answer.code else { return Probed::down("the answer has no gRPC status") };
    attempt.read(Reading::new("probe_grpc_status_code", code as f64));
    for (number, name) in SERVING_STATUS.iter().enumerate() {
        let is = f64::from(u8::from(answer.serving == Some(number)));
        attempt.read(Reading::new("probe_grpc_healthcheck_response", is).label("serving_status", *name));
    }
    let code_name = CODES.get(code).copied().unwrap_or("a code without a name");
    let serving = answer.serving.and_then(|number| SERVING_STATUS.get(number).copied());
    match (code, serving) {
        (0, Some("SERVING")) => Probed::up().with_status("SERVING"),
        (0, Some(other)) => Probed::down(format!("the service is {other}")).with_status(other),
        (0, None) => Probed::down("the answer is no health answer").with_status(code_name),
        (5, _) => Probed::down("the server does not know this service").with_status(code_name),
        (12, _) => Probed::down("the server has no health service").with_status(code_name),
        _ => Probed::down(format!("gRPC code {code_name}: {}", answer.text)).with_status(code_name),
    }
}

/// `HealthCheckRequest { string service = 1; }` behind gRPC's prefix: not compressed, length in four bytes.
fn write_question(service: &str) -> Result<Bytes, PrepareError> {
    if service.len() > LONGEST_SERVICE_BYTES {
        let why = format!("it is longer than {LONGEST_SERVICE_BYTES} bytes");
        return Err(PrepareError::unusable("grpc.service", why));
    }
    let mut message = BytesMut::new();
    if !service.is_empty() {
        message.put_u8(0x0a);
        put_varint(&mut message, service.len() as u64);
        message.put_slice(service.as_bytes());
    }
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(0));
    framed.put_slice(&message);
    Ok(framed.freeze())
}

fn put_varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.put_u8(value.to_le_bytes()[0]);
}

/// `HealthCheckResponse { ServingStatus status = 1; }` behind gRPC's prefix; a status of 0 may be left out.
fn read_message(framed: &[u8]) -> Option<usize> {
    let (prefix, mut message) = framed.split_at_checked(5)?;
    let length = u32::from_be_bytes(prefix[1..].try_into().ok()?);
    if prefix[0] != 0 || usize::try_from(length).ok()? != message.len() {
        return None;
    }
    let mut status = 0;
    while !message.is_empty() {
        let key = take_varint(&mut message)?;
        match (key >> 3, key & 7) {
            (1, 0) => status = usize::try_from(take_varint(&mut message)?).ok()?,
            (_, 0) => drop(take_varint(&mut message)?),
            (_, 1) => message = message.get(8..)?,
            (_, 2) => {
                let length = usize::try_from(take_varint(&mut message)?).ok()?;
                message = message.get(length..)?;
            }
            (_, 5) => message = message.get(4..)?,
            _ => return None,
        }
    }
    Some(status)
}

fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = from.split_first()?;
        *from = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn questions_are_what_protobuf_writes() {
        assert_eq!(&write_question("").unwrap()[..], [0, 0, 0, 0, 0]);
        assert_eq!(&write_question("db").unwrap()[..], [0, 0, 0, 0, 4, 0x0a, 2, b'd', b'b']);
        assert_eq!(write_question(&"x".repeat(300)).unwrap()[5..8], [0x0a, 0xac, 0x02]);
        assert!(write_question(&"x".repeat(2_000)).is_err());
    }

    #[test]
    fn answers_with_and_without_fields() {
        assert_eq!(read_message(&[0, 0, 0, 0, 2, 0x08, 1]), Some(1));
        assert_eq!(read_message(&[0, 0, 0, 0, 0]), Some(0));
        assert_eq!(read_message(&[0, 0, 0, 0, 5, 0x12, 1, b'x', 0x08, 2]), Some(2));
        assert_eq!(read_message(&[1, 0, 0, 0, 0]), None);
        assert_eq!(read_message(&[0, 0, 0, 0, 9, 0x08, 1]), None);
        assert_eq!(read_message(&[]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read_message(&bytes);
        }

        #[test]
        fn varints_read_back(value: u64) {
            let mut out = BytesMut::new();
            put_varint(&mut out, value);
            prop_assert_eq!(take_varint(&mut &out[..]), Some(value));
        }
    }
}
