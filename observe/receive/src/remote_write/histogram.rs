//! Native histograms as remote-write (both versions) and remote read send them. Pure.

use kernel::series::{BucketSpan, CounterReset, Histogram, SCHEMA_MAX, is_stale};

use crate::histogram::{reduced, whole};
use crate::limits::Reason;
use crate::wire::{self, Field, Reader, WireError};
use crate::writer::Refusal;

/// Buckets of one histogram on each side at most; senders keep to some hundred.
const BUCKETS: usize = 100_000;

/// A histogram with its times, milliseconds.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) t_ms: i64,
    pub(crate) start_ms: i64,
    pub(crate) histogram: Result<Histogram, Refusal>,
}

#[derive(Default)]
struct Side {
    spans: Vec<BucketSpan>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

impl Side {
    /// Absolute counts. As in Prometheus only one of the two lists is looked at.
    fn buckets(self, float: bool) -> (Vec<BucketSpan>, Vec<f64>) {
        if float {
            return (self.spans, self.counts);
        }
        let mut count = 0i64;
        let absolute = self.deltas.into_iter().map(|delta| {
            count = count.wrapping_add(delta);
            count as f64
        });
        (self.spans, absolute.collect())
    }
}

/// Reads the message; what it says of the histogram may still make no sense.
pub(crate) fn read_histogram(bytes: &[u8]) -> Result<Timed, WireError> {
    let mut h = Histogram::default();
    let (mut t_ms, mut start_ms, mut float) = (0, 0, false);
    let (mut positive, mut negative) = (Side::default(), Side::default());
    let mut fields = Reader::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => (h.count, float) = (field.uint()? as f64, false),
            2 => (h.count, float) = (field.double()?, true),
            3 => h.sum = field.double()?,
            4 => h.schema = field.sint()? as i32,
            5 => h.zero_threshold = field.double()?,
            6 => h.zero_count = field.uint()? as f64,
            7 => h.zero_count = field.double()?,
            8 => negative.spans.push(span(&field)?),
            9 => wire::signed(&field, &mut negative.deltas)?,
            10 => wire::doubles(&field, &mut negative.counts)?,
            11 => positive.spans.push(span(&field)?),
            12 => wire::signed(&field, &mut positive.deltas)?,
            13 => wire::doubles(&field, &mut positive.counts)?,
            14 => h.reset = reset(field.uint()?),
            15 => t_ms = field.int()?,
            16 => wire::doubles(&field, &mut h.custom_bounds)?,
            17 => start_ms = field.int()?,
            _ => {}
        }
    }
    (h.positive_spans, h.positive_buckets) = positive.buckets(float);
    (h.negative_spans, h.negative_buckets) = negative.buckets(float);
    Ok(Timed { t_ms, start_ms, histogram: checked(h, float) })
}

fn span(field: &Field<'_>) -> Result<BucketSpan, WireError> {
    let mut span = BucketSpan::default();
    let mut fields = field.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => span.offset = field.sint()? as i32,
            2 => span.length = field.uint32()?,
            _ => {}
        }
    }
    Ok(span)
}

fn reset(code: u64) -> CounterReset {
    match code {
        1 => CounterReset::Reset,
        2 => CounterReset::NotReset,
        3 => CounterReset::Gauge,
        _ => CounterReset::Unknown,
    }
}

/// What may be kept: finer schemas than ours are made coarser, as Prometheus's receiver does.
pub(crate) fn checked(h: Histogram, float: bool) -> Result<Histogram, Refusal> {
    if is_stale(h.sum) {
        return Ok(Histogram { sum: h.sum, ..Histogram::default() });
    }
    let refuse = |text: String| Refusal { reason: Reason::InvalidHistogram, text };
    if h.positive_buckets.len().max(h.negative_buckets.len()) > BUCKETS {
        return Err(refuse(format!("a histogram has more than {BUCKETS} buckets: use a coarser schema")));
    }
    let h = if (SCHEMA_MAX + 1..=52).contains(&h.schema) { reduced(h, SCHEMA_MAX) } else { h };
    h.verify().map_err(|error| refuse(error.to_string()))?;
    if !float {
        whole(&h).map_err(refuse)?;
    }
    Ok(h)
}
