//! What holds for a check when its own settings, its component's, the plan's and the system's defaults are taken
//! together. Pure.

use indexmap::IndexMap;
use kernel::Duration;

use crate::component::Criticality;
use crate::severity::AlertPolicy;
use crate::{Check, Component, Plan};

/// How often a check runs where the plan does not say.
pub const DEFAULT_EVERY: Duration = Duration::from_secs(60);
/// How long one attempt may take where the plan does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts in total where the plan does not say.
pub const DEFAULT_ATTEMPTS: u32 = 3;
/// Pause between attempts where the plan does not say.
pub const DEFAULT_PAUSE: Duration = Duration::from_secs(1);
/// How often hosts are sampled where the plan does not say (MET-05).
pub const DEFAULT_HOST_EVERY: Duration = Duration::from_secs(15);
/// How often metrics endpoints are scraped where the plan does not say.
pub const DEFAULT_SCRAPE_EVERY: Duration = Duration::from_secs(15);
/// How often rules are evaluated where the plan does not say.
pub const DEFAULT_EVALUATE_EVERY: Duration = Duration::from_secs(15);
/// Intensive mode divides the interval by this where the plan does not say (CHK-16).
pub const INTENSIVE_DIVISOR: u64 = 5;

/// What holds for one check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckSettings {
    /// How often.
    pub every: Duration,
    /// How long one attempt may take. Where the plan does not say: 10 s, or less where all attempts would not fit into
    /// the interval.
    pub timeout: Duration,
    /// Attempts in total, at least 1.
    pub attempts: u32,
    /// Pause between attempts.
    pub pause: Duration,
    /// Slower than this is slow, not down.
    pub slow: Option<Duration>,
    /// Interval while the component is watched intensively.
    pub intensive: Duration,
    /// Run by others: stays out of the system's own uptime.
    pub third_party: bool,
    /// How much hangs on the component.
    pub criticality: Criticality,
    /// Further labels of its series and alerts.
    pub labels: IndexMap<String, String>,
    /// Severity when it is down; none: no such alert.
    pub down_severity: Option<String>,
    /// Severity when it is slow; none: no such alert.
    pub slow_severity: Option<String>,
    /// How long a state must hold before its alert fires.
    pub hold: Duration,
    /// Runbook to open, as the plan names it; [`crate::Loaded::document`] finds it.
    pub runbook: Option<String>,
    /// Components whose failure explains this one's.
    pub depends_on: Vec<String>,
}

impl CheckSettings {
    /// The longest time from the moment something breaks to the end of the run that finds it: one interval and all
    /// attempts with their pauses; the alert's hold time comes on top.
    pub fn detection(&self) -> Duration {
        let attempts = u64::from(self.attempts.max(1));
        let ms = self.every.as_millis() + attempts * self.timeout.as_millis() + (attempts - 1) * self.pause.as_millis();
        Duration::from_millis(ms)
    }
}

impl Plan {
    /// A service or host by its name.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.services.get(name).or_else(|| self.hosts.get(name))
    }

    /// The plan's time zone, from the data built into Farero, so that a plan means the same on every machine.
    pub fn time_zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZoneDatabase::bundled().get(&self.timezone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    /// All services and hosts, in the plan's order.
    pub fn components(&self) -> impl Iterator<Item = (&str, &Component)> {
        self.services.iter().chain(&self.hosts).map(|(name, c)| (name.as_str(), c))
    }

    /// All checks with their component's name and their own.
    pub fn checks(&self) -> impl Iterator<Item = (&str, &str, &Check)> {
        self.components().flat_map(|(name, c)| c.all_checks().map(move |(check, spec)| (name, check, spec)))
    }

    /// What holds for a check; `None` when the plan has no such check.
    pub fn effective(&self, component: &str, check: &str) -> Option<CheckSettings> {
        let parent = self.component(component)?;
        let spec = parent.check_named(check)?;
        let policy = self.alert_policy(component);
        let every = self.interval(spec);
        let attempts = spec.attempts.or(self.defaults.attempts).unwrap_or(DEFAULT_ATTEMPTS).max(1);
        let pause = spec.pause.unwrap_or_else(|| DEFAULT_PAUSE.min(Duration::from_millis(every.as_millis() / 10)));
        let timeout = spec.timeout.or(self.defaults.timeout).unwrap_or_else(|| fitting(every, attempts, pause));
        let fifth = Duration::from_millis(every.as_millis() / INTENSIVE_DIVISOR);
        Some(CheckSettings {
            every,
            timeout,
            attempts,
            pause,
            slow: spec.slow.or(self.defaults.slow),
            intensive: spec.intensive.unwrap_or_else(|| fifth.max(crate::check::SHORTEST_INTERVAL)).min(every),
            third_party: parent.third_party,
            criticality: parent.criticality,
            labels: spec.labels.clone(),
            down_severity: spec.down.clone().or(policy.down),
            slow_severity: spec.slow_severity.clone().or(policy.slow),
            hold: policy.hold.unwrap_or(Duration::ZERO),
            runbook: spec.runbook.clone(),
            depends_on: parent.depends_on.clone(),
        })
    }

    /// The thresholds and severities that hold for a component: its own where it names them, else the system's. A list of
    /// thresholds of its own replaces the system's list of the same measure.
    pub fn alert_policy(&self, component: &str) -> AlertPolicy {
        let Some(own) = self.component(component).and_then(|c| c.alerts.as_ref()) else { return self.alerts.clone() };
        let (own, all) = (own.clone(), &self.alerts);
        AlertPolicy {
            down: own.down.or_else(|| all.down.clone()),
            slow: own.slow.or_else(|| all.slow.clone()),
            hold: own.hold.or(all.hold),
            certificate: if own.certificate.is_empty() { all.certificate.clone() } else { own.certificate },
            scrape_down: own.scrape_down.or_else(|| all.scrape_down.clone()),
            blind: own.blind.or_else(|| all.blind.clone()),
            summary: own.summary.or_else(|| all.summary.clone()),
            cpu: if own.cpu.is_empty() { all.cpu.clone() } else { own.cpu },
            memory: if own.memory.is_empty() { all.memory.clone() } else { own.memory },
            disk: if own.disk.is_empty() { all.disk.clone() } else { own.disk },
        }
    }

    fn interval(&self, check: &Check) -> Duration {
        let default = match check.host {
            Some(_) => self.defaults.host_every.unwrap_or(DEFAULT_HOST_EVERY),
            None => self.defaults.every.unwrap_or(DEFAULT_EVERY),
        };
        check.every.unwrap_or(default).max(crate::check::SHORTEST_INTERVAL)
    }

    /// How often rules are evaluated.
    pub fn evaluate_every(&self) -> Duration {
        self.defaults.evaluate_every.unwrap_or(DEFAULT_EVALUATE_EVERY).max(crate::check::SHORTEST_INTERVAL)
    }

    /// How often a component's metrics endpoint is scraped, and how long that may take.
    pub fn scrape_settings(&self, scrape: &crate::component::Scrape) -> (Duration, Duration) {
        let every = scrape.every.or(self.defaults.scrape_every).unwrap_or(DEFAULT_SCRAPE_EVERY);
        let every = every.max(crate::check::SHORTEST_INTERVAL);
        (every, scrape.timeout.unwrap_or_else(|| DEFAULT_TIMEOUT.min(every)))
    }
}

/// The default timeout, shortened so that all attempts and pauses fit into the interval.
fn fitting(every: Duration, attempts: u32, pause: Duration) -> Duration {
    let attempts = u64::from(attempts);
    let room = every.as_millis().saturating_sub((attempts - 1) * pause.as_millis()) / attempts;
    DEFAULT_TIMEOUT.min(Duration::from_millis(room.max(1)))
}
