//! Who may do what: the words of access control and the one table of what each role may. Pure.
//!
//! What a role may is written once, in [`TABLE`]; the manual's page, the page *Roles* and every decision read it from there.
//! Nothing is allowed that no grant allows.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Language;

/// Defines an enum of words: each line gives the variant, its word, and its name in Spanish and English.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident: $word:literal, $es:literal, $en:literal;)* }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        $(#[$doc])*
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them, in the order of the manual.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in the database, in plans and in the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The word for people.
            pub const fn label(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$variant, Language::Es) => $es, (Self::$variant, Language::En) => $en,)*
                }
            }

            /// From the word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|w| w.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::parse(word).ok_or_else(|| UnknownWord {
                    word: word.to_owned(),
                    known: Self::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

/// A word that is none of those known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not known: use one of {known}")]
pub struct UnknownWord {
    /// The word.
    pub word: String,
    /// Those known.
    pub known: String,
}

words! {
    /// What is done to an object.
    Verb {
        /// Look at it.
        See: "see", "ver", "see";
        /// Take notice of an alert; say that a message was passed on.
        Acknowledge: "acknowledge", "atender", "acknowledge";
        /// Have something done: a check at once, a procedure, a test message.
        Run: "run", "ejecutar", "run";
        /// Let what somebody asked for happen, or not.
        Approve: "approve", "aprobar", "approve";
        /// Put one's name under a record.
        Sign: "sign", "firmar", "sign";
        /// Change the plan's contents.
        Edit: "edit", "editar", "edit";
        /// Say who may do what.
        Administer: "administer", "administrar", "administer";
    }
}

words! {
    /// What something is done to.
    Kind {
        /// A system as a whole: its checks, alerts, plan, measurements.
        System: "system", "sistema", "system";
        /// One environment of a system.
        Environment: "environment", "entorno", "environment";
        /// A procedure: task, runbook, checklist.
        Procedure: "procedure", "procedimiento", "procedure";
        /// A way to tell people, and what went over it.
        Channel: "channel", "canal", "channel";
        /// Users, teams, grants, tokens, the sessions of others.
        People: "people", "personas", "people";
        /// The audit trail.
        Trail: "trail", "registro de auditoría", "audit trail";
    }
}

words! {
    /// One of the built-in roles.
    #[schemars(rename = "AccessRole")]
    Role {
        /// Sees.
        Viewer: "viewer", "observa", "viewer";
        /// Sees, and answers alerts.
        Responder: "responder", "atiende", "responder";
        /// Answers alerts and has things done.
        Operator: "operator", "opera", "operator";
        /// Lets happen what others ask for, and signs.
        Approver: "approver", "aprueba", "approver";
        /// Changes the plan.
        Editor: "editor", "edita", "editor";
        /// Says who may do what, and operates; approves and signs nothing of a system by office.
        Administrator: "administrator", "administra", "administrator";
        /// Sees everything, what is restricted and the trail included, and changes nothing.
        Auditor: "auditor", "audita", "auditor";
    }
}

use Verb::{Acknowledge, Administer, Approve, Edit, Run, See, Sign};

/// What each role may: one row per role, one column per kind in the order of [`Kind::ALL`]: system, environment, procedure,
/// channel, people, trail.
pub const TABLE: [(Role, [&[Verb]; 6]); 7] = [
    (Role::Viewer, [&[See], &[See], &[See], &[See], &[], &[]]),
    (Role::Responder, [&[See, Acknowledge], &[See, Acknowledge], &[See], &[See, Acknowledge], &[], &[]]),
    (
        Role::Operator,
        [&[See, Acknowledge, Run], &[See, Acknowledge, Run], &[See, Run], &[See, Acknowledge, Run], &[], &[]],
    ),
    (Role::Approver, [&[See, Approve], &[See, Approve], &[See, Approve, Sign], &[See], &[], &[]]),
    (Role::Editor, [&[See, Edit], &[See, Edit], &[See, Edit], &[See, Edit], &[], &[]]),
    (
        Role::Administrator,
        [
            &[See, Acknowledge, Run, Edit, Administer],
            &[See, Acknowledge, Run, Edit, Administer],
            &[See, Run, Edit, Administer],
            &[See, Acknowledge, Run, Edit, Administer],
            &[See, Approve, Administer],
            &[See],
        ],
    ),
    (Role::Auditor, [&[See], &[See], &[See], &[See], &[See], &[See]]),
];

impl Role {
    /// What the role may do to things of a kind, as [`TABLE`] says.
    pub fn verbs(self, kind: Kind) -> &'static [Verb] {
        let row = TABLE.iter().find(|(role, _)| *role == self);
        let column = Kind::ALL.iter().position(|k| *k == kind);
        row.zip(column).and_then(|((_, columns), at)| columns.get(at).copied()).unwrap_or(&[])
    }

    /// Whether the role may do this to things of a kind.
    pub fn may(self, verb: Verb, kind: Kind) -> bool {
        self.verbs(kind).contains(&verb)
    }

    /// Whether the role also sees what is restricted to others (INC-14): only the auditor does.
    pub const fn sees_restricted(self) -> bool {
        matches!(self, Self::Auditor)
    }
}

/// Everything, or only what is named. Written as `"*"` or as a list of names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `*`: everything, what comes later too.
    #[default]
    All,
    /// Only these.
    Only(BTreeSet<String>),
}

impl Scope {
    /// Only these names.
    pub fn only<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self::Only(names.into_iter().map(Into::into).collect())
    }

    /// From names as people write them: `*` among them, or none at all, is everything.
    pub fn of_names<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        let names: BTreeSet<String> = names.into_iter().map(Into::into).collect();
        if names.is_empty() || names.contains("*") { Self::All } else { Self::Only(names) }
    }

    /// Whether a name is in it. Something without a name is only in [`Scope::All`].
    pub fn has(&self, name: Option<&str>) -> bool {
        match (self, name) {
            (Self::All, _) => true,
            (Self::Only(names), Some(name)) => names.contains(name),
            (Self::Only(_), None) => false,
        }
    }

    /// Whether it is everything.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether all of another one is in it.
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Only(_), Self::All) => false,
            (Self::Only(mine), Self::Only(theirs)) => theirs.is_subset(mine),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Only(names) => f.write_str(&names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => s.serialize_str("*"),
            Self::Only(names) => names.serialize(s),
        }
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Many(BTreeSet<String>),
        }
        Ok(match Written::deserialize(d)? {
            Written::One(star) if star == "*" => Self::All,
            Written::One(name) => Self::only([name]),
            Written::Many(names) => Self::Only(names),
        })
    }
}

/// A role, and where it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// In which systems.
    #[serde(default)]
    pub systems: Scope,
    /// In which environments of them.
    #[serde(default)]
    pub environments: Scope,
    /// For which procedures; when named, nothing else of the system but seeing it.
    #[serde(default)]
    pub procedures: Scope,
    /// For which channels; when named, nothing else of the system but seeing it.
    #[serde(default)]
    pub channels: Scope,
}

impl Grant {
    /// A role everywhere.
    pub const fn everywhere(role: Role) -> Self {
        Self { role, systems: Scope::All, environments: Scope::All, procedures: Scope::All, channels: Scope::All }
    }

    /// A role in some systems.
    pub fn in_systems<T: Into<String>>(role: Role, systems: impl IntoIterator<Item = T>) -> Self {
        Self { systems: Scope::only(systems), ..Self::everywhere(role) }
    }

    /// Whether it holds for an object, whatever is done to it.
    pub fn covers(&self, object: &Object<'_>) -> bool {
        let place = self.systems.has(object.system) && self.environments.has(object.environment);
        place
            && match object.kind {
                Kind::Procedure => self.procedures.has(object.name) && self.channels.is_all(),
                Kind::Channel => self.channels.has(object.name) && self.procedures.is_all(),
                Kind::System | Kind::Environment => true,
                Kind::People | Kind::Trail => !self.is_narrow(),
            }
    }

    /// Whether it allows a request.
    pub fn allows(&self, request: &Request<'_>) -> bool {
        let object = &request.object;
        let whole = matches!(object.kind, Kind::System | Kind::Environment);
        let enough = !whole || !self.is_narrow() || request.verb == Verb::See;
        enough && self.role.may(request.verb, object.kind) && self.covers(object)
    }

    /// Whether it is for some procedures or channels only.
    pub const fn is_narrow(&self) -> bool {
        !self.procedures.is_all() || !self.channels.is_all()
    }
}

/// What a request is about. Without a system it is about the platform itself, and only grants for all systems hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object<'a> {
    /// What kind of thing.
    pub kind: Kind,
    /// Of which system; the platform's own when none.
    pub system: Option<&'a str>,
    /// In which environment that system runs.
    pub environment: Option<&'a str>,
    /// The name of the procedure or channel.
    pub name: Option<&'a str>,
}

impl<'a> Object<'a> {
    /// Of the platform itself.
    pub const fn platform(kind: Kind) -> Self {
        Self { kind, system: None, environment: None, name: None }
    }

    /// A whole system.
    pub const fn system(system: &'a str, environment: Option<&'a str>) -> Self {
        Self { kind: Kind::System, system: Some(system), environment, name: None }
    }

    /// A named thing of a system.
    pub const fn named(kind: Kind, system: &'a str, environment: Option<&'a str>, name: &'a str) -> Self {
        Self { kind, system: Some(system), environment, name: Some(name) }
    }
}

/// What is asked: a verb and an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request<'a> {
    /// What is to be done.
    pub verb: Verb,
    /// To what.
    pub object: Object<'a>,
}

impl<'a> Request<'a> {
    /// Of its parts.
    pub const fn new(verb: Verb, object: Object<'a>) -> Self {
        Self { verb, object }
    }
}

/// Where a grant comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum Source {
    /// The plan of a system says so under `access:`.
    Plan {
        /// The system.
        system: String,
        /// The role, team or person of the plan that it names.
        to: String,
    },
    /// Somebody gave it on a page or over the API.
    Page,
    /// It was given to a team of which the person is a member.
    Team {
        /// The team.
        name: String,
    },
    /// A group of the identity provider.
    Group {
        /// The group.
        name: String,
    },
}

/// A grant with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Granted {
    /// The grant.
    #[serde(flatten)]
    pub grant: Grant,
    /// Where it comes from.
    pub source: Source,
}

/// What an API token leaves of its owner's grants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenScope {
    /// Only these verbs.
    pub verbs: BTreeSet<Verb>,
    /// Only these systems.
    #[serde(default)]
    pub systems: Scope,
}

impl TokenScope {
    /// Whether a request is within it.
    pub fn has(&self, request: &Request<'_>) -> bool {
        self.verbs.contains(&request.verb) && self.systems.has(request.object.system)
    }
}

#[cfg(test)]
mod tests;
