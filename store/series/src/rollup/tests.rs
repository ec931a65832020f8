//! Roll-ups on a disk that is full or broken: what waits, what is lost and told, and nothing counted twice. I/O.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use kernel::series::{Rolled, Row, Select, SeriesReader, SeriesWriter, group_of, rows_of};
use kernel::{Labels, Timestamp};

use crate::disk::faults::{self, disk};
use crate::limits::ROLL_AGAIN_MS;
use crate::{Options, SeriesStore};

const START: i64 = 1_770_000_000_000;
const DAY: i64 = 86_400_000;
/// A sample a minute.
const STEP: i64 = 60_000;
const DAYS: i64 = 5;

fn options() -> Options {
    Options { commit_interval: Duration::ZERO, retention: Duration::from_secs(1_000 * 86_400), ..Options::default() }
}

/// A store with some days, all of them in blocks.
fn filled(folder: &std::path::Path) -> SeriesStore {
    let (store, _) = SeriesStore::open(folder, options()).unwrap();
    let group = group_of(&store, &[Labels::metric("m", [("a", "b")])]).unwrap();
    for day in 0..DAYS {
        let row = |i: i64| Row { group, t_ms: START + day * DAY + i * STEP, values: vec![Some((i % 7) as f64)] };
        store.append(&rows_of(&(0..DAY / STEP).map(row).collect::<Vec<_>>())).unwrap();
        store.cut().unwrap();
    }
    store
}

fn all() -> Select {
    Select { matchers: Vec::new(), start_ms: i64::MIN, end_ms: i64::MAX }
}

/// How many samples all figures together say there were.
fn counted(store: &SeriesStore) -> f64 {
    let mut sum = 0.0;
    let add = &mut |series: kernel::series::Series| {
        sum += series.values.floats().unwrap().iter().sum::<f64>();
        std::ops::ControlFlow::Continue(())
    };
    store.visit_rolled(&all(), Rolled::Count, add).unwrap();
    sum
}

const WRITTEN: f64 = (DAYS * DAY / STEP) as f64;

fn reopened(folder: &std::path::Path, change: impl FnOnce(&mut Options)) -> SeriesStore {
    let mut options = options();
    change(&mut options);
    let (store, report) = SeriesStore::open(folder, options).unwrap();
    assert_eq!(report.damage, [""; 0]);
    store
}

#[test]
fn on_a_full_disk_what_is_too_old_waits() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    faults::reset(1);
    let store = reopened(folder.path(), |o| o.retention = Duration::from_secs(2 * 86_400));
    let now = START + DAYS * DAY;
    disk(|d| d.full = true);
    let error = store.maintain(Timestamp::from_millis(now)).unwrap_err().to_string();
    assert!(error.contains("free some space"), "{error}");
    assert_eq!((store.stats().rollups, store.stats().rollups_lost, counted(&store)), (0, 0, WRITTEN));
    disk(|d| d.full = false);
    assert_eq!(store.maintain(Timestamp::from_millis(now + 5_000)).unwrap().rolled, 0, "the next try has time");
    assert_eq!(store.maintain(Timestamp::from_millis(now + ROLL_AGAIN_MS)).unwrap().rolled, 2);
    assert_eq!((store.stats().rollups, counted(&store)), (2, WRITTEN));
    let left = std::fs::read_dir(folder.path().join("rollups")).unwrap().count();
    assert_eq!(left, 2, "nothing is left of what could not be written");
}

#[test]
fn on_a_full_disk_what_is_too_much_goes_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = filled(folder.path()).stats().block_bytes;
    faults::reset(1);
    let store = reopened(folder.path(), |o| o.retention_bytes = bytes * 7 / 10);
    disk(|d| d.full = true);
    let done = store.maintain(Timestamp::from_millis(START + DAYS * DAY)).unwrap();
    assert_eq!((done.deleted, done.rolled, store.stats().rollups_lost), (2, 0, 2));
    assert_eq!(counted(&store), WRITTEN * 3.0 / 5.0, "the disk has room again");
    disk(|d| d.full = false);
    assert!(reopened_again(folder.path(), store, bytes).stats().blocks <= 3);
}

fn reopened_again(folder: &std::path::Path, store: SeriesStore, bytes: u64) -> SeriesStore {
    drop(store);
    reopened(folder, |o| o.retention_bytes = bytes)
}

#[test]
fn on_a_broken_disk_no_sample_is_counted_twice_or_lost() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    let wanted = |o: &mut Options| o.retention = Duration::from_secs(86_400);
    let saved: Vec<_> = std::fs::read_dir(folder.path().join("blocks")).unwrap().map(|e| e.unwrap().path()).collect();
    for seed in 1..60u64 {
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir(copy.path().join("blocks")).unwrap();
        for path in &saved {
            std::fs::copy(path, copy.path().join("blocks").join(path.file_name().unwrap())).unwrap();
        }
        faults::reset(0);
        let mut store = Some(reopened(copy.path(), wanted));
        faults::reset(seed * 7919);
        disk(|d| d.one_in = 2 + seed % 12);
        for turn in 0..6 {
            let now = START + DAYS * DAY + turn * ROLL_AGAIN_MS;
            let _ = store.as_ref().unwrap().maintain(Timestamp::from_millis(now));
            assert_eq!(counted(store.as_ref().unwrap()), WRITTEN, "seed {seed}, turn {turn}");
            if turn % 3 == seed as i64 % 3 {
                drop(store.take());
                let one_in = disk(|d| std::mem::take(&mut d.one_in));
                store = Some(reopened(copy.path(), wanted));
                assert_eq!(counted(store.as_ref().unwrap()), WRITTEN, "seed {seed}, after a start");
                disk(|d| d.one_in = one_in);
            }
        }
        faults::reset(0);
        store.as_ref().unwrap().maintain(Timestamp::from_millis(START + (DAYS + 1) * DAY)).unwrap();
        assert!(store.as_ref().unwrap().stats().rollups >= 3, "seed {seed}");
        assert_eq!(counted(store.as_ref().unwrap()), WRITTEN, "seed {seed}, in the end");
    }
}
