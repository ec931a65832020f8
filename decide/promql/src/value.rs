//! Results. Pure.

use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Histogram, Point, Sample};

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
    /// The time of the query, milliseconds since the epoch.
    pub t_ms: i64,
    /// The value.
    pub value: Point,
}

impl VectorSample {
    /// The value, when it is a number.
    pub fn float(&self) -> Option<f64> {
        match self.value {
            Point::Float(v) => Some(v),
            Point::Histogram(_) => None,
        }
    }
}

/// A series and its points; times without a value are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSeries {
    /// Which series.
    pub labels: Labels,
    /// Its numbers, oldest first.
    pub samples: Vec<Sample>,
    /// Its histograms with their times in milliseconds since the epoch, oldest first.
    pub histograms: Vec<(i64, Arc<Histogram>)>,
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

/// What a part of a query cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The part.
    pub expr: String,
    /// The series that it gave.
    pub series: u64,
    /// The samples that it read from the store itself.
    pub samples: u64,
    /// The time from its start to its end, the parts in it included, in nanoseconds; not the time of those who took its series.
    pub nanoseconds: u64,
    /// Where it read roll-ups in place of samples: how long the longest of their stretches are, milliseconds.
    pub rollup_ms: Option<i64>,
    /// The parts it is made of.
    pub children: Vec<Explained>,
}
