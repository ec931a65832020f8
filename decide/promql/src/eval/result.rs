//! The end of an evaluation: names dropped, duplicates refused, lines made a value. Pure.

use kernel::Labels;
use kernel::series::Sample;

use super::EvalError;
use super::engine::{Engine, Result};
use super::line::{Cell, Line, Merged, unnamed, weight};
use crate::syntax::ast::{Expr, ValueType};
use crate::value::{Evaluated, MatrixSeries, Value, VectorSample};

impl Engine<'_> {
    pub(super) fn run(&self) -> Result<Evaluated> {
        let value = match self.query.step_ms {
            None => self.instant_value()?,
            Some(_) => self.range_value()?,
        };
        Ok(Evaluated { value, annotations: self.take_annotations(), stats: self.stats() })
    }

    fn instant_value(&self) -> Result<Value> {
        let (expr, t_ms) = (self.query.expr, self.query.start_ms);
        Ok(match expr.value_type() {
            ValueType::Scalar => Value::Scalar(Sample { t_ms, value: self.scalars(expr, self.grid)?.at(0) }),
            ValueType::String => Value::String(self.string(expr)?.value.clone()),
            ValueType::Matrix => Value::Matrix(self.raw_ranges(expr)?),
            ValueType::Vector => {
                let mut vector = Vec::new();
                for line in self.named_lines(expr)? {
                    let value = line.point(0);
                    vector.extend(value.map(|value| VectorSample { labels: line.labels, t_ms, value }));
                }
                Value::Vector(vector)
            }
        })
    }

    fn range_value(&self) -> Result<Value> {
        let (expr, grid) = (self.query.expr, self.grid);
        let lines = match expr.value_type() {
            ValueType::Scalar => {
                let values = self.scalars(expr, grid)?.into_steps(grid.steps);
                vec![Line::floats(Labels::default(), false, values)]
            }
            ValueType::Vector => self.named_lines(expr)?,
            other => {
                let ty = other.describe();
                let message =
                    format!("invalid expression type {ty:?} for range query, must be Scalar or instant Vector");
                return Err(EvalError::invalid(expr.span, message));
            }
        };
        let mut matrix: Vec<MatrixSeries> = lines.into_iter().map(|line| self.points(line)).collect();
        matrix.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(Value::Matrix(matrix))
    }

    fn points(&self, line: Line) -> MatrixSeries {
        let (mut samples, mut histograms) = (Vec::with_capacity(line.values.len()), Vec::new());
        for step in 0..line.values.len() {
            let t_ms = self.grid.at(step);
            match line.at(step) {
                Cell::Absent => {}
                Cell::Float(value) => samples.push(Sample { t_ms, value }),
                Cell::Histogram(h) => histograms.push((t_ms, h.clone())),
            }
        }
        MatrixSeries { labels: line.labels, samples, histograms }
    }

    /// The lines of the result, names dropped where an operator wanted it, merged where that makes them one.
    fn named_lines(&self, expr: &Expr) -> Result<Vec<Line>> {
        let mut merged = Merged::default();
        self.lines(expr, self.grid, &mut |mut line| {
            if line.is_empty() {
                return Ok(());
            }
            // Points of a range query come to stand beside their times.
            let times = if self.query.step_ms.is_some() { self.grid.steps } else { 0 };
            self.hold(line.weight() + times)?;
            if line.drop_name {
                line.labels = unnamed(&line.labels);
                line.drop_name = false;
            }
            merged.add(line, expr.span)
        })?;
        Ok(merged.into_lines().collect())
    }

    /// The samples of a range vector as they are.
    fn raw_ranges(&self, expr: &Expr) -> Result<Vec<MatrixSeries>> {
        let mut matrix = Vec::new();
        self.ranges(expr, self.grid, &mut |series| {
            let w = series.window(0);
            let (numbers, native) = (w.times.len(), w.histograms.values.iter().map(|h| h.words()).sum::<usize>());
            self.hold(weight(series.labels, numbers * 2 + native))?;
            let labels = if series.drop_name { unnamed(series.labels) } else { series.labels.clone() };
            let samples: Vec<Sample> = match series.extend {
                Some(extend) => series.extended_samples(extend, expr)?,
                None => w.times.iter().zip(w.values).map(|(t, v)| Sample { t_ms: *t, value: *v }).collect(),
            };
            let native = w.histograms.times.iter().zip(w.histograms.values);
            let histograms: Vec<_> = native.map(|(t, h)| (*t, h.clone())).collect();
            if !samples.is_empty() || !histograms.is_empty() {
                matrix.push(MatrixSeries { labels, samples, histograms });
            }
            Ok(())
        })?;
        matrix.sort_by(|a, b| a.labels.cmp(&b.labels));
        if matrix.windows(2).any(|w| w[0].labels == w[1].labels) {
            return Err(EvalError::invalid(expr.span, "vector cannot contain metrics with the same labelset"));
        }
        Ok(matrix)
    }
}
