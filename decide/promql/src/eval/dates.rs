//! Parts of dates: `hour()`, `day_of_week(v)` and the like. Pure.

use kernel::Labels;

use super::engine::{Engine, Grid, Result, Sink};
use super::line::Line;
use crate::functions::dates::Date;
use crate::syntax::ast::Call;

impl Engine<'_> {
    /// Without an argument: of the time of evaluation.
    pub(super) fn date_lines(&self, c: &Call, part: fn(Date) -> f64, grid: Grid, sink: Sink<'_>) -> Result<()> {
        let of = |v: f64| part(Date::of(v));
        match c.args.first() {
            Some(arg) => self.lines(arg, grid, &mut |mut line| {
                line.map(of);
                line.drop_name = true;
                sink(line)
            }),
            None => {
                let values = grid.times().map(|t| of(t as f64 / 1000.0)).collect();
                sink(Line::floats(Labels::default(), false, values))
            }
        }
    }
}
