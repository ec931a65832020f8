//! Results of checks: history, roll-ups, heartbeats, blind time, retention. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Fixture, at, deed, each_database, result};
use kernel::heartbeat::{Ping, PingKind};
use kernel::probe::{CheckId, Outcome, ProbeResult};
use state::{CHANGES_KEPT, FAILURES_KEPT, PINGS_KEPT, PlanVersion, ResultFilter, Span};

const CHECK: &str = "sigcerh/backend/salud";

fn id() -> CheckId {
    CheckId::parse(CHECK).unwrap()
}

fn record(f: &Fixture, outcomes: &[(i64, Outcome)]) {
    for (seconds, outcome) in outcomes {
        f.state.record_results(&[Arc::new(result(CHECK, *seconds, *outcome))]).unwrap();
    }
}

fn history(f: &Fixture, filter: ResultFilter) -> Vec<ProbeResult> {
    f.state.results(&id(), &filter).unwrap()
}

#[test]
fn failures_and_changes_are_on_disk_at_once() {
    each_database(|f| {
        use Outcome::{Down, Up};
        record(&f, &[(0, Up), (1, Up), (2, Down), (3, Down), (4, Up), (5, Up)]);
        let seen = |f: &Fixture| -> Vec<_> {
            let all = history(f, ResultFilter::default());
            all.iter().map(|r| (r.started_at.since(at(0)).as_secs(), r.outcome)).collect()
        };
        assert_eq!(seen(&f), [(5, Up), (4, Up), (3, Down), (2, Down), (0, Up)]);
        let f = f.reopen();
        assert_eq!(seen(&f), [(4, Up), (3, Down), (2, Down), (0, Up)], "only the unflushed success is gone");
        let day = &f.state.days(&id(), at(-86_400), at(0)).unwrap()[0];
        assert_eq!((day.counts.up, day.counts.down), (3, 2), "counted with each write, never invented");
        let latest = f.state.latest_results().unwrap();
        assert_eq!((latest[0].result.started_at, latest[0].since), (at(4), at(4)));
    });
}

#[test]
fn mark_alive_writes_what_waits() {
    each_database(|f| {
        record(&f, &[(0, Outcome::Up), (1, Outcome::Up), (2, Outcome::Slow), (3, Outcome::Slow)]);
        f.state.mark_alive(at(4)).unwrap();
        let f = f.reopen();
        assert_eq!(f.state.last_alive().unwrap(), Some(at(4)));
        let day = &f.state.days(&id(), at(-86_400), at(0)).unwrap()[0];
        assert_eq!((day.counts.up, day.counts.slow, day.counts.known()), (2, 2, 4));
        assert_eq!((day.counts.duration_sum_ms, day.counts.duration_max_ms), (168, 42));
        let latest = f.state.latest_results().unwrap();
        assert_eq!(
            (latest[0].result.started_at, latest[0].since),
            (at(2), at(2)),
            "the text of a success may be older"
        );
        record(&f, &[(1_000, Outcome::Slow)]);
        f.state.mark_alive(at(1_000)).unwrap();
        assert_eq!(f.reopen().state.latest_results().unwrap()[0].result.started_at, at(1_000));
    });
}

#[test]
fn successes_wait_no_longer_than_the_flush() {
    each_database(|f| {
        for s in 0..=20 {
            record(&f, &[(s, Outcome::Up)]);
        }
        let f = f.reopen();
        let counts = f.state.days(&id(), at(-86_400), at(0)).unwrap()[0].counts;
        assert!(counts.up >= 15, "{counts:?}");
    });
}

#[test]
fn counts_on_disk_and_in_memory_are_read_as_one() {
    each_database(|f| {
        let day = 86_400;
        let midnight = Span::Day.start_of(at(0)).since(at(-10 * day)).as_secs() as i64 - 10 * day;
        record(&f, &[(midnight - 2, Outcome::Up), (midnight - 1, Outcome::Up), (midnight, Outcome::Up)]);
        f.state.mark_alive(at(midnight)).unwrap();
        record(&f, &[(midnight + 1, Outcome::Up), (midnight + 3_600, Outcome::Up), (midnight + 3_601, Outcome::Blind)]);
        let days = f.state.days(&id(), at(midnight - 5 * day), at(midnight + day)).unwrap();
        assert_eq!(days.iter().map(|b| (b.counts.up, b.counts.blind)).collect::<Vec<_>>(), [(2, 0), (3, 1)]);
        let hours = f.state.hours(&id(), at(midnight - 3_600), at(midnight + day)).unwrap();
        assert_eq!(hours.iter().map(|b| b.counts.up).collect::<Vec<_>>(), [2, 2, 1]);
        let mut sum = state::Counts::default();
        hours.iter().for_each(|b| sum.add(&b.counts));
        let all = f.state.all_counts(Span::Hour, at(midnight - 3_600), at(midnight + day)).unwrap();
        assert_eq!(all[&id()], sum);
        assert_eq!(
            f.state.hours(&id(), at(midnight + 1), at(midnight + day)).unwrap().len(),
            1,
            "spans that begin inside"
        );
    });
}

#[test]
fn the_history_of_a_check_is_capped() {
    each_database(|f| {
        let n = i64::from(u16::try_from(FAILURES_KEPT).unwrap()) + 150;
        let many: Vec<_> = (0..n).map(|s| Arc::new(result(CHECK, s, Outcome::Down))).collect();
        f.state.record_results(&many).unwrap();
        let flapping: Vec<_> = (0..n)
            .map(|s| Arc::new(result(CHECK, n + s, if s % 2 == 0 { Outcome::Up } else { Outcome::Down })))
            .collect();
        f.state.record_results(&flapping).unwrap();
        let f = f.reopen();
        let everything = history(&f, ResultFilter { limit: 10_000, ..ResultFilter::default() });
        assert_eq!(everything.len() as i64, FAILURES_KEPT + CHANGES_KEPT);
        assert!(everything.windows(2).all(|w| w[0].started_at > w[1].started_at));
        let changes = history(&f, ResultFilter { changes_only: true, limit: 3, ..ResultFilter::default() });
        assert_eq!(changes[0].started_at, at(2 * n - 1));
        let older =
            ResultFilter { outcome: Some(Outcome::Down), before: Some(at(n)), limit: 1, ..ResultFilter::default() };
        assert_eq!(history(&f, older)[0].started_at, at(n - 1), "old failures are kept beside a flood of changes");
        assert_eq!(f.state.recent_changes(at(2 * n - 10), 100).unwrap().len(), 10);
    });
}

#[test]
fn a_heartbeat_has_one_url_and_a_bounded_log() {
    each_database(|f| {
        let token = f.state.heartbeat_token(&id()).unwrap();
        assert_eq!(token.len(), 32);
        assert_eq!(f.state.heartbeat_token(&id()).unwrap(), token);
        assert_ne!(f.state.heartbeat_token(&CheckId::new("a", "b", "c")).unwrap(), token);
        assert_eq!(f.state.check_by_token(&token).unwrap(), Some(id()));
        assert_eq!(f.state.check_by_token("guess").unwrap(), None);
        let ping = |s| Ping { at: at(s), kind: PingKind::Success, duration_ms: None, exit_code: Some(0), body: None };
        for s in 0..PINGS_KEPT + 5 {
            f.state.record_ping(&id(), &ping(s)).unwrap();
        }
        let kept = f.state.pings(&id(), 10_000).unwrap();
        assert_eq!((kept.len() as i64, &kept[0]), (PINGS_KEPT, &ping(PINGS_KEPT + 4)));
    });
}

#[test]
fn blind_intensive_plans_and_settings() {
    each_database(|f| {
        f.state.record_blind(at(0), at(10)).unwrap();
        f.state.record_blind(at(5), at(5)).unwrap();
        assert_eq!(f.state.blind_periods(at(9)).unwrap(), [(at(0), at(10))]);
        assert_eq!(f.state.blind_periods(at(10)).unwrap(), []);

        f.state.set_intensive("sigcerh", None, at(100), "ana", &deed("intensive.set")).unwrap();
        f.state.set_intensive("sigcerh", Some("backend"), at(50), "ana", &deed("intensive.set")).unwrap();
        assert_eq!(f.state.intensive(at(49)).unwrap().len(), 2);
        assert_eq!(f.state.intensive(at(50)).unwrap()[0].component, None);
        f.state.set_intensive("sigcerh", None, at(0), "luis", &deed("intensive.set")).unwrap();
        assert_eq!(f.state.intensive(at(50)).unwrap(), []);

        let plan = |hash: &str, s| PlanVersion {
            system: "sigcerh".into(),
            hash: hash.into(),
            at: at(s),
            version: "1.0".into(),
            files_json: "{}".into(),
        };
        assert!(f.state.record_plan(&plan("a", 0), &deed("plan.use")).unwrap());
        assert!(
            !f.state.record_plan(&plan("a", 1), &deed("plan.use")).unwrap(),
            "the same plan again is no new version"
        );
        assert!(f.state.record_plan(&plan("b", 2), &deed("plan.use")).unwrap());
        assert!(f.state.record_plan(&plan("a", 3), &deed("plan.use")).unwrap(), "going back is one");
        assert_eq!(f.state.plans("sigcerh").unwrap(), [plan("a", 3), plan("b", 2), plan("a", 0)]);

        f.state.set_setting("url", Some("http://x")).unwrap();
        assert_eq!(f.state.setting("url").unwrap().as_deref(), Some("http://x"));
        f.state.set_setting("url", None).unwrap();
        assert_eq!(f.state.setting("url").unwrap(), None);
    });
}

#[test]
fn clean_deletes_what_is_old_and_nothing_else() {
    each_database(|f| {
        let day = 86_400;
        record(&f, &[(-800 * day, Outcome::Up), (-20 * day, Outcome::Down), (0, Outcome::Up)]);
        f.state.mark_alive(at(0)).unwrap();
        f.state.record_blind(at(-799 * day), at(-798 * day)).unwrap();
        assert!(f.state.clean(at(0)).unwrap() > 0);
        assert_eq!(f.state.clean(at(0)).unwrap(), 0);
        assert_eq!(f.state.days(&id(), at(-900 * day), at(0)).unwrap().len(), 2);
        assert_eq!(f.state.hours(&id(), at(-900 * day), at(0)).unwrap().len(), 1);
        assert_eq!(history(&f, ResultFilter::default()).len(), 2);
        assert_eq!(f.state.blind_periods(at(-900 * day)).unwrap(), []);
    });
}
