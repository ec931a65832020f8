//! Remarks on a query that has a result all the same: warnings and infos, with Prometheus's texts. Pure.

use std::fmt;

use crate::syntax::span::Span;

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnnotationKind {
    /// The result is likely not what was meant.
    Warning,
    /// The result may not be what was meant.
    Info,
}

/// A remark on a part of a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Annotation {
    /// Warning or info.
    pub kind: AnnotationKind,
    /// What was noticed.
    pub message: String,
    /// The part of the expression it is about.
    pub span: Span,
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            AnnotationKind::Warning => "warning",
            AnnotationKind::Info => "info",
        };
        write!(f, "PromQL {kind}: {} ({})", self.message, self.span)
    }
}

/// What histograms were put together for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Addition,
    Subtraction,
    Aggregation,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Self::Addition => "addition",
            Self::Subtraction => "subtraction",
            Self::Aggregation => "aggregation",
        }
    }
}

/// Something that was noticed of the samples of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// Numbers and histograms where only one of them has a meaning.
    FloatsAndHistograms,
    /// The same, in an aggregation.
    FloatsAndHistogramsAggregated,
    /// Exponential and custom buckets.
    ExponentialAndCustom,
    /// A gauge where a counter belongs.
    NotACounter,
    /// A counter where a gauge belongs.
    NotAGauge,
    /// Histograms that a function of numbers left out.
    HistogramsIgnored,
    /// Custom bounds that differ.
    BoundsReconciled(Operation),
    /// One histogram says that it was reset, another that it was not.
    ResetsContradict(Operation),
    /// A sample counts from before the sample before it.
    StartsOverlap,
    /// Classic buckets and a native histogram of the same name.
    ClassicAndNative,
    /// Observations that are no numbers made a quantile none.
    QuantileIsNan,
    /// Observations that are no numbers count as large in a quantile.
    QuantileIsSkewed,
    /// Observations that are no numbers belong to no fraction.
    FractionWithoutNan,
}

impl Note {
    pub(crate) fn kind(self) -> AnnotationKind {
        match self {
            Self::HistogramsIgnored
            | Self::BoundsReconciled(_)
            | Self::QuantileIsNan
            | Self::QuantileIsSkewed
            | Self::FractionWithoutNan => AnnotationKind::Info,
            _ => AnnotationKind::Warning,
        }
    }

    /// In Prometheus's words.
    pub(crate) fn message(self, metric: &str) -> String {
        let named = |text: &str| match metric {
            "" => text.to_owned(),
            _ => format!("{text} for metric name {metric:?}"),
        };
        match self {
            Self::FloatsAndHistograms => {
                format!("encountered a mix of histograms and floats for metric name {metric:?}")
            }
            Self::FloatsAndHistogramsAggregated => {
                "encountered a mix of histograms and floats for aggregation".to_owned()
            }
            Self::ExponentialAndCustom => format!(
                "vector contains a mix of histograms with exponential and custom buckets schemas for metric name {metric:?}"
            ),
            Self::NotACounter => format!("this native histogram metric is not a counter: {metric:?}"),
            Self::NotAGauge => format!("this native histogram metric is not a gauge: {metric:?}"),
            Self::HistogramsIgnored => format!(
                "ignored histograms in a range containing both floats and histograms for metric name {metric:?}"
            ),
            Self::BoundsReconciled(operation) => {
                format!("mismatched custom buckets were reconciled during {}", operation.word())
            }
            Self::ResetsContradict(operation) => {
                format!("conflicting counter resets during histogram {}", operation.word())
            }
            Self::StartsOverlap => {
                format!("sample has start time that overlaps with previous sample timestamp for metric {metric:?}")
            }
            Self::ClassicAndNative => named("vector contains a mix of classic and native histograms"),
            Self::QuantileIsNan => named("input to histogram_quantile has NaN observations, result is NaN"),
            Self::QuantileIsSkewed => {
                named("input to histogram_quantile has NaN observations, result is skewed higher")
            }
            Self::FractionWithoutNan => {
                named("input to histogram_fraction has NaN observations, which are excluded from all fractions")
            }
        }
    }
}
