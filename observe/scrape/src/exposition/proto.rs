//! The messages of `io.prometheus.client`, decoded. Pure.
//!
//! <https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>

use kernel::Labels;
use kernel::series::BucketSpan;
use observe_receive::wire::{Field, Reader, WireError, doubles, signed};

use super::{ExemplarText, MetricKind};

/// A metric family; its metrics are decoded one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Family<'a> {
    pub(super) name: &'a str,
    pub(super) help: &'a str,
    pub(super) unit: &'a str,
    pub(super) kind: MetricKind,
    pub(super) metrics: Vec<&'a [u8]>,
}

/// One metric of a family, of any kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Metric<'a> {
    pub(super) labels: Vec<(&'a str, &'a str)>,
    pub(super) timestamp_ms: i64,
    pub(super) value: f64,
    pub(super) exemplar: Option<ExemplarText>,
    pub(super) start_ms: i64,
    pub(super) summary: Summary,
    pub(super) histogram: HistogramFields,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) quantiles: Vec<(f64, f64)>,
}

/// A classic bucket.
#[derive(Clone, Debug, Default)]
pub(super) struct Bucket {
    pub(super) upper: f64,
    pub(super) count: f64,
    pub(super) exemplar: Option<ExemplarText>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct HistogramFields {
    pub(super) count: f64,
    pub(super) count_float: f64,
    pub(super) sum: f64,
    pub(super) buckets: Vec<Bucket>,
    pub(super) schema: i32,
    pub(super) zero_threshold: f64,
    pub(super) zero_count: f64,
    pub(super) zero_count_float: f64,
    pub(super) positive: Side,
    pub(super) negative: Side,
    pub(super) exemplars: Vec<ExemplarText>,
}

/// Buckets on one side of zero, as differences (of integers) or as counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    pub(super) spans: Vec<BucketSpan>,
    pub(super) deltas: Vec<i64>,
    pub(super) counts: Vec<f64>,
}

impl HistogramFields {
    /// Whether there is a native form; one without observations has an empty span to show it.
    pub(super) fn is_native(&self) -> bool {
        !self.positive.spans.is_empty()
            || !self.negative.spans.is_empty()
            || self.zero_threshold > 0.0
            || self.zero_count > 0.0
    }

    /// All observations, whole or not.
    pub(super) fn total(&self) -> f64 {
        if self.count_float > 0.0 { self.count_float } else { self.count }
    }
}

impl<'a> Family<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut out = Self { kind: MetricKind::Counter, ..Self::default() };
        let mut fields = Reader::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => out.name = field.str()?,
                2 => out.help = field.str()?,
                3 => {
                    out.kind = match field.int32()? {
                        0 => MetricKind::Counter,
                        1 => MetricKind::Gauge,
                        2 => MetricKind::Summary,
                        4 => MetricKind::Histogram,
                        5 => MetricKind::GaugeHistogram,
                        _ => MetricKind::Unknown,
                    }
                }
                4 => out.metrics.push(field.bytes()?),
                5 => out.unit = field.str()?,
                _ => {}
            }
        }
        Ok(out)
    }
}

impl<'a> Metric<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut out = Self::default();
        let mut fields = Reader::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => out.labels.push(label(&field)?),
                2 | 3 | 5 => out.number(&field)?,
                4 => out.summary(&field)?,
                6 => out.timestamp_ms = field.int()?,
                7 => out.histogram(&field)?,
                _ => {}
            }
        }
        Ok(out)
    }

    /// `Gauge`, `Counter` and `Untyped`.
    fn number(&mut self, of: &Field<'a>) -> Result<(), WireError> {
        let mut fields = of.message()?;
        while let Some(field) = fields.next()? {
            match (field.number, of.number) {
                (1, _) => self.value = field.double()?,
                (2, 3) => self.exemplar = Some(exemplar(&field)?),
                (3, 3) => self.start_ms = time(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn summary(&mut self, of: &Field<'a>) -> Result<(), WireError> {
        let mut fields = of.message()?;
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.summary.count = field.uint()? as f64,
                2 => self.summary.sum = field.double()?,
                3 => self.summary.quantiles.push(pair(&field)?),
                4 => self.start_ms = time(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn histogram(&mut self, of: &Field<'a>) -> Result<(), WireError> {
        let mut fields = of.message()?;
        let out = &mut self.histogram;
        while let Some(field) = fields.next()? {
            match field.number {
                1 => out.count = field.uint()? as f64,
                2 => out.sum = field.double()?,
                3 => out.buckets.push(bucket(&field)?),
                4 => out.count_float = field.double()?,
                5 => out.schema = field.sint()? as i32,
                6 => out.zero_threshold = field.double()?,
                7 => out.zero_count = field.uint()? as f64,
                8 => out.zero_count_float = field.double()?,
                9 => out.negative.spans.push(span(&field)?),
                10 => signed(&field, &mut out.negative.deltas)?,
                11 => doubles(&field, &mut out.negative.counts)?,
                12 => out.positive.spans.push(span(&field)?),
                13 => signed(&field, &mut out.positive.deltas)?,
                14 => doubles(&field, &mut out.positive.counts)?,
                15 => self.start_ms = time(&field)?,
                16 => out.exemplars.push(exemplar(&field)?),
                _ => {}
            }
        }
        Ok(())
    }
}

fn label<'a>(of: &Field<'a>) -> Result<(&'a str, &'a str), WireError> {
    let (mut name, mut value) = ("", "");
    let mut fields = of.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => name = field.str()?,
            2 => value = field.str()?,
            _ => {}
        }
    }
    Ok((name, value))
}

/// `Quantile`.
fn pair(of: &Field<'_>) -> Result<(f64, f64), WireError> {
    let (mut first, mut second) = (0.0, 0.0);
    let mut fields = of.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => first = field.double()?,
            2 => second = field.double()?,
            _ => {}
        }
    }
    Ok((first, second))
}

fn bucket(of: &Field<'_>) -> Result<Bucket, WireError> {
    let (mut out, mut float) = (Bucket::default(), 0.0);
    let mut fields = of.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => out.count = field.uint()? as f64,
            2 => out.upper = field.double()?,
            3 => out.exemplar = Some(exemplar(&field)?),
            4 => float = field.double()?,
            _ => {}
        }
    }
    if float > 0.0 {
        out.count = float;
    }
    Ok(out)
}

fn span(of: &Field<'_>) -> Result<BucketSpan, WireError> {
    let mut out = BucketSpan::default();
    let mut fields = of.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => out.offset = field.sint()? as i32,
            2 => out.length = field.uint32()?,
            _ => {}
        }
    }
    Ok(out)
}

fn exemplar(of: &Field<'_>) -> Result<ExemplarText, WireError> {
    let (mut labels, mut value, mut t_ms) = (Vec::new(), 0.0, None);
    let mut fields = of.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => labels.push(label(&field)?),
            2 => value = field.double()?,
            3 => t_ms = Some(time(&field)?),
            _ => {}
        }
    }
    Ok(ExemplarText { labels: Labels::new(labels), value, t_ms })
}

/// `google.protobuf.Timestamp`, as milliseconds.
fn time(of: &Field<'_>) -> Result<i64, WireError> {
    let (mut seconds, mut nanos) = (0i64, 0i64);
    let mut fields = of.message()?;
    while let Some(field) = fields.next()? {
        match field.number {
            1 => seconds = field.int()?,
            2 => nanos = i64::from(field.int32()?),
            _ => {}
        }
    }
    Ok(seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000))
}
