//! Values over time: lines, areas, bars, heat maps, from the charts of `web-explore`. Pure.

use decide_promql::{MatrixSeries, Value};
use plan_model::dashboard::{Colour, Draw, Reduce, Side, ThresholdLook};
use web_explore::chart::{
    Buckets, Drawing, Figure, Heatmap, Legend, Level, Line, Mark, RightAxis, Threshold, TimeSeries,
};

use super::answers::named;
use super::value::{Measure, charted};
use super::{Answers, Canvas};

/// Height of the time axis and of one line of names below the plot, CSS pixels.
const BELOW: u32 = 22 + 26;
/// Height of a line of a legend with numbers, and of its heading; and of one whose numbers stand below its name.
const LEGEND_LINE: (u32, u32) = (23, 44);
/// Width from which numbers stand beside names, as in `metrics.css`.
const LEGEND_WIDE: u32 = 26 * 16;
/// Height of each further line of names.
const NAMES_LINE: u32 = 22;
/// Width of a dashboard's 24 columns on a screen of 1,280 pixels, for how many lines the names below a plot take.
const USUAL_WIDTH: u32 = 960;
/// What the colour and the space beside a name take, and what a letter takes, CSS pixels.
const NAME: (u32, u32) = (40, 7);
/// Lowest plot that shows anything.
const LOWEST: u32 = 60;

/// A colour's place in the palette of charts.
const fn place(colour: Colour) -> u8 {
    match colour {
        Colour::Blue => 0,
        Colour::Orange | Colour::Red => 1,
        Colour::Green => 2,
        Colour::Purple => 5,
        Colour::Yellow => 4,
        Colour::Grey => 7,
    }
}

const fn level(colour: Colour) -> Level {
    match colour {
        Colour::Green | Colour::Blue | Colour::Grey => Level::Good,
        Colour::Yellow | Colour::Orange => Level::Warning,
        Colour::Red | Colour::Purple => Level::Bad,
    }
}

const fn figure(reduce: Reduce) -> Figure {
    match reduce {
        Reduce::Last => Figure::Last,
        Reduce::First => Figure::First,
        Reduce::Mean => Figure::Mean,
        Reduce::Min => Figure::Min,
        Reduce::Max => Figure::Max,
        Reduce::Sum => Figure::Sum,
        Reduce::Count => Figure::Count,
        Reduce::Range => Figure::Range,
        Reduce::Difference => Figure::Difference,
    }
}

/// The class of a colour.
const fn tone(colour: Colour) -> &'static str {
    match colour {
        Colour::Green => "tone-green",
        Colour::Yellow => "tone-yellow",
        Colour::Orange => "tone-orange",
        Colour::Red => "tone-red",
        Colour::Blue => "tone-blue",
        Colour::Purple => "tone-purple",
        Colour::Grey => "tone-grey",
    }
}

impl Canvas<'_> {
    /// The lines of a chart, each on its axis; `factors` are those of the left and the right one.
    fn lines(&self, series: Vec<super::answers::Named>, factors: (f64, f64)) -> Vec<Line> {
        let one = |one: super::answers::Named| {
            let settings = || one.settings.iter().rev().map(|i| &self.panel.series[*i]);
            let colour = settings().find_map(|s| s.colour);
            let right = settings().find_map(|s| s.axis) == Some(Side::Right);
            let sign = if settings().any(|s| s.negative) { -1.0 } else { 1.0 };
            let factor = sign * if right { factors.1 } else { factors.0 };
            let points = one.points.iter().map(|(t, v)| (*t, v * factor)).collect();
            Line { colour: colour.map(place), right, ..Line::new(one.name.clone(), points) }
        };
        series.into_iter().take(web_explore::chart::LINES_DRAWN).map(one).collect()
    }

    /// What stands below the plot, and the height of the plot.
    fn below(&self, lines: &[Line]) -> (Legend, u32) {
        let all = self.height.saturating_sub(BELOW).max(LOWEST);
        match (lines.len(), self.panel.legend_hidden, self.panel.legend_values.is_empty()) {
            (0, _, _) | (_, true, _) => (Legend::None, self.height.saturating_sub(22).max(LOWEST)),
            // Names keep their room as long as the plot has a half of it.
            (_, _, true) => {
                let more = (self.lines_of_names(lines) - 1).saturating_mul(NAMES_LINE);
                (Legend::List, all.saturating_sub(more).max(all / 2).max(LOWEST))
            }
            // A long table scrolls, so that the plot keeps a half of the room.
            (n, _, false) => {
                let high = if self.usual_width() > LEGEND_WIDE { LEGEND_LINE.0 } else { LEGEND_LINE.1 };
                let table = u32::try_from(n + 1).unwrap_or(u32::MAX).saturating_mul(high);
                let room = self.height.saturating_sub(30);
                (Legend::Table, room.saturating_sub(table.min(room / 2)).max(LOWEST))
            }
        }
    }

    /// Width of the content, CSS pixels.
    fn usual_width(&self) -> u32 {
        (if self.alone { 24 } else { self.panel.columns_wide() } * USUAL_WIDTH / 24).saturating_sub(24)
    }

    /// How many lines the names take when they flow, at least 1.
    fn lines_of_names(&self, lines: &[Line]) -> u32 {
        let width = self.usual_width();
        let widths = lines.iter().map(|l| NAME.0 + NAME.1 * u32::try_from(l.name.chars().count()).unwrap_or(width));
        let flow = |(lines, x): (u32, u32), one: u32| match x == 0 || x + one <= width {
            true => (lines, x + one),
            false => (lines + 1, one),
        };
        widths.fold((1, 0), flow).0
    }

    pub(super) fn time_series(&self, answers: &Answers) -> String {
        let panel = self.panel;
        let measure = Measure::of(panel);
        let (unit, factor) = charted(&measure.unit, self.language);
        let series = named(panel, answers);
        let all = series.len();
        let right = self.right_axis(&series);
        let (right_unit, right_factor) = right.map_or((unit.clone(), factor), |u| charted(&u, self.language));
        let lines = self.lines(series, (factor, right_factor));
        let right = lines.iter().any(|l| l.right).then(|| {
            let ends = panel.right.as_ref().map_or((None, None), |r| (r.min, r.max));
            let scaled = |v: Option<f64>| v.map(|v| v * right_factor);
            RightAxis { unit: right_unit, min: scaled(ends.0), max: scaled(ends.1) }
        });
        let (start, end, step) = self.span;
        let draw = panel.draw.unwrap_or_default();
        let (legend, height) = self.below(&lines);
        let band = panel.thresholds_as == ThresholdLook::Bands;
        // A band begins somewhere; a line at the least value there is would say nothing.
        let from = |s: &plan_model::dashboard::ThresholdStep| s.from.or(band.then_some(f64::MIN));
        let steps = panel.thresholds.iter().filter_map(|s| Some((from(s)?, s.colour)));
        let thresholds = steps.map(|(from, c)| Threshold { value: from * factor, level: level(c), band });
        let chart = TimeSeries {
            title: self.title.clone(),
            lines_in_all: all,
            unit,
            drawing: match draw {
                Draw::Lines => Drawing::Line,
                Draw::Area | Draw::Stacked => Drawing::Area,
                Draw::Bars => Drawing::Bars,
            },
            stacked: draw == Draw::Stacked,
            min: panel.min.map(|v| v * factor),
            max: panel.max.map(|v| v * factor),
            right,
            thresholds: thresholds.collect(),
            marks: self.marks.iter().map(mark).collect(),
            legend,
            figures: panel.legend_values.iter().copied().map(figure).collect(),
            numbers: self.alone,
            height,
            zoom: true,
            ..TimeSeries::new(lines, start, end, step)
        };
        chart.render(&self.look())
    }

    /// The unit of the axis at the right: the plan's, or that of the first series that stands there.
    fn right_axis(&self, series: &[super::answers::Named]) -> Option<plan_model::dashboard::Unit> {
        let own = self.panel.right.as_ref().and_then(|r| r.unit.clone());
        let is_right = |s: &&plan_model::dashboard::SeriesSetting| s.axis == Some(Side::Right);
        let mut settings = series.iter().flat_map(|s| &s.settings).map(|i| &self.panel.series[*i]);
        own.or_else(|| settings.find(is_right).and_then(|s| s.unit.clone()))
    }

    pub(super) fn heatmap(&self, answers: &Answers) -> String {
        let mut series: Vec<MatrixSeries> = Vec::new();
        for part in &answers.parts {
            if let Value::Matrix(all) = &part.value {
                series.extend(all.iter().cloned());
            }
        }
        if series.is_empty() {
            return self.empty();
        }
        let Some(mut buckets) = Buckets::native(&series).or_else(|| Buckets::classic(&series)) else {
            return format!("<p class=\"empty\">{}</p>", self.words().no_buckets);
        };
        let (unit, factor) = charted(&Measure::of(self.panel).unit, self.language);
        for row in &mut buckets.rows {
            *row = (row.0 * factor, row.1 * factor);
        }
        let (start, end, step) = self.span;
        let map = Heatmap {
            title: self.title.clone(),
            unit,
            height: self.height.saturating_sub(BELOW + 26).max(LOWEST),
            zoom: true,
            ..Heatmap::new(buckets, start, end, step)
        };
        map.render(&self.look())
    }
}

fn mark(of: &decide::dashboards::Mark) -> Mark {
    Mark { from_ms: of.from_ms, to_ms: of.to_ms, title: of.title.clone(), text: of.text.clone(), tone: tone(of.colour) }
}
