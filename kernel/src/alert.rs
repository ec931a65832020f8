//! Alerts: what a rule says is wrong, from pending to resolved. Pure.

use serde::{Deserialize, Serialize};

use crate::{Labels, Rank, Timestamp};

/// Where an alert stands (Prometheus's three states, and the end).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// The condition holds, but not yet for the rule's `for`.
    Pending,
    /// The condition has held long enough (or is kept firing by `keep_firing_for`).
    Firing,
    /// It fired and the condition no longer holds.
    Resolved,
}

/// One alert of one rule: its labels tell it from the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The plan's system that the rule belongs to.
    pub system: String,
    /// Group of the rule.
    pub group: String,
    /// Name of the rule: the label `alertname`.
    pub rule: String,
    /// All labels, `alertname` included; the alert's identity.
    pub labels: Labels,
    /// Texts filled in from the rule's templates at the last evaluation: `summary`, `description`, `runbook_url`, …
    pub annotations: Labels,
    /// Where it stands.
    pub state: AlertState,
    /// Value of the expression at the last evaluation at which it held.
    #[serde(with = "crate::float")]
    pub value: f64,
    /// Since when the condition holds without a break.
    pub active_at: Timestamp,
    /// When it began to fire.
    pub fired_at: Option<Timestamp>,
    /// When the condition was last seen to hold; `keep_firing_for` counts from here.
    pub last_true_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
}

impl Alert {
    /// Identity among all alerts of all systems: the fingerprint of labels and system.
    pub fn fingerprint(&self) -> u64 {
        self.labels.with("__system__", &self.system).fingerprint()
    }

    /// Identity of this firing: the same alert firing again later is another one. Idempotency keys start with it.
    pub fn firing_id(&self) -> String {
        format!("{:016x}-{}", self.fingerprint(), self.fired_at.unwrap_or(self.active_at).as_millis())
    }

    /// The system's own severity word (label `severity`), `""` when the rule names none.
    pub fn severity(&self) -> &str {
        self.labels.get("severity").unwrap_or_default()
    }
}

/// What changed at an evaluation that people may have to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// An alert began to fire.
    Fired,
    /// A firing alert ended (CHK-15: also the recovery event).
    Resolved,
    /// Something good or neutral to tell: activity summary, backup succeeded, updates available (ALR-21).
    Informed,
}

/// An event that deliveries are decided from; stored in the same transaction as the change it tells of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertEvent {
    /// Unique and stable: firing id and kind. Writing the same event twice stores it once.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// The severity's common rank at that time.
    pub rank: Rank,
    /// The alert as it was.
    pub alert: Alert,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alr_23_one_firing_has_one_id() {
        let mut alert = Alert {
            system: "sigcerh".into(),
            group: "g".into(),
            rule: "Down".into(),
            labels: Labels::new([("alertname", "Down"), ("service", "backend")]),
            annotations: Labels::default(),
            state: AlertState::Firing,
            value: 0.0,
            active_at: Timestamp::from_secs(10),
            fired_at: Some(Timestamp::from_secs(20)),
            last_true_at: Timestamp::from_secs(20),
            resolved_at: None,
        };
        let first = alert.firing_id();
        alert.value = 3.0;
        assert_eq!(alert.firing_id(), first);
        alert.fired_at = Some(Timestamp::from_secs(99));
        assert_ne!(alert.firing_id(), first);
        let other = Alert { system: "nuam".into(), ..alert.clone() };
        assert_ne!(other.fingerprint(), alert.fingerprint());
    }
}
