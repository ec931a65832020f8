//! What every answer has: security headers; failures as pages for people and as problem documents for programs.
//! I/O: HTTP.

use std::any::Any;

use askama::Template;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;

use crate::app::App;
use crate::pages::frame::{Frame, Nav};
use crate::pages::visit::Visit;
use crate::text::{Text, text};

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What a failure is, for its title and its advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NotFound,
    Method,
    Forbidden,
    Unauthorized,
    Csrf,
    Busy,
    Internal,
    Invalid,
    Refused,
    Stale,
}

/// Why something asked for was not done. What people or programs see of it is made when it leaves.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: Kind,
    status: StatusCode,
    detail: String,
    reference: Option<String>,
}

impl Failure {
    const fn new(kind: Kind, status: StatusCode, detail: String) -> Self {
        Self { kind, status, detail, reference: None }
    }

    /// There is no such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, StatusCode::NOT_FOUND, detail.into())
    }

    /// They see it, and may not do this; the text says why.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, StatusCode::FORBIDDEN, detail.into())
    }

    /// Too many requests; the header `Retry-After` says when to come back.
    pub(crate) fn too_many() -> Self {
        Self::new(Kind::Busy, StatusCode::TOO_MANY_REQUESTS, String::new())
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(Kind::Unauthorized, StatusCode::UNAUTHORIZED, String::new())
    }

    pub(crate) fn csrf() -> Self {
        Self::new(Kind::Csrf, StatusCode::FORBIDDEN, String::new())
    }

    pub(crate) fn busy() -> Self {
        Self::new(Kind::Busy, StatusCode::SERVICE_UNAVAILABLE, String::new())
    }

    /// The request makes no sense; the text says what is wrong with it.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, StatusCode::BAD_REQUEST, detail.into())
    }

    /// The request came under a name that is none of this Farero's (RFC 9110, section 15.5.20).
    pub(crate) fn misdirected(detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, StatusCode::MISDIRECTED_REQUEST, detail.into())
    }

    /// It was tried, and did not work; the text says why.
    pub(crate) fn refused(detail: impl Into<String>) -> Self {
        Self::new(Kind::Refused, StatusCode::CONFLICT, detail.into())
    }

    /// What was begun took too long, or was ended already.
    pub(crate) fn stale(status: StatusCode) -> Self {
        Self::new(Kind::Stale, status, String::new())
    }

    /// Something inside failed. The cause goes to the log under a number that people can name.
    pub(crate) fn internal(doing: &str, cause: impl std::fmt::Display) -> Self {
        let reference = format!("{:08x}", rand::random::<u32>());
        tracing::error!(%reference, %cause, "could not {doing}");
        let reference = Some(reference);
        Self { reference, ..Self::new(Kind::Internal, StatusCode::INTERNAL_SERVER_ERROR, String::new()) }
    }

    /// Of a bare status with a text.
    fn of_status(status: StatusCode, detail: String) -> Self {
        let kind = match status {
            StatusCode::NOT_FOUND => Kind::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Kind::Method,
            StatusCode::FORBIDDEN => Kind::Forbidden,
            StatusCode::UNAUTHORIZED => Kind::Unauthorized,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Kind::Busy,
            s if s.is_server_error() => Kind::Internal,
            _ => Kind::Invalid,
        };
        Self::new(kind, status, detail)
    }

    fn words(&self, t: &'static Text) -> (&'static str, &'static str) {
        let c = &t.common;
        match self.kind {
            Kind::NotFound => (c.error_not_found, c.error_not_found_help),
            Kind::Method => (c.error_method, c.error_method_help),
            Kind::Forbidden => (c.error_forbidden, c.error_forbidden_help),
            Kind::Unauthorized => (c.error_unauthorized, c.error_unauthorized_help),
            Kind::Csrf => (c.error_csrf, c.error_csrf_help),
            Kind::Busy => (c.error_busy, c.error_busy_help),
            Kind::Internal => (c.error_internal, c.error_internal_help),
            Kind::Invalid => (c.error_invalid, c.error_invalid_help),
            Kind::Refused => (c.error_refused, c.error_refused_help),
            Kind::Stale => (c.error_stale, c.error_stale_help),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<crate::control::ControlError> for Failure {
    fn from(error: crate::control::ControlError) -> Self {
        match error {
            crate::control::ControlError::Unknown { .. } => Self::not_found(error.to_string()),
            crate::control::ControlError::Failed(why) => Self::refused(why),
        }
    }
}

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// What kind of problem; `about:blank`: what the status says.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What happened.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What exactly.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    /// What to do.
    help: &'static str,
    /// Number under which the cause stands in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    f: Frame,
    title: &'static str,
    help: &'static str,
    detail: String,
    reference: Option<String>,
}

/// Turns failures and bare error statuses into pages, or for programs into problem documents.
pub(crate) async fn problems(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let visit = Visit::of(&parts);
    let for_people = wants_page(&parts);
    let head = parts.method == Method::HEAD;
    let response = next.run(Request::from_parts(parts, body)).await;
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") || kind.starts_with("text/html") || head {
        return response;
    }
    let (mut old, body) = response.into_parts();
    let failure = match old.extensions.remove::<Failure>() {
        Some(failure) => failure,
        None => {
            let detail = to_bytes(body, 2_048).await.unwrap_or_default();
            Failure::of_status(old.status, String::from_utf8_lossy(&detail).into_owned())
        }
    };
    let mut answer = if for_people { error_page(&app, &visit, failure) } else { problem(failure) };
    *answer.status_mut() = old.status;
    for name in [header::WWW_AUTHENTICATE, header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = old.headers.remove(&name) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

fn wants_page(parts: &http::request::Parts) -> bool {
    let accept = parts.headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("*/*");
    let path = parts.uri.path();
    let machine = ["/api/", "/ping/", "/metrics", "/-/", "/badge/", "/events"].iter().any(|p| path.starts_with(p));
    !machine && (accept.contains("text/html") || accept.contains("*/*"))
}

fn error_page(app: &App, visit: &Visit, failure: Failure) -> Response {
    let (title, help) = failure.words(text(visit.language));
    let mut f = Frame::new(app, visit, Nav::None, title);
    if visit.identity.is_none() {
        f = f.bare(); // whoever is not logged in learns nothing of any system, not even from an error
    }
    let page = ErrorPage { f, title, help, detail: failure.detail, reference: failure.reference };
    page.render().map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), |html| Html(html).into_response())
}

fn problem(failure: Failure) -> Response {
    let (title, help) = failure.words(text(kernel::Language::En));
    let (status, detail, reference) = (failure.status.as_u16(), failure.detail, failure.reference);
    let document = Problem { kind: "about:blank", title, status, detail, help, reference };
    let json = serde_json::to_vec(&document).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/problem+json")], json).into_response()
}

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
pub(crate) async fn not_found() -> Failure {
    Failure::not_found("")
}

/// A handler panicked: a bug. The answer carries a number that stands in the log.
pub(crate) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "?".to_owned());
    Failure::internal("answer a request: it panicked", text).into_response()
}
