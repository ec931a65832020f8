//! One evaluation of one group, as Prometheus does it. Pure.
//!
//! Memory, series and the time come in; samples, alerts to be told and how it went come out. What is to be written is given back
//! as a whole: whoever asked writes it at once and says with [`GroupState::settle`] what was taken. Rules that read what others
//! of the group write see it before it is stored.

use std::collections::HashSet;
use std::time::Duration as StdDuration;

use decide_promql::Limits;
use kernel::labels::METRIC_NAME;
use kernel::series::{Point, SeriesReader, stale_nan};
use kernel::{Clock, Duration, Labels, Timestamp};

use super::alert::{ActiveAlert, Alerts, Notice, Standing, due_notices, step};
use super::group::{Group, Kind, Rule};
use super::shared::{Caching, Fresh, Given, Known, SharedWork, WithFresh};
use super::state::{GroupState, Health, RuleState};
use crate::rules::evaluate::{ALERT_NAME, ALERTS, ALERTS_FOR_STATE};
use crate::rules::query::{Answer, Asking, Query};
use crate::rules::template::{Printable, Scope, Template};

/// The label that says where an alert stands.
pub const ALERT_STATE: &str = "alertstate";

/// Remarks of one rule beyond this many are left out.
const MOST_REMARKS: usize = 10;

/// What an evaluation stands on besides group, state and time.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// Series.
    pub reader: &'a dyn SeriesReader,
    /// What a query may cost.
    pub limits: &'a Limits,
    /// How far back an instant selector looks.
    pub lookback: Duration,
    /// The step of subqueries that name none: the configuration's evaluation interval.
    pub subquery_step: Duration,
    /// How far back groups look that do not say it themselves.
    pub query_offset: Duration,
    /// After so long an alert is told again.
    pub resend_delay: StdDuration,
    /// Labels of this Farero, for templates.
    pub external_labels: &'a Labels,
    /// Address of this Farero, for templates.
    pub external_url: &'a str,
    /// The time by the clock, for what is shown.
    pub clock: &'a dyn Clock,
    /// How long it is since any fixed moment, for how long things take.
    pub elapsed: &'a dyn Fn() -> StdDuration,
}

/// What one rule gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleTurn {
    /// What it writes.
    pub samples: Vec<(Labels, Point)>,
    /// Series that it no longer gives.
    pub ended: Vec<Labels>,
    /// What is to be told.
    pub notices: Vec<Notice>,
    /// Remarks of the engine, and templates that failed.
    pub remarks: Vec<String>,
    /// Why it failed; then all the others are empty.
    pub error: Option<String>,
}

/// What an evaluation gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// The time of its samples, milliseconds since the epoch.
    pub t_ms: i64,
    /// Each rule, in order.
    pub rules: Vec<RuleTurn>,
    /// Series of rules that are gone.
    pub ended: Vec<Labels>,
    /// Work done once for several rules.
    pub shared: SharedWork,
}

impl Turn {
    /// Everything to write, the samples of each rule before what it ends: where two rules give one series and one of them ends
    /// it, the sample counts.
    pub fn writes(&self) -> Vec<(Labels, Point)> {
        let samples = self.rules.iter().flat_map(|r| &r.samples).cloned();
        let mut out: Vec<(Labels, Point)> = samples.collect();
        let mut given: HashSet<Labels> = out.iter().map(|(labels, _)| labels.clone()).collect();
        for labels in self.rules.iter().flat_map(|r| &r.ended).chain(&self.ended) {
            if given.insert(labels.clone()) {
                out.push((labels.clone(), Point::Float(stale_nan())));
            }
        }
        out
    }

    /// How many samples the rules gave.
    pub fn samples(&self) -> usize {
        self.rules.iter().map(|r| r.samples.len()).sum()
    }
}

/// Evaluates a group at a time. The state has the new alerts afterwards; its series follow with [`GroupState::settle`].
pub fn evaluate_group(group: &Group, state: &mut GroupState, at: Timestamp, environment: &Environment<'_>) -> Turn {
    let began = ((environment.elapsed)(), environment.clock.now());
    let offset = group.query_offset.unwrap_or(environment.query_offset);
    let asked_at = at - offset.std();
    let caching = Caching::new(environment.reader, &group.sharing);
    let mut work = Work {
        group,
        at,
        asked_at,
        environment,
        reader: &caching,
        known: Known::default(),
        fresh: Fresh::new(asked_at.as_millis()),
    };
    let mut turn = Turn { t_ms: asked_at.as_millis(), ..Turn::default() };
    for (place, (rule, rule_state)) in group.rules.iter().zip(&mut state.rules).enumerate() {
        let rule_began = ((environment.elapsed)(), environment.clock.now());
        let done = work.rule(place, rule, rule_state);
        let done = done.unwrap_or_else(|error| RuleTurn { error: Some(error), ..RuleTurn::default() });
        rule_state.health = if done.error.is_some() { Health::Bad } else { Health::Good };
        rule_state.last_error.clone_from(&done.error);
        rule_state.evaluation_time = (environment.elapsed)().saturating_sub(rule_began.0);
        rule_state.last_evaluation = Some(rule_began.1);
        turn.rules.push(done);
    }
    turn.ended.clone_from(&state.stale);
    turn.shared = SharedWork { expressions_reused: work.known.reused(), ..caching.work() };
    state.evaluation_time = (environment.elapsed)().saturating_sub(began.0);
    state.last_evaluation = Some(began.1);
    turn
}

struct Work<'a> {
    group: &'a Group,
    /// The time of the evaluation.
    at: Timestamp,
    /// The time that expressions are asked for: earlier by the offset.
    asked_at: Timestamp,
    environment: &'a Environment<'a>,
    reader: &'a dyn SeriesReader,
    known: Known,
    fresh: Fresh,
}

impl Work<'_> {
    fn asking(&self) -> Asking<'_> {
        let Environment { limits, lookback, subquery_step, .. } = *self.environment;
        Asking { limits, lookback_ms: lookback.as_millis() as i64, subquery_step_ms: subquery_step.as_millis() as i64 }
    }

    /// Asks a rule's expression, with what was evaluated before put in.
    fn ask(&self, place: usize, rule: &Rule) -> Result<Answer, String> {
        let (query, numbers) = self.group.sharing.query(place, rule);
        let (mut series, mut remarks) = (Vec::new(), Vec::new());
        for number in numbers {
            let Some(shared) = self.group.sharing.expressions().get(*number) else { continue };
            let answer = self.known.answer(*number, || self.plain(shared, self.asked_at));
            match answer.as_ref() {
                Ok(answer) => {
                    remarks.extend(answer.remarks.iter().cloned());
                    series.push((*number, answer.samples.clone()));
                }
                Err(error) => return Err(error.clone()),
            }
        }
        let mut answer = if !series.is_empty() {
            let given = Given { series, t_ms: self.asked_at.as_millis(), under: self.reader };
            self.over(place, query, &given)
        } else {
            self.over(place, query, self.reader)
        }?;
        answer.remarks.extend(remarks);
        Ok(answer)
    }

    /// Asks above what the rules before have written, where a rule may read it.
    fn over(&self, place: usize, query: &Query, under: &dyn SeriesReader) -> Result<Answer, String> {
        if self.group.dependencies.read_by(place).is_empty() {
            return query.ask_with(self.asked_at, under, &self.asking());
        }
        query.ask_with(self.asked_at, &WithFresh { fresh: &self.fresh, under }, &self.asking())
    }

    fn plain(&self, query: &Query, at: Timestamp) -> Result<Answer, String> {
        query.ask_with(at, self.reader, &self.asking())
    }

    fn rule(&mut self, place: usize, rule: &Rule, state: &mut RuleState) -> Result<RuleTurn, String> {
        let answer = self.ask(place, rule)?;
        let mut turn = match rule.kind {
            Kind::Record => self.record(rule, answer)?,
            Kind::Alert { hold, keep_firing_for } => self.alert(rule, state, answer, hold, keep_firing_for)?,
        };
        turn.remarks.truncate(MOST_REMARKS);
        let given: HashSet<&Labels> = turn.samples.iter().map(|(labels, _)| labels).collect();
        turn.ended = state.previous.iter().filter(|labels| !given.contains(labels)).cloned().collect();
        for (labels, value) in &turn.samples {
            self.fresh.add(labels.clone(), value.clone());
        }
        for labels in &turn.ended {
            self.fresh.add(labels.clone(), Point::Float(stale_nan()));
        }
        Ok(turn)
    }

    fn record(&self, rule: &Rule, answer: Answer) -> Result<RuleTurn, String> {
        let mut seen = HashSet::with_capacity(answer.samples.len());
        let mut samples = Vec::with_capacity(answer.samples.len());
        for (labels, value) in answer.samples {
            let mut pairs = labels.pairs().to_vec();
            pairs.push((METRIC_NAME.into(), rule.name.as_str().into()));
            pairs.extend(rule.labels.iter().map(|(n, v)| (n.as_str().into(), v.as_str().into())));
            let labels = Labels::from_shared(pairs);
            if !seen.insert(labels.clone()) {
                return Err("vector contains metrics with the same labelset after applying rule labels".to_owned());
            }
            samples.push((labels, value));
        }
        let limit = self.group.limit;
        if limit > 0 && samples.len() > limit {
            return Err(format!("exceeded limit of {limit} with {} series", samples.len()));
        }
        Ok(RuleTurn { samples, remarks: answer.remarks, ..RuleTurn::default() })
    }

    fn alert(
        &self,
        rule: &Rule,
        state: &mut RuleState,
        answer: Answer,
        hold: Duration,
        keep_firing_for: Duration,
    ) -> Result<RuleTurn, String> {
        let mut turn = RuleTurn { remarks: answer.remarks, ..RuleTurn::default() };
        let mut held = Alerts::new();
        for (labels, value) in &answer.samples {
            let alert = self.held(rule, labels, value, &mut turn.remarks);
            if held.insert(alert.labels.clone(), alert).is_some() {
                let words = "vector contains metrics with the same labelset after applying alert labels";
                return Err(words.to_owned());
            }
        }
        let active = step(&mut state.alerts, held, self.at, hold, keep_firing_for);
        let limit = self.group.limit;
        if limit > 0 && active > limit {
            state.alerts.clear();
            return Err(format!("exceeded limit of {limit} with {active} alerts"));
        }
        if state.restored {
            for alert in state.alerts.values().filter(|a| a.state != Standing::Inactive) {
                turn.samples.extend(series_of(rule, alert));
            }
        }
        let (delay, interval) = (self.environment.resend_delay, self.group.interval.std());
        turn.notices = due_notices(&mut state.alerts, &rule.expression, self.at, delay, interval);
        Ok(turn)
    }

    /// The alert of one sample, its labels and texts filled in.
    fn held(&self, rule: &Rule, labels: &Labels, value: &Point, remarks: &mut Vec<String>) -> ActiveAlert {
        let ask = |text: &str| {
            let query = Query::parse_any(text).map_err(|e| e.to_string())?;
            self.plain(&query, self.at).map(|answer| answer.samples)
        };
        let (number, printable) = match value {
            Point::Float(v) => (*v, Printable::Number(*v)),
            Point::Histogram(h) => (0.0, Printable::Histogram(h)),
        };
        let none = Labels::default();
        let scope = Scope {
            labels,
            names: &none,
            reason: "",
            language: kernel::Language::En,
            external_labels: self.environment.external_labels,
            external_url: self.environment.external_url,
            value: printable,
            ask: &ask,
            now_seconds: self.at.as_secs_f64(),
        };
        let mut fill = |(name, template): &(String, Template)| {
            let text = template.expand(&scope).unwrap_or_else(|e| {
                let words = e.in_go_words_of_running(template.source(), &rule.name);
                remarks.push(format!("Expanding alert template failed: {words}"));
                format!("<error expanding template: {words}>")
            });
            (name.clone(), text)
        };
        let mut pairs = labels.without(|name| name == METRIC_NAME).pairs().to_vec();
        for (name, text) in rule.templates.labels.iter().map(&mut fill) {
            pairs.push((name.into(), text.into()));
        }
        let annotations = Labels::new(rule.templates.annotations.iter().map(&mut fill));
        pairs.push((ALERT_NAME.into(), rule.name.as_str().into()));
        ActiveAlert::new(Labels::from_shared(pairs), annotations, number, self.at)
    }
}

/// The two series of an alert.
fn series_of(rule: &Rule, alert: &ActiveAlert) -> [(Labels, Point); 2] {
    let named = |name: &str, state: Option<&str>| {
        let mut pairs: Vec<_> = rule.labels.iter().map(|(n, v)| (n.as_str().into(), v.as_str().into())).collect();
        pairs.extend_from_slice(alert.labels.pairs());
        pairs.push((METRIC_NAME.into(), name.into()));
        pairs.push((ALERT_NAME.into(), rule.name.as_str().into()));
        pairs.extend(state.map(|s| (ALERT_STATE.into(), s.into())));
        Labels::from_shared(pairs)
    };
    let since = alert.active_at.as_millis().div_euclid(1_000) as f64;
    [(named(ALERTS, Some(alert.state.word())), Point::Float(1.0)), (named(ALERTS_FOR_STATE, None), Point::Float(since))]
}

#[cfg(test)]
mod tests;
