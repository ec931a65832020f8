//! What Farero's own bookkeeping tells the trail: alerts that fired and ended, messages that went out, time without watch. Pure.

use kernel::Timestamp;
use kernel::alert::{Alert, AlertEvent, EventKind};
use kernel::message::{AttemptResult, DeliveryAttempt, DeliveryState, OutboxEntry};
use kernel::trail::{Actor, Deed};

/// An alert that fired or ended. Informing ones are not told: nothing is wrong and nobody is woken.
pub(crate) fn of_event(event: &AlertEvent) -> Option<Deed> {
    let action = match event.kind {
        EventKind::Fired => "alert.fire",
        EventKind::Resolved => "alert.resolve",
        EventKind::Informed => return None,
    };
    let summary = event.alert.annotations.get("summary").unwrap_or_default();
    Some(of_alert(event.at, action, &event.alert).saying(summary))
}

/// An alert of the history that ended because its rule no longer knows it: nobody is written to, and the trail says why.
pub(crate) fn of_vanished(alert: &Alert, at: Timestamp) -> Deed {
    of_alert(at, "alert.resolve", alert).saying("its rule no longer has it")
}

fn of_alert(at: Timestamp, action: &str, alert: &Alert) -> Deed {
    Deed::new(at, Actor::farero("rules"), action)
        .on("alert", alert.firing_id())
        .in_system(&alert.system)
        .set("rule", &alert.rule)
        .set("severity", alert.severity())
}

/// What became of a message, once that is final: a try that will be made again stands in the delivery log.
pub(crate) fn of_attempt(
    attempt: &DeliveryAttempt,
    entry: &OutboxEntry,
    fallback: Option<&OutboxEntry>,
) -> Option<Deed> {
    let action = match (entry.state, fallback) {
        (_, Some(_)) => "delivery.fall_back",
        (DeliveryState::Sent | DeliveryState::AwaitingPerson, None) => "delivery.send",
        (DeliveryState::Failed, None) => "delivery.fail",
        _ => return None,
    };
    let deed = Deed::new(attempt.at, Actor::farero("outbox"), action)
        .on("delivery", &entry.key)
        .in_system(&entry.system)
        .set("channel", &attempt.channel)
        .set("title", &entry.message.title);
    let deed = match fallback {
        Some(next) => deed.set("passed to", &next.channel),
        None => deed,
    };
    Some(match &attempt.result {
        AttemptResult::Taken { answer } => deed.saying(answer),
        AttemptResult::Postponed { error, .. } | AttemptResult::Refused { error } => deed.failed(error),
    })
}

/// A time in which nothing was watched.
pub(crate) fn of_blind(from: Timestamp, to: Timestamp) -> Deed {
    Deed::new(to, Actor::farero("watch"), "farero.blind")
        .on("farero", "")
        .set("from", from.to_string())
        .set("until", to.to_string())
}
