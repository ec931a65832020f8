//! HTTP checks: CPU time, memory, lateness; beside prometheus with blackbox_exporter. I/O.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::median;
use super::process::{Process, free_port, get};
use super::server::Server;

/// Time for starting up before measuring, and the time measured.
const WARM: Duration = Duration::from_secs(25);
const MEASURED: Duration = Duration::from_secs(60);

/// One round's figures.
struct Figures {
    cpu_per_1000: f64,
    memory_mib: f64,
    anonymous_mib: f64,
    checks: usize,
    late_p99_ms: f64,
    late_max_ms: f64,
}

/// A plan with so many HTTP checks, and alerts on all of them.
pub(super) fn write_plan(folder: &Path, port: u16, checks: usize, every: Duration) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut text = format!(
        "system: bench\ntimezone: UTC\nlanguage: en\ndefaults: {{ every: {0}ms, timeout: {1}ms, attempts: 1 }}\n\
         severities:\n  critical: {{ rank: critical, deliver: info }}\n  warning: {{ rank: warning, deliver: info }}\n\
         alerts: {{ down: critical, slow: warning, blind: warning }}\nservices:\n",
        every.as_millis(),
        every.as_millis().min(5_000)
    );
    for number in 0..checks {
        writeln!(text, "  p{number}: {{ check: {{ http: \"http://127.0.0.1:{port}/p/{number}\" }} }}")?;
    }
    std::fs::write(folder.join("plan.yaml"), text)?;
    Ok(())
}

/// Starts Farero on a plan.
pub(super) fn start_farero(farero: &Path, folder: &Path) -> Result<(Process, u16)> {
    let port = free_port()?;
    let mut command = Command::new(farero);
    command.arg("run").arg(folder.join("plan")).arg("--data").arg(folder.join("data"));
    command.args(["--open-metrics", "--listen", &format!("127.0.0.1:{port}")]);
    let process = Process::start(&mut command, &folder.join("farero.log"), port, "/-/ready")?;
    Ok((process, port))
}

fn farero_round(farero: &Path, checks: usize, every: Duration) -> Result<Figures> {
    let server = Server::start()?;
    let folder = Folder::make("farero")?;
    write_plan(&folder.0.join("plan"), server.port, checks, every)?;
    let (process, port) = start_farero(farero, &folder.0)?;
    let figures = measure(&[&process], &server, every)?;
    let (_, answer) = get(port, "/api/v1/query?query=count(probe_success%20%3D%3D%201)")?;
    let up = checks - checks.div_ceil(100);
    ensure!(answer.contains(&format!("\"{up}\"")), "{up} checks should be up, but: {answer}");
    Ok(figures)
}

fn peer_round(checks: usize, every: Duration) -> Result<Figures> {
    let server = Server::start()?;
    let folder = Folder::make("peer")?;
    let (blackbox_port, prometheus_port) = (free_port()?, free_port()?);
    std::fs::write(
        folder.0.join("blackbox.yml"),
        "modules:\n  http_2xx: {prober: http, timeout: 4s, http: {preferred_ip_protocol: ip4, method: GET}}\n",
    )?;
    let mut config = format!(
        "global: {{scrape_interval: {0}s, scrape_timeout: 5s}}\nscrape_configs:\n- job_name: probes\n  metrics_path: /probe\n  \
         params: {{module: [http_2xx]}}\n  relabel_configs:\n  - {{source_labels: [__address__], target_label: __param_target}}\n  \
         - {{source_labels: [__param_target], target_label: instance}}\n  - {{target_label: __address__, replacement: \"127.0.0.1:{blackbox_port}\"}}\n  \
         static_configs:\n  - targets:\n",
        every.as_secs()
    );
    for number in 0..checks {
        writeln!(config, "    - http://127.0.0.1:{}/p/{number}", server.port)?;
    }
    std::fs::write(folder.0.join("prometheus.yml"), config)?;
    let mut blackbox = Command::new("prometheus-blackbox-exporter");
    blackbox.arg(format!("--config.file={}", folder.0.join("blackbox.yml").display()));
    blackbox.args([format!("--web.listen-address=127.0.0.1:{blackbox_port}"), "--log.level=error".to_owned()]);
    let blackbox = Process::start(&mut blackbox, &folder.0.join("blackbox.log"), blackbox_port, "/-/healthy")?;
    let mut prometheus = Command::new("prometheus");
    prometheus.arg(format!("--config.file={}", folder.0.join("prometheus.yml").display()));
    prometheus.arg(format!("--storage.tsdb.path={}", folder.0.join("data").display()));
    prometheus.args([format!("--web.listen-address=127.0.0.1:{prometheus_port}"), "--log.level=warn".to_owned()]);
    let prometheus = Process::start(&mut prometheus, &folder.0.join("prometheus.log"), prometheus_port, "/-/ready")?;
    measure(&[&prometheus, &blackbox], &server, every)
}

fn measure(processes: &[&Process], server: &Server, every: Duration) -> Result<Figures> {
    let cpu = || processes.iter().map(|p| p.cpu_seconds()).sum::<Result<f64>>();
    std::thread::sleep(WARM);
    server.forget();
    let before = cpu()?;
    std::thread::sleep(MEASURED);
    let used = cpu()? - before;
    let (checks, late_p99_ms, late_max_ms) = server.lateness(every);
    ensure!(checks > 0, "no check arrived");
    let memory: Vec<(f64, f64)> = processes.iter().map(|p| p.memory_mib()).collect::<Result<_>>()?;
    Ok(Figures {
        cpu_per_1000: used * 1_000.0 / checks as f64,
        memory_mib: memory.iter().map(|(peak, _)| peak).sum(),
        anonymous_mib: memory.iter().map(|(_, anonymous)| anonymous).sum(),
        checks,
        late_p99_ms,
        late_max_ms,
    })
}

/// 1,000 checks every 10 s, Farero and the peer in turn.
pub(super) fn compare(farero: &Path, rounds: usize) -> Result<()> {
    let every = Duration::from_secs(10);
    let (mut own, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        own.push(farero_round(farero, 1_000, every)?);
        match peer_round(1_000, every) {
            Ok(figures) => peer.push(figures),
            Err(error) => println!(
                "probes    the peer cannot be measured: {error:#} (Debian: prometheus prometheus-blackbox-exporter)"
            ),
        }
    }
    print("probes    farero    1,000 checks @ 10 s", &own);
    if !peer.is_empty() {
        print("probes    blackbox  1,000 checks @ 10 s", &peer);
        let ratio =
            |of: fn(&Figures) -> f64| median(own.iter().map(of).collect()) / median(peer.iter().map(of).collect());
        println!(
            "probes    ratio     CPU {:.2} (aim ≤ 0.20), memory {:.2}",
            ratio(|f| f.cpu_per_1000),
            ratio(|f| f.memory_mib)
        );
    }
    Ok(())
}

/// 1,000 checks a second.
pub(super) fn schedule(farero: &Path, rounds: usize) -> Result<()> {
    let rounds: Vec<Figures> =
        (0..rounds).map(|_| farero_round(farero, 1_000, Duration::from_secs(1))).collect::<Result<_>>()?;
    print("schedule  farero    1,000 checks @ 1 s", &rounds);
    Ok(())
}

/// 10,000 checks on one Farero.
pub(super) fn many(farero: &Path, rounds: usize) -> Result<()> {
    let rounds: Vec<Figures> =
        (0..rounds).map(|_| farero_round(farero, 10_000, Duration::from_secs(10))).collect::<Result<_>>()?;
    print("many      farero    10,000 checks @ 10 s", &rounds);
    Ok(())
}

fn print(what: &str, rounds: &[Figures]) {
    let of = |f: fn(&Figures) -> f64| median(rounds.iter().map(f).collect());
    println!(
        "{what}: {:.3} CPU s/1,000 checks, {:.0} MiB peak ({:.0} anonymous), late p99 {:.1} ms, max {:.1} ms, {} checks (medians of {})",
        of(|f| f.cpu_per_1000),
        of(|f| f.memory_mib),
        of(|f| f.anonymous_mib),
        of(|f| f.late_p99_ms),
        of(|f| f.late_max_ms),
        of(|f| f.checks as f64),
        rounds.len()
    );
}

/// A folder that goes with the measurement.
pub(super) struct Folder(pub(super) std::path::PathBuf);

impl Folder {
    pub(super) fn make(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("farero-bench-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
