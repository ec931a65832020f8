//! Loads of a script: series with their start times, and classic histograms once more as native ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use decide_promql::memory::{MemoryReader, TimedPoint};
use decide_promql::notation;
use kernel::Labels;
use kernel::series::{BucketSpan, Histogram, Point};

#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Classic histograms are also loaded as native ones with custom buckets.
    pub(crate) nhcb: bool,
    pub(crate) series: Vec<(Labels, Vec<TimedPoint>)>,
}

impl Load {
    pub(crate) fn parse(step_ms: i64, nhcb: bool, body: &[&str]) -> Result<Self, String> {
        let mut load = Self { nhcb, series: Vec::new() };
        let mut starts: Vec<Option<i64>> = Vec::new();
        for line in body {
            let (head, tail) = line.split_at(line.find(' ').unwrap_or(line.len()));
            if head.ends_with("@st") {
                starts = notation::starts(tail).map_err(|e| e.to_string())?;
                continue;
            }
            let (labels, values) = notation::series(line).map_err(|e| e.to_string())?;
            let starts = std::mem::take(&mut starts);
            if !starts.is_empty() && starts.len() != values.len() {
                return Err(format!("the start times are not as many as the values of {line}"));
            }
            let point = |(i, value): (usize, Option<Point>)| {
                let t_ms = i as i64 * step_ms;
                let start_ms = starts.get(i).copied().flatten().map_or(0, |offset| t_ms + offset);
                Some(TimedPoint { t_ms, value: value?, start_ms })
            };
            let points = values.into_iter().enumerate().filter_map(point).collect();
            load.series.push((labels, points));
        }
        Ok(load)
    }

    pub(crate) fn into(self, reader: &mut MemoryReader) {
        if self.nhcb {
            for (labels, points) in self.native() {
                reader.add_points(labels, points);
            }
        }
        for (labels, points) in self.series {
            reader.add_points(labels, points);
        }
    }

    /// Classic histograms as native ones with custom buckets.
    fn native(&self) -> BTreeMap<Labels, Vec<TimedPoint>> {
        #[derive(Default)]
        struct Classic {
            buckets: Vec<(f64, f64)>,
            count: Option<f64>,
            sum: f64,
        }
        let mut found: BTreeMap<Labels, BTreeMap<i64, Classic>> = BTreeMap::new();
        for (labels, points) in &self.series {
            let name = labels.name();
            let Some((base, part)) =
                ["_bucket", "_count", "_sum"].iter().find_map(|s| Some((name.strip_suffix(s)?, *s)))
            else {
                continue;
            };
            let le = labels.get("le").and_then(notation::number);
            if part == "_bucket" && le.is_none_or(f64::is_nan) {
                continue;
            }
            let at = found.entry(labels.with("__name__", base).with("le", "")).or_default();
            for point in points {
                let Point::Float(v) = point.value else { continue };
                let classic = at.entry(point.t_ms).or_default();
                match part {
                    "_count" => classic.count = Some(v),
                    "_sum" => classic.sum = v,
                    _ if classic.buckets.iter().any(|(b, _)| Some(*b) == le) => {}
                    _ => classic.buckets.push((le.unwrap_or_default(), v)),
                }
            }
        }
        let histogram = |t_ms: i64, mut classic: Classic| {
            classic.buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            let count = classic.count.or(classic.buckets.last().map(|b| b.1)).unwrap_or_default();
            if classic.buckets.last().is_none_or(|b| b.0 != f64::INFINITY) {
                classic.buckets.push((f64::INFINITY, count));
            }
            let counts: Vec<f64> = classic.buckets.iter().map(|b| b.1).collect();
            let before = [0.0].into_iter().chain(counts.iter().copied());
            let positive_buckets: Vec<f64> = counts.iter().zip(before).map(|(now, before)| now - before).collect();
            let mut custom_bounds: Vec<f64> = classic.buckets.iter().map(|b| b.0).collect();
            custom_bounds.pop();
            let value = Histogram {
                schema: -53,
                count,
                sum: classic.sum,
                positive_spans: vec![BucketSpan { offset: 0, length: positive_buckets.len() as u32 }],
                positive_buckets,
                custom_bounds,
                ..Histogram::default()
            };
            TimedPoint { t_ms, value: Point::Histogram(Arc::new(value)), start_ms: 0 }
        };
        let points = |at: BTreeMap<i64, Classic>| at.into_iter().map(|(t, c)| histogram(t, c)).collect();
        found.into_iter().map(|(labels, at)| (labels, points(at))).collect()
    }
}
