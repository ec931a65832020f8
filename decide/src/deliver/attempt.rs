//! What follows from one try to send: sent, again later, another channel, given up. Pure.
//!
//! Invariants: an entry whose try was not taken is queued again, handed to a fallback, or visibly failed; no channel is
//! tried again for the same thing after it failed for good, so fallbacks that point at each other end.

use std::time::Duration as StdDuration;

use kernel::Timestamp;
use kernel::alert::EventKind;
use kernel::hash::fnv1a;
use kernel::message::{AttemptResult, DeliveryState, MessageKind, OutboxEntry};
use plan_model::{Channel, Plan};

use super::{DeliveryFacts, key, route};

/// Pause before the second try; each further one is twice as long.
pub const FIRST_PAUSE: StdDuration = StdDuration::from_secs(10);
/// Longest pause between tries, so that a receiver that is back is used soon.
pub const LONGEST_PAUSE: StdDuration = StdDuration::from_secs(15 * 60);
/// Longest pause a receiver can ask for: one that asks for more is treated as if it asked for this.
pub const LONGEST_RETRY_AFTER: StdDuration = StdDuration::from_secs(3_600);
/// Tries on a channel that has a fallback: 10 s, 20 s, 40 s and 80 s apart, so the fallback takes over within 3 minutes.
pub const TRIES_BEFORE_FALLBACK: u32 = 5;
/// Tries on a channel that has none: nothing is lost by going on, for about 24 hours.
pub const TRIES_ALONE: u32 = 100;
/// Jitter: a pause is shortened by up to this share, so that many entries do not come back at the same moment.
pub const JITTER: f64 = 0.2;
/// Longest chain of fallbacks that is followed; a plan with more has lost its way.
pub const LONGEST_CHAIN: usize = 8;
/// How long a person has for a message by hand where the plan does not say.
pub const CONFIRM_WITHIN: StdDuration = StdDuration::from_secs(3_600);

/// What follows from a try.
#[derive(Clone, Debug, PartialEq)]
pub struct AfterAttempt {
    /// The entry as it is now.
    pub entry: OutboxEntry,
    /// The fallback's new entry.
    pub fallback: Option<OutboxEntry>,
    /// Why, for the delivery log.
    pub why: String,
}

/// What follows from a try that began as `entry` says (`tries` counts it already).
pub fn decide_after_attempt(
    entry: &OutboxEntry,
    result: &AttemptResult,
    plan: &Plan,
    facts: &dyn DeliveryFacts,
    now: Timestamp,
) -> AfterAttempt {
    match result {
        AttemptResult::Taken { answer } => {
            let entry = OutboxEntry { state: DeliveryState::Sent, ..entry.clone() };
            AfterAttempt { entry, fallback: None, why: format!("taken: {answer}") }
        }
        AttemptResult::Refused { error } => give_up(entry, plan, facts, now, &format!("refused: {error}")),
        AttemptResult::Postponed { error, retry_after_s } => {
            let next = fallback_of(entry, plan, facts);
            let tries = if next.is_some() { TRIES_BEFORE_FALLBACK } else { TRIES_ALONE };
            if entry.tries >= tries {
                return give_up(entry, plan, facts, now, &format!("{} tries failed; last: {error}", entry.tries));
            }
            let pause = pause_after(&entry.key, entry.tries, *retry_after_s);
            let entry = OutboxEntry { state: DeliveryState::Queued, due_at: now + pause, ..entry.clone() };
            let why = format!("try {} failed: {error}; again in {} s", entry.tries, pause.as_secs_f64().ceil());
            AfterAttempt { entry, fallback: None, why }
        }
    }
}

/// What follows when nobody confirmed a message by hand in time; `None` while there is time, or when it is no such entry.
pub fn decide_unconfirmed(
    entry: &OutboxEntry,
    plan: &Plan,
    facts: &dyn DeliveryFacts,
    now: Timestamp,
) -> Option<AfterAttempt> {
    (entry.state == DeliveryState::AwaitingPerson && now >= entry.due_at)
        .then(|| give_up(entry, plan, facts, now, "nobody confirmed it in time"))
}

/// State and due time that a new entry for a channel begins with.
pub(super) fn first_state(channel: &Channel, now: Timestamp) -> (DeliveryState, Timestamp) {
    match &channel.person {
        Some(by_hand) => {
            (DeliveryState::AwaitingPerson, now + by_hand.confirm_within.map_or(CONFIRM_WITHIN, |d| d.std()))
        }
        None => (DeliveryState::Queued, now),
    }
}

/// How long to wait after a number of tries: doubling, bounded, with a jitter that the key decides.
pub fn pause_after(key: &str, tries: u32, retry_after_s: Option<u64>) -> StdDuration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    let hash = fnv1a(key.bytes().chain(tries.to_le_bytes()));
    let share = (hash >> 40) as f64 / f64::from(1u32 << 24);
    let pause = doubled.mul_f64(1.0 - JITTER * share);
    let asked = StdDuration::from_secs(retry_after_s.unwrap_or(0)).min(LONGEST_RETRY_AFTER);
    pause.max(asked)
}

fn give_up(entry: &OutboxEntry, plan: &Plan, facts: &dyn DeliveryFacts, now: Timestamp, because: &str) -> AfterAttempt {
    let failed = OutboxEntry { state: DeliveryState::Failed, ..entry.clone() };
    let Some((name, channel)) = fallback_of(entry, plan, facts) else {
        return AfterAttempt {
            entry: failed,
            fallback: None,
            why: format!("given up: {because}; no fallback is left"),
        };
    };
    let (state, due_at) = first_state(channel, now);
    let mut fallen_from = entry.fallen_from.clone();
    fallen_from.push(entry.channel.clone());
    let fallback = OutboxEntry {
        key: key::for_channel(&entry.key, name),
        channel: name.to_owned(),
        state,
        tries: 0,
        due_at,
        created_at: now,
        fallen_from,
        ..entry.clone()
    };
    AfterAttempt { entry: failed, fallback: Some(fallback), why: format!("{because}; channel `{name}` takes over") }
}

/// The first channel down the chain that is active, takes such messages and has not failed for this entry.
fn fallback_of<'p>(entry: &OutboxEntry, plan: &'p Plan, facts: &dyn DeliveryFacts) -> Option<(&'p str, &'p Channel)> {
    let kind = if entry.message.kind == MessageKind::Resolved { EventKind::Resolved } else { EventKind::Fired };
    let mut next = plan.channels.get(&entry.channel)?.fallback.as_deref();
    for _ in 0..LONGEST_CHAIN {
        let name = next?;
        let (name, channel) = plan.channels.get_key_value(name)?;
        let failed = *name == entry.channel || entry.fallen_from.contains(name);
        if !failed && route::takes(plan, name, facts.channel_active(name), entry.message.rank, kind).is_ok() {
            return Some((name, channel));
        }
        next = channel.fallback.as_deref();
    }
    None
}
