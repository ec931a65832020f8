//! One message to one channel: the one place where a plan's channel meets its protocol. I/O.

use std::time::Duration;

use kernel::message::{AttemptResult, OutboxEntry};
use kernel::secret::{Redactor, ResolveError, Resolver};
use plan_model::{Channel, ChannelKind, Plan};

mod chat;
mod discord;
mod email;
mod http;
mod mail_html;
mod ntfy;
mod person;
mod receivers;
mod slack;
mod sms;
mod teams;
mod telegram;
mod webhook;

pub(crate) use http::describe;
pub use person::ReadyText;
pub use receivers::{ReceiverError, Receivers};
pub use reqwest::{Error as HttpError, Response as HttpResponse};

/// One try may take this long, connecting and answering together: longer than any healthy receiver needs, short enough that a
/// dead one holds its place in the outbox for less than a minute.
pub const TRY_TIMEOUT: Duration = Duration::from_secs(20);

/// At most this much of what a receiver answered, or of an error, is kept in the delivery log.
pub const ANSWER_BYTES: usize = 512;

/// A channel ready to send: references resolved, receivers known.
#[derive(Debug)]
pub struct Sender {
    name: String,
    redactor: Redactor,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Email(email::Email),
    Slack(slack::Slack),
    Discord(discord::Discord),
    Teams(teams::Teams),
    Telegram(telegram::Telegram),
    Webhook(webhook::Webhook),
    Ntfy(ntfy::Ntfy),
    Sms(sms::Sms),
    Person(person::Person),
}

/// Why a channel cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A reference has no value.
    #[error("channel `{channel}`: {source}")]
    Reference {
        /// The channel's name.
        channel: String,
        /// Which reference, and what to do.
        source: ResolveError,
    },
    /// A receiver names nobody, or somebody without an address.
    #[error("channel `{channel}`: {source}")]
    Receiver {
        /// The channel's name.
        channel: String,
        /// Which receiver, and what to do.
        source: ReceiverError,
    },
    /// The settings do not make sense together.
    #[error("channel `{channel}`: {reason}")]
    Settings {
        /// The channel's name.
        channel: String,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// Why one part of a channel cannot be prepared; the channel's name is added by [`Sender::prepare`].
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Reference(#[from] ResolveError),
    #[error(transparent)]
    Receiver(#[from] ReceiverError),
    #[error("{0}")]
    Settings(String),
}

impl Sender {
    /// Makes a channel of a plan ready.
    ///
    /// # Errors
    /// A reference without a value, a receiver without an address, an address or URL that is none.
    pub fn prepare(
        name: &str,
        channel: &Channel,
        plan: &Plan,
        resolver: &dyn Resolver,
        redactor: Redactor,
    ) -> Result<Self, PrepareError> {
        let receivers = Receivers { plan, resolver };
        let kind = prepare_kind(channel, &receivers).map_err(|trouble| match trouble {
            Trouble::Reference(source) => PrepareError::Reference { channel: name.to_owned(), source },
            Trouble::Receiver(source) => PrepareError::Receiver { channel: name.to_owned(), source },
            Trouble::Settings(reason) => PrepareError::Settings { channel: name.to_owned(), reason },
        })?;
        Ok(Self { name: name.to_owned(), redactor, kind })
    }

    /// The channel's name in the plan.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a person has to pass on, and to whom; `None` for channels that send by themselves.
    pub fn ready_text(&self, entry: &OutboxEntry) -> Option<ReadyText> {
        match &self.kind {
            Kind::Person(person) => Some(person.ready_text(&entry.message)),
            _ => None,
        }
    }

    /// Sends one message, once. Never fails otherwise than by what it returns; texts in the result are redacted.
    ///
    /// For a person's channel nothing is sent: the result says that the text is ready.
    pub async fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        let sending = async {
            match &self.kind {
                Kind::Email(c) => c.perform(entry).await,
                Kind::Slack(c) => c.perform(entry).await,
                Kind::Discord(c) => c.perform(entry).await,
                Kind::Teams(c) => c.perform(entry).await,
                Kind::Telegram(c) => c.perform(entry).await,
                Kind::Webhook(c) => c.perform(entry).await,
                Kind::Ntfy(c) => c.perform(entry).await,
                Kind::Sms(c) => c.perform(entry).await,
                Kind::Person(c) => c.perform(entry),
            }
        };
        let result = tokio::time::timeout(TRY_TIMEOUT, sending).await.unwrap_or_else(|_| AttemptResult::Postponed {
            error: format!(
                "no answer within {} s; the receiver may be overloaded or unreachable",
                TRY_TIMEOUT.as_secs()
            ),
            retry_after_s: None,
        });
        self.redacted(result)
    }

    fn redacted(&self, result: AttemptResult) -> AttemptResult {
        let shown = |text: &str| {
            let mut text = self.redactor.redact(text);
            let mut end = text.len().min(ANSWER_BYTES);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text
        };
        match result {
            AttemptResult::Taken { answer } => AttemptResult::Taken { answer: shown(&answer) },
            AttemptResult::Postponed { error, retry_after_s } => {
                AttemptResult::Postponed { error: shown(&error), retry_after_s }
            }
            AttemptResult::Refused { error } => AttemptResult::Refused { error: shown(&error) },
        }
    }
}

fn prepare_kind(channel: &Channel, with: &Receivers<'_>) -> Result<Kind, Trouble> {
    let kinds = channel.kinds();
    let [kind] = kinds.as_slice() else {
        let names: Vec<&str> = kinds.iter().map(|k| k.name()).collect();
        return Err(Trouble::Settings(format!(
            "exactly one kind (email, slack, webhook, …) is needed, but there are {}: {}",
            kinds.len(),
            names.join(", ")
        )));
    };
    Ok(match *kind {
        ChannelKind::Email(c) => Kind::Email(email::Email::prepare(c, with)?),
        ChannelKind::Slack(c) => Kind::Slack(slack::Slack::prepare(c, with)?),
        ChannelKind::Discord(c) => Kind::Discord(discord::Discord::prepare(c, with)?),
        ChannelKind::Teams(c) => Kind::Teams(teams::Teams::prepare(c, with)?),
        ChannelKind::Telegram(c) => Kind::Telegram(telegram::Telegram::prepare(c, with)?),
        ChannelKind::Webhook(c) => Kind::Webhook(webhook::Webhook::prepare(c, with)?),
        ChannelKind::Ntfy(c) => Kind::Ntfy(ntfy::Ntfy::prepare(c, with)?),
        ChannelKind::Sms(c) => Kind::Sms(sms::Sms::prepare(c, with)?),
        ChannelKind::Person(c) => Kind::Person(person::Person::prepare(c, with)?),
    })
}

#[cfg(test)]
mod tests;
