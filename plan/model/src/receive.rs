//! What others may send for a system: limits of its samples, so that one sender never takes the store down (MET-01). Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits of the samples that others send for a system over remote-write and OTLP. Left out: what the command line says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Receive {
    /// Series that are alive at the same time.
    #[serde(default)]
    pub series: Option<u64>,
    /// Labels of a series, its name included.
    #[serde(default)]
    pub labels: Option<u64>,
    /// Bytes of a label's name.
    #[serde(default)]
    pub label_name_bytes: Option<u64>,
    /// Bytes of a label's value.
    #[serde(default)]
    pub label_value_bytes: Option<u64>,
    /// Samples a second on average; bursts of ten seconds are taken.
    #[serde(default)]
    pub samples_per_second: Option<u64>,
}
