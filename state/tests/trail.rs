//! The trail on both databases: appended with the change, never changed after, searched, cut only after its time. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use common::postgres::psql;
use common::{Fixture, at, each_database};
use kernel::trail::{Actor, Deed, Hash, Head, Outcome};
use prove_trail::{Problem, SigningKey, Verifier};
use state::{CUT_AT_ONCE, NewSignature, State, StateLocation, TrailFilter};

fn deed(n: i64) -> Deed {
    Deed::new(at(n), Actor::person(if n % 2 == 0 { "ana" } else { "luis" }), "alert.acknowledge")
        .on("alert", format!("firing-{n}"))
        .in_system(if n % 5 == 0 { "nuam" } else { "sigcerh" })
        .business_id(if n == 7 { "CAMBIO-7" } else { "" })
        .from("192.0.2.7")
        .saying(format!("Nota número {n}, 100% vista"))
}

/// Everything that verification finds in a state.
fn problems(state: &State) -> Vec<Problem> {
    let mut verifier = Verifier::new([]);
    for line in state.checkpoints().unwrap() {
        verifier.checkpoint(&prove_trail::SignedCheckpoint::from_line(&line).unwrap());
    }
    for row in state.trail_rows(0, 100_000).unwrap() {
        assert_eq!(row.contradictions, [""; 0], "{:?}", row.entry);
        verifier.entry(&row.entry);
    }
    let report = verifier.finish();
    assert_eq!(report.last, state.trail_head().unwrap());
    report.problems.named
}

/// Runs a statement beside the state, as somebody with the database's own tools would; whether it was refused.
fn refused(f: &Fixture, sql: &str) -> bool {
    match &f.location {
        StateLocation::Folder(folder) => {
            let connection = rusqlite::Connection::open(folder.join(state::FILE_NAME)).unwrap();
            connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
            let done = connection.execute_batch(sql);
            done.is_err()
        }
        StateLocation::Postgres(_) => psql(&f.url, sql).is_none(),
    }
}

#[test]
fn sec_12_deeds_are_chained_and_the_chain_goes_on_after_a_restart() {
    each_database(|f| {
        assert_eq!(f.state.trail_head().unwrap(), Head::START);
        let first = f.state.record_all(&[deed(1), deed(2)]).unwrap();
        assert_eq!(first.sequence, 2);
        let f = f.reopen();
        assert_eq!(f.state.trail_head().unwrap(), first);
        assert_eq!(f.state.record_all(&[]).unwrap(), first, "nothing done, nothing told");
        let last = f.state.record_all(&[deed(3)]).unwrap();
        assert_eq!(problems(&f.state), []);
        assert_eq!(f.state.trail_entry(3).unwrap().unwrap().deed().unwrap(), deed(3));
        assert_eq!((f.state.trail_count().unwrap(), f.state.trail_entry(4).unwrap()), (3, None));
        // The chain is the same on both databases, byte by byte.
        let expect = [deed(1), deed(2), deed(3)].iter().fold(Head::START, |h, d| kernel::trail::chain(&h, d).head());
        assert_eq!(last, expect);
    });
}

#[test]
fn sec_12_writers_at_once_make_one_chain() {
    each_database(|f| {
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let state: State = (*f.state).clone();
                scope.spawn(move || {
                    for n in 0..25 {
                        state.record_all(&[deed(writer * 100 + n)]).unwrap();
                    }
                });
            }
        });
        assert_eq!(f.state.trail_head().unwrap().sequence, 100);
        assert_eq!(problems(&f.state), []);
    });
}

#[test]
fn log_11_the_database_refuses_to_change_or_delete_an_entry() {
    each_database(|f| {
        f.state.record_all(&[deed(1), deed(2), deed(3)]).unwrap();
        let key = SigningKey::from_seed(&[7; 32]);
        let line = key.sign(f.state.trail_head().unwrap(), 3, at(9)).to_line();
        f.state.add_checkpoint(3, at(9), &line).unwrap();
        let signature = signature("text", "ana", 5);
        f.state.sign_document(&signature, &sign_deed(&signature)).unwrap().unwrap();
        for sql in [
            "UPDATE trail SET actor = 'eva' WHERE sequence = 1",
            "UPDATE trail SET deed = '{}'",
            "DELETE FROM trail WHERE sequence = 3",
            "DELETE FROM trail",
            "DELETE FROM trail_head",
            "DELETE FROM trail_cut",
            "UPDATE trail_cut SET upto = 2",
            "UPDATE trail_checkpoints SET line = 'x'",
            "DELETE FROM trail_checkpoints",
            "UPDATE signatures SET person = 'eva'",
            "DELETE FROM signatures",
            "UPDATE signed_texts SET text = 'x'",
            "DELETE FROM signed_texts",
        ] {
            assert!(refused(&f, sql), "{sql}");
        }
        let only = match f.location {
            StateLocation::Folder(_) => vec!["INSERT OR REPLACE INTO trail SELECT * FROM trail WHERE sequence = 2"],
            StateLocation::Postgres(_) => vec!["TRUNCATE trail", "TRUNCATE signatures, signed_texts"],
        };
        assert!(only.iter().all(|sql| refused(&f, sql)));
        f.state.clean(at(40 * 365 * 86_400)).unwrap();
        assert_eq!(f.state.trail_head().unwrap().sequence, 4);
        assert_eq!(f.state.trail_rows(0, 10).unwrap().len(), 4, "no clean-up touches the trail");
        assert_eq!(problems(&f.state), []);
    });
}

#[test]
fn log_11_the_trail_is_searched_by_actor_object_business_id_time_and_text() {
    each_database(|f| {
        let all: Vec<Deed> = (1..=30).map(deed).collect();
        f.state.record_all(&all).unwrap();
        f.state.record_all(&[deed(31).refused("no grant"), deed(32).failed("disk full")]).unwrap();
        let start = Deed::new(at(33), Actor::farero("run"), "farero.start").on("farero", "");
        f.state.record_all(&[start]).unwrap();
        let find = |filter: TrailFilter| -> Vec<u64> {
            let filter = TrailFilter { limit: if filter.limit == 0 { 100 } else { filter.limit }, ..filter };
            f.state.trail(&filter).unwrap().iter().map(|e| e.sequence).collect()
        };
        let none = TrailFilter::default;
        assert_eq!(find(TrailFilter { limit: 2, ..none() }), [33, 32]);
        assert_eq!(find(TrailFilter { limit: 2, before: Some(32), ..none() }), [31, 30]);
        assert_eq!(find(TrailFilter { actor: "ana".into(), limit: 2, ..none() }), [32, 30]);
        assert_eq!(find(TrailFilter { object: "firing-12".into(), ..none() }), [12]);
        assert_eq!(find(TrailFilter { business_id: "CAMBIO-7".into(), ..none() }), [7]);
        assert_eq!(find(TrailFilter { system: "nuam".into(), since: Some(at(20)), ..none() }), [30, 25, 20]);
        assert_eq!(find(TrailFilter { since: Some(at(5)), until: Some(at(7)), ..none() }), [6, 5]);
        assert_eq!(find(TrailFilter { action: "farero.".into(), ..none() }), [33]);
        assert_eq!(find(TrailFilter { action: "farero.start".into(), ..none() }), [33]);
        assert_eq!(find(TrailFilter { action: "alert.".into(), actor: "luis".into(), limit: 1, ..none() }), [31]);
        assert_eq!(find(TrailFilter { outcome: Some(Outcome::Refused), ..none() }), [31]);
        assert_eq!(find(TrailFilter { text: "NÚMERO 17,".into(), ..none() }), [17], "upper and lower case alike");
        assert_eq!(find(TrailFilter { text: "100%_".into(), ..none() }), [0; 0], "wildcards are letters");
        assert_eq!(find(TrailFilter { text: "' OR 1=1 --".into(), ..none() }), [0; 0]);
        assert_eq!(find(TrailFilter { environment: "x".into(), ..none() }), [0; 0]);
        let nuam = TrailFilter { system: "nuam".into(), ..none() };
        assert_eq!(f.state.trail_span(&nuam).unwrap(), Some((5, 30)));
        assert_eq!(f.state.trail_numbers(&nuam, 5, 3).unwrap(), [10, 15, 20]);
        assert_eq!(f.state.trail_span(&TrailFilter { system: "x".into(), ..none() }).unwrap(), None);
    });
}

#[test]
fn log_11_only_what_is_past_its_legal_time_and_behind_a_checkpoint_is_cut() {
    each_database(|f| {
        let key = SigningKey::from_seed(&[7; 32]);
        let many = i64::try_from(CUT_AT_ONCE).unwrap() + 10;
        f.state.record_all(&(1..=many).map(deed).collect::<Vec<_>>()).unwrap();
        let signed = u64::try_from(many).unwrap();
        let told = Deed::new(at(100_000), Actor::farero("trail"), "trail.cut").on("trail", "");
        assert_eq!(f.state.cut_trail(signed, at(many + 1), &told).unwrap(), 0, "no checkpoint vouches for it");
        let line = key.sign(f.state.trail_head().unwrap(), signed, at(many)).to_line();
        f.state.add_checkpoint(signed, at(many), &line).unwrap();
        f.state.record_all(&[deed(many + 1)]).unwrap();
        assert_eq!(f.state.cut_trail(signed, at(many), &told).unwrap(), 0, "the last of them is too young");
        assert_eq!(f.state.cut_trail(signed - 1, at(many + 1), &told).unwrap(), 0, "another entry than the one signed");
        assert_eq!(f.state.trail_head().unwrap().sequence, signed + 1, "what was not done is not told");

        assert_eq!(f.state.cut_trail(signed, at(many + 1), &told).unwrap(), signed);
        assert_eq!((f.state.trail_cut().unwrap(), f.state.trail_count().unwrap()), (signed, 2));
        let left = f.state.trail_rows(0, 10).unwrap();
        assert_eq!(left.iter().map(|r| r.entry.sequence).collect::<Vec<_>>(), [signed + 1, signed + 2]);
        assert_eq!(left[1].entry.deed().unwrap().action, "trail.cut", "the cut is itself an entry");
        assert_eq!(problems(&f.state), [], "what is left begins behind a signed checkpoint");
        assert_eq!(f.state.cut_trail(signed, at(many + 1), &told).unwrap(), 0, "once");
        let f = f.reopen();
        f.state.record_all(&[deed(1)]).unwrap();
        assert_eq!(problems(&f.state), []);
    });
}

fn signature(text: &str, person: &str, n: i64) -> NewSignature {
    NewSignature {
        system: "conecta360".into(),
        path: "checklists/salida.md".into(),
        title: "Salida".into(),
        text: text.into(),
        role: "qa-lead".into(),
        person: person.into(),
        at: at(n),
        note: String::new(),
    }
}

fn sign_deed(s: &NewSignature) -> Deed {
    Deed::new(s.at, Actor::person(&s.person), "document.sign")
        .on("document", &s.path)
        .in_system(&s.system)
        .set("role", &s.role)
        .set("sha256", Hash::of(s.text.as_bytes()).to_string())
        .set("title", &s.title)
}

#[test]
fn ckl_06_a_signature_is_an_entry_of_the_trail_and_its_text_is_kept() {
    each_database(|f| {
        let first = signature("# Salida\n\n- [ ] «todo» ☃\n", "ana", 1);
        let number = f.state.sign_document(&first, &sign_deed(&first)).unwrap();
        assert_eq!(number, Some(1));
        assert_eq!(f.state.sign_document(&first, &sign_deed(&first)).unwrap(), None, "once per person, role and text");
        let other = signature("# Salida\n\n- [x] todo\n", "ana", 2);
        assert_eq!(
            f.state.sign_document(&other, &sign_deed(&other)).unwrap(),
            Some(2),
            "another text is another matter"
        );
        let all = f.state.signatures("conecta360", "checklists/salida.md").unwrap();
        assert_eq!(all.iter().map(|s| (s.sequence, s.person.as_str())).collect::<Vec<_>>(), [(2, "ana"), (1, "ana")]);
        assert_eq!(f.state.signed_text(&all[1].sha256).unwrap().as_deref(), Some(&*first.text));
        assert_eq!(f.state.system_signatures("conecta360").unwrap(), all);
        assert_eq!(f.state.signature_problems().unwrap(), [""; 0]);
        assert_eq!(problems(&f.state), []);
        // Somebody who gets past the triggers is found out.
        let past = match f.location {
            StateLocation::Folder(_) => {
                "DROP TRIGGER signatures_kept_update; UPDATE signatures SET person = 'eva' WHERE sequence = 1"
            }
            StateLocation::Postgres(_) => {
                "ALTER TABLE signatures DISABLE TRIGGER ALL; UPDATE signatures SET person = 'eva' WHERE sequence = 1"
            }
        };
        assert!(!refused(&f, past));
        let found = f.state.signature_problems().unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("entry 1 of the trail does not say so"), "{found:?}");
    });
}

#[test]
fn sec_12_whoever_gets_past_the_triggers_is_found_out() {
    each_database(|f| {
        f.state.record_all(&(1..=9).map(deed).collect::<Vec<_>>()).unwrap();
        let (off, on) = match f.location {
            StateLocation::Folder(_) => ("DROP TRIGGER trail_kept_update; DROP TRIGGER trail_kept_delete;", ""),
            StateLocation::Postgres(_) => ("ALTER TABLE trail DISABLE TRIGGER ALL;", ""),
        };
        assert!(!refused(
            &f,
            &format!("{off} UPDATE trail SET deed = replace(deed, 'Nota', 'Cosa') WHERE sequence = 4; {on}")
        ));
        assert!(!refused(&f, "UPDATE trail SET actor = 'eva' WHERE sequence = 6"));
        assert!(!refused(&f, "DELETE FROM trail WHERE sequence = 8"));
        let rows = f.state.trail_rows(0, 100).unwrap();
        let mut verifier = Verifier::new([]);
        rows.iter().for_each(|r| verifier.entry(&r.entry));
        let expect = [Problem::Changed { sequence: 4 }, Problem::Missing { first: 8, last: 8 }];
        assert_eq!(verifier.finish().problems.named, expect);
        let columns: Vec<_> = rows.iter().filter(|r| !r.contradictions.is_empty()).collect();
        let found: Vec<_> = columns.iter().map(|r| (r.entry.sequence, r.contradictions.clone())).collect();
        assert_eq!(found, [(4, vec!["search"]), (6, vec!["actor"])]);
    });
}
