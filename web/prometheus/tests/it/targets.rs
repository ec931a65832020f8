//! Targets and what they told of their metrics.

use std::time::Duration;

use kernel::{Labels, Timestamp};
use web_prometheus::views::{DroppedTarget, MetricMetadata, Target, TargetHealth, TargetMetadata, Targets};

use crate::server::{Served, Site};

fn site() -> Site {
    let discovered = Labels::new([("__address__", "x:1"), ("job", "node")]);
    let labels = Labels::new([("instance", "x:1"), ("job", "node")]);
    let active = Target {
        discovered_labels: discovered.clone(),
        labels: labels.clone(),
        scrape_pool: "node".into(),
        scrape_url: "http://x:1/metrics".into(),
        global_url: "http://x:1/metrics".into(),
        last_scrape: Some(Timestamp::from_millis(1_770_121_830_120)),
        last_scrape_duration: Duration::from_millis(12),
        health: TargetHealth::Up,
        scrape_interval: "15s".into(),
        scrape_timeout: "10s".into(),
        ..Target::default()
    };
    let dropped = DroppedTarget { discovered_labels: discovered, scrape_pool: "other".into() };
    let told = |metric: &str, kind: &str, help: &str| MetricMetadata {
        metric: metric.into(),
        kind: kind.into(),
        help: help.into(),
        unit: String::new(),
    };
    let metrics = vec![told("go_threads", "gauge", "Threads."), told("http_requests_total", "counter", "Requests.")];
    let other = TargetMetadata {
        target: Labels::new([("instance", "y:1"), ("job", "node")]),
        metrics: vec![told("go_threads", "gauge", "Number of threads.")],
    };
    Site::new(Served {
        targets: Targets {
            active: vec![active],
            dropped: vec![dropped],
            dropped_counts: [("other".to_owned(), 7)].into(),
        },
        metadata: vec![TargetMetadata { target: labels, metrics }, other],
        ..Served::default()
    })
}

#[tokio::test]
async fn targets_by_state_and_pool() {
    let site = site();
    let active = concat!(
        r#"[{"discoveredLabels":{"__address__":"x:1","job":"node"},"labels":{"instance":"x:1","job":"node"},"scrapePool":"node","#,
        r#""scrapeUrl":"http://x:1/metrics","globalUrl":"http://x:1/metrics","lastError":"","#,
        r#""lastScrape":"2026-02-03T12:30:30.12Z","lastScrapeDuration":0.012,"health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"}]"#,
    );
    let dropped = r#"[{"discoveredLabels":{"__address__":"x:1","job":"node"},"scrapePool":"other"}]"#;
    let answer = |active: &str, dropped: &str, counts: &str| {
        format!(
            r#"{{"status":"success","data":{{"activeTargets":{active},"droppedTargets":{dropped},"droppedTargetCounts":{counts}}}}}"#
        )
    };
    let counts = r#"{"other":7}"#;
    site.check("/api/v1/targets", 200, &answer(active, dropped, counts)).await;
    site.check("/api/v1/targets?state=active", 200, &answer(active, "[]", "null")).await;
    site.check("/api/v1/targets?state=Dropped", 200, &answer("[]", dropped, counts)).await;
    site.check("/api/v1/targets?scrapePool=node", 200, &answer(active, "[]", counts)).await;
}

#[tokio::test]
async fn metadata_by_metric_and_target() {
    let site = site();
    let data = |json: &str| format!(r#"{{"status":"success","data":{json}}}"#);
    let threads =
        r#"[{"type":"gauge","help":"Number of threads.","unit":""},{"type":"gauge","help":"Threads.","unit":""}]"#;
    let all = format!(
        r#"{{"go_threads":{threads},"http_requests_total":[{{"type":"counter","help":"Requests.","unit":""}}]}}"#
    );
    site.check("/api/v1/metadata", 200, &data(&all)).await;
    site.check("/api/v1/metadata?limit=1", 200, &data(&format!(r#"{{"go_threads":{threads}}}"#))).await;
    site.check("/api/v1/metadata?metric=none", 200, &data("{}")).await;
    let one = r#"{"go_threads":[{"type":"gauge","help":"Threads.","unit":""}]}"#;
    site.check("/api/v1/metadata?metric=go_threads&limit_per_metric=1", 200, &data(one)).await;
    let of_target =
        r#"[{"target":{"instance":"y:1","job":"node"},"type":"gauge","help":"Number of threads.","unit":""}]"#;
    let path = "/api/v1/targets/metadata?match_target={instance=%22y:1%22}&metric=go_threads";
    site.check(path, 200, &data(of_target)).await;
    let error = r#"{"status":"error","errorType":"bad_data","error":"limit must be a number"}"#;
    site.check("/api/v1/metadata?limit=x", 400, error).await;
}

#[tokio::test]
async fn pools_and_relabeling() {
    let site = site();
    site.check("/api/v1/scrape_pools", 200, r#"{"status":"success","data":{"scrapePools":[]}}"#).await;
    let error = |why: &str| format!(r#"{{"status":"error","errorType":"bad_data","error":{why:?}}}"#);
    let path = "/api/v1/targets/relabel_steps";
    site.check(path, 400, &error("no scrapePool parameter provided")).await;
    site.check(&format!("{path}?scrapePool=x"), 400, &error("no labels parameter provided")).await;
    let none = error("error retrieving scrape config: scrape pool \"x\" not found");
    site.check(&format!("{path}?scrapePool=x&labels={{}}"), 400, &none).await;
}
