//! Stories of alerts with the time turned forward by hand, over real PromQL. Pure.

use std::time::Duration as StdDuration;

use decide_promql::memory::MemoryReader;

use super::*;
use crate::rules::Origin;
use crate::testing::{at, plan};

/// A group, its memory and its series.
struct World {
    group: RuleGroup,
    series: MemoryReader,
    now: Timestamp,
    last_turn: Option<Timestamp>,
    watching_since: Timestamp,
    memory: Vec<Alert>,
    recorded: Vec<Labels>,
    explanations: Explanations,
    last: GroupDecision,
}

fn rule(name: &str, expr: &str, hold: &str) -> Rule {
    Rule {
        name: name.into(),
        kind: RuleKind::Alert { hold: hold.parse().unwrap(), keep_firing_for: Duration::ZERO },
        query: Query::parse(expr).unwrap(),
        labels: vec![("severity".into(), Template::parse("critica").unwrap())],
        annotations: vec![("summary".into(), Template::parse("{{ $labels.service }}: {{ $value }}").unwrap())],
        evidence: None,
        explainable: false,
    }
}

fn up(service: &str) -> Labels {
    Labels::metric("probe_success", [("system", "sigcerh"), ("service", service)])
}

impl World {
    fn new(rules: Vec<Rule>) -> Self {
        let start = at("2026-11-22T10:00:00Z");
        Self {
            group: RuleGroup {
                system: "sigcerh".into(),
                name: "g".into(),
                origin: Origin::Plan,
                interval: Duration::from_secs(60),
                limit: 0,
                query_offset: Duration::ZERO,
                rules,
            },
            series: MemoryReader::default(),
            now: start,
            last_turn: None,
            watching_since: start,
            memory: Vec::new(),
            recorded: Vec::new(),
            explanations: Explanations::default(),
            last: GroupDecision::default(),
        }
    }

    /// Writes a sample, evaluates, keeps what follows and gives the events as `kind service`.
    fn turn(&mut self, values: &[(&str, f64)]) -> Vec<String> {
        for (service, value) in values {
            self.series.add(up(service), &[(self.now.as_millis(), *value)]);
        }
        let plan = plan();
        let (limits, none) = (Limits::default(), Labels::default());
        self.last = decide_group(
            &self.group,
            &Turn {
                plan: &plan,
                memory: &self.memory,
                recorded: &self.recorded,
                last_turn: self.last_turn,
                watching_since: self.watching_since,
                explanations: &self.explanations,
                reason: &|_| None,
                reader: &self.series,
                limits: &limits,
                external_labels: &none,
                external_url: "",
                now: self.now,
            },
        );
        self.memory = self.last.active.clone();
        self.recorded = self.last.recorded.clone();
        self.last_turn = Some(self.now);
        for sample in &self.last.samples {
            if let Point::Float(value) = sample.value {
                self.series.add(sample.labels.clone(), &[(sample.t_ms, value)]);
            }
        }
        self.now = self.now + StdDuration::from_secs(60);
        let name = |e: &AlertEvent| format!("{:?} {}", e.kind, e.alert.labels.get("service").unwrap_or_default());
        self.last.events.iter().map(name).collect()
    }

    /// Farero is down for a while.
    fn outage(&mut self, minutes: u64) {
        self.now = self.now + StdDuration::from_secs(60 * minutes);
        self.watching_since = self.now;
    }

    fn sample(&self, name: &str) -> Option<f64> {
        let found = self.last.samples.iter().find(|s| s.labels.name() == name)?;
        match found.value {
            Point::Float(v) => Some(v),
            Point::Histogram(_) => None,
        }
    }
}

const DOWN: &str = "probe_success == 0";

#[test]
fn alr_03_fires_after_the_hold_and_resolves() {
    let mut world = World::new(vec![rule("Down", DOWN, "2m")]);
    assert!(world.turn(&[("backend", 0.0)]).is_empty());
    assert_eq!(world.memory[0].state, AlertState::Pending);
    assert_eq!(world.sample("ALERTS"), Some(1.0));
    assert!(world.turn(&[("backend", 0.0)]).is_empty());
    assert_eq!(world.turn(&[("backend", 0.0)]), ["Fired backend"]);
    let fired = world.last.events[0].clone();
    assert_eq!(fired.rank, kernel::Rank::Critical);
    assert_eq!(fired.alert.annotations.get("summary"), Some("backend: 0"));
    assert_eq!(fired.alert.active_at, at("2026-11-22T10:00:00Z"));
    assert_eq!(fired.alert.fired_at, Some(at("2026-11-22T10:02:00Z")));
    assert!(world.turn(&[("backend", 0.0)]).is_empty(), "told once");
    assert_eq!(world.turn(&[("backend", 1.0)]), ["Resolved backend"]);
    let ended = &world.last.events[0];
    assert_eq!(ended.alert.firing_id(), fired.alert.firing_id());
    assert_ne!(ended.id, fired.id);
    assert!(kernel::series::is_stale(world.sample("ALERTS").unwrap()));
    assert!(world.memory.is_empty());
}

#[test]
fn alr_03_a_break_starts_the_hold_again() {
    let mut world = World::new(vec![rule("Down", DOWN, "2m")]);
    for value in [0.0, 0.0, 1.0, 0.0, 0.0] {
        assert!(world.turn(&[("backend", value)]).is_empty());
    }
    assert_eq!(world.turn(&[("backend", 0.0)]), ["Fired backend"]);
}

#[test]
fn alr_03_hold_times_of_the_plans() {
    for (hold, minutes) in [("0s", 0), ("1m", 1), ("5m", 5), ("10m", 10), ("1h", 60)] {
        let mut world = World::new(vec![rule("Down", DOWN, hold)]);
        let fired = (0..=60).position(|_| !world.turn(&[("backend", 0.0)]).is_empty());
        assert_eq!(fired, Some(minutes), "{hold}");
    }
}

#[test]
fn alr_03_keeps_firing_for_a_while() {
    let mut kept = rule("Down", DOWN, "0s");
    kept.kind = RuleKind::Alert { hold: Duration::ZERO, keep_firing_for: Duration::from_mins(3) };
    let mut world = World::new(vec![kept]);
    assert_eq!(world.turn(&[("backend", 0.0)]), ["Fired backend"]);
    assert!(world.turn(&[("backend", 1.0)]).is_empty());
    assert!(world.turn(&[("backend", 0.0)]).is_empty(), "the same firing");
    assert!(world.turn(&[("backend", 1.0)]).is_empty());
    assert!(world.turn(&[("backend", 1.0)]).is_empty());
    assert_eq!(world.turn(&[("backend", 1.0)]), ["Resolved backend"]);
}

#[test]
fn alr_23_a_restart_goes_on_where_it_was() {
    let mut world = World::new(vec![rule("Down", DOWN, "2m")]);
    world.turn(&[("backend", 0.0)]);
    let stored = serde_json::to_string(&world.memory).unwrap();
    world.memory = serde_json::from_str(&stored).unwrap();
    world.recorded.clear();
    world.turn(&[("backend", 0.0)]);
    assert_eq!(world.turn(&[("backend", 0.0)]), ["Fired backend"]);
    world.memory = serde_json::from_str(&serde_json::to_string(&world.memory).unwrap()).unwrap();
    assert!(world.turn(&[("backend", 0.0)]).is_empty(), "not told again");
}

#[test]
fn chk_10_blind_time_does_not_count_towards_the_hold() {
    let mut world = World::new(vec![rule("Down", DOWN, "5m")]);
    for _ in 0..3 {
        world.turn(&[("backend", 0.0)]);
    }
    world.outage(30);
    assert!(world.turn(&[("backend", 0.0)]).is_empty(), "30 minutes nobody watched");
    assert!(world.last.report.gap > Duration::from_mins(29));
    assert!(world.turn(&[("backend", 0.0)]).is_empty());
    assert_eq!(world.turn(&[("backend", 0.0)]), ["Fired backend"]);
    let mut long = World::new(vec![rule("Down", DOWN, "2m")]);
    long.turn(&[("backend", 0.0)]);
    long.turn(&[("backend", 0.0)]);
    long.outage(90);
    assert!(long.turn(&[("backend", 0.0)]).is_empty());
    assert!(long.turn(&[("backend", 0.0)]).is_empty(), "after more than an hour it starts again");
    assert_eq!(long.turn(&[("backend", 0.0)]), ["Fired backend"]);
}

#[test]
fn chk_15_no_recovery_without_a_result() {
    let mut seen = rule("Down", DOWN, "0s");
    seen.evidence = Some(Query::parse("probe_success").unwrap());
    let mut world = World::new(vec![seen]);
    assert_eq!(world.turn(&[("backend", 0.0), ("ocr", 1.0)]), ["Fired backend"]);
    world.outage(60);
    for _ in 0..20 {
        assert!(world.turn(&[("ocr", 1.0)]).is_empty(), "nothing is seen of the backend");
    }
    assert_eq!(world.last.report.rules[0].unseen, 1);
    assert_eq!(world.turn(&[("backend", 1.0)]), ["Resolved backend"]);
}

#[test]
fn chk_15_a_restart_alone_resolves_nothing() {
    let mut world = World::new(vec![rule("Down", DOWN, "0s")]);
    assert_eq!(world.turn(&[("backend", 0.0)]), ["Fired backend"]);
    world.outage(60);
    for _ in 0..5 {
        assert!(world.turn(&[]).is_empty());
    }
    assert_eq!(world.turn(&[]), ["Resolved backend"], "then as Prometheus does");
}

#[test]
fn alr_23_an_error_neither_fires_nor_resolves() {
    let many = "probe_success == on(system) probe_success";
    let mut world = World::new(vec![rule("Down", DOWN, "0s")]);
    assert_eq!(world.turn(&[("backend", 0.0)]), ["Fired backend"]);
    let before = world.memory.clone();
    world.group.rules[0].query = Query::parse(many).unwrap();
    assert!(world.turn(&[("backend", 1.0), ("ocr", 1.0)]).is_empty());
    assert!(world.last.report.rules[0].error.is_some());
    assert_eq!(world.memory, before);
    world.group.rules[0].query = Query::parse(DOWN).unwrap();
    assert_eq!(world.turn(&[("backend", 1.0)]), ["Resolved backend"]);
}

#[test]
fn alr_23_a_group_over_its_limit_changes_nothing() {
    let mut world = World::new(vec![rule("Down", DOWN, "0s")]);
    world.group.limit = 1;
    assert!(world.turn(&[("backend", 0.0), ("ocr", 0.0)]).is_empty());
    assert!(world.last.report.rules[0].error.as_deref().unwrap().contains("the group's limit is 1"));
}

#[test]
fn met_14_later_rules_see_what_earlier_ones_wrote() {
    let record = Rule {
        name: "service:down:count".into(),
        kind: RuleKind::Record,
        labels: vec![("from".into(), Template::parse("rule").unwrap())],
        annotations: Vec::new(),
        ..rule("x", "count(probe_success == 0)", "0s")
    };
    let mut world = World::new(vec![record, rule("Many", "service:down:count{from=\"rule\"} > 1", "0s")]);
    assert!(world.turn(&[("backend", 0.0), ("ocr", 1.0)]).is_empty());
    assert_eq!(world.sample("service:down:count"), Some(1.0));
    assert_eq!(world.turn(&[("backend", 0.0), ("ocr", 0.0)]), ["Fired "]);
    assert_eq!(world.turn(&[("backend", 1.0), ("ocr", 1.0)]), ["Resolved "]);
    assert!(kernel::series::is_stale(world.sample("service:down:count").unwrap()));
}

#[test]
fn pln_02_rules_see_their_own_system_only() {
    let mut world = World::new(vec![rule("Down", DOWN, "0s")]);
    let other = Labels::metric("probe_success", [("system", "nuam"), ("service", "api")]);
    world.series.add(other, &[(world.now.as_millis(), 0.0)]);
    assert!(world.turn(&[]).is_empty());
}

#[test]
fn alr_06_what_is_explained_is_marked_and_told_once_it_stands_for_itself() {
    use crate::health::{Seen, decide_explanations};
    use kernel::probe::{CheckId, Outcome};
    let seen = |service: &str, outcome, minute: u64, recovered_at| Seen {
        check: CheckId::new("sigcerh", service, "check"),
        outcome,
        at: at("2026-11-22T10:00:00Z") + StdDuration::from_secs(60 * minute),
        recovered_at,
    };
    let mut down = rule("ServiceDown", DOWN, "0s");
    down.explainable = true;
    let mut world = World::new(vec![down]);
    let all = [seen("postgres", Outcome::Down, 0, None), seen("backend", Outcome::Down, 0, None)];
    world.explanations = decide_explanations(&plan(), &all);
    assert_eq!(world.turn(&[("postgres", 0.0), ("backend", 0.0)]), ["Fired backend", "Fired postgres"]);
    let explained = |w: &World, i: usize| w.last.events[i].alert.annotations.get(EXPLAINED_BY).map(ToOwned::to_owned);
    assert_eq!(explained(&world, 0).as_deref(), Some("postgres"));
    assert_eq!(explained(&world, 1), None);
    // The database is back, the backend was not asked since: no word of it yet.
    let back = Some(at("2026-11-22T10:01:00Z"));
    let all = [seen("postgres", Outcome::Up, 1, back), seen("backend", Outcome::Down, 0, None)];
    world.explanations = decide_explanations(&plan(), &all);
    assert_eq!(world.turn(&[("postgres", 1.0)]), ["Resolved postgres"]);
    // It is still down by itself: told now, as the same firing.
    let all = [seen("postgres", Outcome::Up, 1, back), seen("backend", Outcome::Down, 2, None)];
    world.explanations = decide_explanations(&plan(), &all);
    assert_eq!(world.turn(&[("backend", 0.0)]), ["Fired backend"]);
    assert!(world.last.events[0].id.ends_with("-fired-alone"));
    assert_eq!(explained(&world, 0), None);
    // Once told it stays told, whatever breaks below.
    let all = [seen("postgres", Outcome::Down, 3, None), seen("backend", Outcome::Down, 3, None)];
    world.explanations = decide_explanations(&plan(), &all);
    world.turn(&[("postgres", 0.0), ("backend", 0.0)]);
    assert_eq!(world.turn(&[("postgres", 0.0), ("backend", 1.0)]), ["Resolved backend"]);
    assert_eq!(explained(&world, 0), None);
}

#[test]
fn alr_23_a_rule_taken_out_of_the_plan_ends_its_alerts() {
    let mut world = World::new(vec![rule("Down", DOWN, "0s"), rule("Other", "probe_success == 2", "0s")]);
    world.turn(&[("backend", 0.0)]);
    let gone = decide_removed(&plan(), &world.memory, world.now);
    assert_eq!((gone.events.len(), gone.samples.len(), gone.active.len()), (1, 2, 0));
    world.group.rules.remove(0);
    assert_eq!(world.turn(&[("backend", 0.0)]), ["Resolved backend"]);
}

#[test]
fn alr_22_a_template_that_fails_says_so_in_its_place() {
    let mut bad = rule("Down", DOWN, "0s");
    bad.annotations[0].1 = Template::parse("{{ query \"nothing_here\" | first | value }}").unwrap();
    let mut world = World::new(vec![bad]);
    world.turn(&[("backend", 0.0)]);
    let text = world.memory[0].annotations.get("summary").unwrap();
    assert!(text.starts_with("<error expanding template: first: the query's answer is empty"), "{text}");
    assert_eq!(world.last.report.rules[0].remarks.len(), 1);
}

/// Two rules of one name and severity, each with a service of its own, as the plan's thresholds make them for two runbooks.
fn family(evidence: bool) -> World {
    let of = |service: &str| {
        let seen = format!("probe_success{{service=\"{service}\"}}");
        let mut rule = rule("ServiceDown", &format!("{seen} == 0"), "0s");
        rule.evidence = evidence.then(|| Query::parse(&seen).unwrap());
        rule
    };
    World::new(vec![of("a"), of("b")])
}

#[test]
fn alr_03_rules_of_one_name_keep_their_alerts_apart() {
    for evidence in [true, false] {
        let mut world = family(evidence);
        assert_eq!(world.turn(&[("a", 0.0), ("b", 0.0)]), ["Fired a", "Fired b"]);
        for _ in 0..3 {
            assert!(world.turn(&[("a", 0.0), ("b", 0.0)]).is_empty(), "evidence {evidence}");
            assert_eq!(world.memory.len(), 2, "each alert is kept once; evidence {evidence}");
            let of_rule = |n: usize| {
                world.last.report.rules[n].alerts.iter().map(|l| l.get("service").unwrap()).collect::<Vec<_>>()
            };
            assert_eq!([of_rule(0), of_rule(1)], [["a"], ["b"]], "each stands with its rule; evidence {evidence}");
        }
        assert_eq!(world.turn(&[("a", 1.0), ("b", 0.0)]), ["Resolved a"]);
        assert_eq!(world.memory.len(), 1, "what ended stays ended; evidence {evidence}");
        assert_eq!(world.turn(&[("a", 1.0), ("b", 1.0)]), ["Resolved b"]);
        assert!(world.memory.is_empty());
    }
}

#[test]
fn alr_03_of_rules_of_one_name_unseen_alerts_stay_once() {
    let mut world = family(true);
    world.turn(&[("a", 0.0), ("b", 1.0)]);
    world.outage(30);
    for _ in 0..3 {
        assert!(world.turn(&[("b", 1.0)]).is_empty());
        assert_eq!(world.memory.len(), 1);
    }
    assert_eq!(world.last.report.rules.iter().map(|r| r.unseen).sum::<usize>(), 1);
    world.group.rules[0].query = Query::parse("probe_success / on(nothing) probe_success == 0").unwrap();
    world.turn(&[("a", 0.0), ("b", 0.0)]);
    assert_eq!(world.memory.len(), 2, "what could not be asked keeps its alerts: {:?}", world.last.report);
    assert_eq!(world.last.report.rules.iter().map(|r| r.alerts.len()).collect::<Vec<_>>(), [1, 1]);
}
