//! What an administrator may ask of the store: delete, clean up, copy. I/O: series on disk.

use std::sync::Arc;

use axum::response::IntoResponse;
use http::StatusCode;
use kernel::series::SeriesAdmin;
use serde_json::json;

use crate::answer::{Answer, Api, success};
use crate::error::{ApiError, ErrorKind};
use crate::params::Params;
use crate::selectors::selector;

fn store(api: &Api) -> Result<Arc<dyn SeriesAdmin>, ApiError> {
    api.admin().ok_or_else(|| ApiError::new(ErrorKind::Unavailable, "admin APIs disabled"))
}

/// Runs something that may wait for the disk. It ends even when nobody waits any more: half of it would help nobody.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, kernel::series::SeriesError> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|e| e.to_string()),
        Err(broken) => Err(broken.to_string()),
    }
}

/// `POST|PUT /api/v1/admin/tsdb/delete_series`
pub(crate) async fn delete_series(api: Api, params: Params) -> Answer {
    let store = store(&api)?;
    params.whole()?;
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad("no match[] parameter provided"));
    }
    let (start_ms, end_ms) = params.range()?;
    let all: Result<Vec<_>, String> = params.all("match[]").map(selector).collect();
    let all = all.map_err(|e| ApiError::parameter("match[]", e))?;
    let work = move || all.iter().try_for_each(|matchers| store.delete(matchers, start_ms, end_ms).map(|_| ()));
    on_disk(work).await.map_err(ApiError::internal)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST|PUT /api/v1/admin/tsdb/clean_tombstones`
pub(crate) async fn clean_tombstones(api: Api) -> Answer {
    let store = store(&api)?;
    on_disk(move || store.clean_deleted()).await.map_err(ApiError::internal)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST|PUT /api/v1/admin/tsdb/compact`, which Prometheus does not have: puts everything into blocks now.
pub(crate) async fn compact(api: Api) -> Answer {
    let store = store(&api)?;
    on_disk(move || store.compact()).await.map_err(ApiError::internal)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST|PUT /api/v1/admin/tsdb/snapshot`
pub(crate) async fn snapshot(api: Api, params: Params) -> Answer {
    let store = store(&api)?;
    let skip_head = match params.get("skip_head") {
        Some(text) => kernel::flag::parse_bool(text)
            .map_err(|e| ApiError::parameter("skip_head", format!("unable to parse boolean: {e}")))?,
        None => false,
    };
    let now = api.now();
    let name = on_disk(move || store.snapshot(skip_head, now)).await;
    success(&json!({ "name": name.map_err(|e| ApiError::internal(format!("create snapshot: {e}")))? }))
}
