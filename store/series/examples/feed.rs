//! Feeds recorded or made-up series to a store, and prints what they cost: bytes written, bytes on disk, memory, CPU. I/O.
//!
//! `cargo run --release -p store-series --example feed -- FOLDER MODE [NUMBER]`
//!
//! `FOLDER` has two files. `series.tsv`: per group a line `group TAB name TAB series TAB times`, then a line of `label=value` (tabs between)
//! per series. `values`: per group its times (8 bytes each, milliseconds), then per time the value of each series (8 bytes each).
//!
//! `scrape MS`: rows that fall into the same `MS` are one commit, as scraping does. `write N`: `N` rows one after another are one commit, as
//! remote-write does, in pieces of half a row. `churn N`: as `write`, but groups of one time come one after the other.
//!
//! At the end blocks are joined. `FEED_BLOCK=FILE` keeps the last one, for the example `sizes`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use kernel::series::{Batch, GroupId, SeriesAdmin, SeriesWriter};
use kernel::{Labels, Timestamp};
use store_series::{Options, SeriesStore, UPKEEP_EVERY};

struct Group {
    name: String,
    series: Vec<Labels>,
    times: Vec<i64>,
    values: Vec<f64>,
}

/// What the system counts of this process.
#[derive(Clone, Copy)]
struct Cost {
    written: u64,
    cpu: f64,
    anonymous: u64,
}

/// How long the allocator of the binary takes to give back what nobody uses, and a little more: hours of samples pass in seconds here.
const SETTLED: Duration = Duration::from_secs(2);

fn cost() -> Cost {
    std::thread::sleep(SETTLED);
    let field = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).unwrap();
        let line = text.lines().find(|l| l.starts_with(name)).map(str::to_owned);
        line.and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let cpu = stat.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9;
    let anonymous = field("/proc/self/status", "RssAnon:") << 10;
    Cost { written: field("/proc/self/io", "write_bytes:"), cpu, anonymous }
}

fn read(folder: &Path) -> Vec<Group> {
    let text = std::fs::read_to_string(folder.join("series.tsv")).unwrap();
    let bytes = std::fs::read(folder.join("values")).unwrap();
    let mut words = bytes.chunks_exact(8).map(|w| <[u8; 8]>::try_from(w).unwrap());
    let (mut out, mut lines) = (Vec::new(), text.lines());
    while let Some(head) = lines.next() {
        let head: Vec<&str> = head.split('\t').collect();
        let (count, rows): (usize, usize) = (head[2].parse().unwrap(), head[3].parse().unwrap());
        let labels = |line: &str| Labels::new(line.split('\t').map(|pair| pair.split_once('=').unwrap()));
        out.push(Group {
            name: head[1].to_owned(),
            series: lines.by_ref().take(count).map(labels).collect(),
            times: words.by_ref().take(rows).map(i64::from_le_bytes).collect(),
            values: words.by_ref().take(rows * count).map(f64::from_le_bytes).collect(),
        });
    }
    out
}

fn push(
    batch: &mut Batch,
    group: &Group,
    (id, columns): &(GroupId, Vec<u32>),
    row: usize,
    part: std::ops::Range<usize>,
) {
    let values = &group.values[row * columns.len()..(row + 1) * columns.len()];
    part.for_each(|c| batch.push(*id, group.times[row], columns[c], values[c]));
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let groups = read(args[1].as_ref());
    let (mode, number) = (args[2].as_str(), args.get(3).map_or(50, |n| n.parse::<i64>().unwrap()));
    let folder = tempfile::tempdir_in(std::env::var("FEED_FOLDER").unwrap_or(".".into())).unwrap();
    let options =
        Options { commit_interval: Duration::ZERO, late_window: Duration::from_secs(3_600), ..Options::default() };
    let begun = cost();
    let (store, _) = SeriesStore::open(folder.path(), options).unwrap();
    let mut known: Vec<Option<(GroupId, Vec<u32>)>> = groups.iter().map(|_| None).collect();
    // All rows by time; those of one commit together.
    let mut rows: Vec<(i64, usize, usize)> = Vec::new();
    for (g, group) in groups.iter().enumerate() {
        rows.extend(group.times.iter().enumerate().map(|(row, t)| (*t, g, row)));
    }
    match mode {
        "write" => rows.sort_by_key(|(t, g, _)| (*t / 15_000, *g)),
        _ => rows.sort_unstable(),
    }
    let commits: Vec<&[(i64, usize, usize)]> = match mode {
        "scrape" => rows.chunk_by(|a, b| a.0 / number == b.0 / number).collect(),
        _ => rows.chunks(number as usize).collect(),
    };
    let mut upkept = 0;
    let mut batch = Batch::default();
    let warm = std::env::var("FEED_WARM_ROWS").map_or(0, |n| n.parse::<usize>().unwrap());
    let (mut start, mut taken, mut base) = (begun, 0u64, store.stats());
    for commit in commits {
        batch.clear();
        let now = commit[0].0;
        if warm > 0 && commit[0].2 == warm && taken == 0 {
            (start, taken, base) = (cost(), 0, store.stats());
        }
        for (_, g, row) in commit {
            let place = known[*g].get_or_insert_with(|| {
                let id = store.open_group(&groups[*g].name).unwrap();
                (id, store.columns(id, &groups[*g].series).unwrap())
            });
            let width = place.1.len();
            if mode == "scrape" {
                push(&mut batch, &groups[*g], place, *row, 0..width);
            } else {
                push(&mut batch, &groups[*g], place, *row, 0..width / 2);
                push(&mut batch, &groups[*g], place, *row, width / 2..width);
            }
        }
        store.append(&batch).unwrap();
        taken += batch.len() as u64 * u64::from(commit[0].2 >= warm);
        if now - upkept >= UPKEEP_EVERY.as_millis() as i64 {
            upkept = now;
            store.maintain(Timestamp::from_millis(now)).unwrap();
        }
    }
    report(&store, folder.path(), &groups, (start, base, taken), begun);
}

fn report(
    store: &SeriesStore,
    folder: &Path,
    groups: &[Group],
    (start, base, taken): (Cost, store_series::Stats, u64),
    begun: Cost,
) {
    let end = cost();
    let stats = store.stats();
    let samples = taken as f64;
    let series: usize = groups.iter().map(|g| g.series.len()).sum();
    let per = |n: u64| n as f64 / samples;
    let w = stats.written;
    println!("{taken} samples, {series} series, {} groups, {} commits", groups.len(), stats.commits - base.commits);
    println!("  CPU s per million samples   {:>8.3}", (end.cpu - start.cpu) / samples * 1e6);
    println!(
        "  anonymous bytes per series  {:>8.1} (counted: {:.1}, cache {:.1})",
        end.anonymous.saturating_sub(begun.anonymous) as f64 / series as f64,
        stats.head_bytes as f64 / series as f64,
        stats.cache_bytes as f64 / series as f64
    );
    println!("  written, by the system      {:>8.3} B per sample", per(end.written - start.written));
    println!(
        "  written, log {:.3}, catalog {:.3}, spans {:.3}, blocks {:.3}; {} blocks",
        per(w.log - base.written.log),
        per(w.catalog - base.written.catalog),
        per(w.spans - base.written.spans),
        per(w.blocks - base.written.blocks),
        stats.blocks
    );
    store.cut().unwrap();
    let stats = store.stats();
    println!(
        "  all in blocks               {:>8.3} B per sample, {} blocks",
        stats.block_bytes as f64 / stats.samples as f64,
        stats.blocks
    );
    let before = cost();
    store.compact().unwrap();
    let (joined, stats) = (cost(), store.stats());
    println!(
        "  joined                      {:>8.3} B per sample, {} blocks; {:.3} CPU s per million samples",
        stats.block_bytes as f64 / stats.samples as f64,
        stats.blocks,
        (joined.cpu - before.cpu) / samples * 1e6
    );
    if let Ok(kept) = std::env::var("FEED_BLOCK") {
        let newest = store.blocks().pop().unwrap();
        std::fs::copy(folder.join("blocks").join(format!("{}.block", newest.name)), kept).unwrap();
    }
    println!(
        "  anonymous after it, per series {:>5.1}",
        cost().anonymous.saturating_sub(begun.anonymous) as f64 / series as f64
    );
}
