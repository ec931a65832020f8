//! The life of an alert, minute by minute. Pure.

use super::*;

const MINUTE: StdDuration = StdDuration::from_secs(60);

/// A rule's alerts and the time.
struct World {
    alerts: Alerts,
    now: Timestamp,
    hold: Duration,
    keep: Duration,
}

impl World {
    fn new(hold: u64, keep: u64) -> Self {
        let (hold, keep) = (Duration::from_mins(hold), Duration::from_mins(keep));
        Self { alerts: Alerts::new(), now: Timestamp::from_secs(1_000_000), hold, keep }
    }

    /// One evaluation; how it stands afterwards, and what is told.
    fn turn(&mut self, holds: bool) -> (Option<Standing>, Vec<Notice>) {
        let labels = Labels::new([("alertname", "Down"), ("job", "a")]);
        let mut held = Alerts::new();
        if holds {
            held.insert(labels.clone(), ActiveAlert::new(labels.clone(), Labels::default(), 1.0, self.now));
        }
        step(&mut self.alerts, held, self.now, self.hold, self.keep);
        let notices = due_notices(&mut self.alerts, "up == 0", self.now, MINUTE, MINUTE);
        self.now = self.now + MINUTE;
        (self.alerts.get(&labels).map(|a| a.state), notices)
    }

    fn states(&mut self, holds: &[bool]) -> Vec<Option<Standing>> {
        holds.iter().map(|h| self.turn(*h).0).collect()
    }
}

use Standing::{Firing, Inactive, Pending};

#[test]
fn alr_03_pending_firing_over() {
    let mut world = World::new(2, 0);
    let states = world.states(&[true, true, true, true, false, false]);
    assert_eq!(states, [Some(Pending), Some(Pending), Some(Firing), Some(Firing), Some(Inactive), Some(Inactive)]);
}

#[test]
fn alr_03_a_break_while_pending_is_forgotten_and_begins_anew() {
    let mut world = World::new(2, 0);
    assert_eq!(
        world.states(&[true, true, false, true, true]),
        [Some(Pending), Some(Pending), None, Some(Pending), Some(Pending)]
    );
}

#[test]
fn alr_03_keeps_firing_for_a_while() {
    let mut world = World::new(0, 3);
    let states = world.states(&[true, false, false, true, false, false, false, false]);
    let expect = [Firing, Firing, Firing, Firing, Firing, Firing, Firing, Inactive];
    assert_eq!(states, expect.map(Some));
}

#[test]
fn alr_23_what_is_over_is_kept_for_15_minutes_and_told_again() {
    let mut world = World::new(0, 0);
    let (_, first) = world.turn(true);
    assert_eq!((first.len(), first[0].ends_at), (1, world.now - MINUTE + MINUTE * VALID_FOR));
    assert!(world.turn(true).1.is_empty(), "a minute later the resend delay has not passed");
    assert_eq!(world.turn(true).1.len(), 1);
    let over_at = world.now;
    let (state, over) = world.turn(false);
    assert_eq!((state, over.len(), over[0].ends_at), (Some(Inactive), 1, over_at), "told at once");
    let told: usize = (0..15).map(|_| world.turn(false).1.len()).sum();
    assert_eq!(told, 7, "every second minute");
    assert!(world.alerts.len() == 1);
    assert_eq!(world.turn(false).0, None);
}

#[test]
fn alr_23_what_begins_again_is_another_alert() {
    let mut world = World::new(0, 0);
    world.states(&[true, false]);
    let again = world.now;
    let (state, told) = world.turn(true);
    assert_eq!((state, told.len(), told[0].starts_at), (Some(Firing), 1, again));
    assert_eq!(world.alerts.len(), 1);
}
