//! Panels: what is asked and how it is shown. Pure.

use std::borrow::Cow;

use indexmap::IndexMap;
use kernel::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Unit;
pub use super::setting::{
    Colour, Column, Link, Reduce, RightAxis, SeriesSetting, Side, Sort, ThresholdLook, ThresholdStep, ThresholdsIn,
    ValueText,
};

/// A panel of a dashboard.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Its title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it says, for those who do not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How it shows; `time_series` when left out.
    #[serde(default)]
    pub kind: PanelKind,
    /// Its width in columns, of 24; 12 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 24))]
    pub width: Option<u32>,
    /// Its height in rows of about 30 pixels; what its kind needs when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 60))]
    pub height: Option<u32>,
    /// Its first column, from 0; the next free place when left out. Only together with `y`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 23))]
    pub x: Option<u32>,
    /// Its first row within its group, from 0. Only together with `x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10000))]
    pub y: Option<u32>,
    /// PromQL, where there is one query only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Names of its series, where there is one query only: `{{label}}` stands for a label's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legend: Option<String>,
    /// Several queries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<PanelQuery>,
    /// How time series are drawn; lines when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw: Option<Draw>,
    /// Numbers of each series below a time series, beside its name: `[last, max]`; none when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legend_values: Vec<Reduce>,
    /// No names stand below a time series.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub legend_hidden: bool,
    /// Unit of its values: `seconds`, `bytes`, `percent`, `ratio`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Digits after the decimal sign; as many as are of use when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub decimals: Option<u32>,
    /// Least value of its scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Greatest value of its scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// From which value on which colour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdStep>,
    /// What the numbers of `thresholds` are; values when left out.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub thresholds_in: ThresholdsIn,
    /// How a time series shows them; lines when left out.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub thresholds_as: ThresholdLook,
    /// The axis at the right of a time series, for series with `axis: right`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<RightAxis>,
    /// Texts and colours for single values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueText>,
    /// Which one number stands for a series in `stat`, `gauge` and `bar`; the last when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reduce: Option<Reduce>,
    /// Whether a `stat` draws its series behind its number; yes when left out and there is room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sparkline: Option<bool>,
    /// Settings of single series, by their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesSetting>,
    /// Columns of a table, by label; values are called `Value`, or `Value A`, `Value B` … of several queries.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub columns: IndexMap<String, Column>,
    /// How a table is sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    /// Text of a `text` panel: paragraphs, headings, lists, links, `**bold**`, `` `code` ``.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Addresses to go on to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// A variable: the panel stands there once for each of its chosen values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    /// Those of `repeat` stand one below the other; else side by side.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat_down: bool,
    /// Most of `repeat` side by side; 4 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 24))]
    pub repeat_most: Option<u32>,
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How a panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PanelKind {
    /// Values over time.
    #[default]
    TimeSeries,
    /// One large number a series.
    Stat,
    /// A number on a dial.
    Gauge,
    /// A bar a series, the numbers beside it.
    Bar,
    /// Rows and columns.
    Table,
    /// How often which values, over time.
    Heatmap,
    /// States over time, a band a series.
    State,
    /// Words.
    Text,
}

impl PanelKind {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::TimeSeries, Self::Stat, Self::Gauge, Self::Bar, Self::Table, Self::Heatmap, Self::State, Self::Text];

    /// The word in the plan.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TimeSeries => "time_series",
            Self::Stat => "stat",
            Self::Gauge => "gauge",
            Self::Bar => "bar",
            Self::Table => "table",
            Self::Heatmap => "heatmap",
            Self::State => "state",
            Self::Text => "text",
        }
    }

    /// Rows of the grid when the plan says nothing.
    pub const fn usual_height(self) -> u32 {
        match self {
            Self::Stat => 4,
            Self::Gauge | Self::State => 6,
            Self::Text => 3,
            _ => 8,
        }
    }

    /// Whether its queries are asked over the range when they do not say; else at its end.
    pub const fn asks_over_time(self) -> bool {
        !matches!(self, Self::Table | Self::Text)
    }
}

/// One query of a panel.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PanelQuery {
    /// PromQL.
    pub query: String,
    /// Names of its series: `{{label}}` stands for a label's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legend: Option<String>,
    /// Asked once, at the end of the range; what the panel's kind needs when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant: Option<bool>,
    /// Written down and not asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Shortest distance of two points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
}

/// How time series are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Draw {
    /// Lines.
    #[default]
    Lines,
    /// Lines with the space below them filled.
    Area,
    /// Areas one upon the other.
    Stacked,
    /// Bars.
    Bars,
}

impl Panel {
    /// Its queries: the one written short, or the list.
    pub fn all_queries(&self) -> Vec<Cow<'_, PanelQuery>> {
        match &self.query {
            Some(query) => {
                let one = PanelQuery { query: query.clone(), legend: self.legend.clone(), ..PanelQuery::default() };
                vec![Cow::Owned(one)]
            }
            None => self.queries.iter().map(Cow::Borrowed).collect(),
        }
    }

    /// Where the expression of a query stands below the panel: `query`, `queries[1].query`.
    pub fn query_path(&self, number: usize) -> String {
        if self.query.is_some() { "query".to_owned() } else { format!("queries[{number}].query") }
    }

    /// Its width in columns of the grid.
    pub fn columns_wide(&self) -> u32 {
        self.width.unwrap_or(12).clamp(1, super::GRID_COLUMNS)
    }

    /// Its height in rows of the grid.
    pub fn rows_high(&self) -> u32 {
        self.height.unwrap_or(self.kind.usual_height()).clamp(1, super::TALLEST)
    }

    /// Whether one of its queries is asked once only, at the end of the range.
    pub fn is_instant(&self, query: &PanelQuery) -> bool {
        query.instant.unwrap_or(!self.kind.asks_over_time())
    }
}
