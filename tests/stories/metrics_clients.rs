//! Those who ask Prometheus ask the metrics engine, unmodified: its Go client, promtool, another Prometheus that reads from it; and
//! `farero query`, of the engine and of its folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tests::binary::{path, run};
use tests::farero::{client, free_port};
use tests::tools;

/// The first time of the samples, seconds since the epoch.
pub(crate) const BEGIN: i64 = 1_790_000_000;
const SERIES: i64 = 20;
/// Samples of each series, a minute apart.
const SAMPLES: i64 = 30;
/// When everybody asks.
pub(crate) const AT: i64 = BEGIN + (SAMPLES - 1) * 60;

/// A program that ends with the test.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(program: &Path, arguments: &[String]) -> Self {
        let started = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(started.unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already: then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn import(folder: &Path) {
    let mut text = "# TYPE orders counter\n# HELP orders Orders taken.\n".to_owned();
    for i in 0..SERIES {
        for t in 0..SAMPLES {
            text += &format!("orders_total{{shop=\"s{i}\"}} {} {}\n", t * 60 * (i + 1), BEGIN + t * 60);
        }
    }
    text += "# EOF\n";
    let file = folder.join("orders.txt");
    std::fs::write(&file, text).unwrap();
    let data = folder.join("data");
    let ran = run(&["import", "openmetrics", "--data", data.to_str().unwrap(), file.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(&format!("{} written", SERIES * SAMPLES)), "{}", ran.out);
}

pub(crate) async fn launch(program: &Path, arguments: &[String], address: SocketAddr) -> Running {
    let running = Running::start(program, arguments);
    for _ in 0..600 {
        let answer = client().get(format!("http://{address}/-/ready")).send().await;
        if answer.is_ok_and(|a| a.status().is_success()) {
            return running;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} is not ready", program.display());
}

pub(crate) fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

async fn engine(folder: &Path) -> (Running, SocketAddr) {
    engine_with(folder, &[]).await
}

/// The engine over what was imported below a folder, with more arguments.
pub(crate) async fn engine_with(folder: &Path, more: &[String]) -> (Running, SocketAddr) {
    let (address, data) = (local(), folder.join("data"));
    let arguments = ["metrics", "--listen", &address.to_string(), "--retention", "100y", "--data"].map(str::to_owned);
    let arguments = [&arguments[..], &[data.to_str().unwrap().to_owned()], more].concat();
    (launch(&path(), &arguments, address).await, address)
}

fn told(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{} {arguments:?}: {out}{err}", program.display());
    out.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn met_09_prometheus_s_own_clients_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path());
    let (_engine, address) = engine(folder.path()).await;
    let (url, at) = (format!("http://{address}"), AT.to_string());
    let go = told(&tools::prometheus_client(), &[&url, "orders_total", &at]);
    for expect in [
        "query: {} => 20 @[1790001740]",
        "bad_data: invalid parameter \"query\"",
        "labels: [__name__ shop]",
        "values: [orders_total]",
        "series: 3",
        "rules: 0",
        "flags: true",
        "tsdb: true",
        "walreplay: ok",
    ] {
        assert!(go.contains(expect), "{expect}: {go}");
    }
    let promtool = Path::new("promtool");
    let found = told(promtool, &["query", "instant", "--time", &at, &url, "sum(rate(orders_total[5m]))"]);
    assert_eq!(found.trim(), "{} => 210 @[1790001740]");
    let (begin, end) = (BEGIN.to_string(), at.clone());
    let found = told(promtool, &["query", "labels", "--start", &begin, "--end", &end, &url, "shop"]);
    assert_eq!(found.lines().count(), SERIES as usize, "{found}");
    let matcher = "--match=orders_total{shop=\"s7\"}";
    let found = told(promtool, &["query", "series", matcher, "--start", &begin, "--end", &end, &url]);
    assert_eq!(found.trim(), "{__name__=\"orders_total\", shop=\"s7\"}");
}

#[tokio::test(flavor = "multi_thread")]
async fn met_09_another_prometheus_reads_from_it() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path());
    let (_engine, address) = engine(folder.path()).await;
    let config = folder.path().join("prometheus.yml");
    let text = format!("remote_read: [{{url: \"http://{address}/api/v1/read\", read_recent: true}}]\n");
    std::fs::write(&config, text).unwrap();
    let reader = local();
    let arguments = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", folder.path().join("tsdb").display()),
        format!("--web.listen-address={reader}"),
    ];
    let _prometheus = launch(Path::new("prometheus"), &arguments, reader).await;
    for expr in ["sum(rate(orders_total[5m]))", "count(orders_total)", "max_over_time(orders_total{shop=\"s3\"}[10m])"]
    {
        let ask = |address: SocketAddr| async move {
            let request = client().get(format!("http://{address}/api/v1/query"));
            let answer = request.query(&[("query", expr), ("time", &AT.to_string())]).send().await.unwrap();
            let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            answer["data"]["result"].clone()
        };
        let (theirs, ours) = (ask(reader).await, ask(address).await);
        assert!(theirs == ours && theirs[0]["value"][1].is_string(), "{expr}: {theirs} and {ours}");
    }
}

/// Every file below a folder with what is in it.
fn bytes_below(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut out = std::collections::BTreeMap::new();
    for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        if path.is_dir() {
            out.extend(bytes_below(&path))
        } else {
            _ = out.insert(path.clone(), std::fs::read(&path).unwrap())
        }
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn met_14_farero_query_asks_an_engine_or_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path());
    let (data, at) = (folder.path().join("data"), AT.to_string());
    let expr = "sum(rate(orders_total[5m]))";
    let of_folder = ["query", "--data", data.to_str().unwrap(), "--time", &at, "--format", "csv"];
    let before = run(&[&of_folder[..], &[expr]].concat());
    assert!(before.code == 0 && before.out.contains("210"), "{}{}", before.out, before.err);
    let (engine, address) = engine(folder.path()).await;
    let url = format!("http://{address}");
    // The folder answers while the engine runs on it, too, with what the engine was sent meanwhile.
    let late = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"late","gauge":{{"dataPoints":[
            {{"timeUnixNano":"{AT}000000000","asDouble":7}}]}}}}]}}]}}]}}"#
    );
    let push = client().post(format!("{url}/api/v1/otlp/v1/metrics")).header("content-type", "application/json");
    assert!(push.body(late).send().await.unwrap().status().is_success());
    let beside = run(&[&of_folder[..], &[expr]].concat());
    assert_eq!((beside.code, &beside.out), (0, &before.out), "{}", beside.err);
    let beside = run(&[&of_folder[..], &["late"]].concat());
    assert!(beside.code == 0 && beside.out.contains(",7"), "{}{}", beside.out, beside.err);
    let asked = run(&["query", "--url", &url, "--time", &at, "--format", "csv", expr]);
    assert_eq!((asked.code, &asked.out), (0, &before.out), "{}", asked.err);
    let explained = run(&["query", "--url", &url, "--time", &at, "--explain", expr]);
    assert!(explained.code == 0 && explained.out.contains("orders_total[5m]"), "{}{}", explained.out, explained.err);
    let refused = run(&["query", "--url", &url, "--time", &at, "sum("]);
    assert!(
        refused.code == 1 && refused.err.contains("parse error"),
        "{}: {}{}",
        refused.code,
        refused.out,
        refused.err
    );
    // Killed, its log open: asking leaves every byte as it is.
    drop(engine);
    let left = bytes_below(&data);
    let after = run(&[&of_folder[..], &["late"]].concat());
    assert!(after.code == 0 && after.out.contains(",7"), "{}{}", after.out, after.err);
    assert!(left == bytes_below(&data), "asking changed the folder");
    let nobody = run(&["query", "--url", &url, "--time", &at, expr]);
    assert_eq!(nobody.code, 2, "{}{}", nobody.out, nobody.err);
}

/// What Grafana's data source for Prometheus asks, in its order: is it there, what is it, panels as forms, and all that completes names.
#[tokio::test(flavor = "multi_thread")]
async fn met_09_what_grafana_s_data_source_asks_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path());
    let (_engine, address) = engine(folder.path()).await;
    let answered = |answer: reqwest::Response| async move {
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["data"].clone()
    };
    let post = async |path: &str, form: &[(&str, &str)]| {
        let mut encoded = reqwest::Url::parse("http://form/").unwrap();
        encoded.query_pairs_mut().extend_pairs(form);
        let request = client().post(format!("http://{address}/api/v1/{path}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        answered(request.body(encoded.query().unwrap_or_default().to_owned()).send().await.unwrap()).await
    };
    let get = async |path: &str| {
        answered(client().get(format!("http://{address}/api/v1/{path}")).send().await.unwrap()).await
    };
    let (start, end) = (format!("{}.000", AT - 600), format!("{AT}.000"));
    // The health check, and what it is: there is no key by which it would be taken for another server.
    assert_eq!(post("query", &[("query", "1+1"), ("time", "4")]).await["result"], serde_json::json!([4, "2"]));
    let build = get("status/buildinfo").await;
    assert!(build["version"].as_str().unwrap().starts_with("3.") && build["features"].is_null(), "{build}");
    // A panel, and the same at once for a table.
    let range = [
        ("query", "rate(orders_total{shop=\"s3\"}[5m])"),
        ("start", &*start),
        ("end", &*end),
        ("step", "60"),
        ("timeout", "30s"),
    ];
    let panel = post("query_range", &range).await;
    assert_eq!((&panel["resultType"], panel["result"][0]["values"].as_array().unwrap().len()), (&"matrix".into(), 11));
    let table = post("query", &[("query", "sum by (shop) (orders_total)"), ("time", &*end)]).await;
    assert_eq!(table["result"].as_array().unwrap().len(), SERIES as usize);
    let exemplars = [("query", "orders_total"), ("start", &*start), ("end", &*end)];
    assert_eq!(post("query_exemplars", &exemplars).await, serde_json::json!([]));
    // Names for the editor: in a range, for a metric, by a pattern, with what is known of them.
    let window = [("start", &*start), ("end", &*end), ("limit", "40000")];
    assert_eq!(post("labels", &window).await, serde_json::json!(["__name__", "shop"]));
    let matching = [&window[..], &[("match[]", "{__name__=\"orders_total\"}")]].concat();
    assert_eq!(post("series", &matching).await.as_array().unwrap().len(), SERIES as usize);
    let values = get(&format!(
        "label/__name__/values?start={start}&end={end}&match%5B%5D=%7B__name__=~%22.*ord.*%22%7D&limit=40000"
    ))
    .await;
    assert_eq!(values, serde_json::json!(["orders_total"]));
    assert!(get("metadata?limit=40000").await.is_object() && get("rules").await["groups"].is_array());
    assert_eq!(post("parse_query", &[("query", "up")]).await["type"], "vectorSelector");
}
