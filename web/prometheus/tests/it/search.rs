//! Searching in names and values, its own numbers, the document of the API.

use http::Method;
use kernel::Labels;
use web_prometheus::views::{MetricMetadata, TargetMetadata};

use crate::server::{Served, Site};

fn site() -> Site {
    let at = &[(9_990_000, 1.0)][..];
    let served = Served::default();
    for name in ["http_requests_total", "http_requests_in_flight", "grpc_requests_total", "up"] {
        served.memory.add(Labels::metric(name, [("job", "a"), ("instance", "localhost:9090")]), at);
    }
    served.memory.add(Labels::metric("up", [("job", "b"), ("instance", "localhost:9091")]), at);
    served.memory.add(Labels::metric("old", [("job", "c")]), &[(1_000, 1.0)]);
    let known = MetricMetadata {
        metric: "http_requests".into(),
        kind: "counter".into(),
        help: "Requests.".into(),
        unit: String::new(),
    };
    let metadata = vec![TargetMetadata { metrics: vec![known], ..TargetMetadata::default() }];
    Site::new(Served { metadata, ..served })
}

async fn check(address: &str, expect: &[&str]) {
    let got = site().get(&format!("/api/v1/search/{address}")).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.headers["content-type"], "application/x-ndjson; charset=utf-8");
    assert_eq!(got.text().lines().collect::<Vec<_>>(), expect, "{address}");
}

const END: &str = r#"{"status":"success","has_more":false}"#;
const MORE: &str = r#"{"status":"success","has_more":true}"#;

#[tokio::test]
async fn met_09_names_and_values_are_searched() {
    let names = r#"{"results":[{"name":"grpc_requests_total"},{"name":"http_requests_in_flight"},{"name":"http_requests_total"},{"name":"up"}]}"#;
    check("metric_names", &[names, END]).await;
    let told = concat!(
        r#"{"results":[{"name":"http_requests_in_flight","score":1},"#,
        r#"{"name":"http_requests_total","score":1,"type":"counter","help":"Requests."}]}"#
    );
    let search = "search[]=http_req&sort_by=score&include_metadata=true&include_score=true&fuzz_threshold=50";
    check(&format!("metric_names?{search}"), &[told, END]).await;
    check(
        "metric_names?search[]=HTTP_Q&case_sensitive=false&limit=1",
        &[r#"{"results":[{"name":"http_requests_in_flight"}]}"#, MORE],
    )
    .await;
    let falling = [r#"{"results":[{"name":"up"}]}"#, r#"{"results":[{"name":"http_requests_total"}]}"#, MORE];
    check("metric_names?sort_by=alpha&sort_dir=dsc&limit=2&batch_size=1", &falling).await;
    check("metric_names?search[]=nothing", &[r#"{"results":[]}"#, END]).await;
    check("label_names?match[]=up", &[r#"{"results":[{"name":"__name__"},{"name":"instance"},{"name":"job"}]}"#, END])
        .await;
    let values = [r#"{"results":[{"value":"localhost:9091"}]}"#, END];
    check("label_values?label=instance&match[]=up&search[]=9091&fuzz_alg=jarowinkler", &values).await;
    check("label_values?label=job&start=0&end=2", &[r#"{"results":[{"value":"c"}]}"#, END]).await;
    let posted = site().form(Method::POST, "/api/v1/search/label_values", "label=job&search[]=b").await;
    assert_eq!(posted.text(), format!("{{\"results\":[{{\"value\":\"b\"}}]}}\n{END}\n"));
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_refused_in_prometheus_s_words() {
    let bad = async |address: &str, why: &str| {
        let expect = serde_json::json!({ "status": "error", "errorType": "bad_data", "error": why });
        let got = site().get(&format!("/api/v1/search/{address}")).await;
        assert_eq!(got.status, 400);
        assert_eq!(serde_json::from_str::<serde_json::Value>(got.text()).unwrap(), expect, "{address}");
    };
    bad("metric_names?start=x", "invalid time value for 'start': cannot parse \"x\" to a valid timestamp").await;
    bad("metric_names?start=2&end=1", "end timestamp must not be before start timestamp").await;
    bad("metric_names?match[]={}", "match[] must contain at least one non-empty matcher").await;
    bad("metric_names?fuzz_threshold=101", "invalid fuzz_threshold \"101\": must be 0-100").await;
    bad("metric_names?fuzz_alg=x", "unsupported fuzz_alg \"x\": must be one of [subsequence jarowinkler]").await;
    bad("metric_names?case_sensitive=x", "invalid case_sensitive \"x\": must be boolean").await;
    bad("metric_names?include_metadata=x", "invalid include_metadata \"x\": must be boolean").await;
    bad("label_names?sort_dir=asc", "sort_dir is only valid when sort_by is set").await;
    bad("label_names?sort_by=score&sort_dir=asc", "sort_dir is not supported for sort_by=score").await;
    bad("label_names?sort_by=alpha&sort_dir=x", "invalid sort_dir \"x\": must be \"asc\" or \"dsc\"").await;
    bad("label_names?sort_by=score", "sort_by=score requires search[] to be set").await;
    bad("label_names?sort_by=x", "invalid sort_by \"x\" for label_names: must be \"alpha\" or \"score\"").await;
    bad("label_names?limit=0", "invalid limit \"0\": must be a positive integer").await;
    let most = "limit 10001 exceeds the configured maximum (10000, see --web.search.max-limit)";
    bad("label_names?limit=10001", most).await;
    bad("label_names?batch_size=-1", "invalid batch_size \"-1\": must be a positive integer").await;
    bad("label_values", "missing required parameter \"label\"").await;
    let terms = "search[]=a&".repeat(33);
    bad(&format!("label_names?{terms}"), "too many search[] terms: got 33, maximum is 32").await;
}

#[tokio::test]
async fn its_own_numbers_and_its_document() {
    let found = site().get("/api/v1/status/self_metrics?metric_name_pattern=test_.*").await;
    let expect = concat!(
        r#"{"status":"success","data":[{"name":"test_number","help":"A number.","type":"GAUGE","#,
        r#""metric":[{"label":[{"name":"a","value":"b"}],"gauge":{"value":1.5}}]}]}"#,
    );
    assert_eq!(found.text(), expect);
    let wrong = site().get("/api/v1/status/self_metrics?metric_name_pattern=(").await;
    assert!(wrong.status == 400 && wrong.text().contains("invalid metric_name_pattern: "), "{}", wrong.text());
    let document = site().get("/api/v1/openapi.yaml").await;
    assert_eq!(document.headers["content-type"], "application/yaml; charset=utf-8");
    let document: serde_json::Value = serde_json::from_str(document.text()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
}
