//! An import that is killed again and again, and its server with it: repeated to its end, every sample is there once, bit for bit, and
//! whatever was said to be done was there at each kill.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kernel::series::{Point, Select, SeriesReader as _};
use store_series::{Options, SeriesStore};

use crate::{get_or_none, wait_for};

const SERIES: i64 = 60;
/// Samples of each series.
const ROWS: i64 = 2_500;
const STEP_MS: i64 = 15_000;
/// The first time, milliseconds since the epoch.
const BEGIN_MS: i64 = 1_700_000_000_000;

/// A sample's series and time.
type Place = (i64, i64);

/// What stands in the file: bits of every sample.
fn samples() -> BTreeMap<Place, u64> {
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut all = BTreeMap::new();
    for row in 0..ROWS {
        for series in 0..SERIES {
            let value = match (series % 6, row % 50) {
                (_, 7) => -0.0,
                (0, 11) => f64::INFINITY,
                (0 | 1, _) => (row * series) as f64,
                (2, _) => row as f64 / 8.0,
                (3, _) => f64::from_bits(next() >> 2),
                (4, _) => (next() % 1_000) as f64 / 100.0,
                _ => 1.0,
            };
            all.insert((series, BEGIN_MS + row * STEP_MS), value.to_bits());
        }
    }
    all
}

/// In OpenMetrics' form, series after series, as a backfill is written.
fn write(samples: &BTreeMap<Place, u64>, to: &Path) {
    let mut text = "# TYPE m gauge\n".to_owned();
    for ((series, t_ms), bits) in samples {
        let value = f64::from_bits(*bits);
        let value = if value.is_infinite() { "+Inf".to_owned() } else { format!("{value:?}") };
        let (job, seconds) = (series % 3, *t_ms as f64 / 1e3);
        writeln!(text, "m{{job=\"j{job}\",instance=\"i\",n=\"{series}\"}} {value} {seconds}").unwrap();
    }
    text += "# EOF\n";
    std::fs::write(to, text).unwrap();
}

/// All samples of a data folder that nobody uses; that one comes twice is a failure.
fn kept(data: &Path) -> BTreeMap<Place, u64> {
    let mut all = BTreeMap::new();
    let options = Options { retention: Duration::from_secs(100 * 366 * 86_400), ..Options::default() };
    let (store, report) = SeriesStore::open(&data.join("series"), options).unwrap();
    assert!(report.damage.is_empty(), "{report:?}");
    let select = Select { matchers: Vec::new(), start_ms: i64::MIN, end_ms: i64::MAX };
    let visited = store.visit(&select, &mut |series| {
        let number: i64 = series.labels.get("n").unwrap().parse().unwrap();
        for (at, t_ms) in series.timestamps.iter().enumerate() {
            let Some(Point::Float(value)) = series.values.get(at) else { panic!("no number") };
            assert!(all.insert((number, *t_ms), value.to_bits()).is_none(), "{number} at {t_ms} is there twice");
        }
        ControlFlow::Continue(())
    });
    visited.unwrap();
    all
}

/// What an import is given: its kind, source and target.
fn import(kind: &str, source: &Path, target: (&str, &str)) -> Vec<String> {
    ["import", kind, source.to_str().unwrap(), target.0, target.1, "--progress", "0s"].map(str::to_owned).to_vec()
}

/// Runs an import to the line that says that at least so many samples are done, and kills it; answers how many were said to be done.
fn killed_after(arguments: &[String], samples: u64) -> u64 {
    let mut child = Command::new(path()).args(arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut done = 0;
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        done = line.strip_suffix(" samples done").and_then(|l| l.split(' ').next()?.parse().ok()).unwrap_or(done);
        if done >= samples && (samples > 0 || line.ends_with(" samples seen")) {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    done
}

/// What was said to be done is there, the oldest first, and nothing else than what the file has.
fn holds(expect: &BTreeMap<Place, u64>, data: &Path, done: u64) {
    let found = kept(data);
    assert!(found.iter().all(|(place, bits)| expect.get(place) == Some(bits)), "a value that no one imported");
    assert!(found.len() as u64 >= done, "{done} were said to be done, {} are there", found.len());
    let whole = BEGIN_MS + (done as i64 / SERIES) * STEP_MS;
    let missing = expect.keys().find(|place| place.1 < whole && !found.contains_key(place));
    assert_eq!(missing, None, "{done} were said to be done");
}

/// The binary `farero` of this build, beside the folder of the test programs.
fn path() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("farero");
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p farero`, or all tests with `cargo xtask test`",
        path.display()
    );
    path
}

fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Runs an import to its end: nothing is refused or in conflict.
fn whole(arguments: &[String]) -> String {
    let ran = Command::new(path()).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout).into_owned(), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}{err}");
    assert!(out.contains(&format!("{} samples of {SERIES} series", SERIES * ROWS)), "{out}");
    assert!(out.contains(" 0 in conflict with what is there, 0 refused"), "{out}");
    out
}

/// Kills an import into a folder at each of these points, and lets it come to its end.
fn into_folder(kind: &str, source: &Path, folder: &Path, expect: &BTreeMap<Place, u64>) {
    let data = folder.join(kind);
    let arguments = import(kind, source, ("--data", data.to_str().unwrap()));
    let all = (SERIES * ROWS) as u64;
    for point in [0, 1, 50_001, 100_001, all] {
        let done = killed_after(&arguments, point);
        // Killed before it made the folder, there is nothing to look at.
        if data.join("series").exists() {
            holds(expect, &data, done);
        }
    }
    whole(&arguments);
    assert!(kept(&data) == *expect, "every sample once, bit for bit");
    let again = whole(&arguments);
    assert!(again.contains(&format!(": 0 written, {all} there already")), "{again}");
    assert!(kept(&data) == *expect, "and once more");
}

#[test]
fn a_killed_import_of_files_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (expect, file) = (samples(), folder.path().join("m.txt"));
    write(&expect, &file);
    into_folder("openmetrics", &file, folder.path(), &expect);
}

#[test]
fn a_killed_import_of_blocks_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (expect, file, blocks) = (samples(), folder.path().join("m.txt"), folder.path().join("blocks"));
    write(&expect, &file);
    let promtool = ["tsdb", "create-blocks-from", "openmetrics"];
    let made = Command::new("promtool").args(promtool).args([&file, &blocks]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    into_folder("prometheus", &blocks, folder.path(), &expect);
}

/// An engine that ends with the test.
struct Engine(Child);

impl Engine {
    async fn start(data: &Path, address: SocketAddr) -> Self {
        let listen = address.to_string();
        let started = Command::new(path())
            .args(["metrics", "--listen", &listen, "--retention", "100y", "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let engine = Self(started.unwrap());
        let ready = format!("http://{address}/-/ready");
        wait_for("the engine is ready", || async { get_or_none(&ready).await.filter(|status| *status == 200) }).await;
        engine
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It has ended already: then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_over_the_network_goes_on_and_so_does_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let (expect, file, data) = (samples(), folder.path().join("m.txt"), folder.path().join("data"));
    write(&expect, &file);
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let arguments = import("openmetrics", &file, ("--url", &format!("http://{address}")));

    // The importer alone.
    let mut engine = Engine::start(&data, address).await;
    for point in [10_000, 70_000] {
        killed_after(&arguments, point);
    }
    // Both, at the same time.
    let done = killed_after(&arguments, 100_000);
    engine.kill();
    holds(&expect, &data, done);

    // The server under it, twice: the importer waits, and goes on by itself.
    let mut engine = Engine::start(&data, address).await;
    let log = folder.path().join("log");
    let out = std::fs::File::create(&log).unwrap();
    let mut importer =
        Command::new(path()).args(&arguments).stderr(out.try_clone().unwrap()).stdout(out).spawn().unwrap();
    for point in [110_000u64, 130_000] {
        wait_for("the import is so far", || async { (largest(&log) >= point).then_some(()) }).await;
        let done = largest(&log);
        engine.kill();
        holds(&expect, &data, done);
        engine = Engine::start(&data, address).await;
    }
    let ended = tokio::task::spawn_blocking(move || importer.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{}", std::fs::read_to_string(&log).unwrap());
    whole(&arguments);
    engine.kill();
    assert!(kept(&data) == expect, "every sample once, bit for bit");
}

/// The newest number of samples that were said to be done.
fn largest(log: &Path) -> u64 {
    let text = std::fs::read_to_string(log).unwrap();
    let done = text.lines().filter_map(|l| l.strip_suffix(" samples done")?.split(' ').next()?.parse().ok());
    done.max().unwrap_or(0)
}
