//! What must be right between the parts of a plan: names, references, kinds, times, texts with a form of their own. Pure.
//!
//! Runs on all items, those that sleep too: a mistake in something planned is a mistake today.

use std::collections::HashSet;
use std::fmt::Arguments;

use plan_syntax::suggest::{listing, nearest};
use plan_syntax::tree::Map;
use plan_syntax::{Diagnostic, Level, Node, Place, Sources};

use crate::load::{Document, DocumentKind};
use crate::severity::AlertPolicy;
use crate::{Check, Component, Loaded, Plan};

mod access;
mod channels;
mod checks;
mod cycles;
mod dashboards;
mod names;
mod panels;
mod references;
mod sign_offs;
mod texts;

/// All that is wrong between the parts of a plan.
pub(crate) fn verify(plan: &Plan, loaded: &Loaded) -> Vec<Diagnostic> {
    let names = |kind: DocumentKind| -> HashSet<&str> {
        loaded.documents.iter().filter(|d| d.kind == kind).map(Document::name).collect()
    };
    let mut verifier = Verifier {
        plan,
        root: loaded.root(),
        sources: &loaded.sources,
        runbooks: names(DocumentKind::Runbook),
        checklists: names(DocumentKind::Checklist),
        out: Vec::new(),
    };
    verifier.names();
    verifier.people();
    verifier.access();
    verifier.severities();
    verifier.channels();
    verifier.components();
    verifier.tasks();
    verifier.kpis();
    verifier.sign_offs();
    verifier.dashboards();
    verifier.cycles();
    verifier.references();
    verifier.out
}

/// The plan being checked.
struct Verifier<'a> {
    plan: &'a Plan,
    root: &'a Node,
    sources: &'a Sources,
    runbooks: HashSet<&'a str>,
    checklists: HashSet<&'a str>,
    out: Vec<Diagnostic>,
}

impl<'a> Verifier<'a> {
    fn place(&self, path: &str) -> Place {
        crate::load::nearest_place(self.root, self.sources, path)
    }

    fn report(&mut self, level: Level, code: &'static str, path: Arguments<'_>, message: String) -> &mut Diagnostic {
        let place = self.place(&path.to_string());
        self.out.push(Diagnostic::new(level, code, place, message));
        let last = self.out.len() - 1;
        &mut self.out[last]
    }

    fn error(&mut self, code: &'static str, path: Arguments<'_>, message: String) -> &mut Diagnostic {
        self.report(Level::Error, code, path, message)
    }

    /// The names declared in a section, those of sleeping items too.
    fn declared(&self, section: &str) -> Option<&'a Map> {
        self.root.get(section).and_then(Node::as_map)
    }

    fn is_declared(&self, section: &str, name: &str) -> bool {
        self.declared(section).is_some_and(|m| m.contains_key(name))
    }

    /// A name that must stand in one of some sections; `what` is what it names.
    fn refer(&mut self, name: &str, sections: &[&str], what: &str, path: Arguments<'_>) -> bool {
        if sections.iter().any(|s| self.is_declared(s, name)) {
            return true;
        }
        let all = || sections.iter().filter_map(|s| self.declared(s)).flat_map(|m| m.keys()).map(|k| &**k);
        let near = nearest(name, all()).map(|n| format!("did you mean `{n}`?"));
        let expected = listing(all(), 12, "or");
        let where_to = sections.iter().map(|s| format!("`{s}:`")).collect::<Vec<_>>().join(" or ");
        let help = near.unwrap_or_else(|| format!("declare it under {where_to}"));
        let error = self.error("unknown-reference", path, format!("there is no {what} `{name}`"));
        error.help = Some(help);
        error.expected = Some(expected).filter(|e| !e.is_empty());
        false
    }

    fn severity(&mut self, name: Option<&String>, path: Arguments<'_>) {
        if let Some(name) = name {
            self.refer(name, &["severities"], "severity", path);
        }
    }

    fn document(&mut self, kind: DocumentKind, name: Option<&String>, path: Arguments<'_>) {
        let Some(name) = name else { return };
        let known = match kind {
            DocumentKind::Runbook => &self.runbooks,
            DocumentKind::Checklist => &self.checklists,
        };
        let wanted = Document::plain_name(kind, name);
        if known.contains(&*wanted) {
            return;
        }
        let mut all: Vec<&str> = known.iter().copied().collect();
        all.sort_unstable();
        let help = match nearest(&wanted, all.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write the file {}{wanted} in the plan's folder", kind.folder()),
        };
        let expected = Some(listing(all, 12, "or")).filter(|e| !e.is_empty());
        let error = self.error("unknown-document", path, format!("there is no file {}{wanted}", kind.folder()));
        error.help = Some(help);
        error.expected = expected;
    }

    fn environments(&mut self, names: &[String], path: Arguments<'_>) {
        let path = path.to_string();
        for (index, name) in names.iter().enumerate() {
            self.refer(name, &["environments"], "environment", format_args!("{path}.environments[{index}]"));
        }
    }

    fn people(&mut self) {
        let plan = self.plan;
        if let Some(author) = &plan.author {
            self.refer(author, &["roles"], "role", format_args!("author"));
        }
        for (role, spec) in &plan.roles {
            for (index, person) in spec.people.iter().enumerate() {
                self.refer(person, &["people"], "person", format_args!("roles.{role}.people[{index}]"));
            }
        }
        for (index, name) in plan.escalation.iter().enumerate() {
            let sections = ["roles", "people", "contacts"];
            self.refer(name, &sections, "role, person or contact", format_args!("escalation[{index}]"));
        }
    }

    fn severities(&mut self) {
        let plan = self.plan;
        for (name, severity) in &plan.severities {
            for (index, channel) in severity.channels.iter().enumerate() {
                self.refer(channel, &["channels"], "channel", format_args!("severities.{name}.channels[{index}]"));
            }
            self.restricted(&severity.restricted_to, &format!("severities.{name}"));
        }
        self.policy(&plan.alerts, "alerts");
    }

    fn policy(&mut self, policy: &AlertPolicy, path: &str) {
        self.severity(policy.down.as_ref(), format_args!("{path}.down"));
        self.severity(policy.slow.as_ref(), format_args!("{path}.slow"));
        self.severity(policy.scrape_down.as_ref(), format_args!("{path}.scrape_down"));
        self.severity(policy.blind.as_ref(), format_args!("{path}.blind"));
        self.severity(policy.summary.as_ref(), format_args!("{path}.summary"));
        for (index, alert) in policy.certificate.iter().enumerate() {
            self.severity(Some(&alert.severity), format_args!("{path}.certificate[{index}].severity"));
        }
        for (measure, list) in [("cpu", &policy.cpu), ("memory", &policy.memory), ("disk", &policy.disk)] {
            for (index, threshold) in list.iter().enumerate() {
                let at = format!("{path}.{measure}[{index}]");
                self.severity(Some(&threshold.severity), format_args!("{at}.severity"));
                self.document(DocumentKind::Runbook, threshold.runbook.as_ref(), format_args!("{at}.runbook"));
            }
        }
    }

    fn components(&mut self) {
        let plan = self.plan;
        for (section, map) in [("services", &plan.services), ("hosts", &plan.hosts)] {
            for (name, component) in map {
                self.component(component, name, &format!("{section}.{name}"));
            }
        }
    }

    fn component(&mut self, component: &Component, name: &str, path: &str) {
        for (index, other) in component.depends_on.iter().enumerate() {
            let at = format!("{path}.depends_on[{index}]");
            if other == name {
                self.error("depends-on-itself", format_args!("{at}"), format!("`{name}` depends on itself"));
            } else {
                self.refer(other, &["services", "hosts"], "service or host", format_args!("{at}"));
            }
        }
        self.environments(&component.environments, format_args!("{path}"));
        self.restricted(&component.restricted_to, path);
        if let Some(policy) = &component.alerts {
            self.policy(policy, &format!("{path}.alerts"));
        }
        if let Some(check) = &component.check {
            self.check(check, name, "check", &format!("{path}.check"));
        }
        for (check_name, check) in &component.checks {
            self.check(check, name, check_name, &format!("{path}.checks.{check_name}"));
        }
        if let Some(metrics) = &component.metrics {
            let scrape = metrics.scrape();
            self.url(&scrape.url, &["http", "https"], &format!("{path}.metrics"), "url");
            self.limits(scrape.every, scrape.timeout, &format!("{path}.metrics"));
        }
    }

    fn check(&mut self, check: &Check, component: &str, name: &str, path: &str) {
        self.severity(check.down.as_ref(), format_args!("{path}.down"));
        self.severity(check.slow_severity.as_ref(), format_args!("{path}.slow_severity"));
        self.document(DocumentKind::Runbook, check.runbook.as_ref(), format_args!("{path}.runbook"));
        self.environments(&check.environments, format_args!("{path}"));
        self.check_itself(check, component, name, path);
    }

    fn tasks(&mut self) {
        let plan = self.plan;
        for (name, task) in &plan.tasks {
            for (index, by) in task.by.iter().enumerate() {
                let sections = ["roles", "people"];
                self.refer(by, &sections, "role or person", format_args!("tasks.{name}.by[{index}]"));
            }
            self.document(DocumentKind::Checklist, task.checklist.as_ref(), format_args!("tasks.{name}.checklist"));
            self.document(DocumentKind::Runbook, task.runbook.as_ref(), format_args!("tasks.{name}.runbook"));
            self.environments(&task.environments, format_args!("tasks.{name}"));
        }
    }

    fn kpis(&mut self) {
        let plan = self.plan;
        for (name, kpi) in &plan.kpis {
            self.environments(&kpi.environments, format_args!("kpis.{name}"));
        }
    }
}

#[cfg(test)]
mod tests;
