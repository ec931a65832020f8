//! The write port: batches of rows, one row per scrape group and time. Pure.
//!
//! A *group* is what is written together: the series of one scrape target, of one check, or what one remote-write sender
//! brings of one job and instance. A series has a *column* in its group, and the pair is how it is named afterwards.

use std::sync::Arc;

use super::{Exemplar, Histogram, Point, SeriesError};
use crate::Labels;

/// A scrape group in the store: series that are written together, at the same times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u32);

/// A series as the store knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesRef {
    /// Its group.
    pub group: GroupId,
    /// Its column in the group.
    pub column: u32,
}

/// One row of a scrape group: the values of its series at one time, in the order the group was declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The group, as the store named it.
    pub group: GroupId,
    /// Milliseconds since the epoch.
    pub t_ms: i64,
    /// One value per series of the group; `None` where this row has none.
    pub values: Vec<Option<f64>>,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The series' column in the group.
    pub column: u32,
    /// The value.
    pub value: Point,
    /// When its counter began, milliseconds since the epoch; 0 when that is not known.
    pub start_ms: i64,
}

/// Where a row of a [`Batch`] lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRow {
    /// The group.
    pub group: GroupId,
    /// Milliseconds since the epoch.
    pub t_ms: i64,
    /// Its first cell in the batch's columns; it ends where the next row begins.
    pub first: u32,
}

/// Rows that are written together, kept as columns so that a plain number takes 12 bytes.
///
/// Invariants: rows are never empty; `columns` and `values` are equally long; `histograms` and `starts` name cells by their place
/// in these, rising.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    rows: Vec<BatchRow>,
    columns: Vec<u32>,
    values: Vec<f64>,
    histograms: Vec<(u32, Arc<Histogram>)>,
    starts: Vec<(u32, i64)>,
    exemplars: Vec<(SeriesRef, Exemplar)>,
}

impl Batch {
    /// Adds a number. Cells of the same group and time belong together: push them one after another.
    pub fn push(&mut self, group: GroupId, t_ms: i64, column: u32, value: f64) {
        let same = self.rows.last().is_some_and(|row| row.group == group && row.t_ms == t_ms);
        if !same {
            self.rows.push(BatchRow { group, t_ms, first: self.columns.len() as u32 });
        }
        self.columns.push(column);
        self.values.push(value);
    }

    /// Adds any value, with its start time when that is known (not 0).
    pub fn push_cell(&mut self, group: GroupId, t_ms: i64, cell: Cell) {
        let at = self.columns.len() as u32;
        match cell.value {
            Point::Float(value) => self.push(group, t_ms, cell.column, value),
            Point::Histogram(histogram) => {
                self.push(group, t_ms, cell.column, histogram.sum);
                self.histograms.push((at, histogram));
            }
        }
        if cell.start_ms != 0 {
            self.starts.push((at, cell.start_ms));
        }
    }

    /// Adds an exemplar.
    pub fn push_exemplar(&mut self, series: SeriesRef, exemplar: Exemplar) {
        self.exemplars.push((series, exemplar));
    }

    /// Rows in the order in which they were pushed.
    pub fn rows(&self) -> &[BatchRow] {
        &self.rows
    }

    /// The cells of a row, as places in [`Batch::columns`] and [`Batch::values`].
    pub fn cells(&self, row: usize) -> std::ops::Range<usize> {
        let end = self.rows.get(row + 1).map_or(self.columns.len(), |next| next.first as usize);
        self.rows.get(row).map_or(0..0, |row| row.first as usize..end)
    }

    /// The column of each cell.
    pub fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// The number of each cell; of a histogram its sum.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The cells that are histograms.
    pub fn histograms(&self) -> &[(u32, Arc<Histogram>)] {
        &self.histograms
    }

    /// The cells whose start time is known.
    pub fn starts(&self) -> &[(u32, i64)] {
        &self.starts
    }

    /// Exemplars.
    pub fn exemplars(&self) -> &[(SeriesRef, Exemplar)] {
        &self.exemplars
    }

    /// How many samples.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.exemplars.is_empty()
    }

    /// Makes it empty and keeps its memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.columns.clear();
        self.values.clear();
        self.histograms.clear();
        self.starts.clear();
        self.exemplars.clear();
    }
}

/// Why a sample was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// Older than the newest sample of its series by more than the window for late samples.
    TooOld,
    /// Older than the newest sample of its series, and late samples are not taken.
    OutOfOrder,
    /// At the time of a sample that is there already, with another value.
    Conflict,
    /// The store does not know the group or column (any more): ask for it again.
    Unknown,
}

/// A sample that was left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rejected {
    /// Which series.
    pub series: SeriesRef,
    /// Its time, milliseconds since the epoch.
    pub t_ms: i64,
    /// Why.
    pub why: Rejection,
}

/// What became of samples that were handed over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Appended {
    /// Taken, and durable once the call returned; histograms are counted here too.
    pub samples: u64,
    /// Histograms among them.
    pub histograms: u64,
    /// Exemplars taken.
    pub exemplars: u64,
    /// Left out: at or before the newest sample of their series, with another value, or too old.
    pub out_of_order: u64,
    /// The same sample once more: left out, harmless.
    pub duplicates: u64,
    /// Left out because their series is not known (any more): the caller asks for its columns again, and repeats.
    pub unknown: u64,
    /// The first few of those that were left out, duplicates not among them ([`Appended::MAX_REJECTED`]).
    pub rejected: Vec<Rejected>,
}

impl Appended {
    /// So many samples that were left out are named one by one; the others are counted.
    pub const MAX_REJECTED: usize = 10;

    /// Counts a sample that was left out.
    pub fn reject(&mut self, series: SeriesRef, t_ms: i64, why: Rejection) {
        match why {
            Rejection::Unknown => self.unknown += 1,
            _ => self.out_of_order += 1,
        }
        if self.rejected.len() < Self::MAX_REJECTED {
            self.rejected.push(Rejected { series, t_ms, why });
        }
    }
}

/// What a group holds already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownColumns {
    /// The columns of the series that were asked for, in that order; `None` where the group has no such series.
    pub columns: Vec<Option<u32>>,
    /// How many series the group has in all; `None` when the store does not say.
    pub series: Option<u32>,
}

/// A store may forget a group to which nothing came for this long, in the time of the samples, milliseconds: whoever writes
/// less often opens it again first.
pub const KEPT_MS: i64 = 60 * 60_000;

/// Writes series.
pub trait SeriesWriter: Send + Sync {
    /// The group of that name, made when it is new. Names are the caller's: `scrape/JOB/TARGET`, `write/SENDER/JOB/INSTANCE`.
    ///
    /// # Errors
    /// [`SeriesError::Limit`] when there would be too many groups.
    fn open_group(&self, name: &str) -> Result<GroupId, SeriesError>;

    /// The columns of series in a group, made when they are new; as many as asked for, in the same order.
    ///
    /// # Errors
    /// [`SeriesError::Limit`] when there would be too many series, or labels are too long; [`SeriesError::UnknownGroup`].
    fn columns(&self, group: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError>;

    /// The columns of series that a group has already; none is made. Who spreads series over several groups asks this before
    /// making them anew in the last one. A store that cannot tell says that it knows none.
    ///
    /// # Errors
    /// [`SeriesError::UnknownGroup`]; the store cannot be read.
    fn known_columns(&self, group: GroupId, series: &[Labels]) -> Result<KnownColumns, SeriesError> {
        let _ = group;
        Ok(KnownColumns { columns: vec![None; series.len()], series: None })
    }

    /// Appends rows and returns when they are durable. Cells of one row may come in several batches. What cannot be taken is
    /// said in the answer, and does not keep the rest out.
    ///
    /// # Errors
    /// Nothing was taken: a limit was reached, or the disk refused.
    fn append(&self, batch: &Batch) -> Result<Appended, SeriesError>;
}

/// How the names of groups begin that [`group_of`] makes: their columns never change, and their writers keep their number.
pub const ROWS_PREFIX: &str = "rows/";

/// The group of exactly these series, in this order: column *i* is series *i*.
///
/// # Errors
/// As [`SeriesWriter::open_group`] and [`SeriesWriter::columns`]; the same series twice.
pub fn group_of(store: &dyn SeriesWriter, series: &[Labels]) -> Result<GroupId, SeriesError> {
    let each = series.iter().map(Labels::fingerprint);
    let name = format!("{ROWS_PREFIX}{:016x}/{}", crate::hash::fnv1a(each.flat_map(u64::to_le_bytes)), series.len());
    let group = store.open_group(&name)?;
    let columns = store.columns(group, series)?;
    if columns.iter().enumerate().all(|(i, column)| *column as usize == i) {
        return Ok(group);
    }
    Err(SeriesError::Storage("the same series stands twice in one group, or the group's name is another's".into()))
}

/// Rows of groups that [`group_of`] gave, as a batch.
pub fn rows_of(rows: &[Row]) -> Batch {
    let mut batch = Batch::default();
    for row in rows {
        for (column, value) in row.values.iter().enumerate() {
            if let Some(value) = value {
                batch.push(row.group, row.t_ms, column as u32, *value);
            }
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_one_time_are_one_row() {
        let (a, b) = (GroupId(1), GroupId(2));
        let mut batch = Batch::default();
        batch.push(a, 10, 0, 1.0);
        let histogram = Arc::new(Histogram { sum: 5.0, ..Histogram::default() });
        batch.push_cell(a, 10, Cell { column: 3, value: Point::Histogram(histogram), start_ms: 7 });
        batch.push(b, 10, 0, 2.0);
        batch.push(b, 11, 0, 3.0);
        assert_eq!(batch.rows().iter().map(|r| (r.group.0, r.t_ms)).collect::<Vec<_>>(), [(1, 10), (2, 10), (2, 11)]);
        assert_eq!((batch.cells(0), batch.cells(1), batch.cells(2), batch.cells(3)), (0..2, 2..3, 3..4, 0..0));
        assert_eq!(batch.values(), [1.0, 5.0, 2.0, 3.0]);
        assert_eq!((batch.starts(), batch.histograms().len()), (&[(1, 7)][..], 1));
        batch.clear();
        assert!(batch.is_empty());
    }
}
