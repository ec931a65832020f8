//! Scrapes of Prometheus's own metrics, and of bodies that break the limits.

use std::process::Command;

use kernel::secret::Redactor;
use observe::scrape::{MetricKind, PreparedScrape, ScrapeFailure, ScrapeLimits, ScrapeResult, prepare_scrape};
use plan_model::component::MetricsEndpoint;
use serde_json::{Value, json};

use super::nginx::Nginx;
use super::support::{OneSecret, Server, WallClock, free_port, write};

fn prepare(endpoint: Value, limits: ScrapeLimits) -> PreparedScrape {
    let endpoint: MetricsEndpoint = serde_json::from_value(endpoint).expect("an endpoint");
    prepare_scrape(&endpoint.scrape(), limits, &OneSecret, &Redactor::default()).expect("a scrape")
}

async fn scrape(endpoint: Value, limits: ScrapeLimits) -> ScrapeResult {
    prepare(endpoint, limits).perform(&WallClock).await
}

fn start_prometheus(folder: &std::path::Path) -> (Server, String) {
    let port = free_port();
    let config = write(folder, "prometheus.yml", "global: { scrape_interval: 1h }\n");
    let mut command = Command::new("/usr/bin/prometheus");
    command.arg(format!("--config.file={config}")).arg(format!("--storage.tsdb.path={}", folder.display()));
    let server = Server::start("prometheus", command.arg(format!("--web.listen-address=127.0.0.1:{port}")));
    (server.wait_for(port), format!("http://127.0.0.1:{port}/metrics"))
}

#[tokio::test]
async fn met_01_scrapes_a_real_target() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = start_prometheus(folder.path());
    let result = scrape(json!(url), ScrapeLimits::default()).await;
    assert_eq!(result.error, None);
    assert!(result.samples.len() > 200 && result.duplicates == 0, "{} samples", result.samples.len());
    assert!(result.body_bytes > 10_000);
    let build = result.samples.iter().find(|s| s.labels.name() == "prometheus_build_info").expect("its version");
    assert!(build.value == 1.0 && build.labels.get("version").is_some(), "{build:?}");
    let kind = |name: &str| result.metadata.iter().find(|m| m.name == name).map(|m| m.kind);
    assert_eq!(kind("go_goroutines"), Some(MetricKind::Gauge));
    assert_eq!(kind("go_gc_duration_seconds"), Some(MetricKind::Summary));
}

#[tokio::test]
async fn met_01_a_scrape_counts_whole_or_not_at_all() {
    use ScrapeFailure::{BodyLimit, Connection, SampleLimit, Status, Timeout, Unreadable};
    let nginx = Nginx::start();
    let all = ScrapeLimits::default();
    let cases = [
        (json!(nginx.url("/metrics")), all, None, ""),
        (
            json!(nginx.url("/metrics")),
            ScrapeLimits { samples: 2, ..all },
            Some(SampleLimit),
            "3 samples, more than the limit of 2",
        ),
        (json!(nginx.url("/metrics")), ScrapeLimits { body_bytes: 20, ..all }, Some(BodyLimit), "longer than 20 bytes"),
        (json!(nginx.url("/broken")), all, Some(Status), "the target says HTTP/1.1 503 Service Unavailable"),
        (json!(nginx.url("/json")), all, Some(Unreadable), "line 1, column 10: `,` or `}` is expected here"),
        (
            json!({ "url": nginx.url("/slow"), "timeout": "200ms" }),
            all,
            Some(Timeout),
            "given up while reading the answer",
        ),
        (json!(format!("http://127.0.0.1:{}/", free_port())), all, Some(Connection), "nothing listens there"),
    ];
    for (endpoint, limits, failure, reason) in cases {
        let result = scrape(endpoint.clone(), limits).await;
        assert_eq!(result.error.as_ref().map(|e| e.failure), failure, "{endpoint}: {result:?}");
        assert!(result.error.is_none_or(|e| e.reason.contains(reason)), "{endpoint}");
        assert_eq!(result.samples.len(), if failure.is_none() { 2 } else { 0 });
    }
    let twice = scrape(json!(nginx.url("/metrics")), all).await;
    assert_eq!(
        (twice.duplicates, twice.samples[0].value),
        (1, 1.0),
        "of a series that comes twice the first value counts"
    );
}

#[tokio::test]
async fn met_01_gzip_is_unpacked_with_a_limit() {
    let nginx = Nginx::start();
    let result = scrape(json!(nginx.url("/packed")), ScrapeLimits::default()).await;
    assert_eq!(result.error, None);
    assert_eq!((result.samples.len(), result.body_bytes), (1_000, 8_780));
    let result =
        scrape(json!(nginx.url("/packed")), ScrapeLimits { body_bytes: 5_000, ..ScrapeLimits::default() }).await;
    assert_eq!(result.error.map(|e| e.failure), Some(ScrapeFailure::BodyLimit));
}

#[tokio::test]
async fn chn_11_a_scrape_shows_no_secret() {
    let nginx = Nginx::start();
    let endpoint = json!({ "url": nginx.url("/echo"), "authorization": "Bearer ${env:SECRET}" });
    let error = scrape(endpoint, ScrapeLimits::default()).await.error.expect("no metrics there");
    assert!(!error.reason.contains("hunter22"), "{error}");
}
