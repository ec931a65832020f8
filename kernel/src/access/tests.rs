//! The table, scopes and grants. Pure.

use super::*;

#[test]
fn sec_12_the_table_has_every_role_once_and_seeing_comes_first() {
    assert_eq!(TABLE.iter().map(|(role, _)| *role).collect::<Vec<_>>(), Role::ALL);
    for (role, columns) in TABLE {
        for (kind, verbs) in Kind::ALL.iter().zip(columns) {
            assert!(verbs.is_sorted(), "{role} {kind}: verbs stand in their order");
            assert!(verbs.is_empty() || verbs[0] == Verb::See, "{role} may do something to {kind} it cannot see");
            assert_eq!(role.verbs(*kind), verbs);
        }
    }
}

#[test]
fn sec_12_roles_do_what_their_names_say() {
    let may = |role: Role, verb: Verb, kind: Kind| role.may(verb, kind);
    assert!(Role::ALL.iter().all(|r| may(*r, Verb::See, Kind::System)));
    assert!(!may(Role::Viewer, Verb::Acknowledge, Kind::System));
    assert!(may(Role::Responder, Verb::Acknowledge, Kind::System) && !may(Role::Responder, Verb::Run, Kind::Procedure));
    assert!(may(Role::Operator, Verb::Run, Kind::Procedure) && !may(Role::Operator, Verb::Edit, Kind::System));
    assert!(may(Role::Approver, Verb::Sign, Kind::Procedure) && !may(Role::Approver, Verb::Run, Kind::Procedure));
    assert!(may(Role::Editor, Verb::Edit, Kind::System) && !may(Role::Editor, Verb::Approve, Kind::System));
    let changes = Verb::ALL.iter().filter(|v| **v != Verb::See);
    assert!(
        changes.clone().all(|v| Kind::ALL.iter().all(|k| !may(Role::Auditor, *v, *k))),
        "an auditor changes nothing"
    );
    let by_office = [Verb::Approve, Verb::Sign];
    assert!(by_office.iter().all(|v| !may(Role::Administrator, *v, Kind::System)));
    let people = |role: &&Role| role.may(Verb::Administer, Kind::People);
    assert_eq!(Role::ALL.iter().filter(people).collect::<Vec<_>>(), [&Role::Administrator]);
}

#[test]
fn words_are_read_as_they_are_written() {
    for role in Role::ALL {
        assert_eq!(role.as_str().parse(), Ok(*role));
        assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        assert_ne!(role.label(Language::Es), role.label(Language::En));
    }
    let error = "boss".parse::<Role>().unwrap_err().to_string();
    assert!(error.contains("`boss`") && error.contains("viewer, responder"), "{error}");
}

#[test]
fn scopes_are_stars_or_names() {
    let scope = |json: &str| serde_json::from_str::<Scope>(json).unwrap();
    assert_eq!(scope("\"*\""), Scope::All);
    assert_eq!(scope("\"a\""), Scope::only(["a"]));
    assert_eq!(scope("[\"b\",\"a\"]"), Scope::only(["a", "b"]));
    assert_eq!(serde_json::to_string(&scope("[\"b\",\"a\"]")).unwrap(), "[\"a\",\"b\"]");
    assert!(!scope("[]").has(Some("a")), "an empty list is nothing");
    assert!(Scope::All.has(None) && !Scope::only(["a"]).has(None));
    assert!(Scope::All.includes(&Scope::All) && Scope::only(["a", "b"]).includes(&Scope::only(["b"])));
    assert!(!Scope::only(["a"]).includes(&Scope::All));
}

#[test]
fn pln_02_a_grant_holds_in_its_systems_and_environments_only() {
    let mut grant = Grant::in_systems(Role::Operator, ["nuam"]);
    let check = |grant: &Grant, verb, object, expect| {
        assert_eq!(grant.allows(&Request::new(verb, object)), expect, "{object:?}")
    };
    check(&grant, Verb::Run, Object::system("nuam", Some("prod")), true);
    check(&grant, Verb::See, Object::system("vision", None), false);
    check(&grant, Verb::See, Object::platform(Kind::System), false);
    check(&Grant::everywhere(Role::Operator), Verb::See, Object::platform(Kind::System), true);
    grant.environments = Scope::only(["staging"]);
    check(&grant, Verb::See, Object::system("nuam", Some("prod")), false);
    check(&grant, Verb::See, Object::system("nuam", None), false);
    check(&grant, Verb::Run, Object::system("nuam", Some("staging")), true);
}

#[test]
fn a_grant_for_some_procedures_lets_one_see_the_system_and_no_more() {
    let grant = Grant { procedures: Scope::only(["respaldo"]), ..Grant::in_systems(Role::Operator, ["nuam"]) };
    let check =
        |verb, object, expect| assert_eq!(grant.allows(&Request::new(verb, object)), expect, "{verb} {object:?}");
    check(Verb::See, Object::system("nuam", None), true);
    check(Verb::Run, Object::system("nuam", None), false);
    check(Verb::Run, Object::named(Kind::Procedure, "nuam", None, "respaldo"), true);
    check(Verb::Run, Object::named(Kind::Procedure, "nuam", None, "despliegue"), false);
    check(Verb::Run, Object::named(Kind::Channel, "nuam", None, "respaldo"), false);
    let people = Grant { channels: Scope::only(["x"]), ..Grant::everywhere(Role::Administrator) };
    assert!(!people.allows(&Request::new(Verb::Administer, Object::platform(Kind::People))));
}

#[test]
fn a_grant_is_read_with_little_written() {
    let grant: Grant = serde_json::from_str("{\"role\":\"viewer\",\"systems\":[\"nuam\"]}").unwrap();
    assert_eq!(grant, Grant::in_systems(Role::Viewer, ["nuam"]));
    let granted = Granted { grant, source: Source::Plan { system: "nuam".into(), to: "dba".into() } };
    let json = serde_json::to_string(&granted).unwrap();
    assert_eq!(serde_json::from_str::<Granted>(&json).unwrap(), granted, "{json}");
}
