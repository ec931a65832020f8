//! Prometheus rule files as they are, with positions (ALR-01, ALR-02, MET-14). Pure.
//!
//! All of Prometheus 3's keys are read: groups with `name`, `interval`, `query_offset`, `limit`, `labels`, `rules`; rules
//! with `record` or `alert`, `expr`, `for`, `keep_firing_for`, `labels`, `annotations`. Every mistake of all files is told
//! at once, those of PromQL and of templates at their own place inside the text.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Duration;
use plan_model::{Plan, RuleFile};
use plan_syntax::tree::ScalarKind;
use plan_syntax::{Diagnostic, Map, Node, Sources, Span, Value, read, suggest, within};

use super::query::Query;
use super::template::Template;
use super::{Origin, Rule, RuleGroup, RuleKind};

/// Keys of a file.
const FILE_KEYS: [&str; 1] = ["groups"];
/// Keys of a group.
const GROUP_KEYS: [&str; 6] = ["name", "interval", "query_offset", "limit", "labels", "rules"];
/// Keys of a rule.
const RULE_KEYS: [&str; 7] = ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];

/// What rule files gave.
#[derive(Clone, Debug, Default)]
pub struct RulesRead {
    /// The groups that could be read; rules with mistakes are left out.
    pub groups: Vec<RuleGroup>,
    /// What is wrong, all of it.
    pub diagnostics: Vec<Diagnostic>,
    /// Where each rule stands, for what else is to be said about it.
    pub places: RulePlaces,
}

/// Where the parts of rules stand: by file, group and place in the group.
#[derive(Clone, Debug, Default)]
pub struct RulePlaces(BTreeMap<(String, usize), RuleNodes>);

/// The parts of one rule in its file.
#[derive(Clone, Debug)]
pub(super) struct RuleNodes {
    pub(super) name: Span,
    pub(super) expr: Node,
    pub(super) hold: Option<Span>,
    pub(super) severity: Option<Span>,
    pub(super) texts: BTreeMap<String, Node>,
}

impl RulePlaces {
    pub(super) fn of(&self, group: &RuleGroup, rule: usize) -> Option<&RuleNodes> {
        self.0.get(&(group.name.clone(), rule))
    }
}

/// Reads the rule files of a plan. `sources` are the texts that the plan was loaded from, so that places agree with its
/// other diagnostics.
pub fn read_rule_files(files: &[RuleFile], sources: &Sources, plan: &Plan) -> RulesRead {
    let mut reader = Reader { sources, plan, out: RulesRead::default(), names: BTreeSet::new() };
    for file in files {
        let Some(number) = number_of(sources, file) else { continue };
        let reading = read(sources, number);
        reader.out.diagnostics.extend(reading.diagnostics);
        if let Some(root) = &reading.root {
            reader.file(file, root);
        }
    }
    reader.out
}

/// Which of the sources a file is.
fn number_of(sources: &Sources, file: &RuleFile) -> Option<u32> {
    (0..)
        .map_while(|number| {
            let name = sources.place(Span { file: number, start: 0, end: 0 }).file;
            (!name.is_empty()).then_some((number, name))
        })
        .find(|(_, name)| **name == *file.path || name.ends_with(&format!("/{}", file.path)))
        .map(|(number, _)| number)
}

struct Reader<'a> {
    sources: &'a Sources,
    plan: &'a Plan,
    out: RulesRead,
    /// Names of groups in all files.
    names: BTreeSet<String>,
}

impl Reader<'_> {
    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.out.diagnostics.push(Diagnostic::error(code, self.sources.place(span), message));
        let last = self.out.diagnostics.len() - 1;
        &mut self.out.diagnostics[last]
    }

    /// A map with no other keys than these.
    fn map<'n>(&mut self, node: &'n Node, what: &str, keys: &[&str]) -> Option<&'n Map> {
        let Value::Map(map) = &node.value else {
            self.error("bad-value", node.span, format!("{what} is a map, not {}", node.kind_name()));
            return None;
        };
        for (key, entry) in map.iter().filter(|(key, _)| !keys.contains(&key.as_ref())) {
            let near = suggest::nearest(key, keys.iter().copied());
            let listed = suggest::listing(keys.iter().copied(), keys.len(), "or");
            let error = self.error("unknown-key", entry.key_span, format!("{what} has no key `{key}`"));
            error.expected = Some(near.map_or(listed, |n| format!("`{n}`")));
            error.help = near.map(|n| format!("did you mean `{n}`?"));
        }
        Some(map)
    }

    fn list<'n>(&mut self, map: &'n Map, key: &str, what: &str) -> &'n [Node] {
        match map.get(key).map(|e| &e.node) {
            Some(Node { value: Value::List(list), .. }) => list,
            None | Some(Node { value: Value::Null { .. }, .. }) => &[],
            Some(other) => {
                self.error("bad-value", other.span, format!("`{key}` of {what} is a list, not {}", other.kind_name()));
                &[]
            }
        }
    }

    fn text<'n>(&mut self, map: &'n Map, key: &str) -> Option<&'n Node> {
        let node = &map.get(key)?.node;
        match &node.value {
            Value::Scalar(_) => Some(node),
            Value::Null { .. } => {
                self.error("no-value", node.span, format!("`{key}` has no value"));
                None
            }
            _ => {
                self.error("bad-value", node.span, format!("`{key}` is a text, not {}", node.kind_name()));
                None
            }
        }
    }

    fn duration(&mut self, map: &Map, key: &str) -> Option<Duration> {
        let node = self.text(map, key)?;
        match node.as_text()?.parse() {
            Ok(duration) => Some(duration),
            Err(problem) => {
                let problem: kernel::duration::DurationError = problem;
                self.error("bad-value", node.span, problem.to_string()).expected = Some("a duration such as 5m".into());
                None
            }
        }
    }

    fn file(&mut self, file: &RuleFile, root: &Node) {
        let Some(map) = self.map(root, "a rule file", &FILE_KEYS) else { return };
        for group in self.list(map, "groups", "a rule file") {
            self.group(file, group);
        }
    }

    fn group(&mut self, file: &RuleFile, node: &Node) {
        let Some(map) = self.map(node, "a group", &GROUP_KEYS) else { return };
        let Some(name) = self.text(map, "name").filter(|n| n.as_text().is_some_and(|t| !t.is_empty())) else {
            if !map.contains_key("name") {
                self.error("missing-key", node.span, "a group needs a `name`").expected = Some("the key `name`".into());
            }
            return;
        };
        let label = name.as_text().unwrap_or_default().to_owned();
        if !self.names.insert(label.clone()) {
            let message = format!("there are two groups named `{label}` in this plan");
            self.error("defined-twice", name.span, message).help =
                Some("give one another name: alerts are kept by the name of their group".into());
            return;
        }
        let interval = self.duration(map, "interval").filter(|d| *d > Duration::ZERO);
        let query_offset = self.duration(map, "query_offset").unwrap_or_default();
        let limit = self.limit(map);
        let common = self.texts(map, "labels");
        let mut group = RuleGroup {
            system: self.plan.system.clone(),
            name: label,
            origin: Origin::File(file.path.clone()),
            interval: interval.unwrap_or_else(|| self.plan.evaluate_every()),
            limit,
            query_offset,
            rules: Vec::new(),
        };
        for rule in self.list(map, "rules", "a group") {
            self.rule(&mut group, rule, &common);
        }
        self.out.groups.push(group);
    }

    fn limit(&mut self, map: &Map) -> usize {
        let Some(node) = self.text(map, "limit") else { return 0 };
        match node.as_scalar().map(|s| s.kind) {
            Some(ScalarKind::Integer(n)) if n >= 0 => usize::try_from(n).unwrap_or(0),
            _ => {
                self.error("bad-value", node.span, "`limit` is a whole number, 0 for no limit");
                0
            }
        }
    }

    /// A map of texts, each with its node.
    fn texts(&mut self, map: &Map, key: &str) -> Vec<(String, Node)> {
        let Some(entry) = map.get(key) else { return Vec::new() };
        let all = match &entry.node.value {
            Value::Map(all) => all,
            Value::Null { .. } => return Vec::new(),
            _ => {
                let message = format!("`{key}` is a map of texts, not {}", entry.node.kind_name());
                self.error("bad-value", entry.node.span, message);
                return Vec::new();
            }
        };
        let mut out = Vec::new();
        for (name, entry) in all {
            if !is_label_name(name) || **name == *kernel::labels::METRIC_NAME {
                let message = format!("`{name}` is no name of a label that can be set here");
                self.error("bad-key", entry.key_span, message);
            }
            out.extend(self.text(all, name).map(|node| (name.to_string(), node.clone())));
        }
        out
    }

    fn rule(&mut self, group: &mut RuleGroup, node: &Node, common: &[(String, Node)]) {
        let before = self.out.diagnostics.len();
        let Some(map) = self.map(node, "a rule", &RULE_KEYS) else { return };
        let (name, kind) = self.name_and_kind(node, map);
        let expr = self.text(map, "expr");
        if expr.is_none() && !map.contains_key("expr") {
            self.error("missing-key", node.span, "a rule needs an `expr`").expected = Some("the key `expr`".into());
        }
        let query = expr.and_then(|e| self.query(e));
        let own = self.texts(map, "labels");
        let mut labels: Vec<(String, Node)> =
            common.iter().filter(|(n, _)| own.iter().all(|(o, _)| o != n)).cloned().collect();
        labels.extend(own);
        let annotations = self.texts(map, "annotations");
        let is_alert = matches!(kind, RuleKind::Alert { .. });
        let label_templates = self.templates(&labels, is_alert);
        let annotation_templates = self.templates(&annotations, true);
        let clean = !self.out.diagnostics[before..].iter().any(|d| d.level == plan_syntax::Level::Error);
        let (Some(name), Some(query), Some(expr), true) = (name, query, expr, clean) else { return };
        let severity = labels.iter().find(|(n, _)| n == "severity").map(|(_, node)| node.span);
        let nodes = RuleNodes {
            name: name.span,
            expr: expr.clone(),
            hold: map.get("for").map(|e| e.node.span),
            severity,
            texts: annotations.into_iter().collect(),
        };
        self.out.places.0.insert((group.name.clone(), group.rules.len()), nodes);
        group.rules.push(Rule {
            name: name.as_text().unwrap_or_default().to_owned(),
            kind,
            query,
            labels: label_templates,
            annotations: annotation_templates,
            evidence: None,
            explainable: false,
        });
    }

    fn name_and_kind<'n>(&mut self, node: &Node, map: &'n Map) -> (Option<&'n Node>, RuleKind) {
        let (record, alert) = (self.text(map, "record"), self.text(map, "alert"));
        let hold = self.duration(map, "for");
        let keep_firing_for = self.duration(map, "keep_firing_for");
        match (record, alert) {
            (Some(_), Some(second)) => {
                self.error("bad-rule", second.span, "a rule either records or alerts").help =
                    Some("make two rules of it, one with `record` and one with `alert`".into());
                (None, RuleKind::Record)
            }
            (Some(record), None) => {
                for key in ["for", "keep_firing_for", "annotations"] {
                    if let Some(entry) = map.get(key) {
                        self.error("bad-rule", entry.key_span, format!("a rule that records has no `{key}`"));
                    }
                }
                if !is_metric_name(record.as_text().unwrap_or_default()) {
                    let message = "this is no name of a metric: braces belong into `expr`";
                    self.error("bad-value", record.span, message);
                }
                (Some(record), RuleKind::Record)
            }
            (None, alert) => {
                if alert.is_none() && !map.contains_key("alert") && !map.contains_key("record") {
                    self.error("missing-key", node.span, "a rule needs `alert` or `record`").expected =
                        Some("the key `alert` or `record`".into());
                }
                let hold = hold.unwrap_or_default();
                (alert, RuleKind::Alert { hold, keep_firing_for: keep_firing_for.unwrap_or_default() })
            }
        }
    }

    fn query(&mut self, node: &Node) -> Option<Query> {
        let text = node.as_text()?;
        match Query::parse(text) {
            Ok(query) => Some(query),
            Err(problem) => {
                let range = problem.span.range();
                let span = within(self.sources, node, range.start, range.end);
                self.error("promql", span, problem.message);
                None
            }
        }
    }

    fn templates(&mut self, texts: &[(String, Node)], check: bool) -> Vec<(String, Template)> {
        let mut out = Vec::new();
        for (name, node) in texts {
            let text = node.as_text().unwrap_or_default();
            // What a recording rule adds is taken as it is.
            let read = if check { Template::parse(text) } else { Ok(Template::literal(text)) };
            match read {
                Ok(template) => out.push((name.clone(), template)),
                Err(problem) => {
                    let (from, to) = (problem.offset, problem.offset + problem.length);
                    let span = within(self.sources, node, from, to);
                    self.error("template", span, problem.message);
                }
            }
        }
        out
    }
}

/// Any text but the empty one, as in Prometheus 3.
fn is_label_name(name: &str) -> bool {
    !name.is_empty()
}

/// Any text without braces: with them it is an expression in the wrong place.
fn is_metric_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['{', '}'])
}

#[cfg(test)]
mod tests;
