//! Looking into a folder: nothing in it changes, whatever state it is in, and another may go on writing. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use common::{Rows, START, all, by_name, labels, open, options, row};
use kernel::Timestamp;
use store_series::SeriesStore;

/// Every file below a folder with its bytes and the time it was written.
fn files(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut out = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
            // Folders count too: one that is made is a change.
            out.insert(path.join("."), (Vec::new(), std::fs::metadata(&path).unwrap().modified().unwrap()));
        } else {
            let written = std::fs::metadata(&path).unwrap().modified().unwrap();
            out.insert(path.clone(), (std::fs::read(&path).unwrap(), written));
        }
    }
    out
}

/// Rows in a block, in spans and in the log.
fn fill(folder: &Path) {
    let store = open(folder);
    let group = store.group(&[labels("up", 0)]).unwrap();
    for n in 0..90i64 {
        store.append_rows(&[row(group, START + n * 1_000, &[n as f64])]).unwrap();
        match n {
            29 => assert!(store.cut().unwrap()),
            59 => store.flush().unwrap(),
            _ => {}
        }
    }
}

fn samples(folder: &Path) -> (usize, usize) {
    let before = files(folder);
    let (reader, report) = SeriesStore::look(folder).unwrap();
    let found = reader.select(&by_name("up")).unwrap().iter().map(|s| s.timestamps.len()).sum();
    drop(reader);
    assert!(before == files(folder), "looking changed something");
    (found, report.damage.len())
}

#[test]
fn met_14_looking_changes_no_byte_whatever_is_damaged_or_left_over() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    assert_eq!(samples(folder.path()), (90, 0));
    // Left over from what was being written when the power went.
    let log = std::fs::read_dir(folder.path().join("wal")).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&log).unwrap();
    std::fs::write(&log, &whole[..whole.len() - 700]).unwrap();
    std::fs::write(folder.path().join("blocks/7.tmp"), b"half").unwrap();
    std::fs::write(folder.path().join("spans/0000000001.spans"), b"FAROSPN2").unwrap();
    let mut catalog = std::fs::read(folder.path().join("catalog")).unwrap();
    catalog.extend_from_slice(&[1, 2, 3]);
    std::fs::write(folder.path().join("catalog"), catalog).unwrap();
    let (found, _) = samples(folder.path());
    assert!((30..90).contains(&found), "{found}");
    // Damaged: what is sound is read, and told, and nothing is set aside.
    let block = std::fs::read_dir(folder.path().join("blocks")).unwrap().map(|e| e.unwrap().path());
    let block = block.filter(|p| p.extension().is_some_and(|e| e == "block")).min().unwrap();
    let mut bytes = std::fs::read(&block).unwrap();
    let end = bytes.len() - 3;
    bytes[end] ^= 1;
    std::fs::write(&block, bytes).unwrap();
    let (found, damage) = samples(folder.path());
    assert!(found < 60 && damage > 0, "{found} {damage}");
    // Only parts of a store are there, or nothing at all.
    for part in ["wal", "spans", "rollups"] {
        std::fs::remove_dir_all(folder.path().join(part)).unwrap();
    }
    samples(folder.path());
    let empty = tempfile::tempdir().unwrap();
    let error = SeriesStore::look(empty.path()).err().unwrap().to_string();
    assert!(error.contains("holds no series"), "{error}");
    assert!(files(empty.path()).is_empty());
}

#[test]
fn met_14_whoever_looks_sees_all_that_was_acknowledged_while_another_writes() {
    let folder = tempfile::tempdir().unwrap();
    let store = SeriesStore::open(folder.path(), options()).unwrap().0;
    let (taken, ended) = (AtomicI64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !ended.load(SeqCst) {
                // A new group and series now and then, so that the list of series grows too.
                let group = store.group(&[labels("up", (number / 100) as usize)]).unwrap();
                store.append_rows(&[row(group, START + number * 60_000, &[1.0])]).unwrap();
                number += 1;
                taken.store(number, SeqCst);
                match number % 40 {
                    13 => store.flush().unwrap(),
                    39 => assert!(store.cut().unwrap()),
                    27 => _ = store.maintain(Timestamp::from_millis(START + number * 60_000)).unwrap(),
                    _ => {}
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let (mut looked, mut changed) = (0, 0);
        while looked < 60 {
            let before = taken.load(SeqCst) as usize;
            let (reader, report) = match SeriesStore::look(folder.path()) {
                Ok(found) => found,
                Err(error) => {
                    assert!(error.to_string().contains("while it was being opened"), "{error}");
                    changed += 1;
                    assert!(changed < 60, "it is never quiet enough");
                    continue;
                }
            };
            assert_eq!(report.damage, [""; 0]);
            let found = reader.select(&all()).unwrap();
            let times: Vec<i64> = found.iter().flat_map(|s| s.timestamps.iter().copied()).collect();
            assert!(times.len() >= before, "{} of {before}", times.len());
            let mut sorted = times.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), times.len(), "each is there once");
            looked += 1;
        }
        ended.store(true, SeqCst);
    });
}
