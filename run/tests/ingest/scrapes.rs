//! Endpoints of a plan, scraped by a running Farero (MET-01).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use run::{Config, Farero, SystemClock};
use serde_json::Value;

use crate::application::Application;
use crate::{data, get, value, wait_for};

const TOKEN: &str = "token-of-the-application";

/// A Farero with a plan of these services.
async fn start(folder: &Path, services: &str) -> Farero {
    let plan = folder.join("plan");
    std::fs::create_dir_all(&plan).unwrap();
    let text = format!(
        "system: prueba\ntimezone: UTC\nlanguage: en\ndefaults: {{ scrape_every: 1s, every: 1h }}\nservices:\n{services}"
    );
    std::fs::write(plan.join("plan.yaml"), text).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let config = Config {
        open_metrics: true,
        secrets: secrets::Settings::with([("APP_TOKEN".to_owned(), TOKEN.to_owned())]),
        socket: run::config::Socket::None,
        ..Config::new(vec![plan], folder.join("data"), listen)
    };
    Farero::start(config, Arc::new(SystemClock)).await.unwrap()
}

fn base(farero: &Farero) -> String {
    format!("http://{}", farero.address())
}

/// A target of the API by its service.
async fn target(base: &str, service: &str) -> Value {
    wait_for(service, || async {
        let all = data(base, "/api/v1/targets?state=active").await;
        let mut found = all["activeTargets"].as_array().unwrap().clone().into_iter();
        found.find(|t| t["labels"]["service"] == service && t["health"] != "unknown")
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn met_01_a_plans_endpoint_has_all_that_the_engine_has() {
    let (folder, application) = (tempfile::tempdir().unwrap(), Application::start().await);
    let services = format!(
        "  app: {{ metrics: {{ url: \"{}\", native_histograms: true, authorization: \"Bearer ${{env:APP_TOKEN}}\" }} }}\n  \
         open: {{ metrics: {{ url: \"{}\", job: jobs }} }}\n  plain: {{ metrics: \"{}\" }}\n",
        application.url("/proto?collect=a&collect=b%20c"),
        application.url("/open"),
        application.url("/plain"),
    );
    let farero = start(folder.path(), &services).await;
    let base = base(&farero);

    // Protobuf: a native histogram with its classic buckets beside it, and the labels that the plan gives.
    let count = wait_for("a native histogram", || value(&base, "histogram_count(request_seconds)")).await;
    assert_eq!(count % 3.0, 0.0);
    assert_eq!(
        value(&base, "histogram_sum(request_seconds) / histogram_count(request_seconds)").await,
        Some(2.5 / 3.0)
    );
    assert_eq!(value(&base, "histogram_fraction(0, 1, request_seconds)").await, Some(2.0 / 3.0));
    assert!(value(&base, "request_seconds_bucket{le=\"1.0\"}").await.is_some());
    let instance = application.address.to_string();
    let labels = format!("{{system=\"prueba\",service=\"app\",job=\"app\",instance=\"{instance}\"}}");
    assert_eq!(value(&base, &format!("up{labels}")).await, Some(1.0));
    for report in ["scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added", "scrape_body_size_bytes"]
    {
        assert!(value(&base, &format!("{report}{labels}")).await.is_some(), "{report}");
    }
    // The request is the plan's.
    let heads = application.heads("/proto");
    assert!(heads[0].starts_with("GET /proto?collect=a&collect=b+c HTTP/1.1\r\n"), "{}", heads[0]);
    assert!(heads[0].contains(&format!("Authorization: Bearer {TOKEN}\r\n")), "{}", heads[0]);
    assert!(heads[0].contains("X-Prometheus-Scrape-Timeout-Seconds: 1\r\n"), "{}", heads[0]);

    // OpenMetrics: exemplars, and start times instead of series.
    wait_for("OpenMetrics", || value(&base, "jobs_total{job=\"jobs\",queue=\"a\"}")).await;
    assert_eq!(value(&base, "{__name__=~\"jobs_created.*\"}").await, None);
    let exemplars = data(&base, "/api/v1/query_exemplars?query=latency_seconds_bucket&start=0&end=4000000000").await;
    assert_eq!(exemplars[0]["exemplars"][0]["labels"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736", "{exemplars}");
    let metadata = data(&base, "/api/v1/metadata?metric=latency_seconds").await;
    assert_eq!(metadata["latency_seconds"][0]["unit"], "seconds", "{metadata}");

    // Text, where nothing richer is to be had; and the targets are told.
    wait_for("text", || value(&base, "requests_total{service=\"plain\"}")).await;
    let plain = target(&base, "plain").await;
    assert_eq!((&plain["health"], &plain["scrapeInterval"]), (&"up".into(), &"1s".into()), "{plain}");
    farero.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn met_01_limits_of_a_plans_endpoint_are_explained_and_counted() {
    let (folder, application) = (tempfile::tempdir().unwrap(), Application::start().await);
    let endpoint = |name: &str, path: &str, more: &str| {
        format!("  {name}: {{ metrics: {{ url: \"{}\"{more} }} }}\n", application.url(path))
    };
    let services = [
        endpoint("wide", "/wide", ", limits: { samples: 9 }"),
        endpoint("fits", "/wide", ", limits: { samples: 10 }"),
        endpoint("long", "/long", ", limits: { label_value_bytes: 299 }"),
        endpoint("large", "/long", ", limits: { body_bytes: 50 }"),
        endpoint("away", "/away", ""),
        endpoint("broken", "/broken?token=${env:APP_TOKEN}", ""),
        endpoint("secret", "/secret", ", authorization: \"Bearer ${env:APP_TOKEN}\""),
    ];
    let farero = start(folder.path(), &services.concat()).await;
    let base = base(&farero);
    for (service, why) in [
        ("wide", "sample limit exceeded"),
        ("long", "label_value_length_limit exceeded"),
        ("large", "body size limit exceeded"),
        ("away", "redirected to another host, localhost:9: name that address itself"),
        ("broken", ""),
    ] {
        let target = target(&base, service).await;
        assert_eq!(target["health"], "down", "{target}");
        assert!(target["lastError"].as_str().unwrap().contains(why), "{target}");
        assert!(!target.to_string().contains(TOKEN), "{target}");
        let up = format!("up{{service=\"{service}\"}}");
        assert_eq!(wait_for("up", || value(&base, &up)).await, 0.0);
    }
    // Farero may not be told whether anything else of the network is there.
    assert!(application.heads("/broken")[0].contains(TOKEN), "the endpoint itself is asked with the token");
    wait_for("what fits", || value(&base, "count(wide{service=\"fits\"}) == 10")).await;
    assert_eq!(value(&base, "wide{service=\"wide\"}").await, None, "a scrape counts whole or not at all");
    wait_for("the setting", || value(&base, "setting")).await;
    let setting = data(&base, "/api/v1/query?query=setting").await;
    assert!(!setting.to_string().contains(TOKEN) && setting.to_string().contains("[redacted]"), "{setting}");
    let counted = wait_for("Farero's own numbers", || async {
        let (_, text) = get(&format!("{base}/metrics")).await;
        let one = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)?.trim().parse::<f64>().ok());
        let names = [
            "prometheus_target_scrapes_exceeded_sample_limit_total",
            "prometheus_target_scrapes_exceeded_body_size_limit_total",
            "farero_scrapes_failed_total",
        ];
        let found: Option<Vec<f64>> = names.iter().map(|n| one(n)).collect();
        found.filter(|all| all.iter().all(|n| *n > 0.0))
    })
    .await;
    assert!(counted[2] >= 5.0, "{counted:?}");
    farero.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn met_01_endpoints_come_and_go_with_the_plan() {
    let (folder, application) = (tempfile::tempdir().unwrap(), Application::start().await);
    let service = |name: &str| format!("  {name}: {{ metrics: \"{}\" }}\n", application.url("/plain"));
    let farero = start(folder.path(), &service("one")).await;
    let base = base(&farero);
    wait_for("the first", || value(&base, "requests_total{service=\"one\"}")).await;
    let plan = folder.path().join("plan/plan.yaml");
    let text = std::fs::read_to_string(&plan).unwrap().replace("  one:", "  two:");
    std::fs::write(&plan, text).unwrap();
    farero.reload();
    wait_for("the second", || value(&base, "requests_total{service=\"two\"}")).await;
    // Its series end, two intervals later.
    wait_for("the end of the first", || async {
        let left = value(&base, "count({service=\"one\"}) or vector(0)").await;
        left.filter(|n| *n == 0.0)
    })
    .await;
    farero.stop().await;

    // What was scraped is durable when it has stopped.
    let farero = start(folder.path(), &service("two")).await;
    let base = format!("http://{}", farero.address());
    let kept = value(&base, "count_over_time(requests_total{service=\"two\"}[10m])").await;
    assert!(kept.is_some_and(|n| n >= 1.0), "{kept:?}");
    tokio::time::timeout(Duration::from_secs(30), farero.stop()).await.unwrap();
}
