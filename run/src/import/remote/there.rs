//! What a server has already of the samples of an import: asked over remote read, so that values are compared bit for bit. Pure.
//!
//! <https://prometheus.io/docs/specs/prw/remote_read_api/>

use std::collections::BTreeSet;

use kernel::Labels;
use kernel::series::Point;
use observe_receive::body::{BodyError, Packing, unpack};
use observe_receive::wire::{Field, Reader, WireError, Writer};

use crate::import::load::{Held, Mark};

/// Names that are asked for one by one; of more, everything of the time is asked for.
const NAMES: usize = 200;
/// Longest answer that is read, unpacked: a stretch has about a million samples of some 30 bytes.
const ANSWER_BYTES: usize = 1 << 30;

/// `MatcherType`s of the protocol.
const NOT_EQUAL: u64 = 1;
const MATCHES: u64 = 2;

/// A request for the samples of a stretch of time of everything that is held, packed.
pub(super) fn request((from_ms, to_ms): (i64, i64), held: &Held) -> Vec<u8> {
    let names: BTreeSet<&str> = held.labels().iter().map(Labels::name).collect();
    let (kind, value) = match names.len() <= NAMES {
        true => (MATCHES, names.into_iter().map(regex::escape).collect::<Vec<_>>().join("|")),
        false => (NOT_EQUAL, String::new()),
    };
    let mut w = Writer::default();
    w.message(1, |w| {
        w.int(1, from_ms);
        w.int(2, to_ms);
        w.message(3, |w| {
            w.uint(1, kind);
            w.string(2, "__name__");
            w.string(3, &value);
        });
    });
    observe_receive::remote_write::pack(w.bytes())
}

/// Why an answer says nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// A value at a time, as far as it is compared.
#[derive(Clone, Copy)]
enum There {
    Number(u64),
    /// Bits of count and sum.
    Histogram(u64, u64),
}

/// Sets the marks of samples that the answer has.
///
/// # Errors
/// It cannot be read; marks that are set are right all the same.
pub(super) fn mark(answer: &[u8], held: &mut Held) -> Result<(), Unread> {
    let mut plain = Vec::new();
    unpack(Packing::Snappy, answer, ANSWER_BYTES, &mut plain)?;
    each(&plain, 1, |result| each(result.bytes()?, 1, |series| series_of(series.bytes()?, held)))?;
    Ok(())
}

/// All fields of one number.
fn each<'a>(
    bytes: &'a [u8],
    number: u32,
    mut take: impl FnMut(&Field<'a>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut fields = Reader::new(bytes);
    while let Some(field) = fields.next()? {
        if field.number == number {
            take(&field)?;
        }
    }
    Ok(())
}

fn series_of(bytes: &[u8], held: &mut Held) -> Result<(), WireError> {
    let mut pairs = Vec::new();
    each(bytes, 1, |label| {
        let (mut name, mut value) = ("", "");
        let mut fields = label.message()?;
        while let Some(field) = fields.next()? {
            match field.number {
                1 => name = field.str()?,
                2 => value = field.str()?,
                _ => {}
            }
        }
        pairs.push((name, value));
        Ok(())
    })?;
    let own = held.of(&Labels::new(pairs));
    if own.is_empty() {
        return Ok(());
    }
    let mut set = |t_ms: i64, there: There| {
        let first = own.partition_point(|s| s.t_ms < t_ms);
        for sample in own.iter_mut().skip(first).take_while(|s| s.t_ms == t_ms) {
            sample.mark = if is_same(there, &sample.value) { Mark::Known } else { Mark::Conflict };
        }
    };
    each(bytes, 2, |sample| {
        let (mut value, mut t_ms) = (0.0f64, 0);
        let mut fields = sample.message()?;
        while let Some(field) = fields.next()? {
            match field.number {
                1 => value = field.double()?,
                2 => t_ms = field.int()?,
                _ => {}
            }
        }
        set(t_ms, There::Number(value.to_bits()));
        Ok(())
    })?;
    each(bytes, 4, |histogram| {
        let (mut count, mut sum, mut t_ms) = (0.0f64, 0.0f64, 0);
        let mut fields = histogram.message()?;
        while let Some(field) = fields.next()? {
            match field.number {
                1 => count = field.uint()? as f64,
                2 => count = field.double()?,
                3 => sum = field.double()?,
                15 => t_ms = field.int()?,
                _ => {}
            }
        }
        set(t_ms, There::Histogram(count.to_bits(), sum.to_bits()));
        Ok(())
    })
}

/// Bit for bit for numbers; histograms by count and sum, which are never the same for different ones of a series at one time.
fn is_same(there: There, value: &Point) -> bool {
    match (there, value) {
        (There::Number(bits), Point::Float(value)) => bits == value.to_bits(),
        (There::Histogram(count, sum), Point::Histogram(h)) => count == h.count.to_bits() && sum == h.sum.to_bits(),
        _ => false,
    }
}
