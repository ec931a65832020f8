//! Who hears of what, and when: events and waiting items in; messages, new waiting items and a report out. Pure.
//!
//! Invariants, shown by the tests below:
//! 1. Nothing is lost: for each channel of its severity an event ends in exactly one of: in a message, waiting, shown
//!    only, or silent for a reason that the report names.
//! 2. Nothing is early: a digest goes at its local time, never before.
//! 3. Nothing is late on a working channel: what must be out within a time is handed out [`MARGIN`] before its end, and
//!    [`DeliveryDecision::wake_at`] says when to ask again.
//! 4. Deciding the same again after a crash gives the same keys, so storing it again changes nothing.
//!
//! An alert whose failure is explained by something it depends on (annotation `explained_by`, see
//! [`crate::health::explain`]) is shown and not delivered; neither is its end.

use std::collections::HashSet;
use std::time::Duration as StdDuration;

use indexmap::IndexMap;
use jiff::tz::TimeZone;
use kernel::Timestamp;
use kernel::alert::AlertEvent;
use kernel::message::{HeldItem, OutboxEntry};
use plan_model::Plan;

pub mod alarm;
pub mod attempt;
pub mod daily;
pub mod digest;
pub mod key;
pub mod limit;
pub mod route;
pub mod text;
mod turn;

pub use alarm::{Grave, decide_alarm};
pub use attempt::{AfterAttempt, decide_after_attempt, decide_unconfirmed, pause_after};
pub use digest::Activity;
pub use limit::{decide_order, decide_rate};
pub use route::{Silence, takes};
pub(crate) use text::cut;
pub use text::{Told, Voice, item, message, number, test_message};
use turn::Turn;

/// Most events told one by one to a channel in one turn; more of them come together in one message.
pub const MOST_SINGLE: usize = 5;
/// Most events in one message; more are told in several.
pub const MOST_IN_MESSAGE: usize = 100;
/// How long before its end a promised delay is used up: time for the turn and a first try.
pub const MARGIN: StdDuration = StdDuration::from_secs(60);
/// A digest that goes out later than this says so.
pub const LATE_AFTER: StdDuration = StdDuration::from_secs(10 * 60);

/// What a delivery decision asks of the world; answered from what is stored.
pub trait DeliveryFacts {
    /// Whether a channel of the plan can be used. Those that are planned for later or lack a parameter are not in a loaded
    /// plan at all; what is missing only where Farero runs (a secret) is known here.
    fn channel_active(&self, channel: &str) -> bool {
        let _ = channel;
        true
    }
    /// A mark that an earlier decision set.
    fn mark(&self, key: &str) -> Option<Timestamp>;
    /// What happened in a period.
    fn activity(&self, from: Timestamp, to: Timestamp) -> Activity;
}

/// What deliveries are decided from. All events and items are of the plan's system.
#[derive(Clone, Copy)]
pub struct DeliveryInput<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its time zone.
    pub zone: &'a TimeZone,
    /// Base URL of this Farero's pages.
    pub base_url: Option<&'a str>,
    /// Events not decided yet, oldest first.
    pub events: &'a [AlertEvent],
    /// Items that wait.
    pub held: &'a [HeldItem],
    /// What is stored.
    pub facts: &'a dyn DeliveryFacts,
    /// The time.
    pub now: Timestamp,
}

/// What became of an event for one channel, or for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// In the outbox under this key.
    Queued(String),
    /// Waits, at the latest until then.
    Held(Timestamp),
    /// Shown, never sent: class `info`.
    Shown,
    /// The channel does not take it.
    Silent(Silence),
    /// Explained by the failure of these components: shown, not sent.
    Explained(String),
    /// The severity has no channel, or the plan no severity: nobody hears of it.
    Unheard,
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Id of the event.
    pub event: String,
    /// The severity that decided.
    pub severity: String,
    /// The channel; `None` where it holds for all.
    pub channel: Option<String>,
    /// What became of it.
    pub fate: Fate,
}

/// What is to be stored, in one transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeliveryDecision {
    /// New entries; those whose key exists are left out when stored.
    pub outbox: Vec<OutboxEntry>,
    /// New waiting items.
    pub hold: Vec<HeldItem>,
    /// Ids of waiting items that wait no longer.
    pub release: Vec<String>,
    /// Ids of the events that are decided now.
    pub decided: Vec<String>,
    /// Marks to set.
    pub marks: Vec<(String, Timestamp)>,
    /// What became of each event.
    pub report: Vec<Note>,
    /// When to decide again at the latest, were nothing to happen until then.
    pub wake_at: Option<Timestamp>,
}

/// Decides all deliveries of one system.
pub fn decide_deliveries(input: &DeliveryInput<'_>) -> DeliveryDecision {
    let mut turn = Turn::new(input);
    let mut waiting: IndexMap<String, Vec<HeldItem>> = IndexMap::new();
    let mut fresh: IndexMap<String, Vec<AlertEvent>> = IndexMap::new();
    for item in input.held {
        waiting.entry(item.severity.clone()).or_default().push(item.clone());
    }
    let mut seen = HashSet::new();
    for event in input.events.iter().filter(|e| seen.insert(e.id.as_str())) {
        turn.take(event, &mut waiting, &mut fresh);
    }
    for (name, events) in fresh {
        let told: Vec<Told> = events.into_iter().map(|event| Told { event, began_too: false }).collect();
        turn.tell(&name, &told);
    }
    for (name, items) in waiting {
        turn.release_or_hold(&name, items);
    }
    turn.digests_without_items();
    turn.done()
}

#[cfg(test)]
mod tests;
