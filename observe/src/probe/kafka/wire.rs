//! Kafka's frames, and its numbers, texts and lists. I/O around pure coding.
//!
//! Everything is big-endian; a text is its length (16 bits, -1 for none) and its bytes; a list is its length (32 bits)
//! and its members (Kafka protocol guide, "Protocol Primitive Types", the non-compact forms).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest answer taken: the metadata of about 100,000 partitions.
const MOST_ANSWER_BYTES: usize = 16 << 20;

/// How Farero names itself to brokers.
const CLIENT: &str = "farero";

/// Why a broker gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("it cannot be reached: {0}")]
    Unreachable(std::io::Error),
    #[error("the connection broke: {0} (a broker that wants TLS or SASL does so)")]
    Broken(std::io::Error),
    #[error("it answers something else than Kafka's protocol: {0}")]
    Garbled(&'static str),
    #[error("{0}")]
    Refused(Refusal),
}

/// Kafka's own error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Kafka error {code} ({})", self.name())]
pub(super) struct Refusal {
    pub(super) code: i16,
}

impl Refusal {
    /// `Ok` for 0.
    pub(super) const fn check(code: i16) -> Result<(), WireError> {
        if code == 0 { Ok(()) } else { Err(WireError::Refused(Self { code })) }
    }

    const fn name(self) -> &'static str {
        match self.code {
            3 => "unknown topic or partition",
            5 => "leader not available",
            6 => "not the leader",
            7 => "request timed out",
            14 => "coordinator is loading",
            15 => "coordinator not available",
            16 => "not the coordinator",
            24 => "invalid group id",
            29 => "not authorized for the topic",
            30 => "not authorized for the group",
            31 => "not authorized for the cluster",
            35 => "unsupported version",
            69 => "the group is not there",
            _ => "see the protocol guide's error codes",
        }
    }
}

/// An open connection to one broker.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    correlation: i32,
}

impl Connection {
    pub(super) async fn open(host: &str, port: u16) -> Result<Self, WireError> {
        let stream = TcpStream::connect((host, port)).await.map_err(WireError::Unreachable)?;
        stream.set_nodelay(true).map_err(WireError::Unreachable)?;
        Ok(Self { stream, correlation: 0 })
    }

    /// Sends one request and gives the body of its answer.
    pub(super) async fn ask(&mut self, api: i16, version: i16, body: Encoder) -> Result<Vec<u8>, WireError> {
        self.correlation = self.correlation.wrapping_add(1);
        let header = Encoder::default().i16(api).i16(version).i32(self.correlation).text(CLIENT);
        let length = header.0.len() + body.0.len();
        let mut frame = Vec::with_capacity(4 + length);
        frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend_from_slice(&header.0);
        frame.extend_from_slice(&body.0);
        self.stream.write_all(&frame).await.map_err(WireError::Broken)?;
        let length = self.stream.read_i32().await.map_err(WireError::Broken)?;
        let length = usize::try_from(length).ok().filter(|n| (4..=MOST_ANSWER_BYTES).contains(n));
        let length = length.ok_or(WireError::Garbled("the length of its answer makes no sense"))?;
        if self.stream.read_i32().await.map_err(WireError::Broken)? != self.correlation {
            return Err(WireError::Garbled("it answered another question"));
        }
        let mut answer = vec![0; length - 4];
        self.stream.read_exact(&mut answer).await.map_err(WireError::Broken)?;
        Ok(answer)
    }
}

/// Writes a message.
#[derive(Debug, Default)]
pub(super) struct Encoder(Vec<u8>);

impl Encoder {
    pub(super) fn i8(mut self, n: i8) -> Self {
        self.0.extend_from_slice(&n.to_be_bytes());
        self
    }

    pub(super) fn i16(mut self, n: i16) -> Self {
        self.0.extend_from_slice(&n.to_be_bytes());
        self
    }

    pub(super) fn i32(mut self, n: i32) -> Self {
        self.0.extend_from_slice(&n.to_be_bytes());
        self
    }

    pub(super) fn i64(mut self, n: i64) -> Self {
        self.0.extend_from_slice(&n.to_be_bytes());
        self
    }

    /// At most 32,767 bytes; names of groups and topics are shorter by far.
    pub(super) fn text(self, text: &str) -> Self {
        let cut = &text.as_bytes()[..text.len().min(i16::MAX as usize)];
        let mut out = self.i16(i16::try_from(cut.len()).unwrap_or(i16::MAX));
        out.0.extend_from_slice(cut);
        out
    }

    /// A list: its length, then each member as `write` has it.
    pub(super) fn list<T>(self, members: impl ExactSizeIterator<Item = T>, write: impl Fn(Self, T) -> Self) -> Self {
        let out = self.i32(i32::try_from(members.len()).unwrap_or(i32::MAX));
        members.fold(out, write)
    }

    /// No list at all, which asks for everything.
    pub(super) fn no_list(self) -> Self {
        self.i32(-1)
    }
}

/// Reads a message.
#[derive(Debug)]
pub(super) struct Decoder<'a>(pub(super) &'a [u8]);

impl<'a> Decoder<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or(WireError::Garbled("its answer ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.take(N)?.try_into().map_err(|_| WireError::Garbled("its answer ends too early"))
    }

    pub(super) fn bool(&mut self) -> Result<bool, WireError> {
        Ok(self.array::<1>()? != [0])
    }

    pub(super) fn i16(&mut self) -> Result<i16, WireError> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub(super) fn i32(&mut self) -> Result<i32, WireError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(super) fn i64(&mut self) -> Result<i64, WireError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, WireError> {
        let Ok(length) = usize::try_from(self.i16()?) else { return Ok(None) };
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(bytes).map_err(|_| WireError::Garbled("a text is not UTF-8"))?;
        Ok(Some(text.to_owned()))
    }

    pub(super) fn text(&mut self) -> Result<String, WireError> {
        self.maybe_text()?.ok_or(WireError::Garbled("a text is missing"))
    }

    /// A list; none at all is an empty one.
    pub(super) fn list<T>(&mut self, read: impl Fn(&mut Self) -> Result<T, WireError>) -> Result<Vec<T>, WireError> {
        let length = usize::try_from(self.i32()?).unwrap_or(0);
        // A member takes at least two bytes: a false length must not reserve memory.
        if length > self.0.len() / 2 {
            return Err(WireError::Garbled("a list is longer than its answer"));
        }
        (0..length).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let message =
            Encoder::default().i8(1).i16(-2).i32(3).i64(-4).text("grupo").list([7, 8].iter(), |e, n| e.i32(*n));
        let mut decoder = Decoder(&message.0);
        assert!(decoder.bool().unwrap());
        assert_eq!((decoder.i16().unwrap(), decoder.i32().unwrap(), decoder.i64().unwrap()), (-2, 3, -4));
        assert_eq!(decoder.text().unwrap(), "grupo");
        assert_eq!(decoder.list(Decoder::i32).unwrap(), [7, 8]);
        assert!(decoder.i16().is_err());
    }

    proptest::proptest! {
        #[test]
        fn never_breaks_on_any_answer(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = super::super::messages::decode_metadata(&bytes);
            let _ = super::super::messages::decode_offsets(&bytes);
        }
    }
}
