//! Oracle's Transparent Network Substrate: the question *connect* and its answers. Pure.
//!
//! A packet is a header of 8 bytes (length, checksum, type, flags, checksum; big-endian) and a body. The layout has
//! never been published by Oracle; it is known from packet analysers (Wireshark's `packet-tns.c`, nmap's `tns` library)
//! and from recorded exchanges.

/// Bytes of every packet's header.
pub(super) const HEADER_BYTES: usize = 8;

/// Longest answer taken: a refusal has about 100 bytes, a redirect up to a few hundred.
const MOST_BODY_BYTES: usize = 8 << 10;

const CONNECT: u8 = 1;
const ACCEPT: u8 = 2;
const REFUSE: u8 = 4;
const REDIRECT: u8 = 5;
const RESEND: u8 = 11;

/// Version 312, compatible down to 300: known to every listener since Oracle 8, and before the wider header of 315.
const VERSION: u16 = 312;
const COMPATIBLE: u16 = 300;

/// Where the connect data begin, counted from the packet's start.
const DATA_OFFSET: u16 = 58;

/// What a listener answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// The service is there and a session could begin.
    Accept { version: u16 },
    /// No; the reason is in the data, `(DESCRIPTION=…(ERR=12514)…)`. A ping is answered so too, with `ERR=0`.
    Refuse(String),
    /// The service is there, at another address.
    Redirect,
    /// Once more, please.
    Resend,
}

/// The question for a service; without one, the question `tnsping` asks.
pub(super) fn connect_packet(service: Option<&str>, host: &str, port: u16) -> Vec<u8> {
    let data = match service {
        Some(service) => format!(
            "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME={service})(CID=(PROGRAM=farero)(HOST=farero)(USER=farero)))\
             (ADDRESS=(PROTOCOL=TCP)(HOST={host})(PORT={port})))"
        ),
        None => "(CONNECT_DATA=(COMMAND=ping))".to_owned(),
    };
    let data_length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let mut out = Vec::with_capacity(usize::from(DATA_OFFSET) + data.len());
    let mut word = |n: u16| out.extend_from_slice(&n.to_be_bytes());
    word(DATA_OFFSET.saturating_add(data_length));
    word(0);
    word(u16::from(CONNECT) << 8);
    word(0);
    word(VERSION);
    word(COMPATIBLE);
    // Service options; session and transport data units of 2,048 and 32,767 bytes; transport characteristics.
    for n in [0, 0x0800, 0x7fff, 0x7f08] {
        word(n);
    }
    // Line turnaround; the number one as this machine writes it.
    word(0);
    word(1);
    word(data_length);
    word(DATA_OFFSET);
    out.resize(usize::from(DATA_OFFSET), 0);
    out.extend_from_slice(data.as_bytes());
    out
}

/// How many bytes follow the header; `None` when it is no TNS packet.
pub(super) fn body_length(header: &[u8; HEADER_BYTES]) -> Option<usize> {
    let length = usize::from(u16::from_be_bytes([header[0], header[1]]));
    length.checked_sub(HEADER_BYTES).filter(|n| *n <= MOST_BODY_BYTES)
}

/// Reads an answer; `None` when it is none.
pub(super) fn decode(kind: u8, body: &[u8]) -> Option<Answer> {
    let word = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    match kind {
        ACCEPT => Some(Answer::Accept { version: word(0)? }),
        // User's and system's reason (a byte each), length of the data, data.
        REFUSE => {
            let length = usize::from(word(2)?);
            let data = body.get(4..)?;
            let data = data.get(..length).unwrap_or(data);
            Some(Answer::Refuse(String::from_utf8_lossy(data).into_owned()))
        }
        REDIRECT => Some(Answer::Redirect),
        RESEND => Some(Answer::Resend),
        _ => None,
    }
}

fn number_after<'a>(data: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = data.split_once(&format!("({name}="))?;
    rest.split_once(')').map(|(number, _)| number.trim())
}

/// The listener's error, 0 for none.
pub(super) fn error_code(data: &str) -> Option<u32> {
    number_after(data, "ERR")?.parse().ok()
}

/// `VSNNUM`: the release in 8, 4, 8, 4 and 8 bits; 186646784 is 11.2.0.1.0. 0 when the listener keeps it to itself.
pub(super) fn release(data: &str) -> Option<String> {
    let number: u32 = number_after(data, "VSNNUM")?.parse().ok().filter(|n| *n > 0)?;
    let part = |shift: u32, mask: u32| (number >> shift) & mask;
    Some(format!("{}.{}.{}.{}.{}", part(24, 0xff), part(20, 0xf), part(12, 0xff), part(8, 0xf), part(0, 0xff)))
}

/// What the errors of a listener mean, and what to do.
pub(super) const fn explain(code: u32) -> &'static str {
    match code {
        12_505 => "it does not know this SID: see `lsnrctl status`",
        12_514 => "it does not know this service: is the database started, and the name right? See `lsnrctl status`",
        12_516 | 12_520 => "no handler has room: the database's processes or sessions are used up",
        12_518 => "it could not hand over the connection: the database's processes are used up",
        12_519 => "no handler has room: the database's processes are used up",
        12_526 | 12_527 => "the database is in restricted mode",
        12_528 => "the database blocks new connections: it is starting or shutting down",
        1_189 | 1_194 => "it may not be asked from another machine in this way",
        12_170 | 12_535 => "it waited too long",
        12_537 | 12_547 => "it closed the connection: is this machine among those it lets in?",
        _ => "see Oracle's error help",
    }
}
