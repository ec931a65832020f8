//! A question to a data folder, whether or not an engine runs there. I/O: series on disk.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::body::Body;
use axum::http::Request;
use kernel::series::{SeriesError, SeriesReader};
use kernel::{Clock, Timestamp};
use store_series::SeriesStore;
use tower::ServiceExt as _;
use web_prometheus::{Backend, Gate, Settings, default_gate};

/// The series of a folder, and nothing else of an engine.
struct Folder {
    series: Arc<dyn SeriesReader>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    gate: Gate,
}

impl Backend for Folder {
    fn reader(&self) -> Result<Arc<dyn SeriesReader>, SeriesError> {
        Ok(self.series.clone())
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

/// What a folder answered.
#[derive(Debug)]
pub struct FolderAnswer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// What is damaged, for people: it is missing from the answer.
    pub damage: Vec<String>,
}

/// Answers a request for Prometheus's API from the series below a data folder. Nothing changes there, and whoever writes there may go on: it
/// is answered from what is on disk at the moment.
///
/// # Errors
/// There are no series, or they cannot be read.
pub async fn ask_folder(data: &Path, path: &str, clock: Arc<dyn Clock>) -> Result<FolderAnswer> {
    let series = data.join("series");
    if !series.is_dir() {
        bail!("there are no series in {}: name the data folder of a Farero", data.display());
    }
    let look = move || SeriesStore::look(&series);
    let (series, report) = tokio::task::spawn_blocking(look).await.context("opening the series broke off")??;
    let settings = Settings::new(crate::VERSION, clock.now());
    let folder = Folder { series, clock, settings, gate: default_gate() };
    let router = web_prometheus::router(Arc::new(folder), None);
    let request = Request::get(path).body(Body::empty()).context("the question cannot be written as a request")?;
    let answer = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.context("the answer broke off")?;
    Ok(FolderAnswer { status, body: String::from_utf8_lossy(&body).into_owned(), damage: report.damage })
}
