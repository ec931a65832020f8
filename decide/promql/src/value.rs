//! Results. Pure.

use kernel::Labels;
use kernel::series::Sample;

use crate::annotations::Annotation;

/// What a query gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// One number at one time; of a range query a [`Value::Matrix`] of one series without labels.
    Scalar(Sample),
    /// A text.
    String(String),
    /// Series with one value each, of an instant query; ordered as `sort` or `topk` say, by reading order otherwise.
    Vector(Vec<VectorSample>),
    /// Series with their points, sorted by labels.
    Matrix(Vec<MatrixSeries>),
}

/// A series and its value at the time of the query.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    /// Which series.
    pub labels: Labels,
    /// The time of the query, and the value.
    pub sample: Sample,
}

/// A series and its points.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSeries {
    /// Which series.
    pub labels: Labels,
    /// Its points, oldest first; times without a value are left out.
    pub samples: Vec<Sample>,
}

/// What a query cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series read.
    pub series: u64,
    /// Samples read.
    pub samples: u64,
}

/// A result with the remarks on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The result.
    pub value: Value,
    /// Warnings and infos, each once.
    pub annotations: Vec<Annotation>,
    /// What it cost.
    pub stats: Stats,
}
