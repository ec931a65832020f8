//! PostgreSQL goes away and comes back: what was acknowledged is there, what was not is said so. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use common::postgres::{Server, psql};
use common::{at, entry};
use state::{DeliveryCommit, OutboxFilter, State, StateError};

/// Refusals that the writer takes, and what it stores between two crashes at least.
const CRASHES: usize = 6;
const BETWEEN: usize = 20;

fn outbox(state: &State) -> usize {
    state.outbox(&OutboxFilter { limit: 100_000, ..OutboxFilter::default() }).unwrap().len()
}

fn store(state: &State, n: i64) -> Result<usize, StateError> {
    let outbox = vec![entry(&format!("k{n}"), "correo", n)];
    state.commit_deliveries(&DeliveryCommit { outbox, ..DeliveryCommit::default() })
}

#[test]
fn a_server_that_is_gone_is_said_so_and_found_again() {
    let server = Server::start();
    let state = State::open_url(&server.new_database()).unwrap();
    store(&state, 0).unwrap();
    server.stop();
    for _ in 0..2 {
        let error = store(&state, 1).unwrap_err().to_string();
        assert!(error.starts_with("cannot store decided deliveries: "), "{error}");
        assert!(error.ends_with("nothing of it counts as stored, the next call tries anew"), "{error}");
    }
    assert!(state.setting("x").is_err(), "readers too");
    server.resume();
    store(&state, 2).unwrap();
    assert_eq!(outbox(&state), 2);
}

#[test]
fn what_was_acknowledged_outlives_crashes_of_the_server() {
    let server = Arc::new(Server::start());
    let state = State::open_url(&server.new_database()).unwrap();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let writer = std::thread::spawn({
        let (state, acknowledged) = (state.clone(), acknowledged.clone());
        move || {
            let (mut stored, mut refused, mut n) = (Vec::new(), 0, 0);
            while refused < CRASHES {
                n += 1;
                match store(&state, n) {
                    Ok(_) => {
                        stored.push(n);
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(_) => {
                        refused += 1;
                        // Comes back with the server; until then each try is refused.
                        while state.setting("x").is_err() {
                            std::thread::sleep(Duration::from_millis(20));
                        }
                    }
                }
            }
            (stored, n)
        }
    });
    while !writer.is_finished() {
        let before = acknowledged.load(Ordering::SeqCst);
        while !writer.is_finished() && acknowledged.load(Ordering::SeqCst) < before + BETWEEN {
            std::thread::sleep(Duration::from_millis(1));
        }
        server.crash();
        server.resume();
    }
    let (stored, tried) = writer.join().unwrap();
    assert!(stored.len() >= BETWEEN * (CRASHES - 1), "{stored:?}");
    let lost: Vec<_> = stored.iter().filter(|n| state.outbox_entry(&format!("k{n}")).unwrap().is_none()).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?} of {tried}");
    // A refusal means that it is not there, for the server was asked what became of it.
    assert_eq!(outbox(&state), stored.len());
}

/// What the line does at the next `COMMIT` of a client.
const PASS: u8 = 0;
const CUT_BEFORE: u8 = 1;
const CUT_AFTER: u8 = 2;

/// A line to the server that can be cut at the worst moment.
struct Line {
    port: u16,
    next: Arc<AtomicU8>,
}

impl Line {
    fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let next = Arc::new(AtomicU8::new(PASS));
        std::thread::spawn({
            let next = next.clone();
            move || {
                for client in listener.incoming().flatten() {
                    let server = UnixStream::connect(&socket).unwrap();
                    let next = next.clone();
                    std::thread::spawn(move || carry(client, server, &next));
                }
            }
        });
        Self { port, next }
    }
}

fn carry(mut client: TcpStream, mut server: UnixStream, next: &AtomicU8) {
    let (mut answers, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let silent = Arc::new(AtomicU8::new(0));
    let muted = silent.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 8_192];
        while let Ok(n @ 1..) = answers.read(&mut buffer) {
            if muted.load(Ordering::SeqCst) == 0 && to_client.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 8_192];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        let ends = buffer[..n].windows(6).any(|w| w == b"COMMIT");
        let cut = if ends { next.swap(PASS, Ordering::SeqCst) } else { PASS };
        if cut == CUT_BEFORE {
            break;
        }
        if cut == CUT_AFTER {
            silent.store(1, Ordering::SeqCst);
        }
        if server.write_all(&buffer[..n]).is_err() {
            break;
        }
        if cut == CUT_AFTER {
            std::thread::sleep(Duration::from_millis(200));
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

#[test]
fn a_commit_whose_answer_was_lost_is_asked_about() {
    let server = Server::start();
    let direct = server.new_database();
    let line = Line::to(server.folder().join(".s.PGSQL.5432"));
    let name = direct.rsplit_once('/').unwrap().1;
    let state = State::open_url(&format!("postgres://farero@127.0.0.1:{}/{name}", line.port)).unwrap();
    let stored = |n: i64| psql(&direct, &format!("SELECT count(*) FROM outbox WHERE key = 'k{n}'")).unwrap() == "1";

    line.next.store(CUT_AFTER, Ordering::SeqCst);
    assert_eq!(store(&state, 1).unwrap(), 1, "the server kept it, so it is no failure");
    assert!(stored(1));
    assert_eq!(line.next.load(Ordering::SeqCst), PASS, "the line was cut");

    line.next.store(CUT_BEFORE, Ordering::SeqCst);
    assert!(store(&state, 2).is_err(), "the server never heard of its end");
    assert!(!stored(2));

    // Counters that wait in memory are neither lost nor counted twice.
    let check = kernel::probe::CheckId::parse("s/c/k").unwrap();
    let up = |s| Arc::new(common::result("s/c/k", s, kernel::probe::Outcome::Up));
    for cut in [PASS, CUT_AFTER, CUT_BEFORE, PASS] {
        state.record_results(&[up(i64::from(cut) * 10)]).unwrap_or_default();
        line.next.store(cut, Ordering::SeqCst);
        assert_eq!(state.mark_alive(at(1_000)).is_ok(), cut != CUT_BEFORE);
    }
    let counts = psql(&direct, "SELECT up FROM rollups WHERE span_ms = 86400000").unwrap();
    assert_eq!(counts, "4", "{:?}", state.days(&check, at(-86_400), at(86_400)));
}
