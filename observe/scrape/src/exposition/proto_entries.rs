//! Metric families as entries, in the order in which the text forms would have them. Pure.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use kernel::series::{CounterReset, Histogram, Point};
use observe_receive::wire::{Reader, WireError};

use super::proto::{Family, Metric, Side};
use super::{Entry, ExemplarText, MetricKind, Pair, ParseError, ParseOptions, Sample};
use crate::histogram::compact;
use crate::number;

/// A native histogram with more buckets than this is refused: nobody's fine enough for that, and one message could
/// otherwise fill memory.
const MOST_BUCKETS: u64 = 1 << 16;

/// The families of a body.
#[derive(Debug)]
pub(super) struct Families<'a> {
    reader: Reader<'a>,
    options: ParseOptions,
    read: usize,
    family: Family<'a>,
    metric: usize,
    queue: VecDeque<Entry<'a>>,
}

impl<'a> Families<'a> {
    pub(super) fn new(body: &'a [u8], options: ParseOptions) -> Self {
        Self {
            reader: Reader::new(body),
            options,
            read: 0,
            family: Family::default(),
            metric: 0,
            queue: VecDeque::new(),
        }
    }

    /// The kind of the family that is being read.
    pub(super) const fn kind(&self) -> MetricKind {
        self.family.kind
    }

    pub(super) fn next_entry(&mut self) -> Result<Option<Entry<'a>>, ParseError> {
        loop {
            if let Some(entry) = self.queue.pop_front() {
                return Ok(Some(entry));
            }
            if let Some(bytes) = self.family.metrics.get(self.metric) {
                self.metric += 1;
                let metric = Metric::read(bytes).map_err(|e| self.wire(e))?;
                self.expand(metric)?;
                continue;
            }
            if self.reader.is_empty() {
                return Ok(None);
            }
            self.read += 1;
            let family = self.reader.delimited().and_then(Family::read).map_err(|e| self.wire(e))?;
            self.metric = 0;
            self.family = family;
            if !self.family.metrics.is_empty() {
                self.describe()?;
            }
        }
    }

    fn wire(&self, error: WireError) -> ParseError {
        self.fault(format!("the protobuf message cannot be read: {error}"))
    }

    fn fault(&self, message: String) -> ParseError {
        ParseError { line: self.read, column: 1, message }
    }

    fn describe(&mut self) -> Result<(), ParseError> {
        let Family { name, help, unit, kind, .. } = self.family;
        if name.is_empty() {
            return Err(self.fault(format!("invalid metric name: {name:?}")));
        }
        if !unit.is_empty() {
            let base = if kind == MetricKind::Counter { name.strip_suffix("_total").unwrap_or(name) } else { name };
            if !base.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')) {
                return Err(self.fault(format!("unit {unit:?} not a suffix of metric {name:?}")));
            }
            self.queue.push_back(Entry::Unit(name.into(), unit.into()));
        }
        self.queue.push_front(Entry::Help(name.into(), help.into()));
        self.queue.push_back(Entry::Type(name.into(), kind));
        Ok(())
    }

    fn expand(&mut self, metric: Metric<'a>) -> Result<(), ParseError> {
        match self.family.kind {
            MetricKind::Summary => self.summary(&metric),
            MetricKind::Histogram | MetricKind::GaugeHistogram => {
                let native = self.options.native_histograms && metric.histogram.is_native();
                if native {
                    let histogram = native_of(&metric, self.family.kind)
                        .map_err(|e| self.fault(format!("metric {:?}: {e}", self.family.name)))?;
                    self.native(&metric, histogram);
                }
                if !native || (self.options.keep_classic && !metric.histogram.buckets.is_empty()) {
                    self.classic(&metric);
                }
            }
            _ => {
                let exemplar = metric.exemplar.clone();
                self.push(&metric, "", None, Point::Float(normal(metric.value)), exemplar.into_iter().collect());
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        metric: &Metric<'a>,
        suffix: &str,
        extra: Option<(&'static str, f64)>,
        value: Point,
        exemplars: Vec<ExemplarText>,
    ) {
        let name: Cow<'a, str> =
            if suffix.is_empty() { self.family.name.into() } else { (self.family.name.to_owned() + suffix).into() };
        let mut labels: Vec<Pair<'a>> = Vec::with_capacity(metric.labels.len() + 2);
        labels.push((kernel::labels::METRIC_NAME.into(), name));
        labels.extend(metric.labels.iter().map(|(n, v)| (Cow::Borrowed(*n), Cow::Borrowed(*v))));
        labels.extend(extra.map(|(name, number)| (name.into(), number::canonical(number).into())));
        let timestamp_ms = (metric.timestamp_ms != 0).then_some(metric.timestamp_ms);
        let start_ms = metric.start_ms;
        self.queue.push_back(Entry::Sample(Sample { labels, value, timestamp_ms, start_ms, exemplars }));
    }

    fn summary(&mut self, metric: &Metric<'a>) {
        let float = |v: f64| Point::Float(normal(v));
        self.push(metric, "_count", None, float(metric.summary.count), Vec::new());
        self.push(metric, "_sum", None, float(metric.summary.sum), Vec::new());
        for (quantile, value) in &metric.summary.quantiles {
            self.push(metric, "", Some(("quantile", *quantile)), float(*value), Vec::new());
        }
    }

    fn classic(&mut self, metric: &Metric<'a>) {
        let float = |v: f64| Point::Float(normal(v));
        let total = metric.histogram.total();
        self.push(metric, "_count", None, float(total), Vec::new());
        self.push(metric, "_sum", None, float(metric.histogram.sum), Vec::new());
        let mut infinite = false;
        for bucket in &metric.histogram.buckets {
            infinite |= bucket.upper == f64::INFINITY;
            let exemplars = bucket.exemplar.clone().into_iter().collect();
            self.push(metric, "_bucket", Some(("le", bucket.upper)), float(bucket.count), exemplars);
        }
        if !infinite {
            self.push(metric, "_bucket", Some(("le", f64::INFINITY)), float(total), Vec::new());
        }
    }

    /// Exemplars without a time are left out: nobody could tell a new one from an old one.
    fn native(&mut self, metric: &Metric<'a>, histogram: Histogram) {
        let of_buckets = || metric.histogram.buckets.iter().filter_map(|b| b.exemplar.clone()).collect();
        let mut exemplars: Vec<ExemplarText> = match metric.histogram.exemplars.is_empty() {
            true => of_buckets(),
            false => metric.histogram.exemplars.clone(),
        };
        exemplars.retain(|e| e.t_ms.is_some());
        exemplars.sort_by_key(|e| e.t_ms);
        self.push(metric, "", None, Point::Histogram(Arc::new(histogram)), exemplars);
    }
}

/// Prometheus's one NaN, for values that are not numbers.
fn normal(v: f64) -> f64 {
    if v.is_nan() { f64::from_bits(number::NORMAL_NAN_BITS) } else { v }
}

fn native_of(metric: &Metric<'_>, kind: MetricKind) -> Result<Histogram, String> {
    let fields = &metric.histogram;
    let float = fields.count_float > 0.0 || fields.zero_count_float > 0.0;
    let side = |side: &Side| -> Result<_, String> {
        let covered: u64 = side.spans.iter().map(|s| u64::from(s.length)).sum();
        if covered > MOST_BUCKETS {
            return Err(format!("a native histogram with {covered} buckets; {MOST_BUCKETS} are allowed"));
        }
        let counts: Vec<f64> = if float {
            side.counts.clone()
        } else {
            let sums = side.deltas.iter().scan(0i64, |sum, delta| {
                *sum = sum.wrapping_add(*delta);
                Some(*sum as f64)
            });
            sums.collect()
        };
        Ok((side.spans.clone(), counts))
    };
    let (positive_spans, positive_buckets) = side(&fields.positive)?;
    let (negative_spans, negative_buckets) = side(&fields.negative)?;
    let mut out = Histogram {
        reset: if kind == MetricKind::GaugeHistogram { CounterReset::Gauge } else { CounterReset::Unknown },
        schema: fields.schema,
        zero_threshold: fields.zero_threshold,
        zero_count: if float { fields.zero_count_float } else { fields.zero_count },
        count: if float { fields.count_float } else { fields.count },
        sum: fields.sum,
        positive_spans,
        positive_buckets,
        negative_spans,
        negative_buckets,
        custom_bounds: Vec::new(),
    };
    out.verify().map_err(|e| e.to_string())?;
    compact(&mut out);
    Ok(out)
}
