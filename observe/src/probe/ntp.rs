//! NTP server: answers, is synchronised, and how far this machine's clock is off (RFC 5905, client mode). I/O.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use kernel::Duration;
use kernel::probe::{Phase, Reading};
use plan_model::check::NtpCheck;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::dial::{Target, resolve};
use super::{Attempt, PrepareError, Preparing, Probed};

/// From 1900-01-01, where NTP's time begins, to 1970-01-01.
const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;

/// Leap 0 (no warning), version 4, mode 3 (client).
const CLIENT_FLAGS: u8 = 0b00_100_011;

/// Mode 4: a server's answer.
const MODE_SERVER: u8 = 4;

/// The clock of the server is not synchronised.
const LEAP_UNKNOWN: u8 = 3;

/// Length of a packet without extensions and signatures.
const PACKET_BYTES: usize = 48;

/// Highest stratum of a synchronised server.
const HIGHEST_STRATUM: u8 = 15;

/// An NTP check, ready to be asked.
#[derive(Debug)]
pub(crate) struct PreparedNtp {
    target: Target,
    max_offset: Option<Duration>,
    max_stratum: u8,
}

/// Makes the check ready.
pub(crate) fn prepare_ntp(check: &NtpCheck, with: &Preparing<'_>) -> Result<PreparedNtp, PrepareError> {
    Ok(PreparedNtp {
        target: Target::parse("ntp.server", with.resolve(&check.server)?.expose(), Some(123))?,
        max_offset: check.max_offset,
        max_stratum: check.max_stratum.unwrap_or(HIGHEST_STRATUM),
    })
}

/// Asks once.
pub(crate) async fn probe_ntp(check: &PreparedNtp, attempt: &Attempt) -> Probed {
    match ask(&check.target, attempt).await {
        Ok(answer) => {
            answer.record(attempt);
            judge(check, &answer)
        }
        Err(error) => Probed::down(error),
    }
}

/// What a server says, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Answer {
    leap: u8,
    stratum: u8,
    reference: [u8; 4],
    root_delay: f64,
    root_dispersion: f64,
    /// How far this machine's clock is behind the server's, in seconds (negative: ahead).
    offset: f64,
    /// Time on the way, in seconds.
    round_trip: f64,
}

/// A point in time as NTP writes it: seconds since 1900 in the upper 32 bits, fraction in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NtpTime(u64);

impl NtpTime {
    fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        Self((since.as_secs().wrapping_add(NTP_TO_UNIX_SECONDS) << 32) | fraction)
    }

    /// Seconds from `earlier` to this. Right over the end of an era, as long as they are within 68 years.
    fn seconds_since(self, earlier: Self) -> f64 {
        self.0.wrapping_sub(earlier.0).cast_signed() as f64 / 4_294_967_296.0
    }
}

async fn ask(target: &Target, attempt: &Attempt) -> Result<Answer, String> {
    let address = resolve(target, attempt).await?.first().copied().ok_or("the name has no address")?;
    attempt.begin(Phase::Processing);
    attempt.fact("address", address.to_string());
    let local: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let failed = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::ConnectionRefused => format!("{address} refuses: no NTP server listens there"),
        _ => format!("{address} cannot be asked: {e}"),
    };
    let socket = UdpSocket::bind(local).await.map_err(failed)?;
    socket.connect(address).await.map_err(failed)?;
    // The clock itself is what is measured here, so it is read where the packet leaves; the way back is added to it by
    // the monotonic clock, so that a clock set in between does no harm.
    let (sent, began) = (NtpTime::of(SystemTime::now()), Instant::now());
    socket.send(&request(sent)).await.map_err(failed)?;
    let mut packet = [0; 512];
    loop {
        let length = socket.recv(&mut packet).await.map_err(failed)?;
        let elapsed = began.elapsed().as_secs_f64();
        // Anything else than the answer to this packet is not meant for this check.
        if let Some(answer) = read_answer(&packet[..length], sent, elapsed) {
            return Ok(answer);
        }
    }
}

fn request(sent: NtpTime) -> [u8; PACKET_BYTES] {
    let mut packet = [0; PACKET_BYTES];
    packet[0] = CLIENT_FLAGS;
    packet[40..].copy_from_slice(&sent.0.to_be_bytes());
    packet
}

/// Reads the answer to the request of time `sent`; offset and delay by RFC 5905 section 8.
fn read_answer(packet: &[u8], sent: NtpTime, elapsed: f64) -> Option<Answer> {
    let packet: &[u8; PACKET_BYTES] = packet.get(..PACKET_BYTES)?.try_into().ok()?;
    let time = |at: usize| Some(NtpTime(u64::from_be_bytes(packet[at..at + 8].try_into().ok()?)));
    let short = |at: usize| Some(f64::from(u32::from_be_bytes(packet[at..at + 4].try_into().ok()?)) / 65_536.0);
    if packet[0] & 0b111 != MODE_SERVER || time(24)? != sent {
        return None;
    }
    let (received, answered) = (time(32)?, time(40)?);
    let outward = received.seconds_since(sent);
    let homeward = answered.seconds_since(sent) - elapsed;
    Some(Answer {
        leap: packet[0] >> 6,
        stratum: packet[1],
        reference: packet[12..16].try_into().ok()?,
        root_delay: short(4)?,
        root_dispersion: short(8)?,
        offset: f64::midpoint(outward, homeward),
        round_trip: (elapsed - answered.seconds_since(received)).max(0.0),
    })
}

impl Answer {
    fn record(&self, attempt: &Attempt) {
        attempt.read(Reading::new("probe_ntp_stratum", f64::from(self.stratum)));
        attempt.read(Reading::new("probe_ntp_leap", f64::from(self.leap)));
        attempt.read(Reading::new("probe_ntp_offset_seconds", self.offset));
        attempt.read(Reading::new("probe_ntp_rtt_seconds", self.round_trip));
        attempt.read(Reading::new("probe_ntp_root_delay_seconds", self.root_delay));
        attempt.read(Reading::new("probe_ntp_root_dispersion_seconds", self.root_dispersion));
        attempt.fact("stratum", self.stratum.to_string());
        attempt.fact("offset", format!("{:.6} s", self.offset));
    }
}

fn judge(check: &PreparedNtp, answer: &Answer) -> Probed {
    let status = format!("NTP stratum {}, leap {}", answer.stratum, answer.leap);
    let too_far = check.max_offset.filter(|max| answer.offset.abs() > max.as_secs_f64());
    let probed = if answer.stratum == 0 {
        // A kiss of death: the reference is a word, such as RATE or DENY (RFC 5905 section 7.4).
        let word = String::from_utf8_lossy(&answer.reference).trim_end_matches('\0').to_owned();
        Probed::down(format!("the server refuses to serve this client: {word}"))
    } else if answer.leap == LEAP_UNKNOWN || answer.stratum > HIGHEST_STRATUM {
        Probed::down("the server's own clock is not synchronised")
    } else if answer.stratum > check.max_stratum {
        Probed::down(format!("the server's stratum is {}, higher than {}", answer.stratum, check.max_stratum))
    } else if let Some(max) = too_far {
        Probed::down(format!("this machine's clock is off by {:.3} s, more than {max}", answer.offset))
    } else {
        Probed::up()
    };
    probed.with_status(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server whose clock is `ahead` seconds ahead and that takes 1 s each way and 1 s in between.
    fn answer_of(flags: u8, stratum: u8, ahead: f64) -> Option<Answer> {
        let sent = NtpTime(0xffff_ffff_0000_0000);
        let at = |seconds: f64| sent.0.wrapping_add((seconds * 4_294_967_296.0) as i64 as u64).to_be_bytes();
        let mut packet = request(sent);
        packet[0] = flags;
        packet[1] = stratum;
        packet[12..16].copy_from_slice(b"RATE");
        packet[24..32].copy_from_slice(&sent.0.to_be_bytes());
        packet[32..40].copy_from_slice(&at(1.0 + ahead));
        packet[40..48].copy_from_slice(&at(2.0 + ahead));
        read_answer(&packet, sent, 3.0)
    }

    fn verdict(flags: u8, stratum: u8, ahead: f64) -> Option<String> {
        let target = Target::parse("x", "127.0.0.1", Some(123)).unwrap();
        let check = PreparedNtp { target, max_offset: Some(Duration::from_secs(1)), max_stratum: 3 };
        judge(&check, &answer_of(flags, stratum, ahead).unwrap()).error
    }

    #[test]
    fn offset_and_delay_over_the_end_of_an_era() {
        let answer = answer_of(0b00_100_100, 2, 10.0).unwrap();
        assert!((answer.offset - 10.0).abs() < 1e-6 && (answer.round_trip - 2.0).abs() < 1e-6, "{answer:?}");
        assert!((answer_of(0b00_100_100, 2, -10.0).unwrap().offset + 10.0).abs() < 1e-6);
    }

    #[test]
    fn chk_01_ntp_verdicts() {
        let check = |flags, stratum, ahead, expect: Option<&str>| {
            let got = verdict(flags, stratum, ahead);
            assert!(
                got.as_deref().map(|g| expect.is_some_and(|e| g.contains(e))).unwrap_or(expect.is_none()),
                "{got:?}"
            );
        };
        check(0b00_100_100, 2, 0.5, None);
        check(0b00_100_100, 2, 5.0, Some("off by 5.000 s, more than 1s"));
        check(0b00_100_100, 4, 0.0, Some("stratum is 4, higher than 3"));
        check(0b11_100_100, 2, 0.0, Some("not synchronised"));
        check(0b00_100_100, 16, 0.0, Some("not synchronised"));
        check(0b00_100_100, 0, 0.0, Some("refuses to serve this client: RATE"));
    }

    #[test]
    fn other_packets_are_not_answers() {
        assert_eq!(answer_of(0b00_100_011, 2, 0.0), None);
        assert_eq!(read_answer(&request(NtpTime(1)), NtpTime(1), 0.0), None);
        assert_eq!(read_answer(b"short", NtpTime(1), 0.0), None);
    }
}
