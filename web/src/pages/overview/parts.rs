//! The parts of the overview beside its rows: summary, hosts, alerts. Pure.

use decide::health::{Part, Standing, decide_system};
use kernel::probe::Outcome;
use kernel::{Language, Rank, Timestamp};
use plan_model::threshold::Threshold;

use super::{Row, firing};
use crate::live::{CheckState, Intensive, SystemState};
use crate::text::{phrases, text};

fn part(r: &Row) -> Part<'_> {
    Part { name: &r.component, outcome: r.outcome, criticality: r.criticality, third_party: r.third_party }
}

/// How a system stands as a whole.
pub(crate) struct Summary {
    pub(crate) name: String,
    pub(crate) label: String,
    /// `online`, `slow`, `degraded`, `down`, `blind`: the word of the API.
    pub(crate) standing: &'static str,
    pub(crate) class: &'static str,
    pub(crate) word: &'static str,
    pub(crate) sentence: String,
    pub(crate) uptime: Option<f64>,
    pub(crate) uptime_of: &'static str,
    pub(crate) newest: Option<Timestamp>,
    pub(crate) stale: bool,
    pub(crate) checks: usize,
    pub(crate) firing: usize,
    pub(crate) intensive: Vec<Intensive>,
}

impl Summary {
    /// Of a system and its rows.
    pub(crate) fn new(system: &SystemState, rows: &[Row], language: Language, now: Timestamp) -> Self {
        let t = &text(language).overview;
        let count = |outcome: Outcome| rows.iter().filter(|r| r.outcome == outcome).count();
        let overall = decide_system(&rows.iter().map(part).collect::<Vec<_>>());
        let (class, word) = match overall.standing {
            Standing::Blind => ("blind", t.unknown),
            Standing::Down | Standing::Degraded => ("down", t.broken),
            Standing::Slow => ("slow", t.impaired),
            Standing::Online if overall.beside.is_empty() => ("up", t.working),
            Standing::Online => ("slow", t.impaired),
        };
        let (uptime, uptime_of) = match (system.uptime.month, system.uptime.day) {
            (Some(month), _) => (Some(month), t.uptime_30),
            (None, day) => (day, t.uptime_1),
        };
        let (down, slow, blind) = (count(Outcome::Down), count(Outcome::Slow), count(Outcome::Blind));
        Self {
            name: system.name().to_owned(),
            label: system.label().to_owned(),
            standing: overall.standing.as_str(),
            class,
            word,
            sentence: phrases::overall(language, down, slow, blind, rows.len()),
            uptime,
            uptime_of,
            newest: system.newest(),
            stale: !system.checks.is_empty() && system.checks.values().all(|c: &CheckState| c.is_stale(now)),
            checks: system.checks.len(),
            firing: firing(system).count(),
            intensive: system.intensive.iter().filter(|i| i.until > now).cloned().collect(),
        }
    }
}

/// One bar: a share of something in use.
pub(crate) struct Gauge {
    pub(crate) label: String,
    pub(crate) percent: f64,
    pub(crate) class: &'static str,
    pub(crate) detail: Option<(f64, f64)>,
    /// Where the plan's thresholds lie.
    pub(crate) marks: Vec<f64>,
}

/// One host with its bars.
pub(crate) struct HostCard {
    pub(crate) label: String,
    pub(crate) at: Timestamp,
    pub(crate) cpu: Option<Gauge>,
    pub(crate) memory: Option<Gauge>,
    pub(crate) disks: Vec<Gauge>,
}

impl HostCard {
    /// Of every host that was measured.
    pub(crate) fn all(system: &SystemState) -> Vec<Self> {
        system.hosts.iter().map(|(name, used)| Self::new(system, name, used)).collect()
    }

    fn new(system: &SystemState, name: &str, used: &crate::live::HostUse) -> Self {
        let component = system.component(name);
        let own = component.and_then(|c| c.alerts.as_ref());
        let common = &system.plan().alerts;
        let pick = |of: fn(&plan_model::severity::AlertPolicy) -> &Vec<Threshold>| {
            own.map(|own| of(own)).filter(|t| !t.is_empty()).unwrap_or(of(common))
        };
        let gauge = |label: &str, percent: f64, detail, thresholds: &[Threshold]| {
            let rank = |t: &Threshold| system.plan().severities.get(&t.severity).map_or(Rank::Warning, |s| s.rank);
            let passed = thresholds.iter().filter(|t| percent > t.above.percent()).map(rank).max();
            let class = match passed {
                Some(Rank::Critical | Rank::High) => "down",
                Some(_) => "slow",
                None => "up",
            };
            let marks = thresholds.iter().map(|t| t.above.percent()).collect();
            Gauge { label: label.to_owned(), percent, class, detail, marks }
        };
        let disk = |d: &crate::live::DiskUse| gauge(&d.mount, d.percent, d.bytes, pick(|a| &a.disk));
        Self {
            label: component.map_or(name, |c| c.label_or(name)).to_owned(),
            at: used.at,
            cpu: used.cpu.map(|v| gauge("", v, None, pick(|a| &a.cpu))),
            memory: used.memory.map(|v| gauge("", v, used.memory_bytes, pick(|a| &a.memory))),
            disks: used.disks.iter().map(disk).collect(),
        }
    }
}

/// A firing alert in one line.
pub(crate) struct AlertLine {
    pub(crate) href: String,
    pub(crate) rank: Rank,
    pub(crate) severity: String,
    pub(crate) summary: String,
    pub(crate) since: Timestamp,
}

impl AlertLine {
    /// The firing alerts of a system, gravest first, then newest.
    pub(crate) fn all(system: &SystemState) -> Vec<Self> {
        let mut all: Vec<Self> = firing(system).map(|a| Self::new(system, a)).collect();
        all.sort_by(|a, b| b.rank.cmp(&a.rank).then(b.since.cmp(&a.since)));
        all
    }

    fn new(system: &SystemState, alert: &kernel::alert::Alert) -> Self {
        let severity = system.plan().severities.get(alert.severity());
        let label = severity.and_then(|s| s.label.clone()).unwrap_or_else(|| alert.severity().to_owned());
        Self {
            href: format!("/alerts/{}", alert.firing_id()),
            rank: severity.map_or(Rank::Warning, |s| s.rank),
            severity: label,
            summary: alert.annotations.get("summary").unwrap_or(&alert.rule).to_owned(),
            since: alert.fired_at.unwrap_or(alert.active_at),
        }
    }
}
