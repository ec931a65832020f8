//! Series in memory, alone or above another reader: for tests, and so that a rule group sees its own fresh output. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Select, Series, SeriesError, SeriesReader};

/// A reader of series that were added to it.
#[derive(Clone, Debug, Default)]
pub struct MemoryReader {
    series: BTreeMap<Labels, Vec<(i64, f64)>>,
}

impl MemoryReader {
    /// Adds samples of a series (milliseconds since the epoch, value); of one time the later one counts.
    pub fn add(&mut self, labels: Labels, samples: &[(i64, f64)]) {
        let column = self.series.entry(labels).or_default();
        column.extend_from_slice(samples);
        column.sort_by_key(|(t, _)| *t);
        let mut kept: Vec<(i64, f64)> = Vec::with_capacity(column.len());
        for sample in column.drain(..) {
            match kept.last_mut() {
                Some(last) if last.0 == sample.0 => *last = sample,
                _ => kept.push(sample),
            }
        }
        *column = kept;
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    fn matching<'a>(&'a self, select: &'a Select) -> impl Iterator<Item = (&'a Labels, &'a [(i64, f64)])> {
        self.series.iter().filter_map(|(labels, samples)| {
            if !select.matchers.iter().all(|m| m.matches_labels(labels)) {
                return None;
            }
            let from = samples.partition_point(|(t, _)| *t < select.start_ms);
            let to = samples.partition_point(|(t, _)| *t <= select.end_ms);
            (from < to).then(|| (labels, &samples[from..to]))
        })
    }
}

impl SeriesReader for MemoryReader {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let mut found: Vec<Series> = Vec::new();
        for (labels, samples) in self.matching(select) {
            let same = |s: &&Series| s.timestamps.iter().copied().eq(samples.iter().map(|s| s.0));
            let timestamps: Arc<[i64]> = match found.last().as_ref().filter(|s| same(s)) {
                Some(before) => before.timestamps.clone(),
                None => samples.iter().map(|s| s.0).collect(),
            };
            let values = samples.iter().map(|s| s.1).collect();
            found.push(Series::floats(labels.clone(), timestamps, values));
        }
        Ok(found)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        let names = self.matching(select).flat_map(|(l, _)| l.iter().map(|(n, _)| n.to_owned()).collect::<Vec<_>>());
        Ok(sorted(names.collect()))
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        let values = self.matching(select).filter_map(|(l, _)| l.get(name).map(str::to_owned));
        Ok(sorted(values.collect()))
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// Two readers as one: of one series at one time the sample of `over` counts.
pub struct Overlay<'a> {
    /// The fresh samples.
    pub over: &'a dyn SeriesReader,
    /// What was stored before.
    pub under: &'a dyn SeriesReader,
}

impl SeriesReader for Overlay<'_> {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let fresh = self.over.select(select)?;
        let mut stored = self.under.select(select)?;
        let places: HashMap<Labels, usize> = stored.iter().enumerate().map(|(i, s)| (s.labels.clone(), i)).collect();
        for series in fresh {
            match places.get(&series.labels) {
                Some(i) => stored[*i] = merged(&stored[*i], &series),
                None => stored.push(series),
            }
        }
        Ok(stored)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        let mut names = self.over.label_names(select)?;
        names.extend(self.under.label_names(select)?);
        Ok(sorted(names))
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        let mut values = self.over.label_values(name, select)?;
        values.extend(self.under.label_values(name, select)?);
        Ok(sorted(values))
    }
}

fn merged(under: &Series, over: &Series) -> Series {
    let samples = |s: &Series| {
        s.timestamps.iter().copied().zip(s.values.floats().unwrap_or_default().iter().copied()).collect::<Vec<_>>()
    };
    let all: BTreeMap<i64, f64> = samples(under).into_iter().chain(samples(over)).collect();
    Series::floats(under.labels.clone(), all.keys().copied().collect(), all.values().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::series::{Column, Matcher};

    #[test]
    fn overlay_prefers_the_fresh_sample() {
        let (mut under, mut over) = (MemoryReader::default(), MemoryReader::default());
        let up = Labels::metric("up", [("job", "a")]);
        under.add(up.clone(), &[(1, 1.0), (2, 1.0)]);
        over.add(up, &[(2, 0.0), (3, 0.0)]);
        over.add(Labels::metric("up", [("job", "b")]), &[(3, 1.0)]);
        let both = Overlay { over: &over, under: &under };
        let all = Select { matchers: vec![Matcher::equal("__name__", "up")], start_ms: 0, end_ms: 9 };
        let found = both.select(&all).unwrap();
        assert_eq!(found[0].values, Column::Floats(vec![1.0, 0.0, 0.0]));
        assert_eq!(found.len(), 2);
        assert_eq!(both.label_values("job", &all).unwrap(), ["a", "b"]);
    }
}
