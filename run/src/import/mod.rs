//! Samples that other programs kept, brought into a store. I/O: files, series on disk, HTTP.
//!
//! A source is read twice or more: once to learn when its samples are and whether all of it can be read, then once for each
//! stretch of time ([`survey`]), the oldest first, so that the store gets rows in the order of time and memory stays bounded.

pub mod openmetrics;
pub mod survey;

use kernel::Labels;
use kernel::series::{Exemplar, Point};

pub use survey::Survey;

/// One sample of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Its series.
    pub labels: Labels,
    /// Its time, milliseconds since the epoch.
    pub t_ms: i64,
    /// Its value.
    pub value: Point,
    /// Exemplars that stand beside it.
    pub exemplars: Vec<Exemplar>,
}

/// What is wrong with a source, and where: the first few ([`Mistakes::SHOWN`]), the others are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes {
    /// As `FILE:LINE: what`.
    pub texts: Vec<String>,
    /// All of them.
    pub count: u64,
}

impl Mistakes {
    /// As many are shown: enough to see whether one line is wrong or the whole file.
    pub const SHOWN: usize = 20;

    /// Notes one.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.texts.len() < Self::SHOWN {
            self.texts.push(text());
        }
    }
}
