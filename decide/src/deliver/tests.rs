//! Stories of deliveries with the time turned forward by hand. Pure.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use kernel::Duration;
use kernel::alert::EventKind;
use kernel::message::MessageKind;

use super::*;
use crate::testing::{alert, at, event, fired, plan, plan_with, resolved};

mod attempts;
mod classes;
mod messages;

/// What is stored: waiting items, the outbox, marks; and the time.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) now: Timestamp,
    pub(super) held: Vec<HeldItem>,
    pub(super) outbox: BTreeMap<String, OutboxEntry>,
    marks: RefCell<BTreeMap<String, Timestamp>>,
    pub(super) activity: Activity,
    pub(super) inactive: Vec<String>,
}

impl DeliveryFacts for World {
    fn channel_active(&self, channel: &str) -> bool {
        !self.inactive.iter().any(|c| c == channel)
    }

    fn mark(&self, key: &str) -> Option<Timestamp> {
        self.marks.borrow().get(key).copied()
    }

    fn activity(&self, _: Timestamp, _: Timestamp) -> Activity {
        self.activity.clone()
    }
}

impl World {
    pub(super) fn new(plan: Plan, now: &str) -> Self {
        let (held, outbox, marks) = (Vec::new(), BTreeMap::new(), RefCell::default());
        Self { plan, now: at(now), held, outbox, marks, activity: Activity::default(), inactive: Vec::new() }
    }

    pub(super) fn decide(&self, events: &[AlertEvent]) -> DeliveryDecision {
        let zone = TimeZone::get(&self.plan.timezone).unwrap();
        decide_deliveries(&DeliveryInput {
            plan: &self.plan,
            zone: &zone,
            base_url: Some("https://farero.example"),
            events,
            held: &self.held,
            facts: self,
            now: self.now,
        })
    }

    /// Decides and stores, as `state` does; gives the titles of the new entries as `channel: title`.
    pub(super) fn turn(&mut self, events: &[AlertEvent]) -> Vec<String> {
        let decision = self.decide(events);
        self.held.retain(|item| !decision.release.contains(&item.id));
        self.held.extend(decision.hold);
        self.marks.borrow_mut().extend(decision.marks);
        let mut titles = Vec::new();
        for entry in decision.outbox {
            titles.push(format!("{}: {}", entry.channel, entry.message.title));
            self.outbox.entry(entry.key.clone()).or_insert(entry);
        }
        titles
    }

    pub(super) fn forward(&mut self, by: &str) {
        self.now = self.now + by.parse::<Duration>().unwrap().std();
    }

    pub(super) fn last_text(&self) -> &str {
        &self.outbox.values().max_by_key(|e| e.created_at).unwrap().message.text
    }
}
