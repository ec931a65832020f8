//! Values that the state's tests share. Pure.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, missing_docs)]

use kernel::alert::{Alert, AlertEvent, AlertState, EventKind};
use kernel::message::{DeliveryState, Message, MessageKind, OutboxEntry};
use kernel::probe::{CheckId, Evidence, Outcome, ProbeResult};
use kernel::{Duration, Labels, Language, Rank, Timestamp};
use state::State;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_770_000_000 + seconds)
}

pub struct Fixture {
    pub folder: tempfile::TempDir,
    pub state: State,
}

impl Fixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        Self { folder, state }
    }

    /// Closes and opens again.
    pub fn reopen(self) -> Self {
        let Self { folder, state } = self;
        drop(state);
        let state = State::open(folder.path()).unwrap();
        Self { folder, state }
    }
}

pub fn alert(rule: &str, state: AlertState, since: i64) -> Alert {
    Alert {
        system: "sigcerh".into(),
        group: "servicios".into(),
        rule: rule.into(),
        labels: Labels::new([("alertname", rule), ("service", "backend")]),
        annotations: Labels::new([("summary", "El Backend no responde")]),
        state,
        value: f64::NAN,
        active_at: at(since),
        fired_at: (state != AlertState::Pending).then(|| at(since + 60)),
        last_true_at: at(since + 60),
        resolved_at: (state == AlertState::Resolved).then(|| at(since + 120)),
    }
}

pub fn event(alert: &Alert, kind: EventKind) -> AlertEvent {
    let id = format!("{}-{kind:?}", alert.firing_id());
    AlertEvent { id, at: alert.last_true_at, kind, rank: Rank::Critical, alert: alert.clone() }
}

pub fn entry(key: &str, channel: &str, due: i64) -> OutboxEntry {
    OutboxEntry {
        key: key.into(),
        system: "sigcerh".into(),
        channel: channel.into(),
        message: Message {
            kind: MessageKind::Firing,
            system: "sigcerh".into(),
            system_label: "SIGCERH".into(),
            language: Language::Es,
            rank: Rank::Critical,
            severity_label: "Crítica".into(),
            title: "Backend caído".into(),
            text: "El backend no responde".into(),
            items: Vec::new(),
            link: None,
            created_at: at(due),
        },
        state: DeliveryState::Queued,
        tries: 0,
        due_at: at(due),
        created_at: at(due),
        fallen_from: Vec::new(),
    }
}

pub fn result(check: &str, seconds: i64, outcome: Outcome) -> ProbeResult {
    ProbeResult {
        check: CheckId::parse(check).unwrap(),
        due_at: at(seconds),
        started_at: at(seconds),
        duration: Duration::from_millis(42),
        outcome,
        attempts: 1,
        phases: Vec::new(),
        readings: Vec::new(),
        evidence: Evidence { status: Some(format!("at {seconds}")), ..Evidence::default() },
    }
}
