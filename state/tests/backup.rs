//! Backup, restore and move: everything arrives, while others write, or nothing does. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Fixture, alert, at, each_database, entry, event, new_user, postgres, result};
use kernel::alert::{AlertState, EventKind};
use kernel::probe::Outcome;
use state::backup::{backup, move_to, restore, verify};
use state::{
    AlertFilter, DeliveryCommit, EvaluationCommit, FILE_NAME, NewToken, OutboxFilter, Session, State, StateError,
    StateLocation,
};

/// One of everything that is easily got wrong: JSON, empty columns, numbers that the database gives, texts with U+0000.
fn fill(state: &State) {
    let ana = state.create_user(&new_user("ana"), at(0)).unwrap();
    state.create_user(&new_user("ñandú"), at(0)).unwrap();
    let session = Session {
        token_hash: "s".into(),
        user_id: ana.id,
        created_at: at(0),
        last_seen_at: at(0),
        idle_ends_at: at(600),
        ends_at: at(3_600),
        client: "zero\0byte".into(),
        proved_at: at(0),
        method: "password".into(),
    };
    state.begin_session(&session, &common::some_deed()).unwrap();
    let token = NewToken {
        token_hash: "t".into(),
        name: "grafana".into(),
        scopes: vec!["read".into()],
        user_id: None,
        expires_at: None,
    };
    state.create_token(&token, at(0)).unwrap();
    let firing = alert("Down", AlertState::Firing, 0);
    let (system, group) = ("sigcerh".to_owned(), "servicios".to_owned());
    let events = vec![event(&firing, EventKind::Fired)];
    state.commit_evaluation(&EvaluationCommit { system, group, active: vec![firing], events, at: at(60) }).unwrap();
    let outbox = (0..600).map(|n| entry(&format!("k{n}"), "correo", n)).collect();
    state.commit_deliveries(&DeliveryCommit { outbox, ..DeliveryCommit::default() }).unwrap();
    let results: Vec<_> = (0..50)
        .map(|n| Arc::new(result(&format!("s/c{n}/k"), n, if n % 2 == 0 { Outcome::Up } else { Outcome::Down })))
        .collect();
    state.record_results(&results).unwrap();
    state.mark_alive(at(100)).unwrap();
}

/// What people would see of it.
fn seen(state: &State) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        state.users().unwrap(),
        state.api_tokens().unwrap(),
        state.alerts(&AlertFilter::default()).unwrap(),
        state.outbox(&OutboxFilter { limit: 10_000, ..OutboxFilter::default() }).unwrap(),
        state.latest_results().unwrap(),
        state.last_alive().unwrap(),
    )
}

fn place(path: &Path) -> StateLocation {
    StateLocation::Folder(path.to_owned())
}

#[test]
fn a_backup_goes_from_each_database_to_each() {
    each_database(|f| {
        fill(&f.state);
        let file = f.folder.path().join("backup.db");
        let made = backup(&f.location, &file, at(200)).unwrap();
        assert!(made.rows() > 700, "{made:?}");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(verify(&file).unwrap(), made);
        assert!(matches!(backup(&f.location, &file, at(200)), Err(StateError::NotEmpty { .. })), "never over a file");

        let folder = tempfile::tempdir().unwrap();
        let url = postgres::new_database();
        for target in [place(folder.path()), StateLocation::parse(&url).unwrap()] {
            assert_eq!(restore(&file, &target).unwrap(), made);
            let restored = State::open_at(&target).unwrap();
            assert_eq!(seen(&restored), seen(&f.state));
            let luis = restored.create_user(&new_user("luis"), at(300)).unwrap();
            assert!(luis.id > 2, "numbers go on after those that were copied");
            assert!(matches!(restore(&file, &target), Err(StateError::InUse { .. })));
            drop(restored);
            assert!(matches!(restore(&file, &target), Err(StateError::NotEmpty { .. })));
        }
    });
}

#[test]
fn a_backup_is_one_moment_of_a_state_that_goes_on() {
    each_database(|f| {
        fill(&f.state);
        let ends = Arc::new(AtomicBool::new(false));
        let writer = std::thread::spawn({
            let (state, ends) = (f.state.clone(), ends.clone());
            move || {
                let mut n = 0;
                while !ends.load(Ordering::Relaxed) {
                    // Two tables in one transaction: a moment has both or neither.
                    let outbox = vec![entry(&format!("w{n}"), "sms", n)];
                    let marks = vec![(format!("w{n}"), at(n))];
                    state.commit_deliveries(&DeliveryCommit { outbox, marks, ..DeliveryCommit::default() }).unwrap();
                    n += 1;
                }
                n
            }
        });
        for round in 0..5 {
            let file = f.folder.path().join(format!("backup{round}.db"));
            backup(&f.location, &file, at(200)).unwrap();
            let c = rusqlite::Connection::open(&file).unwrap();
            let count = |sql: &str| c.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
            let both = (
                count("SELECT count(*) FROM outbox WHERE key LIKE 'w%'"),
                count("SELECT count(*) FROM marks WHERE key LIKE 'w%'"),
            );
            assert_eq!(both.0, both.1, "round {round}");
        }
        ends.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 5, "it wrote meanwhile");
    });
}

#[test]
fn a_damaged_backup_is_found_and_leaves_the_target_empty() {
    let f = Fixture::new();
    fill(&f.state);
    let file = f.folder.path().join("backup.db");
    backup(&f.location, &file, at(200)).unwrap();
    let damages = [
        ("UPDATE users SET role = 'viewer' WHERE name = 'ana'", "the rows of users are not the same"),
        ("DELETE FROM outbox WHERE key = 'k7'", "outbox should have 600 rows and has 599"),
        ("UPDATE alerts SET ack_by = ''", "the rows of alerts are not the same"),
    ];
    for (damage, problem) in damages {
        let broken = f.folder.path().join("broken.db");
        std::fs::copy(&file, &broken).unwrap();
        assert_eq!(rusqlite::Connection::open(&broken).unwrap().execute(damage, []).unwrap(), 1);
        let url = postgres::new_database();
        for error in [verify(&broken).unwrap_err(), restore(&broken, &StateLocation::parse(&url).unwrap()).unwrap_err()]
        {
            assert!(matches!(error, StateError::Damaged { .. }), "{error}");
            assert!(error.to_string().contains(problem), "{error}");
        }
        assert_eq!(postgres::psql(&url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").unwrap(), "0");
    }
    std::fs::write(f.folder.path().join("text.db"), "no backup").unwrap();
    assert!(matches!(verify(&f.folder.path().join("text.db")), Err(StateError::NoBackup { .. })));
    let live = f.folder.path().join(FILE_NAME);
    assert!(matches!(verify(&live), Err(StateError::NoBackup { .. })), "a state that lives is no backup");
}

#[test]
fn a_move_arrives_whole_and_closes_the_old_place() {
    let f = Fixture::new();
    fill(&f.state);
    let before = seen(&f.state);
    let url = postgres::new_database();
    let target = StateLocation::parse(&url).unwrap();
    assert!(matches!(move_to(f.folder.path(), &target, at(200)), Err(StateError::InUse { .. })));
    let f = f.closed();
    let moved = move_to(f.folder.path(), &target, at(200)).unwrap();
    assert!(moved.rows() > 700);
    let state = State::open_at(&target).unwrap();
    assert_eq!(seen(&state), before);
    assert!(state.session("s", at(1)).unwrap().is_some(), "people stay logged in");
    assert!(
        state
            .create_token(
                &NewToken {
                    token_hash: "u".into(),
                    name: "second".into(),
                    scopes: Vec::new(),
                    user_id: None,
                    expires_at: None,
                },
                at(300)
            )
            .unwrap()
            > 1
    );
    let error = State::open(f.folder.path()).err().unwrap();
    assert!(matches!(error, StateError::Moved { .. }) && error.to_string().contains("--state"), "{error}");
    drop(state);
    let other = StateLocation::parse(&postgres::new_database()).unwrap();
    assert!(matches!(move_to(f.folder.path(), &other, at(300)), Err(StateError::Moved { .. })), "once");
}

#[test]
fn a_target_with_anything_in_it_is_refused() {
    let f = Fixture::new();
    fill(&f.state);
    let f = f.closed();
    let filled = Fixture::postgres();
    filled.state.set_setting("one", Some("row")).unwrap();
    let filled = filled.closed();
    assert!(matches!(move_to(f.folder.path(), &filled.location, at(1)), Err(StateError::NotEmpty { .. })));
    let url = postgres::new_database();
    postgres::psql(&url, "CREATE TABLE theirs (id int)").unwrap();
    assert!(matches!(
        move_to(f.folder.path(), &StateLocation::parse(&url).unwrap(), at(1)),
        Err(StateError::Foreign { .. })
    ));
    // A database with the tables and nothing in them is empty: an earlier try may have left it so.
    let fresh = Fixture::postgres().closed();
    move_to(f.folder.path(), &fresh.location, at(1)).unwrap();
}
