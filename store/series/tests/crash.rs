//! A process that is killed at any moment loses no row it was told is taken, and keeps none twice. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use common::{Rows, START, labels, one, open, row};
use kernel::Timestamp;
use store_series::SeriesStore;

const FOLDER: &str = "FARERO_CRASH_FOLDER";
const ROUNDS: usize = 30;

/// The process that is killed: appends row after row, makes blocks now and then, says each number once it is taken.
#[test]
fn child_appends_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = open(folder.as_ref());
    let group = store.group(&[labels("n", 0), labels("half", 0)]).unwrap();
    let first = one(&store, "n").len();
    for n in first.. {
        let t_ms = START + n as i64 * 60_000;
        let taken = store.append_rows(&[row(group, t_ms, &[n as f64, n as f64 / 2.0])]).unwrap();
        assert_eq!(taken.samples, 2);
        writeln!(std::io::stdout(), "taken {n}").unwrap();
        if n % 7 == 3 {
            store.cut().unwrap();
        }
        if n % 11 == 5 {
            store.maintain(Timestamp::from_millis(t_ms)).unwrap();
        }
    }
}

fn run_and_kill(folder: &std::path::Path, lines: usize) -> usize {
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

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kill() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..ROUNDS {
        let last = run_and_kill(folder.path(), 1 + round * 5 % 17);
        let store: SeriesStore = open(folder.path());
        for (name, part) in [("n", 1.0), ("half", 2.0)] {
            let found = one(&store, name);
            assert!(found.len() > last && found.len() <= last + 2, "round {round}: {} rows, {last} taken", found.len());
            for (i, (t, bits)) in found.iter().enumerate() {
                assert_eq!((*t, *bits), (START + i as i64 * 60_000, (i as f64 / part).to_bits()), "round {round}");
            }
        }
    }
}
