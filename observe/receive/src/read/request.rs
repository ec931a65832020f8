//! What is asked for. Pure.

use kernel::series::{MatchOp, Matcher, Select};

use crate::body::{BodyError, Packing, unpack};
use crate::wire::{Field, Reader, WireError};

/// Longest request, unpacked: matchers are short.
const REQUEST_BYTES: usize = 16 << 20;

/// Why a request cannot be read. All of them are the sender's fault (status 400).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// It cannot be unpacked.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// It is no message.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A matcher is none.
    #[error("{0}")]
    Matcher(String),
    /// None of the forms of answers is known.
    #[error(
        "server does not support any of the requested response types: {0:?}; supported: SAMPLES and STREAMED_XOR_CHUNKS"
    )]
    ResponseType(Vec<u64>),
}

/// The form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseType {
    /// One message with all samples.
    #[default]
    Samples,
    /// Frames with chunks, series by series.
    StreamedXorChunks,
}

/// One query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// First millisecond.
    pub start_ms: i64,
    /// Last millisecond, inclusive.
    pub end_ms: i64,
    /// All of them must match.
    pub matchers: Vec<Matcher>,
    /// The range that the asking query needs, when it says so.
    pub hinted_ms: Option<(i64, i64)>,
}

impl Query {
    /// What to ask the store for. As in Prometheus the hinted range counts.
    pub fn select(&self) -> Select {
        let (start_ms, end_ms) = self.hinted_ms.unwrap_or((self.start_ms, self.end_ms));
        Select { matchers: self.matchers.clone(), start_ms, end_ms }
    }
}

/// A request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadRequest {
    /// Answered in this order.
    pub queries: Vec<Query>,
    /// The form of the answer.
    pub response: ResponseType,
}

impl ReadRequest {
    /// Reads the body of a request, packed with snappy.
    ///
    /// # Errors
    /// It is none.
    pub fn read(body: &[u8]) -> Result<Self, ReadError> {
        let mut plain = Vec::new();
        unpack(Packing::Snappy, body, REQUEST_BYTES, &mut plain)?;
        let (mut queries, mut accepted) = (Vec::new(), Vec::new());
        let mut fields = Reader::new(&plain);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => queries.push(query(&field)?),
                2 => crate::wire::unsigned(&field, &mut accepted)?,
                _ => {}
            }
        }
        let response = match accepted.iter().find(|number| **number <= 1) {
            Some(1) => ResponseType::StreamedXorChunks,
            Some(_) => ResponseType::Samples,
            None if accepted.is_empty() => ResponseType::Samples,
            None => return Err(ReadError::ResponseType(accepted)),
        };
        Ok(Self { queries, response })
    }
}

fn query(field: &Field<'_>) -> Result<Query, ReadError> {
    let mut out = Query::default();
    let mut fields = field.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => out.start_ms = field.int()?,
            2 => out.end_ms = field.int()?,
            3 => out.matchers.push(matcher(&field)?),
            4 => out.hinted_ms = hints(&field)?,
            _ => {}
        }
    }
    Ok(out)
}

fn matcher(field: &Field<'_>) -> Result<Matcher, ReadError> {
    let (mut op, mut name, mut value) = (0, "", "");
    let mut fields = field.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => op = field.uint()?,
            2 => name = field.str()?,
            3 => value = field.str()?,
            _ => {}
        }
    }
    let op = match op {
        0 => MatchOp::Equal,
        1 => MatchOp::NotEqual,
        2 => MatchOp::Regex,
        3 => MatchOp::NotRegex,
        other => return Err(ReadError::Matcher(format!("invalid matcher type {other}"))),
    };
    Matcher::new(name, op, value).map_err(|error| ReadError::Matcher(error.to_string()))
}

fn hints(field: &Field<'_>) -> Result<Option<(i64, i64)>, ReadError> {
    let (mut start_ms, mut end_ms) = (0, 0);
    let mut fields = field.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            3 => start_ms = field.int()?,
            4 => end_ms = field.int()?,
            _ => {}
        }
    }
    Ok(Some((start_ms, end_ms)).filter(|_| (start_ms, end_ms) != (0, 0)))
}
