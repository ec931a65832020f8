//! Prints what the store costs: memory per series, time per row, bytes per sample, time to read and to open. I/O.
//!
//! `cargo run --release -p store-series --example bench_series`
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use kernel::series::{GroupId, Matcher, Row, Select, SeriesReader, SeriesWriter, group_of, rows_of};
use kernel::{Labels, Timestamp};
use store_series::{Options, SeriesStore};

const CHECKS: usize = 2_000;
const PER_CHECK: usize = 10;
const ROWS: i64 = 360;
const START: i64 = 1_770_000_000_000;

fn resident_kib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 4.0
}

fn series(check: usize) -> Vec<Labels> {
    let metric = |m: usize| {
        let labels = [
            ("system", "sigcerh".to_owned()),
            ("service", format!("service-{}", check / 4)),
            ("check", format!("check-{check}")),
            ("kind", "http".to_owned()),
            ("phase", if m > 4 { format!("phase-{m}") } else { String::new() }),
        ];
        Labels::metric(["probe_success", "probe_duration_seconds", "probe_slow", "probe_attempts"][m.min(3)], labels)
            .with("n", &m.to_string())
    };
    (0..PER_CHECK).map(metric).collect()
}

/// One value of a series; of every ten series `moving` change each time, as durations do.
fn value(check: usize, n: i64, column: usize, moving: usize) -> f64 {
    if column < moving {
        let mut x = (check as u64) << 40 | (column as u64) << 32 | n.unsigned_abs();
        for _ in 0..2 {
            x = (x ^ (x >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        Duration::from_micros(20_000 + (x >> 40) % 10_000).as_secs_f64()
    } else {
        1.0
    }
}

fn ingest(store: &SeriesStore, groups: &[GroupId], from: i64, moving: usize) -> Duration {
    let mut took = Duration::ZERO;
    for n in from..from + ROWS {
        let rows: Vec<Row> = groups
            .iter()
            .enumerate()
            .map(|(check, group)| Row {
                group: *group,
                t_ms: START + n * 10_000 + (check % 50) as i64,
                values: (0..PER_CHECK).map(|c| Some(value(check, n, c, moving))).collect(),
            })
            .collect();
        let begun = Instant::now();
        store.append(&rows_of(&rows)).unwrap();
        took += begun.elapsed();
    }
    took
}

fn scenario(name: &str, moving: usize) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { commit_interval: Duration::ZERO, ..Options::default() };
    let before = resident_kib();
    let (store, _) = SeriesStore::open(folder.path(), options).unwrap();
    let begun = Instant::now();
    let groups: Vec<GroupId> = (0..CHECKS).map(|c| group_of(&store, &series(c)).unwrap()).collect();
    let made = begun.elapsed();
    let count = (CHECKS * PER_CHECK) as f64;
    let known = resident_kib();
    let took = ingest(&store, &groups, 0, moving);
    let full = resident_kib();
    let rows = (ROWS * CHECKS as i64) as f64;
    println!("{name}: {count} series in {CHECKS} groups, {ROWS} rows each");
    println!("  making the groups        {:>8.1} us each", made.as_secs_f64() * 1e6 / CHECKS as f64);
    println!("  memory, known series     {:>8.0} bytes per series", (known - before) * 1024.0 / count);
    println!(
        "  memory, an hour in head  {:>8.0} bytes per series, {:.1} MB in all",
        (full - before) * 1024.0 / count,
        (full - before) / 1024.0
    );
    println!("  append (with fdatasync)  {:>8.0} ns per row of {PER_CHECK}", took.as_secs_f64() * 1e9 / rows);
    let select = |minutes: i64| Select {
        matchers: vec![Matcher::equal("__name__", "probe_duration_seconds")],
        start_ms: START + (ROWS * 10 - minutes * 60) * 1_000,
        end_ms: START + ROWS * 10_000,
    };
    for minutes in [5, 60] {
        let begun = Instant::now();
        let found = store.select(&select(minutes)).unwrap();
        let samples: usize = found.iter().map(|s| s.values.len()).sum();
        println!(
            "  select {minutes:>2} min of {} series {:>8.1} ms, {samples} samples",
            found.len(),
            begun.elapsed().as_secs_f64() * 1e3
        );
    }
    drop(store);
    let begun = Instant::now();
    let (store, report) = SeriesStore::open(folder.path(), options).unwrap();
    println!("  open, replay {:>7} rows {:>8.0} ms", report.replayed, begun.elapsed().as_secs_f64() * 1e3);
    let begun = Instant::now();
    store.maintain(Timestamp::from_millis(START + 86_400_000)).unwrap();
    let took = begun.elapsed().as_secs_f64() * 1e3;
    let bytes = store.stats().block_bytes as f64;
    println!(
        "  cut                      {took:>8.0} ms, {:.2} bytes per sample on disk",
        bytes / rows / PER_CHECK as f64
    );
    let begun = Instant::now();
    let samples: usize = store.select(&select(60)).unwrap().iter().map(|s| s.values.len()).sum();
    println!("  select 60 min from block {:>8.1} ms, {samples} samples", begun.elapsed().as_secs_f64() * 1e3);
    drop(store);
    let begun = Instant::now();
    SeriesStore::open(folder.path(), options).unwrap();
    println!("  open after a cut         {:>8.0} ms", begun.elapsed().as_secs_f64() * 1e3);
}

fn main() {
    // One at a time, so that the memory of one is not counted for the other.
    match std::env::args().nth(1).as_deref() {
        Some("moving") => scenario("half of the series change each time", PER_CHECK / 2),
        _ => scenario("constant (or `moving` as argument)", 0),
    }
}
