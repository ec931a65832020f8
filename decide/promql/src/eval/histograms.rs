//! `histogram_quantile`, `histogram_quantiles`, `histogram_fraction` over classic histograms. Pure.

use indexmap::IndexMap;
use kernel::Labels;

use super::engine::{Engine, Grid, Result, Sink};
use super::line::{ABSENT, Line, Merged, is_absent};
use crate::functions::histogram::{Bucket, fraction, quantile};
use crate::syntax::ast::{Call, Expr};
use crate::syntax::literal::format_number;
use crate::syntax::span::Span;

/// The bound of a bucket, and its counts at all times.
struct BucketLine {
    upper: f64,
    counts: Vec<f64>,
}

/// A classic histogram: the series that differ in `le` only.
struct Classic {
    labels: Labels,
    drop_name: bool,
    buckets: Vec<BucketLine>,
}

impl Classic {
    /// The buckets at a time; empty when there is none.
    fn at(&self, step: usize) -> Vec<Bucket> {
        let counted = self.buckets.iter().filter(|b| !is_absent(b.counts[step]));
        counted.map(|b| Bucket { upper: b.upper, count: b.counts[step] }).collect()
    }
}

/// A bound as Go reads it: `+Inf`, `.5`, `1e0`.
fn bound(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(['+', '-']);
    let word = digits.to_ascii_lowercase();
    if digits.len() + 1 < text.len() || digits.is_empty() {
        return None;
    }
    if !digits.as_bytes()[0].is_ascii_digit()
        && !digits.starts_with('.')
        && !matches!(&*word, "inf" | "infinity" | "nan")
    {
        return None;
    }
    text.parse().ok()
}

impl Engine<'_> {
    fn histograms(&self, expr: &Expr, grid: Grid) -> Result<Vec<Classic>> {
        let mut found: IndexMap<Labels, Classic> = IndexMap::new();
        self.lines(expr, grid, &mut |line| {
            let le = line.labels.get("le").unwrap_or_default();
            let Some(upper) = bound(le) else {
                let name = line.labels.name();
                self.warn(
                    expr.span,
                    format!(
                        "bucket label \"le\" is missing or has a malformed value of {le:?} for metric name {name:?}"
                    ),
                );
                return Ok(());
            };
            self.hold(grid.steps)?;
            let labels = line.labels.without(|n| n == "le");
            let new = || Classic { labels: labels.clone(), drop_name: line.drop_name, buckets: Vec::new() };
            let histogram = found.entry(labels.clone()).or_insert_with(new);
            histogram.buckets.push(BucketLine { upper, counts: line.values });
            Ok(())
        })?;
        Ok(found.into_values().collect())
    }

    fn quantile_line(&self, q: impl Fn(usize) -> f64, h: &Classic, expr: &Expr, grid: Grid) -> Line {
        let mut forced = false;
        let values = (0..grid.steps)
            .map(|s| {
                let mut buckets = h.at(s);
                if buckets.is_empty() {
                    return ABSENT;
                }
                let found = quantile(q(s), &mut buckets);
                forced |= found.forced;
                found.value
            })
            .collect();
        if forced {
            let name = h.labels.name();
            self.info(expr.span, format!("input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name {name:?}"));
        }
        Line { labels: h.labels.clone(), drop_name: true, values }
    }

    pub(super) fn histogram_quantile_lines(&self, c: &Call, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let (q, vector) = (self.scalars(&c.args[0], grid)?, &c.args[1]);
        self.check_quantiles(&q, grid.steps, c.args[0].span);
        for h in self.histograms(vector, grid)? {
            let line = self.quantile_line(|s| q.at(s), &h, vector, grid);
            sink(line)?;
        }
        Ok(())
    }

    pub(super) fn histogram_quantiles_lines(&self, c: &Call, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let (vector, label) = (&c.args[0], &self.string(&c.args[1])?.value);
        let histograms = self.histograms(vector, grid)?;
        let mut merged = Merged::default();
        for arg in &c.args[2..] {
            let q = self.scalars(arg, grid)?;
            self.check_quantiles(&q, grid.steps, arg.span);
            for h in &histograms {
                let line = self.quantile_line(|s| q.at(s), h, vector, grid);
                // The label follows the quantile, which may differ from time to time.
                let mut by_label: IndexMap<String, Line> = IndexMap::new();
                for (s, v) in line.values.iter().enumerate().filter(|(_, v)| !is_absent(**v)) {
                    let text = quantile_label(q.at(s));
                    let labels = line.labels.with(label, &text);
                    let new = || Line { labels, drop_name: true, values: vec![ABSENT; grid.steps] };
                    by_label.entry(text).or_insert_with(new).values[s] = *v;
                }
                by_label.into_values().try_for_each(|line| merged.add(line, span))?;
            }
        }
        merged.into_lines().try_for_each(sink)
    }

    pub(super) fn histogram_fraction_lines(&self, c: &Call, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let (low, high) = (self.scalars(&c.args[0], grid)?, self.scalars(&c.args[1], grid)?);
        for h in self.histograms(&c.args[2], grid)? {
            let value = |s| {
                let mut buckets = h.at(s);
                if buckets.is_empty() { ABSENT } else { fraction(low.at(s), high.at(s), &mut buckets) }
            };
            let values = (0..grid.steps).map(value).collect();
            sink(Line { labels: h.labels.clone(), drop_name: h.drop_name || !h.labels.name().is_empty(), values })?;
        }
        Ok(())
    }
}

/// A number as OpenMetrics writes it: whole ones with `.0`.
fn quantile_label(q: f64) -> String {
    let text = format_number(q);
    if q.is_finite() && !text.contains('.') { format!("{text}.0") } else { text }
}
