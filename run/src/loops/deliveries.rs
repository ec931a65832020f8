//! The loop that has deliveries decided: events and waiting items in, outbox entries out, in one transaction. I/O by the state.

use std::sync::Arc;
use std::time::Duration;

use decide::deliver::{DeliveryFacts, DeliveryInput, decide_deliveries};
use kernel::Timestamp;
use kernel::message::OutboxEntry;
use kernel::secret::Redactor;
use state::DeliveryCommit;
use web::live::Change;

use crate::activity;
use crate::core::Core;
use crate::system::System;

/// The loop looks at least this often, for what nobody rings for.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// The shortest pause between two turns, so that a storm of events is decided in batches.
const SHORTEST_SLEEP: Duration = Duration::from_millis(100);

/// Events decided in one turn; the rest waits for the next one.
const EVENTS_A_TURN: usize = 2_000;

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    loop {
        let turn = core.clone();
        let wake_at = match tokio::task::spawn_blocking(move || decide_all(&turn)).await {
            Ok(wake_at) => wake_at,
            Err(error) => {
                tracing::error!(%error, "deciding deliveries broke off");
                None
            }
        };
        let pause = wake_at.map_or(LONGEST_SLEEP, |at| at.since(core.now()).clamp(SHORTEST_SLEEP, LONGEST_SLEEP));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = core.deliveries_bell.notified() => tokio::time::sleep(SHORTEST_SLEEP).await,
        }
    }
}

/// One turn over all systems; when the next one is due.
pub fn decide_all(core: &Core) -> Option<Timestamp> {
    let mut wake_at: Option<Timestamp> = None;
    for system in core.systems().values() {
        match decide_one(core, system) {
            Ok(at) => wake_at = [wake_at, at].into_iter().flatten().min(),
            Err(error) => core.store_failed("decided deliveries", &error),
        }
    }
    wake_at
}

fn decide_one(core: &Core, system: &System) -> Result<Option<Timestamp>, state::StateError> {
    let now = core.now();
    let name = &system.plan.system;
    let events = core.state.undecided_events(name, EVENTS_A_TURN)?;
    let held = core.state.held_items(name)?;
    let base_url = core.config.base_url();
    let facts = Facts { core, system };
    let input = DeliveryInput {
        plan: &system.plan,
        zone: &system.zone,
        base_url: Some(&base_url),
        events: &events,
        held: &held,
        facts: &facts,
        now,
    };
    let decision = decide_deliveries(&input);
    for note in &decision.report {
        tracing::debug!(system = %name, event = %note.event, severity = %note.severity, channel = ?note.channel, fate = ?note.fate, "delivery decided");
    }
    let wake_at = if events.len() == EVENTS_A_TURN { Some(now) } else { decision.wake_at };
    let commit = DeliveryCommit {
        decided: decision.decided,
        hold: decision.hold,
        release: decision.release,
        outbox: decision.outbox.into_iter().map(|entry| redacted(entry, &system.redactor)).collect(),
        marks: decision.marks,
    };
    let something = commit != DeliveryCommit::default();
    core.state.commit_deliveries(&commit)?;
    if !commit.outbox.is_empty() {
        core.outbox_bell.notify_one();
    }
    if something {
        core.live.announce(Change::Deliveries);
    }
    Ok(wake_at)
}

/// A message without secrets: what a target said may stand in an alert's texts.
fn redacted(mut entry: OutboxEntry, redactor: &Redactor) -> OutboxEntry {
    let message = &mut entry.message;
    let items = message.items.iter_mut().flat_map(|i| [&mut i.summary, &mut i.description, &mut i.value]);
    for text in [&mut message.title, &mut message.text].into_iter().chain(items) {
        if redactor.finds(text) {
            *text = redactor.redact(text);
        }
    }
    entry
}

/// What a delivery decision asks, answered from the state.
pub struct Facts<'a> {
    /// The stores.
    pub core: &'a Core,
    /// The system.
    pub system: &'a System,
}

impl DeliveryFacts for Facts<'_> {
    fn channel_active(&self, channel: &str) -> bool {
        self.system.senders.contains_key(channel)
    }

    fn mark(&self, key: &str) -> Option<Timestamp> {
        match self.core.state.mark(key) {
            Ok(at) => at,
            Err(error) => {
                self.core.store_failed("a remembered time could not be read; the turn", &error);
                None
            }
        }
    }

    fn activity(&self, from: Timestamp, to: Timestamp) -> decide::deliver::Activity {
        activity::of(self.core, self.system, from, to)
    }
}
