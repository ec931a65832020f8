//! Activities: what is done when, by whom, in which mode (PLN-08). Pure.

use kernel::Duration;
use kernel::schedule::Schedule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Life;

/// An activity of the plan.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Its name in the document's own words.
    pub label: String,
    /// When it is due: `day at 02:00`, `week on monday`, `month on first sunday 01:00-05:00`, …
    pub every: Schedule,
    /// Roles that do it.
    #[serde(default)]
    pub by: Vec<String>,
    /// Done by the program, by people, or both.
    #[serde(default)]
    pub mode: Mode,
    /// What kind of maintenance it is.
    #[serde(default, rename = "type")]
    pub maintenance: Option<MaintenanceType>,
    /// Effort expected of people.
    #[serde(default)]
    pub effort: Option<Duration>,
    /// What shows that it was done.
    #[serde(default)]
    pub evidence: Option<String>,
    /// Checklist to work through, a file under `checklists/`.
    #[serde(default)]
    pub checklist: Option<String>,
    /// Runbook to follow, a file under `runbooks/`.
    #[serde(default)]
    pub runbook: Option<String>,
    /// Environments it is for; all when empty.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Remarks of the document.
    #[serde(default)]
    pub notes: Option<String>,
    /// Whether it counts yet: `now`, `optional`, `planned`, `future` (PLN-14).
    #[serde(default)]
    pub state: Life,
    /// First day on which a planned item is active, `2026-03-01`.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub from: Option<String>,
}

/// Who does an activity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The program.
    Automatic,
    /// People.
    #[default]
    Manual,
    /// The program starts, people finish, or the other way round.
    Both,
}

/// The four kinds of maintenance (ISO/IEC 14764 names).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MaintenanceType {
    /// Before a predicted failure.
    Predictive,
    /// On a calendar.
    Preventive,
    /// After a failure.
    Corrective,
    /// To make it better.
    Perfective,
}
