//! From events to the outbox and the delivery log. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use common::{alert, at, deed, each_database, entry, event};
use kernel::alert::{AlertState, EventKind};
use kernel::message::{AttemptResult, DeliveryAttempt, DeliveryState, HeldItem};
use state::{DeliveryCommit, EvaluationCommit, OutboxFilter};

fn taken(key: &str, channel: &str, seconds: i64) -> DeliveryAttempt {
    let result = AttemptResult::Taken { answer: "250 Ok".into() };
    DeliveryAttempt { key: key.into(), channel: channel.into(), at: at(seconds), took_ms: 12, result }
}

#[test]
fn deciding_moves_an_event_to_the_outbox_once() {
    each_database(|f| {
        let firing = alert("Down", AlertState::Firing, 0);
        let fired = event(&firing, EventKind::Fired);
        let (system, group) = ("sigcerh".to_owned(), "servicios".to_owned());
        let evaluation =
            EvaluationCommit { system, group, active: vec![firing], events: vec![fired.clone()], at: at(60) };
        f.state.commit_evaluation(&evaluation).unwrap();
        let held = HeldItem {
            id: format!("{}-advertencia", fired.id),
            system: "sigcerh".into(),
            severity: "advertencia".into(),
            event: fired.clone(),
            due_at: at(3_600),
        };
        let decision = DeliveryCommit {
            decided: vec![fired.id.clone()],
            hold: vec![held.clone()],
            outbox: vec![entry("k1", "correo", 60)],
            marks: vec![("digest/sigcerh".into(), at(60))],
            ..DeliveryCommit::default()
        };
        assert_eq!(f.state.commit_deliveries(&decision).unwrap(), 1);
        assert_eq!(f.state.commit_deliveries(&decision).unwrap(), 0, "the same key again is stored once");
        let f = f.reopen();
        assert_eq!(f.state.undecided_events("sigcerh", 10).unwrap(), []);
        let waiting = f.state.held_items("sigcerh").unwrap();
        assert_eq!((waiting.len(), &waiting[0].id), (1, &held.id));
        assert_eq!(f.state.mark("digest/sigcerh").unwrap(), Some(at(60)));
        f.state.commit_deliveries(&DeliveryCommit { release: vec![held.id], ..DeliveryCommit::default() }).unwrap();
        assert_eq!(f.state.held_items("sigcerh").unwrap(), []);
        assert_eq!(f.state.due_outbox(at(60), 10).unwrap(), [entry("k1", "correo", 60)]);
    });
}

#[test]
fn chn_08_every_try_is_in_the_log_and_a_fallback_takes_over() {
    each_database(|f| {
        let first = entry("k1", "correo", 0);
        f.state
            .commit_deliveries(&DeliveryCommit { outbox: vec![first.clone()], ..DeliveryCommit::default() })
            .unwrap();
        assert_eq!(f.state.due_outbox(at(-1), 10).unwrap(), [], "not before its time");
        assert!(f.state.begin_attempt("k1", at(1)).unwrap());
        assert!(!f.state.begin_attempt("k1", at(1)).unwrap(), "a try that runs is not begun again");
        let refused =
            DeliveryAttempt { result: AttemptResult::Refused { error: "550".into() }, ..taken("k1", "correo", 1) };
        let failed = kernel::message::OutboxEntry { state: DeliveryState::Failed, tries: 1, ..first };
        let mut fallback = entry("k1/sms", "sms", 1);
        fallback.fallen_from = vec!["correo".into()];
        f.state.finish_attempt(&refused, &failed, Some(&fallback)).unwrap();
        assert_eq!(f.state.attempts("k1").unwrap(), std::slice::from_ref(&refused));
        assert_eq!(f.state.due_outbox(at(1), 10).unwrap(), [fallback.clone()]);
        let log =
            f.state.outbox(&OutboxFilter { state: Some(DeliveryState::Failed), ..OutboxFilter::default() }).unwrap();
        assert_eq!((log.len(), &log[0].last_attempt), (1, &Some(refused)));

        assert!(f.state.begin_attempt("k1/sms", at(2)).unwrap());
        let sent = kernel::message::OutboxEntry { state: DeliveryState::Sent, tries: 1, ..fallback };
        f.state.finish_attempt(&taken("k1/sms", "sms", 2), &sent, None).unwrap();
        assert_eq!(f.state.sent_times("sigcerh", "sms", at(0)).unwrap(), [at(2)]);
        assert_eq!(f.state.sent_times("nuam", "sms", at(0)).unwrap(), []);
        let counts = f.state.outbox_counts().unwrap();
        assert_eq!(counts.iter().map(|c| c.count).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(f.state.next_due().unwrap(), None);
    });
}

#[test]
fn what_a_crash_interrupted_is_queued_again() {
    each_database(|f| {
        let both = vec![entry("k1", "correo", 0), entry("k2", "correo", 5)];
        f.state.commit_deliveries(&DeliveryCommit { outbox: both, ..DeliveryCommit::default() }).unwrap();
        f.state.begin_attempt("k1", at(1)).unwrap();
        assert!(f.state.postpone("k2", at(9)).unwrap());
        let f = f.reopen();
        let interrupted = f.state.requeue_interrupted().unwrap();
        assert_eq!(interrupted.iter().map(|e| (e.key.as_str(), e.tries)).collect::<Vec<_>>(), [("k1", 1)]);
        let due: Vec<_> = f.state.due_outbox(at(10), 10).unwrap().into_iter().map(|e| e.key).collect();
        assert_eq!(due, ["k1", "k2"]);
    });
}

#[test]
fn chn_05_a_person_confirms_once() {
    each_database(|f| {
        let mut by_hand = entry("k1", "whatsapp", 0);
        by_hand.state = DeliveryState::AwaitingPerson;
        f.state.commit_deliveries(&DeliveryCommit { outbox: vec![by_hand], ..DeliveryCommit::default() }).unwrap();
        assert!(f.state.confirm_by_person("k1", "ana", at(5), &deed("delivery.confirm")).unwrap());
        assert!(!f.state.confirm_by_person("k1", "luis", at(6), &deed("delivery.confirm")).unwrap());
        let log = f.state.outbox(&OutboxFilter::default()).unwrap();
        assert_eq!(log[0].confirmed, Some(("ana".into(), at(5))));
        assert_eq!(log[0].entry.state, DeliveryState::Sent);
    });
}
