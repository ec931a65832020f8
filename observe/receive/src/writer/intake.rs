//! Takes in the series of one request: known ones by the hash of their labels, new ones with their labels read. Pure.

use std::sync::Arc;

use hashbrown::HashTable;
use kernel::Labels;
use kernel::series::{Exemplar, Histogram, Point, SeriesRef};

use super::cells::Cells;
use super::labels::{Interner, RawLabel, exemplar_labels, labels_text, series_labels};
use super::table::{Key, Keys, Table};
use super::{Refusal, Trouble};
use crate::limits::{Limits, Reason};
use crate::remote_write::MetricMetadata;

/// Whose samples follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A series that the store knows.
    Known(SeriesRef),
    /// One that it is asked for at the end: its place in [`Intake::fresh`].
    Fresh(u32),
    /// One that is not taken, for this reason.
    Refused(Reason),
}

/// A sample of a series that is not known yet.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) fresh: u32,
    pub(crate) t_ms: i64,
    pub(crate) start_ms: i64,
    pub(crate) value: Point,
}

/// What is found in one request, beside the cells of known series.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// New series.
    pub(crate) fresh: Vec<(Key, Labels)>,
    pub(crate) late: Vec<Late>,
    pub(crate) late_exemplars: Vec<(u32, Exemplar)>,
    /// Series that have to be kept young.
    pub(crate) kept: Vec<(Key, SeriesRef)>,
    pub(crate) trouble: Trouble,
    /// What is wrong with samples of series whose names have to be looked up first.
    pub(crate) unnamed: Vec<(Target, String)>,
    pub(crate) metadata: Vec<MetricMetadata>,
}

/// The series that are looked for, and the labels of those that were found.
type Naming<'t> = (&'t [SeriesRef], Vec<(SeriesRef, String)>);

/// Takes in one request.
#[derive(Debug)]
pub(crate) struct Intake<'t> {
    table: &'t Table,
    /// Where the next series is looked for first.
    next: usize,
    pub(crate) keys: &'t Keys,
    pub(crate) limits: &'t Limits,
    /// Samples after this are too far in the future.
    latest_ms: i64,
    pub(crate) cells: &'t mut Cells,
    pub(crate) found: Found,
    index: HashTable<u32>,
    /// What is left out without telling the sender.
    pub(crate) silent: Option<Reason>,
    interner: Interner,
    /// When only names are wanted: of which series, and their labels.
    naming: Option<Naming<'t>>,
}

impl<'t> Intake<'t> {
    pub(crate) fn new(
        table: &'t Table,
        keys: &'t Keys,
        limits: &'t Limits,
        latest_ms: i64,
        cells: &'t mut Cells,
    ) -> Self {
        Self {
            table,
            next: 0,
            keys,
            limits,
            latest_ms,
            cells,
            found: Found::default(),
            index: HashTable::new(),
            silent: None,
            interner: Interner::default(),
            naming: None,
        }
    }

    /// Looks only for the labels of `wanted`.
    pub(crate) fn naming(mut self, wanted: &'t [SeriesRef]) -> Self {
        self.naming = Some((wanted, Vec::new()));
        self
    }

    /// The labels that were found.
    pub(crate) fn names(self) -> Vec<(SeriesRef, String)> {
        self.naming.map(|(_, names)| names).unwrap_or_default()
    }

    /// The series with that key. `raw` gives its labels if it is new.
    #[inline]
    pub(crate) fn series<'a>(&mut self, key: Key, raw: impl FnOnce() -> Result<Vec<RawLabel<'a>>, Refusal>) -> Target {
        match self.table.get(key, &mut self.next) {
            Some((series, false)) if self.naming.is_none() => Target::Known(series),
            Some((series, old)) => {
                if old {
                    self.found.kept.push((key, series));
                }
                self.name(series, raw);
                Target::Known(series)
            }
            None => self.unknown(key, raw),
        }
    }

    fn name<'a>(&mut self, series: SeriesRef, raw: impl FnOnce() -> Result<Vec<RawLabel<'a>>, Refusal>) {
        let Self { naming: Some((wanted, names)), limits, interner, .. } = self else { return };
        if !wanted.contains(&series) || names.iter().any(|(named, _)| *named == series) {
            return;
        }
        let labels = raw().and_then(|mut raw| series_labels(&mut raw, limits, interner));
        names.push((series, labels.map_or_else(|refusal| refusal.text, |labels| labels_text(&labels))));
    }

    fn unknown<'a>(&mut self, key: Key, raw: impl FnOnce() -> Result<Vec<RawLabel<'a>>, Refusal>) -> Target {
        let Self { index, found: Found { fresh, .. }, .. } = self;
        let known = index.find(key.hash(), |at| fresh.get(*at as usize).is_some_and(|(k, _)| *k == key));
        if let Some(at) = known {
            return Target::Fresh(*at);
        }
        let labels = raw().and_then(|mut raw| series_labels(&mut raw, self.limits, &mut self.interner));
        let labels = match labels {
            Ok(labels) => labels,
            Err(refusal) => {
                let reason = refusal.reason;
                if self.silent != Some(reason) {
                    self.found.trouble.note(refusal);
                }
                return Target::Refused(reason);
            }
        };
        if self.table.len() + self.found.fresh.len() >= self.limits.series {
            let text = format!(
                "{} series are the limit of this sender: {} was left out; drop labels with many values, or raise the limit",
                self.limits.series,
                labels_text(&labels)
            );
            self.found.trouble.note(Refusal { reason: Reason::Series, text });
            return Target::Refused(Reason::Series);
        }
        let at = self.found.fresh.len() as u32;
        self.found.fresh.push((key, labels));
        let Self { index, found: Found { fresh, .. }, .. } = self;
        index.insert_unique(key.hash(), at, |at| fresh.get(*at as usize).map_or(0, |(k, _)| k.hash()));
        Target::Fresh(at)
    }

    /// A number of a series.
    #[inline]
    pub(crate) fn float(&mut self, target: Target, t_ms: i64, value: f64, start_ms: i64) {
        match target {
            Target::Known(series) if t_ms <= self.latest_ms => self.cells.push(series, t_ms, value, start_ms),
            _ => self.other(target, t_ms, Point::Float(value), start_ms),
        }
    }

    /// A histogram of a series.
    pub(crate) fn histogram(&mut self, target: Target, t_ms: i64, h: Result<Histogram, Refusal>, start_ms: i64) {
        match (target, h) {
            (Target::Refused(reason), _) => self.found.trouble.count(reason, 1),
            (target, Err(refusal)) => {
                self.found.trouble.count(refusal.reason, 1);
                self.blame(target, &refusal.text);
            }
            (Target::Known(series), Ok(h)) if t_ms <= self.latest_ms => {
                self.cells.push_histogram(series, t_ms, Arc::new(h), start_ms);
            }
            (target, Ok(h)) => self.other(target, t_ms, Point::Histogram(Arc::new(h)), start_ms),
        }
    }

    #[cold]
    fn other(&mut self, target: Target, t_ms: i64, value: Point, start_ms: i64) {
        match target {
            Target::Refused(reason) => self.found.trouble.count(reason, 1),
            target if t_ms > self.latest_ms => {
                self.found.trouble.count(Reason::Future, 1);
                self.blame(target, "out of bounds: timestamp is too far in the future");
            }
            Target::Fresh(fresh) => self.found.late.push(Late { fresh, t_ms, start_ms, value }),
            Target::Known(_) => {}
        }
    }

    /// An exemplar; `None` when its labels are no text.
    pub(crate) fn exemplar(&mut self, target: Target, raw: &[RawLabel<'_>], value: f64, t_ms: i64) -> Option<()> {
        let labels = exemplar_labels(raw, &mut self.interner)?;
        let exemplar = Exemplar { labels, value, t_ms };
        match target {
            _ if t_ms > self.latest_ms => {}
            Target::Known(series) => self.cells.push_exemplar(series, exemplar),
            Target::Fresh(fresh) => self.found.late_exemplars.push((fresh, exemplar)),
            Target::Refused(_) => {}
        }
        Some(())
    }

    fn blame(&mut self, target: Target, text: &str) {
        let known = self.found.unnamed.iter().any(|(t, said)| *t == target && said == text);
        if !known && self.found.unnamed.len() < Trouble::TEXTS {
            self.found.unnamed.push((target, text.to_owned()));
        }
    }
}
