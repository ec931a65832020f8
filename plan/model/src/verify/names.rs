//! Names that stand in paths, labels and addresses: which letters they may have. Pure.

use plan_syntax::suggest::listing;

use super::Verifier;

/// Sections whose keys are names.
const SECTIONS: &[&str] = &[
    "environments",
    "parameters",
    "roles",
    "people",
    "teams",
    "contacts",
    "audiences",
    "severities",
    "channels",
    "services",
    "hosts",
    "tasks",
    "kpis",
    "signatures",
    "dashboards",
];

/// Longest name; it stands in addresses and labels.
const LONGEST_NAME: usize = 100;

/// Labels that Farero gives each check's series itself.
const OWN_LABELS: &[&str] = &["system", "service", "check", "kind", "instance", "third_party", "__name__"];

impl Verifier<'_> {
    pub(super) fn names(&mut self) {
        for section in SECTIONS {
            let Some(map) = self.declared(section) else { continue };
            for name in map.keys() {
                self.name(name, &format!("{section}.{name}"), &|v| v.key_place(section, name));
            }
        }
        for section in ["services", "hosts"] {
            let Some(map) = self.declared(section) else { continue };
            for (component, entry) in map {
                let Some(checks) = entry.node.get("checks").and_then(plan_syntax::Node::as_map) else { continue };
                for (check, spec) in checks {
                    let span = spec.key_span;
                    self.name(check, &format!("{section}.{component}.checks.{check}"), &|v| v.sources.place(span));
                }
                if checks.contains_key("check") && entry.node.get("check").is_some() {
                    let path = format!("{section}.{component}.checks.check");
                    let message =
                        format!("`{component}` has a single check, which is named `check`, and another of that name");
                    self.error("duplicate-name", format_args!("{path}"), message).help =
                        Some("move the single check under `checks:` with a name of its own".into());
                }
            }
        }
        self.components_are_unique();
    }

    fn key_place(&self, section: &str, name: &str) -> plan_syntax::Place {
        let span = self.declared(section).and_then(|m| m.get(name)).map(|e| e.key_span);
        self.sources.place(span.unwrap_or(self.root.span))
    }

    fn name(&mut self, name: &str, path: &str, place: &dyn Fn(&Self) -> plan_syntax::Place) {
        let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let bad: Option<char> = name.chars().find(|c| !good(*c));
        let problem = match bad {
            Some(' ') => "a space".to_owned(),
            Some(c) => format!("`{c}`"),
            None if name.is_empty() => "nothing".to_owned(),
            None if name.len() > LONGEST_NAME => format!("more than {LONGEST_NAME} letters"),
            None => return,
        };
        let place = place(self);
        let plain: String = name.chars().map(|c| if good(c) { c } else { '-' }).take(LONGEST_NAME).collect();
        let help = format!("write `{plain}` and keep the words for people under `label:`");
        let message = format!("the name `{name}` holds {problem}");
        let section = path.split('.').next().unwrap_or(path);
        self.out.push(
            plan_syntax::Diagnostic::error("bad-name", place, message)
                .expected(format!("letters, digits, `-` and `_` in names of {section}"))
                .help(help),
        );
    }

    fn components_are_unique(&mut self) {
        let (Some(services), Some(hosts)) = (self.declared("services"), self.declared("hosts")) else { return };
        for (name, host) in hosts {
            let Some(service) = services.get(name) else { continue };
            let message = format!("`{name}` is a service and a host");
            let first = self.sources.place(service.key_span);
            self.out.push(
                plan_syntax::Diagnostic::error("duplicate-name", self.sources.place(host.key_span), message)
                    .related(first, "the service is here")
                    .help("give one of them another name: checks and alerts are known by it"),
            );
        }
    }

    /// Labels of a check's series.
    pub(super) fn labels<'l>(&mut self, labels: impl Iterator<Item = &'l String>, path: &str) {
        for label in labels {
            let mut letters = label.chars();
            let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
            let good = first && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
            let at = format!("{path}.labels.{label}");
            if !good || label.starts_with("__") {
                self.error("bad-label", format_args!("{at}"), format!("`{label}` cannot be the name of a label"))
                    .expected = Some("letters, digits and `_`, not a digit first, not `__` first".into());
            } else if OWN_LABELS.contains(&label.as_str()) {
                let own = listing(OWN_LABELS.iter().copied(), 12, "and");
                self.error("bad-label", format_args!("{at}"), format!("Farero sets the label `{label}` itself")).help =
                    Some(format!("choose a name other than {own}"));
            }
        }
    }
}
