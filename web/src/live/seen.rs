//! The read model as somebody sees it: other systems do not exist, and what is restricted to others is not there. Pure but for
//! the read model's lock.
//!
//! Invariant: pages and the API read through [`Seen`] and never past it; a test looks at their sources.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use decide::access::restricted;
use kernel::Labels;
use kernel::alert::Alert;
use kernel::probe::CheckId;
use plan_model::Plan;

use super::{CheckState, Live, OwnMetric, RuleState, SystemState};
use crate::auth::access::Access;

/// The read model through somebody's eyes.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    live: &'a Live,
    access: &'a Access,
}

impl Live {
    /// As somebody sees it.
    pub const fn seen_by<'a>(&'a self, access: &'a Access) -> Seen<'a> {
        Seen { live: self, access }
    }
}

impl Seen<'_> {
    /// Reads all systems that are seen, in order.
    pub fn systems<T>(&self, mut with: impl FnMut(&SystemState) -> T) -> Vec<T> {
        let all = self.live.systems(|s| self.part(s).map(|s| with(&s)));
        all.into_iter().flatten().collect()
    }

    /// Reads one system. Keep `with` short: it holds the lock.
    pub fn system<T>(&self, name: &str, with: impl FnOnce(&SystemState) -> T) -> Option<T> {
        self.live.system(name, |s| self.part(s).map(|s| with(&s))).flatten()
    }

    /// Reads one check with its system.
    pub fn check<T>(&self, id: &CheckId, with: impl FnOnce(&SystemState, &CheckState) -> T) -> Option<T> {
        self.system(&id.system, |s| s.checks.get(id).map(|c| with(s, c))).flatten()
    }

    /// Names of the systems with their labels.
    pub fn system_names(&self) -> Vec<(Arc<str>, String)> {
        self.systems(|s| (Arc::from(s.name()), s.label().to_owned()))
    }

    /// All alerts that are pending or firing.
    pub fn alerts(&self) -> Vec<Alert> {
        self.systems(|s| s.alerts.clone()).into_iter().flatten().collect()
    }

    /// The numbers about Farero itself: those of a system to whoever sees that, the rest to whoever sees everything.
    pub fn own(&self) -> Vec<OwnMetric> {
        let (all, names) = (self.access.sees_all(), self.system_names());
        let mut own = self.live.own();
        own.retain(|m| match m.labels.iter().find(|(name, _)| name == "system") {
            Some((_, system)) => names.iter().any(|(n, _)| **n == **system),
            None => all,
        });
        own
    }

    /// Whether a system is seen and nothing of it is kept from them: asked of the whole system, not of the part that is seen.
    pub fn sees_whole(&self, system: &str) -> bool {
        self.live.system(system, |s| self.hides_nothing(s)).unwrap_or(false)
    }

    /// Whether nothing at all is kept from them.
    pub fn sees_everything(&self) -> bool {
        self.access.sees_all() && self.live.systems(|s| self.hides_nothing(s)).into_iter().all(|whole| whole)
    }

    fn hides_nothing(&self, system: &SystemState) -> bool {
        self.access.sees(system) && (!system.is_restricted() || Hidden::new(system, self.access).is_nothing_at_all())
    }

    /// Whether an alert is seen.
    pub fn sees_alert(&self, alert: &Alert) -> bool {
        let known = self.live.system(&alert.system, |s| self.access.sees_alert(Some(s), alert));
        known.unwrap_or_else(|| self.access.sees_alert(None, alert))
    }

    /// What of a system is seen; nothing when it does not exist for them.
    fn part<'s>(&self, system: &'s SystemState) -> Option<Cow<'s, SystemState>> {
        if !self.access.sees(system) {
            return None;
        }
        if !system.is_restricted() {
            return Some(Cow::Borrowed(system));
        }
        let hidden = Hidden::new(system, self.access);
        Some(if hidden.is_nothing() { Cow::Borrowed(system) } else { Cow::Owned(hidden.without(system)) })
    }
}

/// What of a system somebody does not see.
pub(super) struct Hidden<'s> {
    pub(super) components: HashSet<&'s str>,
    pub(super) severities: HashSet<&'s str>,
    dashboards: HashSet<&'s str>,
    /// Whether rules or alerts say by a label whom they are for.
    labelled: bool,
    /// Whether one of those is for others.
    by_label: bool,
    access: &'s Access,
}

impl<'s> Hidden<'s> {
    pub(super) fn new(system: &'s SystemState, access: &'s Access) -> Self {
        let plan = system.plan();
        let of_component =
            |name: &str| restricted::of_component(plan, name).is_some_and(|r| !access.is_within(system, &[r]));
        let of_severity =
            |name: &str| restricted::of_severity(plan, name).is_some_and(|r| !access.is_within(system, &[r]));
        let of_dashboard =
            |name: &str| restricted::of_dashboard(plan, name).is_some_and(|r| !access.is_within(system, &[r]));
        let labels = system.alerts.iter().map(|a| &a.labels).chain(rules(system).map(|r| &r.labels));
        let labels: Vec<&str> = labels.filter_map(|l| l.get(restricted::LABEL)).collect();
        let is_hidden = |label: &&str| !access.is_within(system, &[restricted::Restriction::Label(label)]);
        Self {
            components: plan.components().map(|(n, _)| n).filter(|n| of_component(n)).collect(),
            severities: plan.severities.keys().map(String::as_str).filter(|n| of_severity(n)).collect(),
            dashboards: plan.dashboards.keys().map(String::as_str).filter(|n| of_dashboard(n)).collect(),
            labelled: !labels.is_empty(),
            by_label: labels.iter().any(is_hidden),
            access,
        }
    }

    fn is_nothing(&self) -> bool {
        self.components.is_empty() && self.severities.is_empty() && self.dashboards.is_empty() && !self.labelled
    }

    fn is_nothing_at_all(&self) -> bool {
        self.components.is_empty() && self.severities.is_empty() && self.dashboards.is_empty() && !self.by_label
    }

    fn hides_rule(&self, system: &SystemState, rule: &RuleState) -> bool {
        let by_severity = rule.severity.as_deref().is_some_and(|s| self.severities.contains(s));
        let by_check = rule.covers.iter().any(|id| self.components.contains(&*id.component));
        let by_label = || {
            let label = rule.labels.get(restricted::LABEL).map(restricted::Restriction::Label);
            label.is_some_and(|r| !self.access.is_within(system, &[r]))
        };
        by_severity || by_check || by_label()
    }

    /// The system without it.
    fn without(&self, system: &SystemState) -> SystemState {
        let mut part = system.clone();
        part.checks.retain(|id, _| !self.components.contains(&*id.component));
        for check in part.checks.values_mut() {
            check.explained_by.take_if(|by| self.components.contains(&*by.component));
        }
        // A measure may rest on what is hidden; its text does not tell.
        part.kpis.clear();
        part.hosts.retain(|name, _| !self.components.contains(name.as_str()));
        part.intensive.retain(|i| i.component.as_deref().is_none_or(|c| !self.components.contains(c)));
        part.alerts.retain(|a| self.access.sees_alert(Some(system), a));
        let seen: HashSet<&Labels> = part.alerts.iter().map(|a| &a.labels).collect();
        for group in &mut part.rules {
            group.rules.retain(|r| !self.hides_rule(system, r));
            for rule in &mut group.rules {
                rule.alerts.retain(|labels| seen.contains(labels));
            }
        }
        if !self.components.is_empty() || !self.dashboards.is_empty() {
            let mut plan: Plan = system.plan().clone();
            plan.services.retain(|name, _| !self.components.contains(name.as_str()));
            plan.hosts.retain(|name, _| !self.components.contains(name.as_str()));
            plan.dashboards.retain(|name, _| !self.dashboards.contains(name.as_str()));
            part.version.plan = Arc::new(plan);
        }
        if !self.is_nothing_at_all() {
            // Findings, errors and reasons quote the plan's files, hidden names among them.
            part.version.loaded = Arc::new(system.version.loaded.without_quotes());
            if let Some(reload) = &mut part.reload {
                reload.errors.clear();
            }
        }
        part
    }
}

fn rules(system: &SystemState) -> impl Iterator<Item = &RuleState> {
    system.rules.iter().flat_map(|g| &g.rules)
}
