//! Opening: schema version, foreign files, the lock, damage. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use common::Fixture;
use state::{FILE_NAME, SCHEMA_VERSION, State};

fn refuses(prepare: impl FnOnce(&rusqlite::Connection), expect: &str) {
    let f = Fixture::new();
    let path = f.folder.path().join(FILE_NAME);
    let f = f.closed();
    let connection = rusqlite::Connection::open(&path).unwrap();
    prepare(&connection);
    drop(connection);
    let error = State::open(f.folder.path()).err().unwrap().to_string();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn a_newer_schema_is_refused_with_a_way_out() {
    let newer = SCHEMA_VERSION + 1;
    refuses(|c| c.pragma_update(None, "user_version", newer).unwrap(), "written by a newer Farero");
    refuses(|c| c.pragma_update(None, "application_id", 7).unwrap(), "database of another program");
}

#[test]
fn a_fresh_database_is_sound_and_syncs_fully() {
    let f = Fixture::new();
    assert_eq!(f.state.integrity().unwrap(), [""; 0]);
    let c = rusqlite::Connection::open(f.folder.path().join(FILE_NAME)).unwrap();
    let version: u32 = c.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap();
    let mode: String = c.query_row("PRAGMA journal_mode", [], |r| r.get(0)).unwrap();
    assert_eq!((version, mode.as_str()), (SCHEMA_VERSION, "wal"));
}

#[test]
fn a_second_process_is_kept_out() {
    let f = Fixture::new();
    let error = State::open(f.folder.path()).err().unwrap().to_string();
    assert!(error.starts_with("another Farero is using"), "{error}");
}

#[test]
fn something_that_is_no_database_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), vec![b'x'; 8_192]).unwrap();
    let error = State::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("restore the last backup"), "{error}");
}
