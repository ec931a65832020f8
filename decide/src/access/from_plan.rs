//! What a plan grants to an account, and what of the plan that account is. Pure.

use kernel::access::{Grant, Granted, Scope, Source};
use plan_model::Plan;

use super::Membership;

/// What of a plan an account is: its person by `login:`, the roles that the person fills, the teams that the person or one of
/// these roles belongs to.
pub fn memberships(plan: &Plan, account: &str) -> Vec<Membership> {
    let mut names: Vec<&str> = Vec::new();
    let people = plan.people.iter().filter(|(_, p)| p.login.as_deref() == Some(account));
    names.extend(people.map(|(name, _)| name.as_str()));
    if names.is_empty() {
        return Vec::new();
    }
    let fills = |list: &[String], names: &[&str]| list.iter().any(|p| names.contains(&p.as_str()));
    let roles: Vec<&str> =
        plan.roles.iter().filter(|(_, r)| fills(&r.people, &names)).map(|(n, _)| n.as_str()).collect();
    names.extend(roles);
    let teams: Vec<&str> =
        plan.teams.iter().filter(|(_, t)| fills(&t.people, &names)).map(|(n, _)| n.as_str()).collect();
    names.extend(teams);
    names.into_iter().map(|n| Membership { system: plan.system.clone(), name: n.to_owned() }).collect()
}

/// The grants of a plan to whoever is something of it.
pub fn grants(plan: &Plan, memberships: &[Membership]) -> Vec<Granted> {
    let own = |name: &str| memberships.iter().any(|m| m.name == name && m.system == plan.system);
    let mut all = Vec::new();
    for access in &plan.access {
        let Some(to) = access.to.iter().find(|name| own(name)) else { continue };
        let grant = Grant {
            role: access.role,
            systems: Scope::only([plan.system.clone()]),
            environments: Scope::of_names(access.environments.iter().cloned()),
            procedures: Scope::of_names(access.procedures.iter().cloned()),
            channels: Scope::of_names(access.channels.iter().cloned()),
        };
        all.push(Granted { grant, source: Source::Plan { system: plan.system.clone(), to: to.clone() } });
    }
    all
}
