//! A series writer that keeps everything in memory, for tests of this room. Pure.

use std::collections::{BTreeMap, HashMap};

use kernel::Labels;
use kernel::series::{
    Appended, Batch, Exemplar, GroupId, Point, Rejection, SeriesError, SeriesRef, SeriesWriter, is_stale,
};
use parking_lot::Mutex;

#[derive(Default)]
pub(crate) struct Memory(Mutex<State>);

#[derive(Default)]
struct State {
    groups: Vec<(String, Vec<Labels>, HashMap<Labels, u32>)>,
    /// Groups before this one are not known any more.
    forgotten: usize,
    samples: BTreeMap<String, Vec<(i64, Point, i64)>>,
    exemplars: Vec<(String, Exemplar)>,
}

impl Memory {
    /// A series' samples: time and value, `stale` where it ends, `from START` where that is known.
    pub(crate) fn samples(&self, series: &str) -> Vec<String> {
        let state = self.0.lock();
        let all = state.samples.get(series).cloned().unwrap_or_default();
        all.iter()
            .map(|(t, value, start)| {
                let value = match value {
                    Point::Float(v) if is_stale(*v) => "stale".to_owned(),
                    Point::Float(v) => v.to_string(),
                    Point::Histogram(h) => format!("h{}", h.count),
                };
                let start = if *start == 0 { String::new() } else { format!(" from {start}") };
                format!("{t}:{value}{start}")
            })
            .collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().samples.keys().cloned().collect()
    }

    pub(crate) fn groups(&self) -> Vec<String> {
        self.0.lock().groups.iter().map(|(name, ..)| name.clone()).collect()
    }

    /// Forgets all groups, as a store does with those that nothing came to for long.
    pub(crate) fn forget_groups(&self) {
        let mut state = self.0.lock();
        state.forgotten = state.groups.len();
    }

    pub(crate) fn exemplars(&self) -> Vec<(String, Exemplar)> {
        self.0.lock().exemplars.clone()
    }
}

impl SeriesWriter for Memory {
    fn open_group(&self, name: &str) -> Result<GroupId, SeriesError> {
        let mut state = self.0.lock();
        let known = state.groups.iter().skip(state.forgotten).position(|(n, ..)| n == name);
        let at = known.map(|at| at + state.forgotten).unwrap_or_else(|| {
            state.groups.push((name.to_owned(), Vec::new(), HashMap::new()));
            state.groups.len() - 1
        });
        Ok(GroupId(at as u32))
    }

    fn columns(&self, group: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
        let mut state = self.0.lock();
        if (group.0 as usize) < state.forgotten {
            return Err(SeriesError::UnknownGroup(group));
        }
        let (_, all, known) = &mut state.groups[group.0 as usize];
        Ok(series
            .iter()
            .map(|labels| {
                *known.entry(labels.clone()).or_insert_with(|| {
                    all.push(labels.clone());
                    all.len() as u32 - 1
                })
            })
            .collect())
    }

    fn append(&self, batch: &Batch) -> Result<Appended, SeriesError> {
        let mut state = self.0.lock();
        let mut appended = Appended::default();
        let (mut histograms, mut starts) = (batch.histograms().iter().peekable(), batch.starts().iter().peekable());
        for (i, row) in batch.rows().iter().enumerate() {
            let cells = batch.cells(i);
            assert!(!cells.is_empty(), "rows are never empty");
            if (row.group.0 as usize) < state.forgotten {
                assert!(batch.histograms().is_empty() && batch.starts().is_empty(), "only numbers are refused here");
                let series = |cell: usize| SeriesRef { group: row.group, column: batch.columns()[cell] };
                cells.for_each(|cell| appended.reject(series(cell), row.t_ms, Rejection::Unknown));
                continue;
            }
            for cell in cells {
                let name = state.groups[row.group.0 as usize].1[batch.columns()[cell] as usize].to_string();
                let histogram = histograms.next_if(|(at, _)| *at as usize == cell);
                let value = histogram.map_or(Point::Float(batch.values()[cell]), |h| Point::Histogram(h.1.clone()));
                let start = starts.next_if(|(at, _)| *at as usize == cell).map_or(0, |s| s.1);
                let all = state.samples.entry(name).or_default();
                // Of two samples at one time the first one counts.
                if all.iter().all(|(t, ..)| *t != row.t_ms) {
                    all.push((row.t_ms, value, start));
                }
            }
        }
        assert!(histograms.next().is_none() && starts.next().is_none(), "they name cells, rising");
        for (SeriesRef { group, column }, exemplar) in batch.exemplars() {
            let name = state.groups[group.0 as usize].1[*column as usize].to_string();
            state.exemplars.push((name, exemplar.clone()));
        }
        appended.samples = batch.len() as u64 - appended.unknown;
        Ok(appended)
    }
}
