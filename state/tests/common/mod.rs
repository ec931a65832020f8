//! Values that the state's tests share. Pure.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use kernel::alert::{Alert, AlertEvent, AlertState, EventKind};
use kernel::message::{DeliveryState, Message, MessageKind, OutboxEntry};
use kernel::probe::{CheckId, Evidence, Outcome, ProbeResult};
use kernel::trail::{Actor, Deed};
use kernel::{Duration, Labels, Language, Rank, Timestamp};
use state::{NewUser, State, StateLocation};

pub mod postgres;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_770_000_000 + seconds)
}

/// Something that somebody did.
pub fn some_deed() -> Deed {
    Deed::new(at(0), Actor::person("ana"), "test")
}

/// A database and a state on it, which the test may close.
pub struct Fixture {
    pub folder: tempfile::TempDir,
    pub location: StateLocation,
    /// What the command line would say.
    pub url: String,
    pub state: Open,
}

/// The state while it is open.
pub struct Open(Option<State>);

impl std::ops::Deref for Open {
    type Target = State;

    fn deref(&self) -> &State {
        self.0.as_ref().unwrap()
    }
}

/// Runs a test on each database: the contract is one.
pub fn each_database(test: impl Fn(Fixture)) {
    for fixture in [Fixture::new(), Fixture::postgres()] {
        // Shown when the test fails.
        println!("on {:?}", fixture.state.dialect());
        test(fixture);
    }
}

impl Fixture {
    /// In a folder.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().display().to_string();
        Self::at(url, folder)
    }

    /// On the server that all tests of this binary share.
    pub fn postgres() -> Self {
        Self::at(postgres::new_database(), tempfile::tempdir().unwrap())
    }

    fn at(url: String, folder: tempfile::TempDir) -> Self {
        let location = StateLocation::parse(&url).unwrap();
        let state = Open(Some(State::open_at(&location).unwrap()));
        Self { folder, location, url, state }
    }

    /// Closes it.
    pub fn closed(mut self) -> Self {
        self.state.0 = None;
        self
    }

    /// Closes and opens again.
    pub fn reopen(self) -> Self {
        let Self { folder, url, .. } = self.closed();
        Self::at(url, folder)
    }
}

pub fn new_user(name: &str) -> NewUser {
    NewUser {
        name: name.into(),
        role: "administrator".into(),
        language: Language::Es,
        password_hash: "$argon2id$…".into(),
    }
}

/// A deed of a person, for what needs one.
pub fn deed(action: &str) -> kernel::trail::Deed {
    kernel::trail::Deed::new(at(0), kernel::trail::Actor::person("ana"), action).on("thing", "x")
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
