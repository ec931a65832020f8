//! Answers that are successes, and how a handler finds whom it answers for. I/O: HTTP.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, header};
use serde::Serialize;

use crate::backend::Backend;
use crate::error::ApiError;
use crate::limits::ANSWER_BYTES;

/// What every handler answers.
pub(crate) type Answer = Result<Response, ApiError>;

/// Remark on an answer that was cut.
pub(crate) const TRUNCATED: &str = "results truncated due to limit";

/// Whom a request is answered for. Whoever mounts the routes puts it into the extensions of each request, after having made sure
/// that the request may pass.
#[derive(Clone)]
pub struct Api(pub Arc<dyn Backend>);

impl std::ops::Deref for Api {
    type Target = dyn Backend;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Api {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| ApiError::internal("nobody said for whom this request is answered"))
    }
}

/// A JSON body.
pub(crate) fn json(body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.into()).into_response()
}

/// A success with data.
pub(crate) fn success(data: &impl Serialize) -> Answer {
    let mut body = br#"{"status":"success","data":"#.to_vec();
    let written = serde_json::to_writer(&mut body, data);
    written.map_err(|e| ApiError::internal(format!("the answer cannot be written: {e}")))?;
    body.push(b'}');
    Ok(json(body))
}

/// Refuses an answer of more than [`ANSWER_BYTES`].
pub(crate) fn too_large() -> ApiError {
    let most = ANSWER_BYTES >> 20;
    ApiError::execution(format!(
        "the answer would be larger than {most} MiB: aggregate, add label matchers or a limit, or take a longer step"
    ))
}
