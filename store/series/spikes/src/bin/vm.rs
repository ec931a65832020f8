//! VictoriaMetrics beside the spikes, on loopback.
//!
//! - `vm import BINARY DIR CORPUS ROWS INSTANCES JITTER_MS STRIDE`: bodies as text with times 15 s apart, flushed and merged: bytes on disk;
//! - `vm scrape BINARY DIR PORTSFILE INTERVAL_S WARM_S SECONDS`: CPU and memory while it scrapes.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use series_spikes::corpus::{Corpus, Random};
use series_spikes::measure::anonymous;
use series_spikes::plain::each;

const PORT: u16 = 18428;

struct Victoria(Child);

impl Victoria {
    fn start(binary: &str, dir: &Path, extra: &[String]) -> io::Result<Self> {
        let _ = std::fs::remove_dir_all(dir.join("data"));
        let child = Command::new(binary)
            .arg(format!("-storageDataPath={}", dir.join("data").display()))
            .args(["-retentionPeriod=100y", "-loggerLevel=WARN"])
            .arg(format!("-httpListenAddr=127.0.0.1:{PORT}"))
            .args(extra)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let out = Self(child);
        for _ in 0..200 {
            if get("/health").is_ok_and(|a| a.contains("OK")) {
                return Ok(out);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(io::Error::other("it does not answer"))
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// CPU in seconds, from the scheduler's own account of every thread that still lives, and of the process in ticks.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
        (ticks(11) + ticks(12)) / 100.0
    }

    fn written(&self) -> f64 {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.pid())).unwrap_or_default();
        io.lines().find_map(|l| l.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or(0.0)
    }
}

impl Drop for Victoria {
    fn drop(&mut self) {
        // Its own process, by its handle.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", PORT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut out = String::new();
    stream.read_to_string(&mut out)?;
    Ok(out)
}

fn size(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|e| match e.metadata() {
            Ok(m) if m.is_dir() => size(&e.path()),
            Ok(m) => m.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Reads over the head of an answer that has no body.
fn answered(reader: &mut impl BufRead) -> io::Result<()> {
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the connection was closed"));
        }
    }
    Ok(())
}

fn import(args: &[String]) -> io::Result<()> {
    let number = |i: usize| args[i].parse::<usize>().map_err(io::Error::other);
    let (dir, corpus) = (Path::new(&args[1]), Corpus::open(Path::new(&args[2]))?);
    let (rows, instances, jitter, stride) = (number(3)?, number(4)?, number(5)?, number(6)?);
    let vm = Victoria::start(&args[0], dir, &[])?;
    let (mut random, mut body, mut samples) = (Random(11), Vec::new(), 0u64);
    let stream = TcpStream::connect(("127.0.0.1", PORT))?;
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let (cpu, clock) = (vm.cpu(), Instant::now());
    // Whole days behind now, so that everything lies in few partitions.
    let start = 1_760_000_000_000i64;
    for row in 0..rows {
        for instance in 0..instances {
            corpus.body(row * stride, &mut body)?;
            each(&body, |_| samples += 1);
            let t =
                start + row as i64 * 15_000 + if jitter > 0 { (random.bits() % (jitter as u64 + 1)) as i64 } else { 0 };
            let head = format!(
                "POST /api/v1/import/prometheus?timestamp={t}&extra_label=instance=host-{instance}:9100&extra_label=job=node HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            writer.write_all(head.as_bytes())?;
            writer.write_all(&body)?;
            answered(&mut reader)?;
        }
    }
    get("/internal/force_flush")?;
    let taken = vm.cpu() - cpu;
    let wall = clock.elapsed().as_secs_f64();
    get("/internal/force_merge")?;
    let (data, mut before) = (dir.join("data"), 0);
    for _ in 0..60 {
        std::thread::sleep(Duration::from_secs(1));
        let now = size(&data.join("data"));
        if now == before {
            break;
        }
        before = now;
    }
    let anonymous = anonymous(&vm.pid());
    get("/internal/force_flush")?;
    let n = samples as f64;
    let cpu = vm.cpu() - cpu;
    println!(
        "import, jitter {jitter} ms: {:.0} samples, {:.2} us CPU per sample ({:.2} with merging), wall {:.2}; data {:.4} B per sample, index {:.4} B per sample; anonymous {:.0} MiB",
        n,
        taken * 1e6 / n,
        cpu * 1e6 / n,
        wall * 1e6 / n,
        size(&data.join("data")) as f64 / n,
        size(&data.join("indexdb")) as f64 / n,
        anonymous as f64 / 1048576.0
    );
    for part in find(&data.join("data"), "timestamps.bin") {
        let files = ["timestamps.bin", "values.bin", "index.bin", "metaindex.bin"]
            .map(|f| std::fs::metadata(part.join(f)).map_or(0, |m| m.len()));
        println!(
            "  part: times {:.4}, values {:.4}, block index {:.4} B per sample",
            files[0] as f64 / n,
            files[1] as f64 / n,
            (files[2] + files[3]) as f64 / n
        );
    }
    Ok(())
}

fn find(path: &Path, name: &str) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let all: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    if all.iter().any(|p| p.file_name().is_some_and(|f| f == name)) {
        return vec![path.to_owned()];
    }
    all.iter().filter(|p| p.is_dir()).flat_map(|p| find(p, name)).collect()
}

fn scrape(args: &[String]) -> io::Result<()> {
    let number = |i: usize| args[i].parse::<f64>().map_err(io::Error::other);
    let dir = Path::new(&args[1]);
    let ports = std::fs::read_to_string(&args[2])?;
    let (interval, warm, seconds) = (number(3)?, number(4)?, number(5)?);
    let targets: Vec<String> = ports.lines().map(|p| format!("\"127.0.0.1:{p}\"")).collect();
    let config = dir.join("scrape.yml");
    std::fs::write(
        &config,
        format!(
            "global: {{scrape_interval: {interval}s, scrape_timeout: {interval}s}}\nscrape_configs:\n- job_name: farm\n  static_configs:\n  - targets: [{}]\n",
            targets.join(", ")
        ),
    )?;
    let vm = Victoria::start(&args[0], dir, &[format!("-promscrape.config={}", config.display())])?;
    std::thread::sleep(Duration::from_secs_f64(warm));
    let rows = || -> f64 {
        let text = get("/metrics").unwrap_or_default();
        text.lines()
            .filter(|l| l.starts_with("vm_rows_inserted_total{type=\"promscrape\""))
            .filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    };
    let (cpu, written, samples) = (vm.cpu(), vm.written(), rows());
    std::thread::sleep(Duration::from_secs_f64(seconds));
    let (cpu, written, samples) = (vm.cpu() - cpu, vm.written() - written, rows() - samples);
    let text = get("/metrics").unwrap_or_default();
    let series = text
        .lines()
        .find_map(|l| l.strip_prefix("vm_cache_entries{type=\"storage/tsid\"} ")?.parse::<f64>().ok())
        .unwrap_or(f64::NAN);
    println!(
        "victoria-metrics: {:.3} CPU s per M samples, {:.0} B anonymous per series, {:.2} B per sample written, {series:.0} series, {samples:.0} samples",
        cpu * 1e6 / samples,
        anonymous(&vm.pid()) as f64 / series,
        written / samples
    );
    Ok(())
}

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args[0].as_str() {
        "import" => import(&args[1..]),
        "scrape" => scrape(&args[1..]),
        other => Err(io::Error::other(format!("{other} is not known"))),
    }
}
