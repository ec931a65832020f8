//! What the guard refuses is told in the trail: changing requests, reading what is not for everybody, and whatever is hidden from
//! whoever asked. I/O: state.

use http::request::Parts;
use http::{Method, StatusCode};
use kernel::trail::{Actor, Deed};

use super::guard::Guard;
use super::{Identity, session};
use crate::routes::{Rule, Surface};

/// Why a request was refused, for the trail; goes with the answer and is never shown.
#[derive(Clone)]
pub(crate) struct Reason(pub(crate) String);

/// A request before the guard looked at it, kept in case it is refused.
pub(crate) struct Attempt {
    parts: Option<Parts>,
    always: bool,
}

impl Attempt {
    /// Of a request; those that nobody can be refused are not kept.
    pub(crate) fn of(guard: &Guard, parts: &Parts) -> Self {
        let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        // Prometheus's API takes queries by POST; they change nothing.
        let harmless = matches!(guard.surface, Surface::Machine | Surface::Metrics);
        let refusable = guard.rule != Rule::Public || changes;
        let parts = (refusable && guard.surface != Surface::Machine).then(|| parts.clone());
        Self { parts, always: (changes && !harmless) || guard.is_restricted() }
    }

    /// Tells that it was refused, with this status and for this reason.
    pub(crate) async fn refused(self, guard: &Guard, status: StatusCode, reason: Option<Reason>) {
        let Some(parts) = self.parts else { return };
        let why = match (status, reason.map(|r| r.0)) {
            (StatusCode::NOT_FOUND, Some(hidden)) => hidden,
            (StatusCode::FORBIDDEN, Some(denied)) if self.always => denied,
            (StatusCode::FORBIDDEN, None) if self.always => "not from its own page, or not allowed".to_owned(),
            (StatusCode::UNAUTHORIZED, _) if self.always => {
                "nobody was logged in, or the token is not known".to_owned()
            }
            _ => return,
        };
        let identity = guard.identify(&parts).await.ok().flatten();
        let actor = identity.as_ref().map_or(Actor::Nobody, Identity::actor);
        // The route, not the path: its like are counted together.
        let deed = Deed::new(guard.app.clock.now(), actor, "access.refuse")
            .on("access", format!("{} {}", parts.method, guard.path))
            .from(session::address(&parts))
            .set("path", parts.uri.path())
            .refused(why);
        if guard.app.refused(deed).await.is_err() {
            tracing::error!(path = guard.path, "a refused attempt could not be written to the trail");
        }
    }
}
