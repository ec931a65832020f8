//! Grants, teams, accounts of programs, requests for approval, on both databases. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use common::{at, each_database, new_user};
use kernel::access::{Grant, Role, Scope, Source};
use kernel::trail::{Actor, Deed};
use state::{AccountKind, ApprovalFilter, Holder, NewApproval, StateError};

fn deed(action: &str) -> Deed {
    Deed::new(at(0), Actor::person("jefa"), action).on("user", "ana")
}

fn operator() -> Grant {
    Grant { environments: Scope::only(["staging"]), ..Grant::in_systems(Role::Operator, ["nuam"]) }
}

#[test]
fn sec_12_what_an_account_was_granted_and_where_it_comes_from() {
    each_database(|f| {
        let ana = f.state.create_user(&new_user("ana"), at(0)).unwrap().id;
        let own = f.state.give(Holder::User(ana), &operator(), ("jefa", at(1)), &deed("grant.give")).unwrap();
        let team = f.state.create_team("guardia", at(1), &deed("team.add")).unwrap();
        let viewer = Grant::everywhere(Role::Viewer);
        f.state.give(Holder::Team(team), &viewer, ("jefa", at(2)), &deed("grant.give")).unwrap();
        assert!(f.state.set_member(team, ana, true, &deed("team.change")).unwrap());
        assert!(!f.state.set_member(team, ana, true, &deed("team.change")).unwrap(), "a member already");
        let (granted, teams) = f.state.granted(ana).unwrap();
        let told: Vec<(Grant, Source)> = granted.into_iter().map(|g| (g.grant, g.source)).collect();
        let expect = [(operator(), Source::Page), (viewer, Source::Team { name: "guardia".into() })];
        assert_eq!((told.as_slice(), teams), (expect.as_slice(), vec!["guardia".to_owned()]));
        let row = f.state.grant(own).unwrap().unwrap();
        assert_eq!((row.holder, row.created_by.as_str(), row.created_at), (Holder::User(ana), "jefa", at(1)));
        assert!(f.state.take_grant(own, &deed("grant.take")).unwrap());
        assert!(!f.state.take_grant(own, &deed("grant.take")).unwrap());
        assert!(f.state.remove_team(team, &deed("team.remove")).unwrap());
        let (granted, teams) = f.state.granted(ana).unwrap();
        assert_eq!((granted.len(), teams.len()), (0, 0), "what a team was granted goes with it");
        assert!(f.state.give(Holder::User(999), &operator(), ("jefa", at(1)), &deed("grant.give")).is_err());
    });
}

#[test]
fn a_team_has_one_name_and_its_members() {
    each_database(|f| {
        let ana = f.state.create_user(&new_user("ana"), at(0)).unwrap().id;
        let team = f.state.create_team("guardia", at(1), &deed("team.add")).unwrap();
        let error = f.state.create_team("guardia", at(2), &deed("team.add")).unwrap_err();
        assert!(matches!(error, StateError::Taken { what: "team", .. }), "{error}");
        assert!(!f.state.set_member(team, 999, true, &deed("team.change")).unwrap(), "nobody of that number");
        f.state.set_member(team, ana, true, &deed("team.change")).unwrap();
        let teams = f.state.teams().unwrap();
        assert_eq!((teams[0].name.as_str(), teams[0].members[0].name.as_str()), ("guardia", "ana"));
        assert!(f.state.set_member(team, ana, false, &deed("team.change")).unwrap());
        assert!(f.state.teams().unwrap()[0].members.is_empty());
        let ci = f.state.add_account(&new_user("ci"), AccountKind::Service, at(3), &deed("user.add")).unwrap();
        assert_eq!(f.state.services().unwrap(), [ci]);
        let again = f.state.add_account(&new_user("ci"), AccountKind::Person, at(4), &deed("user.add"));
        assert!(matches!(again, Err(StateError::Taken { what: "user", .. })));
        assert!(f.state.set_account(ci, "", true, &deed("user.change")).unwrap());
        let changed = f.state.user(ci).unwrap().unwrap();
        assert_eq!((changed.role.as_str(), changed.disabled), ("", true));
    });
}

fn request(subject: &str, seconds: i64) -> NewApproval {
    NewApproval {
        what: "deployment".into(),
        system: "nuam".into(),
        environment: "prod".into(),
        subject: subject.into(),
        details: "1.2.0 → 1.2.1".into(),
        payload: String::new(),
        rule: "{\"need\":2,\"four_eyes\":true,\"by\":[]}".into(),
        requested_by: "ana".into(),
        requested_at: at(seconds),
        expires_at: at(seconds + 600),
    }
}

#[test]
fn sec_12_a_request_is_asked_once_answered_once_by_each_and_decided_once() {
    each_database(|f| {
        let told = deed("approval.ask");
        let (id, new) = f.state.ask_approval(&request("1.2.1", 0), &told).unwrap();
        assert!(new);
        assert_eq!(f.state.ask_approval(&request("1.2.1", 1), &told).unwrap(), (id, false), "it waits already");
        let (other, new) = f.state.ask_approval(&request("1.2.1", 700), &told).unwrap();
        assert!(new && other != id, "the first one is too old");
        let vote = |id, who: &str, yes| f.state.vote(id, (who, yes, "bien"), at(5), &deed("approval.yes")).unwrap();
        assert!(vote(id, "eva", true) && !vote(id, "eva", false), "whoever has answered has answered");
        assert!(vote(id, "leo", true) && !vote(999, "leo", true));
        let deciding: Vec<_> = (0..4)
            .map(|_| {
                let state = (*f.state).clone();
                std::thread::spawn(move || {
                    state.decide_approval(id, "approved", at(6), &deed("approval.decide")).unwrap()
                })
            })
            .collect();
        let decided = deciding.into_iter().filter_map(|t| t.join().unwrap().then_some(())).count();
        assert_eq!(decided, 1, "of several callers one decides");
        assert!(!vote(id, "mia", false), "a request that was decided stays decided");
        let read = f.state.approval(id).unwrap().unwrap();
        assert_eq!((read.standing.as_str(), read.decided_at), ("approved", Some(at(6))));
        let votes: Vec<&str> = read.votes.iter().map(|(who, ..)| who.as_str()).collect();
        assert_eq!((votes, read.asked), (vec!["eva", "leo"], request("1.2.1", 0)));
        let list = |waiting| {
            let filter = ApprovalFilter { system: Some("nuam".into()), waiting, limit: 10 };
            f.state.approvals(&filter).unwrap().into_iter().map(|a| a.id).collect::<Vec<_>>()
        };
        assert_eq!((list(false), list(true)), (vec![other, id], vec![other]));
        let newest = f.state.approval_of("deployment", "nuam", "1.2.1").unwrap().unwrap();
        assert_eq!(newest.id, other);
    });
}
