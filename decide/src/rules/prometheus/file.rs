//! One rule file as Prometheus 3 reads and checks it, with its words (ALR-02). Pure.
//!
//! What is said is what `promtool check rules` says, since people look for it: `LINE:COLUMN: group "g", rule 1, "Down": …`.

use kernel::Duration;
use kernel::labels::METRIC_NAME;
use plan_syntax::{Map, Node};

use super::yaml::{At, Decoder, Document};
use crate::rules::template::{Flavour, Template};

/// Keys of a file.
const FILE_KEYS: [&str; 1] = ["groups"];
/// Keys of a group.
const GROUP_KEYS: [&str; 6] = ["name", "interval", "query_offset", "limit", "rules", "labels"];
/// Keys of a rule.
const RULE_KEYS: [&str; 7] = ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];

/// A rule file as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleFile {
    /// Its groups.
    pub groups: Vec<FileGroup>,
}

/// A group as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileGroup {
    /// Its name.
    pub name: String,
    /// How often it is evaluated; `None` or zero for the configuration's interval.
    pub interval: Option<Duration>,
    /// How far back it looks; `None` for the configuration's.
    pub query_offset: Option<Duration>,
    /// Most series or alerts of one rule; 0 for no limit.
    pub limit: i64,
    /// Labels of all its rules.
    pub labels: Vec<(String, String)>,
    /// Its rules.
    pub rules: Vec<FileRule>,
    at: At,
}

/// A rule as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileRule {
    /// The series it records; `""` for an alerting rule.
    pub record: String,
    /// The alert it raises; `""` for a recording rule.
    pub alert: String,
    /// PromQL.
    pub expr: String,
    /// `for`
    pub hold: Duration,
    /// `keep_firing_for`
    pub keep_firing_for: Duration,
    /// Labels it sets, sorted by name.
    pub labels: Vec<(String, String)>,
    /// Annotations, sorted by name.
    pub annotations: Vec<(String, String)>,
    record_at: At,
    alert_at: At,
    expr_at: At,
}

impl FileRule {
    /// Its name, whatever it does.
    pub fn name(&self) -> &str {
        if self.alert.is_empty() { &self.record } else { &self.alert }
    }
}

/// Reads and checks a rule file; `lenient` takes keys that are not known.
///
/// # Errors
/// Everything that is wrong, in Prometheus's words and order.
pub fn read_rule_file(text: &str, lenient: bool) -> Result<RuleFile, Vec<String>> {
    let document = Document::read(text);
    if let Some(broken) = document.broken {
        return Err(vec![broken]);
    }
    let Some(root) = &document.root else { return Ok(RuleFile::default()) };
    let mut first = Reader { decoder: document.decoder(!lenient), names: &WRITTEN };
    let file = first.file(root);
    let mut errors: Vec<String> = first.decoder.finish().into_iter().collect();
    // Prometheus reads the text a second time for its places, and says then once more what has another type.
    let mut second = Reader { decoder: document.decoder(false), names: &PLACED };
    second.file(root);
    errors.extend(second.decoder.finish());
    if errors.is_empty() {
        errors = check(&file);
    }
    if errors.is_empty() { Ok(file) } else { Err(errors) }
}

/// What the types are called in errors.
struct Names {
    file: &'static str,
    group: &'static str,
    groups: &'static str,
    rule: &'static str,
    rules: &'static str,
    /// Whether the parts of a rule are looked at.
    looks: bool,
}

const WRITTEN: Names = Names {
    file: "rulefmt.RuleGroups",
    group: "rulefmt.RuleGroup",
    groups: "[]rulefmt.RuleGroup",
    rule: "rulefmt.Rule",
    rules: "[]rulefmt.Rule",
    looks: true,
};

const PLACED: Names = Names {
    file: "rulefmt.ruleGroups",
    group: "rulefmt.RuleGroupNode",
    groups: "[]rulefmt.RuleGroupNode",
    rule: "rulefmt.RuleNode",
    rules: "[]rulefmt.RuleNode",
    looks: false,
};

struct Reader<'d> {
    decoder: Decoder<'d>,
    names: &'static Names,
}

impl Reader<'_> {
    fn file(&mut self, root: &Node) -> RuleFile {
        let Some(map) = self.decoder.map(root, self.names.file, &FILE_KEYS) else { return RuleFile::default() };
        let groups = self.decoder.list(map, "groups", self.names.groups);
        let mut out = RuleFile::default();
        for node in groups {
            if self.decoder.is_over() {
                break;
            }
            out.groups.push(self.group(node));
        }
        out
    }

    fn group(&mut self, node: &Node) -> FileGroup {
        let mut group = FileGroup { at: self.decoder.at(node), ..FileGroup::default() };
        let Some(map) = self.decoder.map(node, self.names.group, &GROUP_KEYS) else { return group };
        group.name = self.decoder.text(map, "name");
        group.interval = self.decoder.duration(map, "interval").filter(|d| *d > Duration::ZERO);
        group.query_offset = self.decoder.duration(map, "query_offset");
        group.limit = self.decoder.integer(map, "limit");
        group.labels = self.decoder.texts(map, "labels");
        for rule in self.decoder.list(map, "rules", self.names.rules) {
            if self.decoder.is_over() {
                break;
            }
            group.rules.push(self.rule(rule));
        }
        group
    }

    fn rule(&mut self, node: &Node) -> FileRule {
        let Some(map) = self.decoder.map(node, self.names.rule, &RULE_KEYS) else { return FileRule::default() };
        let place = |map: &Map, key: &str, decoder: &Decoder<'_>| map.get(key).map(|e| decoder.at(&e.node));
        let mut rule = FileRule {
            hold: self.decoder.duration(map, "for").unwrap_or_default(),
            keep_firing_for: self.decoder.duration(map, "keep_firing_for").unwrap_or_default(),
            record_at: place(map, "record", &self.decoder).unwrap_or_default(),
            alert_at: place(map, "alert", &self.decoder).unwrap_or_default(),
            expr_at: place(map, "expr", &self.decoder).unwrap_or_default(),
            ..FileRule::default()
        };
        if self.names.looks {
            rule.record = self.decoder.text(map, "record");
            rule.alert = self.decoder.text(map, "alert");
            rule.expr = self.decoder.text(map, "expr");
        }
        rule.labels = self.decoder.texts(map, "labels");
        rule.annotations = self.decoder.texts(map, "annotations");
        rule
    }
}

/// What is wrong with a file whose form is right.
fn check(file: &RuleFile) -> Vec<String> {
    let mut errors = Vec::new();
    for (index, group) in file.groups.iter().enumerate() {
        let at = group.at;
        if group.name.is_empty() {
            errors.push(format!("{at}: Groupname must not be empty"));
        }
        if file.groups[..index].iter().any(|g| g.name == group.name) {
            errors.push(format!("{at}: groupname: \"{}\" is repeated in the same file", group.name));
        }
        let bad_label = |(name, _): &&(String, String)| !is_label_name(name) || name == METRIC_NAME;
        errors.extend(group.labels.iter().filter(bad_label).map(|(name, _)| format!("invalid label name: {name}")));
        for (number, rule) in group.rules.iter().enumerate() {
            let (name, number) = (rule.name(), number + 1);
            for (place, message) in check_rule(rule) {
                errors.push(format!("{place}group {:?}, rule {number}, {name:?}: {message}", group.name));
            }
        }
    }
    errors
}

/// What is wrong with a rule, each with its place before it.
fn check_rule(rule: &FileRule) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let both = format!("{}: {}: ", rule.record_at, rule.alert_at);
    match (rule.record.is_empty(), rule.alert.is_empty()) {
        (false, false) => out.push((both, "only one of 'record' and 'alert' must be set".to_owned())),
        (true, true) => out.push((both, "one of 'record' or 'alert' must be set".to_owned())),
        _ => {}
    }
    let expr_at = format!("{}: ", rule.expr_at);
    if rule.expr.is_empty() {
        out.push((expr_at, "field 'expr' must be set in rule".to_owned()));
    } else if let Err(problem) = decide_promql::parse(&rule.expr) {
        out.push((expr_at, format!("could not parse expression: {problem}")));
    }
    if !rule.record.is_empty() {
        check_record(rule, &mut out);
    }
    let name_of = |(name, _): &(String, String)| name.clone();
    for name in rule.labels.iter().map(name_of).filter(|n| !is_label_name(n) || n == METRIC_NAME) {
        out.push((String::new(), format!("invalid label name: {name}")));
    }
    for name in rule.annotations.iter().map(name_of).filter(|n| !is_label_name(n)) {
        out.push((String::new(), format!("invalid annotation name: {name}")));
    }
    if !rule.alert.is_empty() {
        for (what, texts) in [("label", &rule.labels), ("annotation", &rule.annotations)] {
            for (name, text) in texts {
                if let Err(problem) = Template::parse_as(text, Flavour::Prometheus) {
                    let message = problem.in_go_words(text, &rule.alert);
                    out.push((String::new(), format!("{what} {name:?}: {message}")));
                }
            }
        }
    }
    out
}

fn check_record(rule: &FileRule, out: &mut Vec<(String, String)>) {
    let mut add = |message: String| out.push((format!("{}: ", rule.record_at), message));
    if !rule.annotations.is_empty() {
        add("invalid field 'annotations' in recording rule".to_owned());
    }
    if rule.hold > Duration::ZERO {
        add("invalid field 'for' in recording rule".to_owned());
    }
    if rule.keep_firing_for > Duration::ZERO {
        add("invalid field 'keep_firing_for' in recording rule".to_owned());
    }
    if rule.record.contains(['{', '}']) {
        add(format!("braces present in the recording rule name; should it be in expr?: {}", rule.record));
    }
}

/// Any text is a name in Prometheus 3, but for the empty one.
fn is_label_name(name: &str) -> bool {
    !name.is_empty()
}

/// Rules of one name and with the same labels, each once: they write into each other's series.
pub fn duplicates(file: &RuleFile) -> Vec<(String, Vec<(String, String)>)> {
    let mut seen = std::collections::HashMap::new();
    let mut out = Vec::new();
    for rule in file.groups.iter().flat_map(|g| &g.rules) {
        let key = (rule.name().to_owned(), rule.labels.clone());
        let count: &mut usize = seen.entry(key.clone()).or_default();
        *count += 1;
        if *count == 2 {
            out.push(key);
        }
    }
    out.sort();
    out
}

#[cfg(test)]
mod tests;
