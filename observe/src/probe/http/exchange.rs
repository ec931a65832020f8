//! One request and its answer on a new connection, HTTP/1.1 or HTTP/2 as the server chooses by ALPN. I/O.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, LOCATION};
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kernel::probe::{Phase, Reading};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::request::Hop;
use crate::probe::Attempt;
use crate::probe::dial::connect;
use crate::probe::tls::TlsClient;

/// How much of a body is kept, and how much of it is read at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    pub(crate) kept: usize,
    pub(crate) read: usize,
}

/// An answer with the first bytes of its body.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
    body: Vec<u8>,
    body_bytes: usize,
    is_cut: bool,
}

impl Answer {
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether the body went on after the limit.
    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// `HTTP/1.1 503 Service Unavailable`
    pub(crate) fn status_line(&self) -> String {
        let reason = self.status.canonical_reason().unwrap_or_default();
        format!("{:?} {} {reason}", self.version, self.status.as_u16()).trim_end().to_owned()
    }

    /// Where the answer sends on to, if it does.
    pub(super) fn redirect_to(&self) -> Option<String> {
        let redirects = matches!(self.status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let location = self.headers.get(LOCATION).filter(|_| redirects)?;
        Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
    }

    /// Writes the numbers down, under blackbox_exporter's names.
    pub(super) fn record(&self, attempt: &Attempt) {
        let announced = self.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        let version = match self.version {
            Version::HTTP_2 => 2.0,
            Version::HTTP_10 => 1.0,
            _ => 1.1,
        };
        attempt.read(Reading::new("probe_http_status_code", f64::from(self.status.as_u16())));
        attempt.read(Reading::new("probe_http_content_length", announced.map_or(-1.0, |n| n as f64)));
        attempt.read(Reading::new("probe_http_uncompressed_body_length", self.body_bytes as f64));
        attempt.read(Reading::new("probe_http_version", version));
        if self.is_cut {
            attempt.fact("body", "it is longer than what is read of it");
        }
    }
}

/// Connects, asks and reads.
pub(super) async fn perform_exchange(
    hop: &Hop,
    request: Request<Full<Bytes>>,
    tls: Option<&TlsClient>,
    limits: BodyLimits,
    attempt: &Attempt,
) -> Result<Answer, String> {
    let stream = connect(hop.target(), attempt).await?;
    if !hop.is_https() {
        return ask_http1(stream, hop, request, limits, attempt).await;
    }
    let tls = tls.ok_or("HTTPS is not possible: this machine has no certificate authorities")?;
    // Boxed, so that a plain check in flight does not take the room of a handshake and of HTTP/2.
    Box::pin(ask_by_tls(stream, hop, request, tls, limits, attempt)).await
}

async fn ask_by_tls(
    stream: TcpStream,
    hop: &Hop,
    request: Request<Full<Bytes>>,
    tls: &TlsClient,
    limits: BodyLimits,
    attempt: &Attempt,
) -> Result<Answer, String> {
    let (stream, _) = tls.shake_hands(stream, &hop.target().host, attempt).await?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        ask_http2(stream, hop, request, limits, attempt).await
    } else {
        ask_http1(stream, hop, request, limits, attempt).await
    }
}

async fn ask_http1<S>(
    stream: S,
    hop: &Hop,
    mut request: Request<Full<Bytes>>,
    limits: BodyLimits,
    attempt: &Attempt,
) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    attempt.begin(Phase::Processing);
    hop.address(&mut request, Version::HTTP_11);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| http_error(&e))?;
    let answer = async { read_answer(sender.send_request(request).await, limits, attempt).await };
    while_driving(connection, answer).await
}

async fn ask_http2<S>(
    stream: S,
    hop: &Hop,
    mut request: Request<Full<Bytes>>,
    limits: BodyLimits,
    attempt: &Attempt,
) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    attempt.begin(Phase::Processing);
    hop.address(&mut request, Version::HTTP_2);
    let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|e| http_error(&e))?;
    let answer = async { read_answer(sender.send_request(request).await, limits, attempt).await };
    while_driving(connection, answer).await
}

async fn read_answer(
    response: hyper::Result<Response<Incoming>>,
    limits: BodyLimits,
    attempt: &Attempt,
) -> Result<Answer, String> {
    let (head, mut incoming) = response.map_err(|e| http_error(&e))?.into_parts();
    attempt.begin(Phase::Transfer);
    let mut answer = Answer {
        status: head.status,
        version: head.version,
        headers: head.headers,
        body: Vec::new(),
        body_bytes: 0,
        is_cut: false,
    };
    while let Some(frame) = incoming.frame().await {
        let frame =
            frame.map_err(|e| format!("the answer broke off after {} bytes: {}", answer.body_bytes, http_error(&e)))?;
        let Some(data) = frame.data_ref() else { continue };
        answer.body_bytes += data.len();
        let room = limits.kept.saturating_sub(answer.body.len()).min(data.len());
        answer.body.extend_from_slice(&data[..room]);
        if answer.body_bytes > limits.read {
            answer.is_cut = true;
            break;
        }
    }
    attempt.finish();
    Ok(answer)
}

/// Runs `work` while the connection is driven beside it in the same task: no task has to be started and stopped for
/// each check, and all ends together when the check is cut off. What breaks the connection reaches `work` as an error.
pub(crate) async fn while_driving<T>(connection: impl Future, work: impl Future<Output = T>) -> T {
    let (mut connection, mut work) = (pin!(connection), pin!(work));
    let mut is_closed = false;
    std::future::poll_fn(|cx| {
        if !is_closed {
            is_closed = connection.as_mut().poll(cx).is_ready();
        }
        match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            // The work may just have handed the connection something to send.
            Poll::Pending if !is_closed => {
                is_closed = connection.as_mut().poll(cx).is_ready();
                if is_closed { work.as_mut().poll(cx) } else { Poll::Pending }
            }
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Why an exchange failed, in words.
pub(crate) fn http_error(error: &hyper::Error) -> String {
    if error.is_incomplete_message() {
        return "the server closed the connection before its answer was complete".to_owned();
    }
    if error.is_parse() {
        return format!("the answer is not HTTP: {error}");
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
