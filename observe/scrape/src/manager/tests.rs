//! Whole runs against real sockets: configurations, targets that come and go, what is stored and shown.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kernel::Timestamp;
use kernel::series::{Appended, Batch, GroupId, SeriesError};

use super::*;
use crate::memory::Memory;
use crate::serve::{Seen, serve, text};

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(now.as_millis() as i64)
    }
}

/// A server on a runtime of its own, that lives as long as this.
struct Served {
    _runtime: tokio::runtime::Runtime,
    address: std::net::SocketAddr,
    seen: Seen,
}

fn served(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Served {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (address, seen) = runtime.block_on(serve(answer));
    Served { _runtime: runtime, address, seen }
}

fn config(text: &str) -> Config {
    Config::parse("f", text, Path::new("/")).unwrap_or_else(|e| panic!("{e:?}"))
}

fn start(text: &str) -> (Manager, Arc<Memory>) {
    let memory = Arc::new(Memory::default());
    let writer: Arc<dyn SeriesWriter> = Arc::clone(&memory) as _;
    (Manager::start(config(text), Options::default(), writer, Arc::new(SystemClock)).unwrap(), memory)
}

/// Waits until something is so; everything here takes some hundred milliseconds.
fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(15), "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn job(address: std::net::SocketAddr, more: &str) -> String {
    format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 150ms}}\nscrape_configs:\n- job_name: j\n  static_configs: \
         [{{targets: ['{address}']}}]\n{more}"
    )
}

#[test]
fn a_target_is_scraped_in_its_turn_and_shown() {
    let n = AtomicUsize::new(0);
    let server = served(move |_| Some(text(&format!("# TYPE a gauge\na {}\n", n.fetch_add(1, Ordering::Relaxed)))));
    let address = server.address;
    let (manager, memory) = start(&job(address, "  extra_scrape_metrics: true\n"));
    let series = |name: &str| format!(r#"{name}{{instance="{address}", job="j"}}"#);
    until("five samples", || memory.samples(&series("a")).len() >= 5);
    let pools = manager.pools(None);
    let target = &pools[0].active[0];
    assert_eq!((target.health, target.last_error.as_str()), (Health::Up, ""));
    assert_eq!(target.scrape_url, format!("http://{address}/metrics"));
    assert_eq!(target.global_url, format!("http://localhost:{}/metrics", address.port()));
    assert_eq!((target.scrape_interval.as_str(), target.scrape_timeout.as_str()), ("200ms", "150ms"));
    let metadata = manager.metadata(&|_| true, "");
    assert_eq!((metadata[0].metric.as_str(), metadata[0].metadata.kind.as_str()), ("a", "gauge"));
    manager.stop();
    let values = memory.samples(&series("a"));
    let times: Vec<i64> = values.iter().map(|s| s.split(':').next().unwrap().parse().unwrap()).collect();
    // The machine may be busy; but intervals are those that were asked for.
    let usual = times.windows(2).filter(|t| (180..=220).contains(&(t[1] - t[0]))).count();
    assert!(usual * 2 >= times.len() - 1, "{times:?}");
    assert!(!values.iter().any(|s| s.ends_with("stale")), "nothing ends when the program does");
    assert_eq!(*server.seen.connections.lock(), 1, "one connection for all scrapes");
    let ups = memory.samples(&series("up"));
    assert!(ups.iter().all(|s| s.ends_with(":1")) && ups.len() == values.len());
    for (name, value) in [
        ("scrape_samples_scraped", ":1"),
        ("scrape_samples_post_metric_relabeling", ":1"),
        ("scrape_timeout_seconds", ":0.15"),
        ("scrape_body_size_bytes", ":19"),
        ("scrape_sample_limit", ":0"),
    ] {
        assert!(memory.samples(&series(name))[0].ends_with(value), "{name}: {:?}", memory.samples(&series(name)));
    }
    let added = memory.samples(&series("scrape_series_added"));
    assert!(added[0].ends_with(":1") && added[1].ends_with(":0"), "{added:?}");
    let head = server.seen.requests.lock()[0].clone();
    assert!(head.contains("Accept-Encoding: identity") && head.contains("X-Prometheus-Scrape-Timeout-Seconds: 0.15"));
}

#[test]
fn a_target_that_the_store_forgot_is_taken_again() {
    let n = AtomicUsize::new(0);
    // A new line in each body: its column is asked of the group that is known no more.
    let server = served(move |_| {
        let n = n.fetch_add(1, Ordering::Relaxed);
        Some(text(&format!("a {n}\nb{{n=\"{n}\"}} 1\n")))
    });
    let address = server.address;
    let (manager, memory) = start(&job(address, ""));
    let a = format!(r#"a{{instance="{address}", job="j"}}"#);
    until("samples", || memory.samples(&a).len() >= 2);
    memory.forget_groups();
    let before = memory.samples(&a).len();
    until("samples after it", || memory.samples(&a).len() >= before + 3);
    manager.stop();
    let up = memory.samples(&format!(r#"up{{instance="{address}", job="j"}}"#));
    assert!(up.iter().all(|s| s.ends_with(":1")), "no scrape failed for it: {up:?}");
    let values: Vec<usize> = memory.samples(&a).iter().map(|s| s.split(':').nth(1).unwrap().parse().unwrap()).collect();
    let lost = values.windows(2).map(|v| v[1] - v[0] - 1).sum::<usize>();
    assert!(lost <= 1, "at most what was on its way then: {values:?}");
}

#[test]
fn a_target_behind_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (socket, seen) = (path.clone(), Seen::default());
    let all = seen.clone();
    runtime.spawn(async move {
        let listener = tokio::net::UnixListener::bind(socket).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(crate::serve::talk(stream, Arc::new(|_: &str| Some(text("a 1\n"))), all.clone()));
        }
    });
    let labels = format!("static_configs: [{{labels: {{__unix_socket__: '{}'}}, ", path.display());
    let address = ([127, 0, 0, 1], 1).into();
    let (manager, memory) = start(&job(address, "").replace("static_configs: [{", &labels));
    until("a sample", || !memory.samples(r#"a{instance="127.0.0.1:1", job="j"}"#).is_empty());
    manager.stop();
    let head = seen.requests.lock()[0].clone();
    assert!(head.contains("Host: 127.0.0.1:1") && head.contains("Accept-Encoding: identity"), "{head}");
}

#[test]
fn a_target_fails_and_comes_back() {
    let n = AtomicUsize::new(0);
    let server = served(move |_| match n.fetch_add(1, Ordering::Relaxed) {
        2 => Some(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n".to_vec()),
        3 => Some(text("a one\n")),
        4 => {
            std::thread::sleep(Duration::from_millis(300));
            Some(text("a 1\n"))
        }
        _ => Some(text("a 1\n")),
    });
    let address = server.address;
    let (manager, memory) = start(&job(address, ""));
    let a = format!(r#"a{{instance="{address}", job="j"}}"#);
    let mut errors = std::collections::BTreeSet::new();
    let began = Instant::now();
    while memory.samples(&a).len() < 6 && began.elapsed() < Duration::from_secs(15) {
        errors.insert(
            manager.pools(None).first().map(|p| p.active.iter().map(|t| t.last_error.clone()).collect::<String>()),
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let errors: String = errors.into_iter().flatten().collect();
    manager.stop();
    for part in [
        "server returned HTTP status 500 Oh",
        "line 1, column 3: the value \"one\" is not a number",
        "deadline exceeded",
    ] {
        assert!(errors.contains(part), "{part} in {errors}");
    }
    let values: Vec<String> = memory.samples(&a).iter().map(|s| s.split(':').nth(1).unwrap().to_owned()).collect();
    assert_eq!(values[..4], ["1", "1", "stale", "1"]);
    let up = memory.samples(&format!(r#"up{{instance="{address}", job="j"}}"#));
    assert!(up.iter().filter(|s| s.ends_with(":0")).count() >= 3, "{up:?}");
}

#[test]
fn a_target_that_leaves_ends_and_the_others_go_on() {
    let server = served(|_| Some(text("a 1\n")));
    let address = server.address;
    let (manager, memory) =
        start(&job(address, "- job_name: other\n  static_configs: [{targets: [x], labels: {k: v}}]\n"));
    let a = format!(r#"a{{instance="{address}", job="j"}}"#);
    until("a sample", || memory.samples(&a).len() >= 2);
    let scrapes = memory.samples(&a).len();
    // The same target under a configuration that differs elsewhere: not interrupted.
    manager.reload(config(&job(address, "  honor_timestamps: true\n")));
    manager.reload(config(&job(address, "  sample_limit: 5\n")));
    until("samples after the reload", || memory.samples(&a).len() >= scrapes + 2);
    assert!(manager.pools(None).iter().all(|p| p.name == "j"));
    assert!(!memory.samples(&a).iter().any(|s| s.ends_with("stale")));
    manager.reload(config("global: {scrape_interval: 200ms}"));
    until("the end", || memory.samples(&a).iter().any(|s| s.ends_with("stale")));
    let up = format!(r#"up{{instance="{address}", job="j"}}"#);
    assert!(memory.samples(&up).last().unwrap().ends_with("stale"));
    assert!(manager.pools(None).is_empty());
    let all = memory.samples(&a);
    let time = |s: &String| s.split(':').next().unwrap().parse::<i64>().unwrap();
    let gap = time(&all[all.len() - 1]) - time(&all[all.len() - 2]);
    assert!(gap <= 450, "the end is where the next scrape would have been: {gap}");
}

#[test]
fn targets_in_files_come_and_go() {
    let server = served(|_| Some(text("a 1\n")));
    let address = server.address;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t.json");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write(&format!(r#"[{{"targets": ["{address}"], "labels": {{"env": "one"}}}}]"#));
    let text = format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 100ms}}\nscrape_configs:\n- job_name: f\n  file_sd_configs: \
         [{{files: ['{}']}}]\n  relabel_configs: [{{source_labels: [env], regex: dropped, action: drop}}, {{source_labels: [__meta_filepath], regex: '.*/(.*)', target_label: file}}]\n",
        file.display()
    );
    let (manager, memory) = start(&text);
    let a = |env: &str| format!(r#"a{{env="{env}", file="t.json", instance="{address}", job="f"}}"#);
    until("a sample", || !memory.samples(&a("one")).is_empty());
    write(&format!(
        r#"[{{"targets": ["{address}"], "labels": {{"env": "second"}}}}, {{"targets": ["x"], "labels": {{"env": "dropped"}}}}]"#
    ));
    until("a sample of the other", || !memory.samples(&a("second")).is_empty());
    let pools = manager.pools(Some("f"));
    assert_eq!((pools[0].active.len(), pools[0].dropped_count), (1, 1));
    assert_eq!(pools[0].dropped[0].discovered_labels.get("env"), Some("dropped"));
    let steps = manager.relabel_steps("f", &pools[0].dropped[0].discovered_labels).unwrap();
    assert!(!steps[0].keep && manager.relabel_steps("nope", &Labels::default()).is_none());
    until("the end of the first", || memory.samples(&a("one")).iter().any(|s| s.ends_with("stale")));
    // A file with a mistake changes nothing.
    write("[{");
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(manager.pools(Some("f"))[0].active.len(), 1);
    let failures =
        manager.counters().all().into_iter().find(|c| c.0 == "prometheus_sd_refresh_failures_total").unwrap();
    assert!(failures.2 >= 1);
}

#[test]
fn limits_of_a_job() {
    let server = served(|_| Some(text("a 1\nb 2\n")));
    let address = server.address;
    let check = |more: &str, part: &str| {
        let (manager, memory) = start(&job(address, more));
        until(part, || manager.pools(None).iter().flat_map(|p| &p.active).any(|t| t.last_error.contains(part)));
        manager.stop();
        assert!(memory.samples(&format!(r#"a{{instance="{address}", job="j"}}"#)).is_empty());
        assert!(memory.samples(&format!(r#"up{{instance="{address}", job="j"}}"#))[0].ends_with(":0"));
    };
    check("  sample_limit: 1\n", "sample limit exceeded");
    check("  body_size_limit: 4B\n", "body size limit exceeded");
    check("  label_value_length_limit: 3\n", "label_value_length_limit exceeded");
    let more = "  target_limit: 1\n  http_headers: {X-A: {values: [b]}}\n  params: {x: [y]}\n- job_name: k\n";
    let doubled = job(address, more).replace(&format!("['{address}']"), &format!("['{address}', 'localhost:1']"));
    let (manager, _memory) = start(&doubled);
    let error = "target_limit exceeded (number of targets: 2, limit: 1)";
    until(error, || manager.pools(Some("j")).iter().flat_map(|p| &p.active).any(|t| t.last_error == error));
}

/// Takes everything, but so slowly that scraping would stop if it waited.
struct Slow(Memory);

impl SeriesWriter for Slow {
    fn open_group(&self, name: &str) -> Result<GroupId, SeriesError> {
        self.0.open_group(name)
    }

    fn columns(&self, group: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
        self.0.columns(group, series)
    }

    fn append(&self, batch: &Batch) -> Result<Appended, SeriesError> {
        std::thread::sleep(Duration::from_millis(1_500));
        self.0.append(batch)
    }
}

#[test]
fn a_slow_commit_holds_up_no_scrape() {
    let server = served(|_| Some(text("a 1\n")));
    let slow = Arc::new(Slow(Memory::default()));
    let writer: Arc<dyn SeriesWriter> = Arc::clone(&slow) as _;
    let config = config(&job(server.address, ""));
    let manager = Manager::start(config, Options::default(), writer, Arc::new(SystemClock)).unwrap();
    std::thread::sleep(Duration::from_millis(2_500));
    manager.stop();
    let a = slow.0.samples(&format!(r#"a{{instance="{}", job="j"}}"#, server.address));
    assert!(a.len() >= 8, "{} scrapes in 2.5 s at 200 ms; all are durable when it stops", a.len());
}

/// Debian's node_exporter, as it is.
#[test]
fn node_exporter() {
    let program = "/usr/bin/prometheus-node-exporter";
    if !Path::new(program).exists() {
        crate::serve::skipped("prometheus-node-exporter is not installed");
        return;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address: std::net::SocketAddr = ([127, 0, 0, 1], port).into();
    let mut exporter = std::process::Command::new(program)
        .arg(format!("--web.listen-address={address}"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let text = job(address, "").replace("200ms", "500ms").replace("150ms", "450ms");
    let (manager, memory) = start(&text);
    let load = format!(r#"node_load1{{instance="{address}", job="j"}}"#);
    until("three loads", || memory.samples(&load).iter().filter(|s| !s.ends_with("stale")).count() >= 3);
    let pools = manager.pools(None);
    let moved = manager.counters().all().into_iter().find(|c| c.0 == "farero_scrape_lines_moved_total").unwrap().2;
    manager.stop();
    exporter.kill().unwrap();
    exporter.wait().unwrap();
    assert_eq!(pools[0].active[0].last_error, "");
    let names = memory.names();
    assert!(names.len() > 300, "{}", names.len());
    let scraped = memory.samples(&format!(r#"scrape_samples_scraped{{instance="{address}", job="j"}}"#));
    let all: usize = scraped.iter().map(|s| s.split(':').nth(1).unwrap().parse::<usize>().unwrap()).sum();
    assert!((moved as usize) < all * 2 / 3, "most lines are in their places: {moved} of {all} are not");
}
