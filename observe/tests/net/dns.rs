//! DNS checks against dnsmasq.

use std::process::Command;

use kernel::probe::Outcome;
use serde_json::{Value, json};

use super::support::{Server, ask, expect, fact, free_port, reading, try_prepare};

fn start(port: u16) -> Server {
    let mut command = Command::new("/usr/sbin/dnsmasq");
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file"]);
    command.args(["--listen-address=127.0.0.1", "--bind-interfaces", "--log-facility=-", "--local=/example/"]);
    command.args(["--host-record=a.example,10.0.0.1,2001:db8::1", "--host-record=mail.example,10.0.0.2"]);
    command.args(["--cname=www.example,a.example", "--mx-host=example,mail.example,10"]);
    command.args(["--txt-record=example,v=spf1 -all", "--ptr-record=1.0.0.10.in-addr.arpa,a.example"]);
    command.args(["--srv-host=_x._tcp.example,a.example,8080,1,2"]);
    for i in 0..20 {
        command.arg(format!("--txt-record=long.example,{i}-{}", "x".repeat(60)));
    }
    Server::start("dnsmasq", command.arg(format!("--port={port}"))).wait_for(port)
}

async fn check(port: u16, mut settings: Value, outcome: Outcome, error_part: &str) {
    settings["server"] = format!("127.0.0.1:{port}").into();
    expect(&ask(json!({ "dns": settings })).await, outcome, error_part);
}

#[tokio::test]
async fn chk_01_dns_answers_are_read_and_compared() {
    use Outcome::{Down, Up};
    let port = free_port();
    let _server = start(port);
    let cases = [
        (json!({ "name": "a.example" }), Up, ""),
        (json!({ "name": "a.example", "tcp": true }), Up, ""),
        (json!({ "name": "a.example", "record": "aaaa", "expect": ["2001:db8::1"] }), Up, ""),
        (json!({ "name": "www.example", "expect": ["10.0.0.1"] }), Up, ""),
        (json!({ "name": "www.example", "record": "CNAME", "expect": ["A.example"] }), Up, ""),
        (json!({ "name": "example", "record": "MX", "expect": ["10 mail.example."] }), Up, ""),
        (json!({ "name": "example", "record": "TXT", "expect": ["\"v=spf1 -all\""] }), Up, ""),
        (json!({ "name": "_x._tcp.example", "record": "SRV", "expect": ["1 2 8080 a.example"] }), Up, ""),
        (json!({ "name": "10.0.0.1", "record": "PTR", "expect": ["a.example"] }), Up, ""),
        (json!({ "name": "a.example", "expect": ["10.0.0.1", "10.0.0.9"] }), Down, "not among the answers: 10.0.0.9"),
        (json!({ "name": "gone.example" }), Down, "the name gone.example. does not exist"),
        (json!({ "name": "mail.example", "record": "AAAA" }), Down, "mail.example. has no AAAA record"),
        (json!({ "name": "else.where" }), Down, "the server says"),
    ];
    for (settings, outcome, error_part) in cases {
        check(port, settings, outcome, error_part).await;
    }
}

#[tokio::test]
async fn chk_01_dns_shows_what_it_read() {
    let port = free_port();
    let _server = start(port);
    let server = format!("127.0.0.1:{port}");
    let result = ask(json!({ "dns": { "name": "a.example", "server": server } })).await;
    assert_eq!(fact(&result, "answers"), "10.0.0.1");
    assert_eq!(fact(&result, "server"), format!("{server} by UDP"));
    assert_eq!(reading(&result, "probe_dns_answer_rrs"), 1.0);
    assert_eq!(reading(&result, "probe_dns_query_succeeded"), 1.0);
    let long = ask(json!({ "dns": { "name": "long.example", "record": "TXT", "server": server } })).await;
    expect(&long, Outcome::Up, "");
    assert_eq!(fact(&long, "server"), format!("{server} by TCP"), "what is cut off over UDP is asked again over TCP");
    assert_eq!(reading(&long, "probe_dns_answer_rrs"), 20.0);
    let nobody = ask(json!({ "dns": { "name": "a.example", "server": format!("127.0.0.1:{}", free_port()) } })).await;
    expect(&nobody, Outcome::Down, "no DNS server listens there");
    assert_eq!(reading(&nobody, "probe_dns_query_succeeded"), 0.0);
    let error = try_prepare(json!({ "dns": { "name": "a", "record": "NONSENSE" } })).unwrap_err();
    assert!(error.to_string().contains("`NONSENSE` is no record type"), "{error}");
}
