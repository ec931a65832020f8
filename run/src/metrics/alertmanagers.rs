//! Alertmanagers of a configuration: found by any of Prometheus's ways, reached with credentials and TLS of their own. I/O: starts
//! discovery, reads files.

use std::sync::Arc;

use act::alertmanager::{Client, address, client};
use anyhow::{Context as _, Result};
use kernel::Labels;
use observe_scrape::config::{self, Discovery, HttpConfig};
use observe_scrape::discovery::{Found, Updates, discoverer};
use observe_scrape::labelset::LabelBuilder;
use observe_scrape::relabel::relabel;
use observe_scrape::{request_headers, tls_config};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::configure::relabeling;
use super::notify::{Alertmanager, Notifier};

/// One entry of `alerting.alertmanagers` at work.
struct Entry {
    config: config::Alertmanager,
    client: Client,
    /// What each way to find them found last.
    found: Vec<Vec<Labels>>,
}

/// All of them; dropping it ends the search.
#[derive(Default)]
pub(super) struct Search {
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Search {
    fn drop(&mut self) {
        self.tasks.lock().iter().for_each(JoinHandle::abort);
    }
}

impl Search {
    /// Takes a configuration: what was found before is forgotten, what stands in it is told at once.
    pub(super) fn take(&self, all: &[config::Alertmanager], notifier: &Arc<Notifier>) {
        let mut tasks = self.tasks.lock();
        tasks.drain(..).for_each(|task| task.abort());
        let mut entries = Vec::new();
        for config in all {
            match client_of(&config.http) {
                Ok(client) => {
                    let found = config.discovery.iter().map(at_once).collect();
                    entries.push(Entry { config: config.clone(), client, found });
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "the Alertmanagers of one entry are not told");
                }
            }
        }
        let entries = Arc::new(Mutex::new(entries));
        publish(&entries.lock(), notifier);
        let ways: Vec<(usize, usize, Discovery)> = entries
            .lock()
            .iter()
            .enumerate()
            .flat_map(|(at, e)| e.config.discovery.iter().enumerate().map(move |(way, d)| (at, way, d.clone())))
            .filter(|(_, _, d)| !matches!(d, Discovery::Static(_)))
            .collect();
        for (at, way, discovery) in ways {
            let (entries, notifier) = (entries.clone(), notifier.clone());
            let updates = Updates::new(move |found| match found {
                Found::Groups(groups) => {
                    let mut entries = entries.lock();
                    if let Some(found) = entries.get_mut(at).and_then(|e| e.found.get_mut(way)) {
                        *found = groups.into_iter().flat_map(|g| labels_of(&g)).collect();
                    }
                    publish(&entries, &notifier);
                }
                Found::Failed(why) => tracing::warn!(why, "Alertmanagers could not be looked for; the last ones stay"),
            });
            tasks.push(tokio::spawn(discoverer(&discovery).run(updates)));
        }
    }
}

/// What stands in the configuration itself.
fn at_once(discovery: &Discovery) -> Vec<Labels> {
    match discovery {
        Discovery::Static(groups) => groups.iter().flat_map(labels_of).collect(),
        _ => Vec::new(),
    }
}

/// The labels of each target of a group, with those of the group.
fn labels_of(group: &config::TargetGroup) -> Vec<Labels> {
    let of = |target: &Labels| {
        let mut builder = LabelBuilder::new(&group.labels);
        target.iter().for_each(|(name, value)| builder.set(name, value));
        builder.labels()
    };
    group.targets.iter().map(of).collect()
}

/// Tells the notifier who is there.
fn publish(entries: &[Entry], notifier: &Notifier) {
    let mut all: Vec<Alertmanager> = Vec::new();
    for entry in entries {
        for labels in entry.found.iter().flatten() {
            match manager(entry, labels) {
                Some(Ok(found)) if all.iter().any(|known| known.url == found.url) => {}
                Some(Ok(found)) => all.push(found),
                Some(Err(error)) => tracing::error!(error, "an Alertmanager is not told"),
                None => {}
            }
        }
    }
    notifier.set_managers(all);
}

/// An Alertmanager of its labels, relabeled as a target is; `None` where it is dropped.
fn manager(entry: &Entry, labels: &Labels) -> Option<Result<Alertmanager, String>> {
    const SCHEME: &str = "__scheme__";
    const PATH: &str = "__alerts_path__";
    let mut builder = LabelBuilder::new(labels);
    for (name, value) in [(SCHEME, &entry.config.scheme), (PATH, &entry.config.path_prefix)] {
        if builder.get(name).is_empty() {
            builder.set(name, value);
        }
    }
    if !relabel(&mut builder, &entry.config.relabel) {
        return None;
    }
    let url = address(builder.get(SCHEME), builder.get("__address__"), builder.get(PATH));
    Some(url.map(|url| Alertmanager {
        url,
        timeout: entry.config.timeout,
        client: entry.client.clone(),
        relabel: relabeling(&entry.config.alert_relabel),
    }))
}

/// A client that shows who asks, and trusts whom the configuration trusts. Files with credentials are read when the
/// configuration is.
fn client_of(http: &HttpConfig) -> Result<Client> {
    if *http == HttpConfig::default() {
        return Ok(act::http_client()?.clone());
    }
    if http.oauth2.is_some() {
        tracing::warn!("an Alertmanager is told without oauth2: use authorization or basic_auth");
    }
    let headers = request_headers(http).map_err(anyhow::Error::msg).context("its credentials")?;
    let tls = tls_config(&http.tls).map_err(anyhow::Error::msg).context("its tls_config")?;
    client(tls, headers, http.proxy.url.as_deref()).map_err(anyhow::Error::msg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use observe_scrape::config::Config;

    #[tokio::test]
    async fn alr_23_alertmanagers_are_found_in_files_and_relabeled() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("am.json");
        std::fs::write(&list, r#"[{"targets": ["10.0.0.1:9093", "10.0.0.2:9093"], "labels": {"zone": "a"}}]"#).unwrap();
        let text = format!(
            "alerting:\n  alertmanagers:\n  - scheme: https\n    path_prefix: /am\n    basic_auth: {{username: u, password: p}}\n    \
             tls_config: {{insecure_skip_verify: true}}\n    file_sd_configs: [{{files: ['{}'], refresh_interval: 1s}}]\n    \
             static_configs: [{{targets: ['am:1']}}]\n    relabel_configs:\n    - {{source_labels: [__address__], regex: \
             '10.0.0.2.*', action: drop}}\n",
            list.display()
        );
        let config = Config::parse("x", &text, Path::new("/")).unwrap();
        let (notifier, managers) = (Arc::<Notifier>::default(), Search::default());
        managers.take(&config.alerting.alertmanagers, &notifier);
        let urls = || notifier.managers().iter().map(|(url, _)| url.to_string()).collect::<Vec<_>>();
        assert_eq!(urls(), ["https://am:1/am/api/v2/alerts"]);
        let wanted = ["https://10.0.0.1:9093/am/api/v2/alerts", "https://am:1/am/api/v2/alerts"];
        for _ in 0..200 {
            if urls().len() == wanted.len() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let mut found = urls();
        found.sort();
        assert_eq!(found, wanted);
        managers.take(&[], &notifier);
        assert!(urls().is_empty());
    }

    use std::path::Path;
}
