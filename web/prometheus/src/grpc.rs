//! OTLP metrics over gRPC: the one call `Export`, its answer and its status. I/O: HTTP/2, series.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#otlpgrpc>, <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use observe_receive::limits::DECODED_BYTES;
use observe_receive::otlp::Form;
use observe_receive::otlp::grpc::{
    CONTENT_TYPE, EXPORT_METRICS_PATH, GrpcStatus, message_header, read_message, status_of, write_message,
};

use crate::answer::Api;
use crate::backend::Backend;
use crate::receive::whole;

/// `UNAVAILABLE`: senders try again.
const UNAVAILABLE: u8 = 14;
/// `UNIMPLEMENTED`
const UNIMPLEMENTED: u8 = 12;
/// `RESOURCE_EXHAUSTED`
const EXHAUSTED: u8 = 8;

/// `POST /opentelemetry.proto.collector.metrics.v1.MetricsService/Export`
pub(crate) async fn export_metrics(api: Api, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    if !text(header::CONTENT_TYPE.as_str()).starts_with(CONTENT_TYPE) {
        return crate::receive::refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this is for gRPC only (application/grpc)");
    }
    let Some(writer) = api.writer() else {
        return ended(UNIMPLEMENTED, "nothing is received here: see --web.enable-otlp-receiver");
    };
    let Ok(body) = whole(body).await else {
        return ended(EXHAUSTED, "the message is too long: send smaller ones");
    };
    let (encoding, options) = (text("grpc-encoding"), api.otlp());
    let (sender, now_ms) = (api.sender(&parts.extensions), api.now().as_millis());
    let _share = match api.write_gate().share(&sender, api.settings().timeout).await {
        Ok(share) => share,
        Err(error) => return ended(UNAVAILABLE, error.message()),
    };
    let work = move |_: &crate::gate::Turn| {
        let read = read_message(&body, &encoding, DECODED_BYTES);
        Ok(read.map(|plain| writer.otlp(sender, (Form::Protobuf, ""), &plain, &options, now_ms)))
    };
    match api.write_gate().run(api.settings().timeout, work).await {
        Ok(Ok(answer)) if answer.status == 200 => {
            let message = Form::Protobuf.answer(&answer);
            drop(crate::receive::note(&api, answer));
            done(&write_message(&message))
        }
        Ok(Ok(answer)) => {
            let code = if answer.retry_after_s.is_some() { UNAVAILABLE } else { status_of(answer.status) };
            ended(code, &answer.text)
        }
        Ok(Err(GrpcStatus { code, text })) => ended(code, &text),
        Err(error) => ended(UNAVAILABLE, error.message()),
    }
}

fn trailers(code: u8, text: &str) -> HeaderMap {
    let mut all = HeaderMap::new();
    all.insert("grpc-status", HeaderValue::from(u16::from(code)));
    // The escaped text is printable ASCII, so that it is a header's value always.
    if let Some(text) = HeaderValue::try_from(message_header(text)).ok().filter(|t| !t.is_empty()) {
        all.insert("grpc-message", text);
    }
    all
}

fn of(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}

/// A message, and behind it that all is well.
fn done(message: &[u8]) -> Response {
    let end = async { Some(Ok::<_, std::convert::Infallible>(trailers(0, ""))) };
    of(Body::new(Full::new(Bytes::copy_from_slice(message)).with_trailers(end)))
}

/// No message, only how the call ended.
fn ended(code: u8, text: &str) -> Response {
    let mut response = of(Body::empty());
    response.headers_mut().extend(trailers(code, text));
    response
}

/// A server of this call alone, for an address of its own (OTLP's usual port is 4317). Nobody is asked who they are.
pub fn grpc_router(backend: Arc<dyn Backend>) -> Router {
    Router::new()
        .route(EXPORT_METRICS_PATH, post(export_metrics))
        .fallback(|| async { ended(UNIMPLEMENTED, "only metrics are taken here") })
        .layer(Extension(Api(backend)))
}
