//! Measures of success: what is measured over which periods, and its three bounds (KPI-01). Pure.

use std::fmt;
use std::str::FromStr;

use kernel::Duration;
use kernel::quantity::Percent;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Life;

/// A measure of success (KPI).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kpi {
    /// Its name for people; the short name when left out.
    #[serde(default)]
    pub label: Option<String>,
    /// What it tells, and where the number comes from.
    #[serde(default)]
    pub description: Option<String>,
    /// PromQL that gives one number; the range `[period]` stands for the period, as far as it has passed.
    pub measure: String,
    /// What the number is: `s` (seconds), `%` (a share from 0 to 1), `bytes`, or any other word, which is shown behind it.
    #[serde(default)]
    pub unit: Option<String>,
    /// What is aimed at: `< 200ms`, `>= 99.9%`, `> 1000`. A measure without it is only tracked.
    #[serde(default)]
    pub target: Option<Bound>,
    /// From where on it is worrying. Counts for itself, wherever the target lies (ALR-24).
    #[serde(default)]
    pub warning: Option<Bound>,
    /// From where on it is grave. Counts for itself.
    #[serde(default)]
    pub critical: Option<Bound>,
    /// Calendar periods it is told for, in the system's time zone; the month when left out.
    #[serde(default)]
    pub period: Vec<Period>,
    /// Where the bounds come from.
    #[serde(default)]
    pub source: Option<String>,
    /// Environments it is for; all when empty.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Whether it counts yet: `now`, `optional`, `planned`, `future` (PLN-14).
    #[serde(default)]
    pub state: Life,
    /// First day on which a planned item is active, `2026-03-01`.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub from: Option<String>,
}

impl Kpi {
    /// Its name for people.
    pub fn label_or<'a>(&'a self, name: &'a str) -> &'a str {
        self.label.as_deref().unwrap_or(name)
    }

    /// The periods it is told for.
    pub fn periods(&self) -> &[Period] {
        if self.period.is_empty() { &[Period::Month] } else { &self.period }
    }
}

/// A period of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday.
    Week,
    /// From its first day.
    Month,
    /// From January, April, July, October.
    Quarter,
    /// From 1 January.
    Year,
}

impl Period {
    /// The word in plans.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// On which side of a number a value must lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// A bound: a side of a number. Written with its unit: `< 200ms` (seconds), `>= 99.9%` (a share), `> 1000`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    side: Side,
    number: f64,
    text: String,
}

/// Why a text is no bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a bound: write a side and a number, such as `< 200ms`, `>= 99.9%` or `> 1000`")]
pub struct BoundError(String);

impl Bound {
    /// Whether a value lies on this side. Not a number lies on none.
    pub fn holds(&self, value: f64) -> bool {
        match self.side {
            Side::Below => value < self.number,
            Side::AtMost => value <= self.number,
            Side::Above => value > self.number,
            Side::AtLeast => value >= self.number,
        }
    }

    /// The side.
    pub const fn side(&self) -> Side {
        self.side
    }

    /// The number: seconds of a duration, the fraction of a percentage.
    pub const fn number(&self) -> f64 {
        self.number
    }

    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl FromStr for Bound {
    type Err = BoundError;

    fn from_str(text: &str) -> Result<Self, BoundError> {
        let wrong = || BoundError(text.to_owned());
        let trimmed = text.trim();
        let sides = [("<=", Side::AtMost), (">=", Side::AtLeast), ("<", Side::Below), (">", Side::Above)];
        let found = sides.into_iter().find_map(|(sign, side)| Some((trimmed.strip_prefix(sign)?.trim(), side)));
        let (number, side) = found.ok_or_else(wrong)?;
        let plain = number.parse::<f64>().ok().filter(|n| n.is_finite());
        // Through the text, so that 99.9% is the number 0.999 and none beside it.
        let share = || format!("{}e-2", number.parse::<Percent>().ok()?.percent()).parse().ok();
        let time = || number.parse::<Duration>().ok().map(|d| d.as_secs_f64());
        let number = plain.or_else(share).or_else(time).ok_or_else(wrong)?;
        Ok(Self { side, number, text: trimmed.to_owned() })
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Bound {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bound".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "bound",
            "description": "A side of a number: < 200ms, >= 99.9%, > 1000.",
            "examples": ["< 200ms", ">= 99.9%", "> 1000"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kpi_01_bounds_have_a_side_and_a_unit() {
        let bound = |text: &str| text.parse::<Bound>().unwrap();
        assert_eq!((bound("< 200ms").side(), bound("< 200ms").number()), (Side::Below, 0.2));
        assert_eq!((bound(">=99.9%").side(), bound(">=99.9%").number()), (Side::AtLeast, 0.999));
        assert_eq!(bound("<= 0.001").number(), 0.001);
        assert!(bound("> 1000").holds(1000.5) && !bound("> 1000").holds(1000.0));
        assert!(bound("<= 800ms").holds(0.8) && !bound("<= 800ms").holds(f64::NAN));
        assert_eq!(bound("  < 5 ").to_string(), "< 5");
    }

    #[test]
    fn what_is_no_bound_is_told() {
        for text in ["", "200ms", "< ", "< many", "= 3", "< inf", "> NaN", "< -5%"] {
            let error = text.parse::<Bound>().unwrap_err().to_string();
            assert!(error.contains("is not a bound"), "{text}: {error}");
        }
        assert_eq!("> -5".parse::<Bound>().unwrap().number(), -5.0);
    }
}
