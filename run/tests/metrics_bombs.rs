//! Questions that cost too much, over HTTP and the real store: refused or bounded, and others are answered meanwhile. What is counted is
//! looked at, not how long it took. I/O: temporary folders, sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may give up loudly")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use observe_receive::wire::Writer as Wire;
use run::SystemClock;
use run::metrics::{Metrics, MetricsConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const SERIES: usize = 100;
const SAMPLES: i64 = 400;
/// Between samples.
const STEP_MS: i64 = 10_000;
/// Looks at every sample of an hour, sorted, at 11,000 times, for a hundred series: minutes of work.
const LONG: &str = "/api/v1/query_range?query=quantile_over_time(0.5,m[1h])&start=0&end=4000&step=0.37";

async fn start(data: &Path) -> Metrics {
    let config = MetricsConfig::new("127.0.0.1:0".parse().unwrap(), data.to_owned());
    let engine = Metrics::start(config, Arc::new(SystemClock)).await.unwrap();
    assert_eq!(write(&engine).await, 204);
    engine
}

/// Sends all samples of all series at once.
async fn write(engine: &Metrics) -> u16 {
    let mut w = Wire::default();
    for i in 0..SERIES {
        w.message(1, |series| {
            for (name, value) in [("__name__", "m"), ("i", &i.to_string())] {
                series.message(1, |pair| {
                    pair.string(1, name);
                    pair.string(2, value);
                });
            }
            for n in 0..SAMPLES {
                series.message(2, |sample| {
                    sample.double(1, ((n * 7919 + i as i64) % 1_000) as f64);
                    sample.int(2, n * STEP_MS);
                });
            }
        });
    }
    let body = snap::raw::Encoder::new().compress_vec(&w.finish()).unwrap();
    let url = format!("http://{}/api/v1/write", engine.address());
    let request = run::http_client().unwrap().post(url).header("content-encoding", "snappy");
    let answer = request.header("content-type", "application/x-protobuf").body(body).send().await.unwrap();
    answer.status().as_u16()
}

async fn get(engine: &Metrics, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", engine.address());
    let answer = run::http_client().unwrap().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Posts a form, since an expression may be longer than an address.
async fn ask(engine: &Metrics, path: &str, form: &[(&str, &str)]) -> (u16, String) {
    let encoded = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
    let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let url = format!("http://{}{path}", engine.address());
    let request = run::http_client().unwrap().post(url).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(body.join("&")).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// What the engine counts of its queries.
async fn counted(engine: &Metrics) -> BTreeMap<String, u64> {
    let text = get(engine, "/metrics").await.1;
    let line = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.strip_prefix("farero_queries_")?.to_owned(), value.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// Waits until something was counted.
async fn until(engine: &Metrics, name: &str, is_there: impl Fn(u64) -> bool) -> u64 {
    for _ in 0..3_000 {
        let value = counted(engine).await[name];
        if is_there(value) {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{name} never came: {:?}", counted(engine).await);
}

/// Asks, and says nothing about the answer until the connection is dropped.
async fn asks(engine: &Metrics, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(engine.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", engine.address());
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn met_14_bombs_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path()).await;
    let too_many = "would load too many samples into memory";
    let doubled = (0..40)
        .fold("m".to_owned(), |inner, _| format!("label_replace({inner}, \"x\", \"${{1}}${{1}}a\", \"x\", \"(.*)\")"));
    let joined = (0..40).fold("m".to_owned(), |inner, _| format!("label_join({inner}, \"i\", \"-\", \"i\", \"i\")"));
    let nested = format!("{}m{}", "(".repeat(100_000), ")".repeat(100_000));
    let negated = format!("{}m", "-".repeat(100_000));
    let replaced = format!("label_replace(m, \"x\", \"{}\", \"i\", \"(.*)\")", "$1".repeat(400_000));
    let instant: [(&str, &str); 11] = [
        (r#"{__name__=~".+"}[1y:1s]"#, too_many),
        (r#"count_over_time({__name__=~".+"}[1y:1s])"#, too_many),
        (r#"max_over_time(sum_over_time({__name__=~".+"}[1y:1s])[1y:1s])"#, too_many),
        (r#"m{i=~"((a{500}){500}){500}"}"#, "parse error"),
        (r#"label_replace(m, "x", "$1", "i", "((a{500}){500}){500}")"#, "invalid regular expression"),
        ("m * on() group_left() m", "found duplicate series for the match group"),
        (&doubled, "would make a label too long"),
        (&joined, "would make a label too long"),
        (&replaced, "would make a label too long"),
        (&nested, "parse error"),
        (&negated, "parse error"),
    ];
    for (expr, expect) in instant {
        let (status, text) = ask(&engine, "/api/v1/query", &[("query", expr), ("time", "4000")]).await;
        assert!(
            matches!(status, 400 | 422) && text.contains(expect),
            "{status} {} for {:.100}",
            &text[..text.len().min(400)],
            expr
        );
    }
    // 11,000 points of each of a hundred series, and of everything they are joined with.
    let wide = (0..30).fold("m".to_owned(), |sum, n| format!("{sum} or label_replace(m, \"n\", \"{n}\", \"\", \"\")"));
    let range = [("query", wide.as_str()), ("start", "0"), ("end", "4000"), ("step", "0.37")];
    let (status, text) = ask(&engine, "/api/v1/query_range", &range).await;
    assert!(status == 422 && text.contains(too_many), "{status} {}", &text[..text.len().min(400)]);
    assert_eq!(until(&engine, "held_points", |held| held == 0).await, 0);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn met_14_short_queries_are_answered_beside_long_ones_and_a_client_that_leaves_ends_its_query() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path()).await;
    // As many as the engine begins at once, all long: each makes room for the next one.
    let mut waiting = Vec::new();
    for n in 1..=20 {
        waiting.push(asks(&engine, LONG).await);
        until(&engine, "long_total", |long| long >= n).await;
    }
    let before = counted(&engine).await;
    for n in 0..30 {
        let (status, text) = get(&engine, &format!("/api/v1/query?query=m%7Bi=%22{n}%22%7D&time=3990")).await;
        assert!(status == 200 && text.contains("\"value\":[3990,"), "{status} {text}");
        let (status, text) = get(&engine, "/api/v1/query?query=sum(count_over_time(m[1m]))&time=3990").await;
        assert!(status == 200 && text.contains("\"600\""), "{status} {text}");
    }
    let after = counted(&engine).await;
    assert_eq!((after["small_total"] - before["small_total"], after["total"] - before["total"]), (30, 30));
    assert_eq!((after["long_total"], after["cancelled_total"]), (20, 0), "all of them are still going on");
    // One more is one too many, and says so.
    let (status, text) = get(&engine, LONG).await;
    assert!(status == 503 && text.contains("long queries are going on already"), "{status} {text}");
    drop(waiting);
    until(&engine, "cancelled_total", |cancelled| cancelled == 20).await;
    until(&engine, "held_points", |held| held == 0).await;
    // There is room again.
    let left = asks(&engine, LONG).await;
    until(&engine, "long_total", |long| long == 21).await;
    drop(left);
    until(&engine, "cancelled_total", |cancelled| cancelled == 21).await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn met_14_an_explained_query_says_what_its_parts_cost() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path()).await;
    for instance in ["m", "m{i=\"7\"}"] {
        let expr = format!("sum(rate({instance}[1m]))");
        let (status, text) =
            ask(&engine, "/api/v1/query", &[("query", &expr), ("time", "3990"), ("explain", "true")]).await;
        assert_eq!(status, 200, "{text}");
        let explained = serde_json::from_str::<serde_json::Value>(&text).unwrap()["data"]["explain"].clone();
        let series = if instance == "m" { SERIES } else { 1 };
        assert_eq!((explained["expr"].as_str(), explained["series"].as_u64()), (Some(&*expr), Some(1)));
        let range = &explained["children"][0]["children"][0];
        assert_eq!(range["series"].as_u64(), Some(series as u64), "{explained}");
        assert_eq!(range["samples"].as_u64(), Some(6 * series as u64), "{explained}");
    }
    let plain = ask(&engine, "/api/v1/query", &[("query", "sum(m)"), ("time", "3990")]).await.1;
    assert!(!plain.contains("explain"), "{plain}");
    engine.stop().await;
    // The folder alone answers the same, also while an engine has it.
    let path = "/api/v1/query?query=count(m)&time=3990";
    let answer = run::metrics::ask_folder(folder.path(), path, Arc::new(SystemClock)).await.unwrap();
    assert_eq!((answer.status, answer.body.contains("\"100\"")), (200, true), "{}", answer.body);
    let config = MetricsConfig::new("127.0.0.1:0".parse().unwrap(), folder.path().to_owned());
    let engine = Metrics::start(config, Arc::new(SystemClock)).await.unwrap();
    let beside = run::metrics::ask_folder(folder.path(), path, Arc::new(SystemClock)).await.unwrap();
    assert_eq!((beside.status, beside.body.contains("\"100\"")), (200, true), "{}", beside.body);
    engine.stop().await;
}
