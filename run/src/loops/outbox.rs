//! The loop that sends: due entries of the outbox, each on its channel, one at a time per channel. I/O.
//!
//! Invariant: a try is noted before it begins and its result before the next one. Between the two a crash leaves the entry
//! as `sending`; it is then sent again with the same key. That is the one place where a message can go out twice.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use decide::deliver::{Voice, decide_after_attempt, decide_order, decide_rate, decide_unconfirmed, test_message};
use kernel::Timestamp;
use kernel::message::{AttemptResult, DeliveryAttempt, DeliveryState, OutboxEntry};
use parking_lot::Mutex;
use state::{OutboxFilter, StateError};
use web::live::Change;

use crate::core::Core;
use crate::loops::deliveries::Facts;
use crate::system::System;

/// Entries looked at in one turn.
const ENTRIES_A_TURN: usize = 500;

/// The loop looks at least this often: for manual messages that nobody confirmed, and entries whose time has come.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// Pause before something that could not be stored is stored again: the database is away, or its disk is full.
const STORE_AGAIN: Duration = Duration::from_secs(1);

/// The shortest pause between two turns.
const SHORTEST_SLEEP: Duration = Duration::from_millis(50);

/// Puts back what was being sent when Farero ended. Called once, before the loop.
pub fn requeue(core: &Core) {
    match core.state.requeue_interrupted() {
        Ok(entries) => {
            core.counters.messages_repeated.add(u64::try_from(entries.len()).unwrap_or(0));
            for entry in entries {
                tracing::warn!(key = %entry.key, channel = %entry.channel, "was being sent when Farero ended: it is sent again, with the same key");
            }
        }
        Err(error) => core.store_failed("interrupted deliveries", &error),
    }
}

/// Runs until the process ends.
pub async fn run(core: Arc<Core>) {
    let busy: Arc<Mutex<HashSet<(String, String)>>> = Arc::default();
    loop {
        let turn = core.clone();
        let due = match tokio::task::spawn_blocking(move || look(&turn)).await {
            Ok(Ok(due)) => due,
            Ok(Err(error)) => {
                core.store_failed("the outbox could not be read; its turn", &error);
                Vec::new()
            }
            Err(error) => {
                tracing::error!(%error, "the outbox's turn broke off");
                Vec::new()
            }
        };
        for entry in due {
            let lane = (entry.system.clone(), entry.channel.clone());
            if busy.lock().insert(lane.clone()) {
                let (core, busy) = (core.clone(), busy.clone());
                tokio::spawn(async move {
                    send(&core, entry).await;
                    busy.lock().remove(&lane);
                    core.outbox_bell.notify_one();
                });
            }
        }
        let next = core.state.next_due().ok().flatten();
        let pause = next.map_or(LONGEST_SLEEP, |at| at.since(core.now()).clamp(SHORTEST_SLEEP, LONGEST_SLEEP));
        // An entry that is due but whose channel is busy is looked at when that channel rings.
        let pause = if busy.lock().is_empty() { pause } else { pause.max(Duration::from_secs(1)) };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = core.outbox_bell.notified() => {}
        }
    }
}

/// Entries that may go out now, the gravest first; those over a channel's limit are put off, those that a person did not
/// confirm in time fall back.
fn look(core: &Core) -> Result<Vec<OutboxEntry>, StateError> {
    let (now, systems) = (core.now(), core.systems());
    fall_back_unconfirmed(core, now)?;
    let mut due = core.state.due_outbox(now, ENTRIES_A_TURN)?;
    decide_order(&mut due);
    let mut ready = Vec::new();
    let mut taken: HashSet<(String, String)> = HashSet::new();
    for entry in due {
        let lane = (entry.system.clone(), entry.channel.clone());
        if taken.contains(&lane) {
            continue;
        }
        let limit = systems.get(&entry.system).and_then(|s| s.plan.channels.get(&entry.channel)?.limit);
        if let Some(limit) = limit {
            let sent = core.state.sent_times(&entry.system, &entry.channel, now - limit.per.std())?;
            if let Err(free_at) = decide_rate(Some(&limit), &sent, now) {
                core.state.postpone(&entry.key, free_at)?;
                continue;
            }
        }
        taken.insert(lane);
        ready.push(entry);
    }
    Ok(ready)
}

fn fall_back_unconfirmed(core: &Core, now: Timestamp) -> Result<(), StateError> {
    let filter =
        OutboxFilter { state: Some(DeliveryState::AwaitingPerson), limit: ENTRIES_A_TURN, ..OutboxFilter::default() };
    let systems = core.systems();
    for record in core.state.outbox(&filter)? {
        let Some(system) = systems.get(&record.entry.system) else { continue };
        let facts = Facts { core, system };
        if let Some(after) = decide_unconfirmed(&record.entry, &system.plan, &facts, now) {
            let attempt = DeliveryAttempt {
                key: record.entry.key.clone(),
                channel: record.entry.channel.clone(),
                at: now,
                took_ms: 0,
                result: AttemptResult::Refused { error: after.why.clone() },
            };
            core.state.finish_attempt(&attempt, &after.entry, after.fallback.as_ref())?;
            core.counters.messages_failed.add_one();
            core.live.announce(Change::Deliveries);
        }
    }
    Ok(())
}

/// One try of one entry.
async fn send(core: &Arc<Core>, mut entry: OutboxEntry) {
    let at = core.now();
    entry.tries += 1;
    if !begin(core, &entry, at).await {
        return;
    }
    entry.state = DeliveryState::Sending;
    let began = tokio::time::Instant::now();
    let result = match core.systems().get(&entry.system).map(|s| s.senders.get(&entry.channel).cloned()) {
        Some(Some(sender)) => sender.perform(&entry).await,
        Some(None) => AttemptResult::Refused { error: format!("channel `{}` is not in use (any more)", entry.channel) },
        None => {
            AttemptResult::Postponed { error: format!("system `{}` is not loaded", entry.system), retry_after_s: None }
        }
    };
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let attempt = DeliveryAttempt { key: entry.key.clone(), channel: entry.channel.clone(), at, took_ms, result };
    finish(core, entry, attempt).await;
    core.live.announce(Change::Deliveries);
}

/// Notes that a try begins. When it is not known whether that was stored, it is stored again until it is: an entry that stayed as
/// `sending` would be looked at by nobody. `false` when the entry is not queued any more.
async fn begin(core: &Arc<Core>, entry: &OutboxEntry, at: Timestamp) -> bool {
    let mut doubtful = false;
    loop {
        let (turn, entry) = (core.clone(), entry.clone());
        let begun = tokio::task::spawn_blocking(move || {
            if turn.state.begin_attempt(&entry.key, at)? {
                return Ok::<_, StateError>(true);
            }
            let stored = if doubtful { turn.state.outbox_entry(&entry.key)? } else { None };
            let is_ours =
                |e: OutboxEntry| e.state == DeliveryState::Sending && e.tries == entry.tries && e.due_at == at;
            Ok(stored.is_some_and(is_ours))
        });
        match begun.await {
            Ok(Ok(begun)) => return begun,
            Ok(Err(error)) => core.store_failed("the beginning of a delivery", &error),
            Err(error) => {
                tracing::error!(%error, "a delivery broke off before it began");
                return false;
            }
        }
        doubtful = true;
        tokio::time::sleep(STORE_AGAIN).await;
    }
}

/// Stores what became of a try, again and again until it is stored: the message may be out, and what follows must not be lost.
async fn finish(core: &Arc<Core>, entry: OutboxEntry, attempt: DeliveryAttempt) {
    let turn = core.clone();
    let decided = tokio::task::spawn_blocking(move || {
        let (after, fallback) = follow(&turn, &entry, &attempt);
        Arc::new((attempt, after, fallback))
    });
    let decided = match decided.await {
        Ok(decided) => decided,
        Err(error) => return tracing::error!(%error, "deciding after a delivery broke off"),
    };
    loop {
        let (turn, what) = (core.clone(), decided.clone());
        let stored =
            tokio::task::spawn_blocking(move || turn.state.finish_attempt(&what.0, &what.1, what.2.as_ref())).await;
        match stored {
            Ok(Ok(())) => return,
            Ok(Err(error)) => core.store_failed("what became of a delivery", &error),
            Err(error) => return tracing::error!(%error, "storing a delivery broke off"),
        }
        tokio::time::sleep(STORE_AGAIN).await;
    }
}

/// What follows from a try: the entry as it is now, and that of the fallback channel.
fn follow(core: &Core, entry: &OutboxEntry, attempt: &DeliveryAttempt) -> (OutboxEntry, Option<OutboxEntry>) {
    let systems = core.systems();
    let Some(system) = systems.get(&entry.system) else {
        // Its plan is gone for now: back into the queue, looked at again later.
        let later =
            OutboxEntry { state: DeliveryState::Queued, due_at: core.now() + LONGEST_SLEEP * 6, ..entry.clone() };
        return (later, None);
    };
    let after = decide_after_attempt(entry, &attempt.result, &system.plan, &Facts { core, system }, core.now());
    match &attempt.result {
        AttemptResult::Taken { .. } => core.counters.messages_sent.add_one(),
        AttemptResult::Postponed { error, .. } | AttemptResult::Refused { error } => {
            core.counters.messages_failed.add_one();
            tracing::warn!(key = %entry.key, channel = %entry.channel, tries = entry.tries, %error, next = %after.why, "a message was not taken");
        }
    }
    (after.entry, after.fallback)
}

/// Sends a test message over one channel at once, beside the outbox, and logs the try.
///
/// # Errors
/// The channel is not in use, with the reason.
pub async fn send_test(core: &Arc<Core>, system: &System, channel: &str) -> Result<AttemptResult, String> {
    let Some(sender) = system.senders.get(channel) else {
        let reason = system.silent.iter().find(|(name, _)| name == channel).map(|(_, reason)| reason.clone());
        return Err(
            reason.unwrap_or_else(|| format!("channel `{channel}` is not in use; see the plan's inactive items"))
        );
    };
    let now = core.now();
    let entry = test_entry(system, channel, Some(&core.config.base_url()), now);
    let began = tokio::time::Instant::now();
    let result = sender.perform(&entry).await;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let attempt = DeliveryAttempt {
        key: entry.key.clone(),
        channel: channel.to_owned(),
        at: now,
        took_ms,
        result: result.clone(),
    };
    let state = if matches!(result, AttemptResult::Taken { .. }) { DeliveryState::Sent } else { DeliveryState::Failed };
    let (turn, done) = (core.clone(), OutboxEntry { state, ..entry.clone() });
    let stored = tokio::task::spawn_blocking(move || {
        let commit = state::DeliveryCommit { outbox: vec![entry], ..state::DeliveryCommit::default() };
        turn.state.commit_deliveries(&commit)?;
        turn.state.finish_attempt(&attempt, &done, None)
    });
    match stored.await {
        Ok(Ok(())) => core.live.announce(Change::Deliveries),
        Ok(Err(error)) => core.store_failed("a test message", &error),
        Err(error) => tracing::error!(%error, "storing a test message broke off"),
    }
    Ok(result)
}

/// A test message as an outbox entry; its key is of no other message.
pub fn test_entry(system: &System, channel: &str, base_url: Option<&str>, now: Timestamp) -> OutboxEntry {
    let voice = Voice { plan: &system.plan, zone: &system.zone, base_url, now };
    OutboxEntry {
        key: format!("test-{}/{channel}", now.as_millis()),
        system: system.plan.system.clone(),
        channel: channel.to_owned(),
        message: test_message(&voice, channel),
        state: DeliveryState::Sending,
        tries: 1,
        due_at: now,
        created_at: now,
        fallen_from: Vec::new(),
    }
}
