//! Each way to find targets against its real counterpart: files, an HTTP server, a DNS server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use kernel::Labels;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::*;
use crate::config::{DnsDiscovery, DnsRecord, FileDiscovery, HttpConfig, HttpDiscovery};
use crate::serve::{ok, serve};

/// Runs a way; gives what it tells.
fn running(way: Box<dyn Discoverer>) -> mpsc::UnboundedReceiver<Found> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(way.run(Updates::new(move |found| drop(sender.send(found)))));
    receiver
}

async fn next(receiver: &mut mpsc::UnboundedReceiver<Found>) -> Found {
    tokio::time::timeout(Duration::from_secs(10), receiver.recv()).await.expect("news in time").expect("it goes on")
}

/// Targets with all their labels, as texts.
fn shown(found: &Found) -> Vec<String> {
    match found {
        Found::Groups(groups) => {
            groups.iter().flat_map(|g| g.targets.iter().map(|t| format!("{t} {} {}", g.labels, g.source))).collect()
        }
        Found::Failed(reason) => vec![format!("failed: {reason}")],
    }
}

#[tokio::test]
async fn files_in_json_and_yaml() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("a.json", r#"[{"targets": ["h:1", "h:2"], "labels": {"env": "prod"}}]"#);
    write("b.yml", "- targets: ['h:3']\n");
    let files = vec![dir.path().join("*.json"), dir.path().join("b.yml"), dir.path().join("missing.yml")];
    let config = FileDiscovery { files, refresh: Duration::from_secs(60) };
    let mut news = running(discoverer(&Discovery::File(config)));
    let (a, b) = (path("a.json"), path("b.yml"));
    let of_a = |n: u8| format!(r#"{{__address__="h:{n}"}} {{__meta_filepath="{a}", env="prod"}} {a}:0"#);
    let of_b = format!(r#"{{__address__="h:3"}} {{__meta_filepath="{b}"}} {b}:0"#);
    assert_eq!(shown(&next(&mut news).await), [of_a(1), of_a(2), of_b.clone()]);
    // A mistake keeps what the file said; another file's change is taken all the same.
    write("a.json", r#"[{"target": ["h:9"]}]"#);
    assert!(shown(&next(&mut news).await)[0].contains("unknown field `target`"));
    write("b.yml", "- targets: ['h:3', 'h:4']\n");
    assert_eq!(shown(&next(&mut news).await).len(), 4);
    std::fs::remove_file(dir.path().join("a.json")).unwrap();
    assert_eq!(shown(&next(&mut news).await)[0], of_b);
    write("b.yml", "- target: x\n");
    assert!(shown(&next(&mut news).await)[0].contains("line 1, column 3: field target not found"));
}

#[tokio::test]
async fn a_list_over_http() {
    let n = AtomicUsize::new(0);
    let (address, seen) = serve(move |_| {
        let json = "Content-Type: application/json; charset=utf-8\r\n";
        Some(match n.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => ok(json, br#"[{"targets": ["h:1"], "labels": {"__meta_dc": "q"}}]"#),
            2 => ok("Content-Type: text/html\r\n", b"[]"),
            3 => b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_vec(),
            _ => ok(json, b"[]"),
        })
    })
    .await;
    let url = format!("http://{address}/sd");
    let refresh = Duration::from_millis(100);
    let config = HttpDiscovery { url: url.clone(), refresh, http: HttpConfig::default() };
    let mut news = running(discoverer(&Discovery::Http(Box::new(config))));
    let first = format!(r#"{{__address__="h:1"}} {{__meta_dc="q", __meta_url="{url}"}} {url}:0"#);
    assert_eq!(shown(&next(&mut news).await), [first]);
    assert!(shown(&next(&mut news).await)[0].contains("unsupported content type \"text/html\""));
    assert!(shown(&next(&mut news).await)[0].contains("server returned HTTP status 503 Busy"));
    assert_eq!(next(&mut news).await, Found::Groups(Vec::new()));
    assert!(seen.requests.lock()[0].contains("X-Prometheus-Refresh-Interval-Seconds: 0.1\r\n"));
}

/// A name server with a few records.
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..n]).unwrap();
            let query = question.queries[0].clone();
            let name = query.name().to_utf8();
            let target = |text: &str| Name::from_ascii(text).unwrap();
            let data = match (name.as_str(), query.query_type()) {
                ("web.test.", RecordType::A) => {
                    vec![RData::A(A(Ipv4Addr::new(10, 0, 0, 2))), RData::A(A(Ipv4Addr::new(10, 0, 0, 1)))]
                }
                ("_m._tcp.test.", RecordType::SRV) => vec![RData::SRV(SRV::new(1, 1, 9100, target("n1.test.")))],
                ("mail.test.", RecordType::MX) => vec![RData::MX(MX::new(10, target("mx.test.")))],
                _ => Vec::new(),
            };
            let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
            answer.add_query(query.clone());
            if data.is_empty() {
                answer.metadata.response_code =
                    if name == "broken.test." { ResponseCode::ServFail } else { ResponseCode::NXDomain };
            }
            for rdata in data {
                answer.add_answer(Record::from_rdata(query.name().clone(), 5, rdata));
            }
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn names_of_every_kind() {
    let server = name_server().await;
    let mut connection = ConnectionConfig::udp();
    connection.port = server.port();
    let server = NameServerConfig::new(server.ip(), true, vec![connection]);
    let mut builder = TokioResolver::builder_with_config(
        ResolverConfig::from_parts(None, Vec::new(), vec![server]),
        hickory_resolver::net::runtime::TokioRuntimeProvider::default(),
    );
    builder.options_mut().cache_size = 0;
    builder.options_mut().timeout = Duration::from_secs(2);
    let resolver = builder.build().unwrap();
    let ask = async |name: &str, record, port| {
        let config = DnsDiscovery { names: vec![name.to_owned()], record, port, refresh: Duration::from_secs(30) };
        dns::Names::asking(config, resolver.clone()).refresh().await
    };
    let targets = async |name: &str, record, port| -> Vec<Labels> {
        ask(name, record, port).await.unwrap().unwrap().into_iter().flat_map(|g| g.targets).collect()
    };
    let a = |ip: &str| Labels::new([("__address__", format!("{ip}:80")), ("__meta_dns_name", "web.test.".to_owned())]);
    assert_eq!(targets("web.test.", DnsRecord::A, 80).await, [a("10.0.0.1"), a("10.0.0.2")]);
    let srv = Labels::new([
        ("__address__", "n1.test:9100"),
        ("__meta_dns_name", "_m._tcp.test."),
        ("__meta_dns_srv_record_target", "n1.test."),
        ("__meta_dns_srv_record_port", "9100"),
    ]);
    assert_eq!(targets("_m._tcp.test.", DnsRecord::Srv, 0).await, [srv]);
    let mx = &targets("mail.test.", DnsRecord::Mx, 25).await[0];
    assert_eq!((mx.get("__address__"), mx.get("__meta_dns_mx_record_target")), (Some("mx.test:25"), Some("mx.test.")));
    assert_eq!(targets("nobody.test.", DnsRecord::A, 80).await, Vec::<Labels>::new());
    assert!(ask("broken.test.", DnsRecord::A, 80).await.unwrap_err().contains("could not resolve \"broken.test.\""));
}
