//! The engine behind Prometheus's API: its store, nobody asked who they are. I/O: series on disk.

use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::BoxFuture;
use kernel::series::{SeriesAdmin, SeriesError, SeriesReader, SeriesWriter};
use kernel::{Clock, Labels, Timestamp};
use observe_receive::otlp::OtlpOptions;
use observe_receive::remote_write::MetricMetadata;
use observe_receive::writer::{SenderName, Writer};
use observe_scrape::manager::Manager;
use store_series::SeriesStore;
use tokio::sync::Notify;
use web_prometheus::limits::WRITES_AT_ONCE;
use web_prometheus::views::{
    ActiveAlert, Alertmanager, Alertmanagers, RelabelStep, RuleGroup, TargetMetadata, Targets,
};
use web_prometheus::{Backend, Configuration, Gate, Settings};

use super::alertmanagers::Search;
use super::config::MetricsConfig;
use super::known::Known;
use super::notify::Notifier;
use super::rules::RuleManager;
use super::senders::sender_of;
use super::{own, targets};

/// What the configuration file says, as far as answers need it.
#[derive(Clone, Debug, Default)]
pub(super) struct InUse {
    pub(super) configuration: Configuration,
    pub(super) otlp: OtlpOptions,
}

/// Everything that answers are made from.
pub(super) struct Engine {
    pub(super) store: Arc<SeriesStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) quitting: Arc<Notify>,
    pub(super) config: MetricsConfig,
    pub(super) writer: Arc<Writer>,
    pub(super) rules: RuleManager,
    pub(super) notifier: Arc<Notifier>,
    pub(super) alertmanagers: Search,
    /// Nothing is scraped until a configuration file says so.
    pub(super) scraping: RwLock<Option<Arc<Manager>>>,
    pub(super) in_use: RwLock<InUse>,
    known: Known,
    settings: Settings,
    queries: Gate,
    writes: Gate,
}

impl Engine {
    /// Over an open store, nothing configured.
    pub(super) fn new(config: MetricsConfig, store: Arc<SeriesStore>, clock: Arc<dyn Clock>) -> Self {
        let (reader, writer) = (store.clone() as Arc<dyn SeriesReader>, store.clone() as Arc<dyn SeriesWriter>);
        let notifier = Arc::<Notifier>::default();
        let configuration = Configuration { is_good: true, ..Configuration::default() };
        Self {
            writer: Arc::new(Writer::new(writer.clone(), config.receive.clone()).with_reader(reader.clone())),
            rules: RuleManager::new(reader, writer, clock.clone(), notifier.clone()),
            notifier,
            alertmanagers: Search::default(),
            store,
            quitting: Arc::default(),
            scraping: RwLock::default(),
            in_use: RwLock::new(InUse { configuration, ..InUse::default() }),
            known: Known::default(),
            settings: config.settings(clock.now()),
            queries: Gate::new(config.queries_at_once),
            writes: Gate::new(WRITES_AT_ONCE),
            config,
            clock,
        }
    }

    /// What is in use; what a panic left behind is still whole.
    fn now_in_use<T>(&self, with: impl FnOnce(&InUse) -> T) -> T {
        with(&self.in_use.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What scrapes, when anything does.
    pub(super) fn manager(&self) -> Option<Arc<Manager>> {
        self.scraping.read().unwrap_or_else(PoisonError::into_inner).clone()
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

    fn sender(&self, request: &axum::http::Extensions) -> SenderName {
        sender_of(request)
    }

    fn write_gate(&self) -> &Gate {
        &self.writes
    }

    fn otlp(&self) -> OtlpOptions {
        self.now_in_use(|i| i.otlp.clone())
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
        self.now_in_use(|i| i.configuration.clone())
    }

    fn rules(&self) -> Vec<RuleGroup> {
        let view =
            |shown: &Arc<super::rules::Shown>| RuleGroup { missed: shown.counters.missed.get(), ..shown.view.clone() };
        self.rules.groups().iter().map(view).collect()
    }

    fn alerts(&self) -> Vec<ActiveAlert> {
        self.rules.alerts()
    }

    fn targets(&self) -> Targets {
        self.manager().map(|m| targets::targets(&m)).unwrap_or_default()
    }

    fn scrape_pools(&self) -> Vec<String> {
        self.manager().map(|m| m.pools(None).into_iter().map(|pool| pool.name).collect()).unwrap_or_default()
    }

    fn relabel_steps(&self, pool: &str, labels: Labels) -> Result<Vec<RelabelStep>, String> {
        let steps = self.manager().and_then(|m| targets::relabel_steps(&m, pool, &labels));
        steps.ok_or_else(|| web_prometheus::unknown_pool(pool))
    }

    fn metadata(&self) -> Vec<TargetMetadata> {
        let mut all = self.manager().map(|m| targets::metadata(&m)).unwrap_or_default();
        all.push(TargetMetadata { metrics: self.known.all(), ..TargetMetadata::default() });
        all
    }

    fn alertmanagers(&self) -> Alertmanagers {
        let active = self.notifier.managers().into_iter().map(|(url, _)| Alertmanager { url: url.to_string() });
        Alertmanagers { active: active.collect(), dropped: Vec::new() }
    }

    fn own_metrics(&self) -> String {
        own::render(self)
    }

    fn has_lifecycle(&self) -> bool {
        self.config.lifecycle
    }

    fn reload(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.configure().await.map_err(|e| format!("{e:#}")) })
    }

    fn quit(&self) {
        self.quitting.notify_one();
    }
}
