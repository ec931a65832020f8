//! What is remembered of a group between two evaluations. Pure.

use std::collections::HashMap;
use std::time::Duration as StdDuration;

use kernel::{Labels, Timestamp};

use super::alert::{Alerts, Standing};
use super::evaluate::Turn;
use super::group::Group;

/// How a rule's last evaluation went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It was not evaluated yet.
    #[default]
    Unknown,
    /// Well.
    Good,
    /// It failed.
    Bad,
}

impl Health {
    /// Prometheus's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "ok",
            Self::Bad => "err",
        }
    }
}

/// What is remembered of a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleState {
    /// The series of its last evaluation that did not fail.
    pub previous: Vec<Labels>,
    /// Its alerts.
    pub alerts: Alerts,
    /// Whether `for` was restored: only then the series of its alerts are written.
    pub restored: bool,
    /// How its last evaluation went.
    pub health: Health,
    /// Why it failed.
    pub last_error: Option<String>,
    /// How long its last evaluation took.
    pub evaluation_time: StdDuration,
    /// When it was last evaluated, by the clock.
    pub last_evaluation: Option<Timestamp>,
}

impl RuleState {
    /// Where the rule stands as a whole: `None` before its first evaluation.
    pub fn standing(&self) -> Option<Standing> {
        self.last_evaluation?;
        Some(self.alerts.values().map(|a| a.state).max().unwrap_or(Standing::Inactive))
    }
}

/// What is remembered of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupState {
    /// Its rules, in order.
    pub rules: Vec<RuleState>,
    /// Series of rules that are gone, to be ended with the next evaluation.
    pub stale: Vec<Labels>,
    /// How long the last evaluation took.
    pub evaluation_time: StdDuration,
    /// When it was last evaluated, by the clock.
    pub last_evaluation: Option<Timestamp>,
}

impl GroupState {
    /// Of a group that is new. `restored` tells that there is nothing to restore: Farero was running when it came.
    pub fn new(group: &Group, restored: bool) -> Self {
        let rule = |_| RuleState { restored, ..RuleState::default() };
        Self { rules: group.rules.iter().map(rule).collect(), ..Self::default() }
    }

    /// Of a group that was read again: alerts and series go on with the rule of the same name and labels; of several, the first
    /// with the first. Series of rules that are gone will end.
    pub fn carried(group: &Group, old_group: &Group, old: Self) -> Self {
        let mut known: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, rule) in old_group.rules.iter().enumerate().rev() {
            known.entry(rule.identity()).or_default().push(at);
        }
        let mut state = Self {
            stale: old.stale,
            evaluation_time: old.evaluation_time,
            last_evaluation: old.last_evaluation,
            ..Self::new(group, true)
        };
        let mut rules: Vec<Option<RuleState>> = old.rules.into_iter().map(Some).collect();
        for (rule, fresh) in group.rules.iter().zip(&mut state.rules) {
            let at = known.get_mut(&rule.identity()).and_then(Vec::pop);
            let Some(before) = at.and_then(|at| rules.get_mut(at)).and_then(Option::take) else { continue };
            fresh.previous = before.previous;
            if rule.is_alert() {
                fresh.alerts = before.alerts;
            }
        }
        state.stale.extend(rules.into_iter().flatten().flat_map(|r| r.previous));
        state
    }

    /// The series that end when the group is gone.
    pub fn into_series(self) -> Vec<Labels> {
        self.stale.into_iter().chain(self.rules.into_iter().flat_map(|r| r.previous)).collect()
    }

    /// Notes what became of what an evaluation wrote. A rule whose samples were not all taken has failed; those that were taken
    /// are its series.
    pub fn settle(&mut self, turn: &Turn, refused: &[Refused]) {
        for (at, (state, done)) in self.rules.iter_mut().zip(&turn.rules).enumerate() {
            if done.error.is_some() {
                continue;
            }
            let of_rule: Vec<&Refused> = refused.iter().filter(|r| r.rule == at).collect();
            let taken = |(i, _): &(usize, &(Labels, _))| !of_rule.iter().any(|r| r.sample == *i);
            state.previous =
                done.samples.iter().enumerate().filter(taken).map(|(_, (labels, _))| labels.clone()).collect();
            if let Some(last) = of_rule.last() {
                state.health = Health::Bad;
                state.last_error = Some(last.why.clone());
            }
        }
        self.stale.clear();
    }

    /// Notes that nothing of an evaluation could be written: its series stay to be ended, its rules have failed.
    pub fn unwritten(&mut self, turn: &Turn, why: &str) {
        for (state, done) in self.rules.iter_mut().zip(&turn.rules) {
            if done.error.is_none() && !(done.samples.is_empty() && done.ended.is_empty()) {
                state.health = Health::Bad;
                state.last_error = Some(why.to_owned());
            }
        }
    }
}

/// A sample of an evaluation that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The rule's place in its group.
    pub rule: usize,
    /// The sample's place among the rule's.
    pub sample: usize,
    /// Why, in Prometheus's words: `out of order sample`, `duplicate sample for timestamp`.
    pub why: String,
}
