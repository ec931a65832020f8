//! Flipped bits and torn files are noticed; the rest is served. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use common::{Rows, START, all, labels, one, open, open_damaged, points, row};
use kernel::series::SeriesReader;

/// Three groups, so that damage to one leaves the others; `cut` puts them into a block.
fn fill(folder: &Path, cut: bool) {
    let store = open(folder);
    let groups: Vec<_> =
        (0..3).map(|g| store.group(&[labels(&format!("up{g}"), g), labels("noise", g)]).unwrap()).collect();
    for n in 0..100i64 {
        for (g, group) in (0i64..).zip(&groups) {
            let noise = (n * 7919 % 1009 * (g + 1)) as f64 / 1e3;
            store.append_rows(&[row(*group, START + n * 1_000, &[1.0, noise])]).unwrap();
        }
    }
    if cut {
        assert!(store.cut().unwrap());
    }
}

/// Files below a folder with what they hold.
type Files = Vec<(PathBuf, Vec<u8>)>;

/// A store made once, for each test to copy and damage: with its rows in the log, and in a block.
static FILLED: LazyLock<[Files; 2]> = LazyLock::new(|| {
    [false, true].map(|cut| {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), cut);
        let mut files = Files::new();
        for entry in ["", "wal", "blocks", "spans"] {
            for file in std::fs::read_dir(folder.path().join(entry)).unwrap().map(|e| e.unwrap()) {
                if file.file_type().unwrap().is_file() {
                    files.push((Path::new(entry).join(file.file_name()), std::fs::read(file.path()).unwrap()));
                }
            }
        }
        files
    })
});

fn filled(cut: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &FILLED[usize::from(cut)] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn only_file(folder: PathBuf) -> PathBuf {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// A fresh store with one bit flipped in the file that `pick` names.
fn flipped(cut: bool, pick: &str, bit: impl FnOnce(&[u8]) -> usize) -> tempfile::TempDir {
    let folder = filled(cut);
    let path = if pick == "catalog" { folder.path().join(pick) } else { only_file(folder.path().join(pick)) };
    let mut bytes = std::fs::read(&path).unwrap();
    let bit = bit(&bytes);
    bytes[bit / 8] ^= 1 << (bit % 8);
    std::fs::write(&path, bytes).unwrap();
    folder
}

/// Every sample that is served is one that was stored; returns how many there are.
fn served(folder: &Path) -> (usize, usize, u64) {
    let (store, report) = open_damaged(folder);
    let found = store.select(&all()).unwrap();
    let mut count = 0;
    for s in &found {
        let g: i64 = s.labels.get("service").unwrap()[1..].parse().unwrap();
        for (t, bits) in points(s) {
            let n = (t - START) / 1_000;
            let wanted = if s.labels.name() == "noise" { (n * 7919 % 1009 * (g + 1)) as f64 / 1e3 } else { 1.0 };
            assert_eq!(bits, wanted.to_bits());
            count += 1;
        }
    }
    (count, report.damage.len(), store.stats().damaged)
}

#[test]
fn a_flipped_bit_in_a_block_costs_what_it_hits() {
    let mut whole = 0;
    for i in 0..60 {
        let folder = flipped(true, "blocks", |bytes| bytes.len() * 8 / 60 * i + i % 8);
        let (count, reported, damaged) = served(folder.path());
        assert!(reported > 0 || damaged > 0 || count == 600, "flip {i}: {count} samples and no word of it");
        // Its first bytes and the labels' second copy are not needed to read; the end and the table are for all groups.
        whole += usize::from(count == 600);
        assert!(count == 600 || count == 0 || count >= 400, "flip {i}: {count}");
    }
    assert!(whole < 30, "most of a block is data");
}

#[test]
fn a_damaged_end_of_a_block_sets_it_aside() {
    let folder = flipped(true, "blocks", |bytes| bytes.len() * 8 - 100);
    let (store, report) = open_damaged(folder.path());
    assert!(report.damage[0].ends_with("its end is damaged"), "{:?}", report.damage);
    assert_eq!(store.stats().blocks, 0);
    assert!(folder.path().join("damaged/1/0000000001.block").exists());
    let group = store.group(&[labels("up0", 0), labels("noise", 0)]).unwrap();
    store.append_rows(&[row(group, START, &[1.0, 0.0])]).unwrap();
    assert_eq!(one(&store, "up0").len(), 1, "writing goes on");
}

#[test]
fn a_flipped_bit_in_the_log_costs_its_group_up_to_the_next_key_and_is_set_aside() {
    for i in 0..40 {
        let folder = flipped(false, "wal", |bytes| {
            // What fills sectors is zeros, and says nothing.
            let at = bytes.len() / 41 * i + 8;
            (at + bytes[at..].iter().position(|b| *b != 0).unwrap()) * 8 + i % 8
        });
        let (count, reported, _) = served(folder.path());
        assert!((400..600).contains(&count) && (1..=2).contains(&reported), "flip {i}: {count}, {reported}");
        assert!(folder.path().join("damaged/1/0000000001.wal").exists());
        assert_eq!(served(folder.path()), (count, 0, 0), "reported once, then in a span");
    }
}

#[test]
fn a_flipped_bit_in_a_file_of_spans_costs_its_span() {
    for i in 0..40 {
        let folder = filled(false);
        let store = open(folder.path());
        store.flush().unwrap();
        drop(store);
        let path = only_file(folder.path().join("spans"));
        let mut bytes = std::fs::read(&path).unwrap();
        let bit = bytes.len() * 8 / 41 * i + 8 * 8 + i % 8;
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, bytes).unwrap();
        let (count, reported, _) = served(folder.path());
        assert_eq!((count, reported), (400, 1), "flip {i}");
    }
}

#[test]
fn a_torn_log_is_cut_without_a_word() {
    let folder = filled(false);
    let path = only_file(folder.path().join("wal"));
    let bytes = std::fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|b| *b != 0).unwrap();
    std::fs::write(&path, &bytes[..end - 2]).unwrap();
    let (store, report) = open_damaged(folder.path());
    assert!(report.damage.is_empty() && report.torn_bytes > 0, "{report:?}");
    assert_eq!((report.replayed, one(&store, "up2").len()), (598, 99));
}

#[test]
fn a_lost_catalog_costs_nothing_that_is_in_blocks() {
    let folder = filled(true);
    std::fs::remove_file(folder.path().join("catalog")).unwrap();
    assert_eq!(served(folder.path()), (600, 0, 0));
    for i in 0..20 {
        let folder = flipped(true, "catalog", |bytes| bytes.len() * 8 / 20 * i + i % 8);
        let (count, _, damaged) = served(folder.path());
        assert_eq!((count, damaged), (600, 0), "flip {i}");
    }
}

#[test]
fn a_block_of_a_later_layout_is_refused_and_left_alone() {
    let folder = filled(true);
    let path = only_file(folder.path().join("blocks"));
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len() - 1;
    (bytes[7], bytes[end]) = (b'9', b'9');
    std::fs::write(&path, bytes).unwrap();
    let error = store_series::SeriesStore::open(folder.path(), common::options()).err().unwrap().to_string();
    assert!(error.ends_with("was written by a newer Farero: start that version again"), "{error}");
    assert!(path.exists());
}
