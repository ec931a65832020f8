//! Opening: schema version, foreign files, the lock, damage. I/O.
#![allow(clippy::unwrap_used)]

mod common;

use common::Fixture;
use common::postgres::Server;
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

#[test]
fn sec_12_a_server_elsewhere_must_prove_who_it_is() {
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::Issuer::from_params(&ca, &ca_key);
    let (own, other) = (rcgen::KeyPair::generate().unwrap(), ca.self_signed(&ca_key).unwrap());
    let certificate =
        rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&own, &authority).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("ca.pem");
    std::fs::write(&trusted, other.pem()).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::start_with(|folder| {
        Server::give(&folder.join("server.crt"), &certificate.pem());
        Server::give(&folder.join("server.key"), &own.serialize_pem());
        format!(
            "-c listen_addresses=127.0.0.1 -p {port} -c ssl=on -c ssl_cert_file={0}/server.crt -c ssl_key_file={0}/server.key",
            folder.display()
        )
    });
    let direct = server.new_database();
    let database = direct.rsplit_once('/').unwrap().1.split('?').next().unwrap().to_owned();
    let open =
        |host: &str, query: &str| State::open_url(&format!("postgres://farero@{host}:{port}/{database}?{query}"));
    let refused = |host: &str, query: &str| open(host, query).err().unwrap().to_string();
    let ca = trusted.display();

    let state = open("localhost", &format!("sslmode=require&sslrootcert={ca}")).unwrap();
    state.set_setting("a", Some("b")).unwrap();
    drop(state);
    assert!(refused("localhost", "sslmode=verify-full").contains("UnknownIssuer"), "nobody vouches for it");
    let wrong_name = refused("127.0.0.1", &format!("sslmode=require&sslrootcert={ca}"));
    assert!(wrong_name.contains("certificate not valid for name"), "{wrong_name}");
    let missing = refused("localhost", "sslmode=require&sslrootcert=/does/not/exist");
    assert!(missing.contains("sslrootcert /does/not/exist cannot be used"), "{missing}");
    open("localhost", "").unwrap();
}
