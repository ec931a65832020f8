//! Relabeling exactly as Prometheus does it. Pure.
//!
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config>

use kernel::Labels;
use md5::{Digest, Md5};
use regex::Regex;

use crate::labelset::LabelBuilder;

/// What a rule does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Action {
    #[default]
    Replace,
    Keep,
    Drop,
    KeepEqual,
    DropEqual,
    HashMod,
    LabelMap,
    LabelDrop,
    LabelKeep,
    Lowercase,
    Uppercase,
}

impl Action {
    const ALL: [(&'static str, Self); 11] = [
        ("replace", Self::Replace),
        ("keep", Self::Keep),
        ("drop", Self::Drop),
        ("keepequal", Self::KeepEqual),
        ("dropequal", Self::DropEqual),
        ("hashmod", Self::HashMod),
        ("labelmap", Self::LabelMap),
        ("labeldrop", Self::LabelDrop),
        ("labelkeep", Self::LabelKeep),
        ("lowercase", Self::Lowercase),
        ("uppercase", Self::Uppercase),
    ];

    /// The action of that name, upper or lower case.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        Self::ALL.into_iter().find(|(n, _)| *n == name).map(|(_, action)| action)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, a)| *a == self).map_or("replace", |(name, _)| name)
    }
}

/// Which names are allowed (`metric_name_validation_scheme`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NameScheme {
    /// Any text that is not empty.
    #[default]
    Utf8,
    /// `[a-zA-Z_][a-zA-Z0-9_]*`, for metrics with `:`.
    Legacy,
}

impl NameScheme {
    /// Whether a label may have this name.
    pub fn allows_label(self, name: &str) -> bool {
        !name.is_empty() && (self == Self::Utf8 || is_legacy(name, false))
    }

    /// Whether a metric may have this name.
    pub fn allows_metric(self, name: &str) -> bool {
        !name.is_empty() && (self == Self::Utf8 || is_legacy(name, true))
    }
}

fn is_legacy(name: &str, colon: bool) -> bool {
    let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_' || (colon && b == b':');
    name.bytes().enumerate().all(|(i, b)| letter(b) || (i > 0 && b.is_ascii_digit()))
}

/// The regular expression of a rule that names none.
pub const USUAL_REGEX: &str = "(.*)";
const USUAL_SEPARATOR: &str = ";";
const USUAL_REPLACEMENT: &str = "$1";

/// A rule as it is written, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// Labels whose values are joined.
    pub source_labels: Vec<String>,
    /// What they are joined with.
    pub separator: String,
    /// What the joined value must match, as a whole.
    pub regex: String,
    /// For `hashmod`.
    pub modulus: u64,
    /// What is set.
    pub target_label: String,
    /// To what.
    pub replacement: String,
    /// What is done.
    pub action: Action,
}

impl Default for RuleText {
    fn default() -> Self {
        Self {
            source_labels: Vec::new(),
            separator: USUAL_SEPARATOR.to_owned(),
            regex: USUAL_REGEX.to_owned(),
            modulus: 0,
            target_label: String::new(),
            replacement: USUAL_REPLACEMENT.to_owned(),
            action: Action::Replace,
        }
    }
}

/// A rule that is ready to be applied.
#[derive(Clone, Debug)]
pub struct Rule {
    text: RuleText,
    scheme: NameScheme,
    regex: Regex,
    /// The regular expression matches everything, and nothing refers to what it matched.
    plain: bool,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.scheme) == (&other.text, other.scheme)
    }
}

impl RuleText {
    /// Makes the rule ready.
    ///
    /// # Errors
    /// What Prometheus would refuse, in its words.
    pub fn compile(self, scheme: NameScheme) -> Result<Rule, String> {
        self.check(scheme)?;
        let regex = kernel::re2::anchored(&self.regex).map_err(|e| format!("error parsing regexp: {e}"))?;
        let plain = self.regex == USUAL_REGEX && !self.target_label.contains('$') && !self.replacement.contains('$');
        Ok(Rule { text: self, scheme, regex, plain })
    }

    fn check(&self, scheme: NameScheme) -> Result<(), String> {
        use Action::{DropEqual, HashMod, KeepEqual, LabelDrop, LabelKeep, LabelMap, Lowercase, Replace, Uppercase};
        let Self { action, target_label: target, .. } = self;
        let name = action.name();
        if *action == HashMod && self.modulus == 0 {
            return Err("relabel configuration for hashmod requires non-zero modulus".to_owned());
        }
        let has_target = matches!(action, Replace | HashMod | Lowercase | Uppercase | KeepEqual | DropEqual);
        if has_target && target.is_empty() {
            return Err(format!("relabel configuration for {name} action requires 'target_label' value"));
        }
        let fits = if *action == Replace && target.contains('$') {
            scheme == NameScheme::Utf8 || is_template(target)
        } else {
            scheme.allows_label(target)
        };
        if has_target && !fits {
            return Err(format!("{target:?} is invalid 'target_label' for {name} action"));
        }
        let usual = Self::default();
        let one_label = matches!(action, Lowercase | Uppercase | KeepEqual | DropEqual);
        if one_label && self.replacement != usual.replacement {
            return Err(format!("'replacement' can not be set for {name} action"));
        }
        if *action == LabelMap && scheme == NameScheme::Legacy && !is_template(&self.replacement) {
            return Err(format!("{:?} is invalid 'replacement' for {name} action", self.replacement));
        }
        let plain = self.separator == usual.separator && self.modulus == 0 && self.replacement == usual.replacement;
        if matches!(action, DropEqual | KeepEqual) && !(plain && self.regex == usual.regex) {
            let only = "requires only 'source_labels' and `target_label`, and no other fields";
            return Err(format!("{name} action {only}"));
        }
        let alone = plain && self.source_labels.is_empty() && target.is_empty();
        if matches!(action, LabelDrop | LabelKeep) && !alone {
            return Err(format!("{name} action requires only 'regex', and no other fields"));
        }
        Ok(())
    }
}

/// Whether a text can become a label's name once `$1` and `${name}` are replaced.
fn is_template(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        if !rest[..at].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return false;
        }
        let behind = &rest[at + 1..];
        let word = |text: &str| text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let used = match behind.strip_prefix('{') {
            Some(inner) => match word(inner) {
                n if n > 0 && inner[n..].starts_with('}') => n + 2,
                _ => return false,
            },
            None => word(behind),
        };
        if used == 0 {
            return false;
        }
        rest = &behind[used..];
    }
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$');
    starts && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Rule {
    /// As it was written.
    pub const fn text(&self) -> &RuleText {
        &self.text
    }

    /// Applies the rule; `false` when everything is to be dropped.
    pub fn apply(&self, labels: &mut LabelBuilder) -> bool {
        let text = &self.text;
        let target = text.target_label.as_str();
        match text.action {
            Action::Keep => return self.regex.is_match(&self.source(labels)),
            Action::Drop => return !self.regex.is_match(&self.source(labels)),
            Action::KeepEqual => return labels.get(target) == self.source(labels),
            Action::DropEqual => return labels.get(target) != self.source(labels),
            Action::Replace => self.replace(labels),
            Action::Lowercase => labels.set(target, &mapped(&self.source(labels), |c| c.to_lowercase().collect())),
            Action::Uppercase => labels.set(target, &mapped(&self.source(labels), |c| c.to_uppercase().collect())),
            Action::HashMod => {
                let hash = Md5::digest(self.source(labels).as_bytes());
                // The last 8 bytes, as Prometheus takes them.
                let last = hash.iter().skip(8).fold(0u64, |n, b| n << 8 | u64::from(*b));
                labels.set(target, &(last % text.modulus.max(1)).to_string());
            }
            Action::LabelMap => self.map(labels),
            Action::LabelDrop => labels.retain(|name| !self.regex.is_match(name)),
            Action::LabelKeep => labels.retain(|name| self.regex.is_match(name)),
        }
        true
    }

    fn source(&self, labels: &LabelBuilder) -> String {
        let values: Vec<&str> = self.text.source_labels.iter().map(|name| labels.get(name)).collect();
        values.join(&self.text.separator)
    }

    fn replace(&self, labels: &mut LabelBuilder) {
        if self.plain {
            labels.set(&self.text.target_label, &self.text.replacement);
            return;
        }
        let source = self.source(labels);
        let Some(found) = self.regex.captures(&source) else { return };
        let (mut target, mut value) = (String::new(), String::new());
        found.expand(&self.text.target_label, &mut target);
        if self.scheme.allows_label(&target) {
            found.expand(&self.text.replacement, &mut value);
            labels.set(&target, &value);
        }
    }

    fn map(&self, labels: &mut LabelBuilder) {
        let found: Vec<(String, String)> = labels
            .iter()
            .filter_map(|(name, value)| {
                let mut renamed = String::new();
                self.regex.captures(name)?.expand(&self.text.replacement, &mut renamed);
                Some((renamed, value.to_owned()))
            })
            .collect();
        for (name, value) in found {
            labels.set(&name, &value);
        }
    }
}

/// Each character by itself, as Go does; one that would become several stays.
fn mapped(text: &str, to: impl Fn(char) -> Vec<char>) -> String {
    text.chars()
        .map(|c| match to(c).as_slice() {
            [one] => *one,
            _ => c,
        })
        .collect()
}

/// Applies rules in their order; `false` when one drops everything.
pub fn relabel(labels: &mut LabelBuilder, rules: &[Rule]) -> bool {
    rules.iter().all(|rule| rule.apply(labels))
}

/// A rule and what came out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RelabelStep {
    /// The rule.
    pub rule: RuleText,
    /// The labels after it.
    pub output: Labels,
    /// Whether they were kept.
    pub keep: bool,
}

/// Rule by rule, for who wants to know why a target looks as it does; ends at the rule that drops it.
pub fn relabel_steps(labels: &Labels, rules: &[Rule]) -> Vec<RelabelStep> {
    let mut builder = LabelBuilder::new(labels);
    let mut out = Vec::new();
    for rule in rules {
        let keep = rule.apply(&mut builder);
        let output = if keep { builder.labels() } else { Labels::default() };
        out.push(RelabelStep { rule: rule.text.clone(), output, keep });
        if !keep {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests;
