//! An export of the trail from the database to a stream, for the page, the API and the command line. I/O: state.
//!
//! An excerpt goes from the checkpoint before its first entry to the one that covers its last; what it leaves out stands as
//! hashes, so that it verifies as the part of the chain that it is.

use std::collections::BTreeSet;
use std::io::Write;

use kernel::Timestamp;
use prove_trail::export::Writer;
use prove_trail::table::TableWriter;
use prove_trail::{Header, Omitted, PublicKey, SignedCheckpoint};
use state::{State, StateError, TrailFilter};

/// Entries read at once: some megabytes.
const AT_ONCE: usize = 5_000;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON Lines: can be verified.
    JsonLines,
    /// CSV, for spreadsheets.
    Csv,
}

impl Format {
    /// From its word: `jsonl` or `csv`.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "jsonl" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// The ending of a file of it.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/jsonl; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The stream was closed, or the disk is full.
    #[error("the export cannot be written: {0}")]
    Stream(#[from] std::io::Error),
}

/// What is exported.
#[derive(Clone, Debug)]
pub struct Export {
    /// Which entries.
    pub filter: TrailFilter,
    /// The trail's public key.
    pub key: PublicKey,
    /// When the export is made.
    pub made_at: Timestamp,
}

/// What a filter chooses, in the words of the command line.
pub fn describe(filter: &TrailFilter) -> String {
    let texts = [
        ("actor", &filter.actor),
        ("object-kind", &filter.object_kind),
        ("object", &filter.object),
        ("system", &filter.system),
        ("environment", &filter.environment),
        ("action", &filter.action),
        ("business-id", &filter.business_id),
        ("text", &filter.text),
    ];
    let mut out: Vec<String> =
        texts.iter().filter(|(_, v)| !v.is_empty()).map(|(name, v)| format!("--{name} {v}")).collect();
    out.extend(filter.outcome.map(|o| format!("--outcome {}", o.as_str())));
    out.extend(filter.since.map(|at| format!("--since {at}")));
    out.extend(filter.until.map(|at| format!("--until {at}")));
    out.join(" ")
}

/// The checkpoints of a state, the oldest first.
fn read_points(state: &State) -> Result<Vec<SignedCheckpoint>, StateError> {
    Ok(state.checkpoints()?.iter().filter_map(|line| SignedCheckpoint::from_line(line)).collect())
}

impl Export {
    /// Writes it.
    ///
    /// # Errors
    /// The database's or the stream's own; the stream then holds a part, whose last line is missing.
    pub fn write<W: Write>(&self, state: &State, format: Format, out: W) -> Result<W, ExportError> {
        match format {
            Format::JsonLines => self.write_lines(state, out),
            Format::Csv => self.write_table(state, out),
        }
    }

    fn write_lines<W: Write>(&self, state: &State, out: W) -> Result<W, ExportError> {
        let mut writer = Writer::begin(out, &Header::new(self.key, self.made_at, describe(&self.filter)))?;
        let points = read_points(state)?;
        let Some((after, last)) = self.span(state, &points)? else { return Ok(writer.finish()?) };
        for point in points.iter().filter(|p| (after..=last).contains(&p.checkpoint.sequence)) {
            writer.checkpoint(point)?;
        }
        let everything = describe(&self.filter).is_empty();
        let (mut at, mut wanted, mut wanted_until) = (after, BTreeSet::new(), after);
        loop {
            let rows = state.trail_rows(at, AT_ONCE)?;
            for row in rows.iter().filter(|r| r.entry.sequence <= last) {
                let number = row.entry.sequence;
                if !everything && number > wanted_until {
                    wanted = state.trail_numbers(&self.filter, number - 1, AT_ONCE)?.into_iter().collect();
                    // Fewer than asked for: there are no more.
                    let full = wanted.len() == AT_ONCE;
                    wanted_until = wanted.last().copied().filter(|_| full).unwrap_or(u64::MAX);
                }
                if everything || wanted.contains(&number) {
                    writer.entry(&row.entry)?;
                } else {
                    writer.omitted(&Omitted::of(&row.entry))?;
                }
                at = number;
            }
            if rows.last().is_none_or(|r| r.entry.sequence >= last) {
                return Ok(writer.finish()?);
            }
        }
    }

    /// Writes the excerpt that shows one entry: from the checkpoint before it to the one that covers it, everything else as
    /// hashes.
    ///
    /// # Errors
    /// As [`Export::write`].
    pub fn write_one<W: Write>(&self, state: &State, number: u64, out: W) -> Result<W, ExportError> {
        let header = Header::new(self.key, self.made_at, format!("entry {number}"));
        let mut writer = Writer::begin(out, &header)?;
        let points = read_points(state)?;
        let signed = || points.iter().map(|p| p.checkpoint.sequence);
        let after = signed().filter(|s| *s < number).max().unwrap_or(0).max(state.trail_cut()?);
        let last = signed().filter(|s| *s >= number).min().unwrap_or(number);
        for point in points.iter().filter(|p| (after..=last).contains(&p.checkpoint.sequence)) {
            writer.checkpoint(point)?;
        }
        let mut at = after;
        while at < last {
            let rows = state.trail_rows(at, AT_ONCE)?;
            let Some(end) = rows.last() else { break };
            at = end.entry.sequence;
            for row in rows.iter().filter(|r| r.entry.sequence <= last) {
                match row.entry.sequence == number {
                    true => writer.entry(&row.entry)?,
                    false => writer.omitted(&Omitted::of(&row.entry))?,
                }
            }
        }
        Ok(writer.finish()?)
    }

    /// From after which entry to which one the export goes; `None` when nothing is wanted.
    fn span(&self, state: &State, points: &[SignedCheckpoint]) -> Result<Option<(u64, u64)>, StateError> {
        let Some((first, last)) = state.trail_span(&self.filter)? else { return Ok(None) };
        let signed = || points.iter().map(|p| p.checkpoint.sequence);
        let cut = state.trail_cut()?;
        if describe(&self.filter).is_empty() {
            return Ok(Some((cut, last)));
        }
        let from = signed().filter(|s| *s < first).max().unwrap_or(cut).max(cut);
        let to = signed().filter(|s| *s >= last).min().unwrap_or(last);
        Ok(Some((from, to)))
    }

    fn write_table<W: Write>(&self, state: &State, out: W) -> Result<W, ExportError> {
        let mut writer = TableWriter::begin(out)?;
        let mut at = 0;
        loop {
            let numbers = state.trail_numbers(&self.filter, at, AT_ONCE)?;
            let (Some(first), Some(last)) = (numbers.first().copied(), numbers.last().copied()) else {
                return Ok(writer.finish()?);
            };
            let wanted: BTreeSet<u64> = numbers.iter().copied().collect();
            at = first - 1;
            while at < last {
                let rows = state.trail_rows(at, AT_ONCE)?;
                for row in rows.iter().filter(|r| wanted.contains(&r.entry.sequence)) {
                    writer.entry(&row.entry)?;
                }
                at = rows.last().map_or(last, |r| r.entry.sequence).min(last);
            }
        }
    }
}
