//! Measures scraping alone: targets on this machine, a writer that only counts. I/O.
//!
//! usage: farm INTERVAL SECONDS PORT… — prints samples, CPU seconds of this process per million samples, and memory.
//! usage: farm INTERVAL SECONDS store:FOLDER PORT… — the same into a real store, its upkeep included.
//! usage: farm body FILE ROUNDS — reads one body again and again; prints nanoseconds of CPU per sample.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foldhash::quality::RandomState;
use kernel::series::{Appended, Batch, GroupId, SeriesError, SeriesWriter};
use kernel::{Clock, Labels, Timestamp};
use observe_scrape::config::Config;
use observe_scrape::exposition::Format;
use observe_scrape::manager::{Manager, Options};
use observe_scrape::reader::{Input, LineRules, ReadSettings, Scratch, TargetReader};
use parking_lot::Mutex;
use store_series::{SeriesStore, UPKEEP_EVERY};

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A store that is kept up by a thread of its own.
fn open_store(folder: &str) -> Result<Arc<SeriesStore>, Box<dyn std::error::Error>> {
    let (store, _) = SeriesStore::open(Path::new(folder), store_series::Options::default())?;
    let store = Arc::new(store);
    let kept = Arc::downgrade(&store);
    std::thread::spawn(move || {
        while let Some(store) = kept.upgrade() {
            if let Err(error) = store.maintain(SystemClock.now()) {
                tracing::error!(%error, "no upkeep");
            }
            drop(store);
            std::thread::sleep(UPKEEP_EVERY);
        }
    });
    Ok(store)
}

/// Counts samples, on their way into a store where there is one; otherwise remembers of labels only their fingerprints.
#[derive(Default)]
struct Counting {
    store: Option<Arc<SeriesStore>>,
    samples: AtomicU64,
    batches: AtomicU64,
    groups: Mutex<Groups>,
}

#[derive(Default)]
struct Groups {
    ids: HashMap<String, u32>,
    columns: Vec<HashMap<u64, u32>>,
}

impl SeriesWriter for Counting {
    fn open_group(&self, name: &str) -> Result<GroupId, SeriesError> {
        if let Some(store) = &self.store {
            return store.open_group(name);
        }
        let mut groups = self.groups.lock();
        let next = groups.columns.len() as u32;
        let id = *groups.ids.entry(name.to_owned()).or_insert(next);
        if id == next {
            groups.columns.push(HashMap::new());
        }
        Ok(GroupId(id))
    }

    fn columns(&self, group: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
        if let Some(store) = &self.store {
            return store.columns(group, series);
        }
        let mut groups = self.groups.lock();
        let known = &mut groups.columns[group.0 as usize];
        Ok(series
            .iter()
            .map(|labels| {
                let next = known.len() as u32;
                *known.entry(labels.fingerprint()).or_insert(next)
            })
            .collect())
    }

    fn append(&self, batch: &Batch) -> Result<Appended, SeriesError> {
        self.samples.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
        if let Some(store) = &self.store {
            return store.append(batch);
        }
        Ok(Appended { samples: batch.len() as u64, ..Appended::default() })
    }
}

/// CPU seconds of this process so far, user and system, and its anonymous memory in bytes.
fn usage() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let anonymous = status.lines().find_map(|l| l.strip_prefix("RssAnon:")).unwrap_or("0 kB");
    let kib: u64 = anonymous.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
    ((ticks(11) + ticks(12)) / 100.0, kib * 1024)
}

/// Reading alone: a body that stays the same but for its values, which are parsed each time.
#[expect(clippy::print_stdout, reason = "the result of the measurement")]
fn read_body(file: &str, rounds: u32) -> Result<(), Box<dyn std::error::Error>> {
    let body = std::fs::read(file)?;
    let (settings, rules, hashes) = (ReadSettings::default(), LineRules::default(), RandomState::default());
    let input = Input {
        body: &body,
        format: Format::Text,
        settings: &settings,
        rules: &rules,
        hashes: &hashes,
        latest_ms: i64::MAX,
    };
    let writer = Counting::default();
    let (mut reader, mut scratch) = (TargetReader::new("body".to_owned()), Scratch::default());
    let (mut batch, mut samples, mut before) = (Batch::default(), 0, 0.0);
    for round in 0..=rounds {
        if round == 1 {
            before = usage().0;
        }
        reader.read(&input, &mut scratch)?;
        samples = reader.resolve(&writer, &mut scratch)?.scraped;
        batch.clear();
        reader.emit(&mut scratch, i64::from(round), false, &hashes, &mut batch);
    }
    let nanoseconds = (usage().0 - before) * 1e9 / (samples as f64 * f64::from(rounds));
    println!("{samples} samples, {nanoseconds:.1} ns per sample, {} B per sample kept", reader.heap_bytes() / samples);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of the measurement")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let interval = arguments.next().unwrap_or_else(|| "4s".to_owned());
    if interval == "body" {
        let file = arguments.next().unwrap_or_default();
        return read_body(&file, arguments.next().unwrap_or_default().parse()?);
    }
    let seconds: u64 = arguments.next().unwrap_or_default().parse()?;
    let mut arguments = arguments.peekable();
    let folder = arguments.next_if(|a| a.starts_with("store:"));
    let targets: Vec<String> = arguments.map(|port| format!("'127.0.0.1:{port}'")).collect();
    let text = format!(
        "global: {{scrape_interval: {interval}, scrape_timeout: {interval}}}\nscrape_configs:\n- job_name: farm\n  \
         static_configs: [{{targets: [{}]}}]\n",
        targets.join(", ")
    );
    let config = Config::parse("farm", &text, Path::new("/")).map_err(|e| format!("{e:?}"))?;
    let writer = Arc::new(match folder.as_deref().and_then(|f| f.strip_prefix("store:")) {
        Some(folder) => Counting { store: Some(open_store(folder)?), ..Counting::default() },
        None => Counting::default(),
    });
    let manager = Manager::start(config, Options::default(), Arc::clone(&writer) as _, Arc::new(SystemClock))?;
    // Two intervals to meet all series.
    std::thread::sleep(Duration::from_secs(10));
    let (before, samples) = (usage(), writer.samples.load(Ordering::Relaxed));
    std::thread::sleep(Duration::from_secs(seconds));
    let (after, all) = (usage(), writer.samples.load(Ordering::Relaxed));
    let new = all - samples;
    println!(
        "{new} samples in {seconds} s, {:.3} CPU s per million, {} B anonymous, {} batches",
        (after.0 - before.0) / (new as f64 / 1e6),
        after.1,
        writer.batches.load(Ordering::Relaxed)
    );
    for (name, _, n) in manager.counters().all().into_iter().filter(|c| c.2 > 0) {
        println!("{name} {n}");
    }
    let pools = manager.pools(None);
    if let Some(failed) = pools.iter().flat_map(|p| &p.active).find(|t| !t.last_error.is_empty()) {
        println!("{}: {}", failed.scrape_url, failed.last_error);
    }
    manager.stop();
    Ok(())
}
