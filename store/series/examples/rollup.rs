//! What roll-ups cost on made-up series: bytes beside those of the samples they were made of, and CPU beside making the blocks. I/O.
//!
//! `cargo run --release -p store-series --example rollup -- FOLDER [SERIES] [DAYS] [STEP_SECONDS]`; half of the series never move, a quarter
//! counts, a quarter are gauges with two decimals.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use kernel::series::{Batch, SeriesWriter};
use kernel::{Labels, Timestamp};
use store_series::{Options, SeriesStore};

const START_MS: i64 = 1_770_000_000_000;
const DAY_MS: i64 = 86_400_000;

/// CPU seconds of this process so far.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap();
    let mut number = |default: i64| arguments.next().map_or(default, |n| n.parse().unwrap());
    let (series, days, step) = (number(100), number(3), number(15));
    let retention = Duration::from_secs(10_000 * 86_400);
    let forever = Options { retention, commit_interval: Duration::ZERO, ..Options::default() };
    let (store, _) = SeriesStore::open(Path::new(&folder), forever).unwrap();
    let group = store.open_group("host").unwrap();
    let labels = |i| Labels::metric(&format!("metric_{i}"), [("instance", "host:9100"), ("job", "node")]);
    let columns = store.columns(group, &(0..series).map(labels).collect::<Vec<_>>()).unwrap();
    let mut batch = Batch::default();
    let (mut random, mut counts, mut samples, began) = (7u64, vec![0.0; columns.len()], 0u64, cpu());
    for row in 0..days * DAY_MS / (step * 1_000) {
        let t_ms = START_MS + row * step * 1_000;
        for (i, column) in columns.iter().enumerate() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = (random >> 40) as f64;
            counts[i] += noise % 50.0;
            let value = match i % 4 {
                0 | 1 => i as f64,
                2 => counts[i],
                _ => ((noise % 1_000.0) + 5_000.0 * (row as f64 / 500.0).sin()).round() / 100.0,
            };
            batch.push(group, t_ms, *column, value);
        }
        samples += columns.len() as u64;
        if row % 40 == 39 {
            store.append(&std::mem::take(&mut batch)).unwrap();
        }
        if row % 480 == 0 {
            store.maintain(Timestamp::from_millis(t_ms)).unwrap();
        }
    }
    store.append(&batch).unwrap();
    store.cut().unwrap();
    store.maintain(Timestamp::from_millis(START_MS + days * DAY_MS)).unwrap();
    let (made, raw) = (cpu() - began, store.stats());
    drop(store);
    let none = Options { retention: Duration::from_millis(1), ..Options::default() };
    let (store, _) = SeriesStore::open(Path::new(&folder), none).unwrap();
    let began = cpu();
    store.maintain(Timestamp::from_millis(START_MS + days * DAY_MS)).unwrap();
    let (rolled, left) = (cpu() - began, store.stats());
    let of_rolled = (raw.block_bytes - left.block_bytes) as f64;
    println!("{samples} samples in {} blocks: {:.3} B per sample", raw.blocks, raw.block_bytes as f64 / samples as f64);
    println!(
        "{} roll-ups: {} B, {:.3} of the bytes of their samples; CPU s: {made:.2} to write and join, {rolled:.2} to roll up",
        left.rollups,
        left.rollup_bytes,
        left.rollup_bytes as f64 / of_rolled,
    );
}
