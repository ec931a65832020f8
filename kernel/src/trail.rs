//! The audit trail's words: who did what to which thing, with what outcome, and the chain that holds the entries. Pure.
//!
//! A [`Deed`] is one thing that somebody did or tried; an [`Entry`] is a deed in its place in the chain. Deeds never hold
//! secret values: a change of a password says *that* it was changed.

mod entry;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

pub use entry::{DOMAIN, Entry, Hash, Head, chain, hash_entry};

/// Longest name in a deed: of a thing, a system, an address, a field. Longer ones are cut, so that nobody can fill the disk
/// with one request.
pub const LONGEST_NAME: usize = 300;

/// Longest text in a deed: a reason, a note, a value before or after. Longer ones are cut.
pub const LONGEST_TEXT: usize = 2_000;

/// Most changed fields of one deed. A change of more is told by its first ones and their number.
pub const MOST_CHANGES: usize = 60;

/// What ends a text that was cut.
const CUT: char = '…';

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Actor {
    /// A person who is logged in.
    Person {
        /// Name of the account.
        name: String,
    },
    /// A program with an API token that a person made.
    Token {
        /// Name of the account that owns the token.
        name: String,
        /// What the token is called.
        token: String,
    },
    /// A program with an account of its own.
    Service {
        /// Name of the account.
        name: String,
        /// What the token is called.
        token: String,
    },
    /// Farero itself.
    Farero {
        /// Which part of it: `rules`, `outbox`, `plans`, …
        name: String,
    },
    /// Somebody at the machine's own command line, or over the Unix socket.
    Local {
        /// Name of the machine's user.
        name: String,
    },
    /// Somebody who did not say who they are, or could not prove it.
    Nobody,
}

impl Actor {
    /// A person who is logged in.
    pub fn person(name: impl Into<String>) -> Self {
        Self::Person { name: name.into() }
    }

    /// A part of Farero itself.
    pub fn farero(part: impl Into<String>) -> Self {
        Self::Farero { name: part.into() }
    }

    /// The word for its kind, as it stands in the entry.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Person { .. } => "person",
            Self::Token { .. } => "token",
            Self::Service { .. } => "service",
            Self::Farero { .. } => "farero",
            Self::Local { .. } => "local",
            Self::Nobody => "nobody",
        }
    }

    /// Its name; what is searched for. A token's deeds are found under the name of the account that owns it.
    pub fn name(&self) -> &str {
        match self {
            Self::Person { name }
            | Self::Token { name, .. }
            | Self::Service { name, .. }
            | Self::Farero { name }
            | Self::Local { name } => name,
            Self::Nobody => "",
        }
    }

    /// The token that was used, if one was.
    pub fn token(&self) -> Option<&str> {
        match self {
            Self::Token { token, .. } | Self::Service { token, .. } => Some(token),
            _ => None,
        }
    }

    fn bounded(self) -> Self {
        match self {
            Self::Person { name } => Self::Person { name: line(&name) },
            Self::Token { name, token } => Self::Token { name: line(&name), token: line(&token) },
            Self::Service { name, token } => Self::Service { name: line(&name), token: line(&token) },
            Self::Farero { name } => Self::Farero { name: line(&name) },
            Self::Local { name } => Self::Local { name: line(&name) },
            Self::Nobody => Self::Nobody,
        }
    }
}

/// What became of a deed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    #[default]
    Done,
    /// It was not allowed, and nothing was done.
    Refused,
    /// It was allowed and tried, and did not work.
    Failed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Done, Self::Refused, Self::Failed];

    /// The word, as it stands in the entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// From its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.as_str() == word)
    }
}

/// The thing that a deed was done to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Object {
    /// What kind of thing: `alert`, `user`, `plan`, `channel`, `document`, …
    pub kind: String,
    /// Its name or number.
    pub name: String,
}

/// One field that a deed changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Change {
    /// What it became; left out when it is gone, or when it may not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Which field.
    pub field: String,
}

/// One thing that somebody did or tried.
///
/// Made with [`Deed::new`] and the methods that follow it, which keep every text within its limit:
///
/// ```
/// use kernel::Timestamp;
/// use kernel::trail::{Actor, Deed};
///
/// let deed = Deed::new(Timestamp::from_secs(0), Actor::person("ana"), "user.change")
///     .on("user", "luis")
///     .from("192.0.2.7")
///     .changed("role", Some("viewer"), Some("operator"));
/// assert_eq!(deed.change[0].after.as_deref(), Some("operator"));
/// ```
///
/// The fields stand in the order of their names: serialized, they are canonical JSON as they are ([`Deed::to_json`]).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Deed {
    /// What was done: the kind of thing and a verb, `alert.acknowledge`.
    pub action: String,
    /// Who did it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// Number of the incident, change or request that it belongs to, as the organisation counts them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub business_id: String,
    /// What it changed, in the order in which it was told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub change: Vec<Change>,
    /// A sentence for people: a note, why it was refused, why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Environment of the plan.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub environment: String,
    /// From where: the caller's address, `command line`; empty for Farero itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// What it was done to.
    pub object: Object,
    /// What became of it.
    pub outcome: Outcome,
    /// System of the plan; empty for the platform itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system: String,
}

impl Deed {
    /// A deed that was done.
    pub fn new(at: Timestamp, actor: Actor, action: &str) -> Self {
        Self {
            action: line(action),
            actor: actor.bounded(),
            at,
            business_id: String::new(),
            change: Vec::new(),
            detail: String::new(),
            environment: String::new(),
            from: String::new(),
            object: Object::default(),
            outcome: Outcome::Done,
            system: String::new(),
        }
    }

    /// What it was done to.
    pub fn on(mut self, kind: &str, name: impl AsRef<str>) -> Self {
        self.object = Object { kind: line(kind), name: line(name.as_ref()) };
        self
    }

    /// In which system.
    pub fn in_system(mut self, system: impl AsRef<str>) -> Self {
        self.system = line(system.as_ref());
        self
    }

    /// In which environment of the plan.
    pub fn in_environment(mut self, environment: impl AsRef<str>) -> Self {
        self.environment = line(environment.as_ref());
        self
    }

    /// From where.
    pub fn from(mut self, place: impl AsRef<str>) -> Self {
        self.from = line(place.as_ref());
        self
    }

    /// The incident, change or request that it belongs to.
    pub fn business_id(mut self, id: impl AsRef<str>) -> Self {
        self.business_id = line(id.as_ref());
        self
    }

    /// A sentence about it. Never a secret value.
    pub fn saying(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = several_lines(detail.as_ref());
        self
    }

    /// A field that it changed; nothing is noted where both are the same. Never a secret value.
    pub fn changed(mut self, field: &str, before: Option<&str>, after: Option<&str>) -> Self {
        if before != after && self.change.len() < MOST_CHANGES {
            let (before, after) = (before.map(several_lines), after.map(several_lines));
            self.change.push(Change { after, before, field: line(field) });
        }
        self
    }

    /// A field that it set, where what it was before is not known or there was nothing.
    pub fn set(self, field: &str, value: impl AsRef<str>) -> Self {
        self.changed(field, None, Some(value.as_ref()))
    }

    /// A field that it changed and whose values may not be told: a password, a token.
    pub fn changed_in_secret(mut self, field: &str) -> Self {
        if self.change.len() < MOST_CHANGES {
            self.change.push(Change { field: line(field), ..Change::default() });
        }
        self
    }

    /// It was not allowed, and nothing was done.
    pub fn refused(self, why: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::Refused, ..self }.saying(why)
    }

    /// It was tried and did not work.
    pub fn failed(self, why: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::Failed, ..self }.saying(why)
    }

    /// Canonical JSON (RFC 8785): fields in the order of their names, no space, what is empty left out.
    pub fn to_json(&self) -> String {
        // Strings, lists and structs with string keys: there is nothing in a deed that JSON could refuse.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From the JSON of an entry.
    ///
    /// # Errors
    /// It is no deed that this version knows.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// A name on one line, within its limit; control characters become spaces.
fn line(text: &str) -> String {
    cut(text.replace(char::is_control, " ").trim(), LONGEST_NAME)
}

/// A text, within its limit; control characters other than line ends and tabs become spaces (a database may refuse them).
fn several_lines(text: &str) -> String {
    cut(text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), " ").trim(), LONGEST_TEXT)
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest - 1).chain([CUT]).collect(),
    }
}
