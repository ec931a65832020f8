//! Whether somebody may do something, and why not: the one decision about access. Pure.
//!
//! Invariants: what no grant allows is denied; a token never allows more than its owner's grants; what is restricted is seen
//! by those it names and by auditors, and by nobody else, whatever their role; nobody approves their own request where four
//! eyes are asked for; the last administrator stays.

use kernel::Language;
use kernel::access::{Granted, Object, Request, Role, TokenScope, Verb};

pub mod administrators;
pub mod approval;
pub mod from_plan;
pub mod page;
pub mod restricted;

pub use approval::{ApprovalRule, Standing, Vote, decide_standing, decide_vote};
pub use restricted::Restriction;

/// Whoever asks: a person, a token, a process on this machine.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// All that they were granted.
    pub grants: &'a [Granted],
    /// The plans' roles, teams and people that they are.
    pub memberships: &'a [Membership],
    /// What their token leaves of it; none for a person.
    pub token: Option<&'a TokenScope>,
}

/// That somebody is or belongs to something that a plan names. Farero's own teams are none of these: they carry grants, and nobody
/// becomes what a plan names by being put into a team on a page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// The system in whose plan the name stands.
    pub system: String,
    /// The role, team or person.
    pub name: String,
}

/// Why something is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No grant lets them see it: for them it does not exist.
    Unseen,
    /// It is restricted to others: for them it does not exist.
    Restricted,
    /// They see it, and no role of theirs may do this.
    Role {
        /// What was to be done.
        verb: Verb,
        /// The roles that they have there.
        roles: Vec<Role>,
    },
    /// Their token was not made for this.
    Token {
        /// What was to be done.
        verb: Verb,
    },
}

impl Denied {
    /// Whether the answer must not even tell that there is such a thing.
    pub const fn hides(&self) -> bool {
        matches!(self, Self::Unseen | Self::Restricted)
    }

    /// In words, for the trail and for people; tells nothing of what is hidden.
    pub fn text(&self, language: Language) -> String {
        let es = language == Language::Es;
        match self {
            Self::Unseen | Self::Restricted if es => "ningún permiso lo deja ver".to_owned(),
            Self::Unseen | Self::Restricted => "no grant lets it be seen".to_owned(),
            Self::Role { verb, roles } => {
                let names = roles.iter().map(|r| r.label(language)).collect::<Vec<_>>().join(", ");
                let verb = verb.label(language);
                if es { format!("{names}: sin permiso de {verb}") } else { format!("{names} may not {verb}") }
            }
            Self::Token { verb } if es => format!("la clave no permite {}", verb.label(language)),
            Self::Token { verb } => format!("the token does not allow to {}", verb.label(language)),
        }
    }
}

impl<'a> Subject<'a> {
    /// Decides on a request about something that nobody in particular is kept from seeing. Gives the grant that allows it.
    ///
    /// # Errors
    /// Why it is denied.
    pub fn decide(&self, request: &Request<'_>) -> Result<&'a Granted, Denied> {
        self.decide_restricted(request, &[])
    }

    /// Decides on a request about something that each of `restrictions` keeps to those it names.
    ///
    /// # Errors
    /// Why it is denied.
    pub fn decide_restricted(
        &self,
        request: &Request<'_>,
        restrictions: &[Restriction<'_>],
    ) -> Result<&'a Granted, Denied> {
        let see = Request::new(Verb::See, request.object);
        let outside = self.token.is_some_and(|t| !t.systems.has(request.object.system));
        if outside || !self.grants.iter().any(|g| g.grant.allows(&see)) {
            return Err(Denied::Unseen);
        }
        if !restrictions.iter().all(|r| self.is_within(&request.object, r)) {
            return Err(Denied::Restricted);
        }
        let allowing = self.grants.iter().find(|g| g.grant.allows(request));
        match (allowing, self.token) {
            (Some(_), Some(token)) if !token.has(request) => Err(Denied::Token { verb: request.verb }),
            (Some(granted), _) => Ok(granted),
            (None, _) => Err(Denied::Role { verb: request.verb, roles: self.roles(&request.object) }),
        }
    }

    /// Whether a request is allowed.
    pub fn may(&self, verb: Verb, object: Object<'_>) -> bool {
        self.decide(&Request::new(verb, object)).is_ok()
    }

    /// The roles that hold for an object, each once.
    pub fn roles(&self, object: &Object<'_>) -> Vec<Role> {
        let mut all: Vec<Role> = self.grants.iter().filter(|g| g.grant.covers(object)).map(|g| g.grant.role).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether they are, or belong to, what a plan's name stands for.
    pub fn is(&self, system: &str, name: &str) -> bool {
        self.memberships.iter().any(|m| m.name == name && m.system == system)
    }

    fn is_within(&self, object: &Object<'_>, restriction: &Restriction<'_>) -> bool {
        let by_role = |name: &str, g: &&Granted| g.grant.role.as_str() == name && g.grant.covers(object);
        let covering = self.grants.iter().filter(|g| g.grant.covers(object));
        if covering.clone().any(|g| g.grant.role.sees_restricted()) {
            return true;
        }
        restriction
            .names()
            .any(|name| object.system.is_some_and(|s| self.is(s, name)) || covering.clone().any(|g| by_role(name, &g)))
    }
}

#[cfg(test)]
mod tests;
