//! What is shared gives what was asked, and is asked once. Pure.

use std::cell::RefCell;
use std::sync::Mutex;
use std::time::Duration as StdDuration;

use decide_promql::Limits;
use decide_promql::memory::MemoryReader;
use kernel::series::{Point, Select, Series, SeriesError, SeriesReader, Visit};
use kernel::{Clock, Duration, Labels, Timestamp};
use proptest::prelude::*;

use crate::rules::prometheus::{
    Defaults, Environment, Group, GroupState, Turn, evaluate_group, load_groups, read_rule_file,
};

struct Counting {
    under: MemoryReader,
    asked: Mutex<Vec<Select>>,
    /// How many were asked for their newest samples only.
    newest: Mutex<usize>,
}

impl SeriesReader for Counting {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        self.asked.lock().unwrap().push(select.clone());
        self.under.select(select)
    }

    fn visit_newest(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        *self.newest.lock().unwrap() += 1;
        self.visit(select, visit)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.under.label_names(select)
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.under.label_values(name, select)
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(600)
    }
}

fn series() -> Counting {
    let mut under = MemoryReader::default();
    for (i, job) in ["a", "b", "c"].into_iter().enumerate() {
        let samples: Vec<(i64, f64)> = (0..=40).map(|t| (t * 15_000, (t * (i as i64 + 1)) as f64)).collect();
        under.add(Labels::metric("x", [("job", job)]), &samples);
        under.add(Labels::metric("y", [("job", job), ("le", "1")]), &samples);
    }
    Counting { under, asked: Mutex::default(), newest: Mutex::default() }
}

fn group(expressions: &[String]) -> Group {
    let rule = |(i, e): (usize, &String)| format!("  - {{record: 'r{i}', expr: '{e}'}}\n");
    let rules: String = expressions.iter().enumerate().map(rule).collect();
    let file = read_rule_file(&format!("groups:\n- name: g\n  rules:\n{rules}"), false).unwrap();
    load_groups("f", &file, Defaults { interval: Duration::from_mins(1) }).unwrap().remove(0)
}

fn evaluate(group: &Group, reader: &dyn SeriesReader) -> Turn {
    let (limits, none, elapsed) = (Limits::default(), Labels::default(), || StdDuration::ZERO);
    let environment = Environment {
        reader,
        limits: &limits,
        lookback: Duration::from_mins(5),
        subquery_step: Duration::from_mins(1),
        query_offset: Duration::ZERO,
        resend_delay: StdDuration::from_secs(60),
        external_labels: &none,
        external_url: "",
        clock: &Still,
        elapsed: &elapsed,
    };
    let mut state = GroupState::new(group, true);
    evaluate_group(group, &mut state, Timestamp::from_secs(600), &environment)
}

fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(|s| (*s).to_owned()).collect()
}

#[test]
fn met_14_the_same_selector_is_read_once() {
    let group = group(&strings(&["x > 5", "x * 2", "rate(x[2m])", "max_over_time(x[4m])", "y"]));
    let reader = series();
    let turn = evaluate(&group, &reader);
    assert_eq!(reader.asked.lock().unwrap().len(), 2, "x and y");
    assert_eq!((turn.shared.reads, turn.shared.reused), (2, 3));
    let wider = self::group(&strings(&["x", "rate(x[9m])", "x + 1"]));
    let reader = series();
    evaluate(&wider, &reader);
    assert_eq!(reader.asked.lock().unwrap().len(), 2, "a wider range is read again, and serves the narrower ones");
}

#[test]
fn met_14_the_same_expression_is_evaluated_once() {
    let group =
        group(&strings(&["sum(x) > 5", "sum(x) / 2", "sum(x) > 5", "sum(x)", "abs(sum(x) - sum by (job) (y))"]));
    let reader = series();
    let turn = evaluate(&group, &reader);
    assert_eq!(reader.asked.lock().unwrap().len(), 2);
    assert!(turn.shared.expressions_reused >= 3, "{:?}", turn.shared);
    let values: Vec<f64> = turn
        .rules
        .iter()
        .filter_map(|r| match r.samples.first()?.1 {
            Point::Float(v) => Some(v),
            Point::Histogram(_) => None,
        })
        .collect();
    assert_eq!(values, [240.0, 120.0, 240.0, 240.0]);
}

#[test]
fn met_14_what_is_evaluated_once_reads_no_more_than_it_needs() {
    let group = group(&strings(&["sum(x) < 0", "sum(x) < 0", "avg(y) > 1", "avg(y) > 1"]));
    let reader = series();
    let turn = evaluate(&group, &reader);
    assert_eq!(reader.asked.lock().unwrap().len(), 2);
    assert_eq!(
        *reader.newest.lock().unwrap(),
        2,
        "the sums stand in expressions that are evaluated once: nobody else reads x or y"
    );
    assert_eq!((turn.shared.reads, turn.shared.expressions_reused), (2, 2));
}

#[test]
fn met_14_what_the_group_itself_writes_is_not_shared() {
    let group = group(&strings(&["sum(r2) or vector(0)", "sum(r2) or vector(0)", "vector(7)", "sum(r2)"]));
    let turn = evaluate(&group, &series());
    let value = |i: usize| turn.rules[i].samples.iter().map(|(_, v)| v.clone()).collect::<Vec<_>>();
    assert_eq!((value(0), value(3)), (vec![Point::Float(0.0)], vec![Point::Float(7.0)]));
}

/// Expressions over the two metrics, of all kinds that are shared or must not be.
fn expression() -> impl Strategy<Value = String> {
    let selector = prop_oneof![Just("x"), Just("y"), Just("x{job=~\"a|b\"}"), Just("x offset 1m"), Just("x @ 300")];
    let leaf = selector.clone().prop_flat_map(|s| {
        let plain = s.to_owned();
        let rated = s.split(' ').next().map_or(String::new(), |name| format!("rate({name}[2m])"));
        prop_oneof![Just(plain), Just(rated)]
    });
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| format!("sum({e})")),
            inner.clone().prop_map(|e| format!("max by (job) ({e})")),
            inner.clone().prop_map(|e| format!("topk(1, {e})")),
            inner.clone().prop_map(|e| format!("count by (__name__) ({e})")),
            inner.clone().prop_map(|e| format!("({e}) > 5")),
            inner.clone().prop_map(|e| format!("absent({e})")),
            inner.clone().prop_map(|e| format!("timestamp({e})")),
            inner.clone().prop_map(|e| format!("sum_over_time(({e})[3m:1m])")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("sum({a}) + sum({b})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn met_14_sharing_changes_nothing(expressions in proptest::collection::vec(expression(), 1..6), twice in any::<bool>()) {
        let all: Vec<String> = if twice { [expressions.clone(), expressions].concat() } else { expressions };
        let together = evaluate(&group(&all), &series());
        let seen = RefCell::new(Vec::new());
        for expression in &all {
            let alone = evaluate(&group(std::slice::from_ref(expression)), &series());
            seen.borrow_mut().push(alone.rules.into_iter().next().unwrap());
        }
        let named = |mut rule: crate::rules::prometheus::RuleTurn| {
            rule.samples.iter_mut().for_each(|(labels, _)| *labels = labels.without(|n| n == "__name__"));
            rule.samples.sort_by(|a, b| a.0.cmp(&b.0));
            (format!("{:?}", rule.samples), rule.error.is_some())
        };
        for ((a, b), expression) in together.rules.into_iter().zip(seen.into_inner()).zip(&all) {
            prop_assert_eq!(named(a), named(b), "{}", expression);
        }
    }
}
