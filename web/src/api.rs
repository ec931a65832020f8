//! The JSON API under `/api/farero/v1`, and what other programs speak: Prometheus's API, heartbeats, badges, metrics.
//! I/O: HTTP, state, series.

pub(crate) mod alerts;
pub(crate) mod approvals;
pub(crate) mod backups;
pub(crate) mod badge;
pub(crate) mod checks;
pub(crate) mod dashboards;
pub(crate) mod deliveries;
pub(crate) mod kpis;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod people;
pub(crate) mod ping;
pub(crate) mod plan;
pub(crate) mod problems;
pub(crate) mod prometheus;
pub(crate) mod receiving;
pub(crate) mod scraped;
pub(crate) mod status;
pub(crate) mod systems;
pub(crate) mod teams;
pub(crate) mod trail;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Failure;

/// A JSON body, in or out; a bad one is a problem document.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let read = axum::Json::<T>::from_request(request, state).await;
        read.map(|json| Self(json.0)).map_err(|e| Failure::invalid(e.body_text()))
    }
}

impl<T: Serialize> axum::response::IntoResponse for Json<T> {
    fn into_response(self) -> axum::response::Response {
        axum::Json(self.0).into_response()
    }
}

/// A query string; a bad one is a problem document.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|query| Self(query.0)).map_err(|e| Failure::invalid(e.body_text()))
    }
}

/// What an endpoint gives.
pub(crate) type Answer<T> = Result<Json<T>, Failure>;

/// Most rows that one answer lists.
pub(crate) const MOST_ROWS: usize = 1_000;

/// How many rows are wanted, within [`MOST_ROWS`]; 100 when left out.
pub(crate) fn rows(limit: Option<usize>) -> usize {
    limit.unwrap_or(100).clamp(1, MOST_ROWS)
}
