//! Groups evaluated over real PromQL, with the time turned by hand. Pure.

use decide_promql::memory::MemoryReader;
use kernel::series::is_stale;

use super::*;
use crate::rules::prometheus::state::Refused;
use crate::rules::prometheus::{Defaults, load_groups, read_rule_file};

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

struct World {
    group: Group,
    state: GroupState,
    series: MemoryReader,
    now: Timestamp,
}

impl World {
    fn new(rules: &str) -> Self {
        let group = Self::read(&format!("groups:\n- name: g\n{rules}"));
        let state = GroupState::new(&group, true);
        Self { group, state, series: MemoryReader::default(), now: Timestamp::from_secs(1_000_000) }
    }

    fn read(text: &str) -> Group {
        let file = read_rule_file(text, false).unwrap();
        load_groups("f.yml", &file, Defaults { interval: Duration::from_mins(1) }).unwrap().remove(0)
    }

    fn put(&mut self, name: &str, job: &str, value: f64) {
        self.series.add(Labels::metric(name, [("job", job)]), &[(self.now.as_millis(), value)]);
    }

    /// Evaluates, writes, and goes on by a minute.
    fn turn(&mut self) -> Turn {
        let (limits, labels, elapsed) = (Limits::default(), Labels::new([("site", "lima")]), || StdDuration::ZERO);
        let environment = Environment {
            reader: &self.series,
            limits: &limits,
            lookback: Duration::from_mins(5),
            subquery_step: Duration::from_mins(1),
            query_offset: Duration::ZERO,
            resend_delay: StdDuration::from_secs(60),
            external_labels: &labels,
            external_url: "http://x.example/p",
            clock: &At(self.now),
            elapsed: &elapsed,
        };
        let turn = evaluate_group(&self.group, &mut self.state, self.now, &environment);
        for (labels, value) in turn.writes() {
            if let Point::Float(v) = value {
                self.series.add(labels, &[(turn.t_ms, v)]);
            }
        }
        self.state.settle(&turn, &[]);
        self.now = self.now + StdDuration::from_secs(60);
        turn
    }
}

/// What a turn writes, as PromQL writes series; `stale` for what ends.
fn written(turn: &Turn) -> Vec<String> {
    let value = |p: &Point| match p {
        Point::Float(v) if is_stale(*v) => "stale".to_owned(),
        Point::Float(v) => v.to_string(),
        Point::Histogram(_) => "histogram".to_owned(),
    };
    let mut out: Vec<String> = turn.writes().iter().map(|(l, v)| format!("{l} {}", value(v))).collect();
    out.sort();
    out
}

#[test]
fn met_14_recorded_series_end_when_they_are_no_longer_given() {
    let mut world = World::new("  rules:\n  - {record: r, expr: up > 0, labels: {from: rule, job: ''}}\n");
    world.put("up", "a", 1.0);
    assert_eq!(written(&world.turn()), [r#"r{from="rule"} 1"#]);
    world.put("up", "a", 0.0);
    assert_eq!(written(&world.turn()), [r#"r{from="rule"} stale"#]);
    assert!(written(&world.turn()).is_empty(), "once");
}

#[test]
fn met_14_later_rules_see_what_earlier_ones_wrote_and_ended() {
    let rules = "  rules:\n  - {record: r, expr: up > 0}\n  - {record: n, expr: count(r) or vector(0)}\n";
    let mut world = World::new(rules);
    world.put("up", "a", 1.0);
    assert_eq!(written(&world.turn()), ["n 1", r#"r{job="a"} 1"#]);
    world.put("up", "a", 0.0);
    assert_eq!(written(&world.turn()), ["n 0", r#"r{job="a"} stale"#]);
}

#[test]
fn met_14_a_group_over_its_limit_writes_nothing() {
    let mut world = World::new("  limit: 1\n  rules:\n  - {record: r, expr: up}\n  - {alert: A, expr: up}\n");
    world.put("up", "a", 1.0);
    assert_eq!(written(&world.turn()).len(), 3);
    world.put("up", "b", 1.0);
    let turn = world.turn();
    let errors: Vec<_> = turn.rules.iter().map(|r| r.error.as_deref().unwrap_or_default()).collect();
    assert_eq!(errors, ["exceeded limit of 1 with 2 series", "exceeded limit of 1 with 2 alerts"]);
    assert!(written(&turn).is_empty() && world.state.rules[1].alerts.is_empty());
    assert_eq!(world.state.rules[0].health, Health::Bad);
    assert_eq!(world.state.rules[0].previous.len(), 1, "what was written before ends once the rule is well again");
}

#[test]
fn met_14_same_series_twice_is_an_error() {
    let rules = "  rules:\n  - {record: r, expr: up, labels: {job: ''}}\n  - {alert: A, expr: up, labels: {job: x}}\n";
    let mut world = World::new(rules);
    world.put("up", "a", 1.0);
    world.put("up", "b", 1.0);
    let turn = world.turn();
    let words = |what| format!("vector contains metrics with the same labelset after applying {what} labels");
    assert_eq!(turn.rules[0].error, Some(words("rule")));
    assert_eq!(turn.rules[1].error, Some(words("alert")));
}

#[test]
fn alr_03_alerts_write_their_two_series() {
    let mut world = World::new(
        "  labels: {team: a}\n  rules:\n  - {alert: Down, expr: up == 0, for: 1m, labels: {severity: '{{ $value }}!'}}\n",
    );
    world.put("up", "a", 0.0);
    let labels =
        |extra: &str, name: &str| format!(r#"{name}{{alertname="Down", {extra}job="a", severity="0!", team="a"}}"#);
    assert_eq!(
        written(&world.turn()),
        [
            format!("{} 1000000", labels("", "ALERTS_FOR_STATE")),
            format!("{} 1", labels("alertstate=\"pending\", ", "ALERTS"))
        ]
    );
    world.put("up", "a", 0.0);
    let turn = world.turn();
    assert_eq!(turn.rules[0].notices.len(), 1);
    assert_eq!(
        written(&turn),
        [
            format!("{} 1000000", labels("", "ALERTS_FOR_STATE")),
            format!("{} 1", labels("alertstate=\"firing\", ", "ALERTS")),
            format!("{} stale", labels("alertstate=\"pending\", ", "ALERTS"))
        ]
    );
    world.state.rules[0].restored = false;
    assert_eq!(written(&world.turn()).len(), 2, "before `for` is restored only ends are written");
}

#[test]
fn alr_22_templates_of_alerts() {
    let mut world = World::new(concat!(
        "  rules:\n  - alert: A\n    expr: up\n    annotations:\n",
        "      a: '{{ $labels.__name__ }} {{ $labels.job }} {{ $value }} {{ $externalLabels.site }} {{ $externalURL }}'\n",
        "      b: '{{ with query \"up\" }}{{ . | first | label \"job\" }}{{ end }}'\n",
        "      c: '{{ query \"up{\" }}'\n",
    ));
    world.put("up", "a", 1.5);
    let turn = world.turn();
    let annotations = &turn.rules[0].notices[0].annotations;
    assert_eq!(annotations.get("a"), Some("up a 1.5 lima http://x.example/p"));
    assert_eq!(annotations.get("b"), Some("a"));
    let failed = annotations.get("c").unwrap();
    assert!(failed.starts_with("<error expanding template: error executing template __alert_A: template: __alert_A:1:115: executing \"__alert_A\" at <query \"up{\">: error calling query: 1:"), "{failed}");
    assert_eq!(turn.rules[0].remarks.len(), 1);
}

#[test]
fn met_14_query_offset_looks_back_and_writes_there() {
    let mut world = World::new("  query_offset: 2m\n  rules:\n  - {record: r, expr: up}\n");
    world.put("up", "a", 7.0);
    assert!(written(&world.turn()).is_empty());
    world.now = world.now + StdDuration::from_secs(60);
    let turn = world.turn();
    assert_eq!((written(&turn), turn.t_ms), (vec![r#"r{job="a"} 7"#.to_owned()], 1_000_000_000));
}

#[test]
fn met_14_a_rule_that_fails_leaves_all_as_it_was() {
    let mut world = World::new(
        "  rules:\n  - {record: r, expr: up * on (x) up}\n  - {alert: A, expr: up * on (x) up}\n  - {record: bad, expr: 'up[5m]'}\n",
    );
    world.put("up", "a", 1.0);
    let turn = world.turn();
    assert_eq!(turn.rules[2].error.as_deref(), Some("rule result is not a vector or scalar"));
    let series = world.state.rules[0].previous.clone();
    world.put("up", "b", 1.0);
    let turn = world.turn();
    assert!(turn.rules.iter().all(|r| r.error.is_some()) && written(&turn).is_empty());
    assert_eq!(world.state.rules[0].previous, series);
    assert_eq!(world.state.rules[1].alerts.len(), 1);
}

#[test]
fn met_14_what_the_store_refused_is_no_series_of_the_rule() {
    let mut world = World::new("  rules:\n  - {record: r, expr: up}\n");
    world.put("up", "a", 1.0);
    let turn = world.turn();
    let refused = Refused { rule: 0, sample: 0, why: "out of order sample".into() };
    world.state.settle(&turn, &[refused]);
    assert!(world.state.rules[0].previous.is_empty());
    assert_eq!(
        (world.state.rules[0].health, world.state.rules[0].last_error.as_deref()),
        (Health::Bad, Some("out of order sample"))
    );
}

#[test]
fn alr_02_a_group_that_is_read_again_goes_on() {
    let rule = |name: &str, expr: &str| format!("  - {{alert: {name}, expr: {expr}, for: 2m}}\n");
    let mut world = World::new(&format!("  rules:\n  - {{record: old, expr: up}}\n{}", rule("A", "up == 0")));
    world.put("up", "a", 0.0);
    world.turn();
    let group = World::read(&format!("groups:\n- name: g\n  rules:\n{}{}", rule("B", "up == 0"), rule("A", "up < 1")));
    assert!(!group.is_same(&world.group) && group.is_same(&group.clone()));
    world.state = GroupState::carried(&group, &world.group, world.state);
    world.group = group;
    world.put("up", "a", 0.0);
    let turn = world.turn();
    assert_eq!(written(&turn).iter().filter(|l| l.ends_with("stale")).collect::<Vec<_>>(), [r#"old{job="a"} stale"#]);
    world.put("up", "a", 0.0);
    let turn = world.turn();
    assert_eq!((turn.rules[0].notices.len(), turn.rules[1].notices.len()), (0, 1), "A fires, B is a minute younger");
    let left = world.state.clone().into_series();
    assert_eq!(left.len(), 4);
}
