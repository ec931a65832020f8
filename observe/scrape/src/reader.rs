//! What one target says, turned into rows: lines keep their places from scrape to scrape. Pure.
//!
//! Of each line 16 bytes are kept: a keyed hash and the length of name and labels, and the series' column. A line in its
//! place needs no labels, no relabeling, no lookup; its value goes to the column. Invariants:
//!
//! 1. What is read is what reading line by line and looking every label set up would give.
//! 2. A scrape counts whole or not at all: nothing is kept of one that fails but that all series ended.
//! 3. A series has one value per time: of lines with the same labels the first one counts.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use kernel::series::{GroupId, Histogram, SeriesError, SeriesWriter};
use parking_lot::RwLock;

use crate::exposition::{ExemplarText, Format, FormatError, Metadata, ParseError, ParseOptions};

mod emit;
mod general;
mod lines;
mod metadata;
mod resolve;
mod rules;
mod text;

use lines::{Line, Starts};
pub use metadata::MetadataStore;
pub use rules::{LineError, LineRules};

/// How bodies are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadSettings {
    /// Take times that lines bring.
    pub honor_timestamps: bool,
    /// Mark the end of series that bring their own times, too.
    pub track_timestamps_staleness: bool,
    /// Most samples after relabeling; 0 is no limit.
    pub sample_limit: usize,
    /// Most buckets of a native histogram; 0 is no limit.
    pub bucket_limit: usize,
    /// Least growth of a native histogram's buckets; 0 is any.
    pub min_bucket_factor: f64,
    /// How entries are read.
    pub parse: ParseOptions,
}

/// Why a body was not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// Nobody knows what it is.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A line's labels are not allowed.
    #[error(transparent)]
    Line(#[from] LineError),
    /// Too many samples after relabeling.
    #[error("sample limit exceeded")]
    SampleLimit,
    /// Too many buckets.
    #[error("histogram bucket limit exceeded")]
    BucketLimit,
    /// The store took no more series.
    #[error("the store refused new series: {0}")]
    Store(#[from] SeriesError),
}

/// What was in a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// `scrape_samples_scraped`
    pub scraped: usize,
    /// `scrape_samples_post_metric_relabeling`
    pub kept: usize,
    /// `scrape_series_added`
    pub added: usize,
    /// Samples of a series that had one already.
    pub duplicates: usize,
    /// Samples that bring a time too far in the future.
    pub out_of_bounds: usize,
    /// Lines that were not in their place.
    pub moved: usize,
}

/// Buffers that a scraper uses for all of its targets.
#[derive(Debug, Default)]
pub struct Scratch {
    fresh: Vec<Line>,
    /// Column and value.
    cells: Vec<(u32, f64)>,
    /// Line, value and time.
    stamped: Vec<(u32, f64, i64)>,
    /// Line, value, own time.
    histograms: Vec<(u32, Arc<Histogram>, Option<i64>)>,
    /// Column and start time, of forms that say both at once.
    starts: HashMap<u32, i64>,
    exemplars: Vec<(u32, ExemplarText)>,
    pending: Vec<Pending>,
    vanished: Vec<u32>,
    counts: ReadCounts,
    comments_moved: bool,
    bucket_limit_hit: bool,
}

/// A line that is new: it gets a column once all of the body is read.
#[derive(Debug)]
struct Pending {
    labels: kernel::Labels,
    own_time: bool,
    /// What it shares with its `_created` line.
    family: Option<u64>,
}

impl Scratch {
    /// What was read so far.
    pub const fn counts(&self) -> ReadCounts {
        self.counts
    }

    /// Whether something was read that has no column yet.
    pub const fn has_new(&self) -> bool {
        !self.pending.is_empty()
    }

    fn clear(&mut self) {
        self.fresh.clear();
        self.cells.clear();
        self.stamped.clear();
        self.histograms.clear();
        self.starts.clear();
        self.exemplars.clear();
        self.pending.clear();
        self.vanished.clear();
        self.counts = ReadCounts::default();
        self.comments_moved = false;
        self.bucket_limit_hit = false;
    }
}

/// What is kept of a target between scrapes.
#[derive(Debug)]
pub struct TargetReader {
    /// The name of its group in the store.
    name: String,
    lines: Vec<Line>,
    /// Whether the series of `lines` have a value, not the mark of their end.
    alive: bool,
    main: Option<GroupId>,
    /// Series with times of their own do not belong into the rows of the others.
    stamped: Option<GroupId>,
    starts: Starts,
    /// The last exemplar of a line's column, by its hash: the same one is not handed over again.
    exemplars: HashMap<u32, u64>,
    reports: Option<Vec<u32>>,
    metadata: Arc<RwLock<MetadataStore>>,
}

impl TargetReader {
    /// A target that was never scraped; `name` is its group's in the store.
    pub fn new(name: String) -> Self {
        Self {
            name,
            lines: Vec::new(),
            alive: false,
            main: None,
            stamped: None,
            starts: Starts::default(),
            exemplars: HashMap::new(),
            reports: None,
            metadata: Arc::default(),
        }
    }

    /// What is known of the target's metric families.
    pub fn metadata(&self) -> Arc<RwLock<MetadataStore>> {
        Arc::clone(&self.metadata)
    }

    /// A family's metadata.
    pub fn family(&self, name: &str) -> Option<Metadata> {
        self.metadata.read().get(name).cloned()
    }

    /// Whether there are columns for what scraping itself reports.
    pub const fn has_reports(&self) -> bool {
        self.reports.is_some()
    }

    /// Bytes on the heap that grow with the target's series.
    pub fn heap_bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }

    /// The store no longer knows the target's series: all of them are asked for again.
    pub fn forget_columns(&mut self) {
        self.lines = Vec::new();
        self.alive = false;
        self.main = None;
        self.stamped = None;
        self.starts = Starts::default();
        self.exemplars.clear();
        self.reports = None;
    }

    /// Reads a body into `scratch`; nothing of it counts before it is emitted.
    ///
    /// # Errors
    /// The body cannot be read, or a limit was reached.
    pub fn read(&mut self, input: &Input<'_>, scratch: &mut Scratch) -> Result<ReadCounts, ReadError> {
        scratch.clear();
        let Input { body, format, settings, .. } = *input;
        if format == Format::Protobuf || settings.parse.custom_buckets {
            self.read_entries(input, scratch)?;
        } else {
            self.read_text(input, scratch)?;
        }
        if settings.sample_limit > 0 && scratch.counts.kept > settings.sample_limit {
            return Err(ReadError::SampleLimit);
        }
        if scratch.bucket_limit_hit {
            return Err(ReadError::BucketLimit);
        }
        scratch.exemplars.iter_mut().for_each(|(_, exemplar)| input.rules.clean(&mut exemplar.labels));
        if scratch.comments_moved {
            self.metadata.write().scan(body, format);
        }
        Ok(scratch.counts)
    }

    /// Gets columns for what is new.
    ///
    /// # Errors
    /// The store takes no more series.
    pub fn resolve(&mut self, writer: &dyn SeriesWriter, scratch: &mut Scratch) -> Result<ReadCounts, ReadError> {
        self.resolve_pending(writer, scratch)?;
        Ok(scratch.counts)
    }
}

/// A body and how to read it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'i> {
    /// What the target sent, unpacked.
    pub body: &'i [u8],
    /// In which form.
    pub format: Format,
    /// How it is read.
    pub settings: &'i ReadSettings,
    /// What new lines go through.
    pub rules: &'i LineRules,
    /// The scraper's; the same for all bodies.
    pub hashes: &'i RandomState,
    /// Samples may not bring later times, milliseconds since the epoch.
    pub latest_ms: i64,
}

#[cfg(test)]
mod tests;
