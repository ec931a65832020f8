//! What is wrong with a plan, where, what was expected and what to do. Pure.

use std::borrow::Cow;

use kernel::Language;
use kernel::phrase::in_language;
use serde::Serialize;

use crate::source::Place;

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The plan cannot be used.
    Error,
    /// The plan can be used and very likely does not do what was meant.
    Warning,
    /// What a careful reviewer would say: a gap, a contradiction, a risk. Declared values are kept.
    Finding,
}

impl Level {
    /// The word in printed diagnostics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Finding => "finding",
        }
    }
}

/// One thing to say about a plan's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How grave it is.
    pub level: Level,
    /// Stable name of the kind of diagnostic, such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong, in English.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What was expected there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Other places that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// Message and help in Spanish, where they have words of their own; for the others the catalogue has some
    /// ([`kernel::phrase`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub es: Option<Box<Spanish>>,
}

/// Message and help in Spanish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spanish {
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Another place that belongs to a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Why it is named.
    pub message: String,
}

impl Diagnostic {
    /// A diagnostic with nothing but its message.
    pub fn new(level: Level, code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { level, code, message: message.into(), place, expected: None, help: None, related: Vec::new(), es: None }
    }

    /// An error.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Level::Error, code, place, message)
    }

    /// With what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With what to do, where there is something.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// With another place.
    #[must_use]
    pub fn related(mut self, place: Place, message: impl Into<String>) -> Self {
        self.related.push(Related { place, message: message.into() });
        self
    }

    /// With its texts in Spanish.
    #[must_use]
    pub fn es(mut self, message: impl Into<String>, help: Option<String>) -> Self {
        self.es = Some(Box::new(Spanish { message: message.into(), help }));
        self
    }

    /// The message in a language; its own Spanish, else the catalogue's.
    pub fn message_in(&self, language: Language) -> Cow<'_, str> {
        match (&self.es, language) {
            (Some(es), Language::Es) => Cow::Borrowed(&es.message),
            _ => in_language(&self.message, language),
        }
    }

    /// What to do, in a language; its own Spanish, else the catalogue's.
    pub fn help_in(&self, language: Language) -> Option<Cow<'_, str>> {
        match (&self.es, language) {
            (Some(es), Language::Es) => es.help.as_deref().map(Cow::Borrowed),
            _ => self.help.as_deref().map(|help| in_language(help, language)),
        }
    }

    /// What was expected, in a language.
    pub fn expected_in(&self, language: Language) -> Option<Cow<'_, str>> {
        self.expected.as_deref().map(|expected| in_language(expected, language))
    }
}

impl Related {
    /// Why it is named, in a language.
    pub fn message_in(&self, language: Language) -> Cow<'_, str> {
        in_language(&self.message, language)
    }
}

/// Whether any of them keeps the plan from being used.
pub fn has_errors(all: &[Diagnostic]) -> bool {
    all.iter().any(|d| d.level == Level::Error)
}

/// Sorts by file, then place, then gravity, and takes out what is said twice.
pub fn sort(all: &mut Vec<Diagnostic>) {
    all.sort_by(|a, b| (a.place.span, a.level, a.code, &a.message).cmp(&(b.place.span, b.level, b.code, &b.message)));
    all.dedup();
}
