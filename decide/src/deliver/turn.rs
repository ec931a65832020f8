//! One turn of deliveries: each event goes the way of its severity's class. Pure.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration as StdDuration;

use indexmap::IndexMap;
use kernel::alert::{AlertEvent, EventKind};
use kernel::message::{HeldItem, Message, OutboxEntry};
use kernel::{Rank, Timestamp};
use plan_model::Deliver;

use super::{
    DeliveryDecision, DeliveryInput, Fate, LATE_AFTER, MARGIN, MOST_IN_MESSAGE, MOST_SINGLE, Note, Told, Voice,
    attempt, daily, digest, key, takes, text,
};
use crate::rules::EXPLAINED_BY;
use crate::severity::{Meant, severity_of};

/// One turn: what it is decided from, and what is decided so far.
pub(super) struct Turn<'a> {
    input: &'a DeliveryInput<'a>,
    out: DeliveryDecision,
}

impl<'a> Turn<'a> {
    pub(super) fn new(input: &'a DeliveryInput<'a>) -> Self {
        Self { input, out: DeliveryDecision::default() }
    }

    pub(super) fn done(self) -> DeliveryDecision {
        self.out
    }

    fn meant(&self, word: &str) -> Option<Meant<'a>> {
        severity_of(self.input.plan, word)
    }

    fn voice(&self) -> Voice<'a> {
        let DeliveryInput { plan, zone, base_url, now, .. } = *self.input;
        Voice { plan, zone, base_url, now }
    }

    fn note(&mut self, event: &str, severity: &str, channel: Option<&str>, fate: Fate) {
        let (event, severity) = (event.to_owned(), severity.to_owned());
        self.out.report.push(Note { event, severity, channel: channel.map(ToOwned::to_owned), fate });
    }

    fn wake(&mut self, at: Timestamp) {
        self.out.wake_at = Some(self.out.wake_at.map_or(at, |w| w.min(at)));
    }

    /// Sends an event the way of its severity's class.
    pub(super) fn take(
        &mut self,
        event: &AlertEvent,
        waiting: &mut IndexMap<String, Vec<HeldItem>>,
        fresh: &mut IndexMap<String, Vec<AlertEvent>>,
    ) {
        self.out.decided.push(event.id.clone());
        if let Some(by) = event.alert.annotations.get(EXPLAINED_BY) {
            return self.note(&event.id, event.alert.severity(), None, Fate::Explained(by.to_owned()));
        }
        let Some(meant) = self.meant(event.alert.severity()) else {
            return self.note(&event.id, event.alert.severity(), None, Fate::Unheard);
        };
        if event.kind == EventKind::Resolved && meant.severity.rank == Rank::Info {
            // Good news does not recover.
            return self.note(&event.id, meant.name, None, Fate::Shown);
        }
        let due_at = match meant.severity.deliver {
            Deliver::Now => return fresh.entry(meant.name.to_owned()).or_default().push(event.clone()),
            Deliver::Info => return self.note(&event.id, meant.name, None, Fate::Shown),
            Deliver::Within(delay) => event.at + delay.std(),
            Deliver::Daily { minute } => daily::next_after(event.at, minute, self.input.zone),
        };
        waiting.entry(meant.name.to_owned()).or_default().push(HeldItem {
            id: format!("{}/{}", event.id, meant.name),
            system: self.input.plan.system.clone(),
            severity: meant.name.to_owned(),
            event: event.clone(),
            due_at,
        });
    }

    /// What waits for a severity: handed out when its time has come, by the class the plan gives it now.
    pub(super) fn release_or_hold(&mut self, name: &str, items: Vec<HeldItem>) {
        let now = self.input.now;
        let Some(meant) = self.meant(name) else {
            self.drop_items(name, &items, &Fate::Unheard);
            return;
        };
        match meant.severity.deliver {
            Deliver::Info => self.drop_items(meant.name, &items, &Fate::Shown),
            Deliver::Now => self.tell_items(meant.name, &items),
            Deliver::Within(delay) => {
                let margin = MARGIN.min(delay.std() / 10);
                let first = items.iter().map(|i| i.due_at).min().unwrap_or(now) - margin;
                if first <= now {
                    self.tell_items(meant.name, &items);
                } else {
                    self.wake(first);
                    self.hold(items);
                }
            }
            Deliver::Daily { minute } => {
                let (due, later): (Vec<_>, Vec<_>) = items.into_iter().partition(|i| i.due_at <= now);
                self.hold(later);
                if !due.is_empty() {
                    self.forget(&due);
                    let events: Vec<AlertEvent> = due.into_iter().map(|i| i.event).collect();
                    self.digest(&meant, daily::last_until(now, minute, self.input.zone), &events);
                }
            }
        }
    }

    /// Digests of severities for which nothing waits: the day's summary goes out even when nothing happened.
    pub(super) fn digests_without_items(&mut self) {
        let plan = self.input.plan;
        for (name, severity) in &plan.severities {
            let Deliver::Daily { minute } = severity.deliver else { continue };
            let due = daily::last_until(self.input.now, minute, self.input.zone);
            self.wake(daily::next_after(self.input.now, minute, self.input.zone));
            let mark = key::digest_mark(&plan.system, name);
            if self.out.marks.iter().any(|(key, _)| *key == mark) {
                continue;
            }
            match self.input.facts.mark(&mark) {
                // The first turn ever: digests begin with the next one.
                None => self.out.marks.push((mark, self.input.now)),
                Some(last) if last >= due => {}
                Some(_) if plan.alerts.summary.as_deref() == Some(name) => {
                    let found = crate::severity::Found::ByName;
                    self.digest(&Meant { name, severity, found }, due, &[]);
                }
                Some(_) => self.out.marks.push((mark, due)),
            }
        }
    }

    fn digest(&mut self, meant: &Meant<'a>, at: Timestamp, events: &[AlertEvent]) {
        let DeliveryInput { plan, facts, now, .. } = *self.input;
        let mark = key::digest_mark(&plan.system, meant.name);
        let from = facts.mark(&mark).filter(|last| *last < at).unwrap_or(at - StdDuration::from_secs(86_400));
        let late = now.since(at) > LATE_AFTER;
        let due = digest::Due { name: meant.name, severity: meant.severity, from, at, late };
        let is_summary = plan.alerts.summary.as_deref() == Some(meant.name);
        let activity = is_summary.then(|| facts.activity(from, at));
        let what = key::what_digest(&plan.system, meant.name, at);
        let voice = self.voice();
        let silent = self.for_channels(meant, EventKind::Informed, events, |turn, channel| {
            let message = digest::message(&voice, &due, activity.as_ref(), events);
            let key = turn.queue(&what, channel, message);
            for event in events {
                turn.note(&event.id, meant.name, Some(channel), Fate::Queued(key.clone()));
            }
        });
        if silent {
            events.iter().for_each(|e| self.note(&e.id, meant.name, None, Fate::Unheard));
        }
        self.out.marks.push((mark, at));
    }

    fn hold(&mut self, items: Vec<HeldItem>) {
        let known: HashSet<&str> = self.input.held.iter().map(|i| i.id.as_str()).collect();
        for item in items {
            self.wake(item.due_at);
            self.note(&item.event.id, &item.severity, None, Fate::Held(item.due_at));
            if !known.contains(item.id.as_str()) {
                self.out.hold.push(item);
            }
        }
    }

    /// Takes items out of the waiting ones; those that never got there are not named.
    fn forget(&mut self, items: &[HeldItem]) {
        let known: HashSet<&str> = self.input.held.iter().map(|i| i.id.as_str()).collect();
        self.out.release.extend(items.iter().filter(|i| known.contains(i.id.as_str())).map(|i| i.id.clone()));
    }

    fn drop_items(&mut self, name: &str, items: &[HeldItem], fate: &Fate) {
        self.forget(items);
        items.iter().for_each(|item| self.note(&item.event.id, name, None, fate.clone()));
    }

    fn tell_items(&mut self, name: &str, items: &[HeldItem]) {
        self.forget(items);
        let (told, merged) = together(items.iter().map(|i| i.event.clone()));
        let first = self.out.report.len();
        self.tell(name, &told);
        // The beginning shares the fate of the end that it is told with.
        for (beginning, end) in merged {
            let same: Vec<Note> = self.out.report[first..].iter().filter(|n| n.event == end).cloned().collect();
            self.out.report.extend(same.into_iter().map(|n| Note { event: beginning.clone(), ..n }));
        }
    }

    /// Puts events into messages for each channel of a severity.
    pub(super) fn tell(&mut self, name: &str, told: &[Told]) {
        let Some(meant) = self.meant(name) else { return };
        let ids: Vec<AlertEvent> = told.iter().map(|t| t.event.clone()).collect();
        let heard = meant.severity.channels.clone();
        for channel in &heard {
            let taken: Vec<Told> = told.iter().filter(|t| self.channel_takes(&meant, channel, t)).cloned().collect();
            self.messages(&meant, channel, &taken);
        }
        if heard.is_empty() {
            ids.iter().for_each(|e| self.note(&e.id, meant.name, None, Fate::Unheard));
        }
    }

    fn channel_takes(&mut self, meant: &Meant<'_>, channel: &str, told: &Told) -> bool {
        // An end that is told with its beginning is news, not a recovery.
        let kind = if told.began_too { EventKind::Fired } else { told.event.kind };
        let active = self.input.facts.channel_active(channel);
        match takes(self.input.plan, channel, active, meant.severity.rank, kind) {
            Ok(_) => true,
            Err(silence) => {
                self.note(&told.event.id, meant.name, Some(channel), Fate::Silent(silence));
                false
            }
        }
    }

    fn messages(&mut self, meant: &Meant<'a>, channel: &str, told: &[Told]) {
        let waited = !matches!(meant.severity.deliver, Deliver::Now);
        let size = if told.len() > MOST_SINGLE || waited { MOST_IN_MESSAGE } else { 1 };
        let parts = if size == 1 { 1 } else { told.len().div_ceil(size) };
        let voice = self.voice();
        for (n, chunk) in told.chunks(size).enumerate() {
            let part = if parts == 1 { (1, 1) } else { (n + 1, parts) };
            let message = text::message(&voice, meant.name, meant.severity, chunk, part);
            let ids: Vec<&str> = chunk.iter().map(|t| t.event.id.as_str()).collect();
            let key = self.queue(&key::what_events(&ids), channel, message);
            for id in ids {
                self.note(id, meant.name, Some(channel), Fate::Queued(key.clone()));
            }
        }
    }

    fn queue(&mut self, what: &str, channel: &str, message: Message) -> String {
        let DeliveryInput { plan, now, .. } = *self.input;
        let key = key::key(what, channel);
        let Some(settings) = plan.channels.get(channel) else { return key };
        let (state, due_at) = attempt::first_state(settings, now);
        self.out.outbox.push(OutboxEntry {
            key: key.clone(),
            system: plan.system.clone(),
            channel: channel.to_owned(),
            message,
            state,
            tries: 0,
            due_at,
            created_at: now,
            fallen_from: Vec::new(),
        });
        key
    }

    /// Does something for each channel of a severity that takes such events, and says whether there is none.
    fn for_channels(
        &mut self,
        meant: &Meant<'_>,
        kind: EventKind,
        events: &[AlertEvent],
        mut act: impl FnMut(&mut Self, &str),
    ) -> bool {
        for channel in &meant.severity.channels {
            let active = self.input.facts.channel_active(channel);
            match takes(self.input.plan, channel, active, meant.severity.rank, kind) {
                Ok(_) => act(self, channel),
                Err(silence) => {
                    events.iter().for_each(|e| self.note(&e.id, meant.name, Some(channel), Fate::Silent(silence)));
                }
            }
        }
        meant.severity.channels.is_empty()
    }
}

/// Beginnings and ends of the same firing as one, and the ids that went into one another.
fn together(events: impl Iterator<Item = AlertEvent>) -> (Vec<Told>, Vec<(String, String)>) {
    let mut told: Vec<Told> = Vec::new();
    let mut begun: BTreeMap<String, usize> = BTreeMap::new();
    let mut merged = Vec::new();
    for event in events {
        let firing = event.alert.firing_id();
        match (event.kind, begun.get(&firing)) {
            (EventKind::Resolved, Some(&i)) => {
                merged.push((told[i].event.id.clone(), event.id.clone()));
                told[i] = Told { event, began_too: true };
                begun.remove(&firing);
            }
            (EventKind::Fired, _) => {
                begun.insert(firing, told.len());
                told.push(Told { event, began_too: false });
            }
            _ => told.push(Told { event, began_too: false }),
        }
    }
    (told, merged)
}
