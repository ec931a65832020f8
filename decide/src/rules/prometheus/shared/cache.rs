//! A reader that reads what several selectors ask once, for one evaluation. Pure.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use kernel::Labels;
use kernel::series::{
    Column, Exemplar, MatchOp, Matcher, Rolled, RolledUp, Select, Series, SeriesError, SeriesReader, Visit,
};
use parking_lot::Mutex;

use super::{SharedWork, Sharing};

/// So many samples at most are kept for others in one evaluation, about 16 MB; what does not fit is read each time.
pub const MAX_CACHED_SAMPLES: usize = 1_000_000;

/// A selection that was read.
struct Entry {
    matchers: Vec<Matcher>,
    start_ms: i64,
    end_ms: i64,
    series: Arc<Vec<Series>>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<u64, Entry>,
    samples: usize,
    work: SharedWork,
}

/// Reads through, and keeps what others of the group will ask too.
pub struct Caching<'a> {
    under: &'a dyn SeriesReader,
    sharing: &'a Sharing,
    kept: Mutex<Kept>,
}

impl<'a> Caching<'a> {
    /// Over a reader, for the rules of one group at one time.
    pub fn new(under: &'a dyn SeriesReader, sharing: &'a Sharing) -> Self {
        Self { under, sharing, kept: Mutex::default() }
    }

    /// How much was shared.
    pub fn work(&self) -> SharedWork {
        self.kept.lock().work
    }

    /// What was read before, as far as it lies in the range.
    fn known(&self, key: u64, select: &Select) -> Option<Vec<Series>> {
        let series = {
            let mut kept = self.kept.lock();
            let entry = kept.entries.get(&key).filter(|e| e.matchers == select.matchers)?;
            if select.start_ms < entry.start_ms || select.end_ms > entry.end_ms {
                return None;
            }
            let series = entry.series.clone();
            kept.work.reused += 1;
            series
        };
        Some(narrowed(&series, select.start_ms, select.end_ms))
    }

    fn keep(&self, key: u64, select: &Select, series: &[Series]) {
        let samples: usize = series.iter().map(|s| s.timestamps.len()).sum();
        let mut kept = self.kept.lock();
        if kept.samples + samples > MAX_CACHED_SAMPLES {
            kept.work.too_large += 1;
            return;
        }
        let series = Arc::new(series.to_vec());
        let (matchers, start_ms, end_ms) = (select.matchers.clone(), select.start_ms, select.end_ms);
        kept.samples += samples;
        if let Some(old) = kept.entries.insert(key, Entry { matchers, start_ms, end_ms, series }) {
            kept.samples -= old.series.iter().map(|s| s.timestamps.len()).sum::<usize>();
        }
    }
}

impl SeriesReader for Caching<'_> {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let key = key(&select.matchers);
        if !self.sharing.is_read_twice(key) {
            self.kept.lock().work.reads += 1;
            return self.under.select(select);
        }
        if let Some(known) = self.known(key, select) {
            return Ok(known);
        }
        self.kept.lock().work.reads += 1;
        let series = self.under.select(select)?;
        self.keep(key, select, &series);
        Ok(series)
    }

    fn visit(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        if !self.sharing.is_read_twice(key(&select.matchers)) {
            self.kept.lock().work.reads += 1;
            return self.under.visit(select, visit);
        }
        for series in self.select(select)? {
            if visit(series) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn visit_newest(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        if self.sharing.is_read_twice(key(&select.matchers)) {
            // Others may need more than the newest sample.
            return self.visit(select, visit);
        }
        self.kept.lock().work.reads += 1;
        self.under.visit_newest(select, visit)
    }

    fn rolled_up(&self) -> Vec<RolledUp> {
        self.under.rolled_up()
    }

    fn visit_rolled(&self, select: &Select, figure: Rolled, visit: Visit<'_>) -> Result<(), SeriesError> {
        self.kept.lock().work.reads += 1;
        self.under.visit_rolled(select, figure, visit)
    }

    fn series(&self, select: &Select) -> Result<Vec<Labels>, SeriesError> {
        self.under.series(select)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.under.label_names(select)
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.under.label_values(name, select)
    }

    fn exemplars(&self, select: &Select) -> Result<Vec<(Labels, Vec<Exemplar>)>, SeriesError> {
        self.under.exemplars(select)
    }
}

/// A number for some matchers; that they are the same is looked at again where it matters.
pub(super) fn key(matchers: &[Matcher]) -> u64 {
    let op = |op: MatchOp| match op {
        MatchOp::Equal => b'=',
        MatchOp::NotEqual => b'!',
        MatchOp::Regex => b'~',
        MatchOp::NotRegex => b'^',
    };
    kernel::hash::fnv1a(
        matchers.iter().flat_map(|m| m.name.bytes().chain([op(m.op)]).chain(m.value.bytes()).chain([0xff])),
    )
}

/// Series cut to a range; those that share their timestamps go on sharing them.
fn narrowed(series: &[Series], start_ms: i64, end_ms: i64) -> Vec<Series> {
    type Cut = (Arc<[i64]>, Arc<[i64]>, usize, usize);
    let last: RefCell<Option<Cut>> = RefCell::new(None);
    let whole = Cell::new(true);
    let cut = |times: &Arc<[i64]>| -> (Arc<[i64]>, usize, usize) {
        if let Some((of, to, from, until)) = &*last.borrow()
            && Arc::ptr_eq(of, times)
        {
            return (to.clone(), *from, *until);
        }
        let (from, until) = (times.partition_point(|t| *t < start_ms), times.partition_point(|t| *t <= end_ms));
        whole.set(from == 0 && until == times.len());
        let to: Arc<[i64]> = if whole.get() { times.clone() } else { times[from..until.max(from)].into() };
        *last.borrow_mut() = Some((times.clone(), to.clone(), from, until));
        (to, from, until)
    };
    let mut out = Vec::with_capacity(series.len());
    for s in series {
        let (timestamps, from, until) = cut(&s.timestamps);
        if from >= until {
            continue;
        }
        let values = match &s.values {
            Column::Floats(v) => Column::Floats(v[from..until].to_vec()),
            Column::Mixed(v) => Column::Mixed(v[from..until].to_vec()),
        };
        let starts = s.starts.as_ref().map(|all| all[from..until].into());
        out.push(Series { labels: s.labels.clone(), timestamps, values, starts });
    }
    out
}
