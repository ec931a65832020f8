//! TCP, SMTP, SSH, NTP, ICMP, gRPC and WebSocket checks against real servers.

use std::process::Command;

use kernel::probe::Outcome;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{Authority, Server, ask, error, expect, fact, free_port, reading, write};

/// Debian's Python, for the servers that Debian packages for it.
const PYTHON: &str = "/usr/bin/python3";

#[tokio::test]
async fn chk_01_tcp_sends_and_expects() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut line = [0; 4];
                stream.read_exact(&mut line).await.ok();
                stream.write_all(if &line == b"PING" { b"+PONG hunter22-secret" } else { b"-WHAT" }).await.ok();
            });
        }
    });
    let with = |send: &str| json!({ "tcp": { "address": address, "send": send, "expect": "+PONG" } });
    let pong = ask(with("PING")).await;
    expect(&pong, Outcome::Up, "");
    let other = ask(with("HELO")).await;
    expect(&other, Outcome::Down, "the connection was closed after 5 bytes without `+PONG`");
    assert_eq!(other.evidence.body.as_deref(), Some("-WHAT"));
    expect(&ask(json!({ "tcp": address })).await, Outcome::Up, "");
    expect(&ask(json!({ "tcp": format!("127.0.0.1:{}", free_port()) })).await, Outcome::Down, "nothing listens there");
    let quiet = ask(json!({ "tcp": { "address": address, "expect": "x" }, "timeout": "100ms" })).await;
    expect(&quiet, Outcome::Down, "no answer within 100ms: given up while waiting for the expected text");
}

#[tokio::test]
async fn chk_01_ssh_banner() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let key = folder.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(
        made.is_ok_and(|s| s.success()),
        "ssh-keygen is missing: this test needs the Debian package openssh-client"
    );
    // Started by root, sshd wants this folder, which the system makes when it starts; started by others it does not.
    std::fs::create_dir_all("/run/sshd").ok();
    let mut sshd = Command::new("/usr/sbin/sshd");
    sshd.args(["-D", "-e", "-f", "/dev/null", "-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-h"]).arg(&key);
    let _server = Server::start("openssh-server", sshd.args(["-p", &port.to_string()])).wait_for(port);
    let result = ask(json!({ "ssh": { "address": format!("127.0.0.1:{port}"), "expect": "OpenSSH" } })).await;
    expect(&result, Outcome::Up, "");
    assert!(result.evidence.status.is_some_and(|s| s.starts_with("SSH-2.0-OpenSSH")));
    let other = ask(json!({ "ssh": { "address": format!("127.0.0.1:{port}"), "expect": "dropbear" } })).await;
    expect(&other, Outcome::Down, "the banner does not hold `dropbear`");
}

fn smtp_server(folder: &TempDir, authority: &Authority, with_tls: bool) -> (Server, u16) {
    let port = free_port();
    let (certificate, key) = authority.issue(&["localhost"], 2050);
    let certificate = write(folder.path(), "smtp.pem", &certificate);
    let key = write(folder.path(), "smtp.key", &key);
    let mut command = Command::new(PYTHON);
    command.args(["-m", "aiosmtpd", "-n", "-c", "aiosmtpd.handlers.Sink", "-l", &format!("127.0.0.1:{port}")]);
    if with_tls {
        command.args(["--tlscert", &certificate, "--tlskey", &key, "--no-requiretls"]);
    }
    (Server::start("python3-aiosmtpd", &mut command).wait_for(port), port)
}

#[tokio::test]
async fn chk_01_smtp_greeting_and_starttls() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("Mail authority");
    let ca_file = write(folder.path(), "ca.pem", authority.pem());
    let (_plain, plain) = smtp_server(&folder, &authority, false);
    let (_tls, tls) = smtp_server(&folder, &authority, true);
    let greeted = ask(json!({ "smtp": format!("127.0.0.1:{plain}") })).await;
    expect(&greeted, Outcome::Up, "");
    assert!(fact(&greeted, "greeting").starts_with("220 "));
    let without = ask(json!({ "smtp": { "address": format!("localhost:{plain}"), "starttls": true } })).await;
    expect(&without, Outcome::Down, "the server does not offer STARTTLS");
    let starttls = |host: &str| json!({ "smtp": { "address": format!("{host}:{tls}"), "starttls": true, "tls": { "ca_file": ca_file } } });
    let good = ask(starttls("localhost")).await;
    expect(&good, Outcome::Up, "");
    assert_eq!(reading(&good, "probe_ssl_earliest_cert_expiry"), 2_524_608_000.0);
    expect(
        &ask(starttls("127.0.0.1")).await,
        Outcome::Down,
        "made for another name: 127.0.0.1 expected, localhost found",
    );
}

#[tokio::test]
async fn chk_01_ntp_offset_and_stratum() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let config = format!(
        "port {port}\nbindaddress 127.0.0.1\nallow 127.0.0.1\ncmdport 0\nlocal stratum 3\npidfile {0}/pid\nbindcmdaddress {0}/none\n",
        folder.path().display()
    );
    let config = write(folder.path(), "chrony.conf", &config);
    let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
    // In the foreground, without setting the clock, and without asking for root.
    let mut chronyd = Command::new("/usr/sbin/chronyd");
    let _server = Server::start("chrony", chronyd.args(["-d", "-x", "-U", "-u", &user, "-f", &config]));
    let check = |settings: Value| {
        let mut settings = settings;
        settings["server"] = format!("127.0.0.1:{port}").into();
        json!({ "ntp": settings, "attempts": 10, "pause": "200ms", "timeout": "1s" })
    };
    let result = ask(check(json!({ "max_offset": "1s" }))).await;
    expect(&result, Outcome::Up, "");
    assert_eq!(reading(&result, "probe_ntp_stratum"), 3.0);
    assert!(reading(&result, "probe_ntp_offset_seconds").abs() < 0.1, "{result:#?}");
    assert!(reading(&result, "probe_ntp_rtt_seconds") < 1.0);
    expect(&ask(check(json!({ "max_stratum": 2 }))).await, Outcome::Down, "stratum is 3, higher than 2");
    let nobody = ask(json!({ "ntp": format!("127.0.0.1:{}", free_port()) })).await;
    expect(&nobody, Outcome::Down, "no NTP server listens there");
}

#[tokio::test]
async fn chk_01_icmp_loss_and_round_trip_or_a_clear_refusal() {
    let result = ask(json!({ "icmp": { "host": "127.0.0.1", "packets": 2 } })).await;
    if result.outcome == Outcome::Blind {
        assert!(error(&result).contains("net.ipv4.ping_group_range"), "{result:#?}");
        return;
    }
    expect(&result, Outcome::Up, "");
    assert_eq!(reading(&result, "probe_icmp_loss_ratio"), 0.0);
    assert!(reading(&result, "probe_icmp_duration_seconds") < 1.0);
    assert_eq!(result.evidence.status.as_deref(), Some("2 of 2 packets answered"));
}

const GRPC_SERVER: &str = r#"
import sys, grpc
from concurrent import futures
states = {b"": 1, b"\x0a\x02db": 2}
def check(request, context):
    if request not in states:
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    return bytes([8, states[request]])
server = grpc.server(futures.ThreadPoolExecutor(2))
if sys.argv[2] == "health":
    method = grpc.unary_unary_rpc_method_handler(check)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})])
if len(sys.argv) > 3:
    pair = [open(sys.argv[4], "rb").read(), open(sys.argv[3], "rb").read()]
    server.add_secure_port("127.0.0.1:" + sys.argv[1], grpc.ssl_server_credentials([pair]))
else:
    server.add_insecure_port("127.0.0.1:" + sys.argv[1])
server.start()
server.wait_for_termination()
"#;

fn grpc_server(folder: &TempDir, arguments: &[&str]) -> (Server, String) {
    let port = free_port();
    let script = write(folder.path(), "grpc_server.py", GRPC_SERVER);
    let mut command = Command::new(PYTHON);
    let server = Server::start("python3-grpcio", command.args([&script, &port.to_string()]).args(arguments));
    (server.wait_for(port), format!("localhost:{port}"))
}

#[tokio::test]
async fn chk_01_grpc_health() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("gRPC authority");
    let ca_file = write(folder.path(), "ca.pem", authority.pem());
    let (certificate, key) = authority.issue(&["localhost"], 2050);
    let pair = [write(folder.path(), "g.pem", &certificate), write(folder.path(), "g.key", &key)];
    let (_health, health) = grpc_server(&folder, &["health"]);
    let (_tls, tls) = grpc_server(&folder, &["health", &pair[0], &pair[1]]);
    let (_none, none) = grpc_server(&folder, &["none"]);
    let serving = ask(json!({ "grpc": health })).await;
    expect(&serving, Outcome::Up, "");
    assert_eq!(serving.evidence.status.as_deref(), Some("SERVING"));
    assert_eq!(reading(&serving, "probe_grpc_status_code"), 0.0);
    let of = |service: &str| json!({ "grpc": { "address": health, "service": service } });
    expect(&ask(of("db")).await, Outcome::Down, "the service is NOT_SERVING");
    expect(&ask(of("gone")).await, Outcome::Down, "the server does not know this service");
    expect(&ask(json!({ "grpc": none })).await, Outcome::Down, "the server has no health service");
    let secure = json!({ "grpc": { "address": tls, "use_tls": true, "tls": { "ca_file": ca_file } } });
    let secure = ask(secure).await;
    expect(&secure, Outcome::Up, "");
    assert_eq!(reading(&secure, "probe_grpc_ssl"), 1.0);
    assert_eq!(ask(json!({ "grpc": tls })).await.outcome, Outcome::Down);
}

const WEBSOCKET_SERVER: &str = r#"
import asyncio, sys, websockets
async def serve(socket):
    async for message in socket:
        if message == "bye":
            return
        await socket.send("first")
        await socket.send("echo " + message)
async def main():
    async with websockets.serve(serve, "127.0.0.1", int(sys.argv[1])):
        await asyncio.Future()
asyncio.run(main())
"#;

#[tokio::test]
async fn chk_01_websocket_handshake_and_messages() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let script = write(folder.path(), "websocket_server.py", WEBSOCKET_SERVER);
    let mut command = Command::new(PYTHON);
    let server = Server::start("python3-websockets", command.args([&script, &port.to_string()]));
    let _server = server.wait_for(port);
    let url = format!("ws://127.0.0.1:{port}/feed?x=1");
    let opened = ask(json!({ "websocket": url })).await;
    expect(&opened, Outcome::Up, "");
    assert_eq!(opened.evidence.status.as_deref(), Some("HTTP/1.1 101 Switching Protocols"));
    let with = |send: &str, wanted: &str| json!({ "websocket": { "url": url, "send": send, "expect": wanted } });
    let echoed = ask(with("${env:SECRET}", "echo hunter")).await;
    expect(&echoed, Outcome::Up, "");
    assert_eq!(echoed.evidence.body.as_deref(), Some("echo [redacted]"));
    expect(&ask(with("bye", "echo")).await, Outcome::Down, "the server closed the WebSocket without `echo`");
    let refused = super::nginx::Nginx::start();
    let refused = ask(json!({ "websocket": format!("ws://127.0.0.1:{}/broken", refused.plain) })).await;
    expect(&refused, Outcome::Down, "the server refuses the WebSocket: status 503");
}
