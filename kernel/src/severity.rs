//! The common ranks that every system's own severities map to. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How grave something is, in the words common to all systems; each system has its own terms for them (ALR-04).
///
/// Ordered from least to most grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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
