//! Series in memory, alone or above another reader: for tests, and so that a rule group sees its own fresh output. Pure.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Column, Histogram, Point, Select, Series, SeriesError, SeriesReader, Visit};

/// A value, when it was measured, and when its counter began.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedPoint {
    /// Milliseconds since the epoch.
    pub t_ms: i64,
    /// A number or a histogram.
    pub value: Point,
    /// When its counter began, milliseconds since the epoch; 0 when that is not known.
    pub start_ms: i64,
}

/// A reader of series that were added to it.
#[derive(Clone, Debug, Default)]
pub struct MemoryReader {
    series: BTreeMap<Labels, Series>,
}

impl MemoryReader {
    /// Adds samples of a series (milliseconds since the epoch, value); of one time the later one counts.
    pub fn add(&mut self, labels: Labels, samples: &[(i64, f64)]) {
        let point = |(t_ms, v): &(i64, f64)| TimedPoint { t_ms: *t_ms, value: Point::Float(*v), start_ms: 0 };
        self.add_points(labels, samples.iter().map(point));
    }

    /// As [`MemoryReader::add`], with histograms and start times.
    pub fn add_points(&mut self, labels: Labels, points: impl IntoIterator<Item = TimedPoint>) {
        let mut all = self.series.remove(&labels).map_or_else(Vec::new, |s| points_of(&s));
        all.extend(points);
        let series = series_of(labels.clone(), all);
        self.series.insert(labels, series);
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    fn matching<'a>(&'a self, select: &'a Select) -> impl Iterator<Item = (&'a Series, std::ops::Range<usize>)> {
        self.series.values().filter_map(|series| {
            if !select.matchers.iter().all(|m| m.matches_labels(&series.labels)) {
                return None;
            }
            let from = series.timestamps.partition_point(|t| *t < select.start_ms);
            let to = series.timestamps.partition_point(|t| *t <= select.end_ms);
            (from < to).then_some((series, from..to))
        })
    }
}

fn points_of(series: &Series) -> Vec<TimedPoint> {
    let start = |i: usize| series.starts.as_ref().and_then(|s| s.get(i)).copied().unwrap_or(0);
    let at = |(i, t_ms): (usize, &i64)| {
        let value = series.values.get(i)?;
        Some(TimedPoint { t_ms: *t_ms, value, start_ms: start(i) })
    };
    series.timestamps.iter().enumerate().filter_map(at).collect()
}

/// A series of points in any order; of one time the last one counts.
fn series_of(labels: Labels, mut points: Vec<TimedPoint>) -> Series {
    points.sort_by_key(|p| p.t_ms);
    let mut kept: Vec<TimedPoint> = Vec::with_capacity(points.len());
    for point in points {
        match kept.last_mut() {
            Some(last) if last.t_ms == point.t_ms => *last = point,
            _ => kept.push(point),
        }
    }
    let timestamps: Arc<[i64]> = kept.iter().map(|p| p.t_ms).collect();
    let starts = kept.iter().any(|p| p.start_ms != 0).then(|| kept.iter().map(|p| p.start_ms).collect());
    let floats: Option<Vec<f64>> = kept
        .iter()
        .map(|p| match p.value {
            Point::Float(v) => Some(v),
            Point::Histogram(_) => None,
        })
        .collect();
    let values = floats.map_or_else(|| Column::Mixed(kept.into_iter().map(|p| p.value).collect()), Column::Floats);
    Series { labels, timestamps, values, starts }
}

/// What a reader is told of a histogram's resets depends on the sample before it.
fn with_resets(all: &[Point], part: std::ops::Range<usize>) -> Vec<Point> {
    let told = |i: usize| match &all[i] {
        Point::Float(v) => Point::Float(*v),
        Point::Histogram(h) => {
            let before = match i.checked_sub(1).map(|b| &all[b]) {
                Some(Point::Histogram(before)) => Some(&**before),
                _ => None,
            };
            let reset = h.reset_after(before);
            if reset == h.reset {
                return Point::Histogram(h.clone());
            }
            Point::Histogram(Arc::new(Histogram { reset, ..(**h).clone() }))
        }
    };
    part.map(told).collect()
}

impl SeriesReader for MemoryReader {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let mut found = Vec::new();
        self.visit(select, &mut |series| {
            found.push(series);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn visit(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        let mut before: Option<Arc<[i64]>> = None;
        for (series, part) in self.matching(select) {
            let times = &series.timestamps[part.clone()];
            let timestamps = match before.take().filter(|b| **b == *times) {
                Some(same) => same,
                None if times.len() == series.timestamps.len() => series.timestamps.clone(),
                None => times.into(),
            };
            before = Some(timestamps.clone());
            let values = match &series.values {
                Column::Floats(v) => Column::Floats(v[part.clone()].to_vec()),
                Column::Mixed(v) => Column::Mixed(with_resets(v, part.clone())),
            };
            let starts = series.starts.as_ref().map(|s| s[part].into());
            if visit(Series { labels: series.labels.clone(), timestamps, values, starts }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        let names = self.matching(select).flat_map(|(s, _)| s.labels.iter().map(|(n, _)| n.to_owned()));
        Ok(sorted(names.collect()))
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        let values = self.matching(select).filter_map(|(s, _)| s.labels.get(name).map(str::to_owned));
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
        let mut found = Vec::new();
        self.visit(select, &mut |series| {
            found.push(series);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn visit(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        let fresh = self.over.select(select)?;
        if fresh.is_empty() {
            return self.under.visit(select, visit);
        }
        let mut fresh: HashMap<Labels, Series> = fresh.into_iter().map(|s| (s.labels.clone(), s)).collect();
        let mut ended = false;
        self.under.visit(select, &mut |stored| {
            let whole = match fresh.remove(&stored.labels) {
                Some(over) => merged(&stored, &over),
                None => stored,
            };
            let flow = visit(whole);
            ended = flow.is_break();
            flow
        })?;
        let mut left: Vec<Series> = fresh.into_values().collect();
        left.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
        for series in left {
            if ended || visit(series).is_break() {
                break;
            }
        }
        Ok(())
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
    let mut points = points_of(under);
    points.extend(points_of(over));
    series_of(under.labels.clone(), points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::series::{CounterReset, Matcher};

    fn all(name: &str) -> Select {
        Select { matchers: vec![Matcher::equal("__name__", name)], start_ms: 0, end_ms: 9 }
    }

    #[test]
    fn overlay_prefers_the_fresh_sample() {
        let (mut under, mut over) = (MemoryReader::default(), MemoryReader::default());
        let up = Labels::metric("up", [("job", "a")]);
        under.add(up.clone(), &[(1, 1.0), (2, 1.0)]);
        over.add(up, &[(2, 0.0), (3, 0.0)]);
        over.add(Labels::metric("up", [("job", "b")]), &[(3, 1.0)]);
        let both = Overlay { over: &over, under: &under };
        let found = both.select(&all("up")).unwrap();
        assert_eq!(found[0].values, Column::Floats(vec![1.0, 0.0, 0.0]));
        assert_eq!(found.len(), 2);
        assert_eq!(both.label_values("job", &all("up")).unwrap(), ["a", "b"]);
    }

    #[test]
    fn histograms_say_what_is_known_of_resets() {
        let mut reader = MemoryReader::default();
        let (labels, values) = crate::notation::series("h {{count:1}} {{count:2}} {{count:1}} 5 {{count:3}}").unwrap();
        let points = values.into_iter().enumerate();
        reader.add_points(
            labels,
            points.filter_map(|(t, v)| Some(TimedPoint { t_ms: t as i64, value: v?, start_ms: 0 })),
        );
        let found = reader.select(&all("h")).unwrap();
        let Column::Mixed(points) = &found[0].values else { panic!("no histograms") };
        let resets: Vec<_> = points
            .iter()
            .filter_map(|p| match p {
                Point::Histogram(h) => Some(h.reset),
                Point::Float(_) => None,
            })
            .collect();
        use CounterReset::{NotReset, Unknown};
        assert_eq!(resets, [Unknown, NotReset, Unknown, Unknown]);
    }
}
