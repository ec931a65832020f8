//! Templates of labels and annotations: Go's text/template as far as Prometheus's rules use it (ALR-22). Pure.
//!
//! Understood: text, `{{ … }}` with trim markers and comments, pipelines, variables, `if`/`else if`/`else`, `range` with
//! `else`, `break` and `continue`, `with`, `define`, `template`, `block`; Go's functions `and or not len index slice print
//! printf println html urlquery eq ne lt le gt ge`; Prometheus's functions (see [`functions`]). Comparisons are kinder
//! than Go's: a whole number and a number with fraction compare by value.
//!
//! Syntax errors, unknown functions and undefined variables are found when a template is read, as in Prometheus.

use kernel::Labels;

pub mod builtins;
pub mod exec;
pub mod format;
pub mod functions;
pub mod humanize;
pub mod lex;
pub mod parse;
pub mod printed;
pub mod value;

use parse::Tree;
use value::Value;

/// Longest text that a template may make; labels and annotations are shown on phones.
pub const LONGEST_OUTPUT: usize = 64 * 1024;
/// Most steps (actions, loop turns, calls) that one template may take.
pub const MOST_STEPS: usize = 100_000;
/// How deeply actions, parentheses and templates may be nested.
pub const DEEPEST: usize = 50;

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
}

impl TemplateError {
    fn new(offset: usize, length: usize, message: impl Into<String>) -> Self {
        Self { offset, length: length.max(1), message: message.into() }
    }
}

/// A template that was read.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    tree: Tree,
}

/// Asks PromQL at the time of the evaluation.
pub type Ask<'a> = dyn Fn(&str) -> Result<Vec<(Labels, f64)>, String> + 'a;

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
    pub value: f64,
    /// Asks PromQL, for the function `query`.
    pub ask: &'a Ask<'a>,
    /// The time of the evaluation, seconds since the epoch.
    pub now_seconds: f64,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { source: text.to_owned(), tree: parse::parse(text)? })
    }

    /// A text that is taken as it is, whatever is in it.
    pub fn literal(text: &str) -> Self {
        let body = vec![parse::Node::Text(text.to_owned())];
        Self { source: text.to_owned(), tree: Tree { body, defined: std::collections::BTreeMap::new() } }
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
        exec::run(&self.tree, scope)
    }

    /// The function calls in it, each with its arguments where they are constants; for the checker of rules.
    pub fn calls(&self) -> Vec<printed::Printed> {
        self.tree.printed()
    }
}

fn root(scope: &Scope<'_>) -> Value {
    Value::Root(
        [
            ("Labels", Value::Labels(scope.labels.clone())),
            ("Names", Value::Labels(scope.names.clone())),
            ("ExternalLabels", Value::Labels(scope.external_labels.clone())),
            ("ExternalURL", Value::Text(scope.external_url.to_owned())),
            ("Value", Value::Float(scope.value)),
        ]
        .into(),
    )
}

#[cfg(test)]
mod tests;
