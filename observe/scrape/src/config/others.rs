//! Sections beside scraping: `alerting`, `storage`, `remote_write`, `remote_read`, `otlp`, `tracing`, `runtime`. Pure.

use std::time::Duration;

use super::fields::Fields;
use super::http::http;
use super::sd::discoveries;
use super::{Context, Discovery, HttpConfig, Node, Rules};

/// `alerting`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerting {
    /// `alert_relabel_configs`
    pub relabel: Rules,
    /// `alertmanagers`
    pub alertmanagers: Vec<Alertmanager>,
}

/// One of `alertmanagers`
#[derive(Clone, Debug, PartialEq)]
pub struct Alertmanager {
    /// Where they are found.
    pub discovery: Vec<Discovery>,
    /// How they are reached.
    pub http: HttpConfig,
    /// `scheme`
    pub scheme: String,
    /// `path_prefix`
    pub path_prefix: String,
    /// `timeout`
    pub timeout: Duration,
    /// `relabel_configs`
    pub relabel: Rules,
    /// `alert_relabel_configs`
    pub alert_relabel: Rules,
}

/// `storage`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// `tsdb.out_of_order_time_window`; zero takes no late samples.
    pub out_of_order_window: Duration,
    /// `tsdb.retention.time`
    pub retention_time: Option<Duration>,
    /// `tsdb.retention.size`, bytes
    pub retention_bytes: Option<u64>,
    /// `exemplars.max_exemplars`
    pub max_exemplars: u64,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            out_of_order_window: Duration::ZERO,
            retention_time: None,
            retention_bytes: None,
            max_exemplars: 100_000,
        }
    }
}

/// An entry of `remote_write` or `remote_read`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// `name`
    pub name: Option<String>,
    /// `url`
    pub url: String,
}

/// `otlp`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Otlp {
    /// `promote_all_resource_attributes`
    pub promote_all_resource_attributes: bool,
    /// `promote_resource_attributes`
    pub promote_resource_attributes: Vec<String>,
    /// `ignore_resource_attributes`
    pub ignore_resource_attributes: Vec<String>,
    /// `translation_strategy`
    pub translation_strategy: Option<String>,
    /// `keep_identifying_resource_attributes`
    pub keep_identifying_resource_attributes: bool,
    /// `convert_histograms_to_nhcb`
    pub convert_histograms_to_nhcb: bool,
    /// `promote_scope_metadata`
    pub promote_scope_metadata: bool,
    /// `label_name_underscore_sanitization`
    pub label_name_underscore_sanitization: Option<bool>,
    /// `label_name_preserve_multiple_underscores`
    pub label_name_preserve_multiple_underscores: Option<bool>,
}

pub(super) fn alerting(ctx: &mut Context, node: &Node) -> Alerting {
    let mut fields = Fields::open(ctx, node, "config.AlertingConfig");
    let relabel = fields.rules(ctx, "alert_relabel_configs", "alert");
    let alertmanagers = fields.list(ctx, "alertmanagers").iter().map(|node| alertmanager(ctx, node)).collect();
    fields.finish(ctx);
    Alerting { relabel, alertmanagers }
}

fn alertmanager(ctx: &mut Context, node: &Node) -> Alertmanager {
    let mut fields = Fields::open(ctx, node, "config.AlertmanagerConfig");
    let version = fields.string(ctx, "api_version");
    if let Some(version) = version.filter(|v| v != "v2") {
        let text = format!("expected Alertmanager api version to be one of [v2] but got {version}");
        ctx.error(fields.place("api_version"), text);
    }
    if fields.get("sigv4").is_some() {
        ctx.note(fields.place("sigv4"), "requests are not signed for AWS here: sigv4 has no effect");
    }
    let out = Alertmanager {
        discovery: discoveries(ctx, &mut fields),
        http: http(ctx, &mut fields),
        scheme: fields.string(ctx, "scheme").unwrap_or_else(|| "http".to_owned()),
        path_prefix: fields.string(ctx, "path_prefix").unwrap_or_default(),
        timeout: fields.duration(ctx, "timeout").unwrap_or(Duration::from_secs(10)),
        relabel: fields.rules(ctx, "relabel_configs", "Alertmanager target"),
        alert_relabel: fields.rules(ctx, "alert_relabel_configs", "Alertmanager alert"),
    };
    fields.finish(ctx);
    out
}

pub(super) fn storage(ctx: &mut Context, node: &Node) -> Storage {
    let mut out = Storage::default();
    let mut fields = Fields::open(ctx, node, "config.StorageConfig");
    if let Some(node) = fields.get("tsdb") {
        let mut tsdb = Fields::open(ctx, node, "config.TSDBConfig");
        out.out_of_order_window = tsdb.duration(ctx, "out_of_order_time_window").unwrap_or_default();
        if tsdb.get("stale_series_compaction_threshold").is_some() {
            let text = "series that ended leave memory by themselves here: this has no effect";
            ctx.note(tsdb.place("stale_series_compaction_threshold"), text);
        }
        if let Some(node) = tsdb.get("retention") {
            let mut retention = Fields::open(ctx, node, "config.TSDBRetentionConfig");
            out.retention_time = retention.duration(ctx, "time");
            out.retention_bytes = retention.size(ctx, "size").filter(|n| *n > 0);
            if retention.get("percentage").is_some() {
                let text = "a share of the disk cannot be set here: use size";
                ctx.note(retention.place("percentage"), text);
            }
            retention.finish(ctx);
        }
        tsdb.finish(ctx);
    }
    if let Some(node) = fields.get("exemplars") {
        let mut exemplars = Fields::open(ctx, node, "config.ExemplarsConfig");
        let most = exemplars.string(ctx, "max_exemplars");
        match most.as_deref().map(str::parse::<i64>) {
            Some(Ok(most)) => out.max_exemplars = u64::try_from(most).unwrap_or(0),
            Some(Err(_)) => ctx.error(exemplars.place("max_exemplars"), "cannot unmarshal max_exemplars into int64"),
            None => {}
        }
        exemplars.finish(ctx);
    }
    fields.finish(ctx);
    out
}

const REMOTE_WRITE_KEYS: &[&str] = &[
    "remote_timeout",
    "headers",
    "write_relabel_configs",
    "send_exemplars",
    "send_native_histograms",
    "round_robin_dns",
    "protobuf_message",
    "queue_config",
    "metadata_config",
    "sigv4",
    "azuread",
    "google_iam",
];

const REMOTE_READ_KEYS: &[&str] =
    &["remote_timeout", "chunked_read_limit", "headers", "read_recent", "required_matchers", "filter_external_labels"];

/// `remote_write` and `remote_read`: read, checked for unknown keys, and noted.
pub(super) fn remotes(ctx: &mut Context, fields: &mut Fields<'_>, write: bool) -> Vec<Remote> {
    let (key, what, known, effect) = if write {
        ("remote_write", "config.RemoteWriteConfig", REMOTE_WRITE_KEYS, "samples are not sent on")
    } else {
        ("remote_read", "config.RemoteReadConfig", REMOTE_READ_KEYS, "queries do not ask there")
    };
    let mut out = Vec::new();
    for node in fields.list(ctx, key) {
        if node.is_null() {
            ctx.error(node, format!("empty or null {} config section", key.replace('_', " ")));
            continue;
        }
        let mut section = Fields::open(ctx, node, what);
        let url = section.string(ctx, "url").unwrap_or_default();
        if url.is_empty() {
            ctx.error(node, format!("url for {key} is empty"));
        }
        let name = section.string(ctx, "name");
        http(ctx, &mut section);
        section.known(known);
        section.finish(ctx);
        ctx.note(node, format!("{key} to {url} is kept, but not used: {effect}"));
        out.push(Remote { name, url });
    }
    out
}

pub(super) fn otlp(ctx: &mut Context, node: &Node) -> Otlp {
    let mut fields = Fields::open(ctx, node, "config.OTLPConfig");
    let out = Otlp {
        promote_all_resource_attributes: fields.bool(ctx, "promote_all_resource_attributes").unwrap_or(false),
        promote_resource_attributes: fields.strings(ctx, "promote_resource_attributes"),
        ignore_resource_attributes: fields.strings(ctx, "ignore_resource_attributes"),
        translation_strategy: fields.string(ctx, "translation_strategy").filter(|s| !s.is_empty()),
        keep_identifying_resource_attributes: fields.bool(ctx, "keep_identifying_resource_attributes").unwrap_or(false),
        convert_histograms_to_nhcb: fields.bool(ctx, "convert_histograms_to_nhcb").unwrap_or(false),
        promote_scope_metadata: fields.bool(ctx, "promote_scope_metadata").unwrap_or(false),
        label_name_underscore_sanitization: fields.bool(ctx, "label_name_underscore_sanitization"),
        label_name_preserve_multiple_underscores: fields.bool(ctx, "label_name_preserve_multiple_underscores"),
    };
    const STRATEGIES: [&str; 4] = [
        "UnderscoreEscapingWithSuffixes",
        "UnderscoreEscapingWithoutSuffixes",
        "NoUTF8EscapingWithSuffixes",
        "NoTranslation",
    ];
    if let Some(strategy) = out.translation_strategy.as_ref().filter(|s| !STRATEGIES.contains(&s.as_str())) {
        ctx.error(fields.place("translation_strategy"), format!("unsupported OTLP translation strategy {strategy:?}"));
    }
    fields.finish(ctx);
    out
}

/// Sections that are known and have no effect.
pub(super) fn without_effect(ctx: &mut Context, fields: &mut Fields<'_>) {
    const TRACING: &[&str] = &[
        "client_type",
        "endpoint",
        "sampling_fraction",
        "insecure",
        "tls_config",
        "headers",
        "compression",
        "timeout",
    ];
    for (key, what, keys, why) in [
        ("tracing", "config.TracingConfig", TRACING, "traces of the program itself are not sent"),
        ("runtime", "config.RuntimeConfig", &["gogc"][..], "there is no garbage collector to set"),
    ] {
        let Some(node) = fields.get(key) else { continue };
        let mut section = Fields::open(ctx, node, what);
        section.known(keys);
        section.finish(ctx);
        ctx.note(fields.place(key), format!("{key} has no effect: {why}"));
    }
}
