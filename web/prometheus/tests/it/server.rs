//! A server over the store in memory, and how the tests ask it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kernel::series::{SeriesAdmin, SeriesError, SeriesReader, SeriesWriter};
use kernel::{Labels, Timestamp};
use observe_receive::limits::Limits;
use observe_receive::remote_write::MetricMetadata;
use observe_receive::writer::Writer;
use tower::ServiceExt as _;
use web_prometheus::views::{self, RuleGroup, TargetMetadata, Targets};
use web_prometheus::{Backend, Configuration, Gate, Settings, router};

use crate::memory::Memory;

/// What the tests' server answers from.
pub(crate) struct Served {
    pub(crate) memory: Arc<Memory>,
    pub(crate) settings: Settings,
    pub(crate) gate: Gate,
    pub(crate) now: Timestamp,
    pub(crate) ready: AtomicBool,
    pub(crate) administered: bool,
    pub(crate) writing: bool,
    pub(crate) writer: Arc<Writer>,
    pub(crate) told: Mutex<Vec<MetricMetadata>>,
    pub(crate) external: Labels,
    pub(crate) groups: Vec<RuleGroup>,
    pub(crate) targets: Targets,
    pub(crate) metadata: Vec<TargetMetadata>,
}

impl Default for Served {
    fn default() -> Self {
        let started = Timestamp::from_secs(1_000);
        let memory = Arc::<Memory>::default();
        Self {
            writer: Arc::new(Writer::new(memory.clone() as Arc<dyn SeriesWriter>, Limits::default())),
            memory,
            writing: true,
            told: Mutex::default(),
            settings: Settings::new("0.1.0", started),
            gate: Gate::new(4),
            now: Timestamp::from_secs(10_000),
            ready: AtomicBool::new(true),
            administered: true,
            external: Labels::default(),
            groups: Vec::new(),
            targets: Targets::default(),
            metadata: Vec::new(),
        }
    }
}

impl Backend for Served {
    fn reader(&self) -> Result<Arc<dyn SeriesReader>, SeriesError> {
        Ok(self.memory.clone())
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    fn store(&self) -> Option<Arc<dyn SeriesAdmin>> {
        Some(self.memory.clone())
    }

    fn admin(&self) -> Option<Arc<dyn SeriesAdmin>> {
        self.administered.then(|| self.memory.clone() as Arc<dyn SeriesAdmin>)
    }

    fn configuration(&self) -> Configuration {
        let yaml = "global:\n  scrape_interval: 15s\n".to_owned();
        Configuration { yaml, external_labels: self.external.clone(), is_good: true, read_at: None }
    }

    fn rules(&self) -> Vec<RuleGroup> {
        self.groups.clone()
    }

    fn targets(&self) -> Targets {
        self.targets.clone()
    }

    fn metadata(&self) -> Vec<TargetMetadata> {
        let told = self.told.lock().unwrap();
        let metrics = told.iter().map(|m| views::MetricMetadata {
            metric: m.family.clone(),
            kind: m.kind.name().to_owned(),
            help: m.help.clone(),
            unit: m.unit.clone(),
        });
        let sent = TargetMetadata { metrics: metrics.collect(), ..TargetMetadata::default() };
        self.metadata.iter().cloned().chain((!told.is_empty()).then_some(sent)).collect()
    }

    fn own_metrics(&self) -> String {
        "# HELP other Another one.\n# TYPE other counter\nother 1\n\
         # HELP test_number A number.\n# TYPE test_number gauge\ntest_number{a=\"b\"} 1.5\n"
            .to_owned()
    }

    fn writer(&self) -> Option<Arc<Writer>> {
        self.writing.then(|| self.writer.clone())
    }

    fn told(&self, metadata: Vec<MetricMetadata>) {
        self.told.lock().unwrap().extend(metadata);
    }
}

/// An answer.
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A server to ask.
pub(crate) struct Site(pub(crate) Router);

impl Site {
    pub(crate) fn new(served: Served) -> Self {
        Self(router(Arc::new(served), Some(regex::Regex::new("^(?:.*)$").unwrap())))
    }

    /// Over some series.
    pub(crate) fn with(series: &[(Labels, &[(i64, f64)])]) -> Self {
        let served = Served::default();
        series.iter().for_each(|(labels, samples)| served.memory.add(labels.clone(), samples));
        Self::new(served)
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Got {
        let answered = self.0.clone().oneshot(request);
        let response = tokio::time::timeout(Duration::from_secs(30), answered).await.unwrap().unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Got { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn form(&self, method: Method, path: &str, form: &str) -> Got {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// Asks and compares the whole answer.
    pub(crate) async fn check(&self, path: &str, status: u16, expect: &str) {
        let got = self.get(path).await;
        assert_eq!((got.status.as_u16(), got.text()), (status, expect), "{path}");
    }
}
