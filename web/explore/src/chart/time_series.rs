//! Charts of values over time. Pure.

use std::fmt::Write as _;

use super::hover::{self, Hover, HoverLine};
use super::marks::{self, Mark};
use super::shapes::Frame;
use super::stack::stack;
use super::thin::{At, is_drawn};
use super::ticks::{Scale, TimeTick, times};
use super::{Figure, LINES_DRAWN, Line, Look, Unit, WIDTH, axes, escape, legend, numbers, words};
use crate::format::{date_time, number};
use kernel::Timestamp;

/// Where an area begins and ends, at each time: below and above.
type Layer = (Vec<At>, Vec<At>);

/// How values are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawing {
    /// Lines.
    #[default]
    Line,
    /// Lines and what lies below them.
    Area,
    /// A bar for each point.
    Bars,
}

/// What stands below a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Legend {
    /// Nothing; the plot's own description names what it shows.
    None,
    /// Names.
    List,
    /// Names and numbers: those of [`TimeSeries::figures`].
    #[default]
    Table,
}

/// How bad it is beyond a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Good,
    /// To be looked at.
    Warning,
    /// Bad.
    Bad,
}

impl Level {
    /// Its class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// A value from which on something holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// From here on, up to the next one.
    pub value: f64,
    /// How bad it is there.
    pub level: Level,
    /// Whether the band from here to the next threshold is coloured; otherwise a line is drawn.
    pub band: bool,
}

/// The axis at the right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RightAxis {
    /// What its values are.
    pub unit: Unit,
    /// Bottom, where it is given.
    pub min: Option<f64>,
    /// Top, where it is given.
    pub max: Option<f64>,
}

/// A chart of values over time.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeSeries {
    /// What it shows, for those who do not see it.
    pub title: String,
    /// The lines; the first [`LINES_DRAWN`] are drawn.
    pub lines: Vec<Line>,
    /// How many there would be, when `lines` was cut already; 0: as many as there are.
    pub lines_in_all: usize,
    /// Left edge, milliseconds since the epoch.
    pub start_ms: i64,
    /// Right edge.
    pub end_ms: i64,
    /// Distance of the points; a pause of more than one and a half of it is a gap. 0: not known, no gaps.
    pub step_ms: i64,
    /// What the values are.
    pub unit: Unit,
    /// How they are drawn.
    pub drawing: Drawing,
    /// Whether values stand on one another.
    pub stacked: bool,
    /// Bottom, where it is given.
    pub min: Option<f64>,
    /// Top, where it is given.
    pub max: Option<f64>,
    /// The axis of the lines that stand at the right; none: those are drawn on the left one.
    pub right: Option<RightAxis>,
    /// Values of the left axis to compare with, rising.
    pub thresholds: Vec<Threshold>,
    /// What happened meanwhile.
    pub marks: Vec<Mark>,
    /// What stands below.
    pub legend: Legend,
    /// The numbers of a legend with numbers.
    pub figures: Vec<Figure>,
    /// Whether all numbers can be opened as a table below it.
    pub numbers: bool,
    /// Height of the plot, CSS pixels.
    pub height: u32,
    /// Whether dragging over it chooses `from` and `to` in the page's address.
    pub zoom: bool,
}

/// Axis ticks that fit: one each 45 px from bottom to top, nine from left to right (every second one on phones).
const TICK_EVERY: u32 = 45;
const TIME_TICKS: usize = 9;

/// Series that are told one by one in the description of a chart without a table.
const DESCRIBED: usize = 6;

impl TimeSeries {
    /// Lines from `start_ms` to `end_ms`, as usual.
    pub fn new(lines: Vec<Line>, start_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        Self {
            title: String::new(),
            lines,
            lines_in_all: 0,
            start_ms,
            end_ms,
            step_ms,
            unit: Unit::Short,
            drawing: Drawing::Line,
            stacked: false,
            min: None,
            max: None,
            right: None,
            thresholds: Vec::new(),
            marks: Vec::new(),
            legend: Legend::Table,
            figures: vec![Figure::Last, Figure::Min, Figure::Max, Figure::Mean],
            numbers: false,
            height: 260,
            zoom: false,
        }
    }

    /// As HTML.
    pub fn render(&self, look: &Look) -> String {
        let w = words(look.language);
        let drawn = &self.lines[..self.lines.len().min(LINES_DRAWN)];
        if drawn.iter().all(|l| l.summary().is_none()) {
            return format!("<figure class=\"plot\"><p class=\"empty\">{}</p></figure>", w.empty);
        }
        let layers = self.layers(drawn);
        let scale = self.scale(drawn, &layers);
        let right = self.right.as_ref().and_then(|axis| self.right_scale(axis, drawn, &layers));
        let ticks = times(self.start_ms, self.end_ms, TIME_TICKS, &look.zone, look.language);
        let mut out = format!("<figure class=\"plot\" data-plot='{}'>", self.hover(drawn, &scale, look));
        out.push_str("<div class=\"plot-area\">");
        let height = f64::from(self.height);
        axes::left(&mut out, &axes::value_labels(&scale, &self.unit, look, height), self.height);
        self.plot(&mut out, (drawn, &layers), (&scale, right.as_ref()), &ticks, look);
        if let (Some(scale), Some(axis)) = (&right, &self.right) {
            axes::right(&mut out, &axes::value_labels(scale, &axis.unit, look, height), self.height);
        }
        axes::bottom(&mut out, &ticks, self.start_ms, self.end_ms);
        out.push_str("</div>");
        match self.legend {
            Legend::None => {}
            Legend::List => legend::list(&mut out, drawn, look),
            Legend::Table => legend::table(&mut out, &self.measured(drawn), &self.figures, look),
        }
        let all = self.lines_in_all.max(self.lines.len());
        if all > drawn.len() {
            let count = |n: usize| number(look.language, n as f64, 0);
            let (some, all) = (count(drawn.len()), count(all));
            let _ = write!(out, "<p class=\"caption cut\">{} {some} {} {all} {}</p>", w.shown, w.of, w.series);
        }
        if self.numbers {
            numbers::table(&mut out, &self.measured(drawn), look, (self.start_ms, self.end_ms, self.step_ms));
        }
        out.push_str("</figure>");
        out
    }

    /// The unit of a line's values.
    fn unit_of(&self, line: &Line) -> &Unit {
        self.right.as_ref().filter(|_| line.right).map_or(&self.unit, |r| &r.unit)
    }

    fn measured<'a>(&'a self, drawn: &'a [Line]) -> Vec<numbers::Measured<'a>> {
        drawn.iter().map(|l| (l, self.unit_of(l))).collect()
    }

    fn is_right(&self, line: &Line) -> bool {
        line.right && self.right.is_some()
    }

    fn gap_ms(&self) -> i64 {
        self.step_ms + self.step_ms / 2
    }

    /// Bottom and top of each line: from the axis, or from the lines below where they are stacked.
    fn layers(&self, drawn: &[Line]) -> Vec<Layer> {
        if self.stacked {
            // Each axis has a stack of its own.
            let of = |right: bool| {
                let own: Vec<&Line> = drawn.iter().filter(|l| self.is_right(l) == right).collect();
                stack(&own, self.start_ms, self.end_ms).into_iter()
            };
            let (mut left, mut right) = (of(false), of(true));
            let next = |l| if self.is_right(l) { right.next() } else { left.next() };
            return drawn.iter().filter_map(next).collect();
        }
        let zero = |l: &Line| l.points.iter().map(|p| (p.0, 0.0)).collect();
        drawn
            .iter()
            .map(|l| (if self.drawing == Drawing::Bars { zero(l) } else { Vec::new() }, l.points.clone()))
            .collect()
    }

    /// The least and the most that an axis has to show.
    fn ends(&self, drawn: &[Line], layers: &[Layer], right: bool) -> (f64, f64) {
        let own = drawn.iter().zip(layers).filter(|(l, _)| self.is_right(l) == right);
        let values = own.flat_map(|(_, (_, top))| top.iter().map(|p| p.1)).filter(|v| is_drawn(*v));
        let (mut least, mut most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        // Areas and bars say how much: they begin at zero. Lines do where zero is not far away.
        let from_zero = self.stacked || self.drawing != Drawing::Line || least < most * 0.6;
        if from_zero && least > 0.0 {
            least = 0.0;
        }
        if from_zero && most < 0.0 {
            most = 0.0;
        }
        (least, most)
    }

    /// About how many ticks an axis has.
    fn ticks(&self) -> usize {
        (self.height / TICK_EVERY).clamp(2, 8) as usize
    }

    /// None where no line stands at the right.
    fn right_scale(&self, axis: &RightAxis, drawn: &[Line], layers: &[Layer]) -> Option<Scale> {
        drawn.iter().any(|l| self.is_right(l)).then(|| {
            let (least, most) = self.ends(drawn, layers, true);
            Scale::new(least, most, (axis.min, axis.max), self.ticks(), &axis.unit)
        })
    }

    fn scale(&self, drawn: &[Line], layers: &[Layer]) -> Scale {
        let (least, mut most) = self.ends(drawn, layers, false);
        // A threshold near the values is shown, one far away would flatten them.
        for t in self.thresholds.iter().filter(|t| !t.band) {
            if t.value > most && t.value - most < (most - least).max(t.value.abs() * 0.1) * 1.5 {
                most = t.value;
            }
        }
        Scale::new(least, most, (self.min, self.max), self.ticks(), &self.unit)
    }

    fn plot(
        &self,
        out: &mut String,
        (drawn, layers): (&[Line], &[Layer]),
        (scale, right): (&Scale, Option<&Scale>),
        ticks: &[TimeTick],
        look: &Look,
    ) {
        let frame_of =
            |scale| Frame { start_ms: self.start_ms, end_ms: self.end_ms, scale, height: f64::from(self.height) };
        let (frame, right) = (frame_of(scale), frame_of(right.unwrap_or(scale)));
        let _ = write!(
            out,
            "<div class=\"plot-box\"><svg class=\"plot-lines\" viewBox=\"0 0 {WIDTH} {h}\" height=\"{h}\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-label=\"{}\">",
            escape(&self.description(drawn, look)),
            h = self.height
        );
        self.bands(out, &frame);
        axes::grid(out, scale, ticks, self.start_ms, self.end_ms, frame.height);
        for (i, (line, (below, above))) in drawn.iter().zip(layers).enumerate() {
            let _ = write!(out, "<g class=\"{}\" data-line=\"{i}\">", line.class(i));
            let frame = if self.is_right(line) { &right } else { &frame };
            self.shape(out, frame, (i, drawn.len()), below, above);
            out.push_str("</g>");
        }
        marks::draw(out, &self.marks, &frame);
        for t in self.thresholds.iter().filter(|t| !t.band) {
            let mut at = String::new();
            super::push(&mut at, frame.y(t.value));
            let _ = write!(out, "<path class=\"threshold {}\" d=\"M0 {at}H{WIDTH}\"/>", t.level.class());
        }
        out.push_str("</svg></div>");
    }

    fn shape(&self, out: &mut String, frame: &Frame<'_>, (i, of): (usize, usize), below: &[At], above: &[At]) {
        let gap = self.gap_ms();
        match self.drawing {
            Drawing::Bars => {
                let slot = frame.x(self.start_ms + self.step_ms.max(1)).min(WIDTH / 4.0);
                let (width, shift) = match self.stacked {
                    true => (slot * 0.8, -slot * 0.4),
                    false => (slot * 0.8 / of as f64, slot * 0.8 * (i as f64 / of as f64 - 0.5)),
                };
                let _ = write!(out, "<path class=\"bar\" d=\"{}\"/>", frame.bars(below, above, width, shift));
            }
            Drawing::Line | Drawing::Area => {
                if self.stacked {
                    let _ = write!(out, "<path class=\"area\" d=\"{}\"/>", frame.band(below, above, gap));
                } else if self.drawing == Drawing::Area {
                    let base = 0f64.clamp(frame.scale.low, frame.scale.high);
                    let _ = write!(out, "<path class=\"area soft\" d=\"{}\"/>", frame.area(above, gap, base));
                }
                let _ = write!(out, "<path class=\"line\" d=\"{}\"/>", frame.line(above, gap));
                let dots = frame.dots(above, gap);
                if !dots.is_empty() {
                    let _ = write!(out, "<path class=\"line dot\" d=\"{dots}\"/>");
                }
            }
        }
    }

    /// Colours from one threshold to the next.
    fn bands(&self, out: &mut String, frame: &Frame<'_>) {
        for (i, t) in self.thresholds.iter().enumerate().filter(|(_, t)| t.band) {
            let to = self.thresholds.get(i + 1).map_or(frame.scale.high, |next| next.value);
            let (bottom, top) = (frame.y(t.value.max(frame.scale.low)), frame.y(to.min(frame.scale.high)));
            if bottom > top {
                let _ = write!(out, "<rect class=\"band {}\" width=\"{WIDTH}\" y=\"", t.level.class());
                super::push(out, top);
                out.push_str("\" height=\"");
                super::push(out, bottom - top);
                out.push_str("\"/>");
            }
        }
    }

    /// In words: what, from when to when, and the first lines in numbers where no table does it.
    fn description(&self, drawn: &[Line], look: &Look) -> String {
        let w = words(look.language);
        let at = |ms: i64| date_time(look.language, Timestamp::from_millis(ms), &look.zone);
        let mut out = String::new();
        if !self.title.is_empty() {
            let _ = write!(out, "{}: ", self.title);
        }
        let _ = write!(out, "{} {}, {} {} {}", drawn.len(), w.series, at(self.start_ms), w.to, at(self.end_ms));
        if self.legend != Legend::Table {
            for line in drawn.iter().take(DESCRIBED) {
                if let Some(s) = line.summary() {
                    let v = |value: f64| self.unit_of(line).format(look.language, value);
                    let (last, min, max) = (v(s.last), v(s.min), v(s.max));
                    let _ = write!(out, "; {}: {} {last}, {} {min}, {} {max}", line.name, w.last, w.min, w.max);
                }
            }
        }
        let marks = marks::inside(&self.marks, self.start_ms, self.end_ms).count();
        if marks > 0 {
            let _ = write!(out, "; {marks} {}", w.marks);
        }
        out
    }

    fn hover(&self, drawn: &[Line], scale: &Scale, look: &Look) -> String {
        let points = drawn.iter().map(|l| l.points.as_slice());
        let at = hover::times(points, self.start_ms, self.end_ms, self.step_ms);
        let lines = drawn.iter().enumerate().map(|(i, line)| HoverLine {
            name: &line.name,
            class: line.class(i),
            unit: self.right.as_ref().filter(|_| line.right).map(|r| &r.unit),
            values: hover::values(&line.points, &at),
        });
        hover::attribute(&Hover {
            from: self.start_ms,
            to: self.end_ms,
            unit: &self.unit,
            zone: hover::zone_name(look),
            marks: marks::hover(&self.marks, self.start_ms, self.end_ms),
            low: scale.low,
            high: scale.high,
            zoom: self.zoom,
            stacked: self.stacked,
            lines: lines.collect(),
            at,
        })
    }
}

#[cfg(test)]
#[path = "time_series_tests.rs"]
mod tests;
