//! What differs between two plans, path by path (PLN-15). Pure.
//!
//! Compared are the trees as written, with parameters put in: a changed parameter shows where it stands and wherever it
//! has effect. What sleeps is compared too.

use kernel::Language;
use plan_syntax::{Node, Value};
use serde::Serialize;

use crate::Loaded;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where: `services.backend.check.every`, `runbooks/caida.md`.
    pub path: String,
    /// What happened.
    pub kind: ChangeKind,
    /// The old value in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The new value in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// What happened to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another one.
    Changed,
}

/// Longest value that is shown.
const LONGEST_VALUE: usize = 120;

impl Change {
    /// In words.
    pub fn text(&self, language: Language) -> String {
        let (old, new) = (self.old.as_deref().unwrap_or(""), self.new.as_deref().unwrap_or(""));
        let path = &self.path;
        match (self.kind, language) {
            (ChangeKind::Added, Language::Es) => format!("{path}: se añade {new}"),
            (ChangeKind::Added, Language::En) => format!("{path}: added {new}"),
            (ChangeKind::Removed, Language::Es) => format!("{path}: se quita {old}"),
            (ChangeKind::Removed, Language::En) => format!("{path}: removed {old}"),
            (ChangeKind::Changed, Language::Es) => format!("{path}: pasa de {old} a {new}"),
            (ChangeKind::Changed, Language::En) => format!("{path}: from {old} to {new}"),
        }
    }
}

/// All differences from one plan to another, in the order of the new one, what is gone behind.
pub fn diff(old: &Loaded, new: &Loaded) -> Vec<Change> {
    let mut out = Vec::new();
    compare("", old.root(), new.root(), &mut out);
    let rules = |l: &Loaded| l.rule_files.iter().map(|f| (f.path.clone(), f.text.clone())).collect::<Vec<_>>();
    let documents = |l: &Loaded| l.documents.iter().map(|d| (d.path.clone(), d.text.clone())).collect::<Vec<_>>();
    files(&rules(old), &rules(new), &mut out);
    files(&documents(old), &documents(new), &mut out);
    out
}

fn change(path: &str, kind: ChangeKind, old: Option<String>, new: Option<String>, out: &mut Vec<Change>) {
    out.push(Change { path: path.to_owned(), kind, old, new });
}

fn compare(path: &str, old: &Node, new: &Node, out: &mut Vec<Change>) {
    match (&old.value, &new.value) {
        (Value::Map(before), Value::Map(after)) => {
            let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            for (key, entry) in after {
                match before.get(key) {
                    Some(first) => compare(&below(key), &first.node, &entry.node, out),
                    None => change(&below(key), ChangeKind::Added, None, Some(short(&entry.node)), out),
                }
            }
            for (key, entry) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
                change(&below(key), ChangeKind::Removed, Some(short(&entry.node)), None, out);
            }
        }
        (Value::List(before), Value::List(after)) if !all_scalars(before) || !all_scalars(after) => {
            for (index, node) in after.iter().enumerate() {
                let path = format!("{path}[{index}]");
                match before.get(index) {
                    Some(first) => compare(&path, first, node, out),
                    None => change(&path, ChangeKind::Added, None, Some(short(node)), out),
                }
            }
            for (index, node) in before.iter().enumerate().skip(after.len()) {
                change(&format!("{path}[{index}]"), ChangeKind::Removed, Some(short(node)), None, out);
            }
        }
        _ => {
            let (before, after) = (flow(old), flow(new));
            if before != after {
                change(path, ChangeKind::Changed, Some(cut(&before)), Some(cut(&after)), out);
            }
        }
    }
}

fn all_scalars(items: &[Node]) -> bool {
    items.iter().all(|i| i.as_scalar().is_some())
}

fn short(node: &Node) -> String {
    cut(&flow(node))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A value on one line.
fn flow(node: &Node) -> String {
    match &node.value {
        Value::Null { .. } => "—".to_owned(),
        Value::Broken => "?".to_owned(),
        Value::Open(names) => names.iter().map(|n| format!("${{param:{n}}}")).collect::<Vec<_>>().join(" "),
        Value::Scalar(scalar) => scalar.text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries = map.iter().map(|(key, e)| format!("{key}: {}", flow(&e.node)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn files(old: &[(String, String)], new: &[(String, String)], out: &mut Vec<Change>) {
    let lines = |text: &str| Some(format!("({} lines)", text.lines().count()));
    for (path, text) in new {
        match old.iter().find(|(p, _)| p == path) {
            Some((_, before)) if before == text => {}
            Some((_, before)) => change(path, ChangeKind::Changed, lines(before), lines(text), out),
            None => change(path, ChangeKind::Added, None, lines(text), out),
        }
    }
    for (path, text) in old.iter().filter(|(p, _)| !new.iter().any(|(n, _)| n == p)) {
        change(path, ChangeKind::Removed, lines(text), None, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LoadOptions, SourceFile, load};

    fn loaded(text: &str, runbook: &str) -> Loaded {
        let files = [SourceFile::new("plan.yaml", text), SourceFile::new("runbooks/r.md", runbook)];
        let today = jiff::civil::date(2026, 3, 1);
        load(&files, &LoadOptions { folder: String::new(), environment: None, today })
    }

    #[test]
    fn pln_15_differences_are_told_path_by_path() {
        let head = "system: x\ntimezone: UTC\n";
        let old = loaded(
            &format!(
                "{head}parameters: {{n: {{meaning: m, value: 5m}}}}\nescalation: []\n\
                 services: {{a: {{check: {{tcp: 'a:1', every: '${{param:n}}'}}}}, b: {{}}}}\n\
                 alerts: {{disk: [{{above: 80%, severity: s}}]}}\nseverities: {{s: {{rank: low, channels: []}}}}\n"
            ),
            "# R\n",
        );
        let new = loaded(
            &format!(
                "{head}parameters: {{n: {{meaning: m, value: 1m}}}}\n\
                 services: {{a: {{check: {{tcp: 'a:1', every: '${{param:n}}'}}}}, c: {{label: C}}}}\n\
                 alerts: {{disk: [{{above: 80%, severity: s}}, {{above: 90%, severity: s}}]}}\nseverities: {{s: {{rank: high}}}}\n"
            ),
            "# R\nmore\n",
        );
        let said: Vec<String> = diff(&old, &new).iter().map(|c| c.text(Language::En)).collect();
        assert_eq!(
            said,
            [
                "parameters.n.value: from 5m to 1m",
                "services.a.check.every: from 5m to 1m",
                "services.c: added { label: C }",
                "services.b: removed {  }",
                "alerts.disk[1]: added { above: 90%, severity: s }",
                "severities.s.rank: from low to high",
                "severities.s.channels: removed []",
                "escalation: removed []",
                "runbooks/r.md: from (1 lines) to (2 lines)",
            ]
        );
        assert!(diff(&old, &old).is_empty());
        assert!(diff(&old, &new)[0].text(Language::Es).contains("pasa de 5m a 1m"));
    }
}
