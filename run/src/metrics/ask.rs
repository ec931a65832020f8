//! A question to the data folder of an engine that does not run. I/O: series on disk.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::body::Body;
use axum::http::Request;
use kernel::series::{SeriesError, SeriesReader};
use kernel::{Clock, Timestamp};
use store_series::{Options, SeriesStore};
use tower::ServiceExt as _;
use web_prometheus::{Backend, Gate, Settings, default_gate};

/// The series of a folder, and nothing else of an engine.
struct Folder {
    store: Arc<SeriesStore>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    gate: Gate,
}

impl Backend for Folder {
    fn reader(&self) -> Result<Arc<dyn SeriesReader>, SeriesError> {
        Ok(self.store.clone())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn gate(&self) -> &Gate {
        &self.gate
    }
}

/// Answers a request for Prometheus's API from the series below a data folder: status and body. The folder is opened as at a start, so
/// whatever uses it must have ended; nothing is added to it.
///
/// # Errors
/// There are no series, another process uses them, or they cannot be read.
pub async fn ask_folder(data: &Path, path: &str, clock: Arc<dyn Clock>) -> Result<(u16, String)> {
    let series = data.join("series");
    if !series.is_dir() {
        bail!("there are no series in {}: name the data folder of a Farero", data.display());
    }
    let open = move || SeriesStore::open(&series, Options::default());
    let (store, _) = tokio::task::spawn_blocking(open).await.context("opening the series broke off")??;
    let settings = Settings::new(crate::VERSION, clock.now());
    let folder = Folder { store: Arc::new(store), clock, settings, gate: default_gate() };
    let router = web_prometheus::router(Arc::new(folder), None);
    let request = Request::get(path).body(Body::empty()).context("the question cannot be written as a request")?;
    let answer = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.context("the answer broke off")?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
