//! A store that keeps everything in memory and does nothing cleverly: what the ports say, and no more.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use kernel::series::{
    Appended, Batch, BlockFacts, Cardinality, Column, Counted, Exemplar, GroupId, Matcher, Point, Rejection, Select,
    Series, SeriesAdmin, SeriesError, SeriesReader, SeriesRef, SeriesWriter,
};
use kernel::{Labels, Timestamp};

#[derive(Default)]
struct Inner {
    groups: Vec<Group>,
    samples: BTreeMap<Labels, BTreeMap<i64, (Point, i64)>>,
    exemplars: BTreeMap<Labels, Vec<Exemplar>>,
}

#[derive(Default)]
struct Group {
    name: String,
    columns: Vec<Labels>,
    by_labels: HashMap<Labels, u32>,
}

/// The store.
#[derive(Default)]
pub(crate) struct Memory {
    inner: RwLock<Inner>,
}

impl Memory {
    /// Adds samples of a series: milliseconds since the epoch, value.
    pub(crate) fn add(&self, labels: Labels, samples: &[(i64, f64)]) {
        let group = self.open_group("test").unwrap();
        let column = self.columns(group, &[labels]).unwrap()[0];
        let mut batch = Batch::default();
        samples.iter().for_each(|(t_ms, value)| batch.push(group, *t_ms, column, *value));
        self.append(&batch).unwrap();
    }

    fn read<T>(&self, with: impl FnOnce(&Inner) -> T) -> T {
        with(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, with: impl FnOnce(&mut Inner) -> T) -> T {
        with(&mut self.inner.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn matches(labels: &Labels, matchers: &[Matcher]) -> bool {
    matchers.iter().all(|m| m.matches_labels(labels))
}

impl Inner {
    fn select<'a>(&'a self, select: &'a Select) -> impl Iterator<Item = Series> + 'a {
        self.samples.iter().filter(|(labels, _)| matches(labels, &select.matchers)).filter_map(|(labels, samples)| {
            if select.start_ms > select.end_ms {
                return None;
            }
            let all: Vec<_> = samples.range(select.start_ms..=select.end_ms).collect();
            if all.is_empty() {
                return None;
            }
            let floats: Option<Vec<f64>> = all
                .iter()
                .map(|(_, (point, _))| match point {
                    Point::Float(v) => Some(*v),
                    Point::Histogram(_) => None,
                })
                .collect();
            let mixed = || all.iter().map(|(_, (point, _))| point.clone()).collect();
            let starts = all.iter().any(|(_, (_, start))| *start != 0);
            Some(Series {
                labels: labels.clone(),
                timestamps: all.iter().map(|(t, _)| **t).collect(),
                values: floats.map_or_else(|| Column::Mixed(mixed()), Column::Floats),
                starts: starts.then(|| all.iter().map(|(_, (_, start))| *start).collect()),
            })
        })
    }
}

impl SeriesReader for Memory {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        Ok(self.read(|inner| inner.select(select).collect()))
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        let all = self.select(select)?;
        let mut names: Vec<String> = all.iter().flat_map(|s| s.labels.iter().map(|(n, _)| n.to_owned())).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        let all = self.select(select)?;
        let mut values: Vec<String> = all.iter().filter_map(|s| s.labels.get(name).map(str::to_owned)).collect();
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn exemplars(&self, select: &Select) -> Result<Vec<(Labels, Vec<Exemplar>)>, SeriesError> {
        let within = |e: &&Exemplar| (select.start_ms..=select.end_ms).contains(&e.t_ms);
        Ok(self.read(|inner| {
            let all = inner.exemplars.iter().filter(|(labels, _)| matches(labels, &select.matchers));
            let all = all.map(|(labels, e)| (labels.clone(), e.iter().filter(within).cloned().collect::<Vec<_>>()));
            all.filter(|(_, e)| !e.is_empty()).collect()
        }))
    }
}

impl SeriesWriter for Memory {
    fn open_group(&self, name: &str) -> Result<GroupId, SeriesError> {
        Ok(self.write(|inner| {
            let at = inner.groups.iter().position(|g| g.name == name).unwrap_or_else(|| {
                inner.groups.push(Group { name: name.to_owned(), ..Group::default() });
                inner.groups.len() - 1
            });
            GroupId(at as u32)
        }))
    }

    fn columns(&self, group: GroupId, series: &[Labels]) -> Result<Vec<u32>, SeriesError> {
        self.write(|inner| {
            let group = inner.groups.get_mut(group.0 as usize).ok_or(SeriesError::UnknownGroup(group))?;
            let mut out = Vec::new();
            for labels in series {
                let next = group.columns.len() as u32;
                let column = *group.by_labels.entry(labels.clone()).or_insert(next);
                if column == next {
                    group.columns.push(labels.clone());
                }
                out.push(column);
            }
            Ok(out)
        })
    }

    fn append(&self, batch: &Batch) -> Result<Appended, SeriesError> {
        let starts: HashMap<usize, i64> = batch.starts().iter().map(|(at, start)| (*at as usize, *start)).collect();
        let histograms: HashMap<usize, &Arc<_>> = batch.histograms().iter().map(|(at, h)| (*at as usize, h)).collect();
        Ok(self.write(|inner| {
            let mut done = Appended::default();
            for (row, of) in batch.rows().iter().enumerate() {
                for cell in batch.cells(row) {
                    let series = SeriesRef { group: of.group, column: batch.columns()[cell] };
                    let Some(labels) = inner.labels(series) else {
                        done.reject(series, of.t_ms, Rejection::Unknown);
                        continue;
                    };
                    let point = match histograms.get(&cell) {
                        Some(histogram) => Point::Histogram((*histogram).clone()),
                        None => Point::Float(batch.values()[cell]),
                    };
                    let is_histogram = matches!(point, Point::Histogram(_));
                    let start = starts.get(&cell).copied().unwrap_or(0);
                    match inner.samples.entry(labels).or_default().insert(of.t_ms, (point, start)) {
                        Some(_) => done.duplicates += 1,
                        None => {
                            done.samples += 1;
                            done.histograms += u64::from(is_histogram);
                        }
                    }
                }
            }
            for (series, exemplar) in batch.exemplars() {
                if let Some(labels) = inner.labels(*series) {
                    inner.exemplars.entry(labels).or_default().push(exemplar.clone());
                    done.exemplars += 1;
                }
            }
            done
        }))
    }
}

impl Inner {
    fn labels(&self, series: SeriesRef) -> Option<Labels> {
        self.groups.get(series.group.0 as usize)?.columns.get(series.column as usize).cloned()
    }
}

impl SeriesAdmin for Memory {
    fn delete(&self, matchers: &[Matcher], start_ms: i64, end_ms: i64) -> Result<u64, SeriesError> {
        Ok(self.write(|inner| {
            let mut hit = 0;
            for (_, samples) in inner.samples.iter_mut().filter(|(labels, _)| matches(labels, matchers)) {
                let before = samples.len();
                samples.retain(|t, _| !(start_ms..=end_ms).contains(t));
                hit += u64::from(samples.len() < before);
            }
            inner.samples.retain(|_, samples| !samples.is_empty());
            hit
        }))
    }

    fn clean_deleted(&self) -> Result<(), SeriesError> {
        Ok(())
    }

    fn compact(&self) -> Result<(), SeriesError> {
        Ok(())
    }

    fn snapshot(&self, without_head: bool, now: Timestamp) -> Result<String, SeriesError> {
        if without_head {
            return Err(SeriesError::Storage("there is nothing but the head".into()));
        }
        Ok(format!("{}-0000000000000001", now.to_jiff().strftime("%Y%m%dT%H%M%SZ")))
    }

    fn cardinality(&self, limit: usize) -> Cardinality {
        self.read(|inner| {
            let mut by_metric: BTreeMap<&str, u64> = BTreeMap::new();
            inner.samples.keys().for_each(|labels| *by_metric.entry(labels.name()).or_default() += 1);
            let mut by_metric: Vec<Counted> =
                by_metric.into_iter().map(|(name, count)| Counted { name: name.to_owned(), count }).collect();
            by_metric.sort_by_key(|c| std::cmp::Reverse(c.count));
            by_metric.truncate(limit);
            let times = || inner.samples.values().flat_map(|s| s.keys().copied());
            Cardinality {
                series: inner.samples.len() as u64,
                groups: inner.groups.len() as u64,
                min_ms: times().min(),
                max_ms: times().max(),
                series_by_metric: by_metric,
                ..Cardinality::default()
            }
        })
    }

    fn blocks(&self) -> Vec<BlockFacts> {
        Vec::new()
    }
}
