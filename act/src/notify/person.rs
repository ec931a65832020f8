//! A person as a channel: the text is ready, the person passes it on and confirms (CHN-05). Pure.

use kernel::message::{AttemptResult, Message, OutboxEntry};
use plan_model::channel;
use serde::Serialize;

use super::Trouble;
use super::receivers::{Receivers, Wanted};

/// What a person has to pass on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadyText {
    /// What to use: `WhatsApp`.
    pub medium: String,
    /// Whom to tell.
    pub to: Vec<String>,
    /// The text, ready to be pasted.
    pub text: String,
}

#[derive(Debug)]
pub(super) struct Person {
    medium: String,
    to: Vec<String>,
}

impl Person {
    pub(super) fn prepare(settings: &channel::ByHand, receivers: &Receivers<'_>) -> Result<Self, Trouble> {
        Ok(Self { medium: settings.medium.clone(), to: receivers.addresses(&settings.to, Wanted::Name)? })
    }

    pub(super) fn ready_text(&self, message: &Message) -> ReadyText {
        ReadyText { medium: self.medium.clone(), to: self.to.clone(), text: message.text.clone() }
    }

    /// Nothing leaves the machine: the entry waits for its person.
    pub(super) fn perform(&self, entry: &OutboxEntry) -> AttemptResult {
        let ready = self.ready_text(&entry.message);
        let answer = match entry.message.language {
            kernel::Language::Es => format!("texto listo para {}: {}", ready.medium, ready.to.join(", ")),
            kernel::Language::En => format!("text ready for {}: {}", ready.medium, ready.to.join(", ")),
        };
        AttemptResult::Taken { answer }
    }
}
