//! `scrape_configs`: what a job says, and what it takes from `global`. Pure.

use std::path::PathBuf;
use std::time::Duration;

use super::fields::Fields;
use super::http::http;
use super::sd::{discoveries, reject_urls};
use super::{Concealed, Context, Discovery, HttpConfig, Node, Rules};
use crate::exposition::{Escaping, Protocol};
use crate::relabel::NameScheme;

/// What a target may bring; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `body_size_limit`, bytes unpacked
    pub body_bytes: u64,
    /// `sample_limit`
    pub samples: u64,
    /// `target_limit`
    pub targets: u64,
    /// `label_limit`
    pub labels: u64,
    /// `label_name_length_limit`
    pub label_name_length: u64,
    /// `label_value_length_limit`
    pub label_value_length: u64,
    /// `keep_dropped_targets`
    pub kept_dropped_targets: u64,
}

/// What jobs take unless they say otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobDefaults {
    /// Limits.
    pub limits: Limits,
    /// `scrape_protocols`
    pub protocols: Option<Vec<Protocol>>,
    /// Histograms.
    pub histograms: HistogramSettings,
    /// `metric_name_validation_scheme`
    pub scheme: NameScheme,
    /// `metric_name_escaping_scheme`
    pub escaping: Option<Escaping>,
    /// `scrape_failure_log_file`
    pub failure_log: Option<PathBuf>,
    /// `extra_scrape_metrics`
    pub extra_metrics: bool,
}

/// What becomes of histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HistogramSettings {
    /// `scrape_native_histograms`
    pub native: bool,
    /// `always_scrape_classic_histograms`
    pub keep_classic: bool,
    /// `convert_classic_histograms_to_nhcb`
    pub custom_buckets: bool,
    /// `native_histogram_bucket_limit`; 0 is no limit
    pub bucket_limit: u64,
    /// `native_histogram_min_bucket_factor`; 0 is any
    pub min_bucket_factor: f64,
}

/// A job: targets that are scraped alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// `job_name`
    pub name: String,
    /// `honor_labels`
    pub honor_labels: bool,
    /// `honor_timestamps`
    pub honor_timestamps: bool,
    /// `track_timestamps_staleness`
    pub track_timestamps_staleness: bool,
    /// `params`
    pub params: Vec<(String, Vec<String>)>,
    /// `scrape_interval`
    pub interval: Duration,
    /// `scrape_timeout`
    pub timeout: Duration,
    /// `scrape_protocols`
    pub protocols: Vec<Protocol>,
    /// `fallback_scrape_protocol`
    pub fallback_protocol: Option<Protocol>,
    /// Histograms.
    pub histograms: HistogramSettings,
    /// `scrape_failure_log_file`
    pub failure_log: Option<PathBuf>,
    /// `metrics_path`
    pub metrics_path: String,
    /// `scheme`
    pub scheme: String,
    /// `enable_compression`
    pub enable_compression: bool,
    /// Limits.
    pub limits: Limits,
    /// `metric_name_validation_scheme`
    pub names: NameScheme,
    /// `metric_name_escaping_scheme`
    pub escaping: Escaping,
    /// `extra_scrape_metrics`
    pub extra_metrics: bool,
    /// Where targets come from.
    pub discovery: Vec<Discovery>,
    /// How they are reached.
    pub http: HttpConfig,
    /// `relabel_configs`
    pub relabel: Rules,
    /// `metric_relabel_configs`
    pub metric_relabel: Rules,
    /// What must not show; the file has no key for it.
    pub concealed: Concealed,
}

pub(super) fn limits(ctx: &mut Context, fields: &mut Fields<'_>, usual: Limits) -> Limits {
    let or = |said: Option<u64>, usual: u64| said.filter(|n| *n > 0).unwrap_or(usual);
    Limits {
        body_bytes: or(fields.size(ctx, "body_size_limit"), usual.body_bytes),
        samples: or(fields.uint(ctx, "sample_limit"), usual.samples),
        targets: or(fields.uint(ctx, "target_limit"), usual.targets),
        labels: or(fields.uint(ctx, "label_limit"), usual.labels),
        label_name_length: or(fields.uint(ctx, "label_name_length_limit"), usual.label_name_length),
        label_value_length: or(fields.uint(ctx, "label_value_length_limit"), usual.label_value_length),
        kept_dropped_targets: or(fields.uint(ctx, "keep_dropped_targets"), usual.kept_dropped_targets),
    }
}

/// `scrape_protocols`
pub(super) fn protocols(ctx: &mut Context, fields: &mut Fields<'_>) -> Option<Vec<Protocol>> {
    let node = fields.get("scrape_protocols")?;
    let mut out: Vec<Protocol> = Vec::new();
    for name in fields.strings(ctx, "scrape_protocols") {
        match Protocol::named(&name) {
            Some(protocol) if out.contains(&protocol) => {
                ctx.error(node, format!("duplicated protocol in scrape_protocols, got {name}"));
            }
            Some(protocol) => out.push(protocol),
            None => ctx.error(node, unknown_protocol(&name)),
        }
    }
    if out.is_empty() {
        ctx.error(node, "scrape_protocols cannot be empty");
        return None;
    }
    Some(out)
}

fn unknown_protocol(name: &str) -> String {
    let names: Vec<&str> = Protocol::ALL.iter().map(|p| p.name()).collect();
    format!("unknown scrape protocol {name}, supported: [{}]", names.join(" "))
}

pub(super) fn histograms(ctx: &mut Context, fields: &mut Fields<'_>, usual: HistogramSettings) -> HistogramSettings {
    HistogramSettings {
        native: fields.bool(ctx, "scrape_native_histograms").unwrap_or(usual.native),
        keep_classic: fields.bool(ctx, "always_scrape_classic_histograms").unwrap_or(usual.keep_classic),
        custom_buckets: fields.bool(ctx, "convert_classic_histograms_to_nhcb").unwrap_or(usual.custom_buckets),
        ..usual
    }
}

/// `metric_name_validation_scheme`
pub(super) fn names(ctx: &mut Context, fields: &mut Fields<'_>) -> Option<NameScheme> {
    let text = fields.string(ctx, "metric_name_validation_scheme").filter(|t| !t.is_empty())?;
    match text.as_str() {
        "legacy" => Some(NameScheme::Legacy),
        "utf8" => Some(NameScheme::Utf8),
        other => {
            let text =
                format!("unknown name validation method specified, must be either '', 'legacy' or 'utf8', got {other}");
            ctx.error(fields.place("metric_name_validation_scheme"), text);
            None
        }
    }
}

/// `metric_name_escaping_scheme`
pub(super) fn escaping(ctx: &mut Context, fields: &mut Fields<'_>) -> Option<Escaping> {
    let text = fields.string(ctx, "metric_name_escaping_scheme").filter(|t| !t.is_empty())?;
    let out = Escaping::named(&text);
    if out.is_none() {
        let text = format!(
            "unknown name escaping method specified, must be one of 'allow-utf-8', 'underscores', 'dots', or 'values', \
             got {text:?}"
        );
        ctx.error(fields.place("metric_name_escaping_scheme"), text);
    }
    out
}

fn params(ctx: &mut Context, fields: &mut Fields<'_>) -> Vec<(String, Vec<String>)> {
    let Some(node) = fields.get("params") else { return Vec::new() };
    let mut section = Fields::open(ctx, node, "url.Values");
    let super::Value::Map(entries) = &node.value else { return Vec::new() };
    let names: Vec<String> = entries.iter().filter_map(|(k, _)| k.text().map(str::to_owned)).collect();
    names.into_iter().map(|name| (name.clone(), section.strings(ctx, &name))).collect()
}

/// `fallback_scrape_protocol`
fn fallback(ctx: &mut Context, fields: &mut Fields<'_>) -> Option<Protocol> {
    let text = fields.string(ctx, "fallback_scrape_protocol").filter(|t| !t.is_empty())?;
    let found = Protocol::named(&text);
    if found.is_none() {
        let text = format!("invalid fallback_scrape_protocol: {}", unknown_protocol(&text));
        ctx.error(fields.place("fallback_scrape_protocol"), text);
    }
    found
}

/// Reads one job.
pub(super) fn job(ctx: &mut Context, node: &Node, global: &super::Global) -> Option<Job> {
    if node.is_null() {
        ctx.error(node, "empty or null scrape config section");
        return None;
    }
    let usual = &global.job;
    let mut fields = Fields::open(ctx, node, "config.ScrapeConfig");
    let name = fields.string(ctx, "job_name").unwrap_or_default();
    if name.is_empty() {
        ctx.error(fields.place("job_name"), "job_name is empty");
    }
    let interval = fields.duration(ctx, "scrape_interval").unwrap_or(global.scrape_interval);
    let timeout = fields.duration(ctx, "scrape_timeout");
    if timeout.is_some_and(|t| t > interval) {
        let text = format!("scrape timeout greater than scrape interval for scrape config with job name {name:?}");
        ctx.error(fields.place("scrape_timeout"), text);
    }
    let own_names = names(ctx, &mut fields);
    let scheme = own_names.unwrap_or(usual.scheme);
    ctx.scheme = scheme;
    let mut histograms = histograms(ctx, &mut fields, usual.histograms);
    histograms.bucket_limit = fields.uint(ctx, "native_histogram_bucket_limit").unwrap_or(0);
    histograms.min_bucket_factor = fields.float(ctx, "native_histogram_min_bucket_factor").unwrap_or(0.0);
    let first = if histograms.native { &Protocol::PROTO_FIRST[..] } else { &Protocol::USUAL[..] };
    let protocols = protocols(ctx, &mut fields).or_else(|| usual.protocols.clone()).unwrap_or_else(|| first.to_vec());
    let own_escaping = escaping(ctx, &mut fields);
    let escaping = own_escaping.or(usual.escaping.filter(|_| own_names.is_none())).unwrap_or(match scheme {
        NameScheme::Utf8 => Escaping::AllowUtf8,
        NameScheme::Legacy => Escaping::Underscores,
    });
    if escaping == Escaping::AllowUtf8 && scheme == NameScheme::Legacy {
        ctx.error(node, "utf8 metric names requested but validation scheme is not set to UTF8");
    }
    let fallback_protocol = fallback(ctx, &mut fields);
    let limits = limits(ctx, &mut fields, usual.limits);
    let relabel = fields.rules(ctx, "relabel_configs", "target");
    let discovery = discoveries(ctx, &mut fields);
    if relabel.is_empty() {
        reject_urls(ctx, &fields, &discovery);
    }
    let out = Job {
        honor_labels: fields.bool(ctx, "honor_labels").unwrap_or(false),
        honor_timestamps: fields.bool(ctx, "honor_timestamps").unwrap_or(true),
        track_timestamps_staleness: fields.bool(ctx, "track_timestamps_staleness").unwrap_or(false),
        params: params(ctx, &mut fields),
        interval,
        timeout: timeout.unwrap_or_else(|| global.scrape_timeout.min(interval)),
        protocols,
        fallback_protocol,
        histograms,
        failure_log: fields.path(ctx, "scrape_failure_log_file").or_else(|| usual.failure_log.clone()),
        metrics_path: fields.string(ctx, "metrics_path").filter(|t| !t.is_empty()).unwrap_or_else(|| "/metrics".into()),
        scheme: fields.string(ctx, "scheme").filter(|t| !t.is_empty()).unwrap_or_else(|| "http".to_owned()),
        enable_compression: fields.bool(ctx, "enable_compression").unwrap_or(true),
        limits,
        names: scheme,
        escaping,
        extra_metrics: fields.bool(ctx, "extra_scrape_metrics").unwrap_or(usual.extra_metrics),
        discovery,
        http: http(ctx, &mut fields),
        relabel,
        metric_relabel: fields.rules(ctx, "metric_relabel_configs", "metric"),
        concealed: Concealed::default(),
        name,
    };
    fields.finish(ctx);
    ctx.scheme = usual.scheme;
    Some(out)
}
