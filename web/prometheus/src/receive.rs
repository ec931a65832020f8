//! What others send: remote-write, OTLP. I/O: HTTP, series.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use observe_receive::otlp::Form;
use observe_receive::writer;

use crate::answer::Api;
use crate::error::ApiError;
use crate::limits::MESSAGE_BYTES;

/// A plain refusal, as Go's `http.Error` writes it.
pub(crate) fn refuse(status: StatusCode, why: impl std::fmt::Display) -> Response {
    (status, format!("{why}\n")).into_response()
}

/// Nothing was taken, for now.
fn busy(error: &ApiError) -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, error.message())
}

/// Prometheus's words for what is switched off.
fn switched_off(what: &str, flag: &str) -> Response {
    refuse(StatusCode::NOT_FOUND, format!("{what} needs to be enabled with {flag}"))
}

fn text<'p>(parts: &'p Parts, name: &HeaderName) -> &'p str {
    parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

pub(crate) async fn whole(body: Body) -> Result<Bytes, Response> {
    to_bytes(body, MESSAGE_BYTES).await.map_err(|e| {
        let too_long = std::error::Error::source(&e).is_some_and(|s| s.is::<http_body_util::LengthLimitError>());
        if too_long {
            return refuse(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the message is longer than {MESSAGE_BYTES} bytes: send smaller ones"),
            );
        }
        refuse(StatusCode::BAD_REQUEST, e)
    })
}

/// `POST /api/v1/write`: remote-write 1.0 and 2.0.
pub(crate) async fn write(api: Api, request: Request) -> Response {
    let Some(writer) = api.writer() else {
        return switched_off("remote write receiver", "--web.enable-remote-write-receiver");
    };
    let (parts, body) = request.into_parts();
    let body = match whole(body).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let (sender, now_ms) = (api.sender(&parts.extensions), api.now().as_millis());
    let _share = match api.write_gate().share(&sender, api.settings().timeout).await {
        Ok(share) => share,
        Err(error) => return busy(&error),
    };
    let work = move |_: &crate::gate::Turn| {
        let headers = (text(&parts, &header::CONTENT_TYPE), text(&parts, &header::CONTENT_ENCODING));
        Ok(writer.remote_write(sender, headers, &body, now_ms))
    };
    match api.write_gate().run(api.settings().timeout, work).await {
        Ok(answer) => answered(&api, answer),
        Err(error) => busy(&error),
    }
}

/// `POST /api/v1/otlp/v1/metrics`
pub(crate) async fn otlp(api: Api, request: Request) -> Response {
    let Some(writer) = api.writer() else {
        return switched_off("otlp write receiver", "--web.enable-otlp-receiver");
    };
    let (parts, body) = request.into_parts();
    let form = match Form::of(text(&parts, &header::CONTENT_TYPE)) {
        Ok(form) => form,
        Err(why) => return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, why),
    };
    let body = match whole(body).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let (sender, options, now_ms) = (api.sender(&parts.extensions), api.otlp(), api.now().as_millis());
    let _share = match api.write_gate().share(&sender, api.settings().timeout).await {
        Ok(share) => share,
        Err(error) => return busy(&error),
    };
    let work = move |_: &crate::gate::Turn| {
        let encoding = text(&parts, &header::CONTENT_ENCODING);
        Ok(writer.otlp(sender, (form, encoding), &body, &options, now_ms))
    };
    match api.write_gate().run(api.settings().timeout, work).await {
        Ok(answer) => {
            let told = form.answer(&answer);
            let mut response = answered(&api, answer);
            *response.body_mut() = Body::from(told);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response
        }
        Err(error) => busy(&error),
    }
}

/// Takes note of what the sender said of its metrics.
pub(crate) fn note(api: &Api, mut answer: writer::Answer) -> writer::Answer {
    let metadata = std::mem::take(&mut answer.metadata);
    if !metadata.is_empty() {
        api.told(metadata);
    }
    answer
}

fn answered(api: &Api, answer: writer::Answer) -> Response {
    let answer = note(api, answer);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers();
    let mut response = if answer.text.is_empty() { status.into_response() } else { refuse(status, &answer.text) };
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
