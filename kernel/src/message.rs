//! Messages to people: what is to be said, where it stands on its way out. Pure.

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, EventKind};
use crate::{Language, Rank, Timestamp};

/// How a message came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// Something began to fire.
    Firing,
    /// Something ended.
    Resolved,
    /// Several events that waited together for their class's delay.
    Batch,
    /// The day's summary (CHN-09).
    Digest,
    /// `farero notify test` or the button on the page.
    Test,
}

/// What a message says, ready to be put into any channel's form. Texts are in the plan's language and redacted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// How it came to be.
    pub kind: MessageKind,
    /// The plan's system.
    pub system: String,
    /// The system's label for people.
    pub system_label: String,
    /// Language of the texts.
    pub language: Language,
    /// Gravest rank in it.
    pub rank: Rank,
    /// The system's own word for that severity.
    pub severity_label: String,
    /// One line, at most 120 characters: the subject of an e-mail, the whole of an SMS's first line.
    pub title: String,
    /// Plain text, several lines; complete on its own.
    pub text: String,
    /// The events it tells of, for channels with a form of their own (webhook, chat cards).
    pub items: Vec<MessageItem>,
    /// Where to look: a page of this Farero.
    pub link: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One event inside a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageItem {
    /// What happened.
    pub kind: EventKind,
    /// The alert as it was then.
    pub alert: Alert,
    /// One line for people.
    pub summary: String,
    /// More, may be empty.
    pub description: String,
    /// The value with its unit, for people.
    pub value: String,
    /// Since when, in the system's own time, for people.
    pub since: String,
    /// Which runbook to open.
    pub runbook: Option<String>,
    /// The page of this alert.
    pub link: Option<String>,
}

/// Where an outbox entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its time: first try, retry, or rate limit.
    Queued,
    /// A try has begun; found so after a crash it is tried again (the one place where twice is possible).
    Sending,
    /// The other side took it.
    Sent,
    /// A person has to do it and confirm (CHN-05).
    AwaitingPerson,
    /// All tries and all fallbacks failed.
    Failed,
}

/// A message on its way to one channel. Invariant: once stored it is sent at least once or ends visibly as failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Idempotency key, unique in the outbox and sent along where the channel has a place for it: storing the same key
    /// again changes nothing.
    pub key: String,
    /// The plan's system.
    pub system: String,
    /// The channel's name in the plan.
    pub channel: String,
    /// What to say.
    pub message: Message,
    /// Where it stands.
    pub state: DeliveryState,
    /// Tries begun so far on this channel.
    pub tries: u32,
    /// Not before this time.
    pub due_at: Timestamp,
    /// When it was stored.
    pub created_at: Timestamp,
    /// Channels that failed before this one took over, oldest first.
    pub fallen_from: Vec<String>,
}

/// One try, as the delivery log keeps it (CHN-08).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    /// Key of the outbox entry.
    pub key: String,
    /// The channel.
    pub channel: String,
    /// When the try began.
    pub at: Timestamp,
    /// How long it took, milliseconds.
    pub took_ms: u64,
    /// What became of it.
    pub result: AttemptResult,
}

/// What became of one try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum AttemptResult {
    /// The other side took it; with its own words (`250 2.0.0 Ok: queued as …`, `HTTP 204`).
    Taken {
        /// The other side's answer, redacted.
        answer: String,
    },
    /// A later try may succeed: no connection, time-out, 429, 5xx, SMTP 4xx.
    Postponed {
        /// What happened, redacted.
        error: String,
        /// How long the other side asked to wait, seconds.
        retry_after_s: Option<u64>,
    },
    /// Trying again is useless: 4xx, bad address, wrong password.
    Refused {
        /// What happened and what to do, redacted.
        error: String,
    },
}

/// An event that waits for its class's delay or for the digest, for one severity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldItem {
    /// Event id and severity: storing it twice stores it once.
    pub id: String,
    /// The plan's system.
    pub system: String,
    /// The severity's name in the plan, whose class and channels apply.
    pub severity: String,
    /// What happened.
    pub event: crate::alert::AlertEvent,
    /// To be out by this time at the latest.
    pub due_at: Timestamp,
}
