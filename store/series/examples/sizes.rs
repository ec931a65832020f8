//! Prints what the parts of a block take, by coding and by metric, and what reading all of it costs. I/O.
//!
//! `cargo run --release -p store-series --example sizes -- BLOCK [all | LABEL=VALUE]`; `all` adds a line per series, a label and value make it read
//! only the series that have it.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use kernel::series::{Matcher, Select, SeriesReader};
use store_series::inspect::{BlockSizes, block_sizes};
use store_series::{Options, SeriesStore};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let sizes = block_sizes(args[1].as_ref()).unwrap();
    print_sizes(&sizes);
    if args.get(2).is_some_and(|what| what == "all") {
        for series in &sizes.series {
            let labels: Vec<String> = series.labels.pairs().iter().map(|(n, v)| format!("{n}={v}")).collect();
            println!("series\t{}\t{}", series.bytes, labels.join("\t"));
        }
    }
    read_whole(args[1].as_ref(), args.get(2).and_then(|pair| pair.split_once('=')));
}

fn print_sizes(sizes: &BlockSizes) {
    let samples = sizes.samples as f64;
    let line = |what: &str, bytes: u64, count: u64| {
        println!("{what:48} {:>9.4} B per sample {bytes:>10} {count:>7}", bytes as f64 / samples);
    };
    let runs: u64 = sizes.series.iter().map(|s| s.bytes).sum();
    line("all", sizes.bytes, sizes.samples);
    for (what, bytes) in
        [("times", sizes.times), ("table", sizes.table), ("strings", sizes.strings), ("lists", sizes.lists)]
    {
        line(what, bytes, 0);
    }
    line("runs", runs, sizes.series.len() as u64);
    let (mut codings, mut metrics) = (BTreeMap::<u8, (u64, u64)>::new(), BTreeMap::<String, (u64, u64)>::new());
    for series in &sizes.series {
        for (coding, bytes) in &series.pages {
            let sum = codings.entry(*coding).or_default();
            *sum = (sum.0 + bytes, sum.1 + 1);
        }
        let sum = metrics.entry(series.labels.name().to_owned()).or_default();
        *sum = (sum.0 + series.bytes, sum.1 + 1);
    }
    codings.iter().for_each(|(coding, (bytes, count))| line(&format!("coding {coding}"), *bytes, *count));
    let mut metrics: Vec<_> = metrics.into_iter().collect();
    metrics.sort_by_key(|(_, (bytes, _))| std::cmp::Reverse(*bytes));
    metrics.iter().take(30).for_each(|(name, (bytes, count))| line(name, *bytes, *count));
}

/// Reads each metric of a copy of the block with all its samples, several times, and prints what a sample cost.
fn read_whole(block: &Path, only: Option<(&str, &str)>) {
    const TIMES: usize = 20;
    let folder = tempfile::tempdir_in(block.parent().unwrap()).unwrap();
    std::fs::create_dir(folder.path().join("blocks")).unwrap();
    std::fs::copy(block, folder.path().join("blocks/0000000001.block")).unwrap();
    let (store, _) = SeriesStore::open(folder.path(), Options::default()).unwrap();
    let all = |name: &str| Select {
        matchers: [("__name__", name)]
            .into_iter()
            .chain(only)
            .filter(|(_, value)| !value.is_empty())
            .map(|(label, value)| Matcher::equal(label, value))
            .collect(),
        start_ms: i64::MIN,
        end_ms: i64::MAX,
    };
    let names = store.label_values("__name__", &all("")).unwrap();
    let begun = ticks();
    let mut read = 0usize;
    for name in std::iter::repeat_n(&names, TIMES).flatten() {
        read += store.select(&all(name)).unwrap().iter().map(|s| s.timestamps.len()).sum::<usize>();
    }
    println!("{read} samples read, {:.2} CPU ns each", (ticks() - begun) * 1e9 / read as f64);
}

/// CPU seconds of all threads, in hundredths.
fn ticks() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
