//! Debian's Prometheus, which scrapes an application and itself. I/O: processes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::application::Application;
use crate::{data, get, value, wait_for};

/// A running Prometheus with its folder; killed when dropped.
pub(crate) struct Prometheus {
    folder: TempDir,
    port: u16,
    child: Child,
    _application: Application,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    pub(crate) async fn start() -> Self {
        let (folder, application) = (tempfile::tempdir().unwrap(), Application::start().await);
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "global: {{ scrape_interval: 200ms, scrape_timeout: 200ms }}\nscrape_configs:\n\
             - {{ job_name: prometheus, static_configs: [{{ targets: ['127.0.0.1:{port}'] }}] }}\n\
             - {{ job_name: app, static_configs: [{{ targets: ['{}'] }}] }}\n\
             - {{ job_name: gone, static_configs: [{{ targets: ['127.0.0.1:1'] }}] }}\n",
            application.address
        );
        std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        let child = Command::new("/usr/bin/prometheus")
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--web.enable-admin-api", "--enable-feature=native-histograms", "--log.level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("these tests need the Debian package prometheus: {e}"));
        let prometheus = Self { folder, port, child, _application: application };
        let base = prometheus.base();
        let ready = || async {
            let asked = run::http_client().unwrap().get(format!("{base}/-/ready")).send().await;
            asked.ok().filter(|a| a.status().is_success())
        };
        wait_for("Prometheus", ready).await;
        prometheus
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until there are samples of every kind.
    pub(crate) async fn fill(&self) {
        let base = self.base();
        let scrapes = "min(count_over_time(up[1h])) >= 30";
        wait_for("scrapes of Prometheus", || value(&base, scrapes)).await;
        wait_for("a native histogram", || value(&base, "histogram_count(request_seconds)")).await;
    }

    /// A copy of its blocks as they are now.
    pub(crate) async fn snapshot(&self) -> PathBuf {
        let url = format!("{}/api/v1/admin/tsdb/snapshot", self.base());
        let answer = run::http_client().unwrap().post(url).send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let name = answer["data"]["name"].as_str().unwrap_or_else(|| panic!("{answer}"));
        self.folder.path().join("data/snapshots").join(name)
    }
}

/// Questions whose answers must be the same, from raw samples to functions over all of them. Windows hold everything: Prometheus 2 takes a sample
/// that lies where a window begins, Prometheus 3 and Farero do not.
pub(crate) fn questions(from_s: f64, to_s: f64) -> Vec<String> {
    let all = [
        "{__name__=~\"go_.+|up|scrape_.+|requests_total|request_seconds\"}[1h]",
        "{__name__=~\"prometheus_.+\"}",
        "count by (__name__, job) ({__name__=~\".+\"})",
        "sum by (job) (count_over_time(scrape_samples_scraped[1h]))",
        "sum by (code) (last_over_time(prometheus_http_requests_total[1h]))",
        "histogram_quantile(0.5, sum by (le) (prometheus_http_request_duration_seconds_bucket))",
        "histogram_sum(request_seconds) / histogram_count(request_seconds)",
        "max_over_time(go_goroutines[1h]) - min_over_time(go_goroutines[1h])",
        "changes(up[1h])",
    ];
    let instant = all.iter().map(|q| format!("/api/v1/query?query={}&time={to_s}", crate::encoded(q)));
    let steps = ["go_goroutines", "sum by (job) (scrape_samples_scraped)", "go_memstats_alloc_bytes"]
        .map(|q| format!("/api/v1/query_range?query={}&start={from_s}&end={to_s}&step=0.7", crate::encoded(q)));
    let others = ["/api/v1/labels?", "/api/v1/label/__name__/values?", "/api/v1/series?match[]=up&"];
    let others = others.map(|path| format!("{path}&start={from_s}&end={to_s}"));
    instant.chain(steps).chain(others).collect()
}

/// Answers with their series in one order.
pub(crate) async fn answers(base: &str, questions: &[String]) -> Vec<Value> {
    let mut out = Vec::new();
    for question in questions {
        let mut found = data(base, question).await;
        if let Some(series) = found.get_mut("result").and_then(Value::as_array_mut) {
            series.sort_by_key(|s| s["metric"].to_string());
        }
        if let Some(all) = found.as_array_mut() {
            all.sort_by_key(Value::to_string);
        }
        out.push(found);
    }
    out
}

/// The same, from the data folder of an engine that does not run.
pub(crate) async fn answers_of_folder(folder: &Path, questions: &[String]) -> Vec<Value> {
    let config = run::metrics::MetricsConfig::new("127.0.0.1:0".parse().unwrap(), folder.to_owned());
    let engine = run::metrics::Metrics::start(config, std::sync::Arc::new(run::SystemClock)).await.unwrap();
    let base = format!("http://{}", engine.address());
    assert_eq!(get(&format!("{base}/-/ready")).await.0, 200);
    let found = answers(&base, questions).await;
    engine.stop().await;
    found
}

/// Compares answers question by question.
pub(crate) fn same(questions: &[String], wanted: &[Value], found: &[Value]) {
    for ((question, wanted), found) in questions.iter().zip(wanted).zip(found) {
        if wanted == found {
            continue;
        }
        let (wanted, found) = (&wanted["result"], &found["result"]);
        let both = wanted.as_array().into_iter().flatten().zip(found.as_array().into_iter().flatten());
        let first = both.clone().find(|(a, b)| a != b);
        panic!(
            "{question}:\n{} series, wanted {}\n{first:#?}",
            found.as_array().map_or(0, Vec::len),
            wanted.as_array().map_or(0, Vec::len)
        );
    }
}
