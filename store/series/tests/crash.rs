//! A process that is killed at any moment loses nothing it was told is taken, and keeps nothing twice. I/O.
//!
//! `FARERO_SERIES_ROUNDS=1000 cargo test -p store-series --test crash` for as many rounds.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use common::{Rows, START, by_name, labels, one, options};
use kernel::Timestamp;
use kernel::series::{Batch, Cell, CounterReset, Histogram, Matcher, Point, SeriesAdmin, SeriesReader, SeriesWriter};
use store_series::{Options, SeriesStore};

const FOLDER: &str = "FARERO_CRASH_FOLDER";
const ROUNDS: usize = 30;
/// The columns: a number, its half, a number that comes two rows late, one that is deleted again and again, a histogram.
const NAMES: [&str; 5] = ["n", "half", "late", "gone", "histogram"];
/// A late number belongs to so many rows before.
const LATE_BY: usize = 2;

fn open(folder: &Path) -> SeriesStore {
    let window = Options { late_window: std::time::Duration::from_secs(3_600), ..options() };
    let (store, report) = SeriesStore::open(folder, window).unwrap();
    assert_eq!(report.damage, [""; 0]);
    store
}

const fn time(n: usize) -> i64 {
    START + n as i64 * 60_000
}

/// After these rows, all of `gone` is deleted.
const fn deletes(n: usize) -> bool {
    n % 13 == 7
}

fn histogram(n: usize) -> Point {
    let n = n as f64;
    Point::Histogram(Arc::new(Histogram {
        reset: CounterReset::Gauge,
        sum: n,
        count: n,
        zero_count: n,
        ..Histogram::default()
    }))
}

/// The process that is killed: appends row after row, deletes now and then, says each number once all of it is taken; blocks are made
/// and joined meanwhile.
#[test]
fn child_appends_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = open(folder.as_ref());
    let group = store.group(&NAMES.map(|name| labels(name, 0))).unwrap();
    let complete = [one(&store, "n").len(), count(&store, "histogram"), one(&store, "late").len() + LATE_BY];
    let first = complete.into_iter().min().unwrap().min(one(&store, "n").len());
    let now = AtomicI64::new(time(first));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0u64.. {
                match turn % 3 {
                    0 => drop(store.cut().unwrap()),
                    1 => drop(store.maintain(Timestamp::from_millis(now.load(Relaxed))).unwrap()),
                    _ => store.flush().unwrap(),
                }
                std::thread::sleep(std::time::Duration::from_millis(3));
            }
        });
        for n in first.. {
            let mut batch = Batch::default();
            batch.push(group, time(n), 0, n as f64);
            batch.push(group, time(n), 1, n as f64 / 2.0);
            batch.push(group, time(n), 3, n as f64);
            batch.push_cell(group, time(n), Cell { column: 4, value: histogram(n), start_ms: 0 });
            store.append(&batch).unwrap();
            if n >= LATE_BY {
                let mut late = Batch::default();
                late.push(group, time(n - LATE_BY), 2, n as f64);
                store.append(&late).unwrap();
            }
            if deletes(n) {
                store.delete(&[Matcher::equal("__name__", "gone")], i64::MIN, time(n)).unwrap();
            }
            now.store(time(n), Relaxed);
            writeln!(std::io::stdout(), "taken {n}").unwrap();
        }
    });
}

fn count(store: &SeriesStore, name: &str) -> usize {
    store.select(&by_name(name)).unwrap().first().map_or(0, |s| s.timestamps.len())
}

fn run_and_kill(folder: &Path, lines: usize) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_appends_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let number = |line: String| line.rsplit_once("taken ").and_then(|(_, n)| n.parse::<usize>().ok());
    let mut numbers = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok).filter_map(number);
    let last = numbers.by_ref().take(lines).last().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts too.
    numbers.last().unwrap_or(last)
}

/// All that was said to be taken is there once, as it was written; of the row that was being written, perhaps.
fn verify(store: &SeriesStore, last: usize, round: usize) {
    let rows = |name: &str, first: usize, value: &dyn Fn(usize) -> f64| {
        let found = one(store, name);
        let least = (last + 1).saturating_sub(first);
        assert!((least..=least + 1).contains(&found.len()), "round {round}: {name} {} of {last}", found.len());
        for (i, (t, bits)) in found.iter().enumerate() {
            assert_eq!((*t, *bits), (time(i), value(i).to_bits()), "round {round}: {name}");
        }
    };
    rows("n", 0, &|i| i as f64);
    rows("half", 0, &|i| i as f64 / 2.0);
    rows("late", LATE_BY, &|i| (i + LATE_BY) as f64);
    let histograms = store.select(&by_name("histogram")).unwrap();
    let found = &histograms[0];
    assert!((last + 1..=last + 2).contains(&found.timestamps.len()), "round {round}: histograms");
    for (i, t) in found.timestamps.iter().enumerate() {
        assert_eq!((*t, found.values.get(i)), (time(i), Some(histogram(i))), "round {round}: histogram");
    }
    let gone: Vec<usize> = one(store, "gone").iter().map(|(t, _)| ((t - START) / 60_000) as usize).collect();
    let kept = (0..=last).rev().find(|n| deletes(*n)).map_or(0, |n| n + 1);
    assert!(gone.iter().all(|n| *n >= kept && *n <= last + 1), "round {round}: {gone:?} from {kept}");
    assert!(gone.is_sorted_by(|a, b| a < b), "round {round}: twice");
    if !deletes(last + 1) {
        assert!((kept..=last).all(|n| gone.contains(&n)), "round {round}: {gone:?} from {kept} to {last}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kill() {
    let rounds = std::env::var("FARERO_SERIES_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().unwrap();
    for round in 0..rounds {
        let last = run_and_kill(folder.path(), 1 + round * 5 % 17);
        verify(&open(folder.path()), last, round);
    }
}
