//! What was ever written, and figures of it computed the plain way. Pure but for writing to a store.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use kernel::Timestamp;
use kernel::series::{
    Batch, BucketSpan, Cell, Histogram, Point, Rolled, SeriesReader, SeriesWriter, is_stale, stale_nan,
};
use store_series::{Options, SeriesStore};

use crate::common::{by_name, labels};

pub(crate) const DAY: i64 = 86_400_000;
pub(crate) const FINE: i64 = 300_000;
pub(crate) const HOUR: i64 = 3_600_000;
const NAMES: [&str; 4] = ["gauge", "hits_total", "latency", "short"];

/// Two days of samples are kept.
pub(crate) fn options() -> Options {
    let retention = Duration::from_secs(2 * 86_400);
    Options { retention, late_window: Duration::from_secs(3_600), ..crate::common::options() }
}

pub(crate) struct Model {
    random: u64,
    count: f64,
    observed: f64,
    samples: BTreeMap<&'static str, BTreeMap<i64, Point>>,
}

/// The stretch that a time lies in, counted the plain way.
fn stretch(t: i64, length: i64) -> i64 {
    if t.rem_euclid(length) == 0 { t / length } else { t.div_euclid(length) + 1 }
}

impl Model {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: seed * 2 + 1, count: 0.0, observed: 0.0, samples: BTreeMap::new() }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % n
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.samples.retain(|n, _| *n != name);
    }

    fn value(&mut self, name: &str, t: i64) -> Option<Point> {
        let anew = self.below(60) == 0;
        Some(match name {
            "gauge" => Point::Float(match self.below(40) {
                0 => f64::NAN,
                1 => return None,
                2 => stale_nan(),
                n => n as f64 * 0.37 - 5.0 + self.below(1_000) as f64,
            }),
            "hits_total" => {
                self.count = if anew { self.below(5) as f64 } else { self.count + self.below(9) as f64 };
                Point::Float(self.count)
            }
            "latency" => {
                self.observed = if anew { 1.0 } else { self.observed + self.below(9) as f64 };
                Point::Histogram(Arc::new(Histogram {
                    count: self.observed,
                    sum: self.observed * 2.0,
                    positive_spans: vec![BucketSpan { offset: 0, length: 1 }],
                    positive_buckets: vec![self.observed],
                    ..Histogram::default()
                }))
            }
            // It ends in the middle of the second day.
            _ if t < crate::START + DAY + DAY / 2 => Point::Float(self.below(7) as f64),
            _ => Point::Float(stale_nan()),
        })
    }

    /// Writes samples so far apart, about, with upkeep now and then; where `late`, some come late.
    pub(crate) fn write(&mut self, store: &SeriesStore, from: i64, to: i64, step: i64, late: bool) {
        let upkeep_every = if step > 1_000_000 { DAY } else { 4 * HOUR };
        let (mut t, mut upkept) = (from, from);
        let mut batch = Batch::default();
        while t < to {
            for name in NAMES {
                if name == "short" && t > crate::START + 2 * DAY {
                    continue;
                }
                let Some(value) = self.value(name, t) else { continue };
                let behind =
                    if late && name == "gauge" && self.below(50) == 0 { self.below(600_000) as i64 } else { 0 };
                self.put(store, &mut batch, name, t - behind, value);
            }
            t += step / 2 + self.below(step as u64) as i64;
            if t - upkept > upkeep_every {
                store.append(&std::mem::take(&mut batch)).unwrap();
                store.maintain(Timestamp::from_millis(t)).unwrap();
                upkept = t;
            }
        }
        store.append(&batch).unwrap();
        store.maintain(Timestamp::from_millis(to)).unwrap();
    }

    fn put(&mut self, store: &SeriesStore, batch: &mut Batch, name: &'static str, t: i64, value: Point) {
        let known = self.samples.entry(name).or_default();
        if known.contains_key(&t) {
            return;
        }
        known.insert(t, value.clone());
        let group = store.open_group(name).unwrap();
        let column = store.columns(group, &[labels(name, 0)]).unwrap()[0];
        batch.push_cell(group, t, Cell { column, value, start_ms: 0 });
    }

    /// Times and bits of a series within a range, as they were written.
    pub(crate) fn numbers(&self, name: &str, from: i64, to: i64) -> Vec<(i64, u64)> {
        let number = |(t, p): (&i64, &Point)| match p {
            Point::Float(v) => (*t, v.to_bits()),
            Point::Histogram(_) => panic!("no number"),
        };
        self.samples[name].range(from..=to).map(number).collect()
    }

    /// One figure of a series, as the store has it.
    pub(crate) fn read(&self, store: &SeriesStore, name: &str, figure: Rolled) -> Vec<(i64, Point)> {
        let mut out = Vec::new();
        store
            .visit_rolled(&by_name(name), figure, &mut |series| {
                assert_eq!(series.labels, labels(name, 0), "no other label is seen");
                out.extend((0..series.timestamps.len()).map(|i| (series.timestamps[i], series.values.get(i).unwrap())));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(out.windows(2).all(|w| w[0].0 < w[1].0), "times ascend");
        out
    }

    /// Compares every figure of every series with a plain computation in stretches of this length.
    pub(crate) fn check(&self, store: &SeriesStore, length: i64) {
        for (name, samples) in &self.samples {
            let mut by_stretch: BTreeMap<i64, Vec<&Point>> = BTreeMap::new();
            for (t, point) in samples {
                by_stretch.entry(stretch(*t, length)).or_default().push(point);
            }
            for figure in Rolled::ALL {
                let found = self.read(store, name, figure);
                check_figure(name, figure, &by_stretch, &found, length);
            }
            self.check_increase(store, name);
        }
    }

    /// What a counter counted is the same over last samples as over all of them.
    fn check_increase(&self, store: &SeriesStore, name: &str) {
        let counted = |points: &mut dyn Iterator<Item = Point>| {
            let (mut before, mut sum) = (None, 0.0);
            for point in points.filter(|p| !p.is_stale()) {
                let now = match point {
                    Point::Float(v) => v,
                    Point::Histogram(h) => h.count,
                };
                sum += before.map_or(0.0, |b| if now < b { now } else { now - b });
                before = Some(now);
            }
            sum
        };
        if name != "hits_total" && name != "latency" {
            return;
        }
        let wanted = counted(&mut self.samples[name].values().cloned());
        let found = counted(&mut self.read(store, name, Rolled::Last).into_iter().map(|(_, p)| p));
        assert_eq!(found, wanted, "{name}");
    }
}

fn floats<'p>(points: &'p [&Point]) -> impl Iterator<Item = f64> + 'p {
    points.iter().filter_map(|p| match p {
        Point::Float(v) if !is_stale(*v) => Some(*v),
        _ => None,
    })
}

/// Counts, sums and buckets of all histograms.
fn all_together(points: &[&Point]) -> Option<[f64; 3]> {
    let histograms = points.iter().filter_map(|p| match p {
        Point::Histogram(h) if !p.is_stale() => Some([h.count, h.sum, h.positive_buckets.iter().sum()]),
        _ => None,
    });
    histograms.reduce(|a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]])
}

/// The plain computation over samples, or over figures that are to be put together.
fn figure_of(figure: Rolled, points: &[&Point], of_samples: bool) -> Option<f64> {
    let all: Vec<f64> = floats(points).collect();
    let numbers = || all.iter().copied().filter(|v| !v.is_nan());
    let extreme = |best: Option<f64>| best.or((!all.is_empty()).then_some(f64::NAN));
    match figure {
        Rolled::Min => extreme(numbers().min_by(f64::total_cmp)),
        Rolled::Max => extreme(numbers().max_by(f64::total_cmp)),
        Rolled::Sum => (!all.is_empty()).then(|| all.iter().sum()),
        Rolled::Count if of_samples => {
            let n = points.iter().filter(|p| !p.is_stale()).count();
            (n > 0).then_some(n as f64)
        }
        Rolled::Count => (!all.is_empty()).then(|| all.iter().sum()),
        Rolled::Last => None,
    }
}

fn check_figure(name: &str, figure: Rolled, samples: &BTreeMap<i64, Vec<&Point>>, found: &[(i64, Point)], length: i64) {
    let mut by_stretch: BTreeMap<i64, Vec<&Point>> = BTreeMap::new();
    for (t, point) in found {
        by_stretch.entry(stretch(*t, length)).or_default().push(point);
    }
    for (at, samples) in samples {
        let none = Vec::new();
        let rows = by_stretch.get(at).unwrap_or(&none);
        let place = || format!("{name}, {figure:?}, stretch {at}: {rows:?} of {samples:?}");
        if figure == Rolled::Last {
            let last = |all: &[&Point]| all.last().map(|p| bits(p));
            assert_eq!(last(rows), last(samples), "{}", place());
            let real = |all: &[&Point]| all.iter().rev().find(|p| !p.is_stale()).map(|p| bits(p));
            assert_eq!(real(rows), real(samples), "{}", place());
            continue;
        }
        if figure == Rolled::Sum {
            assert_eq!(all_together(rows), all_together(samples), "{}", place());
        } else {
            assert_eq!(all_together(rows), None, "{}", place());
        }
        let (found, wanted) = (figure_of(figure, rows, false), figure_of(figure, samples, true));
        let same = match (found, wanted) {
            (Some(a), Some(b)) => (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * b.abs().max(1.0),
            (a, b) => a == b,
        };
        assert!(same, "{found:?} is not {wanted:?}: {}", place());
    }
    assert!(by_stretch.keys().all(|at| samples.contains_key(at)), "{name}, {figure:?}: nothing is made up");
}

fn bits(point: &Point) -> (u64, u64) {
    match point {
        Point::Float(v) => (v.to_bits(), 0),
        Point::Histogram(h) => (h.count.to_bits(), h.sum.to_bits()),
    }
}
