//! The loop that takes results in: into the series store, the state and the read model, in batches. I/O.
//!
//! A result counts once it is in both stores. What cannot be stored (disk full) is counted and logged, and still shown:
//! people must see that something is wrong even when it cannot be kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use decide::health::Seen;
use kernel::probe::{CheckId, Outcome, ProbeResult};
use kernel::series::{Row, SeriesError};
use state::ResultFilter;
use tokio::sync::mpsc;
use web::live::Beat;

use crate::core::{Core, Systems};
use crate::layout::Layouts;
use crate::shapes::Shapes;
use crate::system::System;

/// Results that may wait: some seconds' worth at 1,000 a second. Senders wait when it is full, and their checks are then
/// left out as still running, which is counted.
pub const RESULTS_QUEUE: usize = 8_192;

/// Kept results of a check that its heartbeat bar shows again after a restart.
const RESTORED_BEATS: usize = 30;

/// Results taken in at once.
const BATCH: usize = 1_024;

/// After a result the loop waits this long for others, so that ten writes a second are the most there are; what follows
/// from a result is decided that much later.
const GATHER: Duration = Duration::from_millis(100);

/// What the loop remembers between batches.
#[derive(Default)]
struct Memory {
    shapes: Shapes,
    layouts: Layouts,
    seen: BTreeMap<CheckId, Seen>,
    /// The plans at the last batch: only when they change can a check be gone.
    plans: Option<Arc<Systems>>,
}

/// Runs until all senders are gone.
pub async fn run(core: Arc<Core>, mut results: mpsc::Receiver<ProbeResult>) {
    let (mut memory, mut plans) = (Memory::default(), core.changed());
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            received = results.recv_many(&mut batch, BATCH) => {
                if received == 0 {
                    return;
                }
                gather(&mut results, &mut batch).await;
            }
            // The core lives as long as this loop, so its sender does.
            _ = plans.changed() => {}
        }
        let taken = std::mem::take(&mut batch);
        let (turn, mut kept) = (core.clone(), memory);
        let done = tokio::task::spawn_blocking(move || {
            let changed = take_in(&turn, &mut kept, taken);
            (kept, changed)
        })
        .await;
        memory = match done {
            Ok((kept, changed)) => {
                if changed {
                    core.rules_bell.notify_one();
                }
                kept
            }
            Err(error) => {
                tracing::error!(%error, "taking results in broke off; their order in the store is learnt anew");
                core.counters.store_errors.add_one();
                Memory::default()
            }
        };
    }
}

/// Waits a moment for more results: each batch costs a wait for the disk, in both stores.
async fn gather(results: &mut mpsc::Receiver<ProbeResult>, batch: &mut Vec<ProbeResult>) {
    if batch.len() < BATCH {
        tokio::time::sleep(GATHER).await;
        while batch.len() < BATCH
            && let Ok(result) = results.try_recv()
        {
            batch.push(result);
        }
    }
}

/// Takes a batch in; whether an outcome changed.
fn take_in(core: &Core, memory: &mut Memory, results: Vec<ProbeResult>) -> bool {
    let systems = core.systems();
    let mut changed: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut rows = end_gone(core, &systems, memory, &mut changed);
    // A check that was being made when a new plan left it out is no longer asked for.
    let asked = results.into_iter().filter(|r| is_asked(&systems, &r.check));
    let results: Vec<Arc<ProbeResult>> = asked.map(Arc::new).collect();
    for result in &results {
        if see(&mut memory.seen, result) {
            changed.insert(result.check.system.clone());
        }
        let Some(system) = systems.get(&*result.check.system) else { continue };
        match row(core, system, memory, result) {
            Ok(row) => rows.push(row),
            Err(error) => core.store_failed("the samples of a check", &error),
        }
    }
    core.append(&rows);
    if let Err(error) = core.state.record_results(&results) {
        core.store_failed("results of checks", &error);
    }
    core.counters.results.add(u64::try_from(results.len()).unwrap_or(0));
    for name in &changed {
        if let Some(system) = systems.get(&**name) {
            let seen: Vec<Seen> = memory.seen.values().filter(|s| s.check.system == *name).cloned().collect();
            core.explain(system, &seen);
        }
    }
    for result in results {
        // Only a failure needs an explanation.
        let failed = result.outcome == Outcome::Down;
        let explained = failed.then(|| explained_by(core, &memory.seen, &result.check)).flatten();
        core.live.record_result(&result, explained);
    }
    !changed.is_empty()
}

fn is_asked(systems: &Systems, check: &CheckId) -> bool {
    systems.get(&*check.system).is_some_and(|s| s.has(check))
}

/// Ends the series of checks that a new plan left out, so that no rule sees their last values any longer, and forgets them.
fn end_gone(core: &Core, systems: &Arc<Systems>, memory: &mut Memory, changed: &mut BTreeSet<Arc<str>>) -> Vec<Row> {
    if memory.plans.as_ref().is_some_and(|known| Arc::ptr_eq(known, systems)) {
        return Vec::new();
    }
    memory.plans = Some(systems.clone());
    let gone: Vec<CheckId> = memory.seen.keys().filter(|id| !is_asked(systems, id)).cloned().collect();
    let now = core.now().as_millis();
    let end = |id: CheckId| {
        memory.seen.remove(&id);
        memory.layouts.forget(&id);
        changed.insert(id.system.clone());
        memory.shapes.end(&id.to_string(), now)
    };
    gone.into_iter().filter_map(end).collect()
}

/// The failing check that explains the failure of this one.
fn explained_by(core: &Core, seen: &BTreeMap<CheckId, Seen>, check: &CheckId) -> Option<CheckId> {
    let components = core.explained_by(check)?;
    let of_it = |s: &&Seen| s.check.system == check.system && components.split(", ").any(|c| c == &*s.check.component);
    seen.values().filter(of_it).find(|s| s.outcome == Outcome::Down).map(|s| s.check.clone())
}

/// Notes a result; whether the outcome changed.
fn see(all: &mut BTreeMap<CheckId, Seen>, result: &ProbeResult) -> bool {
    let before = all.get(&result.check);
    let was = before.map(|s| s.outcome);
    let recovered = was == Some(Outcome::Down) && result.outcome.is_success();
    let recovered_at = if recovered { Some(result.started_at) } else { before.and_then(|s| s.recovered_at) };
    let seen = Seen { check: result.check.clone(), outcome: result.outcome, at: result.started_at, recovered_at };
    all.insert(result.check.clone(), seen);
    was != Some(result.outcome)
}

/// A result as one row of the check's scrape group.
fn row(core: &Core, system: &System, memory: &mut Memory, result: &ProbeResult) -> Result<Row, SeriesError> {
    let Memory { shapes, layouts, .. } = memory;
    let layout = layouts.of(system, result);
    let samples = layout.samples(result);
    shapes.row(&*core.series, layout.source(), result.started_at.as_millis(), &samples)
}

/// Fills the read model with the latest results from before a restart.
pub fn restore(core: &Core) {
    let latest = match core.state.latest_results() {
        Ok(latest) => latest,
        Err(error) => return core.store_failed("the latest results could not be read; they", &error),
    };
    for one in latest {
        let beats: Vec<Beat> = core
            .state
            .results(&one.result.check, &ResultFilter { limit: RESTORED_BEATS, ..ResultFilter::default() })
            .unwrap_or_default()
            .iter()
            .rev()
            .map(Beat::of)
            .collect();
        core.live.restore(&one.result.check, beats);
        core.live.record_result(&Arc::new(one.result), None);
    }
}
