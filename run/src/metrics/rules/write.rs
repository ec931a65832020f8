//! What rules record, into the series store: one group of series for each rule group. I/O by the store.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use decide::rules::prometheus::Turn;
use decide::rules::prometheus::state::Refused;
use kernel::Labels;
use kernel::series::{Appended, Batch, Cell, GroupId, Point, Rejection, SeriesError, SeriesWriter, stale_nan};

/// The columns of one rule group in the store.
#[derive(Debug, Default)]
pub struct Recorder {
    group: Option<GroupId>,
    columns: HashMap<Labels, u32>,
}

/// A sample of a turn: its rule and its place, `None` for the end of a series.
type Origin = Option<(usize, usize)>;

impl Recorder {
    /// Writes what an evaluation gave; durable when it returns. Answers what was not taken.
    ///
    /// # Errors
    /// Nothing was taken: a limit was reached, or the disk refused.
    pub fn write(&mut self, name: &str, turn: &Turn, store: &dyn SeriesWriter) -> Result<Vec<Refused>, SeriesError> {
        let (writes, mut refused) = resolved(turn);
        if writes.is_empty() {
            return Ok(refused);
        }
        let (appended, origins) = self.append(name, turn.t_ms, &writes, store)?;
        for rejected in &appended.rejected {
            let Some(Some((rule, sample))) = origins.get(&rejected.series.column).copied() else { continue };
            let why = match rejected.why {
                Rejection::TooOld => "too old sample",
                Rejection::OutOfOrder => "out of order sample",
                Rejection::Conflict => "duplicate sample for timestamp",
                Rejection::Unknown => "unknown series",
            };
            refused.push(Refused { rule, sample, why: why.to_owned() });
        }
        Ok(refused)
    }

    /// Writes samples of one time; durable when it returns.
    ///
    /// # Errors
    /// As [`Recorder::write`].
    pub fn put(
        &mut self,
        name: &str,
        t_ms: i64,
        samples: impl Iterator<Item = (Labels, Point)>,
        store: &dyn SeriesWriter,
    ) -> Result<Appended, SeriesError> {
        let writes: Vec<Write> = samples.map(|(labels, value)| Write { labels, value, origin: None }).collect();
        self.append(name, t_ms, &writes, store).map(|(appended, _)| appended)
    }

    /// Ends series at a time. What has newer samples by then is another rule's, and stays.
    ///
    /// # Errors
    /// As [`Recorder::write`].
    pub fn end(
        &mut self,
        name: &str,
        series: Vec<Labels>,
        t_ms: i64,
        store: &dyn SeriesWriter,
    ) -> Result<(), SeriesError> {
        let ends = series.into_iter().map(|labels| (labels, Point::Float(stale_nan())));
        self.put(name, t_ms, ends, store).map(|_| ())
    }

    fn append(
        &mut self,
        name: &str,
        t_ms: i64,
        writes: &[Write],
        store: &dyn SeriesWriter,
    ) -> Result<(Appended, HashMap<u32, Origin>), SeriesError> {
        let done = self.append_once(name, t_ms, writes, store);
        match &done {
            Ok((appended, _)) if appended.unknown > 0 => {}
            Err(SeriesError::UnknownGroup(_)) => {}
            _ => return done,
        }
        // The store forgets groups and columns that nothing was written to for long: they are asked for again.
        *self = Self::default();
        self.append_once(name, t_ms, writes, store)
    }

    fn append_once(
        &mut self,
        name: &str,
        t_ms: i64,
        writes: &[Write],
        store: &dyn SeriesWriter,
    ) -> Result<(Appended, HashMap<u32, Origin>), SeriesError> {
        let group = match self.group {
            Some(group) => group,
            None => *self.group.insert(store.open_group(name)?),
        };
        let new: Vec<Labels> =
            writes.iter().map(|w| &w.labels).filter(|l| !self.columns.contains_key(l)).cloned().collect();
        if !new.is_empty() {
            let columns = store.columns(group, &new)?;
            self.columns.extend(new.into_iter().zip(columns));
        }
        let (mut batch, mut origins) = (Batch::default(), HashMap::with_capacity(writes.len()));
        for write in writes {
            let Some(column) = self.columns.get(&write.labels).copied() else { continue };
            origins.insert(column, write.origin);
            batch.push_cell(group, t_ms, Cell { column, value: write.value.clone(), start_ms: 0 });
        }
        Ok((store.append(&batch)?, origins))
    }

    /// Forgets columns beyond those of the last turn once there are many of them: series of alerts come and go.
    pub fn tidy(&mut self, turn: &Turn) {
        /// Up to so many columns that are not used are kept: they take about 100 bytes each.
        const SPARE: usize = 10_000;
        let used = turn.samples();
        if self.columns.len() > used.saturating_mul(2) + SPARE {
            let given: std::collections::HashSet<&Labels> =
                turn.rules.iter().flat_map(|r| &r.samples).map(|(labels, _)| labels).collect();
            self.columns.retain(|labels, _| given.contains(labels));
        }
    }
}

#[derive(Debug)]
struct Write {
    labels: Labels,
    value: Point,
    origin: Origin,
}

/// The samples to write, each series once: of two rules that give the same series the first one counts, and what one ends the
/// other may give.
fn resolved(turn: &Turn) -> (Vec<Write>, Vec<Refused>) {
    let (mut writes, mut refused): (Vec<Write>, Vec<Refused>) = (Vec::new(), Vec::new());
    let mut places: HashMap<Labels, usize> = HashMap::new();
    for (rule, done) in turn.rules.iter().enumerate() {
        for (sample, (labels, value)) in done.samples.iter().enumerate() {
            match places.entry(labels.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(writes.len());
                    writes.push(Write { labels: labels.clone(), value: value.clone(), origin: Some((rule, sample)) });
                }
                Entry::Occupied(entry) if writes[*entry.get()].value != *value => {
                    refused.push(Refused { rule, sample, why: "duplicate sample for timestamp".to_owned() });
                }
                Entry::Occupied(_) => {}
            }
        }
    }
    for labels in turn.rules.iter().flat_map(|r| &r.ended).chain(&turn.ended) {
        if let Entry::Vacant(entry) = places.entry(labels.clone()) {
            entry.insert(writes.len());
            writes.push(Write { labels: labels.clone(), value: Point::Float(stale_nan()), origin: None });
        }
    }
    (writes, refused)
}
