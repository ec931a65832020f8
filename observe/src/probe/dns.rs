//! A question to a DNS server and what must be among the answers (RFC 1035). I/O.
//!
//! The message is made and read by hickory; it goes to the server itself, past any cache of this process.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use kernel::probe::{Phase, Reading};
use plan_model::check::DnsCheck;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::dial::{Host, Target, connect, resolve};
use super::{Attempt, PrepareError, Preparing, Probed};

/// Largest answer over UDP that is read; a server sends what is longer over TCP.
const UDP_LIMIT_BYTES: usize = 4_096;

/// Of the answers at most this many are shown as evidence.
const MOST_SHOWN: usize = 20;

/// A DNS check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedDns {
    name: Name,
    record: RecordType,
    /// `None`: those of this machine's resolver, read anew each time.
    server: Option<Target>,
    expect: Vec<String>,
    tcp: bool,
}

/// Makes the check ready.
pub(crate) fn prepare_dns(check: &DnsCheck, with: &Preparing<'_>) -> Result<PreparedDns, PrepareError> {
    let record = check.record.as_deref().unwrap_or("A").to_uppercase();
    let record: RecordType = record.parse().map_err(|_| {
        PrepareError::unusable("dns.record", format!("`{record}` is no record type: write A, AAAA, MX, TXT, …"))
    })?;
    let server = check.server.as_ref().map(|text| {
        let text = with.resolve(text)?;
        Target::parse("dns.server", text.expose(), Some(53))
    });
    Ok(PreparedDns {
        name: prepare_name(with.resolve(&check.name)?.expose().trim(), record)?,
        record,
        server: server.transpose()?,
        expect: check.expect.clone(),
        tcp: check.tcp,
    })
}

/// The name as the server knows it. A `PTR` question may be asked with the address itself.
fn prepare_name(text: &str, record: RecordType) -> Result<Name, PrepareError> {
    if let (RecordType::PTR, Some(Host::Address(address))) = (record, Host::parse(text)) {
        return Ok(Name::from(address));
    }
    let mut name = Name::from_utf8(text).map_err(|e| PrepareError::unusable("dns.name", e))?;
    name.set_fqdn(true);
    Ok(name)
}

/// Asks once.
pub(crate) async fn probe_dns(check: &PreparedDns, attempt: &Attempt) -> Probed {
    let servers = match &check.server {
        Some(server) => vec![server.clone()],
        None => match own_servers() {
            Ok(servers) => servers,
            Err(error) => return Probed::blind(error),
        },
    };
    let mut errors = Vec::new();
    for (i, server) in servers.iter().enumerate() {
        let left = attempt.deadline().saturating_duration_since(Instant::now());
        let share = left / u32::try_from(servers.len() - i).unwrap_or(1);
        match tokio::time::timeout(share, ask(check, server, attempt)).await {
            Ok(Ok(answer)) => return judge(check, &answer, attempt),
            Ok(Err(error)) => errors.push(error),
            Err(_) => errors.push(format!("{server} did not answer within {:.1} s", share.as_secs_f64())),
        }
    }
    attempt.read(Reading::new("probe_dns_query_succeeded", 0.0));
    Probed::down(errors.join("; "))
}

/// The servers of this machine's own resolver.
fn own_servers() -> Result<Vec<Target>, String> {
    let (config, _) =
        read_system_conf().map_err(|e| format!("this machine's resolver settings cannot be used: {e}"))?;
    let servers: Vec<_> =
        config.name_servers().iter().map(|s| Target { host: Host::Address(s.ip), port: 53 }).collect();
    if servers.is_empty() { Err("this machine has no DNS server in /etc/resolv.conf".to_owned()) } else { Ok(servers) }
}

async fn ask(check: &PreparedDns, server: &Target, attempt: &Attempt) -> Result<Message, String> {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(check.name.clone(), check.record));
    let packet = question.to_vec().map_err(|e| format!("the question cannot be written: {e}"))?;
    let answer = if check.tcp {
        ask_by_tcp(&question, &packet, server, attempt).await?
    } else {
        let answer = ask_by_udp(&question, &packet, server, attempt).await?;
        if answer.metadata.truncation { ask_by_tcp(&question, &packet, server, attempt).await? } else { answer }
    };
    attempt.finish();
    Ok(answer)
}

async fn ask_by_udp(question: &Message, packet: &[u8], server: &Target, attempt: &Attempt) -> Result<Message, String> {
    let address = resolve(server, attempt).await?.first().copied().ok_or("the server's name has no address")?;
    attempt.begin(Phase::Processing);
    attempt.fact("server", format!("{address} by UDP"));
    let local: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let failed = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::ConnectionRefused => format!("{address} refuses: no DNS server listens there"),
        _ => format!("{address} cannot be asked: {e}"),
    };
    let socket = UdpSocket::bind(local).await.map_err(failed)?;
    socket.connect(address).await.map_err(failed)?;
    socket.send(packet).await.map_err(failed)?;
    let mut buffer = vec![0; UDP_LIMIT_BYTES];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(failed)?;
        // Anything else than an answer to this question may be forged or late: it is waited on.
        match Message::from_vec(&buffer[..length]) {
            Ok(answer) if answers(&answer, question) => return Ok(answer),
            _ => {}
        }
    }
}

async fn ask_by_tcp(question: &Message, packet: &[u8], server: &Target, attempt: &Attempt) -> Result<Message, String> {
    let mut stream = connect(server, attempt).await?;
    attempt.begin(Phase::Processing);
    attempt.fact("server", format!("{server} by TCP"));
    let failed = |e: std::io::Error| format!("{server} broke the connection off: {e}");
    let length = u16::try_from(packet.len()).map_err(|_| "the question is too long")?;
    stream.write_all(&[&length.to_be_bytes(), packet].concat()).await.map_err(failed)?;
    let length = stream.read_u16().await.map_err(failed)?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.map_err(failed)?;
    let answer = Message::from_vec(&buffer).map_err(|e| format!("the answer cannot be read: {e}"))?;
    if answers(&answer, question) { Ok(answer) } else { Err("the answer belongs to another question".to_owned()) }
}

fn answers(answer: &Message, question: &Message) -> bool {
    answer.metadata.id == question.metadata.id && answer.queries == question.queries
}

fn judge(check: &PreparedDns, answer: &Message, attempt: &Attempt) -> Probed {
    let values: Vec<String> = answer.answers.iter().filter(|r| r.record_type() == check.record).map(value).collect();
    record(answer, &values, attempt);
    let code = answer.metadata.response_code;
    let missing: Vec<&str> =
        check.expect.iter().filter(|wanted| !values.iter().any(|v| is_same(v, wanted))).map(String::as_str).collect();
    let probed = if code == ResponseCode::NXDomain {
        Probed::down(format!("the name {} does not exist", check.name))
    } else if code != ResponseCode::NoError {
        Probed::down(format!("the server says {code}"))
    } else if values.is_empty() {
        Probed::down(format!("{} has no {} record", check.name, check.record))
    } else if !missing.is_empty() {
        Probed::down(format!("not among the answers: {}", missing.join(", ")))
    } else {
        Probed::up()
    };
    probed.with_status(code.to_string())
}

fn record(answer: &Message, values: &[String], attempt: &Attempt) {
    attempt.read(Reading::new("probe_dns_query_succeeded", 1.0));
    attempt.read(Reading::new("probe_dns_answer_rrs", answer.answers.len() as f64));
    attempt.read(Reading::new("probe_dns_authority_rrs", answer.authorities.len() as f64));
    attempt.read(Reading::new("probe_dns_additional_rrs", answer.additionals.len() as f64));
    if let Some(serial) = answer.answers.iter().find_map(serial) {
        attempt.read(Reading::new("probe_dns_serial", f64::from(serial)));
    }
    let shown = values.iter().take(MOST_SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
    attempt.fact("answers", shown);
}

fn serial(record: &Record) -> Option<u32> {
    match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    }
}

/// As printed in zone files.
fn value(record: &Record) -> String {
    record.data.to_string()
}

/// Names are the same with and without the dot at the end, and in any case; texts with and without quotes.
fn is_same(found: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.trim().trim_matches('"').trim_end_matches('.').to_lowercase();
    plain(found) == plain(wanted)
}
