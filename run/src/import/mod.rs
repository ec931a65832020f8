//! Samples that other programs kept, brought into a store. I/O: files, series on disk, HTTP.
//!
//! A source is read several times: once to learn when its samples are and whether all of it can be read, then once for each
//! stretch of time ([`survey`]), the oldest first, so that the store gets rows in the order of time and memory stays bounded.
//! What is there already is left out, so the same import may be repeated, or go on where it was broken off.

mod load;
pub mod openmetrics;
pub mod prometheus;
pub mod remote;
pub mod store;
pub mod survey;
#[cfg(test)]
mod tests;

use anyhow::Result;
use kernel::Labels;
use kernel::series::{Exemplar, Point};

pub use load::{Progress, Report, load};
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

/// Where samples come from.
pub trait Source {
    /// Reads everything once; `told` hears how many samples were seen. What is wrong in it is in the answer.
    ///
    /// # Errors
    /// A file cannot be read.
    fn survey(&mut self, told: &mut dyn FnMut(u64)) -> Result<Survey>;

    /// Hands over the samples of a stretch of time, from the first time to the last, both inclusive.
    ///
    /// # Errors
    /// A file cannot be read.
    fn stretch(
        &mut self,
        range_ms: (i64, i64),
        mistakes: &mut Mistakes,
        take: &mut dyn FnMut(Taken) -> Result<()>,
    ) -> Result<()>;
}

/// What became of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Samples that were written, or were there already.
    pub samples: u64,
    /// Exemplars that were written.
    pub exemplars: u64,
    /// Samples that were not.
    pub refused: u64,
    /// Why not, a line each.
    pub text: String,
}

/// Where samples go.
pub trait Target {
    /// Most samples of one request.
    fn samples_at_once(&self) -> usize;

    /// Says of samples of a stretch of time which are there already; sets their mark.
    ///
    /// # Errors
    /// What is there cannot be read.
    fn mark_known(&self, range_ms: (i64, i64), held: &mut load::Held) -> Result<()>;

    /// Sends a packed remote-write request with so many samples.
    ///
    /// # Errors
    /// Nothing can be written any more; the import may be repeated.
    fn send(&mut self, body: Vec<u8>, samples: u64) -> Result<Sent>;

    /// A stretch of time is written.
    ///
    /// # Errors
    /// The disk refuses.
    fn stretch_done(&mut self) -> Result<()>;

    /// Everything is written.
    ///
    /// # Errors
    /// The disk refuses.
    fn finish(&mut self) -> Result<()>;
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

/// Adds labels; what is added replaces labels of the same name.
fn with(labels: Labels, added: &[(String, String)]) -> Labels {
    added.iter().fold(labels, |labels, (name, value)| labels.with(name, value))
}
