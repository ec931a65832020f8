//! Where Farero's messages may go: not to this machine, not to a cloud's metadata, unless the plan names the host (SEC-12). Pure.
//!
//! A plan chooses addresses that Farero sends to. Whoever may edit a plan, or the name that stands in it, must not reach
//! through Farero what listens on the machine's own loopback, or the metadata service that hands out a cloud machine's
//! credentials. Private networks (`10.0.0.0/8` and the like) are allowed: mail servers and gateways stand there.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where channels and the watchdog may send to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    /// Hosts, `host` or `host:port`, that may be sent to although they are this machine or a reserved address:
    /// `localhost:8025`, `127.0.0.1`. Compared with the host as the channel names it; an empty one is none.
    #[serde(default)]
    pub allow: Vec<String>,
}

impl Outgoing {
    /// Whether the plan names this host, with this port or with none.
    pub fn allows(&self, host: &str, port: u16) -> bool {
        let host = bare(host);
        self.allow.iter().any(|entry| {
            let (name, only) = split(entry);
            !name.is_empty() && bare(name).eq_ignore_ascii_case(host) && only.is_none_or(|p| p == port)
        })
    }

    /// Why nothing may be sent to a host as it is written, where that is known without asking DNS.
    pub fn refuses(&self, host: &str, port: u16) -> Option<&'static str> {
        refused_name(host).filter(|_| !self.allows(host, port))
    }
}

/// Host and port of an entry; `[::1]:80`, `::1`, `localhost:80`, `localhost`.
fn split(entry: &str) -> (&str, Option<u16>) {
    let entry = entry.trim();
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.')
}

/// Why a host as it is written leads where nothing may be sent; `None` for names that only DNS can tell of.
pub fn refused_name(host: &str) -> Option<&'static str> {
    let host = bare(host).to_ascii_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        return refused_address(address);
    }
    let local = ["localhost", "ip6-localhost", "ip6-loopback"].contains(&host.as_str()) || host.ends_with(".localhost");
    let metadata = ["metadata.google.internal", "metadata.goog", "instance-data"].contains(&host.as_str());
    if local {
        Some("this machine itself (loopback)")
    } else if metadata {
        Some("the cloud's metadata service")
    } else {
        None
    }
}

/// Addresses of metadata services that lie outside of the link-local ranges: Alibaba Cloud, Azure's WireServer; and AWS by IPv6.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Why nothing may be sent to an address; `None` where it may.
pub fn refused_address(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => refused_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => refused_v4(v4),
            None => refused_v6(v6),
        },
    }
}

fn refused_v4(address: Ipv4Addr) -> Option<&'static str> {
    let first = address.octets()[0];
    if address.is_loopback() {
        Some("this machine itself (loopback)")
    } else if METADATA_V4.contains(&address) || address == Ipv4Addr::new(169, 254, 169, 254) {
        Some("the cloud's metadata service")
    } else if address.is_link_local() {
        Some("a link-local address")
    } else if first == 0 {
        Some("no address (unspecified)")
    } else if address.is_multicast() || address.is_broadcast() || first >= 240 {
        Some("a multicast, broadcast or reserved address")
    } else {
        None
    }
}

fn refused_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() {
        Some("this machine itself (loopback)")
    } else if METADATA_V6.contains(&address) {
        Some("the cloud's metadata service")
    } else if address.is_unspecified() {
        Some("no address (unspecified)")
    } else if address.segments()[0] & 0xffc0 == 0xfe80 {
        Some("a link-local address")
    } else if address.is_multicast() {
        Some("a multicast, broadcast or reserved address")
    } else {
        None
    }
}

/// The IPv4 address inside an IPv6 one: mapped (RFC 4291), compatible, translated (RFC 6052), 6to4 (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    let compatible = s[..6] == [0; 6] && !address.is_loopback() && !address.is_unspecified();
    let translated = s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] || s[..3] == [0x64, 0xff9b, 1];
    if address.to_ipv4_mapped().is_some() || compatible || translated {
        Some(v4(s[6], s[7]))
    } else if s[0] == 0x2002 {
        Some(v4(s[1], s[2]))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_12_this_machine_and_metadata_are_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "::1",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "0.0.0.0",
            "0.1.2.3",
            "[::]",
            "169.254.169.254",
            "169.254.0.1",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "::ffff:127.0.0.1",
            "[::ffff:169.254.169.254]",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a9fe:a9fe",
            "2002:7f00:1::",
            "metadata.google.internal",
            "240.0.0.1",
        ] {
            assert!(refused_name(host).is_some(), "{host}");
        }
        for host in [
            "10.0.0.5",
            "192.168.1.2",
            "172.16.0.1",
            "8.8.8.8",
            "fd12::1",
            "2001:db8::1",
            "mail.example",
            "100.64.0.1",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(refused_name(host), None, "{host}");
        }
    }

    #[test]
    fn sec_12_a_plan_may_allow_a_host_by_its_name() {
        let outgoing = Outgoing { allow: ["localhost:8025", "127.0.0.1", "[::1]:80", ""].map(str::to_owned).to_vec() };
        let check =
            |host: &str, port: u16, expect: bool| assert_eq!(outgoing.allows(host, port), expect, "{host}:{port}");
        check("localhost", 8025, true);
        check("LocalHost", 8025, true);
        check("localhost", 25, false);
        check("127.0.0.1", 1, true);
        check("[::1]", 80, true);
        check("::1", 80, true);
        check("::1", 81, false);
        check("169.254.169.254", 80, false);
        check("", 80, false);
    }
}
