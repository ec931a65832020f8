//! Answers: head, body by length, in chunks or to the end, unpacking. I/O.
//!
//! RFC 9112 section 6 (framing), section 7.1 (chunks).

use std::io::Read;
use std::ops::Range;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::{ClientError, Stream};

/// A head longer than this is refused.
const LARGEST_HEAD_BYTES: usize = 64 << 10;
/// Most headers in a head.
const MOST_HEADERS: usize = 128;
/// Read at a time: a socket's buffer seldom holds more.
const READ_BYTES: usize = 64 << 10;
/// A line of a stream (one object of a watch) longer than this is refused.
const LONGEST_LINE_BYTES: u64 = 64 << 20;

/// Where a body lies in the buffer it was read into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Body(Range<usize>);

impl Body {
    pub(crate) fn slice<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        buffer.get(self.0.clone()).unwrap_or_default()
    }
}

/// What stands before a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) content_type: Option<String>,
    pub(crate) encoding: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) keep_alive: bool,
    pub(crate) chunked: bool,
    length: Option<u64>,
    pub(crate) body: Body,
}

impl Head {
    pub(crate) fn status_line(&self) -> String {
        format!("{} {}", self.status, self.reason).trim_end().to_owned()
    }
}

fn lost(e: &std::io::Error) -> ClientError {
    ClientError::Connection(format!("the connection broke off: {e}"))
}

async fn more(stream: &mut Stream, buffer: &mut Vec<u8>) -> Result<usize, ClientError> {
    if buffer.capacity() - buffer.len() < READ_BYTES / 4 {
        buffer.reserve(READ_BYTES);
    }
    stream.read_buf(buffer).await.map_err(|e| lost(&e))
}

/// Reads a head; gives it with what came behind it.
pub(super) async fn read_head(stream: &mut Stream) -> Result<(Head, Vec<u8>), ClientError> {
    let mut buffer = Vec::new();
    let (head, used) = head(stream, &mut buffer).await?;
    buffer.drain(..used);
    Ok((head, buffer))
}

async fn head(stream: &mut Stream, buffer: &mut Vec<u8>) -> Result<(Head, usize), ClientError> {
    loop {
        if let Some((head, used)) = parse(buffer)? {
            if head.status != 100 {
                return Ok((head, used));
            }
            buffer.drain(..used);
            continue;
        }
        if buffer.len() > LARGEST_HEAD_BYTES {
            return Err(ClientError::Malformed(format!("its head is longer than {LARGEST_HEAD_BYTES} bytes")));
        }
        if more(stream, buffer).await? == 0 {
            return Err(ClientError::Connection("EOF".to_owned()));
        }
    }
}

fn parse(buffer: &[u8]) -> Result<Option<(Head, usize)>, ClientError> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let status = parsed.parse(buffer).map_err(|e| ClientError::Malformed(e.to_string()))?;
    let httparse::Status::Complete(used) = status else { return Ok(None) };
    let mut out = Head {
        status: parsed.code.unwrap_or_default(),
        reason: parsed.reason.unwrap_or_default().to_owned(),
        keep_alive: parsed.version == Some(1),
        ..Head::default()
    };
    for header in parsed.headers.iter() {
        let value = String::from_utf8_lossy(header.value);
        let value = value.trim();
        let has = |word: &str| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
        match header.name.to_ascii_lowercase().as_str() {
            "content-type" => out.content_type = Some(value.to_owned()),
            "content-encoding" => out.encoding = Some(value.to_ascii_lowercase()),
            "content-length" => {
                let length = value.parse();
                let length = length.map_err(|_| ClientError::Malformed(format!("Content-Length {value:?}")))?;
                out.length = Some(length);
            }
            "location" => out.location = Some(value.to_owned()),
            "transfer-encoding" => out.chunked = has("chunked"),
            "connection" if has("close") => out.keep_alive = false,
            "connection" if has("keep-alive") => out.keep_alive = true,
            _ => {}
        }
    }
    Ok(Some((out, used)))
}

/// Reads a whole answer into `buffer`.
pub(super) async fn read(stream: &mut Stream, buffer: &mut Vec<u8>, limit: u64) -> Result<Head, ClientError> {
    buffer.clear();
    let (mut head, start) = head(stream, buffer).await?;
    let end = if matches!(head.status, 204 | 304) {
        start
    } else if head.chunked {
        chunks(stream, buffer, start, limit).await?
    } else if let Some(length) = head.length {
        if length >= limit {
            return Err(ClientError::BodyLimit);
        }
        let end = start + length as usize;
        buffer.reserve(end.saturating_sub(buffer.len()));
        while buffer.len() < end {
            if more(stream, buffer).await? == 0 {
                return Err(ClientError::Connection("unexpected EOF".to_owned()));
            }
        }
        if buffer.len() > end {
            // Something that nobody asked for: the connection is not used again.
            head.keep_alive = false;
        }
        end
    } else {
        head.keep_alive = false;
        while more(stream, buffer).await? > 0 {
            if (buffer.len() - start) as u64 >= limit {
                return Err(ClientError::BodyLimit);
            }
        }
        buffer.len()
    };
    head.body = Body(start..end);
    Ok(head)
}

/// Reads chunks and joins them where they lie, from `start` on; gives the end of the body.
async fn chunks(stream: &mut Stream, buffer: &mut Vec<u8>, start: usize, limit: u64) -> Result<usize, ClientError> {
    let (mut end, mut at) = (start, start);
    loop {
        let line = loop {
            if let Some(n) = memchr::memchr(b'\n', &buffer[at..]) {
                break at + n;
            }
            if buffer.len() - at > LARGEST_HEAD_BYTES {
                return Err(ClientError::Malformed("a chunk's length does not end".to_owned()));
            }
            if more(stream, buffer).await? == 0 {
                return Err(ClientError::Connection("unexpected EOF".to_owned()));
            }
        };
        let size = chunk_size(&buffer[at..line])?;
        at = line + 1;
        if (end - start) as u64 + size >= limit {
            return Err(ClientError::BodyLimit);
        }
        if size == 0 {
            return trailer(stream, buffer, at).await.map(|()| end);
        }
        let size = size as usize;
        while buffer.len() < at + size + 2 {
            buffer.reserve((at + size + 2).saturating_sub(buffer.len()));
            if more(stream, buffer).await? == 0 {
                return Err(ClientError::Connection("unexpected EOF".to_owned()));
            }
        }
        buffer.copy_within(at..at + size, end);
        end += size;
        at += size + 2;
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, ClientError> {
    let text = String::from_utf8_lossy(line);
    let digits = text.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(digits, 16).ok().filter(|n| *n < 1 << 40);
    size.ok_or_else(|| ClientError::Malformed(format!("the chunk's length {digits:?}")))
}

/// Reads up to the empty line behind the last chunk.
async fn trailer(stream: &mut Stream, buffer: &mut Vec<u8>, mut at: usize) -> Result<(), ClientError> {
    loop {
        match memchr::memchr(b'\n', &buffer[at..]) {
            Some(n) if buffer[at..at + n].trim_ascii().is_empty() => return Ok(()),
            Some(n) => at += n + 1,
            None if buffer.len() - at > LARGEST_HEAD_BYTES => {
                return Err(ClientError::Malformed("its trailer is too long".to_owned()));
            }
            None => {
                if more(stream, buffer).await? == 0 {
                    return Ok(());
                }
            }
        }
    }
}

/// The body as it was before it was packed; `out` holds it where it was.
pub(crate) fn unpack<'b>(
    head: &Head,
    body: &'b [u8],
    limit: u64,
    out: &'b mut Vec<u8>,
) -> Result<&'b [u8], ClientError> {
    out.clear();
    let wrong = |e: std::io::Error| ClientError::Malformed(format!("the body cannot be unpacked: {e}"));
    let read = match head.encoding.as_deref() {
        Some("gzip" | "x-gzip") => {
            flate2::read::MultiGzDecoder::new(body).take(limit).read_to_end(out).map_err(wrong)?
        }
        Some("zstd") => {
            let decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(wrong)?;
            decoder.take(limit).read_to_end(out).map_err(wrong)?
        }
        None | Some("" | "identity") => return Ok(body),
        Some(other) => return Err(ClientError::Malformed(format!("nobody asked for the encoding {other:?}"))),
    };
    if read as u64 >= limit { Err(ClientError::BodyLimit) } else { Ok(out) }
}

/// A body that goes on and on, line by line.
#[derive(Debug)]
pub(crate) struct Lines {
    stream: BufReader<Stream>,
    ahead: Vec<u8>,
    chunked: bool,
    /// Bytes left of the chunk.
    left: u64,
    line: Vec<u8>,
    ended: bool,
}

impl Lines {
    pub(super) const fn new(stream: BufReader<Stream>, ahead: Vec<u8>, chunked: bool) -> Self {
        Self { stream, ahead, chunked, left: if chunked { 0 } else { u64::MAX }, line: Vec::new(), ended: false }
    }

    /// The next line without its end; `None` when there are no more.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            if self.left == 0 && self.chunked && !self.next_chunk().await? {
                self.ended = true;
                return Ok((!self.line.is_empty()).then(|| std::mem::take(&mut self.line)));
            }
            let before = self.line.len();
            let ended = self.read_to_end_of_line().await?;
            if ended {
                self.line.pop();
                return Ok(Some(std::mem::take(&mut self.line)));
            }
            if self.line.len() as u64 > LONGEST_LINE_BYTES {
                return Err(ClientError::BodyLimit);
            }
            if self.line.len() == before && self.left > 0 {
                return Ok((before > 0).then(|| std::mem::take(&mut self.line)));
            }
        }
    }

    /// Reads at most what the chunk has; says whether a line ended.
    async fn read_to_end_of_line(&mut self) -> Result<bool, ClientError> {
        let from_ahead = !self.ahead.is_empty();
        let available =
            if from_ahead { self.ahead.as_slice() } else { self.stream.fill_buf().await.map_err(|e| lost(&e))? };
        let most = available.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let end = memchr::memchr(b'\n', &available[..most]);
        let used = end.map_or(most, |n| n + 1);
        self.line.extend_from_slice(&available[..used]);
        self.consume(used, from_ahead);
        if self.chunked {
            self.left -= used as u64;
            if self.left == 0 {
                self.plain_line().await?;
            }
        }
        Ok(end.is_some())
    }

    fn consume(&mut self, n: usize, from_ahead: bool) {
        if from_ahead {
            self.ahead.drain(..n);
        } else {
            self.stream.consume(n);
        }
    }

    /// A line of the framing.
    async fn plain_line(&mut self) -> Result<Vec<u8>, ClientError> {
        let mut out = Vec::new();
        while out.last() != Some(&b'\n') && out.len() < LARGEST_HEAD_BYTES {
            if self.ahead.is_empty() {
                if self.stream.read_until(b'\n', &mut out).await.map_err(|e| lost(&e))? == 0 {
                    break;
                }
            } else {
                out.push(self.ahead.remove(0));
            }
        }
        Ok(out)
    }

    async fn next_chunk(&mut self) -> Result<bool, ClientError> {
        let line = self.plain_line().await?;
        if line.is_empty() {
            return Ok(false);
        }
        self.left = chunk_size(&line)?;
        Ok(self.left > 0)
    }
}
