//! The engine behind Prometheus's API: its store, nobody asked who they are. I/O: series on disk, the configuration file.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result};
use futures_util::future::BoxFuture;
use kernel::series::{SeriesAdmin, SeriesError, SeriesReader, SeriesWriter};
use kernel::{Clock, Timestamp};
use observe_receive::limits::Limits;
use observe_receive::remote_write::MetricMetadata;
use observe_receive::writer::Writer;
use store_series::SeriesStore;
use tokio::sync::Notify;
use web_prometheus::limits::WRITES_AT_ONCE;
use web_prometheus::views::TargetMetadata;
use web_prometheus::{Backend, Configuration, Gate, Settings};

use super::config::MetricsConfig;
use super::known::Known;
use super::own;

/// Everything that answers are made from.
pub(super) struct Engine {
    pub(super) store: Arc<SeriesStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) quitting: Arc<Notify>,
    writer: Arc<Writer>,
    known: Known,
    config: MetricsConfig,
    settings: Settings,
    queries: Gate,
    writes: Gate,
    configuration: RwLock<Configuration>,
}

impl Engine {
    /// Over an open store.
    ///
    /// # Errors
    /// The configuration file cannot be read.
    pub(super) fn new(config: MetricsConfig, store: Arc<SeriesStore>, clock: Arc<dyn Clock>) -> Result<Self> {
        let engine = Self {
            writer: Arc::new(Writer::new(store.clone() as Arc<dyn SeriesWriter>, Limits::default())),
            store,
            quitting: Arc::default(),
            known: Known::default(),
            settings: config.settings(clock.now()),
            queries: Gate::new(config.queries_at_once),
            writes: Gate::new(WRITES_AT_ONCE),
            configuration: RwLock::new(Configuration { is_good: true, ..Configuration::default() }),
            config,
            clock,
        };
        engine.read_again().map_err(anyhow::Error::msg)?;
        Ok(engine)
    }

    /// Reads the configuration file, when there is one.
    ///
    /// # Errors
    /// What is wrong with it; the old one stays in use.
    pub(super) fn read_again(&self) -> Result<(), String> {
        let Some(path) = &self.config.config else { return Ok(()) };
        let read = std::fs::read_to_string(path);
        let read = read.with_context(|| format!("{} cannot be read", path.display()));
        let mut now = self.configuration.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(yaml) => {
                *now = Configuration { yaml, is_good: true, read_at: Some(self.clock.now()), ..now.clone() };
                Ok(())
            }
            Err(error) => {
                now.is_good = false;
                Err(format!("{error:#}"))
            }
        }
    }

    pub(super) fn writer(&self) -> &Writer {
        &self.writer
    }
}

impl Backend for Engine {
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
        &self.queries
    }

    fn writer(&self) -> Option<Arc<Writer>> {
        Some(self.writer.clone())
    }

    fn write_gate(&self) -> &Gate {
        &self.writes
    }

    fn told(&self, metadata: Vec<MetricMetadata>) {
        self.known.tell(metadata);
    }

    fn store(&self) -> Option<Arc<dyn SeriesAdmin>> {
        Some(self.store.clone())
    }

    fn admin(&self) -> Option<Arc<dyn SeriesAdmin>> {
        self.config.admin.then(|| self.store.clone() as Arc<dyn SeriesAdmin>)
    }

    fn configuration(&self) -> Configuration {
        self.configuration.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn metadata(&self) -> Vec<TargetMetadata> {
        vec![TargetMetadata { metrics: self.known.all(), ..TargetMetadata::default() }]
    }

    fn own_metrics(&self) -> String {
        own::render(self)
    }

    fn has_lifecycle(&self) -> bool {
        self.config.lifecycle
    }

    fn reload(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.read_again() })
    }

    fn quit(&self) {
        self.quitting.notify_one();
    }
}
