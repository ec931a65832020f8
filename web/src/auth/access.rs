//! What whoever asks may do: their grants, and the question put to `decide::access`. Pure.
//!
//! Every place of the web that needs to know asks here; nothing else in the web knows what a role may.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use decide::access::{Denied, Membership, Restriction, Subject, restricted};
use http::request::Parts;
use kernel::access::{Grant, Granted, Kind, Object, Request, Role, Source, TokenScope, Verb};
use kernel::alert::Alert;
use plan_model::Plan;

use crate::app::App;
use crate::live::{Seen, SystemState};

/// What somebody was granted. Cheap to clone; nobody has nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    grants: Arc<[Granted]>,
    memberships: Arc<[Membership]>,
    token: Option<Arc<TokenScope>>,
}

impl Access {
    /// Of grants and of what somebody is in plans and teams.
    pub fn new(grants: Vec<Granted>, memberships: Vec<Membership>) -> Self {
        Self { grants: grants.into(), memberships: memberships.into(), token: None }
    }

    /// A role everywhere: of whoever is let in without an account.
    pub fn everywhere(role: Role) -> Self {
        Self::new(vec![Granted { grant: Grant::everywhere(role), source: Source::Page }], Vec::new())
    }

    /// What a token leaves of it.
    #[must_use]
    pub fn cut(self, scope: TokenScope) -> Self {
        Self { token: Some(Arc::new(scope)), ..self }
    }

    /// The grants, each with where it comes from.
    pub fn grants(&self) -> &[Granted] {
        &self.grants
    }

    /// As the decision takes it.
    pub fn subject(&self) -> Subject<'_> {
        Subject { grants: &self.grants, memberships: &self.memberships, token: self.token.as_deref() }
    }

    /// Decides.
    ///
    /// # Errors
    /// Why it is denied.
    pub fn decide(&self, request: &Request<'_>, restrictions: &[Restriction<'_>]) -> Result<(), Denied> {
        self.subject().decide_restricted(request, restrictions).map(|_| ())
    }

    /// Whether something may be done to an object.
    pub fn may(&self, verb: Verb, object: Object<'_>) -> bool {
        self.subject().may(verb, object)
    }

    /// Whether there is anything of a kind to which it may be done: for lists, whose handlers then filter.
    pub fn may_somewhere(&self, verb: Verb, kind: Kind) -> bool {
        let by_token = self.token.as_ref().is_none_or(|t| t.verbs.contains(&verb));
        by_token && self.grants.iter().any(|g| g.grant.role.may(verb, kind))
    }

    /// Whether they see Farero itself and every system, those of later too.
    pub fn sees_all(&self) -> bool {
        self.may(Verb::See, Object::platform(Kind::System))
    }

    /// What of a system's plan they are.
    pub fn names_in<'a>(&'a self, system: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.memberships.iter().filter(move |m| m.system == system);
        own.map(|m| m.name.as_str())
    }

    /// Whether they see a system; its restricted parts are another matter.
    pub fn sees(&self, system: &SystemState) -> bool {
        self.may(Verb::See, Object::system(system.name(), system.environment()))
    }

    /// Whether they see a channel of a system.
    pub fn sees_channel(&self, system: &SystemState, channel: &str) -> bool {
        self.may(Verb::See, Object::named(Kind::Channel, system.name(), system.environment(), channel))
    }

    /// Whether they see something of a system that is restricted so.
    pub fn is_within(&self, system: &SystemState, restrictions: &[Restriction<'_>]) -> bool {
        let object = Object::system(system.name(), system.environment());
        self.decide(&Request::new(Verb::See, object), restrictions).is_ok()
    }

    /// Whether they see an alert of a system that is in use, or of one that is no more.
    pub fn sees_alert(&self, system: Option<&SystemState>, alert: &Alert) -> bool {
        let environment = system.and_then(SystemState::environment);
        let request = Request::new(Verb::See, Object::system(&alert.system, environment));
        let plan: Option<&Plan> = system.map(SystemState::plan);
        self.decide(&request, &restricted::of_alert(plan, alert)).is_ok()
    }

    /// The read model as they see it.
    pub fn seen<'a>(&'a self, app: &'a App) -> Seen<'a> {
        app.live.seen_by(self)
    }
}

impl FromRequestParts<App> for Access {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        // Without the guard's word nobody has any access.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
