//! The in-memory read model behind every page: `run` fills it, pages and live connections read it. Pure but for a lock.
//!
//! Invariants: nothing here is the only copy of anything (all of it is rebuilt after a start); a reader never waits for
//! a disk; every change is announced once, after it can be read.

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use indexmap::IndexMap;
use kernel::alert::Alert;
use kernel::probe::{CheckId, ProbeResult};
use kernel::{Clock, Timestamp};
use tokio::sync::broadcast;

mod check;
mod host;
mod seen;
mod series;
mod system;

pub use check::{Beat, CheckState, Uptime};
pub use host::{DiskUse, HostUse};
pub use seen::Seen;
pub use series::SeenSeries;
pub(crate) use series::seen_labels;
pub use system::{
    InBoth, Intensive, KpiPeriod, KpiState, PlanVersion, Reload, RuleGroupState, RuleState, RuleVerdict, SystemState,
    TodayValue,
};

use crate::limits::CHANGES_BUFFERED;

/// What has changed, for live pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A check has a new result.
    Check(CheckId),
    /// A system's hosts, counters of today, uptime or intensive mode.
    System(Arc<str>),
    /// Alerts that are pending or firing, or their acknowledgements.
    Alerts(Arc<str>),
    /// The measures of success of a system.
    Kpis(Arc<str>),
    /// How the last evaluation of a group of rules went: its system, its name.
    Rules(Arc<str>, Arc<str>),
    /// The outbox or its log.
    Deliveries,
    /// A plan was loaded, or refused.
    Plan(Arc<str>),
}

/// One number about Farero itself, for its own page and `/metrics` (MET-15).
#[derive(Clone, Debug, PartialEq)]
pub struct OwnMetric {
    /// Metric name in Prometheus's form.
    pub name: String,
    /// What it means, one line.
    pub help: String,
    /// Whether it only grows.
    pub counter: bool,
    /// Further labels.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
}

#[derive(Default)]
struct Inner {
    /// Counts changes of plans: what was worked out from them is worked out anew after one.
    plans: u64,
    systems: IndexMap<Arc<str>, SystemState>,
    own: Vec<OwnMetric>,
    ready: bool,
    late_ms_p99: Option<f64>,
}

/// The read model. Share it in an [`Arc`].
pub struct Live {
    inner: RwLock<Inner>,
    changes: broadcast::Sender<Change>,
    started_at: Timestamp,
}

impl Live {
    /// Empty, as at a start.
    pub fn new(clock: &dyn Clock) -> Self {
        Self { inner: RwLock::default(), changes: broadcast::Sender::new(CHANGES_BUFFERED), started_at: clock.now() }
    }

    /// When this Farero started.
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// How often plans have changed: what plans grant is worked out anew after each.
    pub fn plans_counted(&self) -> u64 {
        self.read().plans
    }

    /// A new reader of changes; one that is slower than [`CHANGES_BUFFERED`] changes is told that it missed some.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Announces a change that is kept elsewhere (deliveries, acknowledgements).
    pub fn announce(&self, change: Change) {
        // No live page is open: nobody to tell.
        let _ = self.changes.send(change);
    }

    // A poisoned lock means that a reader or writer panicked between two assignments; the values are still whole.
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Puts a plan in place, a new system or a new version of one; the states of checks that stay are kept.
    pub fn set_plan(&self, version: PlanVersion) {
        let name: Arc<str> = version.plan.system.as_str().into();
        {
            let mut inner = self.write();
            inner.plans += 1;
            match inner.systems.get_mut(&name) {
                Some(system) => system.replace_plan(version),
                None => {
                    inner.systems.insert(name.clone(), SystemState::new(version));
                }
            }
        }
        self.announce(Change::Plan(name));
    }

    /// Takes a system out that is no longer in any plan folder.
    pub fn remove_system(&self, name: &str) {
        let removed = {
            let mut inner = self.write();
            inner.plans += 1;
            inner.systems.shift_remove(name)
        };
        if removed.is_some() {
            self.announce(Change::Plan(name.into()));
        }
    }

    fn change_system(&self, name: &str, change: Change, with: impl FnOnce(&mut SystemState)) {
        {
            let mut inner = self.write();
            let Some(system) = inner.systems.get_mut(name) else { return };
            with(system);
        }
        self.announce(change);
    }

    /// Takes in a result, and which failing parent explains it (CHK-09's dependency). Results of unknown checks are
    /// left out: they belong to a plan that is gone.
    pub fn record_result(&self, result: &Arc<ProbeResult>, explained_by: Option<CheckId>) {
        {
            let mut inner = self.write();
            let check = inner.systems.get_mut(&*result.check.system).and_then(|s| s.checks.get_mut(&result.check));
            let Some(check) = check else { return };
            check.record(result, explained_by);
        }
        self.announce(Change::Check(result.check.clone()));
    }

    /// Fills a check's heartbeat bar from the store at a start, oldest first.
    pub fn restore(&self, check: &CheckId, beats: impl IntoIterator<Item = Beat>) {
        let mut inner = self.write();
        if let Some(state) = inner.systems.get_mut(&*check.system).and_then(|s| s.checks.get_mut(check)) {
            state.restore(beats);
        }
    }

    /// Sets the uptime of a check as last computed.
    pub fn set_check_uptime(&self, check: &CheckId, uptime: Uptime) {
        let mut inner = self.write();
        if let Some(state) = inner.systems.get_mut(&*check.system).and_then(|s| s.checks.get_mut(check)) {
            state.uptime = uptime;
        }
    }

    /// Sets the uptime of a whole system, third parties left out (CHK-07).
    pub fn set_system_uptime(&self, system: &str, uptime: Uptime) {
        self.change_system(system, Change::System(system.into()), |s| s.uptime = uptime);
    }

    /// Sets the use of a host's CPU, memory and disks.
    pub fn set_host(&self, system: &str, host: &str, used: HostUse) {
        self.change_system(system, Change::System(system.into()), |s| {
            s.hosts.insert(host.to_owned(), used);
        });
    }

    /// Sets the counters of today's activity, in the plan's order.
    pub fn set_today(&self, system: &str, today: Vec<TodayValue>) {
        self.change_system(system, Change::System(system.into()), |s| s.today = today);
    }

    /// Sets the measures of success, in the plan's order.
    pub fn set_kpis(&self, system: &str, kpis: Vec<KpiState>) {
        self.change_system(system, Change::Kpis(system.into()), |s| s.kpis = kpis);
    }

    /// Sets the alerts that are pending or firing.
    pub fn set_alerts(&self, system: &str, alerts: Vec<Alert>) {
        self.change_system(system, Change::Alerts(system.into()), |s| s.alerts = alerts);
    }

    /// Sets the rules and what their last evaluation said.
    pub fn set_rules(&self, system: &str, groups: Vec<RuleGroupState>) {
        self.change_system(system, Change::Plan(system.into()), |s| s.rules = groups);
    }

    /// Replaces one group of rules after its evaluation; a new one is added at the end. Open pages hear of the evaluation,
    /// or that they are out of date where the group has other rules than before.
    pub fn set_rule_group(&self, system: &str, group: RuleGroupState) {
        let name: Arc<str> = group.name.as_str().into();
        let mut same_rules = false;
        {
            let mut inner = self.write();
            let Some(s) = inner.systems.get_mut(system) else { return };
            match s.rules.iter_mut().find(|g| g.name == group.name) {
                Some(slot) => {
                    let names = |g: &RuleGroupState| g.rules.iter().map(|r| r.name.clone()).collect::<Vec<_>>();
                    same_rules = names(slot) == names(&group);
                    *slot = group;
                }
                None => s.rules.push(group),
            }
        }
        self.announce(if same_rules { Change::Rules(system.into(), name) } else { Change::Plan(system.into()) });
    }

    /// Sets which parts of a system are watched intensively (CHK-16).
    pub fn set_intensive(&self, system: &str, intensive: Vec<Intensive>) {
        self.change_system(system, Change::System(system.into()), |s| s.intensive = intensive);
    }

    /// Sets what became of the last reload, refused plans included.
    pub fn set_reload(&self, system: &str, reload: Reload) {
        self.change_system(system, Change::Plan(system.into()), |s| s.reload = Some(reload));
    }

    /// Sets the numbers about Farero itself, all at once.
    pub fn set_own(&self, own: Vec<OwnMetric>) {
        self.write().own = own;
    }

    /// The numbers about Farero itself.
    pub fn own(&self) -> Vec<OwnMetric> {
        self.read().own.clone()
    }

    /// Says that all loops have started; `/-/ready` answers yes from here on.
    pub fn set_ready(&self) {
        self.write().ready = true;
    }

    /// Whether all loops have started.
    pub fn is_ready(&self) -> bool {
        self.read().ready
    }

    /// Sets how late checks start, 99th percentile of the last minute, in milliseconds.
    pub fn set_lateness(&self, p99_ms: f64) {
        self.write().late_ms_p99 = Some(p99_ms);
    }

    /// How late checks start, 99th percentile of the last minute, in milliseconds.
    pub fn lateness(&self) -> Option<f64> {
        self.read().late_ms_p99
    }

    /// Names of the systems with their labels, in the order in which their plans were loaded.
    pub fn system_names(&self) -> Vec<(Arc<str>, String)> {
        let inner = self.read();
        inner.systems.iter().map(|(n, s)| (n.clone(), s.label().to_owned())).collect()
    }

    /// Reads one system. Keep `with` short: it holds the lock.
    pub fn system<T>(&self, name: &str, with: impl FnOnce(&SystemState) -> T) -> Option<T> {
        self.read().systems.get(name).map(with)
    }

    /// Reads one check with its system.
    pub fn check<T>(&self, id: &CheckId, with: impl FnOnce(&SystemState, &CheckState) -> T) -> Option<T> {
        let inner = self.read();
        let system = inner.systems.get(&*id.system)?;
        Some(with(system, system.checks.get(id)?))
    }

    /// Reads all systems, in order.
    pub fn systems<T>(&self, mut with: impl FnMut(&SystemState) -> T) -> Vec<T> {
        self.read().systems.values().map(&mut with).collect()
    }

    /// All alerts that are pending or firing.
    pub fn alerts(&self) -> Vec<Alert> {
        self.read().systems.values().flat_map(|s| s.alerts.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests;
