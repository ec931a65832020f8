//! Queries: results, remarks, statistics, failures.

use http::Method;
use kernel::Labels;
use kernel::series::stale_nan;

use crate::server::{Served, Site};

fn site() -> Site {
    let up = |instance: &str| Labels::metric("up", [("instance", instance), ("job", "a")]);
    Site::with(&[
        (up("x"), &[(9_970_000, 1.0), (9_985_500, 0.0), (10_000_000, 1.0)]),
        (up("y"), &[(9_970_000, 0.1), (9_985_500, 1e-7), (10_000_000, 1e21)]),
        (Labels::metric("gone", [("job", "a")]), &[(9_970_000, 1.0), (9_985_500, stale_nan())]),
    ])
}

#[tokio::test]
async fn a_vector() {
    let expect = concat!(
        r#"{"status":"success","data":{"resultType":"vector","result":["#,
        r#"{"metric":{"__name__":"up","instance":"x","job":"a"},"value":[9985.500,"0"]},"#,
        r#"{"metric":{"__name__":"up","instance":"y","job":"a"},"value":[9985.500,"1e-07"]}]}}"#,
    );
    site().check("/api/v1/query?query=up&time=9985.5", 200, expect).await;
    let posted = site().form(Method::POST, "/api/v1/query", "query=up&time=1970-01-01T02:46:25.5Z").await;
    assert_eq!(posted.text(), expect);
    let nothing = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    site().check("/api/v1/query?query=gone", 200, nothing).await;
}

#[tokio::test]
async fn a_matrix() {
    let expect = concat!(
        r#"{"status":"success","data":{"resultType":"matrix","result":["#,
        r#"{"metric":{"__name__":"up","instance":"y","job":"a"},"values":[[9970,"0.1"],[9985.500,"1e-07"],[10000,"1e+21"]]}]}}"#,
    );
    site().check("/api/v1/query?query=up{instance=%22y%22}[1m]", 200, expect).await;
    let range = "/api/v1/query_range?query=up{instance=%22y%22}&start=9970&end=10000&step=15.5s";
    let got = site().get(range).await;
    assert_eq!(got.status, 400, "{}", got.text());
    let expect = concat!(
        r#"{"status":"success","data":{"resultType":"matrix","result":["#,
        r#"{"metric":{"instance":"y","job":"a"},"values":[[9970,"0.2"],[9985.500,"2e-07"]]}]}}"#,
    );
    site().check("/api/v1/query_range?query=2*up{instance=%22y%22}&start=9970&end=10000&step=15.5", 200, expect).await;
}

#[tokio::test]
async fn a_scalar_and_a_text() {
    let expect = r#"{"status":"success","data":{"resultType":"scalar","result":[10000,"1000000000000000000000"]}}"#;
    site().check("/api/v1/query?query=1e21", 200, expect).await;
    let expect = r#"{"status":"success","data":{"resultType":"string","result":[5.250,"a\"b"]}}"#;
    site().check("/api/v1/query?query='a%22b'&time=5.25", 200, expect).await;
    let expect = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"NaN"],[2,"NaN"]]}]}}"#;
    site().check("/api/v1/query_range?query=NaN&start=1&end=2&step=1", 200, expect).await;
}

#[tokio::test]
async fn an_answer_that_is_cut_says_so() {
    let expect = concat!(
        r#"{"status":"success","data":{"resultType":"vector","result":["#,
        r#"{"metric":{"__name__":"up","instance":"x","job":"a"},"value":[10000,"1"]}]},"#,
        r#""warnings":["results truncated due to limit"]}"#,
    );
    site().check("/api/v1/query?query=up&limit=1", 200, expect).await;
    assert!(!site().get("/api/v1/query?query=up&limit=2").await.text().contains("warnings"));
}

#[tokio::test]
async fn remarks_carry_their_place() {
    let got = site().get("/api/v1/query?query=rate(up[1m])").await;
    let remark = concat!(
        r#","infos":["PromQL info: metric might not be a counter, name does not end in "#,
        r#"_total/_sum/_count/_bucket: \"up\" (1:6)"]}"#,
    );
    assert!(got.text().ends_with(remark), "{}", got.text());
    let got = site().get("/api/v1/query?query=quantile(1.5,up)").await;
    let remark = r#","warnings":["PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:10)"]}"#;
    assert!(got.text().ends_with(remark), "{}", got.text());
}

#[tokio::test]
async fn statistics_when_asked_for() {
    let got = site().get("/api/v1/query?query=up&stats=true").await;
    let found: serde_json::Value = serde_json::from_str(got.text()).unwrap();
    let timings = &found["data"]["stats"]["timings"];
    for name in
        ["evalTotalTime", "resultSortTime", "queryPreparationTime", "innerEvalTime", "execQueueTime", "execTotalTime"]
    {
        assert!(timings[name].is_number(), "{name}: {}", got.text());
    }
    assert!(found["data"]["stats"]["samples"]["totalQueryableSamples"].as_f64().unwrap() >= 2.0);
    assert!(found["warnings"].is_null());
    let got = site().get("/api/v1/query?query=up&stats=yes").await;
    assert!(got.text().contains(r#"value \"yes\" for parameter \"stats\" is deprecated"#), "{}", got.text());
}

#[tokio::test]
async fn failures_are_told_in_prometheus_words() {
    let site = site();
    let bad = async |path: &str, why: &str| {
        let expect = format!(r#"{{"status":"error","errorType":"bad_data","error":{why:?}}}"#);
        site.check(path, 400, &expect).await;
    };
    let instant = "/api/v1/query?query=up";
    bad(
        &format!("{instant}&time=x"),
        "invalid parameter \"time\": invalid time value for 'time': cannot parse \"x\" to a valid timestamp",
    )
    .await;
    bad(&format!("{instant}&timeout=x"), "invalid parameter \"timeout\": cannot parse \"x\" to a valid duration").await;
    bad(
        &format!("{instant}&lookback_delta=x"),
        "error parsing lookback delta duration: cannot parse \"x\" to a valid duration",
    )
    .await;
    bad(&format!("{instant}&limit=-1"), "invalid parameter \"limit\": limit must be non-negative").await;
    bad("/api/v1/query", "invalid parameter \"query\": unknown position: parse error: no expression found in input")
        .await;
    let range = "/api/v1/query_range?query=up";
    bad(range, "invalid parameter \"start\": cannot parse \"\" to a valid timestamp").await;
    bad(&format!("{range}&start=1"), "invalid parameter \"end\": cannot parse \"\" to a valid timestamp").await;
    bad(
        &format!("{range}&start=2&end=1&step=1"),
        "invalid parameter \"end\": end timestamp must not be before start time",
    )
    .await;
    bad(
        &format!("{range}&start=1&end=2&step=0"),
        "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer",
    )
    .await;
    bad(
        &format!("{range}&start=0&end=11001&step=1"),
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    )
    .await;
}

#[tokio::test]
async fn what_cannot_be_evaluated_is_an_execution_error() {
    let got = site().get("/api/v1/query?query=up%20%2B%20on()%20up").await;
    assert_eq!(got.status, 422);
    assert!(
        got.text().starts_with(r#"{"status":"error","errorType":"execution","error":"found duplicate series"#),
        "{}",
        got.text()
    );
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_told_so() {
    let served = Served::default();
    let site = Site::new(Served {
        gate: web_prometheus::Gate::of(std::sync::Arc::new(tokio::sync::Semaphore::new(0))),
        ..served
    });
    let expect = r#"{"status":"error","errorType":"timeout","error":"query timed out in query queue"}"#;
    site.check("/api/v1/query?query=up&timeout=10ms", 503, expect).await;
}

#[tokio::test]
async fn the_lookback_may_be_another_one() {
    let got = site().get("/api/v1/query?query=up&time=10030&lookback_delta=10").await;
    assert!(got.text().contains(r#""result":[]"#), "{}", got.text());
    let got = site().get("/api/v1/query?query=count(up)&time=10030&lookback_delta=1m").await;
    assert!(got.text().contains(r#"[10030,"2"]"#), "{}", got.text());
}

#[tokio::test]
async fn expressions_are_formatted_and_taken_apart() {
    let pretty = r#"{"status":"success","data":"sum by (job) (rate(up[5m]))"}"#;
    site().check("/api/v1/format_query?query=sum(rate(up[5m]))by(job)", 200, pretty).await;
    let got = site().form(Method::POST, "/api/v1/parse_query", "query=up{job=\"a\"}").await;
    let tree: serde_json::Value = serde_json::from_str(got.text()).unwrap();
    assert_eq!(tree["data"]["type"], "vectorSelector");
    assert_eq!(tree["data"]["matchers"][0]["type"], "=");
    for path in ["format_query", "parse_query"] {
        let got = site().get(&format!("/api/v1/{path}?query=up%20%2B")).await;
        assert_eq!(got.status, 400);
        assert!(got.text().contains(r#""error":"invalid parameter \"query\": 1:5: parse error: "#), "{}", got.text());
    }
}

#[tokio::test]
async fn native_histograms() {
    use kernel::series::{Batch, BucketSpan, Cell, Histogram, Point, SeriesWriter as _};
    let served = Served::default();
    let group = served.memory.open_group("g").unwrap();
    let column = served.memory.columns(group, &[Labels::metric("h", [("job", "a")])]).unwrap()[0];
    let histogram = Histogram {
        count: 3.0,
        sum: 2.5,
        positive_spans: vec![BucketSpan { offset: 0, length: 2 }],
        positive_buckets: vec![1.0, 2.0],
        ..Histogram::default()
    };
    let mut batch = Batch::default();
    let value = Point::Histogram(std::sync::Arc::new(histogram));
    batch.push_cell(group, 9_990_000, Cell { column, value, start_ms: 0 });
    batch.push(group, 10_000_000, column, 4.0);
    served.memory.append(&batch).unwrap();
    let site = Site::new(served);
    let histogram = r#"{"count":"3","sum":"2.5","buckets":[[0,"0.5","1","1"],[0,"1","2","2"]]}"#;
    let answer = |kind: &str, rest: &str| {
        format!(
            r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{{"metric":{{"__name__":"h","job":"a"}},{rest}}}]}}}}"#
        )
    };
    let vector = answer("vector", &format!(r#""histogram":[9995,{histogram}]"#));
    site.check("/api/v1/query?query=h&time=9995", 200, &vector).await;
    let matrix = answer("matrix", &format!(r#""values":[[10000,"4"]],"histograms":[[9990,{histogram}]]"#));
    site.check("/api/v1/query?query=h[1m]", 200, &matrix).await;
}

#[tokio::test]
async fn what_would_fill_memory_is_refused_in_prometheus_words() {
    let got = site().get("/api/v1/query_range?query=1&start=0&end=11000&step=1").await;
    assert_eq!(got.text().matches("],[").count(), 11_000, "as many steps as Prometheus allows are 11,001 points");
    let mut served = Served::default();
    served.settings.limits.max_samples = 2;
    served.memory.add(Labels::metric("up", [("job", "a")]), &[(9_998_000, 1.0), (9_999_000, 1.0), (10_000_000, 1.0)]);
    let expect = r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}"#;
    Site::new(served).check("/api/v1/query?query=up[1m]", 422, expect).await;
}
