//! What a check found: outcome, phases of the time, evidence. Pure.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Duration, Timestamp};

/// Name of a check, unique in one Farero: system, service or host, check.
///
/// Written `sigcerh/backend/salud`; the parts never hold a slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId {
    /// The system's name.
    pub system: Arc<str>,
    /// The service's or host's name.
    pub component: Arc<str>,
    /// The check's own name.
    pub check: Arc<str>,
}

impl CheckId {
    /// From its parts.
    pub fn new(system: &str, component: &str, check: &str) -> Self {
        Self { system: system.into(), component: component.into(), check: check.into() }
    }

    /// From the written form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let id = Self::new(parts.next()?, parts.next()?, parts.next()?);
        (parts.next().is_none() && !id.system.is_empty() && !id.component.is_empty() && !id.check.is_empty())
            .then_some(id)
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.system, self.component, self.check)
    }
}

impl Serialize for CheckId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CheckId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not system/component/check")))
    }
}

/// What a check says about its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Works.
    Up,
    /// Works, but took longer than the check's slow threshold, or is near a bound (CHK-14).
    Slow,
    /// Does not work.
    Down,
    /// Nothing could be said: Farero was not running, or the check itself could not be made. Never counted as downtime.
    Blind,
}

impl Outcome {
    /// Whether the target did its job: up or slow.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Up | Self::Slow)
    }

    /// The word in labels and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Slow => "slow",
            Self::Down => "down",
            Self::Blind => "blind",
        }
    }
}

/// A part of a probe's time, named as blackbox_exporter names them: `resolve`, `connect`, `tls`, `processing`, `transfer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Looking the name up.
    Resolve,
    /// Opening the connection.
    Connect,
    /// Shaking hands for TLS.
    Tls,
    /// From the request to the first byte of the answer.
    Processing,
    /// From the first byte to the last.
    Transfer,
}

impl Phase {
    /// The value of the label `phase`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Processing => "processing",
            Self::Transfer => "transfer",
        }
    }
}

/// A further number that a probe read, with the metric name it is stored under: `probe_http_status_code`,
/// `probe_ssl_earliest_cert_expiry`, `farero_db_connections`, `node_load1`, …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Metric name.
    pub metric: String,
    /// Further labels beside those of the check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<(String, String)>,
    /// The value.
    #[serde(with = "crate::float")]
    pub value: f64,
}

impl Reading {
    /// A reading without further labels.
    pub fn new(metric: &str, value: f64) -> Self {
        Self { metric: metric.to_owned(), labels: Vec::new(), value }
    }

    /// With one further label.
    #[must_use]
    pub fn label(mut self, name: &str, value: impl Into<String>) -> Self {
        self.labels.push((name.to_owned(), value.into()));
        self
    }
}

/// At most this many bytes of an answer's body are kept as evidence.
pub const EVIDENCE_BODY_BYTES: usize = 1_024;

/// What shows why a result is what it is. All texts are redacted before they get here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The protocol's own verdict: `HTTP/1.1 503 Service Unavailable`, `exit 2`, `SQLSTATE 28P01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What went wrong, in words; `None` on success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// First bytes of the answer, at most [`EVIDENCE_BODY_BYTES`], as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Further facts, in order: address, protocol, certificate, query, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<(String, String)>,
}

/// The result of one run of a check, all its attempts together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// Which check.
    pub check: CheckId,
    /// When it was due; late by the difference to `started_at`.
    pub due_at: Timestamp,
    /// When the first attempt began.
    pub started_at: Timestamp,
    /// How long the last attempt took.
    pub duration: Duration,
    /// The verdict.
    pub outcome: Outcome,
    /// Attempts made, 1 or more.
    pub attempts: u32,
    /// Parts of the last attempt's time, in milliseconds with fraction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<(Phase, f64)>,
    /// Further numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<Reading>,
    /// Why.
    pub evidence: Evidence,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_ids_have_three_parts() {
        let id = CheckId::new("sigcerh", "backend", "salud");
        assert_eq!(CheckId::parse(&id.to_string()), Some(id));
        assert_eq!(CheckId::parse("a/b"), None);
        assert_eq!(CheckId::parse("a/b/c/d"), None);
        assert_eq!(CheckId::parse("a//c"), None);
    }
}
