//! The pages, one file each, and what all of them share. I/O: HTTP.

pub mod frame;
pub mod overview;
pub mod view;
pub mod visit;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

/// Renders a page.
pub(crate) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
