//! MariaDB of Debian, by the driver that also speaks to MySQL.

use std::time::{Duration, Instant};

use kernel::probe::{Outcome, ProbeResult};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use serde_json::json;

use crate::servers::{command_as, folder_of, give_key, run, until};
use crate::support::{Authority, Server, ask, expect, fact, free_port, reading, try_prepare, write};

/// The tests' resolver knows this password as `${env:SECRET}`.
pub(crate) const PASSWORD: &str = "hunter22-secret";

pub(crate) struct Mariadb {
    port: u16,
    _server: Server,
    folder: tempfile::TempDir,
}

impl Mariadb {
    /// A new server with a database `app` and a user `farero`.
    pub(crate) fn start(options: &[&str]) -> Self {
        let folder = folder_of("mysql");
        let data = folder.path().join("data").display().to_string();
        // A server deletes at its start what others have left in the folder of temporary tables: each has its own.
        run(command_as("mysql", "mariadb-install-db").env("TMPDIR", folder.path()).args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
            "--innodb-log-file-size=8M",
            "--innodb-flush-method=nosync",
            &format!("--datadir={data}"),
        ]));
        // One statement in each line.
        let users = format!(
            "CREATE DATABASE app;\nCREATE USER farero@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL ON app.* TO farero@'%';\nGRANT PROCESS ON *.* TO farero@'%';\n"
        );
        let init = write(folder.path(), "init.sql", &users);
        let port = free_port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut command = command_as("mysql", "mariadbd");
        command.env("TMPDIR", folder.path());
        command.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin"]);
        command.args(["--innodb-log-file-size=8M", "--innodb-flush-method=nosync"]);
        command.arg(format!("--datadir={data}")).arg(format!("--port={port}")).arg(format!("--init-file={init}"));
        command.arg(format!("--socket={}", path("sock"))).arg(format!("--pid-file={}", path("pid"))).args(options);
        let server = Server::start("mariadb-server", &mut command).wait_for(port);
        Self { port, _server: server, folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("mysql://farero:${{env:SECRET}}@127.0.0.1:{}/app", self.port)
    }

    /// The init file runs after the port is open: the user is there a moment later.
    pub(crate) async fn ready(self) -> Self {
        until(|| self.ask(), |r| r.outcome == Outcome::Up).await;
        self
    }

    async fn ask(&self) -> ProbeResult {
        ask(json!({ "mysql": self.url() })).await
    }

    async fn ask_query(&self, sql: &str, max: f64) -> ProbeResult {
        ask(json!({ "mysql": { "url": self.url(), "queries": { "q": { "sql": sql, "max": max } } } })).await
    }

    pub(crate) async fn connect(&self) -> Conn {
        let url = self.url().replace("${env:SECRET}", PASSWORD) + "?prefer_socket=false";
        Conn::from_url(url).await.expect("a connection")
    }
}

#[tokio::test]
async fn chk_03_mariadb_connects_asks_and_counts() {
    let mariadb = Mariadb::start(&["--max-connections=11"]).ready().await;
    let result = mariadb.ask().await;
    expect(&result, Outcome::Up, "");
    assert!(reading(&result, "farero_db_connections") >= 1.0);
    assert_eq!(reading(&result, "farero_db_connections_max"), 11.0);
    assert_eq!(reading(&result, "mysql_global_variables_max_connections"), 11.0);
    assert_eq!(reading(&result, "mysql_global_status_threads_connected"), reading(&result, "farero_db_connections"));
    assert!(fact(&result, "version").contains("MariaDB"));

    let result =
        ask(json!({ "mysql": format!("mariadb://farero:wrong-password@127.0.0.1:{}/app", mariadb.port) })).await;
    expect(&result, Outcome::Down, "Access denied for user 'farero'@'127.0.0.1'");
    assert_eq!(result.evidence.status.as_deref(), Some("ERROR 1045 SQLSTATE 28000"));
    assert!(!format!("{result:?}").contains("wrong-password"));
}

#[tokio::test]
async fn chk_03_mariadb_too_many_connections_then_gone() {
    let mariadb = Mariadb::start(&["--max-connections=11"]).ready().await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(mariadb.connect().await);
    }
    let crowded = json!({ "mysql": { "url": mariadb.url(), "max_connections_used": "70%" } });
    let result = ask(crowded).await;
    expect(&result, Outcome::Slow, "");
    assert!(fact(&result, "slow").contains("of 11 connections are in use"), "{result:?}");
    for _ in 0..3 {
        held.push(mariadb.connect().await);
    }
    // One connection over the most is kept free for administrators, which this user is not.
    let result = mariadb.ask().await;
    expect(&result, Outcome::Down, "Too many connections [08004]");
    let Mariadb { port, _server, folder } = mariadb;
    drop((held, _server));
    let url = format!("mysql://farero:${{env:SECRET}}@127.0.0.1:{port}/app");
    expect(&ask(json!({ "mysql": url })).await, Outcome::Down, "log-in: ");
    drop(folder);
}

#[tokio::test]
async fn chk_12_mariadb_queries_with_bounds() {
    let mariadb = Mariadb::start(&[]).ready().await;
    let mut client = mariadb.connect().await;
    client.query_drop("CREATE TABLE casos (id INT PRIMARY KEY) ENGINE=InnoDB").await.unwrap();
    client.query_drop("INSERT INTO casos VALUES (1), (2), (3)").await.unwrap();
    assert!(reading(&mariadb.ask().await, "farero_db_size_bytes") > 0.0);

    let result = mariadb.ask_query("SELECT COUNT(*) FROM casos", 3.0).await;
    expect(&result, Outcome::Up, "");
    assert_eq!(reading(&result, "farero_db_query_value"), 3.0);
    expect(&mariadb.ask_query("SELECT COUNT(*) FROM casos;", 2.0).await, Outcome::Down, "query q gave 3, more than 2");
    let many = mariadb.ask_query("SELECT a.id * 1.5 FROM casos a, casos b, casos c ORDER BY 1 DESC", 99.0).await;
    assert_eq!(reading(&many, "farero_db_query_value"), 4.5);
    expect(&mariadb.ask_query("SELECT NULL", 1.0).await, Outcome::Down, "gave no number: no row, or NULL");
    expect(&mariadb.ask_query("SELECT * FROM nadie", 1.0).await, Outcome::Down, "'app.nadie' doesn't exist [42S02]");
    expect(&mariadb.ask_query("SELECT NOW()", 1.0).await, Outcome::Down, "a date is no number");

    let write = mariadb.ask_query("DELETE FROM casos", 99.0).await;
    expect(&write, Outcome::Down, "Cannot execute statement in a READ ONLY transaction [25006]");
    let table = mariadb.ask_query("CREATE TABLE otra (id INT)", 99.0).await;
    expect(&table, Outcome::Down, "[25006]");
    let sneaky = mariadb.ask_query("SELECT 1; COMMIT; DELETE FROM casos", 99.0).await;
    expect(&sneaky, Outcome::Down, "You have an error in your SQL syntax");
    assert_eq!(client.query_first::<i64, _>("SELECT COUNT(*) FROM casos").await.unwrap(), Some(3));
}

#[tokio::test]
async fn chk_12_mariadb_a_slow_query_is_cut_off_on_the_server() {
    let mariadb = Mariadb::start(&[]).ready().await;
    let check = json!({
        "mysql": { "url": mariadb.url(), "queries": { "q": { "sql": "SELECT SLEEP(60) FROM information_schema.tables" } } },
        "timeout": "1s"
    });
    let began = Instant::now();
    expect(&ask(check).await, Outcome::Down, "max_statement_time");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn chk_03_mariadb_with_tls() {
    let authority = Authority::new("test");
    let (certificate, key) = authority.issue(&["db.example"], 2060);
    let keys = folder_of("mysql");
    let certificate = write(keys.path(), "crt", &certificate);
    let key = write(keys.path(), "key", &key);
    give_key(&certificate, "mysql");
    give_key(&key, "mysql");
    let ca = write(keys.path(), "ca", authority.pem());
    let mariadb = Mariadb::start(&[&format!("--ssl-cert={certificate}"), &format!("--ssl-key={key}")]).ready().await;
    let url = format!("{}?require_ssl=true", mariadb.url());
    let with = |tls: serde_json::Value| ask(json!({ "mysql": { "url": url, "tls": tls } }));
    expect(&with(json!({ "ca_file": ca, "server_name": "db.example", "min_version": "1.3" })).await, Outcome::Up, "");
    let unknown = with(json!({ "server_name": "db.example" })).await;
    assert_eq!(unknown.outcome, Outcome::Down, "an unknown authority must not be trusted: {unknown:?}");
    let other = with(json!({ "ca_file": ca, "server_name": "other.example" })).await;
    assert_eq!(other.outcome, Outcome::Down, "a certificate for another name must not be trusted: {other:?}");
    expect(&with(json!({ "insecure": true })).await, Outcome::Up, "");
}

#[test]
fn chk_03_mysql_url_errors_show_no_password() {
    let wrong = try_prepare(json!({ "mysql": "mysql://u:hunter22@h:port/y" })).unwrap_err().to_string();
    assert!(wrong.contains("mysql://user:password@host:port/database") && !wrong.contains("hunter22"), "{wrong}");
}
