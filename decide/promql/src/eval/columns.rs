//! The samples of a series by kind: numbers and histograms, staleness markers left out. Pure.

use std::borrow::Cow;
use std::sync::Arc;

use kernel::series::{Column, CounterReset, Histogram, Point, Series, is_stale};

use super::line::{Cell, Line};

/// The histograms of a series.
#[derive(Debug, Default)]
pub(super) struct HistogramColumn {
    pub(super) times: Vec<i64>,
    pub(super) values: Vec<Arc<Histogram>>,
    /// As long as the times, or empty when none is known.
    pub(super) starts: Vec<i64>,
}

/// The samples of a series.
#[derive(Debug)]
pub(super) struct Columns<'s> {
    pub(super) times: Cow<'s, [i64]>,
    pub(super) values: Cow<'s, [f64]>,
    /// As long as the times, or empty when none is known.
    pub(super) starts: Cow<'s, [i64]>,
    pub(super) histograms: Option<HistogramColumn>,
    /// Whether the times are those of the series, which others may share.
    pub(super) shared: bool,
}

/// Values that are looked at before it is asked whether to go on: several at a time, since nothing branches between them.
const AT_A_TIME: usize = 256;

/// Whether a staleness marker is among them.
fn any_stale(values: &[f64]) -> bool {
    values.chunks(AT_A_TIME).any(|some| some.iter().fold(false, |any, v| any | is_stale(*v)))
}

impl<'s> Columns<'s> {
    pub(super) fn of(series: &'s Series) -> Self {
        let times = &series.timestamps[..];
        let starts = series.starts.as_deref().unwrap_or_default();
        match &series.values {
            Column::Floats(values) if any_stale(values) => {
                let kept = || (0..values.len()).filter(|i| !is_stale(values[*i]));
                Self {
                    times: kept().map(|i| times[i]).collect(),
                    values: kept().map(|i| values[i]).collect(),
                    starts: kept().filter_map(|i| starts.get(i)).copied().collect(),
                    histograms: None,
                    shared: false,
                }
            }
            Column::Floats(values) => Self {
                times: times.into(),
                values: values.into(),
                starts: starts.into(),
                histograms: None,
                shared: true,
            },
            Column::Mixed(points) => {
                let cell = |p: &'s Point| match p {
                    p if p.is_stale() => Cell::Absent,
                    Point::Float(v) => Cell::Float(*v),
                    Point::Histogram(h) => Cell::Histogram(h),
                };
                Self::split(times, points.iter().map(cell), starts)
            }
        }
    }

    /// The points of a subquery's line. Whether a histogram was reset since the one before is not known any more:
    /// samples between them may have been skipped.
    pub(super) fn of_line(times: &'s [i64], line: &'s Line) -> Self {
        if line.histograms.is_none() {
            let values = &line.values;
            if !any_stale(values) {
                let (times, values) = (times.into(), values.into());
                return Self { times, values, starts: Cow::Borrowed(&[]), histograms: None, shared: true };
            }
        }
        let mut columns = Self::split(times, (0..times.len()).map(|s| line.at(s)), &[]);
        for h in columns.histograms.iter_mut().flat_map(|h| &mut h.values) {
            if matches!(h.reset, CounterReset::Reset | CounterReset::NotReset) {
                Arc::make_mut(h).reset = CounterReset::Unknown;
            }
        }
        columns
    }

    fn split<'c>(times: &[i64], cells: impl Iterator<Item = Cell<'c>>, all_starts: &[i64]) -> Self {
        let (mut float_times, mut values, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let mut histograms = HistogramColumn::default();
        for (i, (t, cell)) in times.iter().zip(cells).enumerate() {
            let start = all_starts.get(i).copied();
            match cell {
                Cell::Absent => {}
                Cell::Float(v) => {
                    float_times.push(*t);
                    values.push(v);
                    starts.extend(start);
                }
                Cell::Histogram(h) => {
                    histograms.times.push(*t);
                    histograms.values.push(h.clone());
                    histograms.starts.extend(start);
                }
            }
        }
        Self {
            times: float_times.into(),
            values: values.into(),
            starts: starts.into(),
            histograms: (!histograms.times.is_empty()).then_some(histograms),
            shared: false,
        }
    }
}
