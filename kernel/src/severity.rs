//! The common ranks that every system's own severities map to. Pure.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// How grave something is, in the words common to all systems; each system has its own terms for them (ALR-04).
///
/// Ordered from least to most grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// For information, nothing to do.
    Info,
    /// Can wait.
    Low,
    /// Look at it soon (`medium` is another word for it).
    #[serde(alias = "medium")]
    Warning,
    /// Look at it now.
    High,
    /// Drop everything.
    Critical,
}

impl Rank {
    /// The word in plan files, labels and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Warning => "warning",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl JsonSchema for Rank {
    fn schema_name() -> Cow<'static, str> {
        "Rank".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "enum": ["info", "low", "warning", "medium", "high", "critical"],
            "description": "How grave it is, in the words common to all systems; medium is another word for warning."
        })
    }
}
