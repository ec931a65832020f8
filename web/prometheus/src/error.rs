//! Answers that are no success, in Prometheus's words. I/O: HTTP.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use kernel::series::SeriesError;

use crate::json::push_text;

/// What kind of failure, as clients know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The query took too long.
    Timeout,
    /// Nobody waits for it any more.
    Canceled,
    /// The query cannot be answered.
    Execution,
    /// The request makes no sense.
    BadData,
    /// Something inside failed.
    Internal,
    /// It is switched off.
    Unavailable,
    /// There is no such thing here.
    NotFound,
}

impl ErrorKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Execution => "execution",
            Self::BadData => "bad_data",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::NotFound => "not_found",
        }
    }

    fn status(self) -> StatusCode {
        /// Nginx's own: the client has closed the connection. Prometheus answers so what was cancelled.
        const CLIENT_CLOSED: u16 = 499;
        match self {
            Self::Timeout => StatusCode::SERVICE_UNAVAILABLE,
            Self::Canceled => StatusCode::from_u16(CLIENT_CLOSED).unwrap_or(StatusCode::BAD_REQUEST),
            Self::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            Self::BadData => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            // That what is switched off is an internal error surprises, but is what Prometheus answers.
            Self::Internal | Self::Unavailable => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A failure with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    kind: ErrorKind,
    message: String,
}

impl ApiError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadData, message)
    }

    /// A parameter that cannot be used.
    pub(crate) fn parameter(name: &str, why: impl std::fmt::Display) -> Self {
        Self::bad(format!("invalid parameter \"{name}\": {why}"))
    }

    /// Nobody waits any more.
    pub(crate) fn canceled() -> Self {
        Self::new(ErrorKind::Canceled, "query was canceled in expression evaluation")
    }

    pub(crate) fn execution(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Execution, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<SeriesError> for ApiError {
    fn from(error: SeriesError) -> Self {
        Self::execution(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = br#"{"status":"error","errorType":"#.to_vec();
        push_text(&mut body, self.kind.word());
        body.extend_from_slice(br#","error":"#);
        push_text(&mut body, &self.message);
        body.push(b'}');
        (self.kind.status(), [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
            .into_response()
    }
}
