//! What the rules of a group have written in this evaluation, above what is stored. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use kernel::Labels;
use kernel::series::{Column, Point, Rolled, RolledUp, Select, Series, SeriesError, SeriesReader, Visit};

/// Samples of one time.
#[derive(Debug, Default)]
pub(in crate::rules) struct Fresh {
    t_ms: i64,
    samples: Vec<(Labels, Point)>,
}

impl Fresh {
    pub(in crate::rules) fn new(t_ms: i64) -> Self {
        Self { t_ms, samples: Vec::new() }
    }

    pub(in crate::rules) fn add(&mut self, labels: Labels, value: Point) {
        self.samples.push((labels, value));
    }

    fn matching<'f>(&'f self, select: &'f Select) -> impl Iterator<Item = &'f (Labels, Point)> {
        let in_range = select.start_ms <= self.t_ms && self.t_ms <= select.end_ms;
        let all = if in_range { self.samples.as_slice() } else { &[] };
        all.iter().filter(|(labels, _)| select.matchers.iter().all(|m| m.matches_labels(labels)))
    }
}

/// Fresh samples above a reader: of one series at one time the fresh one counts.
pub(in crate::rules) struct WithFresh<'a> {
    pub(in crate::rules) fresh: &'a Fresh,
    pub(in crate::rules) under: &'a dyn SeriesReader,
}

impl SeriesReader for WithFresh<'_> {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let mut series = self.under.select(select)?;
        let mut found = self.fresh.matching(select).peekable();
        if found.peek().is_none() {
            return Ok(series);
        }
        let mut places: HashMap<Labels, usize> =
            series.iter().enumerate().map(|(i, s)| (s.labels.clone(), i)).collect();
        for (labels, value) in found {
            match places.get(labels) {
                Some(at) => put(&mut series[*at], self.fresh.t_ms, value),
                None => {
                    places.insert(labels.clone(), series.len());
                    series.push(alone(labels, self.fresh.t_ms, value));
                }
            }
        }
        Ok(series)
    }

    fn visit(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        if self.fresh.matching(select).next().is_none() {
            return self.under.visit(select, visit);
        }
        let _ = self.select(select)?.into_iter().try_for_each(visit);
        Ok(())
    }

    fn rolled_up(&self) -> Vec<RolledUp> {
        self.under.rolled_up()
    }

    /// What is fresh is one sample: it is its own least, greatest, sum and last one, and counts once.
    fn visit_rolled(&self, select: &Select, figure: Rolled, visit: Visit<'_>) -> Result<(), SeriesError> {
        let as_figure = |point: &Point| match (figure, point) {
            (_, point) if point.is_stale() => Some(point.clone()),
            (Rolled::Last, point) | (Rolled::Sum, point @ Point::Histogram(_)) => Some(point.clone()),
            (Rolled::Count, _) => Some(Point::Float(1.0)),
            (_, Point::Float(v)) => Some(Point::Float(*v)),
            (_, Point::Histogram(_)) => None,
        };
        let t_ms = self.fresh.t_ms;
        let found = self.fresh.matching(select);
        let mut fresh: IndexMap<&Labels, Point> = found.filter_map(|(l, p)| Some((l, as_figure(p)?))).collect();
        let mut ended = false;
        self.under.visit_rolled(select, figure, &mut |mut series| {
            if let Some(point) = fresh.shift_remove(&series.labels) {
                put(&mut series, t_ms, &point);
            }
            let flow = visit(series);
            ended = flow.is_break();
            flow
        })?;
        if !ended {
            let _ = fresh.into_iter().try_for_each(|(labels, point)| visit(alone(labels, t_ms, &point)));
        }
        Ok(())
    }

    fn visit_newest(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        if self.fresh.matching(select).next().is_none() {
            return self.under.visit_newest(select, visit);
        }
        self.visit(select, visit)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        let mut names = self.under.label_names(select)?;
        names.extend(self.fresh.matching(select).flat_map(|(l, _)| l.iter().map(|(n, _)| n.to_owned())));
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        let mut values = self.under.label_values(name, select)?;
        values.extend(self.fresh.matching(select).filter_map(|(l, _)| l.get(name).map(ToOwned::to_owned)));
        values.sort();
        values.dedup();
        Ok(values)
    }
}

fn alone(labels: &Labels, t_ms: i64, value: &Point) -> Series {
    let timestamps: Arc<[i64]> = Arc::from([t_ms]);
    match value {
        Point::Float(v) => Series::floats(labels.clone(), timestamps, vec![*v]),
        point => {
            Series { labels: labels.clone(), timestamps, values: Column::Mixed(vec![point.clone()]), starts: None }
        }
    }
}

/// Puts a sample into a series.
fn put(series: &mut Series, t_ms: i64, value: &Point) {
    let at = series.timestamps.partition_point(|t| *t < t_ms);
    let replaces = series.timestamps.get(at) == Some(&t_ms);
    if !replaces {
        let mut times = series.timestamps.to_vec();
        times.insert(at, t_ms);
        series.timestamps = times.into();
        if let Some(starts) = &mut series.starts {
            let mut all = starts.to_vec();
            all.insert(at, 0);
            *starts = all.into();
        }
    }
    match (&mut series.values, value) {
        (Column::Floats(all), Point::Float(v)) if replaces => all[at] = *v,
        (Column::Floats(all), Point::Float(v)) => all.insert(at, *v),
        (column, value) => {
            let mut all: Vec<Point> = match column {
                Column::Floats(all) => all.iter().map(|v| Point::Float(*v)).collect(),
                Column::Mixed(all) => std::mem::take(all),
            };
            if replaces {
                all[at] = value.clone();
            } else {
                all.insert(at, value.clone());
            }
            *column = Column::Mixed(all);
        }
    }
}
