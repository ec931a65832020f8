//! A store as simple as the port allows: samples in maps. It refuses what Prometheus refuses, and forgets groups when told.

use std::collections::{BTreeMap, HashMap};

use kernel::Labels;
use kernel::series::{
    Appended, Batch, Exemplar, GroupId, KnownColumns, Point, Rejection, SeriesError, SeriesRef, SeriesWriter,
};
use parking_lot::Mutex;

#[derive(Default)]
struct Group {
    name: String,
    columns: Vec<Labels>,
}

#[derive(Default)]
struct Inner {
    groups: BTreeMap<u32, Group>,
    next: u32,
    samples: HashMap<Labels, BTreeMap<i64, (Point, i64)>>,
    exemplars: Vec<(Labels, Exemplar)>,
    asked: usize,
    full: bool,
}

#[derive(Default)]
pub(crate) struct Memory(Mutex<Inner>);

impl Memory {
    pub(crate) fn forget_groups(&self) {
        self.0.lock().groups.clear();
    }

    pub(crate) fn fill_up(&self) {
        self.0.lock().full = true;
    }

    pub(crate) fn group_names(&self) -> Vec<(String, usize)> {
        self.0.lock().groups.values().map(|g| (g.name.clone(), g.columns.len())).collect()
    }

    /// How many series the store was asked for.
    pub(crate) fn asked(&self) -> usize {
        self.0.lock().asked
    }

    /// Everything as text: `labels t value [start]`.
    pub(crate) fn dump(&self) -> Vec<String> {
        let inner = self.0.lock();
        let mut out = Vec::new();
        for (labels, samples) in &inner.samples {
            for (t, (point, start)) in samples {
                let value = match point {
                    Point::Float(v) => v.to_string(),
                    Point::Histogram(h) => format!("histogram(count {}, sum {})", h.count, h.sum),
                };
                let start = if *start == 0 { String::new() } else { format!(" since {start}") };
                out.push(format!("{labels} {t} {value}{start}"));
            }
        }
        out.sort();
        out
    }

    pub(crate) fn points(&self) -> Vec<(Labels, i64, Point)> {
        let inner = self.0.lock();
        let each = inner.samples.iter();
        each.flat_map(|(l, s)| s.iter().map(|(t, (p, _))| (l.clone(), *t, p.clone()))).collect()
    }

    pub(crate) fn exemplars(&self) -> Vec<(Labels, Exemplar)> {
        self.0.lock().exemplars.clone()
    }
}

impl SeriesWriter for Memory {
    fn open_group(&self, name: &str) -> Result<GroupId, SeriesError> {
        let mut inner = self.0.lock();
        if let Some((id, _)) = inner.groups.iter().find(|(_, g)| g.name == name) {
            return Ok(GroupId(*id));
        }
        let id = inner.next;
        inner.next += 1;
        inner.groups.insert(id, Group { name: name.into(), columns: Vec::new() });
        Ok(GroupId(id))
    }

    fn columns(&self, group: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
        let mut inner = self.0.lock();
        inner.asked += series.len();
        let group = inner.groups.get_mut(&group.0).ok_or(SeriesError::UnknownGroup(group))?;
        let columns = &mut group.columns;
        let place = |labels: &Labels| {
            let at = columns.iter().position(|l| l == labels);
            at.unwrap_or_else(|| {
                columns.push(labels.clone());
                columns.len() - 1
            }) as u32
        };
        Ok(series.iter().map(place).collect())
    }

    fn known_columns(&self, group: GroupId, series: &[Labels]) -> Result<KnownColumns, SeriesError> {
        let inner = self.0.lock();
        let group = inner.groups.get(&group.0).ok_or(SeriesError::UnknownGroup(group))?;
        let find = |labels: &Labels| group.columns.iter().position(|l| l == labels).map(|at| at as u32);
        Ok(KnownColumns { columns: series.iter().map(find).collect(), series: Some(group.columns.len() as u32) })
    }

    fn append(&self, batch: &Batch) -> Result<Appended, SeriesError> {
        let mut inner = self.0.lock();
        if inner.full {
            return Err(SeriesError::Storage("the disk is full".into()));
        }
        let mut out = Appended::default();
        assert!(batch.rows().is_sorted_by(|a, b| (a.group, a.t_ms) < (b.group, b.t_ms)), "rows are contiguous");
        for (r, row) in batch.rows().iter().enumerate() {
            for cell in batch.cells(r) {
                let series = SeriesRef { group: row.group, column: batch.columns()[cell] };
                let labels = inner.groups.get(&row.group.0).map(|g| g.columns[series.column as usize].clone());
                let Some(labels) = labels else {
                    out.reject(series, row.t_ms, Rejection::Unknown);
                    continue;
                };
                let histogram = batch.histograms().iter().find(|(at, _)| *at as usize == cell);
                let point = histogram.map_or(Point::Float(batch.values()[cell]), |(_, h)| Point::Histogram(h.clone()));
                let start = batch.starts().iter().find(|(at, _)| *at as usize == cell).map_or(0, |(_, s)| *s);
                let samples = inner.samples.entry(labels).or_default();
                let newest = samples.keys().next_back().copied();
                match samples.get(&row.t_ms) {
                    Some((known, _)) if format!("{known:?}") == format!("{point:?}") => out.duplicates += 1,
                    Some(_) => out.reject(series, row.t_ms, Rejection::Conflict),
                    None if newest.is_some_and(|t| t > row.t_ms) => {
                        out.reject(series, row.t_ms, Rejection::OutOfOrder);
                    }
                    None => {
                        out.samples += 1;
                        out.histograms += u64::from(histogram.is_some());
                        samples.insert(row.t_ms, (point, start));
                    }
                }
            }
        }
        for (series, exemplar) in batch.exemplars() {
            let labels = inner.groups.get(&series.group.0).map(|g| g.columns[series.column as usize].clone());
            if let Some(labels) = labels {
                out.exemplars += 1;
                inner.exemplars.push((labels, exemplar.clone()));
            }
        }
        Ok(out)
    }
}
