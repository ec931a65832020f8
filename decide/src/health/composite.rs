//! Several checks, one verdict (CHK-11). Pure.

use kernel::probe::{CheckId, Evidence, Outcome};
use plan_model::Plan;
use plan_model::check::CompositeCheck;

/// The verdict on a composite check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composite {
    /// Up when enough members pass, slow when one of them is slow, blind when it depends on members nothing is known of.
    pub outcome: Outcome,
    /// How many pass, how many there are, how each stands.
    pub evidence: Evidence,
}

/// The checks that a composite names: `component/check`, or a component alone for all its checks.
pub fn members(plan: &Plan, composite: &CompositeCheck) -> Vec<CheckId> {
    let mut all: Vec<CheckId> = Vec::new();
    for name in &composite.of {
        let (component, check) = name.split_once('/').map_or((name.as_str(), None), |(c, k)| (c, Some(k)));
        let Some(found) = plan.services.get(component).or_else(|| plan.hosts.get(component)) else { continue };
        for (own, _) in found.all_checks().filter(|(own, _)| check.is_none_or(|wanted| wanted == *own)) {
            let id = CheckId::new(&plan.system, component, own);
            if !all.contains(&id) {
                all.push(id);
            }
        }
    }
    all
}

/// The verdict on a composite, from its members' latest outcomes (`None`: no result yet).
pub fn decide_composite(composite: &CompositeCheck, members: &[(CheckId, Option<Outcome>)]) -> Composite {
    let count =
        |wanted: &dyn Fn(Outcome) -> bool| members.iter().filter(|(_, o)| wanted(o.unwrap_or(Outcome::Blind))).count();
    let passing = count(&Outcome::is_success);
    let unknown = count(&|o| o == Outcome::Blind);
    let needed = composite.at_least.map_or(members.len(), |n| n as usize);
    let outcome = if members.is_empty() {
        Outcome::Blind
    } else if passing >= needed {
        if count(&|o| o == Outcome::Slow) > 0 { Outcome::Slow } else { Outcome::Up }
    } else if passing + unknown >= needed {
        Outcome::Blind
    } else {
        Outcome::Down
    };
    let named = |wanted: Outcome| {
        let names = members.iter().filter(|(_, o)| o.unwrap_or(Outcome::Blind) == wanted);
        names.map(|(id, _)| format!("{}/{}", id.component, id.check)).collect::<Vec<_>>().join(", ")
    };
    let status = format!("{passing} of {} pass, {needed} needed", members.len());
    let error = (outcome == Outcome::Down).then(|| format!("{status}; down: {}", named(Outcome::Down)));
    let facts = [Outcome::Down, Outcome::Slow, Outcome::Blind, Outcome::Up]
        .into_iter()
        .map(|o| (o.as_str().to_owned(), named(o)))
        .filter(|(_, names)| !names.is_empty())
        .collect();
    Composite { outcome, evidence: Evidence { status: Some(status), error, body: None, facts } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plan;

    fn check(at_least: Option<u32>, outcomes: &[Option<Outcome>], expect: Outcome) {
        let composite = CompositeCheck { of: Vec::new(), at_least };
        let members: Vec<_> = outcomes
            .iter()
            .enumerate()
            .map(|(i, o)| (CheckId::new("sigcerh", &format!("s{i}"), "check"), *o))
            .collect();
        let got = decide_composite(&composite, &members);
        assert_eq!(got.outcome, expect, "{outcomes:?}");
        assert_eq!(got.evidence.error.is_some(), expect == Outcome::Down);
    }

    #[test]
    fn chk_11_one_verdict_for_several_checks() {
        let (up, slow, down, blind) = (Some(Outcome::Up), Some(Outcome::Slow), Some(Outcome::Down), None);
        check(None, &[up, up], Outcome::Up);
        check(None, &[up, slow], Outcome::Slow);
        check(None, &[up, down, blind], Outcome::Down);
        check(None, &[up, blind], Outcome::Blind);
        check(Some(1), &[up, down, blind], Outcome::Up);
        check(Some(2), &[up, down, blind], Outcome::Blind);
        check(None, &[], Outcome::Blind);
    }

    #[test]
    fn chk_11_members_are_named_by_component_or_check() {
        let of = vec!["backend".into(), "postgres/check".into(), "backend/salud".into(), "nobody".into()];
        let found = members(&plan(), &CompositeCheck { of, at_least: None });
        let names: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["sigcerh/backend/salud", "sigcerh/postgres/check"]);
    }
}
