//! Samples that others send to a Farero with people: as whom, and which systems' series are taken. Pure but for the store behind.
//!
//! Whoever may have something done in a system (`run`) may send its samples: measurements decide what is told to people. A series names its system
//! by the label `system`; where it has none and the sender may write for one system only, it is that one's. Nothing else is taken.

use std::sync::Arc;

use http::request::Parts;
use kernel::access::{Kind, Object, Verb};
use kernel::series::SeriesAdmin;
use kernel::trail::{Actor, Deed};
use web_prometheus::receiving::{Limits, OtlpOptions, Writer};
use web_prometheus::{Gate, Purpose};

use crate::app::App;
use crate::auth::{Access, Identity, session};
use crate::routes::{Find, Rule};

/// What takes in samples, and the store for an administrator. Cheap to clone.
#[derive(Clone)]
pub struct Receiving {
    writer: Arc<Writer>,
    store: Arc<dyn SeriesAdmin>,
    gate: Gate,
}

impl Receiving {
    /// In front of a store.
    pub fn new(writer: Arc<Writer>, store: Arc<dyn SeriesAdmin>) -> Self {
        Self { writer, store, gate: Gate::new(web_prometheus::limits::WRITES_AT_ONCE) }
    }

    /// The receiver, for its counters.
    pub const fn writer(&self) -> &Arc<Writer> {
        &self.writer
    }

    pub(super) const fn store(&self) -> &Arc<dyn SeriesAdmin> {
        &self.store
    }

    pub(super) const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// As whom somebody sends: all who may write for the same systems are one sender, whose limits they share.
    pub(super) fn sender(&self, app: &App, access: &Access) -> String {
        let systems = systems(app, access);
        let name = systems.as_ref().map_or_else(|| EVERYTHING.to_owned(), |all| all.join(","));
        if let Ok(sender) = self.writer.sender(&name)
            && sender.limits().systems != systems
        {
            sender.set_limits(Limits { systems, ..Limits::clone(&sender.limits()) });
        }
        name
    }
}

/// The sender that may write for all systems and for none; no system has such a name.
const EVERYTHING: &str = "*";

/// How OTLP becomes series: names as in Prometheus.
pub(super) fn otlp() -> OtlpOptions {
    OtlpOptions::default()
}

/// The systems whose samples somebody may send; `None`: of all, and such of none.
fn systems(app: &App, access: &Access) -> Option<Vec<String>> {
    if access.may(Verb::Run, Object::platform(Kind::System)) {
        return None;
    }
    let of = |s: &crate::live::SystemState| {
        let may = access.may(Verb::Run, Object::system(s.name(), s.environment()));
        may.then(|| s.name().to_owned())
    };
    Some(access.seen(app).systems(of).into_iter().flatten().collect())
}

/// Who may send, delete and copy; `None` for what is not for them.
pub(super) const fn rule_of(purpose: Purpose) -> Option<Rule> {
    match purpose {
        Purpose::Write => Some(Rule::Ask(Verb::Run, Kind::System, Find::Filtered)),
        // It touches series of all systems.
        Purpose::Admin => Some(Rule::Ask(Verb::Administer, Kind::System, Find::Platform)),
        _ => None,
    }
}

/// What is to be told of a request to delete or to copy, once it was done.
pub(super) fn deed(app: &App, parts: &Parts) -> Option<Deed> {
    let what = parts.uri.path().strip_prefix("/api/v1/admin/tsdb/")?;
    let actor = parts.extensions.get::<Identity>().map_or(Actor::Nobody, Identity::actor);
    let deed = Deed::new(app.clock.now(), actor, &format!("series.{what}")).on("series", "store");
    let deed = deed.from(session::address(parts));
    Some(parts.uri.query().map_or_else(|| deed.clone(), |query| deed.clone().set("query", query)))
}
