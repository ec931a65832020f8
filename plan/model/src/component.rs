//! Services and hosts: what a system consists of, with its handles and checks (PLN-03). Pure.

use indexmap::IndexMap;
use kernel::secret::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::scrape::{HttpMetrics, MetricsEndpoint, Scrape, ScrapeLimits};
use crate::severity::AlertPolicy;
use crate::{Check, threshold};

/// A service or a host of the system.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its name in the team's own words.
    #[serde(default)]
    pub label: Option<String>,
    /// What kind of thing it is.
    #[serde(default)]
    pub kind: ComponentKind,
    /// What it is for; other facts.
    #[serde(default)]
    pub description: Option<String>,
    /// How much hangs on it.
    #[serde(default)]
    pub criticality: Criticality,
    /// Run by others: its downtime stays out of the system's own uptime (CHK-07).
    #[serde(default)]
    pub third_party: bool,
    /// Environments it exists in; all when empty.
    #[serde(default)]
    pub environments: Vec<String>,
    /// What it needs: when one of these is down, its own failure is explained by that.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// The ways to get hold of it: one component may be a unit, a container and a URL at once.
    #[serde(default)]
    pub handles: Handles,
    /// The one check, where there is only one; it is named `check`.
    #[serde(default)]
    pub check: Option<Check>,
    /// Checks by name, where there are several.
    #[serde(default)]
    pub checks: IndexMap<String, Check>,
    /// Its Prometheus endpoint (MET-01).
    #[serde(default)]
    pub metrics: Option<Box<MetricsEndpoint>>,
    /// Only these see it, its checks, measurements and alerts: roles, teams or people of the plan, or built-in roles;
    /// everybody who sees the system when empty (INC-14).
    #[serde(default)]
    pub restricted_to: Vec<String>,
    /// Thresholds and severities that differ from the system's.
    #[serde(default)]
    pub alerts: Option<Box<AlertPolicy>>,
    /// Further numbers as the document gives them (memory, cores, versions); shown, not interpreted.
    #[serde(default)]
    pub facts: IndexMap<String, String>,
    /// Whether it counts yet: `now`, `optional`, `planned`, `future` (PLN-14).
    #[serde(default)]
    pub state: Life,
    /// First day on which a planned item is active, `2026-03-01`.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub from: Option<String>,
}

impl Component {
    /// All checks with their names; the single one is named `check`.
    pub fn all_checks(&self) -> impl Iterator<Item = (&str, &Check)> {
        self.check.iter().map(|c| ("check", c)).chain(self.checks.iter().map(|(n, c)| (n.as_str(), c)))
    }

    /// A check by its name.
    pub fn check_named(&self, name: &str) -> Option<&Check> {
        self.check.as_ref().filter(|_| name == "check").or_else(|| self.checks.get(name))
    }

    /// The label for people, or the given name.
    pub fn label_or<'a>(&'a self, name: &'a str) -> &'a str {
        self.label.as_deref().unwrap_or(name)
    }

    /// The component's own thresholds on disk, else none.
    pub fn disk_thresholds(&self) -> &[threshold::Threshold] {
        self.alerts.as_ref().map_or(&[], |a| &a.disk)
    }
}

/// What kind of thing a component is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentKind {
    /// Answers HTTP.
    #[default]
    HttpService,
    /// A machine.
    Host,
    /// A unit of systemd.
    SystemdUnit,
    /// A Docker container or Compose service.
    Container,
    /// A Kubernetes Deployment or other workload.
    Workload,
    /// Oracle, MySQL, PostgreSQL, …
    Database,
    /// Redis, …
    Cache,
    /// Kafka, …
    Broker,
    /// Nginx, an API gateway, …
    Proxy,
    /// Files, objects.
    FileStore,
    /// A CDN or other static content.
    Static,
    /// Someone else's API.
    ExternalApi,
    /// Waits to take over.
    Standby,
    /// Works in the background: Celery, cron, …
    Worker,
    /// A platform others run on: Docker, Kubernetes, a service mesh.
    Platform,
}

/// How much hangs on a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Criticality {
    /// The system stands or falls with it.
    High,
    /// Counts for the system's state.
    #[default]
    Normal,
    /// Its failure alone does not make the system look broken.
    Low,
}

/// The ways to get hold of a component.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handles {
    /// Base URL.
    #[serde(default)]
    pub url: Option<Text>,
    /// Host name or address.
    #[serde(default)]
    pub host: Option<Text>,
    /// Unit of systemd.
    #[serde(default)]
    pub unit: Option<String>,
    /// Name of the Docker container.
    #[serde(default)]
    pub container: Option<String>,
    /// Name of the Compose service.
    #[serde(default)]
    pub compose_service: Option<String>,
    /// Kubernetes namespace and workload, `prod/casos-deployment`.
    #[serde(default)]
    pub workload: Option<String>,
    /// Image with its tag.
    #[serde(default)]
    pub image: Option<String>,
    /// Path of files.
    #[serde(default)]
    pub path: Option<String>,
}

/// Whether an item counts yet (PLN-14). Inactive items are shown, and never count as failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Life {
    /// In use.
    #[default]
    Now,
    /// In use where it is set up; lacking parameters are no finding.
    Optional,
    /// Inactive until the day in `from`.
    Planned,
    /// Inactive.
    Future,
}
