//! Rules of a group that share a name, such as one `ServiceDown` for each runbook (ALR-03). Pure.
//!
//! A stored alert knows its rule's name and its labels; both can fit several rules. So what a rule says of an alert that
//! it does not give itself waits until all of them have spoken: the alert is the one's that gives it, ends when one of
//! them sees that all is well, and stays once, not once for each rule, while none sees anything.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration as StdDuration;

use kernel::alert::Alert;
use kernel::{Duration, Labels};

use super::super::step::{Times, decide_cleared};
use super::super::{Rule, RuleKind};
use super::{RuleReport, Work};

/// What a rule says of an alert that it does not give.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub rule: &'a Rule,
    pub times: Times,
    /// Whether what must be there for the alert to end is there; `None` when the rule does not say what that is.
    pub seen: Option<bool>,
    /// The rule could not be evaluated.
    pub failed: bool,
}

/// What is known of the alerts of a turn.
#[derive(Default)]
pub(super) struct Families<'a> {
    claimed: HashSet<Labels>,
    said: BTreeMap<&'a Labels, (&'a Alert, Said<'a>)>,
}

impl<'a> Families<'a> {
    /// A rule gives an alert; `false` when another one has already given it.
    pub(super) fn claim(&mut self, labels: &Labels) -> bool {
        self.claimed.insert(labels.clone())
    }

    /// What sees the alert's end counts most, then what could not be asked, then what sees nothing.
    pub(super) fn note(&mut self, alert: &'a Alert, new: Said<'a>) {
        let weight = |s: &Said<'_>| (s.seen == Some(true), s.failed, s.seen.is_some());
        let old = self.said.get(&alert.labels).map(|(_, said)| weight(said));
        if old.is_none_or(|old| weight(&new) > old) {
            self.said.insert(&alert.labels, (alert, new));
        }
    }
}

impl<'a> Work<'a> {
    /// Whether other rules of the group have this one's name.
    pub(super) fn is_family(&self, rule: &Rule) -> bool {
        self.group.rules.iter().filter(|r| r.name == rule.name).count() > 1
    }

    /// The alerts of a rule that could not be evaluated.
    pub(super) fn keep_as_it_was(&mut self, rule: &'a Rule, gap: StdDuration) {
        let (hold, keep_firing_for) = match rule.kind {
            RuleKind::Alert { hold, keep_firing_for } => (hold, keep_firing_for),
            RuleKind::Record => (Duration::ZERO, Duration::ZERO),
        };
        let times = Times { now: self.turn.now, gap, watching_since: self.turn.watching_since, hold, keep_firing_for };
        let memory = self.turn.memory.iter().filter(|a| a.rule == rule.name && self.belongs(rule, a));
        for alert in memory.collect::<Vec<_>>() {
            self.families.note(alert, Said { rule, times, seen: None, failed: true });
        }
        self.failed.insert(rule.name.clone());
    }

    /// Decides what becomes of alerts that no rule gave.
    pub(super) fn clear_families(&mut self) {
        for (labels, (alert, said)) in std::mem::take(&mut self.families.said) {
            if self.families.claimed.contains(labels) {
                continue;
            }
            let mut report = RuleReport::default();
            if said.failed {
                report.alerts.push(alert.labels.clone());
                self.out.active.push(alert.clone());
            } else {
                let step = decide_cleared(alert, said.seen, &said.times);
                self.take(said.rule, step, Some(alert), &mut report);
            }
            let index = self.group.rules.iter().position(|r| std::ptr::eq(r, said.rule));
            if let Some(of_rule) = index.and_then(|i| self.out.report.rules.get_mut(i)) {
                of_rule.unseen += report.unseen;
                of_rule.explained += report.explained;
                of_rule.alerts.append(&mut report.alerts);
            }
        }
    }
}
