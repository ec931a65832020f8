//! Finds a target's addresses and opens a TCP connection to it. I/O.
//!
//! Names are looked up by hickory and not by the C library: no thread waits for each lookup, a lookup ends with its
//! check's timeout, and ten thousand checks share one small cache. IPv4 is preferred; IPv6 is asked for where a name
//! has no IPv4 address.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::LookupIpStrategy;
use kernel::probe::{Phase, Reading};
use tokio::net::TcpStream;
use tokio::time::Instant;
use url::Url;

use super::{Attempt, PrepareError};

/// Of a name's addresses at most this many are tried, each with an equal share of the time left.
const MOST_ADDRESSES: usize = 4;

/// Answers are believed at most this long, whatever their time to live: a monitor has to see changes.
const LONGEST_CACHED: Duration = Duration::from_secs(30);

/// That a name is not there is believed at most this long.
const LONGEST_CACHED_ABSENCE: Duration = Duration::from_secs(2);

/// The resolver is made anew after this time, so that changes of `/etc/resolv.conf` and `/etc/hosts` are seen.
const RESOLVER_LIFETIME: Duration = Duration::from_secs(60);

/// Where a check goes: a name or an address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// A name to look up, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Name(Box<str>),
    Address(IpAddr),
}

impl Host {
    /// From a name, an IPv4 address, or an IPv6 address with or without brackets.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Some(Self::Address(address));
        }
        let is_name = !text.is_empty()
            && text.len() <= 253
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        is_name.then(|| Self::Name(text.into()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl Target {
    /// From `host:port`, `[address]:port`, or a host alone where there is a usual port.
    pub(crate) fn parse(setting: &'static str, text: &str, usual_port: Option<u16>) -> Result<Self, PrepareError> {
        let text = text.trim();
        let bad = |why: &str| PrepareError::unusable(setting, why);
        let (host, port) = match text.rsplit_once(':') {
            _ if text.parse::<IpAddr>().is_ok() => (text, None),
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            Some(_) if !text.ends_with(']') => {
                return Err(bad("an IPv6 address with a port is written in brackets: [2001:db8::1]:443"));
            }
            _ => (text, None),
        };
        let port = match port {
            Some(port) => {
                port.parse().ok().filter(|p| *p != 0).ok_or_else(|| bad("the port is no number from 1 to 65535"))?
            }
            None => usual_port.ok_or_else(|| bad("the port is missing: write host:port"))?,
        };
        let host = Host::parse(host).ok_or_else(|| bad("it holds no host name or address: write host:port"))?;
        Ok(Self { host, port })
    }
}

impl Target {
    /// From a URL whose scheme has a usual port.
    pub(crate) fn of_url(url: &Url) -> Result<Self, &'static str> {
        let host = match url.host() {
            Some(url::Host::Domain(name)) => Host::parse(name).ok_or("its host is no name")?,
            Some(url::Host::Ipv4(address)) => Host::Address(address.into()),
            Some(url::Host::Ipv6(address)) => Host::Address(address.into()),
            None => return Err("it names no host"),
        };
        let port = url.port_or_known_default().ok_or("it names no port")?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

/// The addresses of a target, at most [`MOST_ADDRESSES`]; an address needs no lookup. Measures the phase `resolve`.
pub(crate) async fn resolve(target: &Target, attempt: &Attempt) -> Result<Vec<SocketAddr>, String> {
    attempt.begin(Phase::Resolve);
    let began = Instant::now();
    let found = match &target.host {
        Host::Address(address) => Ok(vec![SocketAddr::new(*address, target.port)]),
        Host::Name(name) => look_up(name, target.port).await,
    };
    attempt.read(Reading::new("probe_dns_lookup_time_seconds", began.elapsed().as_secs_f64()));
    let found = found?;
    match found.first() {
        Some(first) => attempt.read(Reading::new("probe_ip_protocol", if first.is_ipv4() { 4.0 } else { 6.0 })),
        None => return Err(format!("the name {} has no address", target.host)),
    }
    Ok(found)
}

async fn look_up(name: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = shared_resolver()?.lookup_ip(name).await.map_err(|e| {
        if e.is_nx_domain() || e.is_no_records_found() {
            format!("the name {name} is not known, or has no address")
        } else {
            format!("the name {name} cannot be looked up: {e}")
        }
    })?;
    Ok(found.iter().take(MOST_ADDRESSES).map(|ip| SocketAddr::new(ip, port)).collect())
}

/// Opens a connection. Measures the phases `resolve` and `connect`.
pub(crate) async fn connect(target: &Target, attempt: &Attempt) -> Result<TcpStream, String> {
    let addresses = resolve(target, attempt).await?;
    attempt.begin(Phase::Connect);
    let mut errors = Vec::new();
    for (i, address) in addresses.iter().enumerate() {
        let left = attempt.deadline().saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - i).unwrap_or(1);
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                attempt.fact("address", address.to_string());
                // Without it a short request may wait for an acknowledgement; where it cannot be set, it only takes longer.
                stream.set_nodelay(true).ok();
                return Ok(stream);
            }
            Ok(Err(e)) => errors.push(format!("{address} {}", connect_error(&e))),
            Err(_) => errors.push(format!("{address} did not answer within {:.1} s", share.as_secs_f64())),
        }
    }
    Err(errors.join("; "))
}

fn connect_error(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refuses the connection: nothing listens there".to_owned(),
        io::ErrorKind::ConnectionReset => "broke the connection off".to_owned(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => "cannot be reached: no route".to_owned(),
        io::ErrorKind::TimedOut => "did not answer".to_owned(),
        _ => format!("cannot be connected to: {error}"),
    }
}

static RESOLVER: Mutex<Option<(Instant, TokioResolver)>> = Mutex::new(None);

/// The resolver that all checks share, with this machine's settings.
fn shared_resolver() -> Result<TokioResolver, String> {
    let mut shared = RESOLVER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((made, resolver)) = &*shared
        && made.elapsed() < RESOLVER_LIFETIME
    {
        return Ok(resolver.clone());
    }
    let cannot = |e: &dyn fmt::Display| format!("this machine's resolver settings cannot be used: {e}");
    let mut builder = TokioResolver::builder_tokio().map_err(|e| cannot(&e))?;
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4thenIpv6;
    options.positive_max_ttl = Some(LONGEST_CACHED);
    options.negative_max_ttl = Some(LONGEST_CACHED_ABSENCE);
    let resolver = builder.build().map_err(|e| cannot(&e))?;
    *shared = Some((Instant::now(), resolver.clone()));
    Ok(resolver)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, usual_port: Option<u16>, expect: Result<&str, &str>) {
        let got = Target::parse("address", text, usual_port).map(|t| t.to_string()).map_err(|e| e.to_string());
        match expect {
            Ok(target) => assert_eq!(got.as_deref(), Ok(target), "{text}"),
            Err(part) => assert!(got.as_ref().is_err_and(|e| e.contains(part)), "{text}: {got:?}"),
        }
    }

    #[test]
    fn targets_as_people_write_them() {
        check("db.example:5432", None, Ok("db.example:5432"));
        check("db.example", Some(22), Ok("db.example:22"));
        check("10.0.0.1:80", None, Ok("10.0.0.1:80"));
        check("::1", Some(25), Ok("[::1]:25"));
        check("[::1]:443", None, Ok("[::1]:443"));
        check("[::1]", Some(443), Ok("[::1]:443"));
        check("2001:db8::1:", Some(1), Err("in brackets"));
        check("db.example", None, Err("the port is missing"));
        check("db.example:0", None, Err("the port is no number"));
        check("db.example:http", None, Err("the port is no number"));
        check(":80", None, Err("no host name"));
        check("http://x:80", None, Err("in brackets"));
        check("a b:80", None, Err("no host name"));
    }
}
