//! `histogram_quantile`, `histogram_quantiles`, `histogram_fraction` over classic and native histograms. Pure.

use std::sync::Arc;

use indexmap::IndexMap;
use kernel::Labels;
use kernel::series::Histogram;

use super::engine::{Engine, Grid, Result, Sink};
use super::forced::Forced;
use super::line::{ABSENT, Line, Merged, is_absent};
use crate::annotations::Note;
use crate::functions::histogram::{Bucket, fraction, quantile};
use crate::functions::native_quantile;
use crate::syntax::ast::{Call, Expr};
use crate::syntax::literal::short_number;
use crate::syntax::span::Span;

/// The bound of a bucket, and its counts at all times.
struct BucketLine {
    upper: f64,
    counts: Vec<f64>,
}

/// A histogram: the series that differ in `le` only, or a native one of the same name and labels.
struct Found {
    labels: Labels,
    buckets: Vec<BucketLine>,
    native: Option<Line>,
}

/// What a histogram is at one time.
enum At<'f> {
    Nothing,
    Classic(Vec<Bucket>),
    Native(&'f Arc<Histogram>),
    /// Both, so neither counts.
    Both,
}

impl Found {
    fn new(labels: Labels) -> Self {
        Self { labels, buckets: Vec::new(), native: None }
    }

    fn at(&self, step: usize) -> At<'_> {
        let counted = self.buckets.iter().filter(|b| !is_absent(b.counts[step]));
        let buckets: Vec<Bucket> = counted.map(|b| Bucket { upper: b.upper, count: b.counts[step] }).collect();
        match (self.native.as_ref().and_then(|line| line.histogram(step)), buckets.is_empty()) {
            (Some(_), false) => At::Both,
            (Some(h), true) => At::Native(h),
            (None, false) => At::Classic(buckets),
            (None, true) => At::Nothing,
        }
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
    fn histograms(&self, expr: &Expr, grid: Grid) -> Result<Vec<Found>> {
        let mut found: IndexMap<Labels, Found> = IndexMap::new();
        self.lines(expr, grid, &mut |mut line| {
            self.hold_line(&line)?;
            if line.histograms.is_some() && (0..grid.steps).any(|s| line.histogram(s).is_some()) {
                let new = || Found::new(line.labels.clone());
                found.entry(line.labels.clone()).or_insert_with(new).native = Some(line.clone());
            }
            line.only_floats();
            if line.is_empty() {
                return Ok(());
            }
            let le = line.labels.get("le").unwrap_or_default();
            let Some(upper) = bound(le).filter(|upper| !upper.is_nan()) else {
                let name = line.labels.name();
                let text = "bucket label \"le\" is missing or has a malformed value of";
                let named = if name.is_empty() { String::new() } else { format!(" for metric name {name:?}") };
                self.warn(expr.place(), format!("{text} {le:?}{named}"));
                return Ok(());
            };
            let labels = line.labels.without(|n| n == "le");
            let new = || Found::new(labels.clone());
            let histogram = found.entry(labels.clone()).or_insert_with(new);
            histogram.buckets.push(BucketLine { upper, counts: line.values });
            Ok(())
        })?;
        Ok(found.into_values().collect())
    }

    /// A line of a value of each histogram.
    fn histogram_line(
        &self,
        h: &Found,
        vector: &Expr,
        steps: usize,
        mut classic: impl FnMut(usize, Vec<Bucket>) -> f64,
        mut native: impl FnMut(usize, &Histogram) -> f64,
    ) -> Line {
        let name = h.labels.name();
        let value = |s| match h.at(s) {
            At::Nothing => ABSENT,
            At::Classic(buckets) => classic(s, buckets),
            At::Native(h) => native(s, h),
            At::Both => {
                self.note(vector.place(), Note::ClassicAndNative, name);
                ABSENT
            }
        };
        Line::floats(h.labels.clone(), true, (0..steps).map(value).collect())
    }

    fn quantile_line(
        &self,
        q: impl Fn(usize) -> f64,
        h: &Found,
        (vector, place): (&Expr, Span),
        told: &mut [bool],
        grid: Grid,
    ) -> Line {
        let name = h.labels.name();
        let mut forced: Option<Forced> = None;
        let classic = |s: usize, mut buckets: Vec<Bucket>| {
            let found = quantile(q(s), &mut buckets);
            if let Some((lowest, highest, most)) = found.forced.filter(|_| !std::mem::replace(&mut told[s], true)) {
                let t = grid.at(s);
                let one = Forced { lowest, highest, most, first_ms: t, last_ms: t, samples: 1 };
                match &mut forced {
                    Some(all) => all.merge(one),
                    None => forced = Some(one),
                }
            }
            found.value
        };
        let mut note = |n| self.note(place, n, name);
        let native = |s: usize, h: &Histogram| native_quantile::quantile(q(s), h, &mut note);
        let line = self.histogram_line(h, vector, grid.steps, classic, native);
        if let Some(forced) = forced {
            self.note_forced(vector.place(), name, forced);
        }
        line
    }

    pub(super) fn histogram_quantile_lines(&self, c: &Call, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let (q, vector) = (self.scalars(&c.args[0], grid)?, &c.args[1]);
        self.check_quantiles(&q, grid.steps, c.args[0].place());
        for h in self.histograms(vector, grid)? {
            let (of, mut told) = ((vector, c.args[0].place()), vec![false; grid.steps]);
            let line = self.quantile_line(|s| q.at(s), &h, of, &mut told, grid);
            if !line.is_empty() {
                sink(line)?;
            }
        }
        Ok(())
    }

    pub(super) fn histogram_quantiles_lines(&self, c: &Call, span: Span, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let (vector, label) = (&c.args[0], &self.string(&c.args[1])?.value);
        let histograms = self.histograms(vector, grid)?;
        // At one time series of the same labels stand side by side, as in Prometheus, until somebody minds.
        let (mut merged, single) = (Merged::default(), grid.steps == 1);
        // What was changed to be monotonic stays so for the next quantile.
        let mut told = vec![vec![false; grid.steps]; histograms.len()];
        for arg in &c.args[2..] {
            let q = self.scalars(arg, grid)?;
            self.check_quantiles(&q, grid.steps, arg.place());
            for (h, told) in histograms.iter().zip(&mut told) {
                let line = self.quantile_line(|s| q.at(s), h, (vector, vector.place()), told, grid);
                // The label follows the quantile, which may differ from time to time.
                let mut by_label: IndexMap<String, Line> = IndexMap::new();
                for (s, v) in line.values.iter().enumerate().filter(|(_, v)| !is_absent(**v)) {
                    let text = quantile_label(q.at(s));
                    let labels = line.labels.with(label, &text);
                    let new = || Line::absent(labels, true, grid.steps);
                    by_label.entry(text).or_insert_with(new).values[s] = *v;
                }
                let mut add = |line| if single { sink(line) } else { merged.add(line, span) };
                by_label.into_values().try_for_each(&mut add)?;
            }
        }
        merged.into_lines().try_for_each(sink)
    }

    pub(super) fn histogram_fraction_lines(&self, c: &Call, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let (low, high) = (self.scalars(&c.args[0], grid)?, self.scalars(&c.args[1], grid)?);
        for h in self.histograms(&c.args[2], grid)? {
            let mut note = |n| self.note(c.args[0].place(), n, h.labels.name());
            let classic = |s: usize, mut buckets: Vec<Bucket>| fraction(low.at(s), high.at(s), &mut buckets);
            let native = |s: usize, h: &Histogram| native_quantile::fraction(low.at(s), high.at(s), h, &mut note);
            let line = self.histogram_line(&h, &c.args[2], grid.steps, classic, native);
            if !line.is_empty() {
                sink(line)?;
            }
        }
        Ok(())
    }
}

/// A number as OpenMetrics writes it: whole ones with `.0`.
fn quantile_label(q: f64) -> String {
    let text = short_number(q);
    if q.is_finite() && !text.contains(['.', 'e']) { format!("{text}.0") } else { text }
}
