//! The engine's addresses: OTLP over gRPC with OpenTelemetry's own SDK, TLS and users as Prometheus's file says. I/O: temporary
//! folders, sockets, a Python program where it is installed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may give up loudly")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kernel::{Clock as _, Labels};
use run::SystemClock;
use run::metrics::{Metrics, MetricsConfig};
use serde_json::Value;

async fn start(data: &Path, web_config: Option<PathBuf>) -> Metrics {
    let any = "127.0.0.1:0".parse().unwrap();
    let config =
        MetricsConfig { otlp_grpc: Some(any), web_config, lifecycle: true, ..MetricsConfig::new(any, data.to_owned()) };
    Metrics::start(config, Arc::new(SystemClock)).await.unwrap()
}

/// The interpreter; another one can be named where packages are kept apart.
fn python() -> String {
    std::env::var("FARERO_TEST_PYTHON").unwrap_or_else(|_| "python3".into())
}

#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
fn has_sdk() -> bool {
    let mut command = Command::new(python());
    command.args(["-c", "import opentelemetry.exporter.otlp.proto.grpc.metric_exporter, opentelemetry.sdk.metrics"]);
    let here = command.output().is_ok_and(|output| output.status.success());
    if !here {
        eprintln!("OpenTelemetry's gRPC exporter for Python is not installed: this test was left out");
    }
    here
}

#[tokio::test(flavor = "multi_thread")]
async fn otlp_over_grpc_is_taken_from_the_sdk() {
    if !has_sdk() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path(), None).await;
    // On its own address, and on the main one.
    for (kind, address) in [("cumulative", engine.grpc_address().unwrap()), ("delta", engine.address())] {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/send_grpc.py");
        let endpoint = format!("http://{address}");
        let sent = tokio::task::spawn_blocking(move || {
            Command::new(python()).args([script, &endpoint, kind]).output().unwrap()
        });
        let sent = sent.await.unwrap();
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        for (query, expect) in [("jobs_done_total", "6"), ("latency_seconds_count", "3"), ("count(target_info)", "1")] {
            let query = query.replace(')', &format!("{{job=\"{kind}\"}})"));
            let query = if query.contains('{') { query } else { format!("{query}{{job=\"{kind}\"}}") };
            let url = format!("http://{}/api/v1/query", engine.address());
            let answer = run::http_client().unwrap().get(url).query(&[("query", &query)]).send().await.unwrap();
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(answer["data"]["result"][0]["value"][1], expect, "{query}: {answer}");
        }
    }
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_calls_end_with_a_status() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path(), None).await;
    let client = act_client();
    let url = |path: &str| format!("http://{}{path}", engine.grpc_address().unwrap());
    let call = async |path: &str, body: &[u8]| {
        let request = client.post(url(path)).header("content-type", "application/grpc").header("te", "trailers");
        let answer = request.body(body.to_vec()).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        (answer.status().as_u16(), header("grpc-status"), header("grpc-message"))
    };
    let export = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    let (status, code, message) = call(export, b"xx").await;
    assert_eq!((status, code.as_deref()), (200, Some("3")));
    assert_eq!(message.as_deref(), Some("the message's prefix is missing"));
    assert_eq!(call(export, b"\x02\0\0\0\x01a").await.1.as_deref(), Some("3"));
    assert_eq!(call("/a.B/C", b"").await.1.as_deref(), Some("12"));
    // An empty message is a whole one; the status stands behind it then.
    assert_eq!(call(export, b"\0\0\0\0\0").await, (200, None, None));
    engine.stop().await;
}

/// A client that speaks HTTP/2 at once, as gRPC does.
fn act_client() -> reqwest::Client {
    with_provider();
    reqwest::Client::builder().http2_prior_knowledge().build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn users_and_tls_are_as_the_web_file_says() {
    let folder = tempfile::tempdir().unwrap();
    with_provider();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let file = folder.path().join("web.yml");
    let users = |hash: &str| {
        let tls = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}";
        format!("{tls}\nhttp_server_config: {{headers: {{X-Test: here}}}}\nbasic_auth_users: {{alice: {hash}}}\n")
    };
    let hash = |word: &str| bcrypt::hash(word, 4).unwrap();
    std::fs::write(&file, users(&hash("secret"))).unwrap();
    let engine = start(&folder.path().join("data"), Some(file.clone())).await;
    assert!(engine.is_tls());
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]).resolve("localhost", engine.address());
    let client = client.build().unwrap();
    let url = format!("https://localhost:{}/-/healthy", engine.address().port());
    let ask = async |word: Option<&str>| {
        let request = client.get(&url);
        let request = match word {
            Some(word) => request.basic_auth("alice", Some(word)),
            None => request,
        };
        request.send().await.unwrap()
    };
    let refused = ask(None).await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["www-authenticate"]), (401, &"Basic".parse().unwrap()));
    assert_eq!(ask(Some("wrong")).await.status(), 401);
    for _ in 0..2 {
        let answer = ask(Some("secret")).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["x-test"]), (200, &"here".parse().unwrap()));
    }
    std::fs::write(&file, users(&hash("another"))).unwrap();
    engine.reload().await;
    assert_eq!(ask(Some("secret")).await.status(), 401);
    assert_eq!(ask(Some("another")).await.status(), 200);
    // A file with mistakes changes nothing.
    std::fs::write(&file, "nonsense: 1\n").unwrap();
    engine.reload().await;
    assert_eq!(ask(Some("another")).await.status(), 200);
    engine.stop().await;
}

/// Clients of this test speak TLS as the program does.
fn with_provider() {
    // That another test was first is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
fn has_api_client() -> bool {
    let output = Command::new(python()).args(["-c", "import prometheus_api_client"]).output();
    let here = output.is_ok_and(|output| output.status.success());
    if !here {
        eprintln!("the Python package prometheus-api-client is not installed: this test was left out");
    }
    here
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_api_client_works_unmodified() {
    if !has_api_client() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path(), None).await;
    let now_s = SystemClock.now().as_millis() / 1_000;
    let mut out = observe_receive::remote_write::Outgoing::default();
    out.series(&Labels::metric("sent", [("job", "a")]), |s| {
        (0..3).for_each(|n| s.float((now_s - 60 + n * 30) * 1_000, n as f64));
    });
    let request = run::http_client().unwrap().post(format!("http://{}/api/v1/write", engine.address()));
    let request = request.header("content-type", "application/x-protobuf").header("content-encoding", "snappy");
    assert_eq!(request.body(out.finish()).send().await.unwrap().status(), 204);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ask_api_client.py");
    let (url, at) = (format!("http://{}", engine.address()), now_s.to_string());
    let asked = tokio::task::spawn_blocking(move || Command::new(python()).args([script, &url, &at]).output().unwrap());
    let asked = asked.await.unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let got: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(got["connected"], true, "{got}");
    assert_eq!(got["metrics"], serde_json::json!(["sent"]));
    assert_eq!(got["labels"], serde_json::json!(["__name__", "job"]));
    assert_eq!((&got["values"], &got["now"]), (&serde_json::json!(["a"]), &serde_json::json!(["2"])));
    // A range has no beginning of its own: the sample at its start is not in it.
    assert_eq!(got["range"].as_array().map(Vec::len), Some(2), "{got}");
    assert_eq!(got["doubled"], serde_json::json!([0.0, 2.0, 4.0]));
    engine.stop().await;
}
