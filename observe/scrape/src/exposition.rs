//! What targets publish: Prometheus's text form, OpenMetrics 1.0 and delimited protobuf, entry by entry. Pure.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>. Read by Prometheus's own rules where it is stricter or
//! more lenient than these. The same reader serves scrapes, imports and checks of files.

use std::borrow::Cow;

use kernel::Labels;
use kernel::series::{Histogram, Point};

mod comment;
mod custom;
mod entry;
mod format;
mod proto;
mod proto_entries;
mod series;
mod suffix;

pub use comment::Metadata;
pub use custom::CustomBuckets;
pub(crate) use entry::labels_key;
pub use entry::{Parser, check, parse_all};
pub use format::{Escaping, Format, FormatError, Protocol, accept_header};

pub(crate) use comment::{Comment, comment, skip_blank};
pub(crate) use series::{NameText, series};
pub(crate) use suffix::{Tail, tail, tail_rest};

/// Kinds of metrics (OpenMetrics 5.1); Prometheus's `untyped` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum MetricKind {
    #[default]
    Unknown,
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
}

impl MetricKind {
    /// All kinds, by their number.
    const ALL: [Self; 8] = [
        Self::Unknown,
        Self::Counter,
        Self::Gauge,
        Self::Histogram,
        Self::GaugeHistogram,
        Self::Summary,
        Self::Info,
        Self::StateSet,
    ];

    /// As Prometheus's API writes it.
    pub const fn as_str(self) -> &'static str {
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

    /// Whether its counters may say when they began.
    pub(crate) const fn has_start(self) -> bool {
        matches!(self, Self::Counter | Self::Summary | Self::Histogram)
    }

    pub(crate) const fn number(self) -> u32 {
        self as u32
    }

    pub(crate) fn from_number(n: u32) -> Self {
        Self::ALL.get(n as usize).copied().unwrap_or_default()
    }

    fn named(word: &str, format: Format) -> Option<Self> {
        match (word, format) {
            ("counter", _) => Some(Self::Counter),
            ("gauge", _) => Some(Self::Gauge),
            ("histogram", _) => Some(Self::Histogram),
            ("summary", _) => Some(Self::Summary),
            ("untyped", Format::Text) | ("unknown", Format::OpenMetrics) => Some(Self::Unknown),
            ("gaugehistogram", Format::OpenMetrics) => Some(Self::GaugeHistogram),
            ("info", Format::OpenMetrics) => Some(Self::Info),
            ("stateset", Format::OpenMetrics) => Some(Self::StateSet),
            _ => None,
        }
    }
}

/// What is wrong with an exposition, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// Line, from 1 on; of protobuf the number of the metric family.
    pub line: usize,
    /// Byte in the line, from 1 on.
    pub column: usize,
    /// What happened.
    pub message: String,
}

/// A mistake by its byte in what was looked at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// With what stands there instead, and the line up to it.
    pub(crate) fn expected(what: &str, bytes: &[u8], at: usize) -> Self {
        let upto = &bytes[..(at + 1).min(bytes.len())];
        let got = match bytes.get(at) {
            None => "the end of the data".to_owned(),
            Some(b'\n') => "the end of the line".to_owned(),
            Some(_) => {
                let rest = &bytes[at..(at + 1).min(bytes.len())];
                let rest = if rest[0].is_ascii() { rest } else { &bytes[at..(at + 4).min(bytes.len())] };
                format!("{:?}", String::from_utf8_lossy(rest))
            }
        };
        let shown = &upto[..upto.len().min(MOST_SHOWN_BYTES)];
        Self::new(at, format!("{what}, got {got} while parsing: {:?}", String::from_utf8_lossy(shown)))
    }

    pub(crate) fn place(self, body: &[u8], start: usize) -> ParseError {
        let at = (start + self.at).min(body.len());
        let before = &body[..at];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |n| n + 1);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        ParseError { line, column: at - line_start + 1, message: self.message }
    }
}

/// Of a line that is wrong at most so much is shown.
const MOST_SHOWN_BYTES: usize = 200;

/// A label as it was read.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// An exemplar as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ExemplarText {
    /// Where to look.
    pub labels: Labels,
    /// What was observed.
    pub value: f64,
    /// When, milliseconds since the epoch; `None` where it does not say.
    pub t_ms: Option<i64>,
}

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Its labels, the name first as `__name__`; not sorted. `le` and `quantile` are written as OpenMetrics does.
    pub labels: Vec<Pair<'a>>,
    /// Its value.
    pub value: Point,
    /// Its own time, milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// When its counter began, milliseconds since the epoch; 0 where that is not known.
    pub start_ms: i64,
    /// Exemplars: one at most, but for native histograms.
    pub exemplars: Vec<ExemplarText>,
}

impl Sample<'_> {
    /// The metric's name.
    pub fn name(&self) -> &str {
        self.labels.iter().find(|(n, _)| n == kernel::labels::METRIC_NAME).map_or("", |(_, v)| v)
    }

    /// Its labels as a set.
    pub fn label_set(&self) -> Labels {
        Labels::new(self.labels.iter().map(|(n, v)| (n.as_ref(), v.as_ref())))
    }

    /// The histogram, if it is one.
    pub fn histogram(&self) -> Option<&Histogram> {
        match &self.value {
            Point::Histogram(h) => Some(h),
            Point::Float(_) => None,
        }
    }
}

/// What a line, or a part of a protobuf message, says.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'a> {
    /// What a metric family means.
    Help(Cow<'a, str>, Cow<'a, str>),
    /// Of what kind a metric family is.
    Type(Cow<'a, str>, MetricKind),
    /// In what unit a metric family counts.
    Unit(Cow<'a, str>, Cow<'a, str>),
    /// For people.
    Comment(&'a str),
    /// A sample.
    Sample(Sample<'a>),
}

/// What may be changed about reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// Take `_created` lines of OpenMetrics as start times instead of as series (Prometheus's created-timestamp feature).
    pub fold_created: bool,
    /// Take native histograms out of protobuf; without it their classic form.
    pub native_histograms: bool,
    /// Give classic buckets beside the native histogram they belong to (`always_scrape_classic_histograms`).
    pub keep_classic: bool,
    /// Make native histograms with custom bounds out of classic ones (`convert_classic_histograms_to_nhcb`).
    pub custom_buckets: bool,
}

#[cfg(test)]
mod mutated;
#[cfg(test)]
mod tests;
