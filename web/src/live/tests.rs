//! What the read model keeps, forgets and announces. Pure.

use kernel::probe::{Evidence, Outcome};
use kernel::{Duration, Timestamp};

use super::*;
use crate::sample;

struct Fixed;
impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        sample::NOW
    }
}

fn result(at: i64, outcome: Outcome) -> Arc<ProbeResult> {
    Arc::new(ProbeResult {
        check: CheckId::new("sigcerh", "backend", "salud"),
        due_at: Timestamp::from_secs(at),
        started_at: Timestamp::from_secs(at),
        duration: Duration::from_millis(120),
        outcome,
        attempts: 1,
        phases: Vec::new(),
        readings: Vec::new(),
        evidence: Evidence::default(),
    })
}

fn live() -> Live {
    let live = Live::new(&Fixed);
    live.set_plan(sample::version(sample::SIGCERH));
    live
}

#[test]
fn an_outcome_has_a_since_and_a_late_older_result_changes_nothing() {
    let live = live();
    let id = CheckId::new("sigcerh", "backend", "salud");
    for (at, outcome) in [(10, Outcome::Up), (20, Outcome::Down), (30, Outcome::Down), (15, Outcome::Up)] {
        live.record_result(&result(at, outcome), None);
    }
    live.check(&id, |_, c| {
        assert_eq!(c.outcome(), Outcome::Down);
        assert_eq!(c.since, Some(Timestamp::from_secs(20)));
        assert_eq!(c.recent.len(), 3);
    })
    .unwrap();
}

#[test]
fn restored_results_come_before_what_was_seen_since() {
    let live = live();
    let id = CheckId::new("sigcerh", "backend", "salud");
    live.record_result(&result(100, Outcome::Up), None);
    let beats = [90, 95, 100].map(|s| Beat { at: Timestamp::from_secs(s), outcome: Outcome::Up, duration_ms: 1 });
    live.restore(&id, beats);
    live.check(&id, |_, c| {
        let at: Vec<i64> = c.recent.iter().map(|b| b.at.as_millis() / 1_000).collect();
        assert_eq!(at, [90, 95, 100]);
        assert_eq!(c.since, Some(Timestamp::from_secs(90)));
    })
    .unwrap();
}

#[test]
fn a_new_plan_keeps_the_states_of_checks_that_stay() {
    let live = live();
    live.record_result(&result(10, Outcome::Down), None);
    let mut changes = live.changes();
    live.set_plan(sample::version(sample::SIGCERH));
    let id = CheckId::new("sigcerh", "backend", "salud");
    assert_eq!(live.check(&id, |_, c| c.outcome()), Some(Outcome::Down));
    assert_eq!(changes.try_recv(), Ok(Change::Plan("sigcerh".into())));
}

#[test]
fn memory_per_check_is_bounded() {
    let live = live();
    for at in 0..1_000 {
        live.record_result(&result(at, Outcome::Up), None);
    }
    let id = CheckId::new("sigcerh", "backend", "salud");
    assert_eq!(live.check(&id, |_, c| c.recent.len()), Some(crate::limits::RECENT_RESULTS));
}
