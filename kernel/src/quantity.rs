//! Percentages in plans. Pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A share of a whole, written with its sign (`90%`, `99.9 %`), so that nobody mistakes 0.9 for 90 (compare ALR-26).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Percent(f64);

impl Percent {
    /// From 0 to 100 (more is legal: 110 % of a quota).
    pub const fn new(percent: f64) -> Self {
        Self(percent)
    }

    /// The number before the sign.
    pub const fn percent(self) -> f64 {
        self.0
    }

    /// As a fraction, 0 to 1.
    pub fn ratio(self) -> f64 {
        self.0 / 100.0
    }
}

/// Why a text is not a percentage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a percentage: write a number and the sign, such as 90%")]
pub struct PercentError(String);

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let wrong = || PercentError(text.to_owned());
        let number = text.trim().strip_suffix('%').ok_or_else(wrong)?.trim_end();
        let value: f64 = number.parse().map_err(|_| wrong())?;
        if value.is_finite() && value >= 0.0 { Ok(Self(value)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "percent",
            "pattern": "^\\s*[0-9]+(\\.[0-9]+)?\\s*%\\s*$",
            "description": "A percentage with its sign, such as 90%."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_the_sign() {
        assert_eq!("90%".parse(), Ok(Percent::new(90.0)));
        assert_eq!("99.9 %".parse(), Ok(Percent::new(99.9)));
        assert!("0.9".parse::<Percent>().is_err());
        assert!("-1%".parse::<Percent>().is_err());
        assert!("NaN%".parse::<Percent>().is_err());
    }
}
