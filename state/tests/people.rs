//! Users, sessions, tokens and links. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use common::{at, each_database, new_user, some_deed};
use kernel::Language;
use kernel::trail::{Actor, Deed};
use state::{Link, NewToken, Session, StateError};

fn session(token: &str, user_id: i64) -> Session {
    Session {
        token_hash: token.into(),
        user_id,
        created_at: at(0),
        last_seen_at: at(0),
        idle_ends_at: at(600),
        ends_at: at(3_600),
        client: "Firefox, 127.0.0.1".into(),
        proved_at: at(0),
        method: "password".into(),
    }
}

#[test]
fn a_name_is_taken_once() {
    each_database(|f| {
        let ana = f.state.create_user(&new_user("ana"), at(0)).unwrap();
        let error = f.state.create_user(&new_user("ana"), at(1)).unwrap_err();
        assert!(matches!(error, StateError::Taken { .. }));
        assert_eq!(error.to_string(), "the user `ana` exists already: choose another name");
        assert_eq!(f.state.users().unwrap(), std::slice::from_ref(&ana));
        assert!(f.state.change_password(ana.id, "$new", &some_deed()).unwrap());
        assert_eq!(f.state.credentials("ana").unwrap(), Some((ana.clone(), "$new".into())));
        assert_eq!(f.state.credentials("ANA").unwrap(), None);
        assert_eq!(f.state.user(ana.id).unwrap(), Some(ana));
    });
}

#[test]
fn sessions_end_by_idleness_age_log_out_and_disabling() {
    each_database(|f| {
        let ana = f.state.create_user(&new_user("ana"), at(0)).unwrap();
        let alive = |token: &str, s| f.state.session(token, at(s)).unwrap().is_some();
        f.state.begin_session(&session("a", ana.id), &some_deed()).unwrap();
        assert!(alive("a", 599) && !alive("a", 600), "idle end");
        let (current, _) = f.state.session("a", at(500)).unwrap().unwrap();
        f.state.touch_session(&current, at(500), at(9_999)).unwrap();
        assert!(alive("a", 3_599) && !alive("a", 3_600), "absolute end");
        let (current, _) = f.state.session("a", at(501)).unwrap().unwrap();
        f.state.touch_session(&current, at(501), at(700)).unwrap();
        assert!(alive("a", 701), "noted a moment ago: not written again");

        f.state.begin_session(&session("b", ana.id), &some_deed()).unwrap();
        assert_eq!(f.state.sessions(ana.id, at(1)).unwrap().len(), 2);
        assert!(f.state.end_session("b").unwrap());
        assert!(!alive("b", 1));
        f.state.begin_session(&session("c", ana.id), &some_deed()).unwrap();
        assert_eq!(f.state.end_sessions(ana.id).unwrap(), 2);
        assert!(!alive("a", 1) && !alive("c", 1));
        f.state.begin_session(&session("d", ana.id), &some_deed()).unwrap();
        f.state.update_user(ana.id, "viewer", Language::En, true).unwrap();
        assert!(!alive("d", 1), "whoever is disabled is logged out");
    });
}

#[test]
fn tokens_end_by_expiry_revocation_and_their_user() {
    each_database(|f| {
        let ana = f.state.create_user(&new_user("ana"), at(0)).unwrap();
        let new = |hash: &str, expires_at| NewToken {
            token_hash: hash.into(),
            name: "grafana".into(),
            scopes: vec!["read".into()],
            user_id: Some(ana.id),
            expires_at,
        };
        let id = f.state.create_token(&new("t", Some(at(100))), at(0)).unwrap();
        let works = |hash: &str, s| f.state.api_token(hash, at(s)).unwrap();
        assert_eq!(works("t", 99).unwrap().scopes, ["read"]);
        assert_eq!(works("t", 100), None);
        f.state.touch_api_token(&works("t", 1).unwrap(), at(5)).unwrap();
        assert_eq!(works("t", 6).unwrap().last_used_at, Some(at(5)));
        assert!(f.state.revoke_api_token(id, at(7)).unwrap());
        assert_eq!(works("t", 8), None);
        f.state.create_token(&new("u", None), at(0)).unwrap();
        assert!(works("u", 1_000_000).is_some());
        f.state.update_user(ana.id, "viewer", Language::Es, true).unwrap();
        assert_eq!(works("u", 1), None);
        assert_eq!(f.state.api_tokens().unwrap().len(), 2);
    });
}

#[test]
fn a_link_is_used_once_by_one_of_many() {
    each_database(|f| {
        let link = |hash: &str| Link {
            token_hash: hash.into(),
            purpose: "create-administrator".into(),
            user_id: None,
            created_at: at(0),
            expires_at: at(100),
            made_by: "root".into(),
        };
        f.state.create_link(&link("old")).unwrap();
        f.state.create_link(&link("new")).unwrap();
        assert_eq!(f.state.link("old", "create-administrator", at(1)).unwrap(), None, "only the newest works");
        assert_eq!(f.state.use_link("new", "reset-password", at(1)).unwrap(), None);
        assert_eq!(f.state.use_link("new", "create-administrator", at(100)).unwrap(), None, "too late");
        let users: Vec<_> = (0..8)
            .map(|_| {
                let state = f.state.clone();
                std::thread::spawn(move || state.use_link("new", "create-administrator", at(1)).unwrap())
            })
            .collect();
        let got = users.into_iter().filter_map(|t| t.join().unwrap()).count();
        assert_eq!(got, 1);
    });
}

#[test]
fn sec_12_when_an_account_was_last_active_is_known() {
    each_database(|f| {
        let [ana, eva, leo] = ["ana", "eva", "leo"].map(|name| f.state.create_user(&new_user(name), at(0)).unwrap());
        f.state.begin_session(&session("a", ana.id), &some_deed()).unwrap();
        let token = NewToken {
            token_hash: "t".into(),
            name: "grafana".into(),
            scopes: vec!["read".into()],
            user_id: Some(eva.id),
            expires_at: None,
        };
        f.state.create_token(&token, at(0)).unwrap();
        let used = f.state.api_token("t", at(50)).unwrap().unwrap();
        f.state.touch_api_token(&used, at(50)).unwrap();
        let seen = f.state.session("a", at(1)).unwrap().unwrap().0.last_seen_at;
        let active = f.state.last_active().unwrap();
        assert_eq!((active.get(&ana.id), active.get(&eva.id), active.get(&leo.id)), (Some(&seen), Some(&at(50)), None));
        f.state.record(&Deed::new(at(900), Actor::person("ana"), "alert.acknowledge")).unwrap();
        f.state.record(&Deed::new(at(950), Actor::person("ana"), "user.add").refused("no role")).unwrap();
        assert_eq!(f.state.last_active().unwrap().get(&ana.id), Some(&at(900)), "a refused attempt is no use");
    });
}
