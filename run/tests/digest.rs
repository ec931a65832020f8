//! The day's digest through the real state, with a clock turned by hand over changes of the local clock. I/O: temporary folders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may give up loudly")]

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use kernel::alert::{Alert, AlertEvent, AlertState, EventKind};
use kernel::message::{MessageKind, OutboxEntry};
use kernel::probe::{CheckId, Outcome, ProbeResult};
use kernel::{Clock as _, Labels, Rank, Timestamp};
use run::Core;
use run::loops::deliveries;
use state::{EvaluationCommit, OutboxFilter};

mod world;

use world::Hand;

/// Results are recorded and deliveries decided at least this often.
const STEP: Duration = Duration::from_secs(30 * 60);

const PLAN: &str = r#"
system: prueba
label: Sistema de prueba
timezone: ZONE
outgoing: { allow: ["127.0.0.1"] }
language: es
severities:
  critica: { label: Crítica, rank: critical, deliver: now, channels: [gancho] }
  informativa: { label: Informativa, rank: info, deliver: daily at 07:00, channels: [gancho] }
channels: { gancho: { webhook: { url: "http://127.0.0.1:9/" } } }
alerts: { down: critica, summary: informativa }
services: { backend: { label: Backend, check: { http: "http://127.0.0.1:9/" } } }
"#;

/// Farero's real core on a plan, without loops: the test makes their turns.
struct World {
    core: Core,
    clock: Arc<Hand>,
    zone: TimeZone,
    _folder: tempfile::TempDir,
}

impl World {
    fn new(zone: &str, start: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = folder.path().join("plan");
        std::fs::create_dir(&plan).unwrap();
        std::fs::write(plan.join("plan.yaml"), PLAN.replace("ZONE", zone)).unwrap();
        let zone = TimeZone::get(zone).unwrap();
        let start: jiff::civil::DateTime = start.parse().unwrap();
        let start = Timestamp::from_jiff(start.to_zoned(zone.clone()).unwrap().timestamp());
        let (core, clock) = world::core_on(folder.path(), &plan, None, start, |_| {});
        Self { core, clock, zone, _folder: folder }
    }

    /// Lets time pass: a result at each step, deliveries decided at each step and whenever the decision asked to be woken.
    fn pass(&self, days: i64) {
        let end = self.clock.now() + Duration::from_secs(86_400) * u32::try_from(days).unwrap();
        while self.clock.now() < end {
            self.record_result();
            let wake_at = deliveries::decide_all(&self.core);
            let next = self.clock.now() + STEP;
            let next = wake_at.map_or(next, |at| at.min(next)).max(self.clock.now() + Duration::from_millis(1));
            self.clock.turn(next);
        }
    }

    fn record_result(&self) {
        let now = self.clock.now();
        let result = ProbeResult {
            check: CheckId::new("prueba", "backend", "check"),
            due_at: now,
            started_at: now,
            duration: kernel::Duration::from_millis(12),
            outcome: Outcome::Up,
            attempts: 1,
            phases: Vec::new(),
            readings: Vec::new(),
            evidence: kernel::probe::Evidence::default(),
        };
        self.core.state.record_results(&[result.into()]).unwrap();
    }

    /// An alert of the informative severity fires.
    fn inform(&self, what: &str) {
        let now = self.clock.now();
        let alert = Alert {
            system: "prueba".into(),
            group: "g".into(),
            rule: what.into(),
            labels: Labels::new([("alertname", what), ("service", "backend"), ("severity", "informativa")]),
            annotations: Labels::new([("summary", what)]),
            state: AlertState::Firing,
            value: 1.0,
            active_at: now,
            fired_at: Some(now),
            last_true_at: now,
            resolved_at: None,
        };
        let id = format!("{}-fired", alert.firing_id());
        let event = AlertEvent { id, at: now, kind: EventKind::Fired, rank: Rank::Info, alert: alert.clone() };
        let commit = EvaluationCommit {
            system: "prueba".into(),
            group: "g".into(),
            active: vec![alert],
            events: vec![event],
            at: now,
        };
        self.core.state.commit_evaluation(&commit).unwrap();
    }

    /// Every message that was queued, the oldest first.
    fn queued(&self) -> Vec<OutboxEntry> {
        let filter = OutboxFilter { limit: 1_000, ..OutboxFilter::default() };
        let mut all: Vec<_> = self.core.state.outbox(&filter).unwrap().into_iter().map(|r| r.entry).collect();
        all.sort_by_key(|e| e.created_at);
        all
    }

    /// When each digest was made, in local time.
    fn digests(&self) -> Vec<String> {
        let local = |e: OutboxEntry| {
            assert_eq!(e.message.kind, MessageKind::Digest, "{e:?}");
            assert_eq!(e.due_at, e.created_at, "it may go out at once");
            e.created_at.in_zone(&self.zone).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
        };
        self.queued().into_iter().map(local).collect()
    }
}

/// One digest a day at 07:00 local, from the second day on, at the offsets given for each day.
fn check(zone: &str, start: &str, offsets: &[(&str, &str)]) {
    let world = World::new(zone, start);
    world.pass(i64::try_from(offsets.len()).unwrap());
    let expect: Vec<String> = offsets.iter().map(|(date, offset)| format!("{date} 07:00:00 {offset}")).collect();
    assert_eq!(world.digests(), expect, "{zone} from {start}");
    for entry in world.queued() {
        let text = &entry.message.text;
        assert!(text.contains("100") && text.contains("Backend"), "availability of the day: {text}");
    }
}

#[test]
fn chn_09_the_digest_keeps_07_00_when_summer_time_begins() {
    check(
        "America/Santiago",
        "2026-09-03T12:00:00",
        &[
            ("2026-09-04", "-04:00"),
            ("2026-09-05", "-04:00"),
            // The night from Saturday to Sunday has 23 hours.
            ("2026-09-06", "-03:00"),
            ("2026-09-07", "-03:00"),
        ],
    );
}

#[test]
fn chn_09_the_digest_keeps_07_00_when_summer_time_ends() {
    check(
        "America/Santiago",
        "2026-04-02T12:00:00",
        &[
            ("2026-04-03", "-03:00"),
            ("2026-04-04", "-03:00"),
            // Saturday has 25 hours.
            ("2026-04-05", "-04:00"),
            ("2026-04-06", "-04:00"),
        ],
    );
}

#[test]
fn chn_09_lima_hears_at_07_00() {
    check(
        "America/Lima",
        "2026-11-20T06:59:00",
        &[("2026-11-20", "-05:00"), ("2026-11-21", "-05:00"), ("2026-11-22", "-05:00")],
    );
}

#[test]
fn alr_05_what_is_informative_waits_for_the_next_digest_and_stands_in_it_once() {
    let world = World::new("America/Santiago", "2026-09-05T05:00:00");
    world.pass(1);
    world.inform("CopiaHecha");
    world.pass(2);
    let digests = world.digests();
    assert_eq!(digests.len(), 3, "{digests:?}");
    let all = world.queued();
    let news: Vec<usize> = all.iter().map(|e| e.message.items.len()).collect();
    assert_eq!(news, [0, 1, 0], "told as news once");
    // The third still names it among what is open.
    let named: Vec<bool> = all.iter().map(|e| e.message.text.contains("CopiaHecha")).collect();
    assert_eq!(named, [false, true, true]);
    assert!(world.core.state.held_items("prueba").unwrap().is_empty(), "nothing waits any more");
}

#[test]
fn chn_09_a_digest_missed_by_an_absence_is_told_late_and_once() {
    let world = World::new("America/Lima", "2026-11-20T06:00:00");
    world.pass(1);
    // Farero is away from 06:00 of the 21st until 18:00 of the 22nd: two digests were due, one is told, and says that it is late.
    world.clock.turn(world.clock.now() + Duration::from_secs(36 * 3_600));
    world.pass(1);
    let digests = world.digests();
    assert_eq!(digests, ["2026-11-20 07:00:00 -05:00", "2026-11-22 18:00:00 -05:00", "2026-11-23 07:00:00 -05:00"]);
    assert!(world.queued()[1].message.text.contains("07:00"), "{}", world.queued()[1].message.text);
}
