//! What the API shows of jobs and targets. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::secret::{REDACTED, Redactor};
use kernel::{Labels, Timestamp};

use super::Active;
use crate::config::{Job, format_duration};
use crate::exposition::Metadata;
use crate::target::Target;

/// How a target's last scrape went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Health {
    #[default]
    Unknown,
    Up,
    Down,
}

impl Health {
    /// As Prometheus's API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What is remembered of a target's last scrape.
#[derive(Clone, Debug, Default)]
pub(super) struct Status {
    pub(super) health: Health,
    pub(super) last_error: String,
    pub(super) last_scrape: Option<Timestamp>,
    pub(super) last_duration: Duration,
}

/// A target, as `/api/v1/targets` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetView {
    /// `discoveredLabels`
    pub discovered_labels: Labels,
    /// `labels`
    pub labels: Labels,
    /// `scrapePool`
    pub scrape_pool: String,
    /// `scrapeUrl`
    pub scrape_url: String,
    /// `globalUrl`: the same for who is elsewhere.
    pub global_url: String,
    /// `lastError`, empty when there is none
    pub last_error: String,
    /// `lastScrape`; `None` when it was never scraped
    pub last_scrape: Option<Timestamp>,
    /// `lastScrapeDuration`
    pub last_scrape_duration: Duration,
    /// `health`
    pub health: Health,
    /// `scrapeInterval`
    pub scrape_interval: String,
    /// `scrapeTimeout`
    pub scrape_timeout: String,
}

/// A target that relabeling dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct DroppedTarget {
    /// `discoveredLabels`
    pub discovered_labels: Labels,
    /// `scrapePool`
    pub scrape_pool: String,
}

/// A job with its targets.
#[derive(Clone, Debug)]
pub struct PoolView {
    /// Its name.
    pub name: String,
    /// Its configuration.
    pub job: Arc<Job>,
    /// Its targets, sorted by URL.
    pub active: Vec<TargetView>,
    /// Targets that relabeling dropped, as many as are kept.
    pub dropped: Vec<DroppedTarget>,
    /// How many were dropped.
    pub dropped_count: usize,
}

/// What a target says of a metric family.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataView {
    /// The target's labels.
    pub target: Labels,
    /// The family.
    pub metric: String,
    /// What it says.
    pub metadata: Metadata,
}

/// A job as the API sees it.
pub(super) struct PoolState {
    pub(super) job: Arc<Job>,
    pub(super) active: Vec<Arc<Active>>,
    pub(super) dropped: Vec<Labels>,
    pub(super) dropped_count: usize,
}

/// All jobs, by name.
#[derive(Default)]
pub(super) struct Views(pub(super) BTreeMap<String, PoolState>);

impl Views {
    pub(super) fn job(&self, name: &str) -> Option<Arc<Job>> {
        self.0.get(name).map(|pool| Arc::clone(&pool.job))
    }

    pub(super) fn pools(&self, job: Option<&str>, external_host: &str) -> Vec<PoolView> {
        let wanted = self.0.iter().filter(|(name, _)| job.is_none_or(|job| job == name.as_str()));
        wanted
            .map(|(name, pool)| {
                let mut active: Vec<TargetView> = pool.active.iter().map(|a| view(a, name, external_host)).collect();
                active.sort_by(|a, b| a.scrape_url.cmp(&b.scrape_url));
                let dropped = pool.dropped.iter();
                let dropped = dropped
                    .map(|labels| DroppedTarget { discovered_labels: labels.clone(), scrape_pool: name.clone() })
                    .collect();
                let job = Arc::clone(&pool.job);
                PoolView { name: name.clone(), job, active, dropped, dropped_count: pool.dropped_count }
            })
            .collect()
    }

    pub(super) fn metadata(&self, of: &dyn Fn(&Labels) -> bool, metric: &str) -> Vec<MetadataView> {
        let mut out = Vec::new();
        for active in self.0.values().flat_map(|pool| &pool.active).filter(|a| of(&a.target.labels)) {
            let store = active.metadata.read();
            let texts = &active.at_work.job.concealed.texts;
            let mut add = |name: &str, metadata: &Metadata| {
                let (target, mut metadata) = (active.target.labels.clone(), metadata.clone());
                if texts.finds(&metadata.help) {
                    metadata.help = texts.redact(&metadata.help);
                }
                out.push(MetadataView { target, metric: name.to_owned(), metadata });
            };
            if metric.is_empty() {
                store.iter().for_each(|(name, metadata)| add(name, metadata));
            } else if let Some(metadata) = store.get(metric) {
                add(metric, metadata);
            }
        }
        out
    }
}

impl Active {
    /// A text about the target as people may read it. Of the target's own URL scheme and address stay, which its labels tell too.
    pub(super) fn said(&self, text: &str) -> String {
        let texts = &self.at_work.job.concealed.texts;
        let url = &self.target.url;
        let parts: Vec<String> = text.split(url.as_str()).map(|part| texts.redact(part)).collect();
        parts.join(&shown_url(&self.target, texts))
    }
}

fn shown_url(target: &Target, texts: &Redactor) -> String {
    let redacted = texts.redact(&target.url);
    let Some(rest) = redacted.strip_prefix(REDACTED) else { return redacted };
    let label = |name| target.all_labels.get(name).unwrap_or_default();
    let (address, instance) = (label("__address__"), label("instance"));
    let origin = format!("{}://{address}", label("__scheme__"));
    match target.url.strip_prefix(&origin) {
        Some(path) if address == instance && path == rest => target.url.clone(),
        Some(path) if address == instance && path.ends_with(rest) => format!("{origin}/{REDACTED}{rest}"),
        _ => redacted,
    }
}

fn view(active: &Active, pool: &str, external_host: &str) -> TargetView {
    let (target, status) = (&active.target, active.status.read().clone());
    let texts = &active.at_work.job.concealed.texts;
    let (url, shows) = (shown_url(target, texts), |(_, value): (&str, &str)| texts.finds(value));
    let discovered_labels = match target.discovered.iter().any(shows) {
        true => Labels::new(target.discovered.iter().map(|(name, value)| (name.to_owned(), texts.redact(value)))),
        false => target.discovered.clone(),
    };
    TargetView {
        discovered_labels,
        labels: target.labels.clone(),
        scrape_pool: pool.to_owned(),
        global_url: global_url(&url, external_host),
        scrape_url: url,
        last_error: status.last_error,
        last_scrape: status.last_scrape,
        last_scrape_duration: status.last_duration,
        health: status.health,
        scrape_interval: format_duration(target.interval),
        scrape_timeout: format_duration(target.timeout),
    }
}

/// Loopback names are replaced by one that others know.
fn global_url(url: &str, external_host: &str) -> String {
    for name in ["localhost", "127.0.0.1", "[::1]"] {
        for scheme in ["http://", "https://"] {
            let rest = url.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(name));
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with([':', '/', '?'])) {
                return format!("{scheme}{external_host}{rest}");
            }
        }
    }
    url.to_owned()
}

#[cfg(test)]
mod tests {
    use kernel::secret::Secret;

    use super::*;
    use crate::config::Config;
    use crate::target::{Populated, populate};

    #[test]
    fn of_a_concealed_url_the_origin_stays() {
        let target = |path: &str, instance: &str| {
            let text = format!("scrape_configs: [{{job_name: j, metrics_path: {path}}}]");
            let config = Config::parse("f", &text, std::path::Path::new("")).unwrap();
            let labels = Labels::new([("__address__", "10.0.0.5:9100"), ("instance", instance)]);
            match populate(&config.jobs[0].as_ref().clone(), &labels, &Labels::default()).unwrap() {
                Populated::Kept(target) => *target,
                other => panic!("{other:?}"),
            }
        };
        let plain = target("/a/metrics", "10.0.0.5:9100");
        let shown = |target: &Target, secrets: &[&str]| {
            shown_url(target, &Redactor::new(secrets.iter().map(|s| Secret::new((*s).to_owned()))))
        };
        let origin = "http://10.0.0.5:9100";
        assert_eq!(shown(&plain, &[]), "http://10.0.0.5:9100/a/metrics");
        assert_eq!(shown(&plain, &[origin]), "http://10.0.0.5:9100/a/metrics");
        assert_eq!(shown(&plain, &["http://10.0.0.5:9100/a"]), "http://10.0.0.5:9100/[redacted]/metrics");
        assert_eq!(shown(&plain, &["http://10.0.0.5:9100/a/metrics", origin]), "http://10.0.0.5:9100/[redacted]");
        assert_eq!(shown(&plain, &["/a/metrics"]), "http://10.0.0.5:9100[redacted]");
        let renamed = target("/a", "db");
        assert_eq!(shown(&renamed, &[origin]), "[redacted]/a", "its labels do not tell the address");
    }
}
