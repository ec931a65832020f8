//! What people may ask the loops for: the port that `run` implements. I/O: none of its own.

use futures_util::future::BoxFuture;
use kernel::Timestamp;
use kernel::heartbeat::Ping;
use kernel::probe::CheckId;
use kernel::trail::Deed;
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

    /// The public half of the key that signs the trail, as hexadecimal digits.
    fn trail_key(&self) -> String;

    /// Signs where the trail stands, so that all of its entries are covered; gives the public key.
    fn checkpoint(&self) -> BoxFuture<'_, Result<PublicKey, ControlError>>;

    /// Something that deliveries hang on has changed in `state` (an acknowledgement, a confirmation, a retry): look at once.
    fn wake_deliveries(&self);
}
