//! The loop that says "I live": marks in the state, so that the time in which Farero did not run is known as blind. I/O.

use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;

use crate::core::{Core, Vital};

/// How often the mark is set.
pub const MARK_EVERY: Duration = Duration::from_secs(10);

/// A gap between two marks longer than this was a time in which nothing was watched: a stop, a crash, a machine asleep.
pub const BLIND_AFTER: Duration = Duration::from_secs(30);

/// Records the time since Farero last lived as blind. Called once, before anything is asked.
pub fn record_absence(core: &Core) {
    let now = core.now();
    match core.state.last_alive() {
        Ok(Some(last)) => record_gap(core, last, now),
        Ok(None) => {}
        Err(error) => core.store_failed("the time of the last life sign could not be read; the absence", &error),
    }
    mark(core, now);
}

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let mut last = core.now();
    loop {
        tokio::time::sleep(MARK_EVERY).await;
        let (turn, before, now) = (core.clone(), last, core.now());
        let marked = tokio::task::spawn_blocking(move || {
            record_gap(&turn, before, now);
            mark(&turn, now);
        });
        if let Err(error) = marked.await {
            tracing::error!(%error, "the life sign broke off");
        }
        last = now;
    }
}

fn record_gap(core: &Core, last: Timestamp, now: Timestamp) {
    if now.since(last) <= BLIND_AFTER {
        return;
    }
    tracing::warn!(from = %last, until = %now, "nothing was watched in this time: it counts as blind, not as downtime");
    if let Err(error) = core.state.record_blind(last, now) {
        core.store_failed("a blind time", &error);
    }
}

fn mark(core: &Core, now: Timestamp) {
    match core.state.mark_alive(now) {
        Ok(_) => core.note_turn(Vital::Alive),
        Err(error) => core.store_failed("the life sign", &error),
    }
}
