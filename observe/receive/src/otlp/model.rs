//! OpenTelemetry's metrics as they were sent, whichever form they came in. Pure.
//!
//! <https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto>

use std::borrow::Cow;

/// A name and a value as text.
pub(crate) type Attribute<'a> = (Cow<'a, str>, Cow<'a, str>);

#[derive(Debug, Default)]
pub(crate) struct ResourceMetrics<'a> {
    pub(crate) attributes: Vec<Attribute<'a>>,
    pub(crate) scopes: Vec<ScopeMetrics<'a>>,
}

#[derive(Debug, Default)]
pub(crate) struct ScopeMetrics<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) version: Cow<'a, str>,
    pub(crate) schema_url: Cow<'a, str>,
    pub(crate) attributes: Vec<Attribute<'a>>,
    pub(crate) metrics: Vec<Metric<'a>>,
}

#[derive(Debug, Default)]
pub(crate) struct Metric<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) description: Cow<'a, str>,
    pub(crate) unit: Cow<'a, str>,
    pub(crate) data: Data<'a>,
}

/// What values relate to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Temporality {
    #[default]
    Unspecified,
    Delta,
    Cumulative,
}

impl Temporality {
    pub(crate) fn numbered(number: u64) -> Self {
        match number {
            1 => Self::Delta,
            2 => Self::Cumulative,
            _ => Self::Unspecified,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) enum Data<'a> {
    #[default]
    None,
    Gauge(Vec<Point<'a, f64>>),
    Sum {
        points: Vec<Point<'a, f64>>,
        temporality: Temporality,
        monotonic: bool,
    },
    Histogram {
        points: Vec<Point<'a, Explicit>>,
        temporality: Temporality,
    },
    Exponential {
        points: Vec<Point<'a, Exponential>>,
        temporality: Temporality,
    },
    Summary(Vec<Point<'a, Summary>>),
}

/// A data point.
#[derive(Debug, Default)]
pub(crate) struct Point<'a, V> {
    pub(crate) attributes: Vec<Attribute<'a>>,
    /// Nanoseconds since the epoch; 0 when it is not known.
    pub(crate) start_ns: u64,
    pub(crate) t_ns: u64,
    pub(crate) flags: u64,
    pub(crate) value: V,
    pub(crate) exemplars: Vec<Exemplar<'a>>,
    /// It was a delta, and is a total now.
    pub(crate) was_delta: bool,
    /// The first one of its stream since this program began.
    pub(crate) is_fresh: bool,
    /// Its stream begins at nothing again: what came before it cannot be added to.
    pub(crate) is_anew: bool,
}

impl<V> Point<'_, V> {
    /// Whether it says that there is no value: the series ended, for now.
    pub(crate) fn is_gone(&self) -> bool {
        self.flags & 1 == 1
    }

    pub(crate) fn t_ms(&self) -> i64 {
        (self.t_ns / 1_000_000) as i64
    }

    pub(crate) fn start_ms(&self) -> i64 {
        (self.start_ns / 1_000_000) as i64
    }
}

#[derive(Debug, Default)]
pub(crate) struct Exemplar<'a> {
    pub(crate) attributes: Vec<Attribute<'a>>,
    pub(crate) t_ns: u64,
    pub(crate) value: f64,
    /// As hexadecimal digits.
    pub(crate) span_id: String,
    pub(crate) trace_id: String,
}

/// Buckets with bounds that are given one by one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Explicit {
    pub(crate) count: u64,
    pub(crate) sum: Option<f64>,
    pub(crate) counts: Vec<u64>,
    pub(crate) bounds: Vec<f64>,
}

/// Buckets with exponential bounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exponential {
    pub(crate) count: u64,
    pub(crate) sum: Option<f64>,
    pub(crate) scale: i32,
    pub(crate) zero_count: u64,
    pub(crate) positive: Buckets,
    pub(crate) negative: Buckets,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Buckets {
    pub(crate) offset: i32,
    pub(crate) counts: Vec<u64>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    /// Quantile and value.
    pub(crate) quantiles: Vec<(f64, f64)>,
}

impl Data<'_> {
    /// How many data points.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Gauge(points) | Self::Sum { points, .. } => points.len(),
            Self::Histogram { points, .. } => points.len(),
            Self::Exponential { points, .. } => points.len(),
            Self::Summary(points) => points.len(),
        }
    }
}
