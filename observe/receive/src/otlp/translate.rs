//! OpenTelemetry's data points as Prometheus's series. Pure.
//!
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus>

use std::borrow::Cow;
use std::sync::Arc;

use kernel::labels::METRIC_NAME;
use kernel::series::{Histogram, Point as Value, SeriesReader, stale_nan};
use parking_lot::Mutex;

use super::histograms::{custom, exponential, stale};
use super::labels::{LabelSet, Namer, ResourceLabels, SERVICE_INSTANCE, SERVICE_NAME, SERVICE_NAMESPACE, scope_labels};
use super::model::{Data, Exemplar, Explicit, Metric, Point, ResourceMetrics, Summary, Temporality};
use super::names::{Kind, metric_name, unit_name};
use super::value::go_float;
use super::{Continued, OtlpOptions, Told};
use crate::limits::Reason;
use crate::remote_write::{MetricMetadata, MetricType};
use crate::wire::WireError;
use crate::writer::{Intake, RawLabel, Refusal, Request, Target};

/// Longest labels of an exemplar, characters (OpenMetrics 1.0).
const EXEMPLAR_CHARS: usize = 128;

/// `target_info` of a resource is written at half the time that a query looks back, from its first data point to its last.
const TARGET_INFO_STEP_NS: u64 = 150_000_000_000;

/// Most of these samples for one resource: points that lie further apart are no measurements of one time.
const TARGET_INFO_SAMPLES: u64 = 600;

/// A request that is read.
#[derive(Debug)]
pub(crate) struct Otlp<'a> {
    pub(crate) resources: Vec<ResourceMetrics<'a>>,
    pub(crate) options: &'a OtlpOptions,
    /// What the store has already; without it totals of deltas begin at nothing.
    pub(crate) stored: Option<Stored<'a>>,
    /// What was said of metrics before.
    pub(crate) told: &'a Mutex<Told>,
}

/// What the store has already, for totals of deltas.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) reader: &'a dyn SeriesReader,
    pub(crate) continued: &'a Mutex<Continued>,
    pub(crate) now_ms: i64,
}

impl std::fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored").field("now_ms", &self.now_ms).finish_non_exhaustive()
    }
}

impl Request for Otlp<'_> {
    fn walk(&self, intake: &mut Intake<'_>) -> Result<(), WireError> {
        for resource in &self.resources {
            let mut namer = Namer::new(self.options);
            let points: usize = resource.scopes.iter().flat_map(|s| &s.metrics).map(|m| m.data.len()).sum();
            match ResourceLabels::new(resource, self.options, &mut namer) {
                Ok(labels) => {
                    let (options, stored, told) = (self.options, self.stored, self.told);
                    Walk { options, stored, told, namer, labels, intake }.resource(resource);
                }
                Err(text) => refuse(intake, points, Reason::InvalidLabels, text),
            }
        }
        Ok(())
    }
}

fn refuse(intake: &mut Intake<'_>, points: usize, reason: Reason, text: String) {
    intake.found.trouble.count(reason, points as u64);
    intake.found.trouble.note(Refusal { reason, text });
}

struct Walk<'w, 'a, 't> {
    options: &'a OtlpOptions,
    stored: Option<Stored<'a>>,
    told: &'a Mutex<Told>,
    namer: Namer<'a>,
    labels: ResourceLabels<'a>,
    intake: &'w mut Intake<'t>,
}

impl<'a> Walk<'_, 'a, '_> {
    fn resource(mut self, resource: &'a ResourceMetrics<'a>) {
        let mut times: Option<(u64, u64)> = None;
        for scope in &resource.scopes {
            let of_scope = match scope_labels(scope, self.options, &mut self.namer) {
                Ok(labels) => labels,
                Err(text) => {
                    let points = scope.metrics.iter().map(|m| m.data.len()).sum();
                    refuse(self.intake, points, Reason::InvalidLabels, text);
                    continue;
                }
            };
            for metric in &scope.metrics {
                times = min_max(times, &metric.data);
                if let Err((reason, text)) = self.metric(metric, &of_scope) {
                    refuse(self.intake, metric.data.len(), reason, text);
                }
            }
        }
        if let Some(times) = times.filter(|_| self.options.target_info)
            && let Err(text) = self.target_info(resource, times)
        {
            refuse(self.intake, 1, Reason::InvalidLabels, text);
        }
    }

    fn metric(&mut self, metric: &'a Metric<'a>, of_scope: &LabelSet<'a>) -> Result<(), (Reason, String)> {
        let temporality = match &metric.data {
            Data::Sum { temporality, .. }
            | Data::Histogram { temporality, .. }
            | Data::Exponential { temporality, .. } => *temporality,
            _ => Temporality::Cumulative,
        };
        if temporality != Temporality::Cumulative {
            let text = format!("invalid temporality and type combination for metric {:?}", metric.name);
            return Err((Reason::Temporality, text));
        }
        let (kind, of_type) = match &metric.data {
            Data::None => return Err((Reason::Invalid, format!("metric {:?} has no data that is known", metric.name))),
            Data::Gauge(_) => (Kind::Gauge, MetricType::Gauge),
            Data::Sum { monotonic: true, .. } => (Kind::Counter, MetricType::Counter),
            Data::Sum { .. } => (Kind::Other, MetricType::Gauge),
            Data::Histogram { .. } | Data::Exponential { .. } => (Kind::Other, MetricType::Histogram),
            Data::Summary(_) => (Kind::Other, MetricType::Summary),
        };
        let name = metric_name(&metric.name, &metric.unit, kind, self.options.translation);
        let name = name.map_err(|text| (Reason::InvalidLabels, text))?;
        self.points(metric, &name, of_scope).map_err(|text| (Reason::InvalidLabels, text))?;
        if self.told.lock().is_news(&name, (of_type, &metric.description, &metric.unit)) {
            let (help, unit) = (metric.description.clone().into_owned(), unit_name(&metric.unit));
            self.intake.found.metadata.push(MetricMetadata { family: name, kind: of_type, help, unit });
        }
        Ok(())
    }

    fn points(&mut self, metric: &'a Metric<'a>, name: &str, of_scope: &LabelSet<'a>) -> Result<(), String> {
        match &metric.data {
            Data::None => {}
            Data::Gauge(points) | Data::Sum { points, .. } => {
                for point in points {
                    let labels = self.labels(point, of_scope)?;
                    let target = self.total(&labels, name, None, point, point.value);
                    self.exemplars(target, &point.exemplars);
                }
            }
            Data::Histogram { points, .. } if self.options.custom_bounds => {
                for point in points {
                    let labels = self.labels(point, of_scope)?;
                    let target = self.histogram(&labels, name, point, custom);
                    self.exemplars(target, &point.exemplars);
                }
            }
            Data::Histogram { points, .. } => {
                for point in points {
                    self.classic(point, name, of_scope)?;
                }
            }
            Data::Exponential { points, .. } => {
                for point in points {
                    let labels = self.labels(point, of_scope)?;
                    let target = self.histogram(&labels, name, point, exponential);
                    self.exemplars(target, &point.exemplars);
                }
            }
            Data::Summary(points) => {
                for point in points {
                    self.summary(point, name, of_scope)?;
                }
            }
        }
        Ok(())
    }

    fn labels<V>(&mut self, point: &'a Point<'a, V>, of_scope: &LabelSet<'a>) -> Result<LabelSet<'a>, String> {
        let mut labels = self.namer.attributes(&point.attributes, &[METRIC_NAME])?;
        self.labels.add_to(&mut labels, true);
        for (name, value) in of_scope.iter() {
            labels.set(Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned()));
        }
        Ok(labels)
    }

    /// Hands over a number of a series, and says which series that is. What was a delta goes on at what the store has.
    fn total<V>(
        &mut self,
        labels: &LabelSet<'_>,
        name: &str,
        more: Option<(&str, &str)>,
        point: &Point<'_, V>,
        total: f64,
    ) -> Target {
        self.with_series(labels, name, more, |walk, text, raw| {
            let total = match walk.goes_on((text, &raw), point, Value::Float(total)) {
                Value::Float(total) => total,
                Value::Histogram(_) => total,
            };
            let key = walk.intake.keys.of(text);
            let target = walk.intake.series(key, || Ok(raw));
            walk.intake.float(target, point.t_ms(), value(point, total), point.start_ms());
            target
        })
    }

    /// Hands over a native histogram of a series, as [`Walk::total`].
    fn histogram<V>(
        &mut self,
        labels: &LabelSet<'_>,
        name: &str,
        point: &Point<'_, V>,
        of: fn(&V) -> Result<Histogram, Refusal>,
    ) -> Target {
        self.with_series(labels, name, None, |walk, text, raw| {
            let total = if point.is_gone() { Ok(stale()) } else { of(&point.value) };
            let total = total.map(|h| match walk.goes_on((text, &raw), point, Value::Histogram(Arc::new(h))) {
                Value::Histogram(h) => Arc::unwrap_or_clone(h),
                Value::Float(_) => Histogram::default(),
            });
            let key = walk.intake.keys.of(text);
            let target = walk.intake.series(key, || Ok(raw));
            walk.intake.histogram(target, point.t_ms(), total, point.start_ms());
            target
        })
    }

    /// The total of what was a delta, with what the store has from before.
    fn goes_on<V>(&self, series: (&[u8], &[RawLabel<'_>]), point: &Point<'_, V>, total: Value) -> Value {
        match self.stored.filter(|_| point.was_delta && !point.is_gone()) {
            Some(s) => s.continued.lock().total(s.reader, series, point, total, s.now_ms),
            None => total,
        }
    }

    /// The series with these labels, this name and perhaps one label more.
    fn series(&mut self, labels: &LabelSet<'_>, name: &str, more: Option<(&str, &str)>) -> Target {
        self.with_series(labels, name, more, |walk, text, raw| {
            let key = walk.intake.keys.of(text);
            walk.intake.series(key, || Ok(raw))
        })
    }

    /// Hands on the text that tells a series apart, and its labels.
    fn with_series<T>(
        &mut self,
        labels: &LabelSet<'_>,
        name: &str,
        more: Option<(&str, &str)>,
        take: impl FnOnce(&mut Self, &[u8], Vec<RawLabel<'_>>) -> T,
    ) -> T {
        let more_name = more.map_or(METRIC_NAME, |(name, _)| name);
        let others = labels.iter().filter(|(n, _)| *n != METRIC_NAME && *n != more_name);
        let all = others.chain([(METRIC_NAME, name)]).chain(more);
        let mut raw: Vec<RawLabel<'_>> = all.map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        raw.sort_unstable();
        let mut text = Vec::with_capacity(256);
        for (name, value) in &raw {
            text.extend_from_slice(name);
            text.push(0xff);
            text.extend_from_slice(value);
            text.push(0xff);
        }
        take(self, &text, raw)
    }

    /// `_sum`, `_count` and `_bucket`, which counts from below.
    fn classic(&mut self, point: &'a Point<'a, Explicit>, name: &str, of_scope: &LabelSet<'a>) -> Result<(), String> {
        let labels = self.labels(point, of_scope)?;
        let of = &point.value;
        if let Some(sum) = of.sum {
            self.total(&labels, &format!("{name}_sum"), None, point, sum);
        }
        self.total(&labels, &format!("{name}_count"), None, point, of.count as f64);
        let bucket = format!("{name}_bucket");
        let mut exemplars: Vec<&Exemplar<'_>> = point.exemplars.iter().collect();
        exemplars.sort_by(|a, b| a.value.total_cmp(&b.value));
        let (mut below, mut told) = (0u64, 0);
        let finite = of.bounds.iter().zip(&of.counts).map(|(bound, count)| (*bound, *count));
        for (bound, count) in finite.chain([(f64::INFINITY, 0)]) {
            below = below.saturating_add(count);
            let last = bound == f64::INFINITY;
            if last && count > 0 {
                // A bound that is infinite says the same as the count of all.
                continue;
            }
            let all = if last { of.count } else { below };
            let target = self.total(&labels, &bucket, Some(("le", &go_float(bound))), point, all as f64);
            let until = exemplars.partition_point(|e| e.value <= bound);
            let own = exemplars.get(told..until.max(told)).unwrap_or_default();
            told = until.max(told);
            for exemplar in own {
                self.exemplar(target, exemplar);
            }
            if last {
                break;
            }
        }
        Ok(())
    }

    fn summary(&mut self, point: &'a Point<'a, Summary>, name: &str, of_scope: &LabelSet<'a>) -> Result<(), String> {
        let labels = self.labels(point, of_scope)?;
        let of = &point.value;
        let (t_ms, start_ms) = (point.t_ms(), point.start_ms());
        for (suffix, of) in [("_sum", of.sum), ("_count", of.count as f64)] {
            let target = self.series(&labels, &format!("{name}{suffix}"), None);
            self.intake.float(target, t_ms, value(point, of), start_ms);
        }
        for (quantile, of) in &of.quantiles {
            let target = self.series(&labels, name, Some(("quantile", &go_float(*quantile))));
            self.intake.float(target, t_ms, value(point, *of), start_ms);
        }
        Ok(())
    }

    fn exemplars(&mut self, target: Target, all: &[Exemplar<'_>]) {
        for exemplar in all {
            self.exemplar(target, exemplar);
        }
    }

    fn exemplar(&mut self, target: Target, exemplar: &Exemplar<'_>) {
        let ids = [("trace_id", exemplar.trace_id.as_str()), ("span_id", exemplar.span_id.as_str())];
        let mut all: Vec<(&str, &str)> = ids.into_iter().filter(|(_, id)| !id.is_empty()).collect();
        let ids = all.len();
        for (name, value) in &exemplar.attributes {
            if !all.iter().take(ids).any(|(id, _)| id == name) {
                all.push((name, value));
            }
        }
        let chars: usize = all.iter().map(|(n, v)| n.chars().count() + v.chars().count()).sum();
        if chars > EXEMPLAR_CHARS {
            all.truncate(ids);
        }
        let raw: Vec<RawLabel<'_>> = all.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        let _ = self.intake.exemplar(target, &raw, exemplar.value, (exemplar.t_ns / 1_000_000) as i64);
    }

    /// The resource's attributes as labels of a series whose value is 1.
    fn target_info(&mut self, resource: &'a ResourceMetrics<'a>, (first, last): (u64, u64)) -> Result<(), String> {
        let identifying = [SERVICE_NAMESPACE, SERVICE_NAME, SERVICE_INSTANCE];
        if resource.attributes.iter().all(|(name, _)| identifying.contains(&&**name)) {
            return Ok(());
        }
        let ignore = if self.options.keep_identifying { &[][..] } else { &identifying[..] };
        let mut labels = self.namer.attributes(&resource.attributes, ignore)?;
        self.labels.add_to(&mut labels, false);
        if labels.get("job").is_none() && labels.get("instance").is_none() {
            return Ok(());
        }
        let target = self.series(&labels, "target_info", None);
        let samples = ((last - first) / TARGET_INFO_STEP_NS).min(TARGET_INFO_SAMPLES);
        let from = if samples == TARGET_INFO_SAMPLES { last - samples * TARGET_INFO_STEP_NS } else { first };
        for n in 0..=samples {
            let t = from + n * TARGET_INFO_STEP_NS;
            if t < last {
                self.intake.float(target, (t / 1_000_000) as i64, 1.0, 0);
            }
        }
        self.intake.float(target, (last / 1_000_000) as i64, 1.0, 0);
        Ok(())
    }
}

/// The value, or the marker of a series that ended.
fn value<V>(point: &Point<'_, V>, value: f64) -> f64 {
    if point.is_gone() { stale_nan() } else { value }
}

fn min_max(times: Option<(u64, u64)>, data: &Data<'_>) -> Option<(u64, u64)> {
    fn each<V>(points: &[Point<'_, V>]) -> Option<(u64, u64)> {
        let times = points.iter().map(|point| point.t_ns);
        times.clone().min().zip(times.max())
    }
    let own = match data {
        Data::None => None,
        Data::Gauge(points) | Data::Sum { points, .. } => each(points),
        Data::Histogram { points, .. } => each(points),
        Data::Exponential { points, .. } => each(points),
        Data::Summary(points) => each(points),
    };
    match (times, own) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}
