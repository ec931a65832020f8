//! `prometheus.WriteRequest`, remote-write 1.0. Pure.

use super::histogram::{Timed, read_histogram};
use crate::limits::Reason;
use crate::wire::{Field, Reader, WireError, Writer};
use crate::writer::{Intake, RawLabel, Refusal, Request, Target};

/// What a metric is, as its sender says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MetricType {
    /// Not said.
    #[default]
    Unknown,
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Buckets that only rise.
    Histogram,
    /// Buckets that rise and fall.
    GaugeHistogram,
    /// Quantiles.
    Summary,
    /// Constant 1, with facts in its labels.
    Info,
    /// One of several states.
    StateSet,
}

impl MetricType {
    /// By its number, which is the same in both versions.
    pub(crate) fn numbered(number: u64) -> Self {
        match number {
            1 => Self::Counter,
            2 => Self::Gauge,
            3 => Self::Histogram,
            4 => Self::GaugeHistogram,
            5 => Self::Summary,
            6 => Self::Info,
            7 => Self::StateSet,
            _ => Self::Unknown,
        }
    }

    /// Prometheus's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }
}

/// What a sender says of a metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricMetadata {
    /// Its name.
    pub family: String,
    /// What it is.
    pub kind: MetricType,
    /// What it means.
    pub help: String,
    /// In what it is measured.
    pub unit: String,
}

/// A request's body, unpacked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct V1<'a>(pub(crate) &'a [u8]);

impl Request for V1<'_> {
    fn walk(&self, intake: &mut Intake<'_>) -> Result<(), WireError> {
        let mut fields = Reader::new(self.0);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => series(field.bytes()?, intake)?,
                3 => {
                    let metadata = metadata(&field)?;
                    intake.found.metadata.push(metadata);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Prometheus leaves out series with labels that are none, and says so only in its log.
    fn silent(&self) -> Option<Reason> {
        Some(Reason::InvalidLabels)
    }
}

/// Tag of the labels of a time series.
const LABEL_TAG: u8 = 1 << 3 | 2;

#[inline]
fn series(bytes: &[u8], intake: &mut Intake<'_>) -> Result<(), WireError> {
    let (labels, rest) = leading_labels(bytes)?;
    if has_more_labels(rest)? {
        let gathered = gathered_labels(bytes)?;
        let key = intake.keys.of(&gathered);
        let target = intake.series(key, || raw_labels(&gathered));
        return samples(bytes, target, intake);
    }
    let key = intake.keys.of(labels);
    let target = intake.series(key, || raw_labels(labels));
    samples(rest, target, intake)
}

/// The labels at the beginning, where every known sender has them all, and the rest.
#[inline]
fn leading_labels(bytes: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let mut reader = Reader::new(bytes);
    while reader.skip_delimited(LABEL_TAG)? {}
    let rest = reader.rest();
    Ok((bytes.get(..bytes.len() - rest.len()).unwrap_or_default(), rest))
}

/// Whether labels follow between or behind samples: allowed, but nobody does it.
#[inline]
fn has_more_labels(rest: &[u8]) -> Result<bool, WireError> {
    if let [tag, length, sample @ ..] = rest
        && *tag != LABEL_TAG
        && usize::from(*length) == sample.len()
    {
        return Ok(false);
    }
    let mut fields = Reader::new(rest);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cold]
fn gathered_labels(bytes: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut w = Writer::default();
    let mut fields = Reader::new(bytes);
    while let Some(field) = fields.next()? {
        if field.number == 1 {
            w.blob(1, field.bytes()?);
        }
    }
    Ok(w.finish())
}

/// Names and values; fields that stand twice count as they stand last.
pub(crate) fn raw_labels(bytes: &[u8]) -> Result<Vec<RawLabel<'_>>, Refusal> {
    let read = || -> Result<Vec<RawLabel<'_>>, WireError> {
        let mut labels = Vec::with_capacity(8);
        let mut fields = Reader::new(bytes);
        while let Some(field) = fields.next()? {
            if field.number == 1 {
                labels.push(label(&field)?);
            }
        }
        Ok(labels)
    };
    read().map_err(|error| Refusal { reason: Reason::InvalidLabels, text: error.to_string() })
}

fn label<'a>(field: &Field<'a>) -> Result<RawLabel<'a>, WireError> {
    let (mut name, mut value) = (&[][..], &[][..]);
    let mut fields = field.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => name = field.bytes()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    Ok((name, value))
}

#[inline]
fn samples(bytes: &[u8], target: Target, intake: &mut Intake<'_>) -> Result<(), WireError> {
    let mut fields = Reader::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            2 => {
                let (t_ms, value) = sample(field.bytes()?)?;
                intake.float(target, t_ms, value, 0);
            }
            3 => exemplar(&field, target, intake)?,
            4 => {
                let Timed { t_ms, start_ms, histogram } = read_histogram(field.bytes()?)?;
                intake.histogram(target, t_ms, histogram, start_ms);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Time and value.
#[inline]
fn sample(bytes: &[u8]) -> Result<(i64, f64), WireError> {
    // As every known sender writes it: the value's tag and 8 bytes, the time's tag and a varint.
    if let Some(([0x09, value @ .., 0x10], time)) = bytes.split_first_chunk::<10>() {
        let mut rest = Reader::new(time);
        let t_ms = rest.varint()? as i64;
        if rest.is_empty() {
            return Ok((t_ms, f64::from_le_bytes(*value)));
        }
    }
    any_sample(bytes)
}

/// Fields in any order, or left out because they are 0.
#[cold]
fn any_sample(bytes: &[u8]) -> Result<(i64, f64), WireError> {
    let (mut t_ms, mut value) = (0, 0.0);
    let mut fields = Reader::new(bytes);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => value = field.double()?,
            2 => t_ms = field.int()?,
            _ => {}
        }
    }
    Ok((t_ms, value))
}

fn exemplar(field: &Field<'_>, target: Target, intake: &mut Intake<'_>) -> Result<(), WireError> {
    let (mut labels, mut value, mut t_ms) = (Vec::new(), 0.0, 0);
    let mut fields = field.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => labels.push(label(&field)?),
            2 => value = field.double()?,
            3 => t_ms = field.int()?,
            _ => {}
        }
    }
    // As in Prometheus an exemplar that cannot be kept does not fail the request.
    let _ = intake.exemplar(target, &labels, value, t_ms);
    Ok(())
}

fn metadata(field: &Field<'_>) -> Result<MetricMetadata, WireError> {
    let mut out = MetricMetadata::default();
    let lossy = |field: &Field<'_>| field.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut fields = field.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => out.kind = MetricType::numbered(field.uint()?),
            2 => out.family = lossy(&field)?,
            4 => out.help = lossy(&field)?,
            5 => out.unit = lossy(&field)?,
            _ => {}
        }
    }
    Ok(out)
}
