//! What people may ask the loops for: the port that `run` implements. I/O: none of its own.

use futures_util::future::BoxFuture;
use kernel::Timestamp;
use kernel::heartbeat::Ping;
use kernel::message::OutboxEntry;
use kernel::probe::CheckId;
use kernel::secret::Secret;
use kernel::trail::Deed;
use plan_model::starter::Answers;
use prove_trail::PublicKey;

/// Why something asked for was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no such system, component, channel or check.
    #[error("{what} `{name}` is not in the plan in use")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Under which name.
        name: String,
    },
    /// It was tried and did not work; the text says why and what to do.
    #[error("{0}")]
    Failed(String),
}

/// Something grave that everybody must hear of, and that no rule can find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Somebody logged in with the sealed code of the break-glass account.
    SealBroken {
        /// From which address.
        from: String,
        /// What they gave as the reason.
        reason: String,
    },
}

/// What the first-run assistant writes into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    /// The system's name now.
    pub system: String,
    /// What people call it.
    pub label: String,
    /// Its time zone.
    pub timezone: String,
    /// Whether the whole plan is the assistant's to write; else it adds a file beside somebody's own.
    pub whole: bool,
    /// The plan's folder, as it was named at the start.
    pub folder: String,
    /// Where secrets are kept, each in a file.
    pub secrets: String,
}

impl Starter {
    /// What a plan says for a secret that is kept under a name.
    pub fn reference(&self, name: &str) -> String {
        format!("${{file:{}/{name}}}", self.secrets)
    }
}

/// What the web asks the loops for. Every call returns once the matter is durable or done.
pub trait Control: Send + Sync {
    /// Sends a test message over a channel; the answer is what the other side said.
    fn test_channel<'a>(
        &'a self,
        system: &'a str,
        channel: &'a str,
        by: &'a str,
    ) -> BoxFuture<'a, Result<String, ControlError>>;

    /// Reads the plans' folders again, at once. What became of it stands in the read model.
    fn reload(&self) -> BoxFuture<'_, Result<(), ControlError>>;

    /// Watches a system, or one component of it, intensively until a time; `None` ends it (CHK-16). Stored with the deed that
    /// tells of it.
    fn set_intensive<'a>(
        &'a self,
        system: &'a str,
        component: Option<&'a str>,
        until: Option<Timestamp>,
        by: &'a str,
        deed: &'a Deed,
    ) -> BoxFuture<'a, Result<(), ControlError>>;

    /// Takes in a call to a heartbeat's URL, durably.
    fn accept_ping<'a>(&'a self, check: &'a CheckId, ping: Ping) -> BoxFuture<'a, Result<(), ControlError>>;

    /// Runs a check at once, beside its schedule.
    fn check_now<'a>(&'a self, check: &'a CheckId) -> BoxFuture<'a, Result<(), ControlError>>;

    /// Messages that tell of an alarm, one for each channel that grave severities go to, in every system; made, not stored.
    fn alarms(&self, alarm: &Alarm) -> Vec<OutboxEntry>;

    /// What the first-run assistant may write a plan into; `None` where every plan is somebody's own.
    fn starter(&self) -> Option<Starter>;

    /// Writes what the assistant was told into the plan's folder, and reads it again; returns once it is in use.
    fn write_starter<'a>(
        &'a self,
        answers: &'a Answers,
        secrets: &'a [(String, Secret)],
    ) -> BoxFuture<'a, Result<(), ControlError>>;

    /// The public half of the key that signs the trail, as hexadecimal digits.
    fn trail_key(&self) -> String;

    /// Signs where the trail stands, so that all of its entries are covered; gives the public key.
    fn checkpoint(&self) -> BoxFuture<'_, Result<PublicKey, ControlError>>;

    /// Something that deliveries hang on has changed in `state` (an acknowledgement, a confirmation, a retry): look at once.
    fn wake_deliveries(&self);
}
