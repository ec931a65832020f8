//! Debian's Prometheus and the metrics engine over the same samples, asked the same: good and bad requests of the whole API, in every method. What
//! they answer has to be the same but for what is named here, with its reason.

use std::path::Path;
use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tests::farero::client;

use crate::metrics_clients::{AT, BEGIN, engine_with, import, launch, local};

/// A request: method, path, form.
type Ask = (Method, String, Option<String>);

/// What both said.
struct Said {
    status: StatusCode,
    kind: String,
    allow: String,
    text: String,
}

async fn say(base: &str, (method, path, form): &Ask) -> Said {
    let mut request = client().request(method.clone(), format!("{base}{path}"));
    if let Some(form) = form {
        request = request.header("content-type", "application/x-www-form-urlencoded").body(form.clone());
    }
    let answer = request.send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let (status, kind, allow) = (answer.status(), header("content-type"), header("allow"));
    Said { status, kind, allow, text: answer.text().await.unwrap() }
}

/// Evaluation, with good and bad expressions and parameters.
fn queries() -> Vec<String> {
    let exprs = [
        "orders_total",
        "rate(orders_total)",
        "1",
        "%22a%22",
        "%7B%7D",
        "nofunc(x)",
        "1/0",
        "orders_total%2Bon(shop)orders_total",
        "sum(orders_total)by(shop)",
        "topk(2,orders_total)",
        "quantile(2,orders_total)",
        "1%2B%22a%22",
        "-%22a%22",
        "absent(nothing)",
        "scalar(orders_total)",
        "time()",
        "orders_total@end()",
        "sum_over_time(orders_total[0s])",
        "orders_total[5m:0s]",
        "count_values(%22%22,orders_total)",
        "histogram_quantile(0.9,orders_total)",
        "avg_over_time(orders_total[570s])",
        "label_replace(orders_total,%22a%22,%22$1%22,%22shop%22,%22(.*)%22)",
        "orders_total%20offset%201m",
        "vector(1)%3E%20bool%200",
    ];
    let parameters =
        ["", "&timeout=10s", "&timeout=x", "&timeout=0", "&timeout=-1", "&lookback_delta=1m", "&stats=all"];
    let mut out = Vec::new();
    for (path, range) in
        [("query", format!("&time={AT}")), ("query_range", format!("&start={}&end={AT}&step=60", AT - 300))]
    {
        out.extend(exprs.iter().map(|e| format!("/api/v1/{path}?query={e}{range}")));
        out.extend(parameters.iter().map(|p| format!("/api/v1/{path}?query=orders_total{range}{p}")));
    }
    out
}

/// Times, steps and ranges, of which most are wrong.
fn times() -> Vec<String> {
    let mut out = Vec::new();
    for t in
        ["x", "1e400", "2026-13-01T00:00:00Z", "2026-09-21T14:20:00Z", "2026-09-21T16:20:00%2B02:00", "", "1.5", "-1"]
    {
        out.push(format!("/api/v1/query_range?query=1&start={t}&end={AT}&step=1m"));
        out.push(format!("/api/v1/query_range?query=1&start={AT}&end={t}&step=1m"));
        out.push(format!("/api/v1/series?match[]=orders_total&start={t}"));
        out.push(format!("/api/v1/labels?end={t}"));
        out.push(format!("/api/v1/label/shop/values?end={t}"));
        out.push(format!("/api/v1/query_exemplars?query=orders_total&start={t}&end={AT}"));
        out.push(format!("/api/v1/admin/tsdb/delete_series?match[]=none&start={t}"));
        if !t.is_empty() {
            out.push(format!("/api/v1/query?query=1&time={t}"));
        }
    }
    for step in ["0", "-1", "x", "", "1e30", "1ms", "1m30s", "1.5m", "15", "30d", "NaN", "0.5"] {
        out.push(format!("/api/v1/query_range?query=1&start={}&end={AT}&step={step}", AT - 30));
    }
    out.push(format!("/api/v1/query_range?query=1&start=0&end={AT}&step=1"));
    out.push(format!("/api/v1/query_range?query=1&start={AT}&end={}&step=1", AT - 1));
    out.extend(["", "&start=1"].map(|rest| format!("/api/v1/query_range?query=1{rest}")));
    out
}

/// Names, selectors, and everything else that is read.
fn others() -> Vec<String> {
    let mut out = Vec::new();
    for m in [
        "orders_total",
        "{}",
        "{shop=~%22.*%22}",
        "{shop=%22s1%22}",
        "{__name__=~%22.%2B%22}",
        "{shop!=%22s1%22}",
        "none",
    ] {
        for path in ["series?", "labels?", "label/shop/values?", "admin/tsdb/delete_series?start=1&end=2&"] {
            out.push(format!("/api/v1/{path}match[]={m}"));
        }
        out.push(format!("/federate?match[]={m}"));
        out.push(format!("/api/v1/targets/metadata?match_target={m}"));
    }
    let rest = [
        "series",
        // Names of any letters are names in 3: `label/a-b/values` is not asked.
        "label/__name__/values",
        "label/nothing/values",
        "query_exemplars?query=1",
        "query_exemplars?query=orders_total",
        "format_query?query=sum(x)by(y)",
        "alerts",
        "rules",
        "rules?type=x",
        "rules?type=alert",
        "rules?type=record",
        "alertmanagers",
        "targets/metadata",
        "targets/metadata?limit=x",
        "targets/metadata?limit=0",
        "metadata",
        "metadata?limit=x",
        "metadata?limit=-1",
        "metadata?metric=x",
        "status/config",
        "status/buildinfo",
        "status/walreplay",
        "status/nothing",
        "nothing",
        "",
    ];
    out.extend(rest.map(|path| format!("/api/v1/{path}")));
    out.extend(["/-/reload", "/-/quit", "/federate", "/nothing"].map(str::to_owned));
    out
}

fn asks() -> Vec<Ask> {
    let get = |path: String| (Method::GET, path, None);
    let mut all: Vec<Ask> = [queries(), times(), others()].concat().into_iter().map(get).collect();
    for (_, path, _) in &mut all {
        *path = path.replace('{', "%7B").replace('}', "%7D");
    }
    for ask in &mut all {
        if ask.1.contains("/admin/") {
            ask.0 = Method::POST;
        }
    }
    let form = |path: &str, form: String| (Method::POST, path.to_owned(), Some(form));
    all.extend([
        form("/api/v1/query", format!("query=orders_total&time={AT}")),
        form("/api/v1/query?query=1", format!("query=2&time={AT}")),
        form("/api/v1/query_range", format!("query=1&start={AT}&end={AT}&step=1")),
        form("/api/v1/series", "match[]=orders_total".to_owned()),
        form("/api/v1/labels", String::new()),
        form("/api/v1/labels", "match[]=orders_total&start=x".to_owned()),
        form("/api/v1/admin/tsdb/snapshot?skip_head=x", String::new()),
        form("/api/v1/admin/tsdb/clean_tombstones", String::new()),
        form("/api/v1/admin/tsdb/delete_series", String::new()),
        form("/-/reload", String::new()),
        form("/-/quit", String::new()),
    ]);
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        for path in
            ["/api/v1/query?query=1", "/api/v1/labels", "/api/v1/rules", "/-/healthy", "/federate", "/api/v1/nothing"]
        {
            all.push((method.clone(), path.to_owned(), None));
        }
    }
    for path in ["rules", "targets", "status/tsdb", "label/shop/values"] {
        all.push((Method::POST, format!("/api/v1/{path}"), None));
    }
    all.push((Method::GET, "/api/v1/admin/tsdb/snapshot".to_owned(), None));
    all
}

/// Names and kinds of what is in a document, its values left out.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(all) => {
            all.iter().map(|(name, value)| (name.clone(), shape(value))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Array(all) => all.iter().take(1).map(shape).collect::<Vec<_>>().into(),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "flag".into(),
        Value::Null => Value::Null,
    }
}

/// Series in one order, as neither promises any for an instant query; and without remarks on what was asked, of which 2.42 has none.
fn sorted(mut value: Value) -> Value {
    if let Some(all) = value.pointer_mut("/data/result").and_then(Value::as_array_mut)
        && all.iter().all(Value::is_object)
    {
        all.sort_by_key(|series| series["metric"].to_string());
    }
    if let Some(whole) = value.as_object_mut() {
        whole.retain(|name, _| name != "warnings" && name != "infos");
    }
    value
}

/// An error's text without what Prometheus 3 says otherwise than 2.42, which Debian has.
fn worded(text: &str) -> String {
    // It names the parameter in front of an expression's error, and begins with a small letter.
    text.replace("invalid parameter \"query\": ", "").replace(": Invalid time value", ": invalid time value")
}

/// How the answers differ; `None` when they do not.
fn difference(path: &str, theirs: &Said, ours: &Said) -> Option<String> {
    if theirs.status != ours.status {
        return Some(format!("status {} and {}: {} | {}", theirs.status, ours.status, theirs.text, ours.text));
    }
    // 3 says how names are escaped.
    let kind = ours.kind.replace("; escaping=underscores", "");
    // HEAD is answered here wherever GET is (RFC 9110, section 9.1). To OPTIONS on the API no methods are named there.
    let allow = if theirs.allow.contains("HEAD") { ours.allow.clone() } else { ours.allow.replace("HEAD, ", "") };
    if theirs.kind != kind || (theirs.status == StatusCode::METHOD_NOT_ALLOWED && theirs.allow != allow) {
        return Some(format!("headers {:?} and {kind:?}, {:?} and {:?}", theirs.kind, theirs.allow, allow));
    }
    let [one, other] = [&theirs.text, &ours.text].map(|text| serde_json::from_str::<Value>(text).ok());
    let (Some(one), Some(other)) = (one, other) else {
        return (theirs.text != ours.text).then(|| format!("{:?} and {:?}", theirs.text, ours.text));
    };
    if one["status"] == "error" {
        let words = |v: &Value| (v["errorType"].clone(), worded(v["error"].as_str().unwrap_or_default()));
        // Which of both places it noticed first is chance there.
        let timed_out = path.contains("timeout=0") || path.contains("timeout=-1");
        let same = words(&one) == words(&other) || (timed_out && one["errorType"] == other["errorType"]);
        return (!same).then(|| format!("{one} and {other}"));
    }
    // Measured, or about the server itself: the same parts.
    let same = if path.contains("stats=") || path.contains("/status/") {
        shape(&one) == shape(&other)
    } else {
        sorted(one.clone()) == sorted(other.clone())
    };
    (!same).then(|| format!("{one} and {other}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn met_09_every_endpoint_answers_as_debian_s_prometheus_does() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path());
    let config = folder.path().join("prometheus.yml");
    std::fs::write(&config, "global:\n  scrape_interval: 15s\n").unwrap();
    let (blocks, samples) = (folder.path().join("tsdb"), folder.path().join("orders.txt"));
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(&samples)
        .arg(&blocks)
        .output();
    assert!(made.unwrap().status.success(), "promtool makes no blocks");
    let address = local();
    let arguments = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", blocks.display()),
        "--storage.tsdb.retention.time=100y".to_owned(),
        "--web.enable-admin-api".to_owned(),
        format!("--web.listen-address={address}"),
    ];
    let _prometheus = launch(Path::new("prometheus"), &arguments, address).await;
    let ours = ["--web.enable-admin-api".to_owned(), format!("--config.file={}", config.display())];
    let (_engine, own) = engine_with(folder.path(), &ours).await;
    let (theirs, ours) = (format!("http://{address}"), format!("http://{own}"));
    let (all, mut different) = (asks(), Vec::new());
    assert!(all.len() > 250 && BEGIN < AT);
    for ask in &all {
        let (one, other) = (say(&theirs, ask).await, say(&ours, ask).await);
        if let Some(how) = difference(&ask.1, &one, &other) {
            different.push(format!("{} {} {}\n    {how}", ask.0, ask.1, ask.2.as_deref().unwrap_or_default()));
        }
    }
    assert!(different.is_empty(), "{} of {} differ:\n{}", different.len(), all.len(), different.join("\n"));
}
