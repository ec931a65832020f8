//! Alerts and their history: what the rules start from, what people see. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Fixture, alert, at, deed, each_database, event};
use kernel::alert::{AlertEvent, AlertState, EventKind};
use state::{AlertFilter, EvaluationCommit};

fn commit(active: Vec<kernel::alert::Alert>, events: Vec<AlertEvent>, seconds: i64) -> EvaluationCommit {
    EvaluationCommit { system: "sigcerh".into(), group: "servicios".into(), active, events, at: at(seconds) }
}

#[test]
fn alr_23_a_firing_has_start_end_value_and_acknowledgement() {
    each_database(|f| {
        let pending = alert("Down", AlertState::Pending, 0);
        f.state.commit_evaluation(&commit(vec![pending.clone()], vec![], 0)).unwrap();
        assert_eq!(f.state.active_alerts("sigcerh").unwrap().len(), 1);
        assert_eq!(f.state.alerts(&AlertFilter::default()).unwrap(), [], "pending is not history");

        let firing = alert("Down", AlertState::Firing, 0);
        let fired = event(&firing, EventKind::Fired);
        f.state.commit_evaluation(&commit(vec![firing.clone()], vec![fired.clone()], 60)).unwrap();
        let stands = f
            .state
            .acknowledge(&firing.firing_id(), "ana", at(70), "miro", &deed("alert.acknowledge"))
            .unwrap()
            .unwrap();
        assert_eq!((stands.by.as_str(), stands.note.as_str()), ("ana", "miro"));
        let second = f
            .state
            .acknowledge(&firing.firing_id(), "luis", at(80), "yo", &deed("alert.acknowledge"))
            .unwrap()
            .unwrap();
        assert_eq!(second.by, "ana", "the first acknowledgement stays");
        assert_eq!(f.state.acknowledge("unknown", "ana", at(80), "", &deed("alert.acknowledge")).unwrap(), None);

        let resolved = alert("Down", AlertState::Resolved, 0);
        let ended = event(&resolved, EventKind::Resolved);
        f.state.commit_evaluation(&commit(vec![], vec![ended.clone()], 120)).unwrap();
        let f = f.reopen();
        let history = f.state.alerts(&AlertFilter { past_only: true, ..AlertFilter::default() }).unwrap();
        assert_eq!(history.len(), 1);
        assert_eq!(history[0].alert.resolved_at, resolved.resolved_at);
        assert!(history[0].alert.value.is_nan(), "a value that JSON has no word for comes back");
        assert_eq!(history[0].acknowledged.as_ref().map(|a| a.by.as_str()), Some("ana"));
        let told: Vec<_> = f.state.events_of(&firing.firing_id()).unwrap().into_iter().map(|e| e.id).collect();
        assert_eq!(told, [fired.id, ended.id]);
    });
}

#[test]
fn an_event_stored_twice_is_stored_once() {
    each_database(|f| {
        let firing = alert("Down", AlertState::Firing, 0);
        let c = commit(vec![firing.clone()], vec![event(&firing, EventKind::Fired)], 60);
        assert_eq!(f.state.commit_evaluation(&c).unwrap(), 1);
        assert_eq!(f.state.commit_evaluation(&c).unwrap(), 0);
        assert_eq!(f.state.undecided_events("sigcerh", 10).unwrap().len(), 1);
    });
}

#[test]
fn history_fires_exactly_when_active_does() {
    each_database(|f| {
        let firing = |rule| alert(rule, AlertState::Firing, 0);
        f.state.commit_evaluation(&commit(vec![firing("A"), firing("B")], vec![], 60)).unwrap();
        let names = |f: &Fixture| {
            let filter = AlertFilter { firing_only: true, ..AlertFilter::default() };
            let mut rules: Vec<_> = f.state.alerts(&filter).unwrap().into_iter().map(|r| r.alert.rule).collect();
            rules.sort();
            rules
        };
        assert_eq!(names(&f), ["A", "B"]);
        f.state.commit_evaluation(&commit(vec![firing("B")], vec![], 90)).unwrap();
        assert_eq!(names(&f), ["B"], "an alert that vanished without an event is closed");
        f.state.commit_evaluation(&commit(vec![], vec![], 100)).unwrap();
        assert_eq!(names(&f), [""; 0]);
        let told = f.state.trail_rows(0, 10).unwrap().into_iter().map(|r| r.entry.deed().unwrap());
        let told: Vec<_> = told.map(|d| (d.action.clone(), d.at)).collect();
        let ended = |at_s| ("alert.resolve".to_owned(), at(at_s));
        assert_eq!(told, [ended(90), ended(100)], "the trail tells of both");
        assert_eq!(f.state.active_alerts("sigcerh").unwrap(), []);
    });
}

#[test]
fn a_list_is_searched_and_paged() {
    each_database(|f| {
        let all: Vec<_> = (0..30).map(|i| alert(&format!("R{i}"), AlertState::Firing, i * 10)).collect();
        f.state.commit_evaluation(&commit(all, vec![], 400)).unwrap();
        let page = |filter: AlertFilter| -> Vec<String> {
            f.state.alerts(&filter).unwrap().into_iter().map(|r| r.alert.rule).collect()
        };
        let first = page(AlertFilter { limit: 2, ..AlertFilter::default() });
        assert_eq!(first, ["R29", "R28"]);
        let next = page(AlertFilter { limit: 2, before: Some(at(28 * 10 + 60)), ..AlertFilter::default() });
        assert_eq!(next, ["R27", "R26"]);
        assert_eq!(page(AlertFilter { text: Some("r12".into()), ..AlertFilter::default() }), ["R12"]);
        assert_eq!(page(AlertFilter { text: Some("100%_".into()), ..AlertFilter::default() }), [""; 0]);
        assert_eq!(page(AlertFilter { system: Some("nuam".into()), ..AlertFilter::default() }), [""; 0]);
    });
}
