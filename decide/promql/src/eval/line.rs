//! One series over all times of a query. Pure.

use std::sync::Arc;

use indexmap::IndexMap;
use kernel::Labels;
use kernel::labels::METRIC_NAME;
use kernel::series::{Histogram, Point, is_stale, stale_nan};

use super::EvalError;
use crate::syntax::span::Span;

/// Stands for "no point at this time". Values of series are never the staleness marker: selectors leave it out,
/// and arithmetic cannot make this signalling NaN.
pub(crate) const ABSENT: f64 = stale_nan();

pub(crate) const fn is_absent(v: f64) -> bool {
    is_stale(v)
}

/// What a line has at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'l> {
    Absent,
    Float(f64),
    Histogram(&'l Arc<Histogram>),
}

/// A series and its points at the times of the query; [`ABSENT`] where it has none.
///
/// A line of plain numbers has no `histograms`. In others they are as long as `values`; where both have something, the
/// histogram is the point and the number beside it means nothing, unless that is [`ABSENT`]: then there is no point.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) labels: Labels,
    /// The metric's name is to be dropped from the result.
    pub(crate) drop_name: bool,
    pub(crate) values: Vec<f64>,
    pub(crate) histograms: Option<Vec<Option<Arc<Histogram>>>>,
}

impl Line {
    /// A line of numbers.
    pub(crate) fn floats(labels: Labels, drop_name: bool, values: Vec<f64>) -> Self {
        Self { labels, drop_name, values, histograms: None }
    }

    /// A line without points yet.
    pub(crate) fn absent(labels: Labels, drop_name: bool, steps: usize) -> Self {
        Self::floats(labels, drop_name, vec![ABSENT; steps])
    }

    /// What it takes of memory, in points of eight bytes.
    pub(crate) fn weight(&self) -> usize {
        let native = self.histograms.as_ref();
        let native = native.map_or(0, |all| all.len() + all.iter().flatten().map(|h| h.words()).sum::<usize>());
        weight(&self.labels, self.values.len() + native)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().all(|v| is_absent(*v))
    }

    pub(crate) fn has(&self, step: usize) -> bool {
        !is_absent(self.values[step])
    }

    pub(crate) fn at(&self, step: usize) -> Cell<'_> {
        let v = self.values[step];
        if is_absent(v) {
            return Cell::Absent;
        }
        match self.histograms.as_ref().and_then(|h| h[step].as_ref()) {
            Some(h) => Cell::Histogram(h),
            None => Cell::Float(v),
        }
    }

    /// The number at a time, if there is one.
    pub(crate) fn float(&self, step: usize) -> Option<f64> {
        match self.at(step) {
            Cell::Float(v) => Some(v),
            _ => None,
        }
    }

    /// The histogram at a time, if there is one.
    pub(crate) fn histogram(&self, step: usize) -> Option<&Arc<Histogram>> {
        match self.at(step) {
            Cell::Histogram(h) => Some(h),
            _ => None,
        }
    }

    pub(crate) fn set(&mut self, step: usize, point: Option<Point>) {
        let (value, histogram) = match point {
            None => (ABSENT, None),
            Some(Point::Float(v)) => (v, None),
            Some(Point::Histogram(h)) => (f64::NAN, Some(h)),
        };
        self.values[step] = value;
        if histogram.is_some() || self.histograms.is_some() {
            self.histograms.get_or_insert_with(|| vec![None; self.values.len()])[step] = histogram;
        }
    }

    pub(crate) fn point(&self, step: usize) -> Option<Point> {
        match self.at(step) {
            Cell::Absent => None,
            Cell::Float(v) => Some(Point::Float(v)),
            Cell::Histogram(h) => Some(Point::Histogram(h.clone())),
        }
    }

    /// Leaves histograms out.
    pub(crate) fn only_floats(&mut self) {
        if let Some(histograms) = self.histograms.take() {
            self.values.iter_mut().zip(&histograms).filter(|(_, h)| h.is_some()).for_each(|(v, _)| *v = ABSENT);
        }
    }

    /// Every number replaced; histograms are left out.
    pub(crate) fn map(&mut self, f: impl Fn(f64) -> f64) {
        self.only_floats();
        for v in &mut self.values {
            if !is_absent(*v) {
                *v = f(*v);
            }
        }
    }

    /// Every point with its sign turned.
    pub(crate) fn negate(&mut self) {
        self.values.iter_mut().filter(|v| !is_absent(**v)).for_each(|v| *v = -*v);
        for h in self.histograms.iter_mut().flatten().flatten() {
            Arc::make_mut(h).scale(-1.0);
        }
    }

    /// The one point of a line at many times.
    pub(crate) fn repeat(&mut self, steps: usize) {
        self.values.resize(steps, self.values[0]);
        if let Some(all) = &mut self.histograms {
            all.resize(steps, all[0].clone());
        }
    }
}

/// Of what is around the points of a line, in points: the line itself, a place in a table, what the allocator needs.
const AROUND: usize = 24;
/// Of one label, in points: two shared strings. Their text is shared with the store or was counted when it was made.
const LABEL: usize = 4;

/// What a series with so many points takes of memory, in points of eight bytes.
pub(crate) fn weight(labels: &Labels, points: usize) -> usize {
    AROUND + LABEL * labels.len() + points
}

/// Whether a label says what the metric is: its name, type and unit, which a computed value has no more.
pub(crate) fn is_metadata(name: &str) -> bool {
    matches!(name, METRIC_NAME | "__type__" | "__unit__")
}

/// The labels without the metric's name, type and unit.
pub(crate) fn unnamed(labels: &Labels) -> Labels {
    if labels.iter().any(|(n, _)| is_metadata(n)) { labels.without(is_metadata) } else { labels.clone() }
}

/// Lines with the same labels made one, as long as they never have a point at the same time. A line whose name is to be dropped is another
/// one than a line that keeps it.
#[derive(Default)]
pub(crate) struct Merged {
    lines: IndexMap<(Labels, bool), Line>,
}

impl Merged {
    pub(crate) fn add(&mut self, line: Line, span: Span) -> Result<(), EvalError> {
        let loses_something = line.drop_name && line.labels.iter().any(|(name, _)| is_metadata(name));
        match self.lines.entry((line.labels.clone(), loses_something)) {
            indexmap::map::Entry::Vacant(entry) => {
                entry.insert(line);
            }
            indexmap::map::Entry::Occupied(mut entry) => {
                let to = entry.get_mut();
                for step in 0..line.values.len() {
                    if !line.has(step) {
                        continue;
                    }
                    if to.has(step) {
                        let message = "vector cannot contain metrics with the same labelset";
                        return Err(EvalError::invalid(span, message));
                    }
                    to.set(step, line.point(step));
                }
            }
        }
        Ok(())
    }

    /// As [`Merged::into_lines`], with lines made one that will be the same once their names are dropped, where they never have a point at
    /// the same time: a subquery's series go on when the metric behind them changes.
    pub(crate) fn into_joined_lines(self) -> Vec<Line> {
        let (mut out, mut places): (Vec<Line>, IndexMap<Labels, Vec<usize>>) = (Vec::new(), IndexMap::new());
        for line in self.into_lines() {
            let key = unnamed(&line.labels);
            if !line.drop_name && key != line.labels {
                out.push(line);
                continue;
            }
            let same = places.entry(key).or_default();
            let apart = |other: &Line| (0..line.values.len()).all(|s| !line.has(s) || !other.has(s));
            match same.iter().find(|at| apart(&out[**at])) {
                Some(at) => {
                    let steps = (0..line.values.len()).filter(|s| line.has(*s));
                    steps.for_each(|s| out[*at].set(s, line.point(s)));
                }
                None => {
                    same.push(out.len());
                    out.push(line);
                }
            }
        }
        out
    }

    pub(crate) fn into_lines(self) -> impl Iterator<Item = Line> {
        self.lines.into_values()
    }
}
