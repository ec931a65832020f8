//! Selectors of series for several checks at once, as short as people would write them. Pure.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use plan_model::Plan;

/// Most names in one condition, so that its regular expression stays small and people can read it.
const MOST_NAMES: usize = 100;

/// Checks by component.
#[derive(Clone, Debug, Default)]
pub(super) struct Members(IndexMap<String, BTreeSet<String>>);

impl Members {
    pub(super) fn add(&mut self, component: &str, check: &str) {
        self.0.entry(component.to_owned()).or_default().insert(check.to_owned());
    }
}

/// The conditions that choose some checks of a system.
#[derive(Clone, Debug)]
pub(super) struct Chosen(String);

impl Chosen {
    /// The series of a metric.
    pub(super) fn of(&self, metric: &str) -> String {
        format!("{metric}{{{}}}", self.0)
    }

    /// The series of a metric under one more condition.
    pub(super) fn of_and(&self, metric: &str, condition: &str) -> String {
        format!("{metric}{{{}, {condition}}}", self.0)
    }
}

/// Conditions for each set of members. `all` are the checks whose series must be told apart: a component whose checks are
/// all in one set is named alone, one of which only some are gets conditions of its own, and where a set holds everything
/// the system alone says it.
pub(super) fn choose<K: Clone>(plan: &Plan, sets: &IndexMap<K, Members>, all: &Members) -> Vec<(K, Chosen)> {
    let mut out = Vec::new();
    for (key, members) in sets {
        let is_whole =
            |component: &str, own: &BTreeSet<String>| all.0.get(component).is_none_or(|a| a.len() == own.len());
        let whole: Vec<&str> = members.0.iter().filter(|(c, own)| is_whole(c, own)).map(|(c, _)| c.as_str()).collect();
        let system = format!("system={}", quoted(&plan.system));
        if whole.len() == all.0.len() && !whole.is_empty() {
            // All that there is: the system alone says it.
            out.push((key.clone(), Chosen(system)));
            continue;
        }
        for names in whole.chunks(MOST_NAMES) {
            out.push((key.clone(), Chosen(format!("{system}, {}", one_of("service", names)))));
        }
        for (component, own) in members.0.iter().filter(|(c, own)| !is_whole(c, own)) {
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            for names in own.chunks(MOST_NAMES) {
                let of = format!("{system}, service={}, {}", quoted(component), one_of("check", names));
                out.push((key.clone(), Chosen(of)));
            }
        }
    }
    out
}

fn one_of(label: &str, values: &[&str]) -> String {
    match values {
        [one] => format!("{label}={}", quoted(one)),
        many => {
            let escaped: Vec<String> = many.iter().map(|v| escaped(v)).collect();
            format!("{label}=~{}", quoted(&escaped.join("|")))
        }
    }
}

/// As a regular expression; hyphens need no escape outside of brackets.
fn escaped(text: &str) -> String {
    regex::escape(text).replace("\\-", "-")
}

/// As PromQL writes a string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
