//! Calls that something outside makes to say that it lives. Pure.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What a call says (Healthchecks's three).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PingKind {
    /// The job began.
    Start,
    /// The job is done, or the thing lives.
    Success,
    /// The job failed.
    Fail,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// When it came.
    pub at: Timestamp,
    /// What it says.
    pub kind: PingKind,
    /// From start to this finish, where both were told.
    pub duration_ms: Option<u64>,
    /// Exit code, where the caller gave one.
    pub exit_code: Option<i32>,
    /// First bytes of the body, redacted, at most [`crate::probe::EVIDENCE_BODY_BYTES`].
    pub body: Option<String>,
}
