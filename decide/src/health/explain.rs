//! Whose fault it is: a component that is down explains the failure of those that depend on it. Pure.
//!
//! A component's failure is explained by every component it depends on, directly or through others, that is down. The way
//! goes only through components that are not known to be up: where the backend works, the database below it explains
//! nothing of the frontend. Of several on one way the last one counts, the root.
//!
//! What is explained stays explained until a check of the component began after its cause was seen to be back; else each
//! recovery of a database would be followed by false alarms from everything above it.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Timestamp;
use kernel::probe::Outcome;
use plan_model::Plan;

use super::{Seen, decide_component};

/// What each component's failure is explained by: names of components, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanations(BTreeMap<String, Vec<String>>);

impl Explanations {
    /// What explains a component's failure; `None` when it stands for itself.
    pub fn of(&self, component: &str) -> Option<String> {
        self.0.get(component).map(|by| by.join(", "))
    }
}

struct Standing {
    outcome: Outcome,
    /// When the last of its failing checks came back.
    back_at: Option<Timestamp>,
    /// When the check that was asked longest ago was asked.
    checked_at: Option<Timestamp>,
}

/// Longest way of dependencies that is followed.
pub const LONGEST_WAY: usize = 64;

/// What explains what, from the latest results.
pub fn decide_explanations(plan: &Plan, seen: &[Seen]) -> Explanations {
    let mut by_component: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for one in seen {
        by_component.entry(&one.check.component).or_default().push(one);
    }
    let standing: BTreeMap<&str, Standing> =
        by_component.into_iter().map(|(name, own)| (name, Standing::of(&own))).collect();
    let names = plan.services.keys().chain(plan.hosts.keys());
    let found = names.filter_map(|name| {
        let checked_at = standing.get(name.as_str()).and_then(|s| s.checked_at);
        let way = Way { plan, standing: &standing, checked_at };
        let causes = way.causes(name, &mut BTreeSet::from([name.as_str()]));
        (!causes.is_empty()).then(|| (name.clone(), causes.into_iter().map(ToOwned::to_owned).collect()))
    });
    Explanations(found.collect())
}

impl Standing {
    fn of(own: &[&Seen]) -> Self {
        Self {
            outcome: decide_component(own.iter().map(|s| s.outcome)),
            back_at: own.iter().filter(|s| s.outcome.is_success()).filter_map(|s| s.recovered_at).max(),
            checked_at: own.iter().map(|s| s.at).min(),
        }
    }
}

/// The way down from one component.
struct Way<'a> {
    plan: &'a Plan,
    standing: &'a BTreeMap<&'a str, Standing>,
    checked_at: Option<Timestamp>,
}

impl<'a> Way<'a> {
    /// The roots below a component; `visited` keeps circles from being walked.
    fn causes(&self, name: &str, visited: &mut BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let component = self.plan.services.get(name).or_else(|| self.plan.hosts.get(name));
        for parent in component.into_iter().flat_map(|c| &c.depends_on) {
            if visited.len() > LONGEST_WAY || !visited.insert(parent) {
                continue;
            }
            let standing = self.standing.get(parent.as_str());
            let is_cause = standing.is_some_and(|s| self.is_cause(s));
            if is_cause || standing.is_none_or(|s| s.outcome == Outcome::Blind) {
                let deeper = self.causes(parent, visited);
                if is_cause && deeper.is_empty() {
                    found.insert(parent.as_str());
                }
                found.extend(deeper);
            }
        }
        found
    }

    /// Down, or back only since the component above was checked.
    fn is_cause(&self, parent: &Standing) -> bool {
        let just_back = || parent.back_at.zip(self.checked_at).is_some_and(|(back, checked)| back >= checked);
        parent.outcome == Outcome::Down || (parent.outcome.is_success() && just_back())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, plan};
    use kernel::probe::CheckId;

    fn seen(component: &str, outcome: Outcome, minute: u64, recovered: Option<u64>) -> Seen {
        let time = |m: u64| at("2026-11-22T10:00:00Z") + std::time::Duration::from_secs(m * 60);
        let check = CheckId::new("sigcerh", component, "check");
        Seen { check, outcome, at: time(minute), recovered_at: recovered.map(time) }
    }

    fn check(all: &[Seen], component: &str, expect: Option<&str>) {
        let got = decide_explanations(&plan(), all);
        assert_eq!(got.of(component).as_deref(), expect, "{component} of {all:?}");
    }

    #[test]
    fn alr_06_the_root_explains_all_above_it() {
        let all = ["postgres", "backend", "frontend"].map(|name| seen(name, Outcome::Down, 5, None));
        check(&all, "postgres", None);
        check(&all, "backend", Some("postgres"));
        check(&all, "frontend", Some("postgres"));
        check(&all, "gemini", None);
    }

    #[test]
    fn alr_06_what_works_in_between_explains_nothing() {
        let all = [seen("postgres", Outcome::Down, 5, None), seen("backend", Outcome::Up, 5, None)];
        check(&all, "frontend", None);
        let unknown = [seen("postgres", Outcome::Down, 5, None)];
        check(&unknown, "frontend", Some("postgres"));
    }

    #[test]
    fn alr_06_the_explanation_holds_until_the_child_was_checked_again() {
        let back = seen("postgres", Outcome::Up, 7, Some(7));
        check(&[back.clone(), seen("backend", Outcome::Down, 5, None)], "backend", Some("postgres"));
        check(&[back, seen("backend", Outcome::Down, 8, None)], "backend", None);
        let always_up = seen("postgres", Outcome::Up, 7, None);
        check(&[always_up, seen("backend", Outcome::Down, 5, None)], "backend", None);
    }

    #[test]
    fn circles_end() {
        let mut plan = plan();
        plan.services["postgres"].depends_on = vec!["frontend".into(), "postgres".into(), "nobody".into()];
        let all = ["postgres", "backend", "frontend"].map(|name| seen(name, Outcome::Down, 5, None));
        let got = decide_explanations(&plan, &all);
        assert!(got.of("frontend").is_some());
    }
}
