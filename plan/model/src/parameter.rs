//! Parameters that a document leaves open, and environments that set them. Pure.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A named value. One without a value is *open*: what refers to it stays inactive until it is set (PLN-10).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The value; leave it out when the document does not give it.
    #[serde(default)]
    pub value: Option<Scalar>,
    /// What it means, for the person who has to supply it.
    pub meaning: String,
    /// Where the value comes from.
    #[serde(default)]
    pub source: Source,
}

/// Where a parameter's value comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// It stands in the team's document.
    #[default]
    Document,
    /// Proposed, to make the plan run; not in the document.
    Proposed,
    /// Derived from numbers in the document.
    Derived,
}

/// A plain value: text, number or yes/no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text, as which durations, percentages and schedules are written.
    Text(String),
}

/// An environment (production, staging, …) and the parameters that differ in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Its name for people.
    #[serde(default)]
    pub label: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub purpose: Option<String>,
    /// Parameters with another value here.
    #[serde(default)]
    pub parameters: IndexMap<String, Scalar>,
}
