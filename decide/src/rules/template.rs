//! Templates of labels and annotations: Go's text/template as far as Prometheus's rules use it (ALR-22). Pure.
//!
//! Two flavours: [`Flavour::Prometheus`] is what Prometheus takes, no more, and compares as Go does; [`Flavour::Plan`] adds
//! Farero's own words (`$names`, `$reason`, `durationInWords`, …), and its comparisons are kinder: a whole number and a number with
//! fraction compare by value.
//!
//! Understood: text, `{{ … }}` with trim markers and comments, pipelines, variables, `if`/`else if`/`else`, `range` with
//! `else`, `break` and `continue`, `with`, `define`, `template`, `block`; Go's functions `and or not len index slice print
//! printf println html js urlquery eq ne lt le gt ge`; Prometheus's functions (see [`functions`]).
//!
//! Syntax errors, unknown functions and undefined variables are found when a template is read, as in Prometheus.

use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Histogram, Point};

pub mod builtins;
pub mod exec;
pub mod format;
pub mod functions;
pub mod histogram;
pub mod humanize;
pub mod lex;
pub mod parse;
pub mod printed;
pub mod time;
pub mod value;

use parse::Tree;
use value::Value;

/// Longest text that a template may make; labels and annotations are shown on phones.
pub const LONGEST_OUTPUT: usize = 64 * 1024;
/// Most steps (actions, loop turns, calls) that one template may take.
pub const MOST_STEPS: usize = 100_000;
/// How deeply actions, parentheses and templates may be nested.
pub const DEEPEST: usize = 50;

/// Whose templates they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// The plan's and its rule files'.
    #[default]
    Plan,
    /// Prometheus's.
    Prometheus,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Byte in the template's text.
    pub offset: usize,
    /// Bytes that it is about; at least 1.
    pub length: usize,
    /// What is wrong and what to do.
    pub message: String,
    /// Go's words for it, where they are others.
    go: Option<String>,
    /// The part of the template that Go names: first byte, and byte after the last.
    node: (usize, usize),
    /// The byte that Go counts columns to.
    column: usize,
}

impl TemplateError {
    fn new(offset: usize, length: usize, message: impl Into<String>) -> Self {
        let length = length.max(1);
        Self { offset, length, message: message.into(), go: None, node: (offset, offset + length), column: offset }
    }

    /// With Go's words.
    fn go(self, words: impl Into<String>) -> Self {
        Self { go: Some(words.into()), ..self }
    }

    /// With the part that Go names.
    fn node(self, start: usize, end: usize) -> Self {
        Self { node: (start, end.max(start)), column: start, ..self }
    }

    fn words(&self) -> &str {
        self.go.as_deref().unwrap_or(&self.message)
    }

    /// What promtool says of a template that cannot be read: `template: __alert_NAME:LINE: …`.
    pub fn in_go_words(&self, text: &str, alert: &str) -> String {
        // What is missing is missed at the end.
        let at = if self.words() == "unexpected EOF" { text.len() } else { self.offset.min(text.len()) };
        let line = text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        format!("template: __alert_{alert}:{line}: {}", self.words())
    }

    /// What Prometheus says of a template that failed while it was filled in.
    pub fn in_go_words_of_running(&self, text: &str, alert: &str) -> String {
        let (start, end) = (self.node.0.min(text.len()), self.node.1.min(text.len()));
        let before = text.get(..self.column.min(text.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rfind('\n').map_or(before.len() + DEFINITIONS, |at| before.len() - at - 1);
        let node = text.get(start..end).unwrap_or_default();
        let shown: String = match node.chars().count() {
            0..=20 => node.to_owned(),
            _ => node.chars().take(20).chain("...".chars()).collect(),
        };
        let name = format!("__alert_{alert}");
        let place = format!("template: {name}:{line}:{column}: executing \"{name}\" at <{shown}>");
        format!("error executing template {name}: {place}: {}", self.words())
    }
}

/// Prometheus defines `$labels` and the others in front of each template, so many bytes long: columns count from there.
const DEFINITIONS: usize = 112;

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    tree: Tree,
    flavour: Flavour,
}

/// The value that a template is filled with.
#[derive(Clone, Copy, Debug)]
pub enum Printable<'a> {
    /// A number.
    Number(f64),
    /// A native histogram.
    Histogram(&'a Arc<Histogram>),
}

/// Asks PromQL at the time of the evaluation.
pub type Ask<'a> = dyn Fn(&str) -> Result<Vec<(Labels, Point)>, String> + 'a;

/// What a template is filled with.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Labels of the alert's sample: `$labels`, `.Labels`.
    pub labels: &'a Labels,
    /// What people call what the labels name: `$names.service`, `$names.check`; a label without such a name is its own.
    pub names: &'a Labels,
    /// What the last result of the check that the labels name said was wrong: `$reason`; empty where there is none.
    pub reason: &'a str,
    /// The plan's language, for `durationInWords`.
    pub language: kernel::Language,
    /// Labels of this Farero: `$externalLabels`.
    pub external_labels: &'a Labels,
    /// Base URL of this Farero: `$externalURL`.
    pub external_url: &'a str,
    /// The sample's value: `$value`, `.Value`.
    pub value: Printable<'a>,
    /// Asks PromQL, for the function `query`.
    pub ask: &'a Ask<'a>,
    /// The time of the evaluation, seconds since the epoch.
    pub now_seconds: f64,
}

impl Template {
    /// Reads a template of a plan.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::parse_as(text, Flavour::Plan)
    }

    /// Reads a template.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse_as(text: &str, flavour: Flavour) -> Result<Self, TemplateError> {
        Ok(Self { source: text.to_owned(), tree: parse::parse(text, flavour)?, flavour })
    }

    /// A text that is taken as it is, whatever is in it.
    pub fn literal(text: &str) -> Self {
        let body = vec![parse::Node::Text(text.to_owned())];
        let tree = Tree { body, defined: std::collections::BTreeMap::new() };
        Self { source: text.to_owned(), tree, flavour: Flavour::Plan }
    }

    /// The template as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Fills it in.
    ///
    /// # Errors
    /// What went wrong while filling in: a function got something it cannot take, a query failed, a limit was reached.
    pub fn expand(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        if self.tree.is_plain_text() {
            return Ok(self.source.clone());
        }
        exec::run(&self.tree, scope, self.flavour)
    }

    /// The function calls in it, each with its arguments where they are constants; for the checker of rules.
    pub fn calls(&self) -> Vec<printed::Printed> {
        self.tree.printed()
    }
}

/// What `.` is at the beginning.
fn root(scope: &Scope<'_>, flavour: Flavour) -> Value {
    let mut fields = vec![("Labels", Value::Labels(scope.labels.clone()))];
    if flavour == Flavour::Plan {
        fields.push(("Names", Value::Labels(scope.names.clone())));
    }
    fields.push(("ExternalLabels", Value::Labels(scope.external_labels.clone())));
    fields.push(("ExternalURL", Value::Text(scope.external_url.to_owned())));
    fields.push(("Value", scope.value.into()));
    Value::Root(fields)
}

impl From<Printable<'_>> for Value {
    fn from(value: Printable<'_>) -> Self {
        match value {
            Printable::Number(v) => Self::Float(v),
            Printable::Histogram(h) => Self::Histogram(h.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
