//! Names of series and labels, values of labels, exemplars.

use http::Method;
use kernel::Labels;
use kernel::series::{Batch, Exemplar, SeriesRef, SeriesWriter as _};

use crate::server::{Served, Site};

fn site() -> Site {
    Site::with(&[
        (Labels::metric("up", [("job", "a")]), &[(1_000, 1.0)]),
        (Labels::metric("up", [("job", "b")]), &[(5_000, 1.0)]),
        (Labels::metric("http.requests", [("job", "a"), ("status.code", "200")]), &[(5_000, 3.0)]),
    ])
}

#[tokio::test]
async fn names_of_labels() {
    let all = r#"{"status":"success","data":["__name__","job","status.code"]}"#;
    site().check("/api/v1/labels", 200, all).await;
    assert_eq!(site().form(Method::POST, "/api/v1/labels", "").await.text(), all);
    let few = r#"{"status":"success","data":["__name__","job"]}"#;
    site().check("/api/v1/labels?match[]=up", 200, few).await;
    site().check("/api/v1/labels?match[]=up&match[]=up{job=%22b%22}&start=0&end=1.5", 200, few).await;
    let cut = r#"{"status":"success","data":["__name__"],"warnings":["results truncated due to limit"]}"#;
    site().check("/api/v1/labels?limit=1", 200, cut).await;
    let wrong =
        r#"{"status":"error","errorType":"bad_data","error":"match[] must contain at least one non-empty matcher"}"#;
    site().check("/api/v1/labels?match[]={job=~%22.*%22}", 400, wrong).await;
    site().check("/api/v1/labels?match[]={}", 400, wrong).await;
}

#[tokio::test]
async fn values_of_labels() {
    site().check("/api/v1/label/job/values", 200, r#"{"status":"success","data":["a","b"]}"#).await;
    site().check("/api/v1/label/job/values?end=2", 200, r#"{"status":"success","data":["a"]}"#).await;
    site().check("/api/v1/label/none/values", 200, r#"{"status":"success","data":[]}"#).await;
    for name in ["status.code", "U__status_2e_code", "status%2Ecode"] {
        site().check(&format!("/api/v1/label/{name}/values"), 200, r#"{"status":"success","data":["200"]}"#).await;
    }
    let names = r#"{"status":"success","data":["http.requests","up"]}"#;
    site().check("/api/v1/label/__name__/values", 200, names).await;
}

#[tokio::test]
async fn series() {
    let expect = r#"{"status":"success","data":[{"__name__":"http.requests","job":"a","status.code":"200"},{"__name__":"up","job":"a"}]}"#;
    site().check("/api/v1/series?match[]={job=%22a%22}&match[]=up{job=%22a%22}", 200, expect).await;
    let cut = r#"{"status":"success","data":[{"__name__":"http.requests","job":"a","status.code":"200"}],"warnings":["results truncated due to limit"]}"#;
    site().check("/api/v1/series?match[]={job=%22a%22}&limit=1", 200, cut).await;
    let error = |why: &str| format!(r#"{{"status":"error","errorType":"bad_data","error":{why:?}}}"#);
    site().check("/api/v1/series", 400, &error("no match[] parameter provided")).await;
    site().check("/api/v1/series?x=%zz", 400, &error("error parsing form values: invalid URL escape \"%zz\"")).await;
    let got = site().get("/api/v1/series?match[]=up{").await;
    assert!(got.text().contains(r#"invalid parameter \"match[]\": 1:4: parse error: "#), "{}", got.text());
}

#[tokio::test]
async fn exemplars() {
    let served = Served::default();
    let labels = Labels::metric("latency_bucket", [("le", "1")]);
    let group = served.memory.open_group("g").unwrap();
    let column = served.memory.columns(group, &[labels]).unwrap()[0];
    let mut batch = Batch::default();
    batch.push(group, 1_000, column, 1.0);
    let exemplar = Exemplar { labels: Labels::new([("trace_id", "abc")]), value: 0.25, t_ms: 1_500 };
    batch.push_exemplar(SeriesRef { group, column }, exemplar);
    served.memory.append(&batch).unwrap();
    let site = Site::new(served);
    let expect = concat!(
        r#"{"status":"success","data":[{"seriesLabels":{"__name__":"latency_bucket","le":"1"},"#,
        r#""exemplars":[{"labels":{"trace_id":"abc"},"value":"0.25","timestamp":1.500}]}]}"#,
    );
    site.check("/api/v1/query_exemplars?query=rate(latency_bucket[5m])%2Blatency_bucket&start=1&end=2", 200, expect)
        .await;
    site.check("/api/v1/query_exemplars?query=latency_bucket&start=2", 200, r#"{"status":"success","data":[]}"#).await;
    site.check("/api/v1/query_exemplars?query=1", 204, "").await;
    let expect =
        r#"{"status":"error","errorType":"bad_data","error":"end timestamp must not be before start timestamp"}"#;
    site.check("/api/v1/query_exemplars?query=up&start=2&end=1", 400, expect).await;
}
