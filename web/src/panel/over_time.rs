//! Values over time: lines, areas, bars, heat maps, from the charts of `web-explore`. Pure.

use decide_promql::{MatrixSeries, Value};
use plan_model::dashboard::panel::{Colour, Draw};
use web_explore::chart::{Buckets, Drawing, Heatmap, Legend, Level, Line, Threshold, TimeSeries};

use super::answers::named;
use super::value::{Measure, charted};
use super::{Answers, Canvas};

/// Height of the time axis and of one line of names below the plot, CSS pixels.
const BELOW: u32 = 22 + 26;
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

impl Canvas<'_> {
    pub(super) fn time_series(&self, answers: &Answers) -> String {
        let panel = self.panel;
        let measure = Measure::of(panel);
        let (unit, factor) = charted(&measure.unit, self.language);
        let series = named(panel, answers);
        let all = series.len();
        let mut lines: Vec<Line> = Vec::new();
        for one in series.into_iter().take(web_explore::chart::LINES_DRAWN) {
            let colour = one.settings.iter().rev().find_map(|i| panel.series[*i].colour);
            let points = one.points.into_iter().map(|(t, v)| (t, v * factor)).collect();
            lines.push(Line { colour: colour.map(place), ..Line::new(one.name, points) });
        }
        let (start, end, step) = self.span;
        let draw = panel.draw.unwrap_or_default();
        let legend = match lines.len() {
            0 => Legend::None,
            _ => Legend::List,
        };
        let steps = panel.thresholds.iter().filter_map(|s| Some((s.from?, s.colour)));
        let thresholds = steps.map(|(from, c)| Threshold { value: from * factor, level: level(c), band: false });
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
            thresholds: thresholds.collect(),
            legend,
            height: self.height.saturating_sub(BELOW).max(LOWEST),
            zoom: true,
            ..TimeSeries::new(lines, start, end, step)
        };
        chart.render(&self.look())
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
