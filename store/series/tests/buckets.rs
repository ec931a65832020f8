//! Histograms of buckets: their pages are differences to each other's in blocks, and nobody notices. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use common::{Rows, START, all, open, open_damaged, points, row};
use kernel::Labels;
use kernel::series::{GroupId, Matcher, Select, SeriesAdmin, SeriesReader};
use store_series::SeriesStore;
use store_series::inspect::block_sizes;

const BOUNDS: [&str; 12] = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
const ROWS: i64 = 1_200;
/// Codings of `docs/store-format.md`.
const DIFFERENCE: u8 = 9;
const TWIN: u8 = 10;

fn series(instance: i64) -> Vec<Labels> {
    let instance = format!("host-{instance}");
    let bucket = |le: &&str| Labels::metric("seconds_bucket", [("instance", instance.as_str()), ("le", *le)]);
    let mut all: Vec<Labels> = BOUNDS.iter().map(bucket).collect();
    all.push(Labels::metric("seconds_count", [("instance", instance.as_str())]));
    all.push(Labels::metric("seconds_sum", [("instance", instance.as_str())]));
    all
}

/// What a histogram holds in a row: buckets, count, sum. How many fall into a bucket looks random, and is more for low ones.
fn values(instance: i64, row: i64) -> Vec<f64> {
    let mut sums = vec![0i64; BOUNDS.len()];
    for n in 0..=row {
        let mut random = ((n * 31 + instance) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (i, sum) in sums.iter_mut().enumerate() {
            random ^= random >> 29;
            random = random.wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *sum += ((random >> 40) % (40 / (1 + i as u64) + 2)) as i64;
        }
    }
    let buckets = sums.iter().scan(0i64, |below, n| {
        *below += n;
        Some(*below as f64)
    });
    let mut out: Vec<f64> = buckets.collect();
    let count = out[BOUNDS.len() - 1];
    out.extend([count, count * 0.1 + (row as f64).sqrt()]);
    out
}

/// Rows of all instances, made once.
fn rows() -> &'static [Vec<Vec<f64>>] {
    static ROWS_OF: std::sync::OnceLock<Vec<Vec<Vec<f64>>>> = std::sync::OnceLock::new();
    ROWS_OF.get_or_init(|| (0..3).map(|i| (0..ROWS).map(|n| values(i, n)).collect()).collect())
}

fn fill(store: &SeriesStore, from: i64, to: i64) -> Vec<GroupId> {
    let groups: Vec<GroupId> = (0..3).map(|i| store.group(&series(i)).unwrap()).collect();
    for n in from..to {
        for (group, instance) in groups.iter().zip(0..) {
            let values: &Vec<f64> = &rows()[instance][n as usize];
            store.append_rows(&[row(*group, START + n * 15_000, values)]).unwrap();
        }
    }
    groups
}

/// Every sample that is served is one that was stored; returns how many there are.
fn served(store: &SeriesStore, select: &Select) -> usize {
    let mut count = 0;
    for found in store.select(select).unwrap() {
        let instance: usize = found.labels.get("instance").unwrap()[5..].parse().unwrap();
        let column = series(instance as i64).iter().position(|l| *l == found.labels).unwrap();
        for (t, bits) in points(&found) {
            let n = ((t - START) / 15_000) as usize;
            assert_eq!(bits, rows()[instance][n][column].to_bits(), "{} at {n}", found.labels);
            count += 1;
        }
    }
    count
}

fn blocks(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder.join("blocks")).unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "block"));
    all.sort();
    all
}

fn codings(block: &Path) -> Vec<u8> {
    block_sizes(block).unwrap().series.iter().flat_map(|s| s.pages.iter().map(|(coding, _)| *coding)).collect()
}

#[test]
fn buckets_come_back_alone_and_together_after_cutting_joining_and_deleting() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 0, 700);
    assert!(store.cut().unwrap());
    fill(&store, 700, ROWS);
    store.compact().unwrap();
    for block in blocks(folder.path()) {
        let found = codings(&block);
        assert!(found.iter().filter(|c| **c == DIFFERENCE).count() >= 10, "{found:?}");
        assert!(found.contains(&TWIN), "what is counted is the last bucket: {found:?}");
    }
    let samples = 3 * 14 * ROWS as usize;
    assert_eq!(served(&store, &all()), samples);
    for le in BOUNDS {
        let late = START + 1_000 * 15_000;
        let alone = Select { matchers: vec![Matcher::equal("le", le)], start_ms: late, end_ms: i64::MAX };
        assert_eq!(served(&store, &alone), 3 * 200, "{le}");
    }
    let counts = Select { matchers: vec![Matcher::equal("__name__", "seconds_count")], ..all() };
    assert_eq!(served(&store, &counts), 3 * ROWS as usize);
    // Others are still the differences to what is deleted, until the block is written anew, and then to others.
    for le in ["0.01", "+Inf"] {
        store.delete(&[Matcher::equal("le", le)], i64::MIN, i64::MAX).unwrap();
    }
    assert_eq!(served(&store, &all()), samples - 2 * 3 * ROWS as usize);
    store.clean_deleted().unwrap();
    assert_eq!(served(&store, &all()), samples - 2 * 3 * ROWS as usize);
    drop(store);
    assert_eq!(served(&open(folder.path()), &all()), samples - 2 * 3 * ROWS as usize);
}

#[test]
fn a_flipped_bit_costs_a_bucket_and_those_that_are_differences_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    fill(&store, 0, 300);
    store.compact().unwrap();
    drop(store);
    let path = blocks(folder.path()).remove(0);
    let whole = std::fs::read(&path).unwrap();
    let samples = 3 * 14 * 300;
    for i in 0..60 {
        let mut bytes = whole.clone();
        let at = bytes.len() * i / 60;
        bytes[at] ^= 1 << (i % 8);
        std::fs::write(&path, bytes).unwrap();
        let (store, report) = open_damaged(folder.path());
        let count = served(&store, &all());
        let damaged = store.stats().damaged;
        assert!(!report.damage.is_empty() || damaged > 0 || count == samples, "flip {i}: no word of it");
        drop(store);
        // What was set aside is put back by the next round.
    }
}
