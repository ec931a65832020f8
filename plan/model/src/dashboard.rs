//! Dashboards: variables, rows and panels that show series (DSH-01, DSH-09). Pure.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `panel.rs` | panels: kinds and queries |
//! | `setting.rs` | what panels are told besides: colours, thresholds, axes, single series, columns |
//! | `annotation.rs` | marks on the time axis |
//! | `variable.rs` | variables and their kinds |
//! | `expand.rs` | `$name` in expressions, with places |
//! | `layout.rs` | where panels stand on the grid |
//! | `unit.rs` | units of values |

use indexmap::IndexMap;
use kernel::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Life;

pub mod annotation;
pub mod expand;
pub mod layout;
pub mod panel;
pub mod setting;
pub mod unit;
pub mod variable;

pub use annotation::{Annotation, EventKind};
pub use panel::{Draw, Panel, PanelKind, PanelQuery};
pub use setting::{
    Colour, Column, Link, Reduce, RightAxis, SeriesSetting, Side, Sort, ThresholdLook, ThresholdStep, ThresholdsIn,
    ValueText,
};
pub use unit::Unit;
pub use variable::{Choice, Variable, VariableKind};

/// Panels of one dashboard: more than a wall of screens shows, and each asks the store at each refresh.
pub const MOST_PANELS: usize = 200;
/// Queries of one panel: more lines than colours to tell them apart.
pub const MOST_QUERIES: usize = 20;
/// Variables of one dashboard: each is a control at its top, and those from label values ask the store.
pub const MOST_VARIABLES: usize = 30;
/// Columns of the grid, as in Grafana, so that what was drawn there fits here.
pub const GRID_COLUMNS: u32 = 24;
/// Rows of the grid that one panel may take: about three screens.
pub const TALLEST: u32 = 60;
/// Annotations of one dashboard: each is asked again for each of its time series.
pub const MOST_ANNOTATIONS: usize = 10;
/// Panels or rows that one with `repeat` becomes: more are not looked at, and each asks the store.
pub const MOST_REPEATED: usize = 50;
/// Panels of a repeated one that stand side by side when the plan says nothing: narrower ones cannot be read.
pub const USUAL_SIDE_BY_SIDE: u32 = 4;
/// What a dashboard shows when it says nothing: the last six hours.
pub const USUAL_RANGE: Duration = Duration::from_secs(6 * 3_600);
/// How often it is drawn anew when it says nothing (DSH-07).
pub const USUAL_REFRESH: Duration = Duration::from_secs(30);
/// Fastest refresh: faster changes cannot be read, and each asks the store for every panel.
pub const FASTEST_REFRESH: Duration = Duration::from_secs(2);

/// A dashboard of the system.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Its title.
    pub title: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How far back it looks when it is opened; 6 h when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Duration>,
    /// How often its panels are drawn anew; 30 s when left out, `0s` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Duration>,
    /// Who sees it: roles, teams or people of the plan, or built-in roles; everybody who sees the system when empty (DSH-10).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restricted_to: Vec<String>,
    /// Whether it counts yet: `now`, `optional`, `planned`, `future` (PLN-14).
    #[serde(default, skip_serializing_if = "is_now")]
    pub state: Life,
    /// First day on which a planned item is active, `2026-03-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    pub from: Option<String>,
    /// Addresses to go on to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// What the reader may choose; `$name` in an expression stands for it.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub variables: IndexMap<String, Variable>,
    /// Marks on the time axis of its time series, from queries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Annotation>,
    /// Farero's own events as marks: `alerts`, `deployments`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventKind>,
    /// Panels that stand in no row, before the rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub panels: Vec<Panel>,
    /// Rows of panels, each under a heading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Row>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_now(life: &Life) -> bool {
    *life == Life::Now
}

/// A row: panels under a heading.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its heading.
    pub title: String,
    /// Whether it is shut when the dashboard is opened; its panels are asked for when it is opened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shut: bool,
    /// A variable: the row stands there once for each of its chosen values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    /// Its panels.
    #[serde(default)]
    pub panels: Vec<Panel>,
}

impl Dashboard {
    /// How far back it looks when it is opened.
    pub fn usual_range(&self) -> Duration {
        self.range.unwrap_or(USUAL_RANGE)
    }

    /// How often it is drawn anew; `None`: never by itself.
    pub fn refresh_every(&self) -> Option<Duration> {
        Some(self.refresh.unwrap_or(USUAL_REFRESH)).filter(|r| *r > Duration::ZERO)
    }

    /// All groups of panels in order: those without a row first; each with its place in the file, `panels` or `rows[0].panels`.
    pub fn groups(&self) -> impl Iterator<Item = (String, Option<&Row>, &[Panel])> {
        let first = (!self.panels.is_empty()).then(|| ("panels".to_owned(), None, self.panels.as_slice()));
        let rows = self.rows.iter().enumerate();
        first.into_iter().chain(rows.map(|(i, r)| (format!("rows[{i}].panels"), Some(r), r.panels.as_slice())))
    }

    /// All panels in the order of the file, each with its place in it. Their number is what addresses name them by.
    pub fn all_panels(&self) -> impl Iterator<Item = (String, &Panel)> {
        self.groups().flat_map(|(path, _, panels)| {
            panels.iter().enumerate().map(move |(i, panel)| (format!("{path}[{i}]"), panel))
        })
    }
}
