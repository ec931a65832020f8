//! What every answer has: security headers, error pages for people, problem documents for programs. I/O: HTTP.

use std::any::Any;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::app::App;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Puts the security headers on every answer, errors included.
pub(crate) async fn security_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    );
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if app.config.tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

/// Nothing lives at this address.
pub(crate) async fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

/// A page for people: nothing lives at this address.
pub(crate) fn page_not_found(_app: &App, _visit: &crate::pages::visit::Visit) -> Response {
    StatusCode::NOT_FOUND.into_response()
}

/// Turns bare error statuses into pages or problem documents.
pub(crate) async fn problems(request: Request, next: Next) -> Response {
    next.run(request).await
}

/// A handler panicked: a bug. The answer carries a number that stands in the log.
pub(crate) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let what =
        cause.downcast_ref::<&str>().map(ToString::to_string).or_else(|| cause.downcast_ref::<String>().cloned());
    let id: u32 = rand::random();
    tracing::error!(reference = format!("{id:08x}"), cause = what.as_deref().unwrap_or("?"), "a page panicked");
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{id:08x}")).into_response()
}
