//! Prometheus's configuration file, put to use: what is scraped, which rules are evaluated, who is told of alerts. I/O: files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use anyhow::{Context, Result};
use kernel::series::SeriesWriter;
use observe_receive::otlp::{OtlpOptions, Translation};
use observe_scrape::config::{self, Config, Otlp};
use observe_scrape::labelset::LabelBuilder;
use observe_scrape::manager::{Manager, Options};
use observe_scrape::relabel::relabel;
use web_prometheus::Configuration;

use super::backend::{Engine, InUse};
use super::notify::{Dressing, Relabel};
use super::redact::redact;
use super::rules::Settings;

impl Engine {
    /// Reads the configuration file, when there is one, and puts it to use.
    ///
    /// # Errors
    /// What is wrong with it or with its rule files; what was in use stays.
    pub(super) async fn configure(&self) -> Result<()> {
        let Some(path) = self.config.config.clone() else { return Ok(()) };
        let done = self.configure_from(path).await;
        if done.is_err() {
            self.in_use.write().unwrap_or_else(PoisonError::into_inner).configuration.is_good = false;
        }
        done
    }

    async fn configure_from(&self, path: PathBuf) -> Result<()> {
        let of_file = path.clone();
        let (yaml, config) = tokio::task::spawn_blocking(move || read(&of_file)).await??;
        let errors = |all: Vec<String>| anyhow::anyhow!("{}", all.join("\n"));
        self.rules.load(self.rule_settings(&config)).await.map_err(errors)?;
        self.tell(&config);
        let configuration = Configuration {
            yaml: redact(&yaml),
            external_labels: config.global.external_labels.clone(),
            read_at: Some(self.clock.now()),
            is_good: true,
        };
        let otlp = otlp(&config.otlp);
        *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = InUse { configuration, otlp };
        self.scrape(config)
    }

    fn rule_settings(&self, config: &Config) -> Settings {
        let length = |d: std::time::Duration| kernel::Duration::from_millis(d.as_millis() as u64);
        Settings {
            // They stand below the configuration's folder already.
            rule_files: config.rule_files.iter().map(|p| p.display().to_string()).collect(),
            interval: length(config.global.evaluation_interval),
            query_offset: length(config.global.rule_query_offset),
            external_labels: config.global.external_labels.clone(),
            external_url: self.config.external_url(),
            lookback: length(self.config.lookback),
            limits: self.config.query_limits(),
            ..Settings::default()
        }
    }

    /// Sets who is told of alerts.
    fn tell(&self, config: &Config) {
        self.notifier.dress(Dressing {
            external_labels: config.global.external_labels.clone(),
            relabel: relabeling(&config.alerting.relabel),
            external_url: self.config.external_url(),
        });
        self.alertmanagers.take(&config.alerting.alertmanagers, &self.notifier);
    }

    fn scrape(&self, config: Config) -> Result<()> {
        let mut scraping = self.scraping.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(manager) = &*scraping {
            manager.reload(config);
            return Ok(());
        }
        let host = self.config.external_host();
        let start_times = self.config.start_times;
        let options = Options { external_host: host, start_times, ..Options::default() };
        let writer = self.store.clone() as Arc<dyn SeriesWriter>;
        *scraping = Some(Arc::new(Manager::start(config, options, writer, self.clock.clone())?));
        Ok(())
    }
}

fn read(path: &Path) -> Result<(String, Config)> {
    let yaml = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let config = Config::load(path).map_err(|errors| {
        let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", all.join("\n"))
    })?;
    for note in &config.notes {
        tracing::warn!(%note, "of the configuration this is not done");
    }
    Ok((yaml, config))
}

fn otlp(written: &Otlp) -> OtlpOptions {
    let usual = OtlpOptions::default();
    let translation = written.translation_strategy.as_deref().and_then(Translation::named);
    OtlpOptions {
        translation: translation.unwrap_or_default(),
        promote: written.promote_resource_attributes.clone(),
        promote_all: written.promote_all_resource_attributes,
        ignore: written.ignore_resource_attributes.clone(),
        keep_identifying: written.keep_identifying_resource_attributes,
        scope_labels: written.promote_scope_metadata,
        custom_bounds: written.convert_histograms_to_nhcb,
        key_before_underscore: written.label_name_underscore_sanitization.unwrap_or(usual.key_before_underscore),
        keep_underscores: written.label_name_preserve_multiple_underscores.unwrap_or(usual.keep_underscores),
        ..usual
    }
}

pub(super) fn relabeling(rules: &config::Rules) -> Option<Arc<Relabel>> {
    if rules.is_empty() {
        return None;
    }
    let rules = rules.clone();
    Some(Arc::new(move |labels| {
        let mut builder = LabelBuilder::new(&labels);
        relabel(&mut builder, &rules).then(|| builder.labels())
    }))
}
