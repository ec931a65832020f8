//! PostgreSQL 15 of Debian.

use std::time::{Duration, Instant};

use kernel::probe::{Outcome, Phase, ProbeResult};
use serde_json::json;
use tokio_postgres::NoTls;

use crate::servers::{command_as, folder_of, give_key, run, until};
use crate::support::{Authority, Server, ask, error, expect, fact, free_port, phases, reading, try_prepare, write};

/// The tests' resolver knows this password as `${env:SECRET}`.
pub(crate) const PASSWORD: &str = "hunter22-secret";

pub(crate) struct Postgres {
    port: u16,
    server: Server,
    folder: tempfile::TempDir,
}

fn program(name: &str) -> String {
    let folders = ["/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"];
    let folder = folders.into_iter().find(|f| std::path::Path::new(f).join(name).exists());
    format!("{}/{name}", folder.expect("these tests need the Debian package postgresql"))
}

impl Postgres {
    /// A new cluster whose only user is `farero`, with a password.
    pub(crate) fn start(options: &[&str]) -> Self {
        let folder = folder_of("postgres");
        let data = folder.path().join("data").display().to_string();
        let password = write(folder.path(), "password", PASSWORD);
        let login = ["--username=farero", "--auth=scram-sha-256", "--pwfile", &password];
        run(command_as("postgres", program("initdb"))
            .args(["-D", &data, "--no-sync", "--no-locale", "-E", "UTF8"])
            .args(login));
        Self::start_on(folder, options)
    }

    fn start_on(folder: tempfile::TempDir, options: &[&str]) -> Self {
        let port = free_port();
        let mut command = command_as("postgres", program("postgres"));
        command.arg("-D").arg(folder.path().join("data")).args(["-p", &port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]);
        for option in options {
            command.args(["-c", option]);
        }
        let server = Server::start("postgresql", &mut command).wait_for(port);
        Self { port, server, folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://farero:${{env:SECRET}}@127.0.0.1:{}/postgres", self.port)
    }

    /// The port is open before the server lets anyone in.
    pub(crate) async fn ready(self) -> Self {
        until(|| self.ask(), |r| r.outcome == Outcome::Up).await;
        self
    }

    async fn ask(&self) -> ProbeResult {
        ask(json!({ "postgres": self.url() })).await
    }

    async fn ask_query(&self, sql: &str, max: f64) -> ProbeResult {
        ask(json!({ "postgres": { "url": self.url(), "queries": { "q": { "sql": sql, "max": max } } } })).await
    }

    pub(crate) async fn connect(&self) -> tokio_postgres::Client {
        let url = self.url().replace("${env:SECRET}", PASSWORD);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("a connection");
        tokio::spawn(connection);
        client
    }

    /// Connections of other clients, as the server counts them.
    async fn others(&self, client: &tokio_postgres::Client) -> i64 {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        client.query_one(sql, &[]).await.expect("a count").get(0)
    }
}

#[tokio::test]
async fn chk_03_postgres_connects_asks_and_counts() {
    let postgres = Postgres::start(&["max_connections=10", "superuser_reserved_connections=0"]).ready().await;
    let result = postgres.ask().await;
    expect(&result, Outcome::Up, "");
    assert_eq!(phases(&result), [Phase::Resolve, Phase::Connect, Phase::Processing]);
    assert_eq!(reading(&result, "farero_db_connections"), 1.0);
    assert_eq!(reading(&result, "farero_db_connections_max"), 10.0);
    assert!(reading(&result, "farero_db_size_bytes") > 1e6);
    assert!(fact(&result, "version").starts_with("15."));
    assert_eq!((fact(&result, "connections"), fact(&result, "role")), ("1/10", "primary"));

    let wrong = json!({ "postgres": format!("postgres://farero:wrong-password@127.0.0.1:{}/postgres", postgres.port) });
    let result = ask(wrong).await;
    expect(&result, Outcome::Down, "password authentication failed for user \"farero\" [28P01]");
    assert_eq!(result.evidence.status.as_deref(), Some("SQLSTATE 28P01"));
    assert!(!format!("{result:?}").contains("wrong-password"));

    let nowhere = json!({ "postgres": format!("postgres://farero:${{env:SECRET}}@127.0.0.1:{}/gone", postgres.port) });
    expect(&ask(nowhere).await, Outcome::Down, "database \"gone\" does not exist [3D000]");

    // Each check has closed its connection; the server forgets it a moment later.
    let client = postgres.connect().await;
    let end = Instant::now() + Duration::from_secs(5);
    while postgres.others(&client).await > 0 {
        assert!(Instant::now() < end, "connections are left open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn chk_03_postgres_too_many_connections() {
    let postgres = Postgres::start(&["max_connections=4", "superuser_reserved_connections=0"]).ready().await;
    let mut held = vec![postgres.connect().await, postgres.connect().await];
    let crowded = json!({ "postgres": { "url": postgres.url(), "max_connections_used": "70%" } });
    let result = ask(crowded).await;
    expect(&result, Outcome::Slow, "");
    assert_eq!(fact(&result, "slow"), "3 of 4 connections are in use (75 %), more than 70%");
    held.push(postgres.connect().await);
    held.push(postgres.connect().await);
    let result = postgres.ask().await;
    expect(&result, Outcome::Down, "too many clients already [53300]");
    drop(held);
    until(|| postgres.ask(), |r| r.outcome == Outcome::Up).await;
}

#[tokio::test]
async fn chk_12_postgres_queries_with_bounds() {
    let postgres = Postgres::start(&[]).ready().await;
    let client = postgres.connect().await;
    let cases =
        "CREATE TABLE casos AS SELECT n AS id, now() - n * interval '1 minute' AS creado FROM generate_series(1, 12) n";
    client.batch_execute(cases).await.unwrap();

    let result = postgres.ask_query("SELECT count(*) FROM casos", 12.0).await;
    expect(&result, Outcome::Up, "");
    assert_eq!(reading(&result, "farero_db_query_value"), 12.0);
    let old = "SELECT count(*) FROM casos WHERE creado < now() - interval '10 minutes 30 seconds';";
    expect(&postgres.ask_query(old, 1.0).await, Outcome::Down, "query q gave 2, more than 1");
    let age = postgres.ask_query("SELECT max(now() - creado) FROM casos", 1e9).await;
    assert!((720.0..900.0).contains(&reading(&age, "farero_db_query_value")), "{age:?}");
    for (sql, value) in
        [("SELECT -12345678.25::numeric", -12_345_678.25), ("SELECT 0.0004::numeric", 0.0004), ("SELECT ' 7 '", 7.0)]
    {
        assert_eq!(reading(&postgres.ask_query(sql, 1e9).await, "farero_db_query_value"), value, "{sql}");
    }
    expect(&postgres.ask_query("SELECT NULL::int", 1.0).await, Outcome::Down, "gave no number: no row, or NULL");
    expect(
        &postgres.ask_query("SELECT * FROM nadie", 1.0).await,
        Outcome::Down,
        "relation \"nadie\" does not exist [42P01]",
    );
    expect(&postgres.ask_query("SELECT now()", 1.0).await, Outcome::Down, "query q: ");

    let write = postgres.ask_query("DELETE FROM casos RETURNING 1", 99.0).await;
    expect(&write, Outcome::Down, "cannot execute DELETE in a read-only transaction [25006]");
    let sneaky = postgres.ask_query("SELECT 1; COMMIT; DELETE FROM casos", 99.0).await;
    expect(&sneaky, Outcome::Down, "cannot insert multiple commands into a prepared statement");
    let left: i64 = client.query_one("SELECT count(*) FROM casos", &[]).await.unwrap().get(0);
    assert_eq!(left, 12);
}

#[tokio::test]
async fn chk_12_postgres_a_slow_query_is_cut_off_on_the_server() {
    let postgres = Postgres::start(&[]).ready().await;
    let check = json!({
        "postgres": { "url": postgres.url(), "queries": { "q": { "sql": "SELECT 1 FROM pg_sleep(60)" } } },
        "timeout": "1s"
    });
    let began = Instant::now();
    expect(&ask(check).await, Outcome::Down, "canceling statement due to statement timeout [57014]");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn chk_03_postgres_gone_midway() {
    let postgres = Postgres::start(&[]).ready().await;
    let sql = json!({ "q": { "sql": "SELECT 1 FROM pg_sleep(60)" } });
    let check = json!({ "postgres": { "url": postgres.url(), "queries": sql }, "timeout": "20s" });
    let asking = tokio::spawn(ask(check));
    let client = postgres.connect().await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT 1 FROM pg_sleep%'";
    while client.query(kill, &[]).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let result = asking.await.unwrap();
    expect(&result, Outcome::Down, "terminating connection due to administrator command [57P01]");
}

#[tokio::test]
async fn chk_03_postgres_stops_and_comes_back() {
    let Postgres { port, server, folder } = Postgres::start(&[]).ready().await;
    drop(server);
    let url = format!("postgres://farero:${{env:SECRET}}@127.0.0.1:{port}/postgres");
    let is_gone = |r: &ProbeResult| error(r).contains("nothing listens there");
    let result = until(|| ask(json!({ "postgres": url })), is_gone).await;
    assert_eq!(result.outcome, Outcome::Down);
    let postgres = Postgres::start_on(folder, &[]).ready().await;
    expect(&postgres.ask().await, Outcome::Up, "");
}

#[tokio::test]
async fn chk_03_postgres_with_tls() {
    let authority = Authority::new("test");
    let (certificate, key) = authority.issue(&["db.example"], 2060);
    let keys = folder_of("postgres");
    let certificate = write(keys.path(), "crt", &certificate);
    let key = write(keys.path(), "key", &key);
    give_key(&certificate, "postgres");
    give_key(&key, "postgres");
    let ca = write(keys.path(), "ca", authority.pem());
    let settings = ["ssl=on", &format!("ssl_cert_file={certificate}"), &format!("ssl_key_file={key}")];
    let postgres = Postgres::start(&settings).ready().await;
    let url = format!("{}?sslmode=verify-full", postgres.url());
    let tls = json!({ "ca_file": ca, "server_name": "db.example" });
    let result = ask(json!({ "postgres": { "url": url, "tls": tls } })).await;
    expect(&result, Outcome::Up, "");
    assert!(phases(&result).contains(&Phase::Tls), "{result:?}");
    assert!(reading(&result, "probe_ssl_earliest_cert_expiry") > 2e9);

    let unknown = ask(json!({ "postgres": { "url": url, "tls": { "server_name": "db.example" } } })).await;
    assert_eq!(unknown.outcome, Outcome::Down, "an unknown authority must not be trusted: {unknown:?}");
    let other =
        ask(json!({ "postgres": { "url": url, "tls": { "ca_file": ca, "server_name": "other.example" } } })).await;
    assert_eq!(other.outcome, Outcome::Down, "a certificate for another name must not be trusted: {other:?}");
    let insecure = ask(json!({ "postgres": { "url": url, "tls": { "insecure": true } } })).await;
    expect(&insecure, Outcome::Up, "");

    let without = Postgres::start(&[]).ready().await;
    let url = format!("{}?sslmode=require", without.url());
    expect(&ask(json!({ "postgres": url })).await, Outcome::Down, "server does not support TLS");
}

#[test]
fn chk_03_postgres_url_errors_show_no_password() {
    let wrong = try_prepare(json!({ "postgres": "postgres://u:hunter22 broken@h:x/y" })).unwrap_err().to_string();
    assert!(wrong.contains("postgres://user:password@host:port/database") && !wrong.contains("hunter22"), "{wrong}");
    assert!(try_prepare(json!({ "postgres": "postgres://u@h/d?sslmode=maybe" })).is_err());
}
