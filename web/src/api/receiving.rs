//! Samples that others send to a Farero with people: as whom, and which systems' series are taken. Pure but for the store behind.
//!
//! Whoever may have something done in a system (`run`) may send its samples: measurements decide what is told to people. A series names its system
//! by the label `system`; where it has none and the sender may write for one system only, it is that one's. Nothing else is taken.

use std::sync::Arc;

use http::request::Parts;
use kernel::access::{Kind, Object, Verb};
use kernel::series::SeriesAdmin;
use kernel::trail::{Actor, Deed};
use plan_model::receive::Receive;
use web_prometheus::receiving::{Limits, OtlpOptions, SenderName, Writer};
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
    pub(super) fn sender(&self, app: &App, access: &Access) -> SenderName {
        let systems = systems(app, access);
        let Some(systems) = systems else { return EVERYTHING.into() };
        let name = systems.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",");
        let name = SenderName::from(name.as_str());
        let limits = limits(self.writer.usual_limits(), systems);
        if let Ok(sender) = self.writer.sender(name.clone(), app.clock.now().as_millis())
            && *sender.limits() != limits
        {
            sender.set_limits(limits);
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
fn systems(app: &App, access: &Access) -> Option<Vec<(String, Receive)>> {
    if access.may(Verb::Run, Object::platform(Kind::System)) {
        return None;
    }
    let of = |s: &crate::live::SystemState| {
        let may = access.may(Verb::Run, Object::system(s.name(), s.environment()));
        may.then(|| (s.name().to_owned(), s.plan().receive))
    };
    Some(access.seen(app).systems(of).into_iter().flatten().collect())
}

/// What a sender may bring that may write for these systems: what their plans say together, the widest of the lengths. What a plan does not
/// say is as usual.
fn limits(usual: &Limits, systems: Vec<(String, Receive)>) -> Limits {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let most = |said: fn(&Receive) -> Option<u64>, usual: usize| {
        systems.iter().map(|(_, r)| said(r).map_or(usual, number)).max().unwrap_or(usual)
    };
    let all = systems.iter().map(|(_, r)| r);
    let series = all.clone().map(|r| r.series.map_or(usual.series, number)).reduce(usize::saturating_add);
    // Without a limit for one of them there is none for all.
    let rates: Option<Vec<u64>> = all.map(|r| r.samples_per_second.or(usual.samples_per_second)).collect();
    Limits {
        series: series.unwrap_or(usual.series),
        labels: most(|r| r.labels, usual.labels),
        label_name_bytes: most(|r| r.label_name_bytes, usual.label_name_bytes),
        label_value_bytes: most(|r| r.label_value_bytes, usual.label_value_bytes),
        samples_per_second: rates.filter(|all| !all.is_empty()).map(|all| all.into_iter().fold(0, u64::saturating_add)),
        systems: Some(systems.into_iter().map(|(name, _)| name).collect()),
        ..usual.clone()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_from_the_plans_of_what_somebody_may_write_for() {
        let usual = Limits { samples_per_second: Some(50), ..Limits::default() };
        let system = |name: &str, receive: Receive| (name.to_owned(), receive);
        let small = Receive { series: Some(10), labels: Some(4), samples_per_second: Some(7), ..Receive::default() };
        let one = limits(&usual, vec![system("a", small)]);
        assert_eq!((one.series, one.labels, one.samples_per_second), (10, 4, Some(7)));
        assert_eq!((one.label_name_bytes, one.systems), (usual.label_name_bytes, Some(vec!["a".to_owned()])));
        let wide = Receive { series: Some(5), labels: Some(9), ..Receive::default() };
        let both = limits(&usual, vec![system("a", small), system("b", wide)]);
        assert_eq!((both.series, both.labels, both.samples_per_second), (15, 9, Some(57)));
        let free = limits(&Limits::default(), vec![system("a", small), system("b", wide)]);
        assert_eq!(free.samples_per_second, None, "one of them has no limit");
        assert_eq!(limits(&usual, Vec::new()).systems, Some(Vec::new()), "nobody's");
    }
}
