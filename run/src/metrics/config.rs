//! What may be chosen about `farero metrics`. Pure.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use decide_promql::Limits;
use kernel::Timestamp;
use observe_scrape::config::Storage;
use store_series::Options;
use web_prometheus::Settings;

use crate::ReceiveLimits;

/// What the command line says.
#[derive(Clone, Debug)]
pub struct MetricsConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where OTLP over gRPC is taken on an address of its own; the main one takes it too.
    pub otlp_grpc: Option<SocketAddr>,
    /// Prometheus's file for the address itself: TLS, users.
    pub web_config: Option<PathBuf>,
    /// Whether what targets say of when their counters began is kept (`created-timestamp-zero-ingestion`).
    pub start_times: bool,
    /// Folder for everything that is kept.
    pub data: PathBuf,
    /// Prometheus's configuration file.
    pub config: Option<PathBuf>,
    /// How long samples are kept.
    pub retention: Duration,
    /// Bytes that they may take, 0 without a limit.
    pub retention_bytes: u64,
    /// How long roll-ups of samples that are gone are kept, 0 for none.
    pub rollups: Duration,
    /// How much older than the newest sample of its target a sample may be.
    pub out_of_order_window: Duration,
    /// What one sender may bring.
    pub receive: ReceiveLimits,
    /// How long a query may take.
    pub query_timeout: Duration,
    /// Samples that a query may read.
    pub query_samples: u64,
    /// Queries at once.
    pub queries_at_once: usize,
    /// How far back an instant selector looks.
    pub lookback: Duration,
    /// Whether series may be deleted and copied over HTTP.
    pub admin: bool,
    /// Whether the configuration may be read again, and the process ended, over HTTP.
    pub lifecycle: bool,
    /// Address under which others reach it.
    pub external_url: Option<String>,
    /// Name of the machine, for that address where it is not said and all of its addresses are listened on.
    pub machine: Option<String>,
    /// Regular expression of origins whose pages may read answers.
    pub cors: Option<String>,
}

impl MetricsConfig {
    /// Prometheus's defaults.
    pub fn new(listen: SocketAddr, data: PathBuf) -> Self {
        Self {
            listen,
            otlp_grpc: None,
            web_config: None,
            start_times: false,
            data,
            config: None,
            retention: Duration::from_secs(15 * 86_400),
            retention_bytes: 0,
            rollups: Options::default().rollups,
            out_of_order_window: Duration::from_secs(3_600),
            receive: ReceiveLimits::default(),
            query_timeout: web_prometheus::limits::QUERY_TIME,
            query_samples: Limits::MAX_SAMPLES,
            queries_at_once: web_prometheus::limits::QUERIES_AT_ONCE,
            lookback: Duration::from_secs(300),
            admin: false,
            lifecycle: false,
            external_url: None,
            machine: None,
            cors: None,
        }
    }

    /// What the configuration file says of the store goes before what the command line says, as in Prometheus.
    pub(super) fn take_storage(&mut self, storage: &Storage) {
        self.retention = storage.retention_time.unwrap_or(self.retention);
        self.retention_bytes = storage.retention_bytes.unwrap_or(self.retention_bytes);
        if !storage.out_of_order_window.is_zero() {
            self.out_of_order_window = storage.out_of_order_window;
        }
    }

    pub(super) fn store_options(&self) -> Options {
        Options {
            retention: self.retention,
            retention_bytes: self.retention_bytes,
            rollups: self.rollups,
            late_window: self.out_of_order_window,
            ..Options::default()
        }
    }

    /// What a query may cost.
    pub(super) fn query_limits(&self) -> Limits {
        Limits { max_samples: self.query_samples, max_points: self.query_samples / 2, ..Limits::default() }
    }

    /// Address under which others reach it.
    pub(super) fn external_url(&self) -> String {
        match (&self.external_url, &self.machine) {
            (Some(url), _) => url.clone(),
            (None, Some(name)) if self.listen.ip().is_unspecified() => format!("http://{name}:{}", self.listen.port()),
            _ => format!("http://{}", self.listen),
        }
    }

    /// The host of that address, without a port.
    pub(super) fn external_host(&self) -> String {
        let url = self.external_url();
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name.to_owned(),
            _ => host.to_owned(),
        }
    }

    pub(super) fn settings(&self, started_at: Timestamp) -> Settings {
        Settings {
            limits: self.query_limits(),
            timeout: self.query_timeout,
            lookback: self.lookback,
            flags: self.flags(),
            retention: self.retention_text(),
            ..Settings::new(crate::VERSION, started_at)
        }
    }

    fn retention_text(&self) -> String {
        let time = in_units(self.retention);
        let raw = match self.retention_bytes {
            0 => time,
            bytes => format!("{time} or {bytes}B"),
        };
        if self.rollups.is_zero() { raw } else { format!("{raw}, roll-ups {}", in_units(self.rollups)) }
    }

    /// Under the names that Prometheus's users know.
    fn flags(&self) -> BTreeMap<String, String> {
        let path = |path: &PathBuf| path.display().to_string();
        let all = [
            ("config.file", self.config.as_ref().map(path).unwrap_or_default()),
            ("query.lookback-delta", in_units(self.lookback)),
            ("query.max-concurrency", self.queries_at_once.to_string()),
            ("query.max-samples", self.query_samples.to_string()),
            ("query.timeout", in_units(self.query_timeout)),
            ("retention-rollups", in_units(self.rollups)),
            ("storage.tsdb.path", path(&self.data)),
            ("storage.tsdb.retention.size", format!("{}B", self.retention_bytes)),
            ("storage.tsdb.retention.time", in_units(self.retention)),
            ("web.cors.origin", self.cors.clone().unwrap_or_default()),
            ("web.enable-admin-api", self.admin.to_string()),
            ("web.enable-lifecycle", self.lifecycle.to_string()),
            ("web.enable-otlp-receiver", "true".to_owned()),
            ("web.enable-remote-write-receiver", "true".to_owned()),
            ("web.external-url", self.external_url.clone().unwrap_or_default()),
            ("web.listen-address", self.listen.to_string()),
        ];
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A duration as Prometheus writes it: `15d`, `1h30m`, `500ms`.
pub(super) fn in_units(length: Duration) -> String {
    const UNITS: [(&str, u128); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    let (mut rest, mut out) = (length.as_millis(), String::new());
    if rest == 0 {
        return "0s".to_owned();
    }
    for (unit, ms) in UNITS {
        // Years and weeks are written only when nothing is left over, as nobody thinks in 2w1d.
        let is_taken = rest >= ms && (!matches!(unit, "y" | "w") || rest.is_multiple_of(ms));
        if is_taken {
            out.push_str(&format!("{}{unit}", rest / ms));
            rest %= ms;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_listens_everywhere_is_reached_by_the_name_of_the_machine() {
        let url = |listen: &str, machine: Option<&str>| {
            let config = MetricsConfig::new(listen.parse().unwrap(), PathBuf::new());
            MetricsConfig { machine: machine.map(str::to_owned), ..config }.external_url()
        };
        assert_eq!(url("0.0.0.0:9090", Some("metrics-1")), "http://metrics-1:9090");
        assert_eq!(url("[::]:9090", None), "http://[::]:9090");
        assert_eq!(url("127.0.0.1:9090", Some("metrics-1")), "http://127.0.0.1:9090");
    }

    #[test]
    fn durations_are_written_as_prometheus_writes_them() {
        let check = |ms: u64, expect: &str| assert_eq!(in_units(Duration::from_millis(ms)), expect);
        check(0, "0s");
        check(15 * 86_400_000, "15d");
        check(14 * 86_400_000, "2w");
        check(365 * 86_400_000, "1y");
        check(300_000, "5m");
        check(90_500, "1m30s500ms");
    }
}
