//! Variables of a dashboard: what the reader may choose. Pure.

use kernel::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A variable. One of `values_of`, `list`, `interval` and `text` says where its values come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name for people; the variable's own name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Values of this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_of: Option<String>,
    /// Of the series that this PromQL gives: mostly a selector; `$other` may stand in it. All of the system when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Which of the values count, and of each what the first group finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "regex"))]
    pub regex: Option<String>,
    /// These values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<Choice>,
    /// These lengths of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interval: Vec<Duration>,
    /// Any text; this one at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Several values may be chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub several: bool,
    /// All of them may be chosen together, and are at first when nothing else is said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// What stands in expressions for all; every value when left out. Mostly `.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_value: Option<String>,
    /// What is chosen at first; all, else the first value when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// No control is shown for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// What is chosen at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Start {
    /// One value.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Start {
    /// The values.
    pub fn values(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(all) => all,
        }
    }
}

/// A value to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Choice {
    /// The value alone.
    Value(String),
    /// With a name for people.
    Named {
        /// The value.
        value: String,
        /// Its name.
        label: String,
    },
}

impl Choice {
    /// What stands in expressions.
    pub fn value(&self) -> &str {
        match self {
            Self::Value(value) | Self::Named { value, .. } => value,
        }
    }

    /// What people read.
    pub fn label(&self) -> &str {
        match self {
            Self::Value(label) | Self::Named { label, .. } => label,
        }
    }
}

/// Where a variable's values come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum VariableKind<'a> {
    /// Values of a label, of the series that an expression gives.
    Label(&'a str, Option<&'a str>),
    /// A list.
    List(&'a [Choice]),
    /// Lengths of time.
    Interval(&'a [Duration]),
    /// Any text.
    Text(&'a str),
}

impl Variable {
    /// The kinds that are given; a checked plan has exactly one.
    pub fn kinds(&self) -> Vec<VariableKind<'_>> {
        let mut all = Vec::new();
        all.extend(self.values_of.as_deref().map(|label| VariableKind::Label(label, self.query.as_deref())));
        all.extend((!self.list.is_empty()).then_some(VariableKind::List(&self.list)));
        all.extend((!self.interval.is_empty()).then_some(VariableKind::Interval(&self.interval)));
        all.extend(self.text.as_deref().map(VariableKind::Text));
        all
    }

    /// What it is called for people.
    pub fn label_or<'a>(&'a self, name: &'a str) -> &'a str {
        self.label.as_deref().unwrap_or(name)
    }

    /// A value to try expressions with before anything is chosen.
    pub fn sample(&self) -> String {
        let started = self.start.as_ref().and_then(|s| s.values().first()).cloned();
        let first = match self.kinds().first() {
            Some(VariableKind::List(all)) => all.first().map(|c| c.value().to_owned()),
            Some(VariableKind::Interval(all)) => all.first().map(ToString::to_string),
            Some(VariableKind::Text(text)) => Some((*text).to_owned()).filter(|t| !t.is_empty()),
            _ => None,
        };
        started.or(first).unwrap_or_else(|| "x".to_owned())
    }
}
