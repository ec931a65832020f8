//! The metrics engine alone, over HTTP and the real store: written, read, restarted, scraped, ruled. I/O: temporary folders, sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may give up loudly")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::Clock as _;
use observe_receive::wire::Writer as Wire;
use run::SystemClock;
use run::metrics::{Metrics, MetricsConfig};
use serde_json::Value;

async fn start(data: &Path, config: Option<&Path>) -> Metrics {
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = MetricsConfig {
        config: config.map(Path::to_owned),
        admin: true,
        lifecycle: true,
        ..MetricsConfig::new(listen, data.to_owned())
    };
    Metrics::start(config, Arc::new(SystemClock)).await.unwrap()
}

async fn get(engine: &Metrics, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", engine.address());
    let answer = run::http_client().unwrap().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn post(engine: &Metrics, path: &str, body: Vec<u8>) -> u16 {
    let url = format!("http://{}{path}", engine.address());
    let request = run::http_client().unwrap().post(url).header("content-encoding", "snappy");
    let answer = request.header("content-type", "application/x-protobuf").body(body).send().await.unwrap();
    answer.status().as_u16()
}

fn one_sample(name: &str, t_ms: i64, value: f64) -> Vec<u8> {
    let mut w = Wire::default();
    w.message(1, |series| {
        series.message(1, |pair| {
            pair.string(1, "__name__");
            pair.string(2, name);
        });
        series.message(2, |sample| {
            sample.double(1, value);
            sample.int(2, t_ms);
        });
    });
    snap::raw::Encoder::new().compress_vec(&w.finish()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_of_any_time_are_kept_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path(), None).await;
    assert_eq!(get(&engine, "/-/ready").await.0, 200);
    // As the conformance scripts do: from the epoch on, into an empty store.
    for (t_ms, value) in [(0, 1.0), (300_000, 2.0)] {
        assert_eq!(post(&engine, "/api/v1/write", one_sample("old", t_ms, value)).await, 204);
    }
    let expect = concat!(
        r#"{"status":"success","data":{"resultType":"matrix","result":["#,
        r#"{"metric":{"__name__":"old"},"values":[[0,"1"],[300,"2"]]}]}}"#
    );
    let ask = "/api/v1/query?query=old[10m]&time=400";
    assert_eq!(get(&engine, ask).await, (200, expect.to_owned()));
    engine.stop().await;
    let engine = start(folder.path(), None).await;
    assert_eq!(get(&engine, ask).await, (200, expect.to_owned()));
    assert_eq!(post(&engine, "/api/v1/admin/tsdb/delete_series?match[]=old&end=200", Vec::new()).await, 204);
    let left = expect.replace(r#"[0,"1"],"#, "");
    assert_eq!(get(&engine, ask).await, (200, left));
    let quitting = engine.quitting();
    assert_eq!(post(&engine, "/-/quit", Vec::new()).await, 200);
    tokio::time::timeout(Duration::from_secs(5), quitting.notified()).await.unwrap();
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_scrapes_itself_and_evaluates_rules() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("prometheus.yml");
    std::fs::write(
        folder.path().join("rules.yml"),
        concat!(
            "groups:\n- name: own\n  interval: 200ms\n  rules:\n",
            "  - record: series:count\n    expr: count({job=\"own\"})\n",
            "  - alert: Always\n    expr: vector(1)\n",
            "  - alert: Many\n    expr: series:count > 3\n    annotations: { summary: 'there are {{ $value }}' }\n",
        ),
    )
    .unwrap();
    std::fs::write(&config, "rule_files: [rules.yml]\n").unwrap();
    let engine = start(&folder.path().join("data"), Some(&config)).await;
    let scraping = format!(
        "global: {{ external_labels: {{ zone: z }} }}\nrule_files: [rules.yml]\nscrape_configs:\n- job_name: own\n  scrape_interval: 200ms\n  \
         scrape_timeout: 200ms\n  basic_auth: {{ username: a, password: hidden-word }}\n  static_configs: [{{ targets: ['{}'] }}]\n",
        engine.address()
    );
    std::fs::write(&config, scraping).unwrap();
    assert_eq!(post(&engine, "/-/reload", Vec::new()).await, 200);
    let deadline = SystemClock.now() + Duration::from_secs(30);
    let found = loop {
        let (_, text) = get(&engine, "/api/v1/query?query=series:count%20%3E%2010").await;
        let found: Value = serde_json::from_str(&text).unwrap();
        if found["data"]["result"].as_array().is_some_and(|all| !all.is_empty()) {
            break found;
        }
        assert!(SystemClock.now() < deadline, "{text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(found["data"]["result"][0]["metric"]["__name__"], "series:count");
    let targets: Value = serde_json::from_str(&get(&engine, "/api/v1/targets").await.1).unwrap();
    assert_eq!(targets["data"]["activeTargets"][0]["health"], "up", "{targets}");
    // The rule that records is evaluated before the one that fires.
    loop {
        let alerts: Value = serde_json::from_str(&get(&engine, "/api/v1/alerts").await.1).unwrap();
        if alerts["data"]["alerts"][0]["labels"]["alertname"] == "Always" {
            break;
        }
        assert!(SystemClock.now() < deadline, "{alerts}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rules = loop {
        let rules = page(&engine, "/rules", "en").await;
        if rules.contains("summary") {
            break rules;
        }
        assert!(SystemClock.now() < deadline, "{rules}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(rules.contains("<code>series:count &#62; 3</code>") && rules.contains(" &#62; 3</strong>"), "{rules}");
    let shown = page(&engine, "/targets", "es").await;
    assert!(shown.contains("Responde") && shown.contains(" muestras"), "{shown}");
    let counted = page(&engine, "/cardinality", "en").await;
    assert!(counted.contains("<a href=\"/explore?q=") && counted.contains("Churn in the last hour"), "{counted}");
    let metadata = get(&engine, "/api/v1/metadata?metric=farero_store_series").await.1;
    assert!(metadata.contains(r#""type":"gauge""#), "{metadata}");
    let shown = get(&engine, "/api/v1/status/config").await.1;
    assert!(shown.contains("<secret>") && !shown.contains("hidden-word"), "{shown}");
    std::fs::write(&config, "scrape_configs: [{ job_name: own, nonsense: 1 }]\n").unwrap();
    assert_eq!(post(&engine, "/-/reload", Vec::new()).await, 500);
    let runtime = get(&engine, "/api/v1/status/runtimeinfo").await.1;
    assert!(runtime.contains(r#""reloadConfigSuccess":false"#), "{runtime}");
    engine.stop().await;
}

/// A page in a language, as a browser without scripts asks for it.
async fn page(engine: &Metrics, path: &str, language: &str) -> String {
    let url = format!("http://{}{path}", engine.address());
    let request = run::http_client().unwrap().get(url).header("accept-language", language);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    let csp = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(csp.contains("default-src 'none'") && !csp.contains("unsafe"), "{csp}");
    let text = answer.text().await.unwrap();
    for forbidden in [" style=\"", "<style", "javascript:", " onclick="] {
        assert!(!text.contains(forbidden), "{path} has {forbidden}");
    }
    for script in text.split("<script").skip(1) {
        assert!(script.contains("src=\"/assets/"), "{path} has an inline script");
    }
    text
}

/// With an hour's quarter of one series.
async fn filled(folder: &Path) -> Metrics {
    let engine = start(folder, None).await;
    let now = SystemClock.now().as_millis();
    for i in 0..60 {
        let t_ms = now - 900_000 + i * 15_000;
        assert_eq!(post(&engine, "/api/v1/write", one_sample("queue_bytes", t_ms, i as f64 * 1_048_576.0)).await, 204);
    }
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn explore_draws_what_the_store_holds_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let engine = filled(folder.path()).await;
    let es = page(&engine, "/explore?q=queue_bytes&range=15m", "es-PE").await;
    assert!(es.contains("<html lang=\"es\"") && es.contains("class=\"plot-lines\"") && es.contains("MiB"), "{es}");
    assert!(es.contains("1 serie · ") && es.contains("queue_bytes"), "{es}");
    let en = page(&engine, "/explore?q=sum(&range=15m", "en").await;
    assert!(en.contains("<html lang=\"en\"") && en.contains("1:5\n") && en.contains("^"), "{en}");
    // Two expressions, one left out; a heat map of what has no buckets.
    let both = page(&engine, "/explore?q=queue_bytes&q=queue_bytes*2&off=2&view=graph", "en").await;
    assert_eq!(both.matches("<tr data-line").count(), 1);
    let heat = page(&engine, "/explore?q=queue_bytes&view=heatmap", "en").await;
    assert!(heat.contains("needs buckets"), "{heat}");
    // A range vector has samples, and nothing to draw.
    let range = page(&engine, "/explore?q=queue_bytes[2m]&view=graph", "en").await;
    assert!(range.contains("Nothing to draw") && range.contains("<ul class=\"samples\">"), "{range}");
    let hostile =
        page(&engine, "/explore?q=%3Cscript%3Ealert(1)%3C/script%3E%27%22&from=%22%3E%3Cimg%20src=x%3E", "en").await;
    assert!(!hostile.contains("<script>alert") && !hostile.contains("<img src=x"), "{hostile}");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_label_values_stay_texts_on_every_page() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path(), None).await;
    let hostile = "</svg><script>alert(1)</script>' onload='x\" y=\"";
    let now = SystemClock.now().as_millis();
    let mut w = Wire::default();
    w.message(1, |series| {
        for (name, value) in [("__name__", "up"), ("instance", hostile), ("job", hostile)] {
            series.message(1, |pair| {
                pair.string(1, name);
                pair.string(2, value);
            });
        }
        series.message(2, |sample| {
            sample.double(1, 1.0);
            sample.int(2, now);
        });
    });
    let body = snap::raw::Encoder::new().compress_vec(&w.finish()).unwrap();
    assert_eq!(post(&engine, "/api/v1/write", body).await, 204);
    for path in ["/explore?q=up", "/explore?q=up&view=table", "/targets", "/rules", "/cardinality"] {
        let text = page(&engine, path, "es").await;
        assert!(!text.contains("<script>alert") && !text.contains("' onload='"), "{path}: {text}");
    }
    // Without targets of its own the page reads them from their series.
    assert!(page(&engine, "/targets", "en").await.contains("&lt;script&gt;"));
    engine.stop().await;
}
