//! Marks on the time axis of a dashboard's time series: from queries, and Farero's own events. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Colour;

/// Marks from a query: where a series of its answer is not zero. Points that follow one another are one mark, from the first to
/// the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// What the marks are called; `{{label}}` stands for a label's value.
    pub title: String,
    /// PromQL.
    pub query: String,
    /// More about a mark; `{{label}}` stands for a label's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Their colour; blue when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    /// The values are the times of the marks, in milliseconds since 1970, as of `process_start_time_seconds * 1000`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub value_is_time: bool,
}

/// Events that Farero itself knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Alerts of the system while they fired.
    Alerts,
    /// Deployments that were approved.
    Deployments,
}
