//! The system's own severities, how their alerts are delivered, and which the plan's own alerts have. Pure.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use kernel::{Duration, Rank};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::threshold::Threshold;

/// One of the system's own severities (ALR-04).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Severity {
    /// The word in the team's language.
    #[serde(default)]
    pub label: Option<String>,
    /// The common rank it maps to.
    pub rank: Rank,
    /// When people hear of it.
    #[serde(default)]
    pub deliver: Deliver,
    /// Which channels, all of them at once.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Only these see its alerts and what was told of them: roles, teams or people of the plan, or built-in roles; everybody
    /// who sees the system when empty (INC-14).
    #[serde(default)]
    pub restricted_to: Vec<String>,
}

/// Delivery class (ALR-05).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deliver {
    /// At once: `now`.
    #[default]
    Now,
    /// Gathered, and out before this much time has passed since the first event: `within 1h`.
    Within(Duration),
    /// In the day's digest at this local time, minutes since midnight: `daily at 07:00`.
    Daily {
        /// Minutes since midnight, 0 to 1439.
        minute: u16,
    },
    /// Shown, never sent: `info`.
    Info,
}

/// Why a text is not a delivery class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a delivery class: write `now`, `within 1h`, `daily at 07:00` or `info`")]
pub struct DeliverError(String);

impl FromStr for Deliver {
    type Err = DeliverError;

    fn from_str(text: &str) -> Result<Self, DeliverError> {
        let wrong = || DeliverError(text.to_owned());
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["now"] => Ok(Self::Now),
            ["info"] => Ok(Self::Info),
            ["within", rest @ ..] if !rest.is_empty() => rest.join(" ").parse().map(Self::Within).map_err(|_| wrong()),
            ["daily", "at", time] => {
                let (h, m) = time.split_once(':').ok_or_else(wrong)?;
                let digits = |s: &str| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
                if !digits(h) || !digits(m) {
                    return Err(wrong());
                }
                let (h, m): (u16, u16) = (h.parse().map_err(|_| wrong())?, m.parse().map_err(|_| wrong())?);
                if h < 24 && m < 60 { Ok(Self::Daily { minute: h * 60 + m }) } else { Err(wrong()) }
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Deliver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Within(d) => write!(f, "within {d}"),
            Self::Daily { minute } => write!(f, "daily at {:02}:{:02}", minute / 60, minute % 60),
            Self::Info => f.write_str("info"),
        }
    }
}

impl Serialize for Deliver {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Deliver {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Deliver {
    fn schema_name() -> Cow<'static, str> {
        "Deliver".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "deliver",
            "description": "When people hear of it: now, within 1h, daily at 07:00, or info (shown, never sent).",
            "examples": ["now", "within 1h", "daily at 07:00", "info"]
        })
    }
}

/// Which severity the alerts have that Farero makes from the plan itself, and the thresholds common to all hosts.
/// A severity left out: no such alert.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertPolicy {
    /// A check fails (ALR-06, ALR-07).
    #[serde(default)]
    pub down: Option<String>,
    /// A check passes but takes longer than its slow threshold (CHK-14).
    #[serde(default)]
    pub slow: Option<String>,
    /// How long a state must hold before the alert fires, beyond the check's own attempts; 0 when left out.
    #[serde(default)]
    pub hold: Option<Duration>,
    /// Days before a certificate ends, and the severity from then on (ALR-29).
    #[serde(default)]
    pub certificate: Vec<CertificateAlert>,
    /// Farero's own scrape of a metrics endpoint fails.
    #[serde(default)]
    pub scrape_down: Option<String>,
    /// A check has said nothing for three of its intervals: it could not be made.
    #[serde(default)]
    pub blind: Option<String>,
    /// Severity of the day's summary (ALR-21).
    #[serde(default)]
    pub summary: Option<String>,
    /// CPU use of hosts.
    #[serde(default)]
    pub cpu: Vec<Threshold>,
    /// Memory use of hosts.
    #[serde(default)]
    pub memory: Vec<Threshold>,
    /// Disk use of hosts, each mount by itself.
    #[serde(default)]
    pub disk: Vec<Threshold>,
}

/// An alert ahead of a certificate's end.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateAlert {
    /// From this long before its end.
    pub within: Duration,
    /// With this severity.
    pub severity: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<Deliver>) {
        assert_eq!(text.parse().ok(), expect, "{text}");
        if let Some(class) = expect {
            assert_eq!(class.to_string().parse(), Ok(class));
        }
    }

    #[test]
    fn alr_05_delivery_classes_are_read_as_written() {
        check("now", Some(Deliver::Now));
        check("within 1h", Some(Deliver::Within(Duration::from_mins(60))));
        check("daily at 07:00", Some(Deliver::Daily { minute: 420 }));
        check("info", Some(Deliver::Info));
        check("daily at 24:00", None);
        check("daily at 7:00", None);
        check("daily at +7:00", None);
        check("hourly", None);
        check("within", None);
    }
}
