//! Thresholds on measures: an alert when a value stays above or below a bound. Pure.

use kernel::Duration;
use kernel::quantity::Percent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An alert when a share (CPU, memory, disk) stays above a bound.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Above this share, strictly.
    pub above: Percent,
    /// For at least this long; at once when left out.
    #[serde(default, rename = "for")]
    pub hold: Option<Duration>,
    /// With this severity.
    pub severity: String,
    /// Runbook to open.
    #[serde(default)]
    pub runbook: Option<String>,
}
