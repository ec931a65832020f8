//! Host metrics beside node_exporter's, on this machine. I/O.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

fn now() -> Timestamp {
    Timestamp::from_jiff(jiff::Timestamp::now())
}

fn key(reading: &Reading) -> String {
    let mut labels: Vec<String> = reading.labels.iter().map(|(n, v)| format!("{n}={v:?}")).collect();
    labels.sort();
    if labels.is_empty() { reading.metric.clone() } else { format!("{}{{{}}}", reading.metric, labels.join(",")) }
}

/// Asks node_exporter, started for this test alone, for its samples.
fn node_exporter() -> Option<HashMap<String, f64>> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut child = Command::new("prometheus-node-exporter")
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let began = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(_) if began.elapsed() < Duration::from_secs(10) => std::thread::sleep(Duration::from_millis(20)),
            Err(e) => panic!("node_exporter does not listen: {e}"),
        }
    };
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let samples = text.lines().filter(|l| l.starts_with("node_")).filter_map(|l| l.rsplit_once(' '));
    Some(samples.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect())
}

/// How far a value may be from node_exporter's: both are read a moment apart on a machine that is at work.
fn is_close(metric: &str, ours: f64, theirs: f64) -> bool {
    let by = |share: f64, least: f64| (ours - theirs).abs() <= (theirs.abs() * share).max(least);
    match metric {
        "node_procs_running" | "node_procs_blocked" | "node_disk_io_now" => true,
        m if m.starts_with("node_load") => by(0.2, 0.5),
        m if m.starts_with("node_memory_Committed") => by(0.3, 2e9),
        m if m.starts_with("node_memory_") => by(0.2, 300e6),
        m if m.starts_with("node_cpu_") => by(0.1, 3.0),
        m if m.starts_with("node_filesystem_files") => by(0.01, 5_000.0),
        m if m.starts_with("node_filesystem_") => by(0.01, 1e9),
        m if m.starts_with("node_disk_") => by(0.2, 1e9),
        m if m.ends_with("_bytes_total") => by(0.2, 1e7),
        _ => by(0.2, 100.0),
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn met_05_names_and_values_are_node_exporters() {
    let Some(theirs) = node_exporter() else {
        println!("skipped: prometheus-node-exporter is not installed here (apt-get install prometheus-node-exporter)");
        return;
    };
    let ours = HostSampler::new().sample(now(), &HostCheck::default());
    let names: std::collections::HashSet<&str> = theirs.keys().filter_map(|k| k.split('{').next()).collect();
    let mut compared = 0;
    for reading in ours.iter().filter(|r| r.metric.starts_with("node_")) {
        assert!(names.contains(reading.metric.as_str()), "node_exporter has no {}", reading.metric);
        let series = key(reading);
        let Some(their) = theirs.get(&series) else {
            // Their list of collectors differs from ours; their Debian build leaves some devices out.
            let free = ["node_scrape_collector_success", "node_filesystem", "node_disk", "node_network", "node_uname"];
            assert!(free.iter().any(|f| series.starts_with(f)), "node_exporter has no {series}");
            continue;
        };
        assert!(is_close(&reading.metric, reading.value, *their), "{series}: ours {}, theirs {their}", reading.value);
        compared += 1;
    }
    assert!(compared > 60, "only {compared} series were compared");
    for prefix in ["node_cpu_", "node_memory_", "node_filesystem_", "node_network_", "node_disk_", "node_load1"] {
        let both = |r: &&Reading| r.metric.starts_with(prefix) && theirs.contains_key(&key(r));
        assert!(ours.iter().any(|r| both(&r)), "no series {prefix}… in common");
    }
}

#[test]
fn chk_06_ratios_come_with_the_second_sample() {
    let (mut sampler, check) = (HostSampler::new(), HostCheck::default());
    let value = |readings: &[Reading], metric: &str| readings.iter().find(|r| r.metric == metric).map(|r| r.value);
    let first = sampler.sample(now(), &check);
    assert_eq!(value(&first, "farero_host_cpu_used_ratio"), None);
    let began = Instant::now();
    let mut spun = 0u64;
    while began.elapsed() < Duration::from_millis(400) {
        spun = spun.wrapping_add(1);
    }
    let second = sampler.sample(now(), &check);
    let cpu = value(&second, "farero_host_cpu_used_ratio").unwrap();
    assert!(cpu > 0.05 && cpu <= 1.0, "one CPU was busy ({spun}), and the ratio is {cpu}");
    let memory = value(&second, "farero_host_memory_used_ratio").unwrap();
    assert!((0.0..=1.0).contains(&memory));
    let disk = value(&second, "farero_host_disk_used_ratio").unwrap();
    assert!(disk > 0.0 && disk <= 1.0);
    let failed: Vec<_> =
        second.iter().filter(|r| r.metric == "node_scrape_collector_success" && r.value < 1.0).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn chk_06_a_named_mount_that_is_missing_is_down() {
    let check = HostCheck { mounts: vec!["/".into(), "/no/such/mount".into()], ..HostCheck::default() };
    let readings = HostSampler::new().sample(now(), &check);
    let verdict = judge(&check, &readings);
    assert_eq!(verdict.outcome, kernel::probe::Outcome::Down);
    assert!(verdict.error.unwrap().contains("/no/such/mount"));
    assert_eq!(judge(&check, &[]).outcome, kernel::probe::Outcome::Blind);
}
