//! Traces that metrics name: exemplars from a scraped application, by way of the store, to whoever asks. I/O: a temporary folder, sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may give up loudly")]

use std::sync::Arc;
use std::time::Duration;

use run::SystemClock;
use run::metrics::{Metrics, MetricsConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What an application instrumented for OpenMetrics answers: a histogram whose slow bucket names a trace.
const PAGE: &str = "# TYPE http_request_duration_seconds histogram\n\
    http_request_duration_seconds_bucket{le=\"0.1\"} 8 # {trace_id=\"0af7651916cd43dd8448eb211c80319c\",span_id=\"b7ad6b7169203331\"} 0.07\n\
    http_request_duration_seconds_bucket{le=\"+Inf\"} 9 # {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 0.83\n\
    http_request_duration_seconds_sum 1.4\n\
    http_request_duration_seconds_count 9\n\
    # EOF\n";

/// An application that answers every request with [`PAGE`]; its address.
async fn application() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4_096];
            let _ = stream.read(&mut asked).await;
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
            let answer = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{PAGE}", PAGE.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

async fn start(folder: &std::path::Path) -> Metrics {
    let config = MetricsConfig {
        config: Some(folder.join("prometheus.yml")),
        ..MetricsConfig::new("127.0.0.1:0".parse().unwrap(), folder.join("data"))
    };
    Metrics::start(config, Arc::new(SystemClock)).await.unwrap()
}

/// The exemplars of requests slower than 0.1 s, as Grafana asks for them.
async fn traces(engine: &Metrics) -> Vec<(String, String)> {
    let query = "histogram_quantile(0.95,%20rate(http_request_duration_seconds_bucket%7Bjob=%22app%22%7D[5m]))";
    let url = format!("http://{}/api/v1/query_exemplars?query={query}&start=0&end=4000000000", engine.address());
    let answer: serde_json::Value =
        serde_json::from_str(&run::http_client().unwrap().get(url).send().await.unwrap().text().await.unwrap())
            .unwrap();
    let mut out = Vec::new();
    for series in answer["data"].as_array().unwrap() {
        for exemplar in series["exemplars"].as_array().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            out.push((text(&exemplar["labels"]["trace_id"]), text(&exemplar["value"])));
        }
    }
    out.sort();
    out.dedup();
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn trc_04_a_slow_requests_trace_is_found_from_its_metric() {
    let folder = tempfile::tempdir().unwrap();
    let target = application().await;
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: app\n  static_configs: [{{targets: ['{target}']}}]\n"
    );
    std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
    let engine = start(folder.path()).await;
    let expect = [
        ("0af7651916cd43dd8448eb211c80319c".to_owned(), "0.07".to_owned()),
        ("4bf92f3577b34da6a3ce929d0e0e4736".to_owned(), "0.83".to_owned()),
    ];
    for _ in 0..100 {
        if !traces(&engine).await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(traces(&engine).await, expect);
    engine.stop().await;
    let engine = start(folder.path()).await;
    assert_eq!(traces(&engine).await, expect, "after a restart");
    engine.stop().await;
}
