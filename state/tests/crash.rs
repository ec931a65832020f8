//! A process that is killed at any moment loses nothing it was told is stored. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use common::{alert, at, each_database, entry, event, result};
use kernel::alert::{AlertState, EventKind};
use kernel::probe::{CheckId, Outcome};
use state::{AlertFilter, DeliveryCommit, EvaluationCommit, OutboxFilter, ResultFilter, State};

const PLACE: &str = "FARERO_CRASH_PLACE";
const ROUNDS: usize = 30;

/// The process that is killed: stores one thing of each kind after the other and says each number once it is stored.
#[test]
fn child_writes_until_it_is_killed() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let state = State::open_url(&place).unwrap();
    let first: i64 = state.setting("next").unwrap().map_or(0, |n| n.parse().unwrap());
    for n in first.. {
        let firing = alert(&format!("R{n}"), AlertState::Firing, n);
        let fired = event(&firing, EventKind::Fired);
        let evaluation = EvaluationCommit {
            system: "sigcerh".into(),
            group: format!("g{n}"),
            active: vec![kernel::alert::Alert { group: format!("g{n}"), ..firing }],
            events: vec![fired.clone()],
            at: at(n),
        };
        state.commit_evaluation(&evaluation).unwrap();
        let decision = DeliveryCommit {
            decided: vec![fired.id],
            outbox: vec![entry(&format!("a{n}"), "correo", n), entry(&format!("b{n}"), "sms", n)],
            ..DeliveryCommit::default()
        };
        state.commit_deliveries(&decision).unwrap();
        state
            .record_results(&[Arc::new(result("s/c/k", n, if n % 2 == 0 { Outcome::Up } else { Outcome::Down }))])
            .unwrap();
        state.set_setting("next", Some(&(n + 1).to_string())).unwrap();
        writeln!(std::io::stdout(), "stored {n}").unwrap();
    }
}

fn run_and_kill(place: &str, lines: usize) -> i64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_writes_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(PLACE, place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = -1;
    let number = |line: &str| line.rsplit_once("stored ").and_then(|(_, n)| n.parse::<i64>().ok());
    let mut seen = 0;
    while seen < lines {
        if let Some(n) = number(&output.next().unwrap().unwrap()) {
            last = n;
            seen += 1;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died counts too.
    output.map_while(Result::ok).filter_map(|l| number(&l)).last().unwrap_or(last)
}

#[test]
fn nothing_acknowledged_is_lost_by_kill() {
    each_database(|f| {
        let f = f.closed();
        for round in 0..ROUNDS {
            let last = run_and_kill(&f.url, 1 + round % 4);
            let state = State::open_at(&f.location).unwrap();
            let outbox = state.outbox(&OutboxFilter { limit: 100_000, ..OutboxFilter::default() }).unwrap();
            let alerts = state.alerts(&AlertFilter { limit: 100_000, ..AlertFilter::default() }).unwrap();
            let undecided = state.undecided_events("sigcerh", 100).unwrap();
            let stored = i64::try_from(alerts.len()).unwrap();
            assert!(stored > last, "round {round}: {stored} alerts, {last} was acknowledged");
            assert!(stored <= last + 2, "round {round}: nothing is stored twice");
            assert_eq!(outbox.len() % 2, 0, "round {round}: a decision is stored whole or not at all");
            assert!(outbox.len() as i64 / 2 > last);
            assert_eq!(
                stored - outbox.len() as i64 / 2,
                undecided.len() as i64,
                "decided if and only if in the outbox"
            );
            let latest = ResultFilter { limit: 1, ..ResultFilter::default() };
            let newest = &state.results(&CheckId::new("s", "c", "k"), &latest).unwrap()[0];
            assert!(newest.started_at >= at(last));
        }
        assert_eq!(State::open_at(&f.location).unwrap().integrity().unwrap(), [""; 0]);
    });
}
