//! The chain against vectors that another program computed, and the limits of a deed. Pure.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Made by `kernel/testdata/trail_vectors.py`, which knows nothing of this code: one line per entry.
const VECTORS: &str = include_str!("../../testdata/trail-vectors.jsonl");

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000 + seconds)
}

fn deeds() -> Vec<Deed> {
    vec![
        Deed::new(at(0), Actor::farero("run"), "farero.start").on("farero", "0.1.0"),
        Deed::new(at(1), Actor::person("ana"), "user.change")
            .on("user", "luis")
            .from("192.0.2.7")
            .changed("role", Some("viewer"), Some("operator"))
            .changed("team", Some("turno"), None)
            .changed("language", Some("es"), Some("es"))
            .changed_in_secret("password"),
        Deed::new(at(2), Actor::Token { name: "ana".into(), token: "ci \"main\"".into() }, "alert.acknowledge")
            .on("alert", "00ff-1")
            .in_system("sigcerh")
            .in_environment("producción")
            .business_id("CAMBIO-2026-17")
            .saying("línea uno\n\tlínea dos \\ \u{7f}<b>☃</b> \u{1f980}"),
        Deed::new(at(3), Actor::Nobody, "session.begin")
            .on("user", "root\u{0}\r\n")
            .from("2001:db8::1")
            .refused("wrong name or password"),
        Deed::new(at(4), Actor::Local { name: "root".into() }, "trail.export").on("trail", "").failed("disk full"),
        Deed::new(at(5), Actor::Service { name: "jenkins".into(), token: "t".into() }, "plan.reload").on("plan", ""),
    ]
}

#[test]
fn sec_12_the_chain_is_the_one_that_another_program_computes() {
    let mut head = Head::START;
    let mut lines = VECTORS.lines();
    for deed in deeds() {
        let entry = chain(&head, &deed);
        let expect: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!(entry.text, expect["text"].as_str().unwrap());
        assert_eq!(entry.sequence, expect["sequence"].as_u64().unwrap());
        assert_eq!(entry.previous.to_string(), expect["previous"].as_str().unwrap());
        assert_eq!(entry.hash.to_string(), expect["hash"].as_str().unwrap());
        assert_eq!(entry.deed().unwrap(), deed);
        assert_eq!(entry.expected_hash(), entry.hash);
        head = entry.head();
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn a_hash_has_one_spelling() {
    let hash = Hash::of(b"abc"); // FIPS 180-2, appendix B.1
    let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hash.to_string(), text);
    assert_eq!(Hash::parse(text), Some(hash));
    for wrong in [&text.to_uppercase(), &text[1..], "", &format!("{text}0"), &text.replace('b', "g")] {
        assert_eq!(Hash::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn texts_are_cut_and_control_characters_go() {
    let long = "x".repeat(LONGEST_TEXT * 2);
    let deed = Deed::new(at(0), Actor::person("a\u{0}b\nc"), "a.b").on("kind", &long).saying(&long);
    assert_eq!(deed.actor.name(), "a b c");
    assert_eq!(deed.object.name.chars().count(), LONGEST_NAME);
    assert_eq!(deed.detail.chars().count(), LONGEST_TEXT);
    assert!(deed.detail.ends_with('…'));
    let many = (0..MOST_CHANGES * 2).fold(deed, |d, i| d.set(&format!("f{i}"), "v"));
    assert_eq!(many.change.len(), MOST_CHANGES);
}

/// Whether the keys of all objects inside stand in order.
fn is_sorted(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.keys().is_sorted() && map.values().all(is_sorted),
        Value::Array(all) => all.iter().all(is_sorted),
        _ => true,
    }
}

proptest! {
    #[test]
    fn any_deed_is_canonical_and_comes_back(
        name in ".*", kind in ".*", text in "(?s).*", before in proptest::option::of("(?s).*"), seconds in -4_000_000_000_i64..4_000_000_000,
        actor in 0..6_usize, outcome in 0..3_usize,
    ) {
        let token = kind.clone();
        let actor = match actor {
            0 => Actor::Person { name: name.clone() },
            1 => Actor::Token { name: name.clone(), token },
            2 => Actor::Service { name: name.clone(), token },
            3 => Actor::Farero { name: name.clone() },
            4 => Actor::Local { name: name.clone() },
            _ => Actor::Nobody,
        };
        let mut deed = Deed::new(at(seconds), actor, "a.b")
            .on(&kind, &name).in_system(&name).business_id(&text).from(&kind).saying(&text)
            .changed(&name, before.as_deref(), Some(&text));
        deed.outcome = Outcome::ALL[outcome];
        let json = deed.to_json();
        prop_assert_eq!(&Deed::from_json(&json).unwrap(), &deed);
        let tree: Value = serde_json::from_str(&json).unwrap();
        prop_assert!(is_sorted(&tree), "{}", json);
        prop_assert_eq!(serde_json::to_string(&tree).unwrap(), json.clone());
        prop_assert!(!json.contains("\\u0000"), "no database refuses it");
    }
}
