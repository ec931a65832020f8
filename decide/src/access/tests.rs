//! Decisions about access, told as small stories. Pure.

use kernel::access::{Grant, Granted, Kind, Object, Request, Role, Scope, Source, TokenScope, Verb};
use kernel::alert::{Alert, AlertState};
use kernel::{Labels, Language, Timestamp};

use super::administrators::{Candidate, some_stay};
use super::*;
use plan_model::{LoadOptions, Plan, SourceFile, load};

const PLAN: &str = "system: x
timezone: UTC
environments: {staging: {}, prod: {}}
people: {ana: {login: ana@x}, eva: {login: eva}, leo: {}}
roles: {dba: {people: [ana]}, seguridad: {people: [eva]}}
teams: {datos: {people: [dba]}}
severities:
  critica: {rank: critical}
  brecha: {rank: critical, restricted_to: [seguridad, viewer]}
services:
  web: {check: {tcp: 'a:1'}}
  boveda: {check: {tcp: 'a:2'}, restricted_to: [seguridad]}
access:
  - {role: operator, to: [datos], environments: [staging]}
  - {role: viewer, to: [seguridad, leo]}
";

fn plan(text: &str) -> Plan {
    let options = LoadOptions { folder: String::new(), environment: None, today: jiff::civil::date(2026, 3, 1) };
    load(&[SourceFile::new("plan.yaml", text)], &options).plan.unwrap()
}

fn granted(grant: Grant) -> Granted {
    Granted { grant, source: Source::Page }
}

fn subject(grants: &[Granted]) -> Subject<'_> {
    Subject { grants, memberships: &[], token: None }
}

fn alert(labels: &[(&str, &str)]) -> Alert {
    Alert {
        system: "x".into(),
        group: "g".into(),
        rule: "R".into(),
        labels: Labels::new(labels.iter().copied()),
        annotations: Labels::default(),
        state: AlertState::Firing,
        value: 1.0,
        active_at: Timestamp::from_secs(1),
        fired_at: None,
        last_true_at: Timestamp::from_secs(1),
        resolved_at: None,
    }
}

#[test]
fn sec_12_nothing_is_allowed_without_a_grant() {
    for verb in Verb::ALL {
        for kind in Kind::ALL {
            assert_eq!(subject(&[]).decide(&Request::new(*verb, Object::platform(*kind))), Err(Denied::Unseen));
        }
    }
}

#[test]
fn pln_02_another_system_does_not_exist() {
    let grants = [granted(Grant::in_systems(Role::Viewer, ["x"]))];
    let own = Object::system("x", None);
    assert_eq!(subject(&grants).decide(&Request::new(Verb::See, own)), Ok(&grants[0]));
    let other = Request::new(Verb::See, Object::system("y", None));
    assert_eq!(subject(&grants).decide(&other), Err(Denied::Unseen));
    let denied = subject(&grants).decide(&Request::new(Verb::Run, own)).unwrap_err();
    assert_eq!(denied, Denied::Role { verb: Verb::Run, roles: vec![Role::Viewer] });
    assert!(!denied.hides() && Denied::Unseen.hides());
    assert_eq!(denied.text(Language::En), "viewer may not run");
    assert_eq!(denied.text(Language::Es), "observa: sin permiso de ejecutar");
}

#[test]
fn sec_12_a_token_only_takes_away() {
    let grants = [granted(Grant::everywhere(Role::Operator))];
    let token = TokenScope { verbs: [Verb::See].into(), systems: Scope::only(["x"]) };
    let cut = Subject { token: Some(&token), ..subject(&grants) };
    assert!(cut.may(Verb::See, Object::system("x", None)));
    let run = Request::new(Verb::Run, Object::system("x", None));
    assert_eq!(cut.decide(&run), Err(Denied::Token { verb: Verb::Run }));
    assert!(!cut.may(Verb::See, Object::system("y", None)) && !cut.may(Verb::See, Object::platform(Kind::System)));
    let all = TokenScope { verbs: Verb::ALL.iter().copied().collect(), systems: Scope::All };
    let wide = Subject { token: Some(&all), ..subject(&grants) };
    assert!(!wide.may(Verb::Administer, Object::platform(Kind::People)), "never more than its owner");
}

#[test]
fn inc_14_what_is_restricted_is_hidden_from_everybody_else() {
    let plan = plan(PLAN);
    let secret = alert(&[("severity", "brecha"), ("service", "web")]);
    let vault = alert(&[("severity", "critica"), ("service", "boveda")]);
    let labelled = alert(&[("severity", "critica"), ("restricted_to", "dba, eva")]);
    let open = alert(&[("severity", "critica"), ("service", "web")]);
    let sees = |grants: &[Granted], memberships: &[Membership], alert: &Alert| {
        let request = Request::new(Verb::See, Object::system("x", None));
        let subject = Subject { grants, memberships, token: None };
        subject.decide_restricted(&request, &restricted::of_alert(Some(&plan), alert)).is_ok()
    };
    let administrator = [granted(Grant::everywhere(Role::Administrator))];
    let auditor = [granted(Grant::everywhere(Role::Auditor))];
    let viewer = [granted(Grant::everywhere(Role::Viewer))];
    let eva = from_plan::memberships(&plan, "eva");
    for (alert, by_viewer, by_eva) in [(&secret, true, true), (&vault, false, true), (&labelled, false, true)] {
        assert!(!sees(&administrator, &[], alert), "an administrator is not named");
        assert!(sees(&auditor, &[], alert), "an auditor sees all");
        assert_eq!(sees(&viewer, &[], alert), by_viewer, "a built-in role may be named");
        assert_eq!(sees(&administrator, &eva, alert), by_eva);
        assert!(!sees(&[], &eva, alert), "being named grants nothing");
    }
    assert!(sees(&administrator, &[], &open));
    let both = alert(&[("severity", "brecha"), ("service", "boveda")]);
    assert!(!sees(&viewer, &[], &both) && sees(&viewer, &eva, &both), "every list holds");
    assert!(restricted::is_any(&plan));
}

#[test]
fn pln_02_a_plan_grants_by_person_role_and_team() {
    let plan = plan(PLAN);
    let names = |account: &str| from_plan::memberships(&plan, account).into_iter().map(|m| m.name).collect::<Vec<_>>();
    assert_eq!(names("ana@x"), ["ana", "dba", "datos"]);
    assert_eq!(names("eva"), ["eva", "seguridad"]);
    assert!(names("leo").is_empty(), "a person without `login:` is no account");
    let grants = from_plan::grants(&plan, &from_plan::memberships(&plan, "ana@x"));
    let [one] = grants.as_slice() else { panic!("{grants:?}") };
    assert_eq!(one.source, Source::Plan { system: "x".into(), to: "datos".into() });
    assert!(subject(&grants).may(Verb::Run, Object::system("x", Some("staging"))));
    assert!(!subject(&grants).may(Verb::See, Object::system("x", Some("prod"))));
    let stranger = [Membership { system: "y".into(), name: "datos".into() }];
    assert!(from_plan::grants(&plan, &stranger).is_empty(), "the same name in another plan is another team");
}

#[test]
fn sec_12_the_last_administrator_stays() {
    let administrator = [granted(Grant::everywhere(Role::Administrator))];
    let of_one_system = [granted(Grant::in_systems(Role::Administrator, ["x"]))];
    let who = |id, enters, grants| Candidate { id, enters, grants };
    assert!(!some_stay(&[who(1, false, &administrator)]), "who cannot log in lets nobody in");
    assert!(!some_stay(&[who(1, false, &administrator), who(2, true, &of_one_system)]));
    assert!(some_stay(&[who(1, false, &administrator), who(2, true, &administrator)]));
}
