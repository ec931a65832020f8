//! Roll-ups against plain computation over everything that was ever written: figures, the ladder, crashes, damage, deletes. I/O.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
#[path = "rollups/model.rs"]
mod model;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{START, all, by_name};
use kernel::Timestamp;
use kernel::series::{Matcher, Rolled, RolledUp, Select, SeriesAdmin, SeriesReader};
use model::{DAY, FINE, HOUR, Model, options};
use store_series::{Options, SeriesStore};

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let list = std::fs::read_dir(folder.join(kind)).unwrap().map(|e| e.unwrap().path());
    let mut out: Vec<_> = list.filter(|p| p.extension().is_some_and(|e| e == "block")).collect();
    out.sort();
    out
}

fn opened(folder: &Path) -> SeriesStore {
    let (store, report) = SeriesStore::open(folder, options()).unwrap();
    assert_eq!(report.damage, [""; 0]);
    store
}

/// A store with eight days of everything, of which two are kept.
fn filled(folder: &Path, seed: u64) -> (SeriesStore, Model) {
    let (store, mut model) = (opened(folder), Model::new(seed));
    model.write(&store, START, START + 8 * DAY, 80_000, true);
    (store, model)
}

#[test]
fn figures_are_those_of_all_samples() {
    for seed in [1, 7] {
        let folder = tempfile::tempdir().unwrap();
        let (store, model) = filled(folder.path(), seed);
        let stats = store.stats();
        assert!(stats.rollups >= 4 && stats.rollups_made == stats.rollups && stats.rollups_lost == 0, "{stats:?}");
        let [RolledUp { before_ms, resolution_ms: FINE }] = store.rolled_up()[..] else {
            panic!("{:?}", store.rolled_up())
        };
        let kept_days = (START + 8 * DAY - before_ms) as f64 / DAY as f64;
        assert!((1.9..=3.2).contains(&kept_days), "{kept_days} days are raw");
        model.check(&store, FINE);
        drop(store);
        let store = opened(folder.path());
        model.check(&store, FINE);
        assert_eq!(store.stats().rollup_bytes, stats.rollup_bytes);
        // What is not behind the boundary is there as it was written.
        let raw = Select { start_ms: before_ms, ..by_name("gauge") };
        let found = common::points(&store.select(&raw).unwrap()[0]);
        assert_eq!(found, model.numbers("gauge", before_ms, i64::MAX));
    }
}

#[test]
fn nobody_sees_the_hidden_label() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = filled(folder.path(), 3);
    let old = Select { end_ms: START + 3 * DAY, ..all() };
    assert_eq!(store.label_names(&old).unwrap(), ["__name__", "kind", "service"]);
    let by_matcher = Select { matchers: vec![Matcher::equal("kind", "http")], ..old.clone() };
    assert_eq!(store.label_names(&by_matcher).unwrap(), ["__name__", "kind", "service"]);
    assert_eq!(store.label_values("__rollup__", &old).unwrap(), [""; 0]);
    let names: Vec<String> = store.series(&old).unwrap().iter().map(|l| l.name().to_owned()).collect();
    assert_eq!(names, ["gauge", "hits_total", "latency", "short"]);
    let hidden = |value| Select { matchers: vec![Matcher::equal("__rollup__", value)], ..old.clone() };
    assert_eq!(store.select(&hidden("min")).unwrap().len(), 0);
    assert_eq!(store.select(&hidden("")).unwrap().len(), 4, "a label that is not there is empty");
    let most = store.at_most(&Select { end_ms: START + DAY, ..by_name("short") });
    assert!(
        most.is_some_and(|n| (1..=8).contains(&n)),
        "{most:?}: one series of each roll-up, not one for each figure"
    );
}

#[test]
fn a_crash_before_a_block_is_deleted_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut model) = (opened(folder.path()), Model::new(5));
    let mut before: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for day in 0..8 {
        let saved = files(folder.path(), "blocks").into_iter().map(|p| (p.clone(), std::fs::read(p).unwrap()));
        before.extend(saved.collect::<Vec<_>>());
        model.write(&store, START + day * DAY, START + (day + 1) * DAY, 80_000, true);
    }
    drop(store);
    let still = files(folder.path(), "blocks");
    let rolled = files(folder.path(), "rollups").len();
    // As if the process had ended behind each roll-up, before the block was deleted; joined ones are the newest of their number.
    for (path, bytes) in before.iter().filter(|(path, _)| !still.contains(path)) {
        std::fs::write(path, bytes).unwrap();
    }
    assert!(files(folder.path(), "blocks").len() >= still.len() + rolled);
    let store = opened(folder.path());
    model.check(&store, FINE);
    assert_eq!(files(folder.path(), "blocks"), still, "what roll-ups stand for is gone");
}

#[test]
fn a_damaged_rollup_is_set_aside_or_told_and_the_rest_served() {
    let folder = tempfile::tempdir().unwrap();
    let (store, model) = filled(folder.path(), 9);
    let whole = model.read(&store, "gauge", Rolled::Sum).len();
    drop(store);
    let all = files(folder.path(), "rollups");
    let end = std::fs::metadata(&all[0]).unwrap().len() as usize - 3;
    flip(&all[0], end);
    flip(&all[1], 200);
    let (store, report) = open_damaged(folder.path());
    assert_eq!(report.damage.len(), 1, "{:?}", report.damage);
    let left = model.read(&store, "gauge", Rolled::Sum).len();
    assert!(left < whole && left > whole / 2, "{left} of {whole}");
    let mut seen = 0;
    for figure in Rolled::ALL {
        seen += model.read(&store, "hits_total", figure).len();
    }
    assert!(seen > 0 && store.stats().damaged > 0, "{:?}", store.stats());
    drop(store);
    assert_eq!(open_damaged(folder.path()).1.damage, [""; 0], "it is set aside once");
}

fn open_damaged(folder: &Path) -> (SeriesStore, store_series::OpenReport) {
    SeriesStore::open(folder, options()).unwrap()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 4;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn deletes_and_copies_reach_rollups() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut model) = filled(folder.path(), 11);
    let (from, to) = (START + DAY, START + 2 * DAY);
    let hit = store.delete(&[Matcher::equal("__name__", "hits_total")], from, to).unwrap();
    assert!(hit >= 1);
    let times = |store: &SeriesStore, figure| -> Vec<i64> {
        model.read(store, "hits_total", figure).iter().map(|(t, _)| *t).collect()
    };
    let check = |store: &SeriesStore| {
        for figure in Rolled::ALL {
            let left = times(store, figure);
            assert!(left.iter().all(|t| !(from..=to).contains(t)), "{figure:?}");
            assert!(left.first().unwrap() < &from && left.iter().any(|t| *t > to), "{figure:?}");
        }
    };
    check(&store);
    store.clean_deleted().unwrap();
    check(&store);
    let name = store.snapshot(false, Timestamp::from_millis(1_770_121_830_000)).unwrap();
    let (time, digits) = name.split_once('-').unwrap();
    assert_eq!((time, digits.len()), ("20260203T123030Z", 16), "named as Prometheus's are");
    assert!(u64::from_str_radix(digits, 16).is_ok_and(|n| i64::try_from(n).is_ok()), "{digits}");
    let another = store.snapshot(false, Timestamp::from_millis(1_770_121_830_000)).unwrap();
    assert!(another != name && another.starts_with(time));
    drop(store);
    let store = opened(folder.path());
    check(&store);
    let copy = opened(&folder.path().join("snapshots").join(name));
    check(&copy);
    model.forget("hits_total");
    model.check(&store, FINE);
    model.check(&copy, FINE);
    drop(store);
    let store = opened(folder.path());
    store.delete(&[], i64::MIN, i64::MAX).unwrap();
    store.clean_deleted().unwrap();
    assert_eq!(store.select(&all()).unwrap().len(), 0);
    assert_eq!((store.stats().rollups, store.rolled_up()), (0, vec![]));
    drop(store);
    assert_eq!(opened(folder.path()).select(&all()).unwrap().len(), 0);
}

#[test]
fn old_rollups_become_rough_ones_and_leave_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Options { rollups: Duration::from_secs(200 * 86_400), ..options() };
    let (store, _) = SeriesStore::open(folder.path(), kept).unwrap();
    let mut model = Model::new(13);
    // As many samples as it takes: several in each hour, one or none in five minutes.
    model.write(&store, START, START + 150 * DAY, 600_000, false);
    let stats = store.stats();
    assert!(stats.rollups_joined >= 30 && stats.rollups < 130, "{stats:?}");
    let ladder = store.rolled_up();
    assert_eq!(ladder.iter().map(|r| r.resolution_ms).collect::<Vec<_>>(), [HOUR, FINE]);
    assert!(ladder[0].before_ms < ladder[1].before_ms, "{ladder:?}");
    model.check(&store, HOUR);
    let read = model.read(&store, "gauge", Rolled::Max).len();
    assert!(read < model.numbers("gauge", i64::MIN, i64::MAX).len() - 2_000, "hours are fewer than samples");
    drop(store);
    let (store, report) = SeriesStore::open(folder.path(), kept).unwrap();
    assert_eq!(report.damage, [""; 0]);
    model.check(&store, HOUR);
    model.write(&store, START + 150 * DAY, START + 260 * DAY, 3_000_000, false);
    let first = model.read(&store, "gauge", Rolled::Min)[0].0;
    let days = (START + 260 * DAY - first) as f64 / DAY as f64;
    assert!((200.0..=232.0).contains(&days), "{days} days are left: whole files leave");
}

#[test]
fn without_rollups_nothing_is_left_and_bytes_are_limited_together() {
    let folder = tempfile::tempdir().unwrap();
    let none = Options { rollups: Duration::ZERO, ..options() };
    let (store, _) = SeriesStore::open(folder.path(), none).unwrap();
    let mut model = Model::new(17);
    model.write(&store, START, START + 5 * DAY, 20_000, false);
    assert_eq!((store.stats().rollups, store.rolled_up()), (0, vec![]));
    let first = store.select(&by_name("gauge")).unwrap()[0].timestamps[0];
    assert!(first > START + 2 * DAY);
    let bytes = store.stats().block_bytes;
    drop(store);
    let little = Options { retention: Duration::from_secs(1_000 * 86_400), retention_bytes: bytes, ..options() };
    let (store, _) = SeriesStore::open(folder.path(), little).unwrap();
    model.write(&store, START + 5 * DAY, START + 12 * DAY, 20_000, false);
    let stats = store.stats();
    assert!(stats.rollups_made > 3 && stats.rollups > 0, "{stats:?}");
    let both = stats.block_bytes + stats.rollup_bytes;
    assert!(both <= bytes * 11 / 10 && stats.rollup_bytes <= bytes / 3, "{stats:?}, {bytes} bytes are allowed");
}

#[test]
fn a_visit_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = filled(folder.path(), 19);
    let mut seen = 0;
    store
        .visit_rolled(&all(), Rolled::Count, &mut |_| {
            seen += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(seen, 1);
    assert_eq!(store.maintain(Timestamp::from_millis(START + 8 * DAY)).unwrap().rolled, 0, "nothing is done twice");
}
