//! How people prove who they are: everything that is good once is good once, on both databases. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::access::{Grant, Granted, Role, Source};

use common::{at, each_database, entry, new_user, some_deed};
use state::{
    CEREMONIES, Ceremony, FAILURES, FailureCount, Identity, NewPasskey, OutboxFilter, Session, State, StateError, Totp,
};

/// Of so many callers at the same time, how many got it.
fn race(state: &State, work: impl Fn(&State) -> bool + Sync) -> usize {
    let got = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                if work(state) {
                    got.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    got.into_inner()
}

#[test]
fn sec_12_a_code_is_taken_by_one_of_many() {
    each_database(|f| {
        let ana = f.state.create_user(&new_user("ana"), at(0)).unwrap().id;
        assert_eq!(f.state.totp(ana).unwrap(), None);
        let totp = Totp { sealed: "x".into(), made_at: at(0), last_step: 10 };
        let codes: Vec<String> = (0..10).map(|n| format!("hash-{n}")).collect();
        f.state.enrol_totp(ana, &totp, &codes, &some_deed()).unwrap();
        assert_eq!(f.state.totp(ana).unwrap(), Some(totp));
        assert!(!f.state.take_totp_step(ana, 10).unwrap() && !f.state.take_totp_step(ana, 9).unwrap());
        assert_eq!(race(&f.state, |s| s.take_totp_step(ana, 11).unwrap()), 1);
        assert_eq!(race(&f.state, |s| s.use_recovery_code(ana, "hash-3", at(5), &some_deed()).unwrap()), 1);
        assert!(!f.state.use_recovery_code(ana, "hash-99", at(5), &some_deed()).unwrap());
        assert_eq!(f.state.recovery_codes_left(ana).unwrap(), 9);
        f.state.replace_recovery_codes(ana, &["new".to_owned()], &some_deed()).unwrap();
        assert!(!f.state.use_recovery_code(ana, "hash-4", at(6), &some_deed()).unwrap(), "old codes work no longer");
        f.state.remove_totp(ana, &some_deed()).unwrap();
        assert_eq!((f.state.totp(ana).unwrap(), f.state.recovery_codes_left(ana).unwrap()), (None, 0));
    });
}

#[test]
fn sec_12_a_passkeys_count_is_compared_and_set() {
    each_database(|f| {
        let ana = f.state.create_user(&new_user("ana"), at(0)).unwrap();
        let new = |id: &str| NewPasskey {
            user_id: ana.id,
            credential_id: id.into(),
            public_key: "key".into(),
            uses: 0,
            name: "Teléfono".into(),
            backed_up: false,
        };
        f.state.add_passkey(&new("c1"), at(1), &some_deed()).unwrap();
        let twice = f.state.add_passkey(&new("c1"), at(1), &some_deed()).unwrap_err();
        assert!(matches!(twice, StateError::Taken { .. }), "{twice}");
        f.state.add_passkey(&new("c2"), at(2), &some_deed()).unwrap();
        assert_eq!(f.state.passkey_handle(ana.id, "h1").unwrap().as_deref(), Some("h1"));
        assert_eq!(f.state.passkey_handle(ana.id, "h2").unwrap().as_deref(), Some("h1"), "the first one stays");
        let (passkey, user, handle) = f.state.passkey("c1").unwrap().unwrap();
        assert_eq!((user.id, handle.as_str(), passkey.used_at), (ana.id, "h1", None));
        assert_eq!(race(&f.state, |s| s.use_passkey(passkey.id, 0, 1, true, at(9)).unwrap()), 1);
        let (passkey, ..) = f.state.passkey("c1").unwrap().unwrap();
        assert_eq!((passkey.uses, passkey.backed_up, passkey.used_at), (1, true, Some(at(9))));
        f.state.remove_passkey(ana.id + 1, passkey.id, &some_deed()).unwrap();
        assert_eq!(f.state.passkeys(ana.id).unwrap().len(), 2, "only one's own");
        f.state.remove_second_factors(ana.id, &some_deed()).unwrap();
        assert_eq!(f.state.passkeys(ana.id).unwrap(), []);
    });
}

#[test]
fn sec_12_accounts_at_providers_are_of_one_person() {
    each_database(|f| {
        let (ana, beto) = (new_user("ana"), new_user("beto"));
        let (ana, beto) = (f.state.create_user(&ana, at(0)).unwrap(), f.state.create_user(&beto, at(0)).unwrap());
        let linked = |user_id| Identity {
            issuer: "https://id".into(),
            subject: "7".into(),
            user_id,
            name: "ana@example.org".into(),
            managed: true,
            grants: vec![Granted { grant: Grant::everywhere(Role::Viewer), source: Source::Page }],
            made_at: at(1),
            used_at: Some(at(1)),
        };
        f.state.link_identity(&linked(ana.id), &some_deed()).unwrap();
        assert!(matches!(f.state.link_identity(&linked(beto.id), &some_deed()), Err(StateError::Taken { .. })));
        f.state.use_identity("https://id", "7", at(9)).unwrap();
        let (found, user) = f.state.identity("https://id", "7").unwrap().unwrap();
        assert_eq!((found.used_at, user.id), (Some(at(9)), ana.id));
        assert_eq!(f.state.identity("https://other", "7").unwrap(), None);
        assert_eq!(found.grants.len(), 1);
        let fewer = Identity { grants: Vec::new(), ..found };
        f.state.change_group_grants(&fewer, &some_deed()).unwrap();
        assert_eq!(f.state.identities(ana.id).unwrap(), [fewer]);
        f.state.unlink_identity(beto.id, "https://id", "7", &some_deed()).unwrap();
        assert_eq!(f.state.identities(ana.id).unwrap().len(), 1, "only one's own");
        f.state.unlink_identity(ana.id, "https://id", "7", &some_deed()).unwrap();
        assert_eq!(f.state.identities(ana.id).unwrap(), []);
    });
}

fn ceremony(hash: &str, seconds: i64) -> Ceremony {
    Ceremony {
        token_hash: hash.into(),
        purpose: "code".into(),
        user_id: None,
        data: "{}".into(),
        tries: 0,
        expires_at: at(seconds),
    }
}

#[test]
fn sec_12_what_was_begun_ends_once_in_time_and_after_few_tries() {
    each_database(|f| {
        let begin = |hash: &str| f.state.begin_ceremony(&ceremony(hash, 600), at(0)).unwrap();
        begin("a");
        assert!(f.state.ceremony("a", "passkey", at(1)).unwrap().is_none(), "for its purpose only");
        assert!(f.state.ceremony("a", "code", at(600)).unwrap().is_none(), "too late");
        assert_eq!(race(&f.state, |s| s.take_ceremony("a", "code", at(1)).unwrap().is_some()), 1);
        begin("b");
        assert!(f.state.note_try("b", 3).unwrap() && f.state.note_try("b", 3).unwrap());
        assert!(!f.state.note_try("b", 3).unwrap() && f.state.ceremony("b", "code", at(1)).unwrap().is_none());
        begin("c");
        f.state.begin_ceremony(&ceremony("d", 1_200), at(601)).unwrap();
        assert!(f.state.ceremony("c", "code", at(1)).unwrap().is_none(), "what ended is gone");
        const { assert!(CEREMONIES > 1_000, "an attacker must not push everybody else's out at once") };
    });
}

#[test]
fn sec_12_failures_are_counted_whoever_counts() {
    each_database(|f| {
        let keys = ["a".to_owned(), "b".to_owned()];
        let one_more =
            |before: Option<FailureCount>| FailureCount { count: before.map_or(1, |b| b.count + 1), last: at(7) };
        race(&f.state, |s| s.note_failure(&keys, one_more).is_ok());
        let counted = f.state.failures(&["b".to_owned(), "c".to_owned(), "a".to_owned()]).unwrap();
        let eight = Some(FailureCount { count: 8, last: at(7) });
        assert_eq!(counted, [eight, None, eight], "none is lost");
        f.state.forget_failures(&keys[..1]).unwrap();
        assert_eq!(f.state.failures(&keys).unwrap(), [None, eight]);
        const { assert!(FAILURES > 1_000) };
    });
}

#[test]
fn sec_12_a_seal_is_broken_by_one_and_told_in_the_same_transaction() {
    each_database(|f| {
        let user = f.state.create_user(&new_user("break-glass"), at(0)).unwrap().id;
        f.state.renew_seal("old", user, "ana", at(1), &some_deed()).unwrap();
        f.state.renew_seal("new", user, "ana", at(2), &some_deed()).unwrap();
        assert_eq!(f.state.sealed_account("old").unwrap(), None, "the one before works no longer");
        assert_eq!(f.state.sealed_account("new").unwrap(), Some(user));
        let alarms = [entry("alarm-1", "correo", 3)];
        let breaks = |s: &State| s.break_seal("new", "10.0.0.9", "nadie", at(3), &alarms, &some_deed()).unwrap();
        assert_eq!(race(&f.state, breaks), 1);
        let told = f.state.outbox(&OutboxFilter { limit: 10, ..OutboxFilter::default() }).unwrap();
        assert_eq!(told.iter().map(|r| r.entry.key.as_str()).collect::<Vec<_>>(), ["alarm-1"]);
        let seal = f.state.seal().unwrap().unwrap();
        assert_eq!(
            (seal.used_at, seal.used_from.as_deref(), seal.reason.as_deref()),
            (Some(at(3)), Some("10.0.0.9"), Some("nadie"))
        );
        assert!(!f.state.break_seal("never", "x", "y", at(4), &[], &some_deed()).unwrap());
        f.state.renew_seal("third", user, "ana", at(5), &some_deed()).unwrap();
        assert_eq!(f.state.seal().unwrap().unwrap().used_at, None);
    });
}

#[test]
fn sec_12_sessions_get_new_secrets_and_shorter_limits() {
    each_database(|f| {
        let ana = f.state.create_user(&new_user("ana"), at(0)).unwrap().id;
        let session = |hash: &str| Session {
            token_hash: hash.into(),
            user_id: ana,
            created_at: at(0),
            last_seen_at: at(0),
            idle_ends_at: at(7_200),
            ends_at: at(86_400),
            client: "x".into(),
            proved_at: at(0),
            method: "passkey".into(),
        };
        f.state.begin_session(&session("a"), &some_deed()).unwrap();
        let renewed = Session { proved_at: at(50), ..session("b") };
        assert_eq!(race(&f.state, |s| s.rotate_session("a", &renewed).unwrap()), 1);
        assert!(f.state.session("a", at(51)).unwrap().is_none());
        assert_eq!(f.state.session("b", at(51)).unwrap().unwrap().0, renewed);
        f.state.begin_session(&session("c"), &some_deed()).unwrap();
        assert_eq!(f.state.all_sessions(at(51)).unwrap().len(), 2);
        let minutes = |n: u64| std::time::Duration::from_secs(n * 60);
        f.state.shorten_sessions(minutes(30), minutes(60)).unwrap();
        let (shorter, _) = f.state.session("b", at(51)).unwrap().unwrap();
        assert_eq!((shorter.idle_ends_at, shorter.ends_at), (at(1_800), at(3_600)));
        f.state.shorten_sessions(minutes(300), minutes(600)).unwrap();
        assert_eq!(f.state.session("b", at(51)).unwrap().unwrap().0.ends_at, at(3_600), "never longer");
        assert_eq!(f.state.end_other_sessions(ana, "b", &some_deed()).unwrap(), 1);
        assert!(
            f.state.end_session_by("b", &some_deed()).unwrap() && !f.state.end_session_by("b", &some_deed()).unwrap()
        );
    });
}
