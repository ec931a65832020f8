//! Teams, access and approvals: who is named there must exist, and one account is one person. Pure.

use std::collections::HashMap;

use kernel::access::Role;

use super::Verifier;
use crate::load::DocumentKind;

/// Sections whose names stand for people.
const WHO: [&str; 3] = ["roles", "teams", "people"];

/// What such a name stands for.
const WHO_WORDS: &str = "role, team or person";

impl Verifier<'_> {
    pub(super) fn access(&mut self) {
        let plan = self.plan;
        for (team, spec) in &plan.teams {
            for (index, member) in spec.people.iter().enumerate() {
                let path = format!("teams.{team}.people[{index}]");
                self.refer(member, &["roles", "people"], "role or person", format_args!("{path}"));
            }
        }
        for (at, access) in plan.access.iter().enumerate() {
            let path = format!("access[{at}]");
            if access.to.is_empty() {
                self.error("access-to-nobody", format_args!("{path}"), "this access names nobody".to_owned()).help =
                    Some("name roles, teams or people under `to:`, or take it out".into());
            }
            self.who(&access.to, &format!("{path}.to"));
            self.environments(&access.environments, format_args!("{path}"));
            for (index, name) in access.procedures.iter().enumerate() {
                self.procedure(name, &format!("{path}.procedures[{index}]"));
            }
            for (index, name) in access.channels.iter().enumerate() {
                self.refer(name, &["channels"], "channel", format_args!("{path}.channels[{index}]"));
            }
        }
        for (at, approval) in plan.approvals.iter().enumerate() {
            let path = format!("approvals[{at}]");
            self.who(&approval.by, &format!("{path}.by"));
            self.environments(&approval.environments, format_args!("{path}"));
        }
        self.logins();
        self.names_of_people();
    }

    fn who(&mut self, names: &[String], path: &str) {
        for (index, name) in names.iter().enumerate() {
            self.refer(name, &WHO, WHO_WORDS, format_args!("{path}[{index}]"));
        }
    }

    /// Those to whom something is restricted; built-in roles may be among them.
    pub(super) fn restricted(&mut self, names: &[String], path: &str) {
        for (index, name) in names.iter().enumerate().filter(|(_, n)| Role::parse(n).is_none()) {
            self.refer(name, &WHO, WHO_WORDS, format_args!("{path}.restricted_to[{index}]"));
        }
    }

    fn procedure(&mut self, name: &str, path: &str) {
        let plain = |kind| crate::load::Document::plain_name(kind, name);
        let known = self.is_declared("tasks", name)
            || self.runbooks.contains(&*plain(DocumentKind::Runbook))
            || self.checklists.contains(&*plain(DocumentKind::Checklist));
        if !known {
            self.refer(name, &["tasks"], "task, runbook or checklist", format_args!("{path}"));
        }
    }

    fn logins(&mut self) {
        let mut known: HashMap<&str, &str> = HashMap::new();
        let plan = self.plan;
        for (name, person) in &plan.people {
            let Some(login) = person.login.as_deref() else { continue };
            let Some(first) = known.insert(login, name) else { continue };
            let place = self.place(&format!("people.{first}.login"));
            let message = format!("`{name}` and `{first}` have the same account `{login}`");
            let error = self.error("duplicate-login", format_args!("people.{name}.login"), message);
            error.help = Some("give each person an account of their own: deeds are recorded under it".into());
            error.related.push(plan_syntax::diagnostic::Related { place, message: "the other one is here".into() });
        }
    }

    /// A name that is a role and a person would grant one what is meant for the other, unless it is the same people.
    fn names_of_people(&mut self) {
        let plan = self.plan;
        for name in plan.teams.keys().filter(|n| plan.roles.contains_key(*n) || plan.people.contains_key(*n)) {
            let message = format!("`{name}` is a team and also a role or person");
            self.error("duplicate-name", format_args!("teams.{name}"), message).help =
                Some("give the team another name: access is granted by it".into());
        }
        for (name, role) in plan.roles.iter().filter(|(n, _)| plan.people.contains_key(*n)) {
            if role.people.iter().any(|p| p != name) {
                let message = format!("`{name}` is a person and also a role that others fill");
                self.error("duplicate-name", format_args!("roles.{name}"), message).help =
                    Some("give the role another name: access is granted by it".into());
            }
        }
    }
}
