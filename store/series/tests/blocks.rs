//! When spans become a block: once a day, or earlier. I/O.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{Rows, START, labels, one, row};
use kernel::Timestamp;
use kernel::series::{Batch, Matcher, Select, SeriesAdmin, SeriesReader, SeriesWriter};
use store_series::{Options, SeriesStore};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn open(folder: &Path, wanted: impl Fn(&mut Options)) -> SeriesStore {
    let mut options = Options { commit_interval: Duration::ZERO, ..Options::default() };
    wanted(&mut options);
    let (store, report) = SeriesStore::open(folder, options).unwrap();
    assert_eq!(report.damage, [""; 0]);
    store
}

/// A row each minute of some hours, with upkeep each ten minutes.
fn feed(store: &SeriesStore, name: &str, hours: std::ops::Range<i64>) {
    let group = store.group(&[labels(name, 0), labels(name, 1)]).unwrap();
    for ten in hours.start * 6..hours.end * 6 {
        let at = |minute: i64| START + (ten * 10 + minute) * 60_000;
        // Digits that no page makes small.
        let value = |m: i64| ((ten * 10 + m) as f64).sin();
        let rows: Vec<_> = (0..10).map(|m| row(group, at(m), &[value(m), m as f64])).collect();
        store.append_rows(&rows).unwrap();
        store.maintain(Timestamp::from_millis(at(9))).unwrap();
    }
}

#[test]
fn a_day_becomes_one_block_and_is_never_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), |_| {});
    feed(&store, "n", 0..75);
    let blocks = store.blocks();
    let days: Vec<i64> = blocks.iter().map(|b| b.min_ms.midpoint(b.max_ms).div_euclid(DAY)).collect();
    assert_eq!(days.len(), 3, "{blocks:?}");
    assert!(days.windows(2).all(|d| d[1] == d[0] + 1), "{days:?}");
    let stats = store.stats();
    assert_eq!(stats.written.blocks, stats.block_bytes, "blocks are written once");
    let found = one(&store, "n");
    assert_eq!(found.len(), 75 * 60, "no row is lost");
    drop(store);
    assert_eq!(one(&open(folder.path(), |_| {}), "n"), found);
}

#[test]
fn a_store_that_begins_in_the_evening_makes_no_small_block_at_midnight() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), |_| {});
    let midnight = (DAY - START.rem_euclid(DAY)).div_euclid(HOUR);
    feed(&store, "n", midnight - 4..midnight + 23);
    assert_eq!(store.blocks(), []);
    feed(&store, "n", midnight + 23..midnight + 75);
    let blocks = store.blocks();
    let hours: Vec<i64> = blocks.iter().map(|b| (b.max_ms - b.min_ms + HOUR / 2).div_euclid(HOUR)).collect();
    assert!(hours.len() == 3 && (26..=29).contains(&hours[0]), "{hours:?} in {blocks:?}");
    assert!(hours[1..].iter().all(|h| (22..=24).contains(h)), "from then on with the days: {hours:?}");
    let stats = store.stats();
    assert_eq!(stats.written.blocks, stats.block_bytes, "blocks are written once");
}

#[test]
fn a_short_retention_has_short_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), |o| {
        o.retention = Duration::from_secs(20 * 3_600);
        o.rollups = Duration::ZERO;
    });
    feed(&store, "n", 0..60);
    let blocks = store.blocks();
    let kept = blocks.iter().map(|b| b.max_ms).max().unwrap() - blocks.iter().map(|b| b.min_ms).min().unwrap();
    assert!(kept <= 24 * HOUR, "{} h", kept / HOUR);
}

#[test]
fn blocks_are_small_beside_the_bytes_that_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), |o| {
        o.retention_bytes = 20_000;
        o.rollups = Duration::ZERO;
    });
    feed(&store, "n", 0..20);
    let blocks = store.blocks();
    assert!(blocks.len() > 2, "{blocks:?}");
    assert!(store.stats().block_bytes <= 20_000);
}

#[test]
fn series_that_nothing_comes_for_leave_memory_before_the_day_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), |_| {});
    // As remote-write's groups are, which their writers ask for again.
    let churn = |hour: i64| {
        let id = store.open_group(&format!("pods/{hour}")).unwrap();
        let columns = store.columns(id, &[labels("pod", hour as usize)]).unwrap();
        let mut batch = Batch::default();
        (0..60).for_each(|m| batch.push(id, START + hour * HOUR + m * 60_000, columns[0], m as f64));
        store.append(&batch).unwrap();
        store.maintain(Timestamp::from_millis(START + hour * HOUR + 59 * 60_000)).unwrap();
    };
    (0..12).for_each(churn);
    let stats = store.stats();
    assert!(stats.groups <= 6, "{} groups of 12 are in memory", stats.groups);
    assert!(stats.blocks >= 1);
    assert_eq!((0..12).map(|h| one_of(&store, h)).sum::<usize>(), 12 * 60);
}

fn one_of(store: &SeriesStore, hour: i64) -> usize {
    let matchers = vec![Matcher::equal("service", &format!("s{hour}"))];
    let found = store.select(&Select { matchers, start_ms: i64::MIN, end_ms: i64::MAX }).unwrap();
    found.iter().map(|s| s.timestamps.len()).sum()
}
