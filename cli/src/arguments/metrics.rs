//! What can be said about the metrics engine on its own. Prometheus's flags are understood too. Pure.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::limits::Receive;

#[derive(Debug, Args)]
pub(crate) struct Metrics {
    /// Where to listen; only this machine reaches it unless told otherwise.
    #[arg(long, visible_alias = "web.listen-address", default_value = "127.0.0.1:9090", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// Where to take OTLP over gRPC on an address of its own, such as 127.0.0.1:4317; the main address takes it too.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) otlp_grpc: Option<SocketAddr>,
    /// Prometheus's file for its own address: TLS, users with bcrypt, headers; read again on SIGHUP.
    #[arg(long = "web-config", visible_alias = "web.config.file", value_name = "FILE")]
    pub(crate) web_config: Option<PathBuf>,
    /// Folder for everything that is kept; made when missing.
    #[arg(long, visible_alias = "storage.tsdb.path", default_value = "farero-metrics", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Prometheus's configuration file; read again on SIGHUP.
    #[arg(long, visible_alias = "config.file", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How long samples are kept.
    #[arg(long, visible_alias = "storage.tsdb.retention.time", default_value = "15d", value_parser = duration)]
    pub(crate) retention: Duration,
    /// How long roll-ups (5 minutes, later 1 hour) of samples that are gone are kept; 0s for none.
    #[arg(long, default_value = "762d", value_name = "DURATION", value_parser = duration)]
    pub(crate) retention_rollups: Duration,
    /// Bytes that samples and roll-ups may take (`512MB`, `10GB`), 0 without a limit; the oldest go first.
    #[arg(long, visible_alias = "storage.tsdb.retention.size", default_value = "0", value_name = "BYTES", value_parser = bytes)]
    pub(crate) retention_size: u64,
    /// How much older than the newest sample of its target a sample may be that comes late; 0s for not at all, as in
    /// Prometheus without a setting of its own.
    #[arg(long, default_value = "1h", value_name = "DURATION", value_parser = duration)]
    pub(crate) out_of_order_window: Duration,
    /// How far back an instant query looks for the newest sample.
    #[arg(long, visible_alias = "query.lookback-delta", default_value = "5m", value_parser = duration)]
    pub(crate) lookback_delta: Duration,
    /// How long a query may take.
    #[arg(long, visible_alias = "query.timeout", default_value = "2m", value_parser = duration)]
    pub(crate) query_timeout: Duration,
    /// Samples that a query may hold.
    #[arg(long, visible_alias = "query.max-samples", default_value_t = 50_000_000)]
    pub(crate) query_max_samples: u64,
    /// Queries at once; others wait.
    #[arg(long, visible_alias = "query.max-concurrency", default_value_t = 20)]
    pub(crate) query_max_concurrency: usize,
    /// Let whoever reaches the address delete series and have copies made.
    #[arg(long, visible_alias = "web.enable-admin-api")]
    pub(crate) enable_admin_api: bool,
    /// Let whoever reaches the address end the process and have the configuration read again.
    #[arg(long, visible_alias = "web.enable-lifecycle")]
    pub(crate) enable_lifecycle: bool,
    /// Address under which others reach it.
    #[arg(long, visible_alias = "web.external-url", value_name = "URL")]
    pub(crate) external_url: Option<String>,
    /// Origins whose web pages may read answers, a regular expression; all when left out, as in Prometheus.
    #[arg(long, visible_alias = "web.cors.origin", default_value = ".*", value_name = "REGEX")]
    pub(crate) cors_origin: String,
    #[command(flatten)]
    pub(crate) receive: Receive,
    /// Switches of Prometheus for what is always on here; they change nothing.
    #[command(flatten)]
    pub(crate) always_on: AlwaysOn,
}

/// Prometheus's switches for what needs none here, so that its command lines can be used as they are.
#[derive(Debug, Args)]
pub(crate) struct AlwaysOn {
    #[arg(long = "web.enable-remote-write-receiver", hide = true)]
    pub(crate) remote_write: bool,
    #[arg(long = "web.enable-otlp-receiver", hide = true)]
    pub(crate) otlp: bool,
    #[arg(long = "enable-feature", hide = true, value_name = "NAMES")]
    pub(crate) features: Vec<String>,
}

/// An address; without a host (`:9090`) every interface, as Prometheus reads it.
fn address(text: &str) -> Result<SocketAddr, String> {
    let whole = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.replace("localhost", "127.0.0.1") };
    whole.parse().map_err(|_| format!("`{text}` is no address: write one such as 127.0.0.1:9090"))
}

/// A duration as in plans and in Prometheus's flags; 0 needs no unit.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") {
        return Ok(Duration::ZERO);
    }
    text.parse::<kernel::Duration>().map(kernel::Duration::std).map_err(|e| e.to_string())
}

/// Bytes as in Prometheus's flags: units are powers of 1,024.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u32); 7] = [("EB", 60), ("PB", 50), ("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10), ("B", 0)];
    let wrong = || format!("`{text}` is no number of bytes: write one such as 512MB");
    let upper = text.trim().to_ascii_uppercase();
    let found = UNITS.iter().find_map(|(unit, shift)| upper.strip_suffix(unit).map(|number| (number, *shift)));
    let (number, shift) = found.unwrap_or((&upper, 0));
    let number: u64 = number.trim().parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_prometheus_reads_them() {
        assert_eq!(address(":9090").unwrap().to_string(), "0.0.0.0:9090");
        assert_eq!(address("localhost:1").unwrap().to_string(), "127.0.0.1:1");
        assert!(address("x").is_err());
        assert_eq!((bytes("0"), bytes("512MB"), bytes("1gb")), (Ok(0), Ok(512 << 20), Ok(1 << 30)));
        assert!(bytes("many").is_err() && bytes("99999EB").is_err());
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!((duration("0"), duration("0s")), (Ok(Duration::ZERO), Ok(Duration::ZERO)));
    }
}
