//! Steps of migration: checked before, whole or not at all, resumed after a kill. I/O.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Fixture, at, each_database, postgres};
use kernel::heartbeat::{Ping, PingKind};
use kernel::probe::CheckId;
use state::migrate::{STEPS, Step};
use state::{Cell, Dialect, FILE_NAME, SCHEMA_VERSION, SqlResult, State, StateError, StateLocation, Tx, Value};

const PLACE: &str = "FARERO_MIGRATION_PLACE";
const PINGS: i64 = 200;
const BATCH: i64 = 9;

/// The steps of this version and one more.
fn with(step: Step) -> Vec<Step> {
    [STEPS, &[step]].concat()
}

fn ask(f: &Fixture, sql: &str) -> String {
    match &f.location {
        StateLocation::Folder(folder) => rusqlite::Connection::open(folder.join(FILE_NAME))
            .unwrap()
            .query_row(sql, [], |r| r.get::<_, rusqlite::types::Value>(0))
            .map(|v| match v {
                rusqlite::types::Value::Integer(n) => n.to_string(),
                rusqlite::types::Value::Text(t) => t,
                other => format!("{other:?}"),
            })
            .unwrap(),
        StateLocation::Postgres(_) => postgres::psql(&f.url, sql).unwrap(),
    }
}

fn version(f: &Fixture) -> u32 {
    let sql = match f.location {
        StateLocation::Folder(_) => "PRAGMA user_version",
        StateLocation::Postgres(_) => "SELECT max(version) FROM farero_schema",
    };
    ask(f, sql).parse().unwrap()
}

fn fill(state: &State) {
    let check = CheckId::new("s", "c", "k");
    for s in 0..PINGS {
        let ping = Ping { at: at(s), kind: PingKind::Success, duration_ms: None, exit_code: Some(0), body: None };
        state.record_ping(&check, &ping).unwrap();
    }
}

/// Counts up in each row, a few rows at a time: a row that is counted twice or never shows it.
fn count_up(t: &Tx<'_>, from: Option<&str>) -> SqlResult<Option<String>> {
    let after: i64 = from.map_or(0, |p| p.parse().unwrap());
    let values = [after.value(), Value::Int(BATCH)];
    let ids: Vec<i64> = t.query("SELECT id FROM pings WHERE id > ?1 ORDER BY id LIMIT ?2", &values, |r| r.get(0))?;
    let Some(last) = ids.last() else { return Ok(None) };
    t.execute("UPDATE pings SET counted = counted + 1 WHERE id > ?1 AND id <= ?2", &[after.value(), last.value()])?;
    if std::env::var_os(PLACE).is_some() {
        println!("batch up to {last}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Some(last.to_string()))
}

fn counting() -> Step {
    Step::new("9999_count", "ALTER TABLE pings ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;")
        .with_data(count_up, "CREATE UNIQUE INDEX pings_counted ON pings (id, counted);")
}

/// The process that is killed in the middle of a step.
#[test]
fn child_migrates_until_it_is_killed() {
    let Ok(place) = std::env::var(PLACE) else { return };
    State::open_with(&StateLocation::parse(&place).unwrap(), &with(counting())).unwrap();
    println!("done");
}

/// Lets it migrate until it said so many batches; whether it was done before.
fn migrate_and_kill(place: &str, batches: usize) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_migrates_until_it_is_killed", "--nocapture", "--test-threads=1"])
        .env(PLACE, place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut said = 0;
    let done = loop {
        match lines.next() {
            Some(line) if line.contains("batch up to") => said += 1,
            Some(line) if line.contains("done") => break true,
            Some(_) => {}
            None => break false,
        }
        if said == batches {
            break false;
        }
    };
    child.kill().unwrap();
    child.wait().unwrap();
    done
}

#[test]
fn a_step_that_is_killed_goes_on_where_it_was() {
    each_database(|f| {
        fill(&f.state);
        let f = f.closed();
        let mut kills = 0;
        while !migrate_and_kill(&f.url, 1 + kills % 4) {
            kills += 1;
            assert_eq!(version(&f), SCHEMA_VERSION, "not done before its last batch");
            assert!(kills < 100);
        }
        assert!(kills >= 5, "{kills} kills");
        assert_eq!(version(&f), SCHEMA_VERSION + 1);
        assert_eq!(ask(&f, "SELECT count(*) FROM pings WHERE counted = 1"), PINGS.to_string(), "each row once");
        assert_eq!(ask(&f, "SELECT count(*) FROM settings WHERE key LIKE 'migration.%'"), "0");
        let error = State::open_at(&f.location).err().unwrap().to_string();
        assert!(error.contains("written by a newer Farero"), "{error}");
    });
}

#[test]
fn a_step_with_something_in_its_way_is_not_begun() {
    fn duplicates(t: &Tx<'_>) -> SqlResult<Vec<String>> {
        let sql = "SELECT 'two users are named ' || lower(name) || ': rename one'
                   FROM users GROUP BY lower(name) HAVING count(*) > 1";
        t.query(sql, &[], |r| r.get(0))
    }
    let step =
        Step::new("9999_unique", "CREATE UNIQUE INDEX users_by_name ON users (lower(name));").checked(duplicates);
    each_database(|f| {
        for name in ["ana", "ANA"] {
            let new = common::new_user(name);
            f.state.create_user(&new, at(0)).unwrap();
        }
        let f = f.closed();
        let error = State::open_with(&f.location, &with(step)).err().unwrap();
        assert!(matches!(error, StateError::Preflight { step: "9999_unique", .. }), "{error}");
        assert!(error.to_string().contains("two users are named ana: rename one"), "{error}");
        assert_eq!(version(&f), SCHEMA_VERSION);
        ask(&f, "DELETE FROM users WHERE name = 'ANA' RETURNING name");
        State::open_with(&f.location, &with(step)).unwrap();
        assert_eq!(version(&f), SCHEMA_VERSION + 1);
    });
}

#[test]
fn a_step_that_fails_leaves_nothing_behind() {
    let step = Step::new("9999_bad", "CREATE TABLE half (id {integer_key}); INSERT INTO nowhere VALUES (1);");
    each_database(|f| {
        let f = f.closed();
        assert!(State::open_with(&f.location, &with(step)).is_err());
        assert_eq!(version(&f), SCHEMA_VERSION);
        let tables = match f.location {
            StateLocation::Folder(_) => "SELECT count(*) FROM sqlite_schema WHERE name = 'half'",
            StateLocation::Postgres(_) => "SELECT count(*) FROM pg_tables WHERE tablename = 'half'",
        };
        assert_eq!(ask(&f, tables), "0");
        State::open_at(&f.location).unwrap();
    });
}

#[test]
fn the_file_is_copied_before_and_only_when_it_is_sound() {
    let f = Fixture::new();
    fill(&f.state);
    let f = f.closed();
    let step = Step::new("9999_more", "CREATE TABLE more (id {integer_key});");
    let path = f.folder.path().join(FILE_NAME);
    let copy = path.with_file_name(format!("{FILE_NAME}.schema-{SCHEMA_VERSION}"));

    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO results VALUES (77, 0, 0, 0, 'up', '{}')").unwrap();
    let error = State::open_with(&f.location, &with(step)).err().unwrap().to_string();
    assert!(error.contains("a row of results points to a row of checks that is not there"), "{error}");
    assert!(!copy.exists());

    raw.execute_batch("DELETE FROM results").unwrap();
    drop(raw);
    State::open_with(&f.location, &with(step)).unwrap();
    let copied = rusqlite::Connection::open(&copy).unwrap();
    let count: i64 = copied.query_row("SELECT count(*) FROM pings", [], |r| r.get(0)).unwrap();
    let version: u32 = copied.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap();
    assert_eq!((count, version), (PINGS, SCHEMA_VERSION));
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let url = postgres::new_database();
    postgres::psql(&url, "CREATE TABLE theirs (id int)").unwrap();
    let error = State::open_url(&url).err().unwrap();
    assert!(matches!(error, StateError::Foreign { .. }), "{error}");
    assert_eq!(postgres::psql(&url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").unwrap(), "1");
}

#[test]
fn a_second_process_is_kept_out_of_both() {
    each_database(|f| {
        let error = State::open_at(&f.location).err().unwrap();
        assert!(matches!(error, StateError::InUse { .. }), "{error}");
        assert!(matches!(f.state.dialect(), Dialect::Sqlite | Dialect::Postgres));
        f.state.set_setting("still", Some("alive")).unwrap();
    });
}
