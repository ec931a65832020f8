//! Redis 7 of Debian.

use std::process::Command;

use kernel::probe::{Outcome, Phase, ProbeResult};
use serde_json::json;

use crate::support::{
    Authority, Server, ask, expect, fact, free_port, phases, reading, reading_label, try_prepare, write,
};

struct Redis {
    port: u16,
    _server: Server,
    _folder: tempfile::TempDir,
}

impl Redis {
    fn start(options: &[&str]) -> Self {
        let port = free_port();
        Self::start_at(port, &[&["--port", &port.to_string()], options].concat())
    }

    fn start_at(port: u16, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]).arg(folder.path());
        let server = Server::start("redis-server", command.args(options)).wait_for(port);
        Self { port, _server: server, _folder: folder }
    }

    async fn ask(&self, login: &str) -> ProbeResult {
        ask(json!({ "redis": format!("redis://{login}127.0.0.1:{}", self.port) })).await
    }
}

#[tokio::test]
async fn chk_03_redis_logs_in_pings_and_counts() {
    let redis = Redis::start(&["--requirepass", "hunter22-secret", "--maxclients", "12", "--maxmemory", "64mb"]);
    let result = redis.ask(":${env:SECRET}@").await;
    expect(&result, Outcome::Up, "");
    assert_eq!(result.evidence.status.as_deref(), Some("PONG"));
    assert_eq!(phases(&result), [Phase::Resolve, Phase::Connect, Phase::Processing]);
    assert_eq!(reading(&result, "farero_db_connections"), 1.0);
    assert_eq!(reading(&result, "farero_db_connections_max"), 12.0);
    assert_eq!(reading(&result, "redis_memory_max_bytes"), 67_108_864.0);
    assert!(reading(&result, "redis_memory_used_bytes") > 1e5);
    assert_eq!(reading_label(&result, "redis_instance_info", "role"), "master");

    let wrong = redis.ask(":wrong-password@").await;
    expect(&wrong, Outcome::Down, "logging in: WRONGPASS");
    assert_eq!(wrong.evidence.status.as_deref(), Some("WRONGPASS"));
    assert!(!format!("{wrong:?}").contains("wrong-password"));
    expect(&redis.ask("").await, Outcome::Down, "PING: NOAUTH");
    let database = json!({ "redis": format!("redis://:${{env:SECRET}}@127.0.0.1:{}/99", redis.port) });
    expect(&ask(database).await, Outcome::Down, "DB index is out of range");
}

#[tokio::test]
async fn chk_03_redis_full_and_gone() {
    let redis = Redis::start(&["--maxclients", "4"]);
    let connect = || std::net::TcpStream::connect(("127.0.0.1", redis.port)).unwrap();
    let mut held = vec![connect(), connect()];
    let crowded =
        json!({ "redis": { "url": format!("redis://127.0.0.1:{}", redis.port), "max_connections_used": "70%" } });
    let result = ask(crowded).await;
    expect(&result, Outcome::Slow, "");
    assert_eq!(fact(&result, "slow"), "3 of 4 connections are in use (75 %), more than 70%");
    held.extend([connect(), connect()]);
    expect(&redis.ask("").await, Outcome::Down, "ERR max number of clients reached");
    let Redis { port, _server, _folder } = redis;
    drop((held, _server));
    let gone = ask(json!({ "redis": format!("redis://127.0.0.1:{port}") })).await;
    expect(&gone, Outcome::Down, "nothing listens there");
}

#[tokio::test]
async fn chk_03_redis_users_who_may_only_ping_and_replicas() {
    let acl = ["--user", "watcher", "on", ">hunter22-secret", "-@all", "+ping"];
    let redis = Redis::start(&acl);
    let result = redis.ask("watcher:${env:SECRET}@").await;
    expect(&result, Outcome::Up, "");
    assert!(fact(&result, "info").contains("may not run INFO"));

    let lonely = Redis::start(&["--replicaof", &format!("127.0.0.1 {}", free_port())]);
    let result = lonely.ask("").await;
    expect(&result, Outcome::Slow, "");
    assert!(fact(&result, "slow").contains("lost its master"));
}

#[tokio::test]
async fn chk_03_redis_with_tls() {
    let authority = Authority::new("test");
    let (certificate, key) = authority.issue(&["127.0.0.1"], 2060);
    let folder = tempfile::tempdir().unwrap();
    let certificate = write(folder.path(), "crt", &certificate);
    let key = write(folder.path(), "key", &key);
    let ca = write(folder.path(), "ca", authority.pem());
    let port = free_port();
    let tls = ["--port", "0", "--tls-port", &port.to_string(), "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let more = ["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"];
    let redis = Redis::start_at(port, &[&tls[..], &more].concat());
    let url = format!("rediss://127.0.0.1:{}", redis.port);
    let result = ask(json!({ "redis": { "url": url, "tls": { "ca_file": ca } } })).await;
    expect(&result, Outcome::Up, "");
    assert!(phases(&result).contains(&Phase::Tls));
    assert_eq!(ask(json!({ "redis": url })).await.outcome, Outcome::Down, "an unknown authority must not be trusted");
    assert_eq!(redis.ask("").await.outcome, Outcome::Down, "without TLS there is no answer");
}

#[tokio::test]
async fn chk_03_redis_that_hangs_is_cut_off() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let result = ask(json!({ "redis": format!("redis://127.0.0.1:{port}"), "timeout": "300ms" })).await;
    expect(&result, Outcome::Down, "no answer within 300ms: given up while waiting for PONG");
}

#[test]
fn chk_03_redis_url_errors_show_no_password() {
    let wrong = try_prepare(json!({ "redis": "redis://:hunter22@h:x" })).unwrap_err().to_string();
    assert!(!wrong.contains("hunter22"), "{wrong}");
}
