//! About the server itself, and federation.

use kernel::Labels;
use kernel::series::stale_nan;

use crate::server::{Served, Site};

#[tokio::test]
async fn what_it_is_and_how_it_is_set() {
    let mut served = Served::default();
    served.settings.flags.insert("storage.tsdb.retention.time".into(), "15d".into());
    served.memory.add(Labels::metric("up", [("job", "a")]), &[(1_000, 1.0), (2_000, 1.0)]);
    let site = Site::new(served);
    let data = |json: &str| format!(r#"{{"status":"success","data":{json}}}"#);
    let build = r#"{"version":"3.8.0","revision":"farero-0.1.0","branch":"farero","buildUser":"","buildDate":"","goVersion":""}"#;
    site.check("/api/v1/status/buildinfo", 200, &data(build)).await;
    site.check("/version", 200, build).await;
    site.check("/api/v1/status/config", 200, &data(r#"{"yaml":"global:\n  scrape_interval: 15s\n"}"#)).await;
    site.check("/api/v1/status/flags", 200, &data(r#"{"storage.tsdb.retention.time":"15d"}"#)).await;
    site.check("/api/v1/status/walreplay", 200, &data(r#"{"min":0,"max":0,"current":0}"#)).await;
    site.check("/api/v1/status/tsdb/blocks", 200, &data(r#"{"blocks":[]}"#)).await;
    let tsdb = concat!(
        r#"{"headStats":{"numSeries":1,"numLabelPairs":0,"chunkCount":1,"minTime":1000,"maxTime":2000},"#,
        r#""seriesCountByMetricName":[{"name":"up","value":1}],"labelValueCountByLabelName":[],"#,
        r#""memoryInBytesByLabelName":[],"seriesCountByLabelValuePair":[]}"#,
    );
    site.check("/api/v1/status/tsdb", 200, &data(tsdb)).await;
    let error = |why: &str| format!(r#"{{"status":"error","errorType":"bad_data","error":{why:?}}}"#);
    site.check("/api/v1/status/tsdb?limit=0", 400, &error("limit must be a positive number")).await;
    site.check("/api/v1/status/tsdb?limit=10001", 400, &error("limit must not exceed 10000")).await;
    let runtime = site.get("/api/v1/status/runtimeinfo").await;
    assert!(runtime.text().contains(r#""startTime":"1970-01-01T00:16:40Z""#), "{}", runtime.text());
    let features = site.get("/api/v1/features").await;
    let features: serde_json::Value = serde_json::from_str(features.text()).unwrap();
    assert_eq!(features["data"]["promql_functions"]["rate"], true);
    site.check("/api/v1/notifications", 200, &data("[]")).await;
}

#[tokio::test]
async fn the_newest_samples_are_federated() {
    let served = Served { external: Labels::new([("zone", "z")]), ..Served::default() };
    let add = |labels: Labels, samples: &[(i64, f64)]| served.memory.add(labels, samples);
    add(Labels::metric("b", [("instance", "i")]), &[(9_900_000, 1.0), (9_990_000, 2.5)]);
    add(Labels::metric("a", [("job", "j")]), &[(9_990_000, 1e6)]);
    add(Labels::metric("a", [("job", "gone")]), &[(9_980_000, 1.0), (9_990_000, stale_nan())]);
    add(Labels::metric("a", [("job", "old")]), &[(9_000_000, 1.0)]);
    let site = Site::new(served);
    let expect = concat!(
        "# TYPE a untyped\n",
        "a{job=\"j\",instance=\"\",zone=\"z\"} 1e+06 9990000\n",
        "# TYPE b untyped\n",
        "b{instance=\"i\",zone=\"z\"} 2.5 9990000\n",
    );
    let got = site.get("/federate?match[]={__name__=~%22.%2B%22}&match[]=b").await;
    assert_eq!(got.text(), expect);
    assert_eq!(got.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
    site.check("/federate", 200, "").await;
    let got = site.get("/federate?match[]=(").await;
    assert_eq!(got.status, 400);
    assert!(got.text().starts_with("1:2: parse error: "), "{}", got.text());
}
