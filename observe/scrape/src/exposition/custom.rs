//! Native histograms with custom bounds out of classic ones. Pure.
//!
//! <https://prometheus.io/docs/specs/native_histograms/>, "NHCB": buckets become one sample, with their bounds.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use kernel::labels::METRIC_NAME;
use kernel::series::{BucketSpan, CUSTOM_BOUNDS_SCHEMA, CounterReset, Histogram, Point};

use super::entry::labels_key;
use super::{Entry, ExemplarText, MetricKind, Pair, Sample};
use crate::histogram::compact;
use crate::number;

/// Gathers the lines of a classic histogram.
#[derive(Debug)]
pub struct CustomBuckets<'a> {
    keep_classic: bool,
    labels: Vec<Pair<'a>>,
    kind: MetricKind,
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: Option<f64>,
    timestamp_ms: Option<i64>,
    start_ms: i64,
    exemplars: Vec<ExemplarText>,
    /// The last histogram that is native already: its classic form stays what it is.
    native: Option<Vec<Pair<'a>>>,
}

impl<'a> CustomBuckets<'a> {
    /// `keep_classic` says whether the classic series are given too.
    pub(super) const fn new(keep_classic: bool) -> Self {
        Self {
            keep_classic,
            labels: Vec::new(),
            kind: MetricKind::Unknown,
            buckets: Vec::new(),
            count: None,
            sum: None,
            timestamp_ms: None,
            start_ms: 0,
            exemplars: Vec::new(),
            native: None,
        }
    }

    /// Takes an entry of a family of a kind; what is ready goes to `out`.
    pub(super) fn take(&mut self, entry: Entry<'a>, kind: MetricKind, out: &mut VecDeque<Entry<'a>>) {
        let Entry::Sample(sample) = entry else {
            self.finish(out);
            out.push_back(entry);
            return;
        };
        if sample.histogram().is_some() {
            self.native = Some(sample.labels.clone());
        }
        let part = part(&sample, kind);
        let known = self.native.as_ref().is_some_and(|l| labels_key(l, kind) == labels_key(&sample.labels, kind));
        let Some(part) = part.filter(|_| !known) else {
            self.finish(out);
            out.push_back(Entry::Sample(sample));
            return;
        };
        if !self.labels.is_empty() && labels_key(&self.labels, kind) != labels_key(&sample.labels, kind) {
            self.finish(out);
        }
        if self.labels.is_empty() {
            self.labels.clone_from(&sample.labels);
            self.kind = kind;
        }
        match part {
            Part::Bucket(upper, value) => self.buckets.push((upper, value)),
            Part::Sum(value) => self.sum = Some(value),
            Part::Count(value) => self.count = Some(value),
        }
        self.timestamp_ms = sample.timestamp_ms.or(self.timestamp_ms);
        self.start_ms = sample.start_ms.max(self.start_ms);
        self.exemplars.extend(sample.exemplars.iter().filter(|e| e.t_ms.is_some()).cloned());
        if self.keep_classic {
            out.push_back(Entry::Sample(sample));
        }
    }

    /// Gives what was gathered. What does not add up is left out, as there is no line to blame.
    pub(super) fn finish(&mut self, out: &mut VecDeque<Entry<'a>>) {
        let fresh = Self { native: self.native.take(), ..Self::new(self.keep_classic) };
        let gathered = std::mem::replace(self, fresh);
        if gathered.labels.is_empty() {
            return;
        }
        let name = labels_key(&gathered.labels, gathered.kind).0.to_owned();
        let Some(value) = gathered.histogram() else { return };
        let mut labels: Vec<Pair<'a>> = vec![(METRIC_NAME.into(), Cow::Owned(name))];
        labels.extend(gathered.labels.into_iter().filter(|(n, _)| !matches!(n.as_ref(), METRIC_NAME | "le")));
        let mut exemplars = gathered.exemplars;
        exemplars.sort_by_key(|e| e.t_ms);
        out.push_back(Entry::Sample(Sample {
            labels,
            value: Point::Histogram(Arc::new(value)),
            timestamp_ms: gathered.timestamp_ms,
            start_ms: gathered.start_ms,
            exemplars,
        }));
    }

    fn histogram(&self) -> Option<Histogram> {
        let mut buckets = self.buckets.clone();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        buckets.dedup_by(|a, b| a.0 == b.0);
        let count = self.count.or_else(|| buckets.last().map(|b| b.1))?;
        if buckets.last().is_none_or(|(upper, _)| *upper != f64::INFINITY) {
            buckets.push((f64::INFINITY, count));
        }
        let mut before = 0.0;
        let mut counts = Vec::with_capacity(buckets.len());
        for (_, cumulative) in &buckets {
            if cumulative.is_nan() || *cumulative < before {
                return None;
            }
            counts.push(cumulative - before);
            before = *cumulative;
        }
        let mut out = Histogram {
            reset: if self.kind == MetricKind::GaugeHistogram { CounterReset::Gauge } else { CounterReset::Unknown },
            schema: CUSTOM_BOUNDS_SCHEMA,
            count,
            sum: self.sum.unwrap_or(0.0),
            positive_spans: vec![BucketSpan { offset: 0, length: counts.len() as u32 }],
            positive_buckets: counts,
            custom_bounds: buckets.iter().map(|(upper, _)| *upper).filter(|upper| *upper != f64::INFINITY).collect(),
            ..Histogram::default()
        };
        (before == count && out.verify().is_ok()).then(|| {
            compact(&mut out);
            out
        })
    }
}

enum Part {
    Bucket(f64, f64),
    Sum(f64),
    Count(f64),
}

fn part(sample: &Sample<'_>, kind: MetricKind) -> Option<Part> {
    let Point::Float(value) = sample.value else { return None };
    if !matches!(kind, MetricKind::Histogram | MetricKind::GaugeHistogram) {
        return None;
    }
    let name = sample.name();
    let bound = || sample.labels.iter().find(|(n, _)| n == "le").and_then(|(_, v)| number::parse(v));
    match name {
        n if n.ends_with("_bucket") => Some(Part::Bucket(bound().filter(|b| !b.is_nan())?, value)),
        n if n.ends_with("_gsum") || n.ends_with("_sum") => Some(Part::Sum(value)),
        n if n.ends_with("_gcount") || n.ends_with("_count") => Some(Part::Count(value)),
        _ => None,
    }
}
