//! Forms as handlers read them: a bad one is a failure with words, not a bare status. I/O: HTTP.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::answer::Failure;

/// The fields of a form.
pub(crate) struct Form<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let read = axum::extract::Form::<T>::from_request(request, state).await;
        read.map(|form| Self(form.0)).map_err(|e| Failure::invalid(e.body_text()))
    }
}
