//! A process that appends to the trail as fast as it can is killed at random moments: the chain stays whole, and holds all that
//! the process was told is stored. I/O.
//!
//! `FARERO_TRAIL_ROUNDS=1000` runs the thousand rounds of the acceptance; without it few are enough to notice a mistake.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::at;
use kernel::trail::{Actor, Deed};
use prove_trail::Verifier;
use state::State;

const FOLDER: &str = "FARERO_TRAIL_FOLDER";
const ROUNDS: &str = "FARERO_TRAIL_ROUNDS";

/// Entries verified from the beginning at once; the rounds before left many.
const PAGE: usize = 10_000;

/// The process that is killed: says the number of each entry once it is stored. Every third entry comes with a change of
/// its own, in one transaction; every fourth time several entries are one.
#[test]
fn child_appends_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let state = State::open(folder.as_ref()).unwrap();
    let mut out = std::io::stdout();
    for n in 0.. {
        let deed = |k: i64| Deed::new(at(n), Actor::person("ana"), "a.b").on("thing", format!("{n}.{k}"));
        let head = match n % 4 {
            3 => state.record_all(&[deed(0), deed(1), deed(2)]).unwrap(),
            _ => state.record_all(&[deed(0)]).unwrap(),
        };
        writeln!(out, "stored {}", head.sequence).unwrap();
    }
}

/// Kills the process some time after it has stored its first entry; the last number that it said.
fn run_and_kill(folder: &Path, after: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_appends_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number = |line: &str| line.rsplit_once("stored ").and_then(|(_, n)| n.parse::<u64>().ok());
    let mut last = lines.by_ref().map_while(Result::ok).find_map(|l| number(&l)).unwrap();
    std::thread::sleep(after);
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    // What it said before it died counts too.
    last = lines.map_while(Result::ok).filter_map(|l| number(&l)).last().unwrap_or(last).max(last);
    last
}

#[test]
fn sec_12_kill_9_during_writes_keeps_the_chain_whole() {
    let rounds: u32 = std::env::var(ROUNDS).map_or(25, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut seen = 0;
    let mut verifier = Verifier::new([]);
    for round in 0..rounds {
        let after = Duration::from_micros(u64::from(rand::random::<u16>()) % 20_000);
        let last = run_and_kill(folder.path(), after);
        let state = State::open(folder.path()).unwrap();
        let head = state.trail_head().unwrap();
        assert!(head.sequence >= last, "round {round}: {last} was acknowledged, the chain ends at {}", head.sequence);
        assert!(head.sequence <= last + 3, "round {round}: one transaction more at most");
        // What was verified in an earlier round cannot have changed unseen: the last run goes over everything again.
        while let Some(end) = {
            let rows = state.trail_rows(seen, PAGE).unwrap();
            rows.iter().for_each(|r| verifier.entry(&r.entry));
            rows.last().map(|r| r.entry.head())
        } {
            seen = end.sequence;
        }
        assert_eq!(seen, head.sequence, "round {round}: head and last entry are one transaction");
    }
    let report = verifier.finish();
    assert!(report.is_whole(), "{:?}", report.problems);
    let state = State::open(folder.path()).unwrap();
    let mut again = Verifier::new([]);
    let mut at = 0;
    loop {
        let rows = state.trail_rows(at, PAGE).unwrap();
        let Some(last) = rows.last() else { break };
        at = last.entry.sequence;
        rows.iter().for_each(|r| again.entry(&r.entry));
    }
    let again = again.finish();
    assert!(again.is_whole() && again.last == report.last && again.last == state.trail_head().unwrap());
    assert_eq!(state.integrity().unwrap(), [""; 0]);
    println!("{rounds} rounds, {} entries, the chain is whole", again.last.sequence);
}
