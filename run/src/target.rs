//! A metrics endpoint of a plan as a job of the scraper (MET-01). I/O: none of its own.
//!
//! The plan says little where Prometheus's configuration says much; the rest is decided here: the labels `system` and `service` belong to
//! Farero and a target cannot take them, redirects stay on the host that the plan names, and every endpoint has limits.

use std::path::PathBuf;
use std::sync::Arc;

use kernel::Labels;
use kernel::secret::{Redactor, Resolver, Secret};
use observe::probe::PrepareError;
use observe_scrape::config::{
    BasicAuth, Concealed, Discovery, Header, HistogramSettings, HttpConfig, Job, Limits, SecretValue, TargetGroup,
    TlsConfig, TlsVersion,
};
use observe_scrape::exposition::{Escaping, Protocol};
use observe_scrape::relabel::NameScheme;
use percent_encoding::percent_decode_str;
use plan_model::Plan;
use plan_model::check::net::TlsSettings;
use plan_model::component::{Scrape, ScrapeLimits};
use url::Url;

/// Longest answer, unpacked; node_exporter's has about 150 KiB, a busy kube-state-metrics some MiB.
pub const BODY_BYTES: u64 = 16 << 20;

/// Most samples of one scrape. A target that suddenly has more is broken more often than it has grown.
pub const SAMPLES: u64 = 50_000;

/// The job of an endpoint; its name is the component's within its system.
///
/// # Errors
/// A reference has no value, or the URL or a setting cannot be used.
pub fn job_of(
    plan: &Plan,
    component: &str,
    scrape: &Scrape,
    resolver: &dyn Resolver,
    redactor: &Redactor,
    conceal: &Redactor,
) -> Result<Arc<Job>, PrepareError> {
    let (interval, timeout) = plan.scrape_settings(scrape);
    let written = scrape.url.resolve(resolver)?;
    let url = Url::parse(written.expose()).map_err(|e| unusable("metrics.url", format!("it is no URL: {e}")))?;
    let host = url.host_str().ok_or_else(|| unusable("metrics.url", "it names no host".to_owned()))?;
    let address = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let basic = basic_auth(&url);
    let own = basic.iter().filter_map(|b| match &b.password {
        Some(SecretValue::Inline(password)) => Some(password.clone()),
        _ => None,
    });
    let native = scrape.native_histograms;
    let job = Job {
        name: format!("{}/{component}", plan.system),
        honor_labels: false,
        honor_timestamps: true,
        track_timestamps_staleness: false,
        params: params(&url),
        interval: interval.std(),
        timeout: timeout.min(interval).std(),
        protocols: if native { Protocol::PROTO_FIRST.to_vec() } else { Protocol::USUAL.to_vec() },
        // Small exporters forget to say what they send, and send text.
        fallback_protocol: Some(Protocol::PrometheusText0_0_4),
        histograms: HistogramSettings {
            native,
            keep_classic: native,
            bucket_limit: scrape.limits.buckets.unwrap_or(0),
            ..HistogramSettings::default()
        },
        failure_log: None,
        metrics_path: url.path().to_owned(),
        scheme: url.scheme().to_owned(),
        enable_compression: true,
        limits: limits(&scrape.limits),
        names: NameScheme::Utf8,
        escaping: Escaping::AllowUtf8,
        extra_metrics: true,
        discovery: vec![Discovery::Static(vec![group(plan, component, scrape, &address)])],
        http: HttpConfig {
            headers: authorization(scrape, resolver)?.into_iter().collect(),
            tls: tls(&scrape.tls, resolver)?,
            same_host: true,
            basic_auth: basic.clone(),
            ..HttpConfig::default()
        },
        relabel: Arc::default(),
        metric_relabel: Arc::default(),
        concealed: Concealed { labels: conceal.clone(), texts: with(redactor, own.collect()) },
    };
    Ok(Arc::new(job))
}

fn unusable(setting: &'static str, reason: String) -> PrepareError {
    PrepareError::Unusable { setting, reason }
}

/// A redactor is shared by all that need no more than it knows.
fn with(redactor: &Redactor, own: Vec<Secret>) -> Redactor {
    if own.is_empty() { redactor.clone() } else { redactor.with(own) }
}

/// The one target, under the labels that its series get.
fn group(plan: &Plan, component: &str, scrape: &Scrape, address: &str) -> TargetGroup {
    let job = scrape.job.as_deref().unwrap_or(component);
    let labels = [
        ("system", plan.system.as_str()),
        ("service", component),
        ("job", job),
        ("instance", address),
        ("__address__", address),
    ];
    TargetGroup { source: "plan".to_owned(), targets: vec![Labels::new(labels)], labels: Labels::default() }
}

/// What stands behind the question mark, by name; a name may come several times.
fn params(url: &Url) -> Vec<(String, Vec<String>)> {
    let mut out: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in url.query_pairs() {
        match out.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value.into_owned()),
            None => out.push((name.into_owned(), vec![value.into_owned()])),
        }
    }
    out
}

/// Who asks, where the URL says it: `https://user:password@host/`.
fn basic_auth(url: &Url) -> Option<BasicAuth> {
    let plain =
        |text: &str| SecretValue::Inline(Secret::new(percent_decode_str(text).decode_utf8_lossy().into_owned()));
    let named = !url.username().is_empty() || url.password().is_some();
    named.then(|| BasicAuth { username: plain(url.username()), password: url.password().map(plain) })
}

fn authorization(scrape: &Scrape, resolver: &dyn Resolver) -> Result<Option<Header>, PrepareError> {
    let Some(text) = &scrape.authorization else { return Ok(None) };
    let value = SecretValue::Inline(text.resolve(resolver)?);
    Ok(Some(Header { name: "Authorization".to_owned(), values: vec![value] }))
}

fn tls(settings: &TlsSettings, resolver: &dyn Resolver) -> Result<TlsConfig, PrepareError> {
    let text = |text: &Option<kernel::secret::Text>| text.as_ref().map(|t| t.resolve(resolver)).transpose();
    let min_version = match settings.min_version.as_deref() {
        None => None,
        Some("1.2") => Some(TlsVersion::Tls12),
        Some("1.3") => Some(TlsVersion::Tls13),
        Some(_) => return Err(unusable("metrics.tls.min_version", "write 1.2 or 1.3".to_owned())),
    };
    Ok(TlsConfig {
        ca_file: text(&settings.ca_file)?.map(|path| PathBuf::from(path.expose())),
        server_name: text(&settings.server_name)?.map(|name| name.expose().to_owned()),
        insecure_skip_verify: settings.insecure,
        min_version,
        ..TlsConfig::default()
    })
}

/// As long as those of what is sent, where the plan says nothing.
fn limits(written: &ScrapeLimits) -> Limits {
    use observe_receive::limits::{LABEL_NAME_BYTES, LABEL_VALUE_BYTES, LABELS};
    Limits {
        body_bytes: written.body_bytes.unwrap_or(BODY_BYTES),
        samples: written.samples.unwrap_or(SAMPLES),
        targets: 0,
        labels: written.labels.unwrap_or(LABELS as u64),
        label_name_length: written.label_name_bytes.unwrap_or(LABEL_NAME_BYTES as u64),
        label_value_length: written.label_value_bytes.unwrap_or(LABEL_VALUE_BYTES as u64),
        kept_dropped_targets: 0,
    }
}
