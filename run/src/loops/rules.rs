//! The loop that has rules evaluated: each group at its interval, all of them at once when an outcome changed. I/O by the stores.
//!
//! Invariant: what an evaluation changed and the events that tell of it are stored in one transaction; only then do pages
//! hear of it. An evaluation that fails changes nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use decide::rules::evaluate::{GroupDecision, Turn, decide_group, decide_removed};
use decide::rules::group::{Origin, RuleGroup, RuleKind};
use decide_promql::Limits;
use kernel::alert::Alert;
use kernel::phrase::in_language;
use kernel::probe::CheckId;
use kernel::{Labels, Timestamp};
use plan_model::Plan;
use state::EvaluationCommit;
use tokio::time::Instant;
use web::live::{RuleGroupState, RuleState, RuleVerdict};

use crate::core::Core;
use crate::metrics::rules::write::Recorder;
use crate::system::System;

/// The loop looks at the groups at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// After a bell the loop waits this long, so that a storm of changes is one turn.
const GATHER: Duration = Duration::from_millis(100);

/// What the loop remembers of a system between turns.
#[derive(Default)]
struct Memory {
    active: Vec<Alert>,
    groups: HashMap<String, GroupMemory>,
}

#[derive(Default)]
struct GroupMemory {
    recorded: Vec<Labels>,
    last_turn: Option<Timestamp>,
    recorder: Recorder,
}

/// Everything the loop remembers.
#[derive(Default)]
struct Memories {
    systems: HashMap<String, Memory>,
}

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut memories = Memories::default();
    let watching_since = core.live.started_at();
    let mut all = true;
    loop {
        let (turn, mut kept) = (core.clone(), memories);
        let done = tokio::task::spawn_blocking(move || {
            let next = turn_all(&turn, &mut kept, watching_since, all);
            (kept, next)
        })
        .await;
        let next = match done {
            Ok((kept, next)) => {
                memories = kept;
                next
            }
            Err(error) => {
                // What was active is read from the state again; nothing is lost.
                tracing::error!(%error, "a turn of the rules broke off");
                memories = Memories::default();
                None
            }
        };
        let pause = next.map_or(LONGEST_SLEEP, |at| at.since(core.now())).min(LONGEST_SLEEP);
        all = tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = core.rules_bell.notified() => {
                tokio::time::sleep(GATHER).await;
                true
            }
        };
    }
}

/// Evaluates the groups that are due (all of them when something changed); when the next one is due.
fn turn_all(core: &Core, memories: &mut Memories, watching_since: Timestamp, all: bool) -> Option<Timestamp> {
    let systems = core.systems();
    memories.systems.retain(|name, _| systems.contains_key(name));
    let mut next: Option<Timestamp> = None;
    for (name, system) in systems.iter() {
        if !memories.systems.contains_key(name) {
            match core.state.active_alerts(name) {
                Ok(active) => memories.systems.insert(name.clone(), Memory { active, ..Memory::default() }),
                Err(error) => {
                    core.store_failed("the active alerts could not be read; the turn of the rules", &error);
                    continue;
                }
            };
        }
        let Some(memory) = memories.systems.get_mut(name) else { continue };
        let mut changed = end_removed(core, system, memory);
        for group in &system.groups {
            let due_at = memory.groups.get(&group.name).and_then(|m| m.last_turn).map(|t| t + group.interval.std());
            let now = core.now();
            if all || due_at.is_none_or(|at| at <= now) {
                note_missed(core, due_at, group, now);
                changed |= turn_group(core, system, group, memory, watching_since);
            }
            let due_at = memory.groups.get(&group.name).and_then(|m| m.last_turn).map(|t| t + group.interval.std());
            next = [next, due_at].into_iter().flatten().min();
        }
        if changed {
            core.live.set_alerts(name, memory.active.clone());
        }
    }
    next
}

fn note_missed(core: &Core, due_at: Option<Timestamp>, group: &RuleGroup, now: Timestamp) {
    if let Some(due_at) = due_at {
        let intervals = now.since(due_at).as_millis() / u128::from(group.interval.as_millis().max(1));
        core.counters.evaluations_missed.add(u64::try_from(intervals).unwrap_or(0));
    }
}

/// Alerts of groups that the plan no longer has end.
fn end_removed(core: &Core, system: &System, memory: &mut Memory) -> bool {
    let gone: Vec<String> = memory
        .active
        .iter()
        .map(|a| a.group.clone())
        .filter(|name| !system.groups.iter().any(|g| g.name == *name))
        .collect();
    for group in &gone {
        let of_it: Vec<Alert> = memory.active.iter().filter(|a| a.group == *group).cloned().collect();
        let now = core.now();
        let decision = decide_removed(&system.plan, &of_it, now);
        let commit = EvaluationCommit {
            system: system.plan.system.clone(),
            group: group.clone(),
            active: Vec::new(),
            events: decision.events,
            at: now,
        };
        match core.state.commit_evaluation(&commit) {
            Ok(_) => {
                memory.active.retain(|a| a.group != *group);
                core.deliveries_bell.notify_one();
            }
            Err(error) => core.store_failed("the end of alerts whose rules are gone", &error),
        }
    }
    !gone.is_empty()
}

/// One turn of one group; whether anything active changed.
fn turn_group(core: &Core, system: &System, group: &RuleGroup, memory: &mut Memory, watching_since: Timestamp) -> bool {
    let began = Instant::now();
    let now = core.now();
    let before: Vec<Alert> = memory.active.iter().filter(|a| a.group == group.name).cloned().collect();
    let kept = memory.groups.entry(group.name.clone()).or_default();
    let explained = core.explained(&system.plan.system);
    let decision = decide_group(
        group,
        &Turn {
            plan: &system.plan,
            memory: &before,
            recorded: &kept.recorded,
            last_turn: kept.last_turn,
            watching_since,
            explanations: &explained.by,
            reason: &|labels| reason(core, &system.plan, labels),
            reader: &*core.series,
            limits: &Limits::default(),
            external_labels: &Labels::default(),
            external_url: &core.config.base_url(),
            now,
        },
    );
    kept.last_turn = Some(now);
    kept.recorded.clone_from(&decision.recorded);
    core.counters.evaluations.add_one();
    let changed = store(core, system, group, &before, &decision, now);
    if changed {
        memory.active.retain(|a| a.group != group.name);
        memory.active.extend(decision.active.iter().cloned());
    }
    if let Some(kept) = memory.groups.get_mut(&group.name) {
        write_samples(core, system, group, kept, &decision);
    }
    show(core, system, group, &decision, now, began.elapsed());
    changed
}

/// What the last result of the check that labels name said was wrong, in the plan's language as the message around it.
fn reason(core: &Core, plan: &Plan, labels: &Labels) -> Option<String> {
    let check = CheckId::new(&plan.system, labels.get("service")?, labels.get("check")?);
    let last = core.live.check(&check, |_, state| state.last.as_ref().and_then(|r| r.evidence.error.clone())).flatten();
    last.map(|error| in_language(&error, plan.language).into_owned())
}

/// Stores what changed; `false` when nothing did or it could not be stored (the next turn decides the same again).
fn store(
    core: &Core,
    system: &System,
    group: &RuleGroup,
    before: &[Alert],
    decision: &GroupDecision,
    now: Timestamp,
) -> bool {
    if decision.events.is_empty() && before == decision.active {
        return false;
    }
    let commit = EvaluationCommit {
        system: system.plan.system.clone(),
        group: group.name.clone(),
        active: decision.active.clone(),
        events: decision.events.clone(),
        at: now,
    };
    match core.state.commit_evaluation(&commit) {
        Ok(_) => {
            if !decision.events.is_empty() {
                core.deliveries_bell.notify_one();
            }
            true
        }
        Err(error) => {
            core.store_failed("an evaluation", &error);
            false
        }
    }
}

fn write_samples(core: &Core, system: &System, group: &RuleGroup, kept: &mut GroupMemory, decision: &GroupDecision) {
    let Some(first) = decision.samples.first() else { return };
    let name = format!("rules {}/{}", system.plan.system, group.name);
    let samples = decision.samples.iter().map(|s| (s.labels.clone(), s.value.clone()));
    match kept.recorder.put(&name, first.t_ms, samples, &*core.series) {
        Ok(appended) => {
            core.counters.samples.add(appended.samples);
            core.counters.samples_out_of_order.add(appended.out_of_order);
        }
        Err(error) => core.store_failed("recorded series", &error),
    }
}

/// Shows the group with what its evaluation said.
fn show(core: &Core, system: &System, group: &RuleGroup, decision: &GroupDecision, now: Timestamp, took: Duration) {
    let mut failed = false;
    let rules = group
        .rules
        .iter()
        .zip(&decision.report.rules)
        .map(|(rule, report)| {
            failed |= report.error.is_some();
            let (alerting, hold, keep_firing) = match rule.kind {
                RuleKind::Record => (false, kernel::Duration::ZERO, kernel::Duration::ZERO),
                RuleKind::Alert { hold, keep_firing_for } => (true, hold, keep_firing_for),
            };
            let texts = |pairs: &[(String, decide::rules::template::Template)]| {
                Labels::new(pairs.iter().map(|(n, t)| (n.as_str(), t.source())))
            };
            let labels = texts(&rule.labels);
            RuleState {
                name: rule.name.clone(),
                alerting,
                expression: rule.query.text().to_owned(),
                hold,
                keep_firing,
                severity: labels.get("severity").map(ToOwned::to_owned),
                annotations: texts(&rule.annotations),
                labels,
                verdict: if report.error.is_some() { RuleVerdict::Failed } else { RuleVerdict::Ok },
                error: report.error.clone().or_else(|| report.remarks.first().cloned()),
                evaluated_at: Some(now),
                took_s: took.as_secs_f64(),
                alerts: report.alerts.clone(),
                covers: system.covered_by(&rule.query),
            }
        })
        .collect();
    if failed {
        core.counters.evaluations_failed.add_one();
    }
    let file = match &group.origin {
        Origin::Plan => "plan".to_owned(),
        Origin::File(path) => path.clone(),
    };
    let shown = RuleGroupState { name: group.name.clone(), file, every: group.interval, rules };
    core.live.set_rule_group(&system.plan.system, shown);
}
