//! Tries, back-off, fallbacks, giving up. Pure.

use kernel::message::{AttemptResult, DeliveryState};
use proptest::prelude::*;

use super::super::attempt::{
    FIRST_PAUSE, JITTER, LONGEST_PAUSE, LONGEST_RETRY_AFTER, TRIES_ALONE, TRIES_BEFORE_FALLBACK,
};
use super::*;

fn postponed() -> AttemptResult {
    AttemptResult::Postponed { error: "connection refused".into(), retry_after_s: None }
}

fn entry_on(world: &mut World, channel: &str) -> OutboxEntry {
    let down = fired("backend", "critica", world.now);
    world.turn(&[down]);
    let key = world.outbox.keys().find(|k| k.ends_with("/equipo")).unwrap().clone();
    let entry = &world.outbox[&key];
    OutboxEntry { channel: channel.into(), key: key::for_channel(&key, channel), ..entry.clone() }
}

/// Tries until nothing is left to try; gives the channels with their tries and last states, and the time it took.
fn exhaust(world: &mut World, mut entry: OutboxEntry, result: &AttemptResult) -> Vec<(String, u32, DeliveryState)> {
    let mut log = Vec::new();
    loop {
        entry.tries += 1;
        let after = decide_after_attempt(&entry, result, &world.plan, world, world.now);
        if after.entry.state == DeliveryState::Queued {
            assert!(after.entry.due_at > world.now);
            world.now = after.entry.due_at;
            entry = after.entry;
            continue;
        }
        log.push((after.entry.channel.clone(), after.entry.tries, after.entry.state));
        match after.fallback {
            Some(next) => entry = next,
            None => return log,
        }
    }
}

#[test]
fn chn_08_the_fallback_takes_over_and_chains_that_loop_end() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let entry = entry_on(&mut world, "sms");
    let start = world.now;
    let log = exhaust(&mut world, entry, &postponed());
    let failed = DeliveryState::Failed;
    assert_eq!(
        log,
        [
            ("sms".into(), TRIES_BEFORE_FALLBACK, failed),
            ("equipo".into(), TRIES_BEFORE_FALLBACK, failed),
            ("slack".into(), TRIES_ALONE, failed)
        ]
    );
    assert!(world.now.since(start) > StdDuration::from_secs(12 * 3_600));
}

#[test]
fn chn_08_a_refusal_goes_to_the_fallback_at_once() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let entry = entry_on(&mut world, "equipo");
    let refused = AttemptResult::Refused { error: "535 authentication failed".into() };
    let after = decide_after_attempt(&entry, &refused, &world.plan, &world, world.now);
    assert_eq!(after.entry.state, DeliveryState::Failed);
    let next = after.fallback.unwrap();
    assert_eq!((next.channel.as_str(), next.tries, next.due_at), ("slack", 0, world.now));
    assert_eq!(next.fallen_from, ["equipo"]);
    assert!(next.key.ends_with("/slack"));
    assert!(after.why.contains("535"), "{}", after.why);
}

#[test]
fn chn_08_an_inactive_fallback_is_passed_over() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let entry = entry_on(&mut world, "sms");
    world.inactive.push("equipo".into());
    let refused = AttemptResult::Refused { error: "no".into() };
    let after = decide_after_attempt(&entry, &refused, &world.plan, &world, world.now);
    assert_eq!(after.fallback.unwrap().channel, "slack");
}

#[test]
fn chn_04_a_fallback_does_not_take_what_its_channel_does_not_take() {
    let mut plan = plan();
    plan.channels["equipo"].fallback = Some("sms".into());
    let mut world = World::new(plan, "2026-11-22T15:00:00Z");
    let mut entry = entry_on(&mut world, "equipo");
    entry.message.rank = kernel::Rank::Warning;
    let refused = AttemptResult::Refused { error: "no".into() };
    assert_eq!(decide_after_attempt(&entry, &refused, &world.plan, &world, world.now).fallback, None);
}

#[test]
fn chn_08_the_receiver_may_ask_for_patience() {
    let key = "k/equipo";
    assert_eq!(pause_after(key, 1, Some(120)), StdDuration::from_secs(120));
    assert_eq!(pause_after(key, 1, Some(1_000_000)), LONGEST_RETRY_AFTER);
    assert_eq!(pause_after(key, 3, None), pause_after(key, 3, None), "the same each time");
}

#[test]
fn chn_05_a_person_has_time_to_confirm_and_then_the_fallback_takes_over() {
    let plan = plan_with(serde_json::json!({
        "severities": { "critica": { "rank": "critical", "channels": ["whatsapp"] } }
    }));
    let mut world = World::new(plan, "2026-11-22T15:00:00Z");
    world.turn(&[fired("backend", "critica", world.now)]);
    let entry = world.outbox.values().next().unwrap().clone();
    assert_eq!(entry.state, DeliveryState::AwaitingPerson);
    assert_eq!(entry.due_at, at("2026-11-22T15:30:00Z"));
    world.forward("29m");
    assert_eq!(decide_unconfirmed(&entry, &world.plan, &world, world.now), None);
    world.forward("1m");
    let after = decide_unconfirmed(&entry, &world.plan, &world, world.now).unwrap();
    assert_eq!(after.entry.state, DeliveryState::Failed);
    assert_eq!(after.fallback.unwrap().channel, "slack");
}

#[test]
fn chn_08_the_gravest_goes_first() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let mut entries = vec![entry_on(&mut world, "equipo"), entry_on(&mut world, "slack"), entry_on(&mut world, "sms")];
    entries[0].message.rank = kernel::Rank::Low;
    entries[1].created_at = at("2026-11-22T14:00:00Z");
    decide_order(&mut entries);
    let order: Vec<&str> = entries.iter().map(|e| e.channel.as_str()).collect();
    assert_eq!(order, ["slack", "sms", "equipo"]);
}

proptest! {
    #[test]
    fn chn_08_pauses_grow_and_stay_in_bounds(key in "[a-z0-9/]{1,30}", tries in 1u32..200) {
        let pause = pause_after(&key, tries, None);
        prop_assert!(pause <= LONGEST_PAUSE);
        prop_assert!(pause >= FIRST_PAUSE.mul_f64(1.0 - JITTER));
        prop_assert!(pause_after(&key, tries + 1, None) >= pause.mul_f64(1.0 - JITTER));
    }
}
