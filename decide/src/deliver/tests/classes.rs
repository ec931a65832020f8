//! Delivery classes: now, within, daily, info. Pure.

use plan_model::Deliver;
use proptest::prelude::*;

use super::*;
use crate::severity::severity_of;

#[test]
fn alr_05_now_goes_at_once_to_all_channels_of_the_severity() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let down = fired("backend", "critica", world.now);
    let told = world.turn(std::slice::from_ref(&down));
    assert_eq!(told, ["equipo: Crítica: backend no responde", "sms: Crítica: backend no responde"]);
    world.forward("12m");
    let up = resolved(&down, world.now);
    assert_eq!(world.turn(&[up]), ["equipo: Recuperado (Crítica): backend no responde"]);
    assert!(world.last_text().contains("duró 12 min"), "{}", world.last_text());
}

#[test]
fn alr_05_within_an_hour_gathers_and_is_out_in_time() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    assert!(world.turn(&[fired("backend", "advertencia", world.now)]).is_empty());
    world.forward("30m");
    assert!(world.turn(&[fired("ocr", "advertencia", world.now)]).is_empty());
    let wake = world.decide(&[]).wake_at.unwrap();
    assert_eq!(wake, at("2026-11-22T15:59:00Z"));
    world.now = wake;
    assert_eq!(world.turn(&[]), ["equipo: Advertencia: 2 avisos de SIGCERH"]);
    assert!(world.held.is_empty());
    assert!(world.last_text().contains("En curso (2):"), "{}", world.last_text());
    world.forward("2h");
    assert!(world.turn(&[]).is_empty());
}

#[test]
fn alr_05_beginning_and_end_within_the_delay_are_told_together() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let slow = fired("ocr", "advertencia", world.now);
    world.turn(std::slice::from_ref(&slow));
    world.forward("20m");
    world.turn(&[resolved(&slow, world.now)]);
    world.forward("40m");
    assert_eq!(world.turn(&[]), ["equipo: Advertencia: ocr no responde (ya terminó)"]);
    assert!(world.last_text().contains("Desde 2026-11-22 10:00 hasta 2026-11-22 10:20, duró 20 min"));
}

#[test]
fn alr_05_an_event_found_late_goes_at_once() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let old = fired("ocr", "advertencia", at("2026-11-22T12:00:00Z"));
    assert_eq!(world.turn(&[old]).len(), 1);
    assert!(world.held.is_empty());
}

#[test]
fn alr_05_info_is_shown_and_never_sent() {
    let plan = plan_with(serde_json::json!({
        "severities": { "nota": { "rank": "info", "deliver": "info", "channels": ["equipo"] } }
    }));
    let mut world = World::new(plan, "2026-11-22T15:00:00Z");
    let note = fired("ocr", "nota", world.now);
    let decision = world.decide(std::slice::from_ref(&note));
    assert_eq!(decision.report[0].fate, Fate::Shown);
    assert_eq!(decision.decided, std::slice::from_ref(&note.id));
    assert!(world.turn(&[note]).is_empty());
}

#[test]
fn chn_09_the_digest_comes_at_seven_even_when_nothing_happened() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    assert!(world.turn(&[]).is_empty(), "no digest for the time before the first start");
    world.activity = Activity { up: 1_437, slow: 2, down: 1, uptime_percent: Some(99.93), ..Activity::default() };
    world.now = at("2026-11-23T11:59:59Z");
    assert!(world.turn(&[]).is_empty(), "never early");
    world.forward("1s");
    assert_eq!(world.turn(&[]), ["equipo: Resumen de SIGCERH del 2026-11-22: Disponibilidad: 99.930 %"]);
    let text = world.last_text();
    assert!(text.contains("Comprobaciones: 1440 (1437 bien, 2 lentas, 1 fallidas)"), "{text}");
    assert!(text.contains("No queda nada abierto."), "{text}");
    world.forward("1m");
    assert!(world.turn(&[]).is_empty(), "once");
}

#[test]
fn chn_09_a_digest_missed_while_farero_was_down_comes_late_and_once() {
    let mut world = World::new(plan(), "2026-11-22T11:00:00Z");
    world.turn(&[]);
    let news = event(alert("BackupDone", "postgres", "informativa", world.now), EventKind::Informed, world.now);
    assert!(world.turn(&[news]).is_empty());
    world.now = at("2026-11-24T15:30:00Z");
    assert_eq!(world.turn(&[]).len(), 1);
    let text = world.last_text();
    assert!(text.contains("Con retraso: debía salir a las 2026-11-24 07:00"), "{text}");
    assert!(text.contains("Novedades (1):"), "{text}");
    assert!(world.turn(&[]).is_empty());
    world.now = at("2026-11-25T12:00:00Z");
    assert_eq!(world.turn(&[]).len(), 1, "the next one is on time again");
    assert!(!world.last_text().contains("Con retraso"));
}

#[test]
fn chn_09_digest_over_a_change_of_the_clock() {
    let mut plan = plan();
    plan.timezone = "America/Santiago".into();
    let mut world = World::new(plan, "2026-09-04T15:00:00Z");
    let mut sent = Vec::new();
    for _ in 0..(4 * 24 * 60) {
        world.forward("1m");
        if !world.turn(&[]).is_empty() {
            sent.push(world.now);
        }
    }
    let expect = ["2026-09-05T11:00:00Z", "2026-09-06T10:00:00Z", "2026-09-07T10:00:00Z", "2026-09-08T10:00:00Z"];
    assert_eq!(sent, expect.map(at));
}

#[test]
fn alr_21_without_a_summary_severity_a_quiet_day_is_quiet() {
    let mut plan = plan();
    plan.alerts.summary = None;
    let mut world = World::new(plan, "2026-11-22T15:00:00Z");
    world.turn(&[]);
    world.forward("1d");
    assert!(world.turn(&[]).is_empty());
    world.turn(&[fired("ocr", "informativa", world.now)]);
    world.forward("1d");
    assert_eq!(world.turn(&[]).len(), 1);
}

#[test]
fn alr_23_the_same_event_is_told_once() {
    let mut world = World::new(plan(), "2026-11-22T15:00:00Z");
    let down = fired("backend", "critica", world.now);
    let first = world.decide(&[down.clone(), down.clone()]);
    assert_eq!(first.outbox.len(), 2);
    world.turn(std::slice::from_ref(&down));
    world.turn(&[down]);
    assert_eq!(world.outbox.len(), 2, "the same keys");
}

#[test]
fn alr_06_an_explained_failure_is_shown_and_not_sent() {
    let world = World::new(plan(), "2026-11-22T15:00:00Z");
    let mut child = alert("ServiceDown", "backend", "critica", world.now);
    child.annotations = child.annotations.with(EXPLAINED_BY_NAME, "postgres");
    let decision = world.decide(&[event(child, EventKind::Fired, world.now)]);
    assert!(decision.outbox.is_empty());
    assert_eq!(decision.report[0].fate, Fate::Explained("postgres".into()));
    assert_eq!(decision.decided.len(), 1);
}

const EXPLAINED_BY_NAME: &str = crate::rules::EXPLAINED_BY;

#[test]
fn chn_07_a_severity_without_channels_is_reported() {
    let mut plan = plan();
    plan.severities["critica"].channels.clear();
    let world = World::new(plan, "2026-11-22T15:00:00Z");
    let decision = world.decide(&[fired("ocr", "critica", world.now)]);
    assert_eq!(decision.report[0].fate, Fate::Unheard);
}

#[derive(Clone, Debug)]
struct Happening {
    service: u8,
    severity: u8,
    minute: u32,
    lasts: Option<u32>,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = (0u8..3, 0u8..4, 0u32..3_000, proptest::option::of(1u32..200));
    let one = one.prop_map(|(service, severity, minute, lasts)| Happening { service, severity, minute, lasts });
    proptest::collection::vec(one, 0..25)
}

const SEVERITIES: [&str; 4] = ["critica", "advertencia", "informativa", "nota"];

/// Events of all happenings by the minute at which they are found.
fn timeline(all: &[Happening], start: Timestamp) -> BTreeMap<u32, Vec<AlertEvent>> {
    let minute = |m: u32| start + StdDuration::from_secs(u64::from(m) * 60);
    let mut by_minute: BTreeMap<u32, Vec<AlertEvent>> = BTreeMap::new();
    for (i, h) in all.iter().enumerate() {
        let service = format!("s{}-{i}", h.service);
        let began = fired(&service, SEVERITIES[usize::from(h.severity)], minute(h.minute));
        if let Some(lasts) = h.lasts {
            by_minute.entry(h.minute + lasts).or_default().push(resolved(&began, minute(h.minute + lasts)));
        }
        by_minute.entry(h.minute).or_default().push(began);
    }
    by_minute
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn alr_05_nothing_is_lost_early_or_late(all in happenings(), down_from in 0u32..3_000, down_for in 0u32..600) {
        let plan = plan_with(serde_json::json!({ "severities": {
            "critica": { "rank": "critical", "deliver": "now", "channels": ["equipo", "sms"] },
            "advertencia": { "rank": "warning", "deliver": "within 1h", "channels": ["equipo"] },
            "informativa": { "rank": "info", "deliver": "daily at 07:00", "channels": ["equipo"] },
            "nota": { "rank": "info", "deliver": "info", "channels": ["equipo"] }
        }}));
        let start = at("2026-09-04T15:00:00Z");
        let mut world = World::new(plan, "2026-09-04T15:00:00Z");
        let minute = |m: u32| start + StdDuration::from_secs(u64::from(m) * 60);
        let (down_from, back) = (minute(down_from), minute(down_from + down_for));
        let end = minute(3_300 + 26 * 60);
        let events = timeline(&all, start);
        let mut fates: BTreeMap<(String, String), Vec<(Timestamp, Fate)>> = BTreeMap::new();
        let mut coming: Vec<AlertEvent> = events.values().flatten().cloned().collect();
        while world.now <= end {
            let later = coming.iter().position(|e| e.at > world.now).unwrap_or(coming.len());
            let found: Vec<AlertEvent> = coming.drain(..later).collect();
            let decision = world.decide(&found);
            for note in decision.report.iter().filter(|n| !matches!(n.fate, Fate::Held(_))) {
                let key = (note.event.clone(), note.channel.clone().unwrap_or_default());
                fates.entry(key).or_default().push((world.now, note.fate.clone()));
            }
            world.turn(&found);
            // Only `wake_at` and new events wake the loop; while Farero is down nothing does.
            let next = coming.first().map(|e| e.at).into_iter().chain(decision.wake_at).min().unwrap_or(end);
            prop_assert!(next > world.now || next == end, "woken at {} for {}", world.now, next);
            world.now = if next >= down_from && next < back { back } else { next.max(world.now + MARGIN) };
        }
        prop_assert!(world.held.is_empty());
        for event in events.into_values().flatten() {
            let Some(meant) = severity_of(&world.plan, event.alert.severity()) else { continue };
            let good_news_over = event.kind == EventKind::Resolved && meant.severity.rank == kernel::Rank::Info;
            let shown = meant.severity.deliver == Deliver::Info || good_news_over;
            let channels: Vec<&str> = if shown { vec![""] } else { meant.severity.channels.iter().map(String::as_str).collect() };
            let expect = channels.len();
            let got: Vec<_> = fates.iter().filter(|((id, _), _)| *id == event.id).collect();
            prop_assert_eq!(got.len(), expect, "{}: {:?}", event.id, got);
            for ((_, channel), told) in got {
                prop_assert_eq!(told.len(), 1, "{} on {}: {:?}", event.id, channel, told);
                let (when, fate) = &told[0];
                if let Fate::Queued(key) = fate {
                    prop_assert!(world.outbox.contains_key(key));
                }
                let promised = match meant.severity.deliver {
                    Deliver::Within(delay) => event.at + delay.std(),
                    Deliver::Daily { minute } if !shown => {
                        let zone = TimeZone::get(&world.plan.timezone).unwrap();
                        let due = daily::next_after(event.at, minute, &zone);
                        prop_assert!(*when >= due, "early");
                        due
                    }
                    _ => event.at,
                };
                let was_down = promised >= down_from && promised <= back;
                prop_assert!(*when <= if was_down { back } else { promised }, "late: {} promised {}", when, promised);
            }
        }
    }
}
