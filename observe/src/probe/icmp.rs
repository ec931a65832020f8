//! ICMP echo: loss and round trip (RFC 792, RFC 4443). I/O.
//!
//! surge-ping opens a datagram socket where the system allows it to ordinary users, else a raw one, which needs the
//! right to. Each check opens its own, so that the kernel sorts the answers.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use kernel::probe::{Phase, Reading};
use plan_model::check::IcmpCheck;
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};
use tokio::time::Instant;

use super::dial::{Host, Target, resolve};
use super::{Attempt, PrepareError, Preparing, Probed};

/// Packets when the plan says nothing, and at most.
const USUAL_PACKETS: u16 = 3;
const MOST_PACKETS: u16 = 20;

/// As many bytes as the usual `ping` sends.
const PAYLOAD: [u8; 56] = [0x2a; 56];

/// Of the time left, packets may take this share, so that the last one's loss is counted before the check is cut off.
const SHARE_FOR_PACKETS: f64 = 0.9;

/// Tells the answers of one check from those of another where they share an address.
static NEXT_IDENTIFIER: AtomicU16 = AtomicU16::new(1);

/// An ICMP check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedIcmp {
    target: Target,
    packets: u16,
    /// Share that may be lost, 0 to 1.
    max_loss: f64,
}

/// Makes the check ready.
pub(crate) fn prepare_icmp(check: &IcmpCheck, with: &Preparing<'_>) -> Result<PreparedIcmp, PrepareError> {
    let host = with.resolve(&check.host)?;
    let bad = || PrepareError::unusable("icmp.host", "it is neither a host name nor an address");
    Ok(PreparedIcmp {
        target: Target { host: Host::parse(host.expose().trim()).ok_or_else(bad)?, port: 0 },
        packets: check.packets.unwrap_or(USUAL_PACKETS).clamp(1, MOST_PACKETS),
        max_loss: check.max_loss.map_or(1.0, |p| p.ratio()),
    })
}

/// Asks once.
pub(crate) async fn probe_icmp(check: &PreparedIcmp, attempt: &Attempt) -> Probed {
    let address = match resolve(&check.target, attempt).await.map(|found| found.first().map(|a| a.ip())) {
        Ok(Some(address)) => address,
        Ok(None) => return Probed::down("the name has no address"),
        Err(error) => return Probed::down(error),
    };
    attempt.fact("address", address.to_string());
    let kind = if address.is_ipv4() { ICMP::V4 } else { ICMP::V6 };
    let client = match Client::new(&Config::builder().kind(kind).build()) {
        Ok(client) => client,
        Err(e) => return Probed::blind(not_allowed(&e)),
    };
    attempt.begin(Phase::Processing);
    match send_packets(&client, address, check.packets, attempt).await {
        Ok(trips) => {
            record(&trips, check.packets, attempt);
            judge(check, trips.len())
        }
        Err(error) => Probed::down(error),
    }
}

fn not_allowed(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        "this Farero may not send ICMP: let its group do so with sysctl net.ipv4.ping_group_range, or give it \
         CAP_NET_RAW"
            .to_owned()
    } else {
        format!("no socket for ICMP can be opened: {error}")
    }
}

/// One answered packet.
struct Trip {
    took: Duration,
    hops_left: Option<u8>,
}

async fn send_packets(client: &Client, to: IpAddr, packets: u16, attempt: &Attempt) -> Result<Vec<Trip>, String> {
    let identifier = PingIdentifier(NEXT_IDENTIFIER.fetch_add(1, Ordering::Relaxed));
    let mut pinger = client.pinger(to, identifier).await;
    let mut trips = Vec::with_capacity(usize::from(packets));
    for sequence in 0..packets {
        let left = attempt.deadline().saturating_duration_since(Instant::now()).mul_f64(SHARE_FOR_PACKETS);
        pinger.timeout(left / u32::from(packets - sequence));
        match pinger.ping(PingSequence(sequence), &PAYLOAD).await {
            Ok((packet, took)) => trips.push(Trip { took, hops_left: hops_left(&packet) }),
            Err(SurgeError::Timeout { .. }) => {}
            Err(e) => return Err(format!("{to} cannot be asked: {e}")),
        }
    }
    Ok(trips)
}

fn hops_left(packet: &IcmpPacket) -> Option<u8> {
    match packet {
        IcmpPacket::V4(packet) => packet.get_ttl(),
        IcmpPacket::V6(packet) => Some(packet.get_max_hop_limit()),
    }
}

fn record(trips: &[Trip], packets: u16, attempt: &Attempt) {
    let lost = 1.0 - trips.len() as f64 / f64::from(packets);
    attempt.read(Reading::new("probe_icmp_loss_ratio", lost));
    let seconds = || trips.iter().map(|trip| trip.took.as_secs_f64());
    if !trips.is_empty() {
        let mean = seconds().sum::<f64>() / trips.len() as f64;
        attempt.read(Reading::new("probe_icmp_duration_seconds", mean).label("phase", "rtt"));
        attempt.read(Reading::new("probe_icmp_rtt_min_seconds", seconds().fold(f64::INFINITY, f64::min)));
        attempt.read(Reading::new("probe_icmp_rtt_max_seconds", seconds().fold(0.0, f64::max)));
        attempt.fact("round trip", format!("{:.3} ms on average", mean * 1_000.0));
    }
    if let Some(hops) = trips.iter().find_map(|trip| trip.hops_left) {
        attempt.read(Reading::new("probe_icmp_reply_hop_limit", f64::from(hops)));
    }
}

fn judge(check: &PreparedIcmp, answered: usize) -> Probed {
    let status = format!("{answered} of {} packets answered", check.packets);
    let lost = 1.0 - answered as f64 / f64::from(check.packets);
    let probed = if answered == 0 {
        Probed::down("no packet was answered")
    } else if lost > check.max_loss {
        Probed::down(format!("{:.0}% of the packets were lost, more than {:.0}%", lost * 100.0, check.max_loss * 100.0))
    } else {
        Probed::up()
    };
    probed.with_status(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chk_01_icmp_loss_is_judged() {
        let check = |packets: u16, answered: usize, max_loss: f64, expect: Option<&str>| {
            let target = Target { host: Host::Address(IpAddr::from([127, 0, 0, 1])), port: 0 };
            let probed = judge(&PreparedIcmp { target, packets, max_loss }, answered);
            assert_eq!(probed.error.as_deref(), expect, "{answered} of {packets}");
        };
        check(3, 3, 1.0, None);
        check(3, 1, 1.0, None);
        check(3, 0, 1.0, Some("no packet was answered"));
        check(4, 3, 0.25, None);
        check(4, 2, 0.25, Some("50% of the packets were lost, more than 25%"));
    }
}
