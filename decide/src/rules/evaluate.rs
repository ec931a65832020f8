//! One turn of a rule group (ALR-03, ALR-23, MET-14). Pure.
//!
//! What was active and the series come in; what is active, what changed, what is to be recorded and a report come out.
//! Rules see the series of their own system only, and what the rules before them in the group wrote in this turn.
//!
//! A rule whose evaluation fails changes nothing: its alerts stay as they are, and the report says why. So does a rule
//! with more alerts than the group's `limit`.

use std::collections::{BTreeMap, HashMap, HashSet};

use decide_promql::Limits;
use kernel::alert::{Alert, AlertEvent, AlertState, EventKind};
use kernel::series::{Point, SeriesReader, stale_nan};
use kernel::{Duration, Labels, Rank, Timestamp};
use plan_model::Plan;

use super::prometheus::shared::{Fresh, WithFresh};
use super::query::{OfSystem, Query, SYSTEM};
use super::step::{Held, Step, Times, decide_cleared, decide_gap, decide_held};
use super::template::{Printable, Scope, Template};
use families::{Families, Said};

use super::names::{named, shortened};
use super::{EXPLAINED_BY, Rule, RuleGroup, RuleKind, event_id};
use crate::health::Explanations;
use crate::severity::rank_of;

mod families;

/// The label that names the rule of an alert.
pub const ALERT_NAME: &str = "alertname";
/// The series that say which alerts are active, as Prometheus writes them.
pub const ALERTS: &str = "ALERTS";
/// The series that say since when.
pub const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";

/// What one turn of a group is decided from.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// The plan, for severities and names.
    pub plan: &'a Plan,
    /// The group's active alerts, as stored.
    pub memory: &'a [Alert],
    /// What the turn before recorded ([`GroupDecision::recorded`]); empty after a start.
    pub recorded: &'a [Labels],
    /// When the group was last evaluated; after a start the time at which Farero was last alive.
    pub last_turn: Option<Timestamp>,
    /// Since when Farero has been watching without a break.
    pub watching_since: Timestamp,
    /// What explains the failure of which component.
    pub explanations: &'a Explanations,
    /// What the last result of the check that labels name said was wrong.
    pub reason: &'a dyn Fn(&Labels) -> Option<String>,
    /// Series.
    pub reader: &'a dyn SeriesReader,
    /// What a query may cost.
    pub limits: &'a Limits,
    /// Labels of this Farero, for templates.
    pub external_labels: &'a Labels,
    /// Base URL of this Farero, for templates.
    pub external_url: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// A sample to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its series.
    pub labels: Labels,
    /// Its time, milliseconds since the epoch.
    pub t_ms: i64,
    /// Its value; a histogram stays one.
    pub value: Point,
}

/// What follows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupDecision {
    /// The group's active alerts from now on: pending and firing.
    pub active: Vec<Alert>,
    /// What changed.
    pub events: Vec<AlertEvent>,
    /// Samples to write: recorded series, `ALERTS`, `ALERTS_FOR_STATE`, staleness markers.
    pub samples: Vec<Recorded>,
    /// The recorded series, for the next turn.
    pub recorded: Vec<Labels>,
    /// How it went.
    pub report: GroupReport,
}

/// How a turn went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupReport {
    /// How long nothing had been evaluated before it; zero on a usual day.
    pub gap: Duration,
    /// Each rule, in order.
    pub rules: Vec<RuleReport>,
}

/// How the evaluation of one rule went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleReport {
    /// The rule's name.
    pub rule: String,
    /// Why it could not be evaluated.
    pub error: Option<String>,
    /// Remarks of the engine, and templates that failed.
    pub remarks: Vec<String>,
    /// How many samples its expression gave.
    pub samples: usize,
    /// How many alerts fire on because nothing is seen of them.
    pub unseen: usize,
    /// How many alerts are explained by something else's failure.
    pub explained: usize,
    /// The labels of its active alerts; rules of one name do not share them.
    pub alerts: Vec<Labels>,
}

/// Evaluates a group.
pub fn decide_group(group: &RuleGroup, turn: &Turn<'_>) -> GroupDecision {
    let gap = decide_gap(turn.last_turn, group.interval, turn.now);
    let mut work = Work {
        group,
        turn,
        fresh: Fresh::new((turn.now - group.query_offset.std()).as_millis()),
        out: GroupDecision::default(),
        failed: HashSet::new(),
        families: Families::default(),
    };
    work.out.report.gap = Duration::from(gap);
    for rule in &group.rules {
        let mut report = RuleReport { rule: rule.name.clone(), ..RuleReport::default() };
        let done = match rule.kind {
            RuleKind::Record => work.record(rule, &mut report),
            RuleKind::Alert { hold, keep_firing_for } => {
                let Turn { now, watching_since, .. } = *turn;
                let times = Times { now, gap, watching_since, hold, keep_firing_for };
                work.alerts(rule, &times, &mut report)
            }
        };
        if let Err(error) = done {
            work.keep_as_it_was(rule, gap);
            report.error = Some(error);
        }
        work.out.report.rules.push(report);
    }
    work.clear_families();
    work.end_those_without_rule();
    work.mark_stale();
    work.out
}

/// What follows for alerts whose group or system is no longer in the plan: those that fire end.
pub fn decide_removed(plan: &Plan, memory: &[Alert], now: Timestamp) -> GroupDecision {
    let mut out = GroupDecision::default();
    for alert in memory {
        out.samples.extend(alert_series(alert).map(|(labels, _)| stale(labels, now)));
        if alert.state == AlertState::Firing {
            let alert = Alert { state: AlertState::Resolved, resolved_at: Some(now), ..alert.clone() };
            out.events.push(event(plan, &alert, EventKind::Resolved, now));
        }
    }
    out
}

struct Work<'a> {
    group: &'a RuleGroup,
    turn: &'a Turn<'a>,
    /// What this turn has written so far.
    fresh: Fresh,
    out: GroupDecision,
    /// Rules that could not be evaluated.
    failed: HashSet<String>,
    /// What rules of one name have said of each other's alerts.
    families: Families<'a>,
}

impl<'a> Work<'a> {
    /// The time that expressions are asked for and samples are written at.
    fn data_time(&self) -> Timestamp {
        self.turn.now - self.group.query_offset.std()
    }

    fn ask(&self, query: &Query) -> Result<super::query::Answer, String> {
        let own = OfSystem { all: self.turn.reader, system: &self.group.system };
        let at = self.data_time();
        query.ask(at, &WithFresh { fresh: &self.fresh, under: &own }, self.turn.limits)
    }

    fn write(&mut self, labels: Labels, value: Point) {
        let t_ms = self.data_time().as_millis();
        let labels = labels.with(SYSTEM, &self.group.system);
        self.fresh.add(labels.clone(), value.clone());
        self.out.samples.push(Recorded { labels, t_ms, value });
    }

    fn record(&mut self, rule: &Rule, report: &mut RuleReport) -> Result<(), String> {
        let answer = self.ask(&rule.query)?;
        report.remarks = answer.remarks;
        report.samples = answer.samples.len();
        within_limit(self.group.limit, answer.samples.len(), "series")?;
        let mut found: BTreeMap<Labels, Point> = BTreeMap::new();
        for (labels, value) in answer.samples {
            let labels = rule.labels.iter().fold(labels, |all, (name, text)| all.with(name, text.source()));
            let labels = labels.with(kernel::labels::METRIC_NAME, &rule.name).with(SYSTEM, &self.group.system);
            if found.insert(labels, value).is_some() {
                return Err("the expression gives the same series twice once the rule's labels are set".to_owned());
            }
        }
        // Later rules must not see what this one no longer gives.
        let is_last =
            self.group.rules.iter().rev().find(|r| r.name == rule.name).is_some_and(|r| std::ptr::eq(r, rule));
        let fresh: HashSet<&Labels> = self.out.recorded.iter().chain(found.keys()).collect();
        let gone = |l: &&Labels| is_last && l.name() == rule.name && !fresh.contains(*l);
        let gone: Vec<Labels> = self.turn.recorded.iter().filter(gone).cloned().collect();
        for (labels, value) in found {
            self.out.recorded.push(labels.clone());
            self.write(labels, value);
        }
        gone.into_iter().for_each(|labels| self.write(labels, Point::Float(stale_nan())));
        Ok(())
    }

    fn alerts(&mut self, rule: &'a Rule, times: &Times, report: &mut RuleReport) -> Result<(), String> {
        let answer = self.ask(&rule.query)?;
        report.remarks = answer.remarks;
        report.samples = answer.samples.len();
        let is_family = self.is_family(rule);
        let mut before: HashMap<&Labels, &'a Alert> =
            self.turn.memory.iter().filter(|a| a.rule == rule.name).map(|a| (&a.labels, a)).collect();
        before.retain(|_, alert| alert.state != AlertState::Resolved && self.belongs(rule, alert));
        let mut steps: Vec<(Step, Option<&'a Alert>)> = Vec::new();
        let mut labels_seen = HashSet::new();
        for (labels, value) in answer.samples {
            let held = self.held(rule, &labels, &value, &mut report.remarks);
            if !labels_seen.insert(held.labels.clone()) {
                return Err("the expression gives the same alert twice once the rule's labels are set".to_owned());
            }
            let known = before.remove(&held.labels);
            let fresh = held.labels.clone();
            steps.push((decide_held(known, held, times, || self.new_alert(rule, fresh)), known));
        }
        let evidence = match &rule.evidence {
            Some(query) if !before.is_empty() => Some(self.ask(query)?.samples),
            _ => None,
        };
        let mut cleared: Vec<&'a Alert> = before.into_values().collect();
        cleared.sort_by(|a, b| a.labels.cmp(&b.labels));
        for alert in cleared {
            let seen = evidence.as_ref().map(|all| all.iter().any(|(labels, _)| is_of(labels, alert)));
            if is_family {
                self.families.note(alert, Said { rule, times: *times, seen, failed: false });
                continue;
            }
            steps.push((decide_cleared(alert, seen, times), Some(alert)));
        }
        let active = steps.iter().filter(|(s, _)| !matches!(s, Step::Ends(_) | Step::Forgotten)).count();
        within_limit(self.group.limit, active, "alerts")?;
        steps.into_iter().for_each(|(step, known)| self.take(rule, step, known, report));
        Ok(())
    }

    /// Two rules of a group may have the same name; then their own labels tell their alerts apart, as far as they differ.
    fn belongs(&self, rule: &Rule, alert: &Alert) -> bool {
        let same_name = self.group.rules.iter().filter(|r| r.name == rule.name).count();
        let fits = |(name, template): &(String, Template)| {
            template.source().contains("{{") || alert.labels.get(name).unwrap_or_default() == template.source()
        };
        same_name < 2 || rule.labels.iter().all(fits)
    }

    fn take(&mut self, rule: &Rule, step: Step, known: Option<&Alert>, report: &mut RuleReport) {
        let Turn { plan, now, .. } = *self.turn;
        report.unseen += usize::from(matches!(step, Step::Unseen(_)));
        let fires = matches!(step, Step::Fires(_));
        if let Step::Stays(alert) | Step::Fires(alert) = &step
            && !self.families.claim(&alert.labels)
        {
            return;
        }
        let mut alert = match step {
            Step::Forgotten => return,
            Step::Ends(mut alert) => {
                self.explain_end(&mut alert, known);
                return self.out.events.push(event(plan, &alert, EventKind::Resolved, now));
            }
            Step::Stays(alert) | Step::Fires(alert) | Step::Unseen(alert) => alert,
        };
        let now_alone = self.explain(rule, &mut alert, known);
        report.explained += usize::from(alert.annotations.get(EXPLAINED_BY).is_some());
        if fires {
            self.out.events.push(event(plan, &alert, EventKind::Fired, now));
        } else if now_alone {
            let mut again = event(plan, &alert, EventKind::Fired, now);
            again.id.push_str("-alone");
            self.out.events.push(again);
        }
        for (labels, value) in alert_series(&alert) {
            self.write(labels, Point::Float(value));
        }
        report.alerts.push(alert.labels.clone());
        self.out.active.push(alert);
    }

    /// Sets or takes away what explains an alert; says whether it stands for itself from now on. What fired for itself
    /// stays so: people were told, and are to hear of its end.
    fn explain(&self, rule: &Rule, alert: &mut Alert, known: Option<&Alert>) -> bool {
        let fired_before = known.filter(|k| k.state == AlertState::Firing);
        let explained_before = fired_before.is_none_or(|k| k.annotations.get(EXPLAINED_BY).is_some());
        let by = alert.labels.get("service").and_then(|service| self.turn.explanations.of(service));
        let by = by.filter(|_| rule.explainable && explained_before);
        alert.annotations = alert.annotations.with(EXPLAINED_BY, by.as_deref().unwrap_or_default());
        fired_before.is_some() && explained_before && by.is_none()
    }

    fn explain_end(&self, alert: &mut Alert, known: Option<&Alert>) {
        let by = known.and_then(|k| k.annotations.get(EXPLAINED_BY)).unwrap_or_default().to_owned();
        alert.annotations = alert.annotations.with(EXPLAINED_BY, &by);
    }

    fn new_alert(&self, rule: &Rule, labels: Labels) -> Alert {
        Alert {
            system: self.group.system.clone(),
            group: self.group.name.clone(),
            rule: rule.name.clone(),
            labels,
            annotations: Labels::default(),
            state: AlertState::Pending,
            value: 0.0,
            active_at: self.turn.now,
            fired_at: None,
            last_true_at: self.turn.now,
            resolved_at: None,
        }
    }

    /// Labels and texts of an alert, from a sample and the rule's templates.
    fn held(&self, rule: &Rule, all: &Labels, value: &Point, remarks: &mut Vec<String>) -> Held {
        let sample = all.without(|name| name == kernel::labels::METRIC_NAME);
        let (number, value) = match value {
            Point::Float(v) => (*v, Printable::Number(*v)),
            Point::Histogram(h) => (0.0, Printable::Histogram(h)),
        };
        let ask = |text: &str| {
            let query = Query::parse(text).map_err(|e| e.to_string())?;
            self.ask(&query).map(|answer| answer.samples)
        };
        let names = named(self.turn.plan, &sample);
        let reason = (self.turn.reason)(&sample).map(|r| shortened(&r)).unwrap_or_default();
        let scope = Scope {
            labels: all,
            names: &names,
            reason: &reason,
            language: self.turn.plan.language,
            external_labels: self.turn.external_labels,
            external_url: self.turn.external_url,
            value,
            ask: &ask,
            now_seconds: self.turn.now.as_secs_f64(),
        };
        let mut fill = |(name, template): &(String, Template)| {
            let text = template.expand(&scope).unwrap_or_else(|e| {
                remarks.push(format!("template of `{name}`: {e}"));
                format!("<error expanding template: {e}>")
            });
            (name.clone(), text)
        };
        let own: Vec<(String, String)> = rule.labels.iter().map(&mut fill).collect();
        let annotations = Labels::new(rule.annotations.iter().map(&mut fill));
        let labels = own.iter().fold(sample.clone(), |all, (name, text)| all.with(name, text));
        let annotations = annotations.without(|name| name == EXPLAINED_BY);
        Held { labels: labels.with(ALERT_NAME, &rule.name), annotations, value: number }
    }

    /// Alerts whose rule is no longer in the group.
    fn end_those_without_rule(&mut self) {
        let gone: Vec<Alert> = self.turn.memory.iter().filter(|a| !self.group.has_alert(&a.rule)).cloned().collect();
        let ended = decide_removed(self.turn.plan, &gone, self.turn.now);
        self.out.events.extend(ended.events);
    }

    /// Series that the turn before wrote and this one does not end here.
    fn mark_stale(&mut self) {
        let failed = |name: &str| self.failed.contains(name);
        let written: HashSet<&Labels> = self.out.samples.iter().map(|s| &s.labels).collect();
        let alerts =
            self.turn.memory.iter().filter(|a| !failed(&a.rule)).flat_map(alert_series).map(|(labels, _)| labels);
        let recorded = self.turn.recorded.iter().filter(|l| !failed(l.name())).cloned();
        let gone: Vec<Labels> = alerts
            .map(|labels| labels.with(SYSTEM, &self.group.system))
            .chain(recorded)
            .filter(|labels| !written.contains(labels))
            .collect();
        let kept: Vec<Labels> = self.turn.recorded.iter().filter(|l| failed(l.name())).cloned().collect();
        self.out.recorded.extend(kept);
        let t = self.data_time();
        self.out.samples.extend(gone.into_iter().map(|labels| stale(labels, t)));
    }
}

fn stale(labels: Labels, at: Timestamp) -> Recorded {
    Recorded { labels, t_ms: at.as_millis(), value: Point::Float(stale_nan()) }
}

/// The two series of an active alert.
fn alert_series(alert: &Alert) -> impl Iterator<Item = (Labels, f64)> {
    let state = if alert.state == AlertState::Firing { "firing" } else { "pending" };
    let named = |name: &str| alert.labels.with(kernel::labels::METRIC_NAME, name).with(SYSTEM, &alert.system);
    let since = (alert.active_at.as_millis() as f64 / 1_000.0).floor();
    [(named(ALERTS).with("alertstate", state), 1.0), (named(ALERTS_FOR_STATE), since)].into_iter()
}

/// What is for information only does not fire, it tells (ALR-21).
fn event(plan: &Plan, alert: &Alert, kind: EventKind, at: Timestamp) -> AlertEvent {
    let rank = rank_of(plan, alert.severity());
    let kind = if kind == EventKind::Fired && rank == Rank::Info { EventKind::Informed } else { kind };
    AlertEvent { id: event_id(alert, kind), at, kind, rank, alert: alert.clone() }
}

/// Whether a series that must be there is that of an alert: all its labels are the alert's.
fn is_of(series: &Labels, alert: &Alert) -> bool {
    series.iter().all(|(name, value)| name == kernel::labels::METRIC_NAME || alert.labels.get(name) == Some(value))
}

fn within_limit(limit: usize, found: usize, what: &str) -> Result<(), String> {
    if limit > 0 && found > limit {
        return Err(format!("it gives {found} {what}, the group's limit is {limit}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
