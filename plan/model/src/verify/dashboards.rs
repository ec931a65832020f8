//! Dashboards: variables that can be asked for, names that exist in expressions and titles. Pure.
//!
//! PromQL itself is looked at by `decide::dashboards`, which knows the language.

use kernel::Duration;
use plan_syntax::suggest::{listing, nearest};
use plan_syntax::within;

use super::Verifier;
use crate::dashboard::expand::{BUILT_IN, FORMS, mentions};
use crate::dashboard::variable::{Variable, VariableKind};
use crate::dashboard::{Dashboard, FASTEST_REFRESH, Link, MOST_ANNOTATIONS, MOST_PANELS, MOST_QUERIES, MOST_VARIABLES};

/// Names that `${name:…}` has taken for references already.
const TAKEN: [&str; 6] = ["env", "file", "credential", "age", "vault", "param"];

impl Verifier<'_> {
    pub(super) fn dashboards(&mut self) {
        let plan = self.plan;
        for (name, dashboard) in &plan.dashboards {
            self.dashboard(dashboard, &format!("dashboards.{name}"));
        }
    }

    fn dashboard(&mut self, dashboard: &Dashboard, path: &str) {
        self.restricted(&dashboard.restricted_to, path);
        if dashboard.refresh.is_some_and(|r| r > Duration::ZERO && r < FASTEST_REFRESH) {
            let message = format!("the refresh is faster than {FASTEST_REFRESH}");
            self.error("bad-interval", format_args!("{path}.refresh"), message).expected =
                Some(format!("at least {FASTEST_REFRESH}, or `0s` for never"));
        }
        if dashboard.range == Some(Duration::ZERO) {
            self.error("bad-interval", format_args!("{path}.range"), "a range of no time shows nothing".into());
        }
        self.most(dashboard.all_panels().count(), MOST_PANELS, "panels", path);
        self.most(dashboard.variables.len(), MOST_VARIABLES, "variables", path);
        let mut known: Vec<&str> = Vec::new();
        for (name, variable) in &dashboard.variables {
            self.variable(name, variable, &format!("{path}.variables.{name}"), &known);
            known.push(name);
        }
        self.dashboard_links(&dashboard.links, path, &known);
        self.annotations(dashboard, path, &known);
        for (below, panel) in dashboard.all_panels() {
            self.panel(panel, &format!("{path}.{below}"), &known);
            self.repeats(panel.repeat.as_deref(), &format!("{path}.{below}"), dashboard);
        }
        for (index, row) in dashboard.rows.iter().enumerate() {
            self.mentioned(&row.title, &format!("{path}.rows[{index}].title"), &known);
            self.repeats(row.repeat.as_deref(), &format!("{path}.rows[{index}]"), dashboard);
        }
        for (below, _, panels) in dashboard.groups() {
            self.layout(panels, &format!("{path}.{below}"));
        }
        if dashboard.all_panels().next().is_none() {
            self.error("nothing-to-show", format_args!("{path}"), "this dashboard has no panels".to_owned()).help =
                Some("write some under `panels:` or `rows:`".into());
        }
    }

    fn annotations(&mut self, dashboard: &Dashboard, path: &str, known: &[&str]) {
        self.most(dashboard.annotations.len(), MOST_ANNOTATIONS, "annotations", path);
        for (index, one) in dashboard.annotations.iter().enumerate() {
            self.mentioned(&one.query, &format!("{path}.annotations[{index}].query"), known);
        }
    }

    /// What is repeated names a variable that has values to choose from.
    fn repeats(&mut self, name: Option<&str>, path: &str, dashboard: &Dashboard) {
        let Some(name) = name else { return };
        match dashboard.variables.get(name) {
            Some(found) if found.text.is_none() => {}
            Some(_) => {
                let message = format!("nothing can be repeated for `{name}`: any text may stand there");
                self.error("bad-value", format_args!("{path}.repeat"), message).expected =
                    Some("a variable with `values_of`, `list` or `interval`".into());
            }
            None => {
                let names = || dashboard.variables.keys().map(String::as_str);
                let help = nearest(name, names()).map(|n| format!("did you mean `{n}`?"));
                let expected = Some(listing(names(), 12, "or")).filter(|e| !e.is_empty());
                let message = format!("there is no variable `{name}`");
                let error = self.error("unknown-variable", format_args!("{path}.repeat"), message);
                (error.help, error.expected) = (help, expected);
            }
        }
    }

    pub(super) fn queries_fit(&mut self, count: usize, path: &str) {
        self.most(count, MOST_QUERIES, "queries", path);
    }

    fn most(&mut self, count: usize, most: usize, what: &str, path: &str) {
        if count > most {
            let message = format!("{count} {what} are more than the {most} that there can be");
            self.error("too-many", format_args!("{path}"), message);
        }
    }

    fn variable(&mut self, name: &str, variable: &Variable, path: &str, before: &[&str]) {
        self.variable_name(name, path);
        match variable.kinds().as_slice() {
            [kind] => self.variable_kind(*kind, variable, path, before),
            [] => {
                let message = format!("the variable `{name}` has no values");
                self.error("no-kind", format_args!("{path}"), message).expected =
                    Some("`values_of`, `list`, `interval` or `text`".into());
            }
            _ => {
                let message = format!("the variable `{name}` has values from more than one place");
                self.error("several-kinds", format_args!("{path}"), message).expected =
                    Some("one of `values_of`, `list`, `interval` and `text`".into());
            }
        }
    }

    fn variable_name(&mut self, name: &str, path: &str) {
        let good = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !good || name.starts_with("__") {
            self.error("bad-name", format_args!("{path}"), format!("`{name}` cannot be the name of a variable"))
                .expected = Some("letters without accents, digits and `_`, not a digit first, not `__` first".into());
        } else if TAKEN.contains(&name) {
            let message = format!("`{name}` cannot be the name of a variable");
            self.error("bad-name", format_args!("{path}"), message).help =
                Some(format!("choose another name: `${{{name}:…}}` is a reference"));
        }
    }

    fn variable_kind(&mut self, kind: VariableKind<'_>, variable: &Variable, path: &str, before: &[&str]) {
        if let VariableKind::Label(_, Some(query)) = kind {
            self.mentioned(query, &format!("{path}.query"), before);
        } else if variable.query.is_some() {
            let message = "only a variable with `values_of` has a `query`".to_owned();
            self.error("no-effect", format_args!("{path}.query"), message);
        }
        if matches!(kind, VariableKind::Text(_)) {
            for (key, is_set) in [("several", variable.several), ("all", variable.all)] {
                if is_set {
                    let message = format!("a variable with `text` has no `{key}`: there is nothing to choose from");
                    self.error("no-effect", format_args!("{path}.{key}"), message);
                }
            }
        }
        let started = variable.start.as_ref().map_or(&[][..], |s| s.values());
        if started.len() > 1 && !variable.several {
            let message = "only one value can be chosen at first".to_owned();
            self.error("bad-value", format_args!("{path}.start"), message).help =
                Some("set `several: true`, or name one value".into());
        }
        let known: Vec<String> = match kind {
            VariableKind::List(all) => all.iter().map(|c| c.value().to_owned()).collect(),
            VariableKind::Interval(all) => all.iter().map(ToString::to_string).collect(),
            _ => return,
        };
        for value in started.iter().filter(|v| !known.contains(v)) {
            let names = || known.iter().map(String::as_str);
            let help = nearest(value, names()).map(|n| format!("did you mean `{n}`?"));
            let expected = listing(names(), 12, "or");
            let error =
                self.error("unknown-value", format_args!("{path}.start"), format!("`{value}` is none of the values"));
            (error.help, error.expected) = (help, Some(expected));
        }
    }

    /// Variables that a text names must be there; the place is that of the name inside of the text.
    pub(super) fn mentioned(&mut self, text: &str, path: &str, known: &[&str]) {
        for mention in mentions(text) {
            let name = mention.name;
            if !known.contains(&name) && !BUILT_IN.contains(&name) {
                let near =
                    nearest(name, known.iter().copied().chain(BUILT_IN)).map(|n| format!("did you mean `${n}`?"));
                let help = near.unwrap_or_else(|| format!("declare `{name}` under `variables:`, before what uses it"));
                let expected = listing(known.iter().copied(), 12, "or");
                let error =
                    self.error("unknown-variable", format_args!("{path}"), format!("there is no variable `{name}`"));
                error.help = Some(help);
                error.expected = Some(expected).filter(|e| !e.is_empty());
                self.narrow(path, text, mention.range.clone());
            }
            if let Some(form) = mention.form.filter(|f| !FORMS.contains(f)) {
                let message = format!("a variable has no form `{form}`");
                self.error("unknown-form", format_args!("{path}"), message).expected =
                    Some(listing(FORMS, FORMS.len(), "or"));
                self.narrow(path, text, mention.range);
            }
        }
    }

    /// Puts the last error at a part of a text.
    fn narrow(&mut self, path: &str, text: &str, range: std::ops::Range<usize>) {
        let Some(node) = self.root.at(path).filter(|n| n.as_text() == Some(text)) else { return };
        let place = self.sources.place(within(self.sources, node, range.start, range.end));
        if let Some(last) = self.out.last_mut() {
            last.place = place;
        }
    }

    pub(super) fn dashboard_links(&mut self, links: &[Link], path: &str, known: &[&str]) {
        for (index, link) in links.iter().enumerate() {
            let at = format!("{path}.links[{index}].url");
            self.mentioned(&link.url, &at, known);
            self.mentioned(&link.title, &format!("{path}.links[{index}].title"), known);
            if !is_address(&link.url) {
                let message = format!("`{}` is no address that a page may lead to", link.url);
                self.error("bad-url", format_args!("{at}"), message).expected =
                    Some("`https://…`, `http://…`, or a path of this Farero such as `/alerts`".into());
            }
        }
    }
}

/// An address that cannot do anything but lead somewhere.
fn is_address(url: &str) -> bool {
    let web = ["https://", "http://"].iter().any(|s| url.get(..s.len()).is_some_and(|h| h.eq_ignore_ascii_case(s)));
    let own = url.starts_with('/') && !url.starts_with("//") && !url.contains('\\');
    (web || own) && !url.contains(char::is_control)
}
