//! Whether it lives, whether it is ready, reading the configuration again, ending. I/O: HTTP.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::answer::Api;

/// `GET /-/healthy`
pub(crate) async fn healthy(_: Api) -> &'static str {
    "Farero is Healthy.\n"
}

/// `GET /-/ready`
pub(crate) async fn ready(api: Api) -> Response {
    if api.is_ready() { "Farero is Ready.\n".into_response() } else { not_ready() }
}

/// What is answered before everything is read.
pub(crate) fn not_ready() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable").into_response()
}

const OFF: (StatusCode, &str) = (StatusCode::FORBIDDEN, "Lifecycle API is not enabled.");

/// `POST|PUT /-/reload`
pub(crate) async fn reload(api: Api) -> Response {
    if !api.has_lifecycle() {
        return OFF.into_response();
    }
    match api.reload().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("failed to reload config: {why}\n")).into_response(),
    }
}

/// `POST|PUT /-/quit`
pub(crate) async fn quit(api: Api) -> Response {
    if !api.has_lifecycle() {
        return OFF.into_response();
    }
    api.quit();
    "Requesting termination... Goodbye!".into_response()
}

/// `GET /-/quit` and `GET /-/reload`
pub(crate) async fn only_changes() -> (StatusCode, &'static str) {
    (StatusCode::METHOD_NOT_ALLOWED, "Only POST or PUT requests allowed")
}

/// Whether a path tells by itself which methods it takes.
pub(crate) fn says_how(path: &str) -> bool {
    matches!(path, "/-/reload" | "/-/quit")
}
