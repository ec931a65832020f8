//! Prints what the state costs: results of checks, flushes, evaluations, lists. I/O.
//!
//! `cargo run --release -p state --example bench_state`
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Instant;

use kernel::alert::{Alert, AlertEvent, AlertState, EventKind};
use kernel::probe::{CheckId, Evidence, Outcome, Phase, ProbeResult, Reading};
use kernel::{Duration, Labels, Rank, Timestamp};
use state::{AlertFilter, EvaluationCommit, Span, State};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_770_000_000 + seconds)
}

fn result(check: usize, seconds: i64, outcome: Outcome) -> ProbeResult {
    ProbeResult {
        check: CheckId::new("sigcerh", &format!("service-{check}"), "salud"),
        due_at: at(seconds),
        started_at: at(seconds),
        duration: Duration::from_millis(42),
        outcome,
        attempts: 1,
        phases: vec![(Phase::Resolve, 1.2), (Phase::Connect, 3.4), (Phase::Processing, 30.1)],
        readings: vec![Reading::new("probe_http_status_code", 200.0), Reading::new("probe_http_version", 1.1)],
        evidence: Evidence {
            status: Some("HTTP/1.1 200 OK".into()),
            body: Some("x".repeat(300)),
            ..Evidence::default()
        },
    }
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let out = work();
    println!("{what:<55} {:>9.2} ms", begun.elapsed().as_secs_f64() * 1e3);
    out
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path()).unwrap();
    let all = |n, s, outcome| (0..n).map(|c| Arc::new(result(c, s, outcome))).collect::<Vec<_>>();
    timed("10,000 checks for the first time", || state.record_results(&all(10_000, 0, Outcome::Up)).unwrap());
    state.mark_alive(at(0)).unwrap();
    let (up, down) = (all(1_000, 10, Outcome::Up), all(1_000, 11, Outcome::Down));
    timed("1,000 successes", || state.record_results(&up).unwrap());
    timed("1,000 changes to down, durable", || state.record_results(&down).unwrap());
    let down = all(1_000, 12, Outcome::Down);
    timed("1,000 failures, durable", || state.record_results(&down).unwrap());
    let up = all(10_000, 13, Outcome::Slow);
    state.record_results(&up).unwrap();
    let up = all(10_000, 14, Outcome::Slow);
    state.record_results(&up).unwrap();
    timed("mark_alive: flush of 10,000 checks", || state.mark_alive(at(15)).unwrap());
    let alerts: Vec<Alert> = (0..1_000)
        .map(|n| Alert {
            system: "sigcerh".into(),
            group: "servicios".into(),
            rule: "Down".into(),
            labels: Labels::new([("alertname", "Down".to_owned()), ("service", format!("service-{n}"))]),
            annotations: Labels::new([("summary", "El servicio no responde")]),
            state: AlertState::Firing,
            value: 0.0,
            active_at: at(0),
            fired_at: Some(at(60)),
            last_true_at: at(60),
            resolved_at: None,
        })
        .collect();
    let events: Vec<AlertEvent> = alerts
        .iter()
        .map(|a| AlertEvent {
            id: format!("{}-fired", a.firing_id()),
            at: at(60),
            kind: EventKind::Fired,
            rank: Rank::Critical,
            alert: a.clone(),
        })
        .collect();
    let (system, group) = ("sigcerh".to_owned(), "servicios".to_owned());
    let mut commit = EvaluationCommit { system, group, active: alerts, events, at: at(60) };
    timed("evaluation: 1,000 alerts begin to fire", || state.commit_evaluation(&commit).unwrap());
    commit.events.clear();
    timed("evaluation: 1,000 alerts fire on, nothing new", || state.commit_evaluation(&commit).unwrap());
    let group = "empty".to_owned();
    let empty = EvaluationCommit { group, active: Vec::new(), events: Vec::new(), ..commit };
    timed("evaluation: nothing before or after", || state.commit_evaluation(&empty).unwrap());
    timed("list of 100 alerts", || state.alerts(&AlertFilter::default()).unwrap());
    timed("latest results of 10,000 checks", || state.latest_results().unwrap());
    timed("days of 10,000 checks", || state.all_counts(Span::Day, at(-86_400 * 30), at(0)).unwrap());
    drop(state);
    timed("open with 10,000 checks", || State::open(folder.path()).unwrap());
}
