//! What happened in a system in a period, and how available it was: counted from what is stored. I/O by the state.

use std::collections::BTreeMap;

use decide::deliver::Activity;
use decide::health::{Counts, component_uptime, system_uptime, uptime_percent, watched};
use kernel::Timestamp;
use kernel::alert::AlertState;
use kernel::probe::CheckId;
use state::{AlertFilter, Span};

use crate::core::Core;
use crate::system::System;

/// Firings of a period that are counted; more than this is a storm whose exact number says nothing more.
const MOST_FIRINGS: usize = 10_000;

/// Uptime of a system and of its components, in percent.
#[derive(Clone, Debug, Default)]
pub struct Uptimes {
    /// The whole system, third parties and components of low criticality left out.
    pub system: Option<f64>,
    /// Each check.
    pub checks: BTreeMap<CheckId, f64>,
    /// Each component in the plan's order: name for people, uptime, whether a third party runs it.
    pub components: Vec<(String, Option<f64>, bool)>,
    /// All results of the system together.
    pub counts: Counts,
}

/// Uptimes in a period: by the hour for up to nine days, else by the day.
pub fn uptimes(core: &Core, system: &System, from: Timestamp, to: Timestamp) -> Uptimes {
    let hours = to.since(from).as_secs() <= 8 * 86_400;
    let span = if hours { Span::Hour } else { Span::Day };
    // A bucket counts when it begins within the period; the one in which the period begins counts too.
    let start = Timestamp::from_millis(from.as_millis().div_euclid(span.length_ms()) * span.length_ms());
    let stored = match core.state.all_counts(span, start, to) {
        Ok(stored) => stored,
        Err(error) => {
            core.store_failed("the counts of checks could not be read; uptime", &error);
            return Uptimes::default();
        }
    };
    let mut out = Uptimes::default();
    let mut weighed = Vec::new();
    for (name, component) in system.plan.components() {
        let mut own = Vec::new();
        for (check, _) in component.all_checks() {
            let id = CheckId::new(&system.plan.system, name, check);
            let counts = stored.get(&id).map_or_else(Counts::default, counts_of);
            out.counts = out.counts + counts;
            own.push(counts);
            if let Some(percent) = uptime_percent(counts) {
                out.checks.insert(id, percent);
            }
        }
        let uptime = component_uptime(own);
        out.components.push((component.label_or(name).to_owned(), uptime, component.third_party));
        weighed.push((uptime, component.criticality, component.third_party));
    }
    out.system = system_uptime(weighed);
    out
}

const fn counts_of(stored: &state::Counts) -> Counts {
    Counts { up: stored.up, slow: stored.slow, down: stored.down, blind: stored.blind }
}

/// The activity of a period, for the digest.
pub fn of(core: &Core, system: &System, from: Timestamp, to: Timestamp) -> Activity {
    let uptimes = uptimes(core, system, from, to);
    let blind = core.state.blind_periods(from).unwrap_or_default();
    let name = &system.plan.system;
    let filter = AlertFilter { system: Some(name.clone()), limit: MOST_FIRINGS, ..AlertFilter::default() };
    let alerts = core.state.alerts(&filter).unwrap_or_default();
    let fired_in = |at: Option<Timestamp>| at.is_some_and(|at| at >= from && at < to);
    let fired = system
        .plan
        .severities
        .iter()
        .map(|(severity, spec)| {
            let n = alerts.iter().filter(|r| r.alert.severity() == severity && fired_in(r.alert.fired_at)).count();
            (spec.label.clone().unwrap_or_else(|| severity.clone()), u64::try_from(n).unwrap_or(u64::MAX))
        })
        .filter(|(_, n)| *n > 0)
        .collect();
    let open = core.state.active_alerts(name).unwrap_or_default();
    Activity {
        up: uptimes.counts.up,
        slow: uptimes.counts.slow,
        down: uptimes.counts.down,
        uptime_percent: uptimes.system,
        components: uptimes.components,
        blind: watched(&blind, from, to).1,
        fired,
        open: open.into_iter().filter(|a| a.state == AlertState::Firing).collect(),
    }
}
