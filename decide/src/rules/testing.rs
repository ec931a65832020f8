//! Unit tests of rules: Prometheus's test files, run as `promtool test rules` runs them. Pure.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/>
//!
//! Series are loaded as far as the time has come, groups are evaluated at the file's interval in its order, alerts are compared at the
//! evaluation at or before `eval_time`, expressions once all is done. As there, samples after the last evaluation are not loaded.

mod file;
mod report;
mod store;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration as StdDuration;

use decide_promql::Limits;
use kernel::series::Point;
use kernel::{Clock, Duration, Labels, Timestamp};

use super::evaluate::ALERT_NAME;
use super::prometheus::duration::go_text;
use super::prometheus::state::Refused;
use super::prometheus::{
    Defaults, Environment, Group, GroupState, RuleFile, Standing, Turn, evaluate_group, load_groups,
};
use super::query::{Asking, Query};
pub use file::{AlertTest, ExpectedAlert, ExpectedSample, ExprTest, InputSeries, TestFile, TestGroup, read_test_file};
pub use report::junit;
use report::{Sample, Told, compare_alerts, compare_samples};
use store::Store;

/// How far back an instant selector looks: Prometheus's default, which promtool does not change.
const LOOKBACK: Duration = Duration::from_mins(5);

/// A test may evaluate its groups this often: a year of minutes, beyond which something is mistyped.
pub const MOST_EVALUATIONS: i64 = 530_000;

/// How failures are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Showing {
    /// As differences, instead of what was expected and what was found.
    pub diff: bool,
}

/// A test that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Its name, or what stands for one.
    pub name: String,
    /// What is not as expected, in promtool's form; none when all is well.
    pub failures: Vec<String>,
}

/// Runs the tests of a file, those that are chosen. `rules` are its rule files, each with the name it was read from, in order.
pub fn run_tests(
    file: &TestFile,
    rules: &[(String, RuleFile)],
    chosen: &dyn Fn(&TestGroup) -> bool,
    showing: Showing,
) -> Vec<Tested> {
    let run = |(number, test): (usize, &TestGroup)| {
        let name = if test.name.is_empty() { format!("unnamed#{number}") } else { test.name.clone() };
        Tested { name, failures: run_test(file, test, rules, showing) }
    };
    file.tests.iter().enumerate().filter(|(_, test)| chosen(test)).map(run).collect()
}

fn run_test(file: &TestFile, test: &TestGroup, rules: &[(String, RuleFile)], showing: Showing) -> Vec<String> {
    let mut world = match World::new(file, test, rules) {
        Ok(world) => world,
        Err(error) => return vec![error],
    };
    if let Some(nameless) = test.alerts.iter().find(|a| a.alertname.is_empty()) {
        let of = if test.name.is_empty() { String::new() } else { format!(" (in TestGroup {})", test.name) };
        let at = nameless.eval_time;
        return vec![format!(
            "an item under alert_rule_test misses required attribute alertname at eval_time {at}{of}"
        )];
    }
    let mut failures = Vec::new();
    let times: BTreeSet<Duration> = test.alerts.iter().map(|a| a.eval_time).collect();
    let mut times = times.into_iter().peekable();
    let last = world.start + longest(test).std();
    let mut at = world.start;
    while at <= last {
        if let Err(error) = world.load(at) {
            failures.push(error);
        }
        let failed = world.evaluate(at);
        if !failed.is_empty() {
            failures.extend(failed);
            return failures;
        }
        let next = at + world.interval.std();
        while let Some(time) = times.next_if(|t| world.start + t.std() < next) {
            failures.extend(world.compare_alerts(test, time, showing));
        }
        at = next;
    }
    failures.extend(test.expressions.iter().filter_map(|e| world.compare_expression(e, file.fuzzy_compare)));
    failures
}

/// The latest time that a test looks at.
fn longest(test: &TestGroup) -> Duration {
    let alerts = test.alerts.iter().map(|a| a.eval_time);
    alerts.chain(test.expressions.iter().map(|e| e.eval_time)).max().unwrap_or_default()
}

/// The groups in the order of their evaluation. Those that are not named come with the first that is, in the order of the files.
fn ordered(file: &TestFile, rules: &[(String, RuleFile)], interval: Duration) -> Result<Vec<Group>, String> {
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, name) in file.group_eval_order.iter().enumerate() {
        if order.insert(name, place).is_some() {
            return Err(format!("group name repeated in evaluation order: {name}"));
        }
    }
    let mut groups = Vec::new();
    for (name, rules) in rules {
        groups.extend(load_groups(name, rules, Defaults { interval })?);
    }
    groups.sort_by_key(|g| order.get(g.name.as_str()).copied().unwrap_or(0));
    Ok(groups)
}

struct World<'a> {
    groups: Vec<(Group, GroupState)>,
    store: Store,
    input: Vec<Input>,
    start: Timestamp,
    interval: Duration,
    limits: Limits,
    external_labels: Labels,
    external_url: &'a str,
}

/// An input series with the samples that are still to come.
struct Input {
    labels: Labels,
    rest: std::iter::Peekable<std::vec::IntoIter<(i64, Point)>>,
}

impl<'a> World<'a> {
    fn new(file: &TestFile, test: &'a TestGroup, rules: &[(String, RuleFile)]) -> Result<Self, String> {
        let interval = file.evaluation_interval;
        let evaluations = longest(test).as_millis() / interval.as_millis().max(1);
        if evaluations > MOST_EVALUATIONS.unsigned_abs() {
            return Err(format!(
                "a test would evaluate its groups {evaluations} times, the limit is {MOST_EVALUATIONS}: \
                 take a longer evaluation_interval or an earlier eval_time"
            ));
        }
        let groups = ordered(file, rules, test.interval)?;
        let groups = groups.into_iter().map(|g| (GroupState::new(&g, true), g)).map(|(s, g)| (g, s)).collect();
        let step = test.interval.as_millis() as i64;
        let mut input = Vec::new();
        for series in &test.input {
            let line = format!("{} {}", series.series, series.values);
            let (labels, values) = decide_promql::notation::series(&line).map_err(|e| e.to_string())?;
            let at = |i: usize| test.start.as_millis() + i as i64 * step;
            let samples: Vec<(i64, Point)> =
                values.into_iter().enumerate().filter_map(|(i, v)| Some((at(i), v?))).collect();
            input.push(Input { labels, rest: samples.into_iter().peekable() });
        }
        Ok(Self {
            groups,
            store: Store::default(),
            input,
            start: test.start,
            interval,
            limits: Limits::default(),
            external_labels: Labels::new(test.external_labels.iter().map(|(n, v)| (n, v))),
            external_url: &test.external_url,
        })
    }

    /// Loads what was measured up to a time.
    fn load(&mut self, until: Timestamp) -> Result<(), String> {
        for Input { labels, rest } in &mut self.input {
            while let Some((t_ms, value)) = rest.next_if(|(t_ms, _)| *t_ms <= until.as_millis()) {
                self.store.append(labels, t_ms, &value)?;
            }
        }
        Ok(())
    }

    /// Evaluates all groups; which rules failed, and why.
    fn evaluate(&mut self, at: Timestamp) -> Vec<String> {
        let mut failed = Vec::new();
        for (group, state) in &mut self.groups {
            let environment = Environment {
                reader: &self.store,
                limits: &self.limits,
                lookback: LOOKBACK,
                subquery_step: self.interval,
                query_offset: Duration::ZERO,
                resend_delay: StdDuration::ZERO,
                external_labels: &self.external_labels,
                external_url: self.external_url,
                clock: &Stopped(at),
                elapsed: &|| StdDuration::ZERO,
            };
            let turn = evaluate_group(group, state, at, &environment);
            let refused = write(&mut self.store, &turn);
            state.settle(&turn, &refused);
            let since = go_text(Duration::from(at.since(self.start)));
            for (rule, rule_state) in group.rules.iter().zip(&state.rules) {
                if let Some(error) = &rule_state.last_error {
                    failed.push(format!("    rule: {}, time: {since}, err: {error}", rule.name));
                }
            }
        }
        failed
    }

    fn compare_alerts(&self, test: &TestGroup, time: Duration, showing: Showing) -> Vec<String> {
        let mut out = Vec::new();
        for case in test.alerts.iter().filter(|a| a.eval_time == time) {
            let groups = self.groups.iter().filter(|(g, _)| case.groupname.is_empty() || g.name == case.groupname);
            let rules = groups.flat_map(|(group, state)| group.rules.iter().zip(&state.rules));
            let of_name = rules.filter(|(rule, _)| rule.is_alert() && rule.name == case.alertname);
            let alerts = of_name.flat_map(|(_, state)| state.alerts.values());
            let found = alerts
                .filter(|a| a.state == Standing::Firing)
                .map(|a| Told { labels: a.labels.clone(), annotations: a.annotations.clone() });
            let expected = case.expected.iter().map(|e| Told {
                labels: Labels::new(e.labels.clone()).with(ALERT_NAME, &case.alertname),
                annotations: Labels::new(e.annotations.clone()),
            });
            let name = if test.name.is_empty() { String::new() } else { format!("    name: {},\n", test.name) };
            let head = format!("{name}    alertname: {}, time: {time}, \n", case.alertname);
            out.extend(compare_alerts(&head, expected.collect(), found.collect(), showing));
        }
        out
    }

    /// What is wrong with one expression's answer.
    fn compare_expression(&self, test: &ExprTest, fuzzy: bool) -> Option<String> {
        let head = format!("    expr: {:?}, time: {},", test.expr, test.eval_time);
        let failed = |error: String| Some(format!("{head} err: {error}"));
        let query = match Query::parse_any(&test.expr) {
            Ok(query) => query,
            Err(error) => return failed(error.to_string()),
        };
        let asking = Asking {
            limits: &self.limits,
            lookback_ms: LOOKBACK.as_millis() as i64,
            subquery_step_ms: self.interval.as_millis() as i64,
        };
        let found = match query.ask_with(self.start + test.eval_time.std(), &self.store, &asking) {
            Ok(answer) => answer.samples.into_iter().map(|(labels, value)| Sample::new(labels, &value)).collect(),
            Err(error) => return failed(error),
        };
        let expected: Result<Vec<Sample>, String> = test.expected.iter().map(Sample::expected).collect();
        match expected {
            Ok(expected) => compare_samples(&head, expected, found, fuzzy),
            Err(error) => failed(error),
        }
    }
}

/// Writes what an evaluation gave, rule by rule; what was not taken.
fn write(store: &mut Store, turn: &Turn) -> Vec<Refused> {
    let mut refused = Vec::new();
    for (rule, done) in turn.rules.iter().enumerate() {
        for (sample, (labels, value)) in done.samples.iter().enumerate() {
            if let Err(why) = store.append(labels, turn.t_ms, value) {
                refused.push(Refused { rule, sample, why });
            }
        }
        done.ended.iter().for_each(|labels| store.end(labels, turn.t_ms));
    }
    turn.ended.iter().for_each(|labels| store.end(labels, turn.t_ms));
    refused
}

/// A clock that shows the time of the evaluation.
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}
