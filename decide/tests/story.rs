//! The way of a failure through this room, with the time turned forward: results become series, rules fire, people hear.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::Duration as StdDuration;

use decide::deliver::{Activity, DeliveryFacts, DeliveryInput, decide_deliveries};
use decide::health::{Seen, decide_explanations};
use decide::rules::{RuleGroup, Turn, decide_group, rules_from_plan};
use decide_promql::Limits;
use decide_promql::memory::MemoryReader;
use jiff::tz::TimeZone;
use kernel::alert::{Alert, AlertEvent};
use kernel::message::{HeldItem, OutboxEntry};
use kernel::probe::{CheckId, Outcome};
use kernel::{Labels, Timestamp};
use plan_model::Plan;

fn plan() -> Plan {
    serde_json::from_value(serde_json::json!({
        "system": "sigcerh", "label": "SIGCERH", "timezone": "America/Lima", "language": "es",
        "severities": {
            "critica": { "label": "Crítica", "rank": "critical", "deliver": "now", "channels": ["correo"] },
            "advertencia": { "label": "Advertencia", "rank": "warning", "deliver": "within 1h", "channels": ["correo"] },
            "informativa": { "label": "Informativa", "rank": "info", "deliver": "daily at 07:00", "channels": ["correo"] }
        },
        "channels": { "correo": { "email": { "server": "m", "from": "a@b", "to": ["c@d"] } } },
        "defaults": { "every": "5m", "timeout": "30s", "attempts": 3, "slow": "5s" },
        "alerts": { "down": "critica", "slow": "advertencia", "summary": "informativa" },
        "services": {
            "backend": { "check": { "http": "http://b/api/health" }, "depends_on": ["postgres"] },
            "ocr": { "check": { "http": "http://o/health" } },
            "postgres": { "kind": "database", "check": { "postgres": "postgres://p" } }
        }
    }))
    .unwrap()
}

/// All that `run` and `state` keep between turns, in memory.
struct World {
    plan: Plan,
    groups: Vec<RuleGroup>,
    now: Timestamp,
    started: Timestamp,
    series: MemoryReader,
    seen: BTreeMap<String, Seen>,
    memory: BTreeMap<String, Vec<Alert>>,
    last_turn: Option<Timestamp>,
    undecided: Vec<AlertEvent>,
    held: Vec<HeldItem>,
    marks: BTreeMap<String, Timestamp>,
    outbox: BTreeMap<String, OutboxEntry>,
    told: Vec<String>,
}

impl DeliveryFacts for World {
    fn mark(&self, key: &str) -> Option<Timestamp> {
        self.marks.get(key).copied()
    }

    fn activity(&self, _: Timestamp, _: Timestamp) -> Activity {
        let open = self.memory.values().flatten().cloned().collect();
        Activity { up: 288, uptime_percent: Some(100.0), open, ..Activity::default() }
    }
}

impl World {
    fn new(start: &str) -> Self {
        let (plan, start) = (plan(), Timestamp::parse(start).unwrap());
        Self {
            groups: rules_from_plan(&plan),
            plan,
            now: start,
            started: start,
            series: MemoryReader::default(),
            seen: BTreeMap::new(),
            memory: BTreeMap::new(),
            last_turn: None,
            undecided: Vec::new(),
            held: Vec::new(),
            marks: BTreeMap::new(),
            outbox: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// A check's result: its series, and what is known of it.
    fn result(&mut self, service: &str, outcome: Outcome, seconds: f64) {
        let labels = [("system", "sigcerh"), ("service", service), ("check", "check"), ("kind", "http")];
        let number = |yes: bool| if yes { 1.0 } else { 0.0 };
        let all = [
            ("probe_success", number(outcome.is_success())),
            ("probe_slow", number(outcome == Outcome::Slow)),
            ("probe_duration_seconds", seconds),
        ];
        for (name, value) in all {
            self.series.add(Labels::metric(name, labels), &[(self.now.as_millis(), value)]);
        }
        let before = self.seen.get(service);
        let back = outcome.is_success() && before.is_some_and(|s| s.outcome == Outcome::Down);
        let recovered_at = if back { Some(self.now) } else { before.and_then(|s| s.recovered_at) };
        let check = CheckId::new("sigcerh", service, "check");
        self.seen.insert(service.to_owned(), Seen { check, outcome, at: self.now, recovered_at });
    }

    /// One turn of the rules and one of the deliveries; what goes out is added to `told` as `HH:MM title`, local time.
    fn turn(&mut self) {
        let explanations = decide_explanations(&self.plan, &self.seen.values().cloned().collect::<Vec<_>>());
        let (limits, none) = (Limits::default(), Labels::default());
        for group in &self.groups {
            let memory = self.memory.get(&group.name).cloned().unwrap_or_default();
            let decision = decide_group(
                group,
                &Turn {
                    plan: &self.plan,
                    memory: &memory,
                    recorded: &[],
                    last_turn: self.last_turn,
                    watching_since: self.started,
                    explanations: &explanations,
                    reason: &|_| None,
                    reader: &self.series,
                    limits: &limits,
                    external_labels: &none,
                    external_url: "https://farero.example",
                    now: self.now,
                },
            );
            assert!(decision.report.rules.iter().all(|r| r.error.is_none()), "{:?}", decision.report);
            self.memory.insert(group.name.clone(), decision.active);
            self.undecided.extend(decision.events);
        }
        self.last_turn = Some(self.now);
        let zone = TimeZone::get(&self.plan.timezone).unwrap();
        let decision = decide_deliveries(&DeliveryInput {
            plan: &self.plan,
            zone: &zone,
            base_url: Some("https://farero.example"),
            events: &self.undecided,
            held: &self.held,
            facts: self,
            now: self.now,
        });
        self.undecided.retain(|e| !decision.decided.contains(&e.id));
        self.held.retain(|i| !decision.release.contains(&i.id));
        self.held.extend(decision.hold);
        self.marks.extend(decision.marks);
        for entry in decision.outbox {
            self.told.push(format!("{} {}", self.now.in_zone(&zone).strftime("%H:%M"), entry.message.title));
            assert!(self.outbox.insert(entry.key.clone(), entry).is_none(), "told twice");
        }
    }

    /// Minutes pass, with results every five of them and a turn each.
    fn minutes(&mut self, n: u32, outcomes: &[(&str, Outcome, f64)]) {
        for _ in 0..n {
            let minute = self.now.as_millis() / 60_000;
            if minute % 5 == 0 {
                outcomes.iter().for_each(|(service, outcome, seconds)| self.result(service, *outcome, *seconds));
            }
            self.turn();
            self.now = self.now + StdDuration::from_secs(60);
        }
    }
}

const UP: [(&str, Outcome, f64); 3] =
    [("backend", Outcome::Up, 0.12), ("ocr", Outcome::Up, 1.0), ("postgres", Outcome::Up, 0.01)];

fn with(service: &str, outcome: Outcome, seconds: f64) -> Vec<(&str, Outcome, f64)> {
    UP.into_iter().map(|one| if one.0 == service { (service, outcome, seconds) } else { one }).collect()
}

#[test]
fn alr_06_the_backend_dies_and_comes_back() {
    let mut world = World::new("2026-11-22T15:00:00Z");
    world.minutes(10, &UP);
    world.minutes(10, &with("backend", Outcome::Down, 30.0));
    world.minutes(10, &UP);
    assert_eq!(world.told, ["10:10 Crítica: backend no responde", "10:20 Recuperado (Crítica): backend no responde"]);
}

#[test]
fn chk_14_slow_is_told_within_the_hour_and_is_not_down() {
    let mut world = World::new("2026-11-22T15:00:00Z");
    world.minutes(90, &with("ocr", Outcome::Slow, 8.5));
    assert_eq!(world.told, ["10:59 Advertencia: ocr va lento"]);
    let entry = world.outbox.values().next().unwrap();
    assert!(entry.message.text.contains("Valor: 8.5 s"), "{}", entry.message.text);
}

#[test]
fn chk_14_what_goes_from_slow_to_down_is_not_recovered_in_between() {
    let mut world = World::new("2026-11-22T15:00:00Z");
    world.minutes(65, &with("ocr", Outcome::Slow, 8.5));
    world.minutes(65, &with("ocr", Outcome::Down, 30.0));
    assert_eq!(world.told, ["10:59 Advertencia: ocr va lento", "11:05 Crítica: ocr no responde"]);
}

#[test]
fn alr_07_a_database_down_explains_the_backend() {
    let mut world = World::new("2026-11-22T15:00:00Z");
    world.minutes(5, &UP);
    let both = [("backend", Outcome::Down, 30.0), ("ocr", Outcome::Up, 1.0), ("postgres", Outcome::Down, 30.0)];
    world.minutes(20, &both);
    assert!(world.memory["plan-checks"].iter().any(|a| a.annotations.get("explained_by") == Some("postgres")));
    world.minutes(20, &UP);
    assert_eq!(
        world.told,
        [
            "10:05 Crítica: La base de datos postgres no responde",
            "10:25 Recuperado (Crítica): La base de datos postgres no responde"
        ]
    );
}

#[test]
fn alr_07_a_backend_that_stays_down_is_told_once_its_database_is_back() {
    let mut world = World::new("2026-11-22T15:00:00Z");
    let both = [("backend", Outcome::Down, 30.0), ("ocr", Outcome::Up, 1.0), ("postgres", Outcome::Down, 30.0)];
    world.minutes(10, &both);
    world.minutes(10, &with("backend", Outcome::Down, 30.0));
    world.minutes(5, &UP);
    assert_eq!(
        world.told,
        [
            "10:00 Crítica: La base de datos postgres no responde",
            "10:10 Recuperado (Crítica): La base de datos postgres no responde",
            "10:15 Crítica: backend no responde",
            "10:20 Recuperado (Crítica): backend no responde"
        ]
    );
}

#[test]
fn chk_10_an_outage_of_farero_tells_nothing_that_was_not_seen() {
    let mut world = World::new("2026-11-22T15:00:00Z");
    world.minutes(10, &with("backend", Outcome::Down, 30.0));
    world.now = world.now + StdDuration::from_secs(3 * 3_600);
    world.started = world.now;
    world.minutes(1, &[]);
    assert_eq!(world.told.len(), 1, "neither told again nor recovered: {:?}", world.told);
    world.minutes(5, &UP);
    assert_eq!(world.told.len(), 2);
    assert!(
        world.told[1].starts_with("13:10 Recuperado") || world.told[1].starts_with("13:15 Recuperado"),
        "{:?}",
        world.told
    );
}

#[test]
fn chn_09_the_digest_of_a_quiet_week_comes_every_morning() {
    let mut world = World::new("2026-11-22T15:00:00Z");
    world.minutes(3 * 24 * 60, &UP);
    let expect: Vec<String> = ["22", "23", "24"]
        .map(|day| format!("07:00 Resumen de SIGCERH del 2026-11-{day}: Disponibilidad: 100 %"))
        .to_vec();
    assert_eq!(world.told, expect);
}
