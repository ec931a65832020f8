//! What this API needs of whoever serves it: a port. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use decide_promql::Limits;
use futures_util::future::BoxFuture;
use kernel::series::{SeriesAdmin, SeriesError, SeriesReader};
use kernel::{Labels, Timestamp};
use observe_receive::otlp::OtlpOptions;
use observe_receive::remote_write::MetricMetadata;
use observe_receive::writer::{SenderName, Writer};
use serde::Serialize;

use crate::gate::Gate;
use crate::limits::{QUERIES_AT_ONCE, QUERY_TIME};
use crate::views::{ActiveAlert, Alertmanagers, RelabelStep, RuleGroup, TargetMetadata, Targets};

/// Version of Prometheus whose API and language are spoken: Grafana and others choose by it what they ask for.
pub const PROMETHEUS_VERSION: &str = "3.8.0";

/// What built this program. The names are Prometheus's; there is no key `features`, by which Grafana knows Mimir.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildInfo {
    /// Version of Prometheus that it answers like.
    pub version: String,
    /// What it really is.
    pub revision: String,
    /// Where it comes from.
    pub branch: String,
    /// By whom it was built.
    pub build_user: String,
    /// When it was built.
    pub build_date: String,
    /// Prometheus's compiler stands here.
    pub go_version: String,
}

impl BuildInfo {
    /// Of a version of Farero.
    pub fn farero(version: &str) -> Self {
        Self {
            version: PROMETHEUS_VERSION.to_owned(),
            revision: format!("farero-{version}"),
            branch: "farero".to_owned(),
            build_user: String::new(),
            build_date: String::new(),
            go_version: String::new(),
        }
    }
}

/// What does not change while it runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What a query may cost.
    pub limits: Limits,
    /// How long a query may take.
    pub timeout: Duration,
    /// How far back an instant selector looks.
    pub lookback: Duration,
    /// What built this program.
    pub build: BuildInfo,
    /// Flags by name, without dashes.
    pub flags: BTreeMap<String, String>,
    /// How long samples are kept, for people to read.
    pub retention: String,
    /// When it was started.
    pub started_at: Timestamp,
}

impl Settings {
    /// Prometheus's defaults.
    pub fn new(version: &str, started_at: Timestamp) -> Self {
        Self {
            limits: Limits::default(),
            timeout: QUERY_TIME,
            lookback: Duration::from_millis(decide_promql::DEFAULT_LOOKBACK_MS as u64),
            build: BuildInfo::farero(version),
            flags: BTreeMap::new(),
            retention: String::new(),
            started_at,
        }
    }
}

/// What the configuration in use says.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// As YAML, secrets left out.
    pub yaml: String,
    /// Labels that tell this server's series from another's; federation adds them.
    pub external_labels: Labels,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// Whether the last reading of it succeeded.
    pub is_good: bool,
}

/// What answers are made from. Handlers ask it at each request.
pub trait Backend: Send + Sync + 'static {
    /// The series as whoever asks sees them.
    ///
    /// # Errors
    /// They cannot be told apart.
    fn reader(&self) -> Result<Arc<dyn SeriesReader>, SeriesError>;

    /// The time now.
    fn now(&self) -> Timestamp;

    /// What does not change.
    fn settings(&self) -> &Settings;

    /// How many queries go on at once.
    fn gate(&self) -> &Gate;

    /// What takes in samples that others send; `None`: it is switched off.
    fn writer(&self) -> Option<Arc<Writer>> {
        None
    }

    /// As whom whoever asks sends samples, by what is known of the request. Without an answer of its own senders are not told apart.
    fn sender(&self, _request: &http::Extensions) -> SenderName {
        SenderName::default()
    }

    /// How OTLP metrics become series.
    fn otlp(&self) -> OtlpOptions {
        OtlpOptions::default()
    }

    /// How many messages with samples are worked on at once.
    fn write_gate(&self) -> &Gate {
        self.gate()
    }

    /// Takes note of what a sender said of its metrics.
    fn told(&self, metadata: Vec<MetricMetadata>) {
        drop(metadata);
    }

    /// Whether requests can be answered yet.
    fn is_ready(&self) -> bool {
        true
    }

    /// Facts about the store.
    fn store(&self) -> Option<Arc<dyn SeriesAdmin>> {
        None
    }

    /// The store for an administrator, when whoever asks may delete from it and have it copied.
    fn admin(&self) -> Option<Arc<dyn SeriesAdmin>> {
        None
    }

    /// The configuration in use.
    fn configuration(&self) -> Configuration {
        Configuration { is_good: true, ..Configuration::default() }
    }

    /// Groups of rules, in order.
    fn rules(&self) -> Vec<RuleGroup> {
        Vec::new()
    }

    /// Alerts that are pending or firing.
    fn alerts(&self) -> Vec<ActiveAlert> {
        let rules = self.rules().into_iter().flat_map(|g| g.rules);
        rules.filter_map(|r| r.alerting).flat_map(|a| a.alerts).collect()
    }

    /// What is scraped.
    fn targets(&self) -> Targets {
        Targets::default()
    }

    /// Names of scrape configurations.
    fn scrape_pools(&self) -> Vec<String> {
        Vec::new()
    }

    /// The configuration of a scrape pool as YAML.
    ///
    /// # Errors
    /// There is none of that name.
    fn scrape_pool(&self, name: &str) -> Result<String, String> {
        Err(unknown_pool(name))
    }

    /// What each relabeling rule of a scrape pool makes of labels.
    ///
    /// # Errors
    /// There is no pool of that name.
    fn relabel_steps(&self, pool: &str, labels: Labels) -> Result<Vec<RelabelStep>, String> {
        let _ = labels;
        Err(unknown_pool(pool))
    }

    /// What is known of metrics, by the target that told it.
    fn metadata(&self) -> Vec<TargetMetadata> {
        Vec::new()
    }

    /// Alertmanagers that alerts are sent to.
    fn alertmanagers(&self) -> Alertmanagers {
        Alertmanagers::default()
    }

    /// Own numbers, in Prometheus's text form.
    fn own_metrics(&self) -> String {
        String::new()
    }

    /// Whether reloading and quitting over HTTP are switched on.
    fn has_lifecycle(&self) -> bool {
        false
    }

    /// Reads the configuration again.
    fn reload(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    /// Begins to end.
    fn quit(&self) {}
}

/// What Prometheus says of a scrape pool that does not exist.
pub fn unknown_pool(name: &str) -> String {
    format!("scrape pool {name:?} not found")
}

/// A gate with Prometheus's default width.
pub fn default_gate() -> Gate {
    Gate::new(QUERIES_AT_ONCE)
}
