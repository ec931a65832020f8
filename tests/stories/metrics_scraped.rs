//! Debian's Prometheus and the metrics engine over the same targets, with the same configuration: a real exporter in each of its forms, and what a
//! real Docker Engine runs. Targets, their labels, samples, exemplars and metadata have to be the same but for what is named here, with its reason.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tests::farero::client;
use tests::{docker, tools};

use crate::metrics_clients::{Running, engine_with, launch, local};

/// So long it may take until both have scraped what they should; they do it every second.
const PATIENCE: Duration = Duration::from_secs(60);

/// Both, beside one another.
struct Both {
    _running: [Running; 2],
    theirs: String,
    ours: String,
}

impl Both {
    /// `own` is what the engine's file has beside; the peer of that age has a switch on its command line instead, `features`.
    async fn start(folder: &Path, config: &str, features: &str, own: &str) -> Self {
        let (file, own_file) = (folder.join("theirs.yml"), folder.join("ours.yml"));
        std::fs::write(&file, config).unwrap();
        std::fs::write(&own_file, format!("{config}{own}")).unwrap();
        let address = local();
        let arguments = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.join("tsdb").display()),
            format!("--web.listen-address={address}"),
            format!("--enable-feature={features}"),
        ];
        let prometheus = launch(Path::new("prometheus"), &arguments, address).await;
        let (engine, own) = engine_with(folder, &[format!("--config.file={}", own_file.display())]).await;
        let (theirs, ours) = (format!("http://{address}"), format!("http://{own}"));
        Self { _running: [prometheus, engine], theirs, ours }
    }

    /// Asks both the same until they say the same; what they said, or how they differ to the end.
    async fn agree(&self, what: &str, ask: impl AsyncFn(&str) -> BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let began = std::time::Instant::now();
        loop {
            let (theirs, ours) = (ask(&self.theirs).await, ask(&self.ours).await);
            if !theirs.is_empty() && theirs == ours {
                return ours;
            }
            if began.elapsed() > PATIENCE {
                let names = theirs.keys().chain(ours.keys()).collect::<std::collections::BTreeSet<_>>();
                let different = names.iter().filter(|n| theirs.get(**n) != ours.get(**n));
                let lines = different.map(|n| format!("{n}\n    {:?}\n    {:?}\n", theirs.get(*n), ours.get(*n)));
                panic!("{what}: {} and {}\n{}", theirs.len(), ours.len(), lines.collect::<String>());
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

async fn get(base: &str, path: &str, query: &[(&str, &str)]) -> Value {
    let answer = client().get(format!("{base}/api/v1/{path}")).query(query).send().await.unwrap();
    let whole: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    whole["data"].clone()
}

/// Series by their labels, with their newest value or histogram.
async fn values(base: &str, expr: &str) -> BTreeMap<String, Value> {
    let found = get(base, "query", &[("query", expr)]).await;
    let value = |series: &Value| series.get("value").or(series.get("histogram")).map(|v| v[1].clone());
    let all = found["result"].as_array().into_iter().flatten();
    all.map(|series| (series["metric"].to_string(), value(series).unwrap_or_default())).collect()
}

/// Targets by job and address, with all their labels.
async fn targets(base: &str) -> BTreeMap<String, Value> {
    let found = get(base, "targets", &[]).await;
    let mut out = BTreeMap::new();
    for target in found["activeTargets"].as_array().into_iter().flatten() {
        let mut discovered = target["discoveredLabels"].clone();
        if let Some(labels) = discovered.as_object_mut() {
            // What newer ones say of containers; of 2.42 there is nothing to compare.
            labels.retain(|name, _| !name.starts_with("__meta_docker_container_image"));
        }
        let name = format!("{} {}", target["scrapePool"], discovered["__address__"]);
        // 2.42 adds the usual port, or, with this switch, takes it away; newer ones leave addresses as they are.
        let url = target["scrapeUrl"].as_str().unwrap_or_default().replace(":80/", "/");
        let what = serde_json::json!([discovered, target["labels"], url, target["scrapeInterval"]]);
        out.insert(name, what);
    }
    out
}

/// An address of this machine that is not the loopback one, over which the engine has nothing packed.
fn outer_address() -> Option<std::net::IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: only the way there is looked up.
    socket.connect("203.0.113.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback())
}

async fn exporter() -> (Running, SocketAddr) {
    let mut address = local();
    address.set_ip(outer_address().unwrap_or(address.ip()));
    let running = Running::start(&tools::exporter(), &[address.to_string()]);
    for _ in 0..100 {
        if client().get(format!("http://{address}/asked")).send().await.is_ok() {
            return (running, address);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the exporter does not listen");
}

/// One exporter, scraped by both; in protobuf with native histograms, or in OpenMetrics.
async fn scraped(native: bool) {
    let folder = tempfile::tempdir().unwrap();
    let (_exporter, address) = exporter().await;
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n  - job_name: shop\n    \
         static_configs: [{{targets: ['{address}']}}]\n"
    );
    let (features, own) = match native {
        true => ("exemplar-storage,native-histograms", "    scrape_native_histograms: true\n"),
        false => ("exemplar-storage", ""),
    };
    let both = Both::start(folder.path(), &config, features, own).await;
    both.agree("targets", targets).await;
    for step in 1..=3 {
        // Of this step and none before it; measured and counted differently by nature are the time of a scrape and its new series.
        // Without created timestamps: they are in the text of OpenMetrics only, and neither takes them for series unless it is told so.
        let orders = format!("{}", (1..=step).map(|n| 4 * n).sum::<i32>() as f64 + 0.5 * f64::from(step));
        let all = r#"{__name__=~".+",__name__!~"scrape_duration_seconds|scrape_series_added|.*_created"}"#;
        let ask = async |base: &str| {
            let found = values(base, all).await;
            let newest =
                |(labels, value): (&String, &Value)| labels.contains("\"s4\"") && value.as_str() == Some(&orders);
            if found.iter().any(newest) { found } else { BTreeMap::new() }
        };
        let found = both.agree("samples", ask).await;
        let natives = found.values().filter(|value| value.is_object()).count();
        assert_eq!(natives, if native { 4 } else { 0 }, "change_bytes, latency_seconds of two routes, nothing_yet");
        assert!(found.len() > 30, "{}", found.len());
        client().get(format!("http://{address}/step")).send().await.unwrap();
    }
    // Of a native histogram 2.42 keeps one exemplar for each scrape, newer ones all; both name a series without them too.
    let ask = async |base: &str| {
        let all = [("query", r#"{__name__=~".+",__name__!="latency_seconds"}"#), ("start", "0"), ("end", "9999999999")];
        let found = get(base, "query_exemplars", &all).await;
        let all = found.as_array().into_iter().flatten();
        all.map(|series| (series["seriesLabels"].to_string(), series["exemplars"].clone())).collect()
    };
    assert!(both.agree("exemplars", ask).await.len() >= 10);
    let ask = async |base: &str| match get(base, "metadata", &[]).await {
        Value::Object(all) => all.into_iter().collect(),
        other => panic!("metadata: {other}"),
    };
    assert_eq!(both.agree("metadata", ask).await.len(), 10);
    // In which form, and how packed, each was answered.
    let asked = client().get(format!("http://{address}/asked")).send().await.unwrap().text().await.unwrap();
    let form = if native { "application/vnd.google.protobuf" } else { "application/openmetrics-text" };
    assert_eq!(asked.matches(form).count(), 2, "{asked}");
    match outer_address() {
        Some(_) => assert!(asked.contains("| zstd") && asked.contains("| gzip"), "{asked}"),
        None => println!("skipped: what is packed, as this machine has no address but the loopback one"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn met_01_native_histograms_in_protobuf_are_scraped_as_by_debian_s_prometheus() {
    scraped(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn met_01_openmetrics_is_scraped_as_by_debian_s_prometheus() {
    scraped(false).await;
}

/// Containers of every kind: in a network, in two, in another's, in the host's, in none, ended; with ports published to addresses of both kinds.
const CONTAINERS: &[(&str, &[&str])] = &[
    ("web", &["--network", "app", "-l", "com.docker.compose.service=web", "--expose", "8080", "--expose", "53/udp"]),
    ("side", &["--network", "container:web"]),
    ("host", &["--network", "host", "-l", "a=b", "-l", "odd.label/1=x"]),
    ("lonely", &["--network", "none", "-l", "a=b"]),
    ("udp", &["--network", "second", "--expose", "53/udp"]),
    ("ranges", &["--network", "second", "-l", "a=b", "-p", "127.0.0.1::80", "-p", "127.0.0.1::81"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn met_01_containers_are_found_as_by_debian_s_prometheus() {
    let engine = match docker::Engine::start() {
        Ok(engine) => engine,
        Err(why) => return println!("skipped: no Docker Engine can be started here: {why}"),
    };
    for network in [&["--internal", "--label", "net.label/x=y", "app"][..], &["second"]] {
        if let Err(why) = engine.docker(&[&["network", "create"], network].concat()) {
            return println!("skipped: no networks can be made here: {why}");
        }
    }
    for (name, options) in CONTAINERS {
        engine.docker(&[&["run", "-d", "--name", name], *options, docker::SLEEPING].concat()).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let host = engine.address();
    let config = format!(
        "global: {{scrape_interval: 1h}}\nscrape_configs:\n  - job_name: all\n    docker_sd_configs: \
         [{{host: '{host}', refresh_interval: 1s}}]\n  - job_name: some\n    docker_sd_configs: [{{host: '{host}', port: 1234, \
         host_networking_host: machine, filters: [{{name: label, values: ['a=b']}}]}}]\n"
    );
    let both = Both::start(folder.path(), &config, "no-default-scrape-port", "").await;
    // `side` has no ports of its own, and no network that 2.42 would see: newer ones give it the address of `web`, with the usual port.
    let ask = async |base: &str| {
        let mut found = targets(base).await;
        found.retain(|_, target| target[0]["__meta_docker_container_name"] != "/side");
        found
    };
    let found = both.agree("containers", ask).await;
    let has = |job: &str, name: &str| {
        found.iter().any(|(key, target)| {
            key.contains(job) && target[0]["__meta_docker_container_name"].as_str() == Some(&format!("/{name}"))
        })
    };
    for (name, _) in CONTAINERS.iter().filter(|(name, _)| *name != "side") {
        assert!(has("all", name), "{name}: {found:?}");
    }
    assert!(has("some", "host") && !has("some", "udp"), "{found:?}");
    // One goes, one comes.
    engine.docker(&["rm", "--force", "ranges"]).unwrap();
    engine.docker(&[&["run", "-d", "--name", "late", "--network", "second"], docker::SLEEPING].concat()).unwrap();
    let ask = async |base: &str| {
        let found = ask(base).await;
        let changed = found.values().any(|t| t[0]["__meta_docker_container_name"] == "/late")
            && !found.iter().any(|(key, t)| key.contains("all") && t[0]["__meta_docker_container_name"] == "/ranges");
        if changed { found.into_iter().filter(|(key, _)| key.contains("all")).collect() } else { BTreeMap::new() }
    };
    both.agree("containers that changed", ask).await;
}
