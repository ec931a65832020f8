//! Charts of values over time. Pure.

use std::fmt::Write as _;

use super::hover::{self, Hover, HoverLine};
use super::shapes::Frame;
use super::thin::{At, is_drawn, kept};
use super::ticks::{Scale, TimeTick, times};
use super::{LINES_DRAWN, Line, Look, PLOT_COLUMNS, Unit, WIDTH, axes, escape, legend, words};
use crate::format::{date_time, number};
use kernel::Timestamp;

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
    /// Names, last, least, most, mean.
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
    /// Values to compare with, rising.
    pub thresholds: Vec<Threshold>,
    /// What stands below.
    pub legend: Legend,
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
            thresholds: Vec::new(),
            legend: Legend::Table,
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
        let scale = self.scale(&layers);
        let ticks = times(self.start_ms, self.end_ms, TIME_TICKS, &look.zone, look.language);
        let mut out = format!("<figure class=\"plot\" data-plot='{}'>", self.hover(drawn, &scale, look));
        out.push_str("<div class=\"plot-area\">");
        let height = f64::from(self.height);
        axes::left(&mut out, &axes::value_labels(&scale, &self.unit, look, height), self.height);
        self.plot(&mut out, drawn, &layers, &scale, &ticks, look);
        axes::bottom(&mut out, &ticks, self.start_ms, self.end_ms);
        out.push_str("</div>");
        match self.legend {
            Legend::None => {}
            Legend::List => legend::list(&mut out, drawn),
            Legend::Table => legend::table(&mut out, drawn, &self.unit, look),
        }
        let all = self.lines_in_all.max(self.lines.len());
        if all > drawn.len() {
            let count = |n: usize| number(look.language, n as f64, 0);
            let (some, all) = (count(drawn.len()), count(all));
            let _ = write!(out, "<p class=\"caption cut\">{} {some} {} {all} {}</p>", w.shown, w.of, w.series);
        }
        out.push_str("</figure>");
        out
    }

    fn gap_ms(&self) -> i64 {
        self.step_ms + self.step_ms / 2
    }

    /// Bottom and top of each line: from the axis, or from the lines below where they are stacked.
    fn layers(&self, drawn: &[Line]) -> Vec<(Vec<At>, Vec<At>)> {
        if self.stacked {
            return stack(drawn, self.start_ms, self.end_ms);
        }
        let zero = |l: &Line| l.points.iter().map(|p| (p.0, 0.0)).collect();
        drawn
            .iter()
            .map(|l| (if self.drawing == Drawing::Bars { zero(l) } else { Vec::new() }, l.points.clone()))
            .collect()
    }

    fn scale(&self, layers: &[(Vec<At>, Vec<At>)]) -> Scale {
        let values = layers.iter().flat_map(|(_, top)| top.iter().map(|p| p.1)).filter(|v| is_drawn(*v));
        let (mut least, mut most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        // Areas and bars say how much: they begin at zero. Lines do where zero is not far away.
        let from_zero = self.stacked || self.drawing != Drawing::Line || least < most * 0.6;
        if from_zero && least > 0.0 {
            least = 0.0;
        }
        if from_zero && most < 0.0 {
            most = 0.0;
        }
        // A threshold near the values is shown, one far away would flatten them.
        for t in self.thresholds.iter().filter(|t| !t.band) {
            if t.value > most && t.value - most < (most - least).max(t.value.abs() * 0.1) * 1.5 {
                most = t.value;
            }
        }
        let count = (self.height / TICK_EVERY).clamp(2, 8) as usize;
        Scale::new(least, most, (self.min, self.max), count, &self.unit)
    }

    fn plot(
        &self,
        out: &mut String,
        drawn: &[Line],
        layers: &[(Vec<At>, Vec<At>)],
        scale: &Scale,
        ticks: &[TimeTick],
        look: &Look,
    ) {
        let frame = Frame { start_ms: self.start_ms, end_ms: self.end_ms, scale, height: f64::from(self.height) };
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
            self.shape(out, &frame, (i, drawn.len()), below, above);
            out.push_str("</g>");
        }
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
                    let v = |value: f64| self.unit.format(look.language, value);
                    let (last, min, max) = (v(s.last), v(s.min), v(s.max));
                    let _ = write!(out, "; {}: {} {last}, {} {min}, {} {max}", line.name, w.last, w.min, w.max);
                }
            }
        }
        out
    }

    fn hover(&self, drawn: &[Line], scale: &Scale, look: &Look) -> String {
        let points = drawn.iter().map(|l| l.points.as_slice());
        let at = hover::times(points, self.start_ms, self.end_ms, self.step_ms);
        let lines = drawn.iter().enumerate().map(|(i, line)| HoverLine {
            name: &line.name,
            class: line.class(i),
            values: hover::values(&line.points, &at),
        });
        hover::attribute(&Hover {
            from: self.start_ms,
            to: self.end_ms,
            unit: &self.unit,
            zone: hover::zone_name(look),
            low: scale.low,
            high: scale.high,
            zoom: self.zoom,
            stacked: self.stacked,
            lines: lines.collect(),
            at,
        })
    }
}

/// Lines on one another: what is above zero upwards, what is below downwards, over all times that any of them has.
fn stack(drawn: &[Line], start_ms: i64, end_ms: i64) -> Vec<(Vec<At>, Vec<At>)> {
    let mut at: Vec<i64> = drawn.iter().flat_map(|l| l.points.iter().map(|p| p.0)).collect();
    at.sort_unstable();
    at.dedup();
    let (mut up, mut down) = (vec![0.0; at.len()], vec![0.0; at.len()]);
    let mut layers = Vec::with_capacity(drawn.len());
    for line in drawn {
        let (mut below, mut above, mut points) = (Vec::new(), Vec::new(), line.points.iter().peekable());
        for (i, t) in at.iter().enumerate() {
            let value = points.next_if(|p| p.0 == *t).map_or(0.0, |p| p.1);
            let value = if is_drawn(value) { value } else { 0.0 };
            let sum = if value < 0.0 { &mut down[i] } else { &mut up[i] };
            below.push((*t, *sum));
            *sum += value;
            above.push((*t, *sum));
        }
        layers.push((below, above));
    }
    if at.len() <= PLOT_COLUMNS * 2 {
        return layers;
    }
    // All layers keep the same times, those at which the whole has its peaks.
    let whole: Vec<At> = at.iter().zip(&up).map(|(t, v)| (*t, *v)).collect();
    let stay = kept(&whole, start_ms, end_ms, PLOT_COLUMNS);
    let only = |all: &[At]| stay.iter().filter_map(|i| all.get(*i).copied()).collect();
    layers.iter().map(|(below, above)| (only(below), only(above))).collect()
}

/// A small line without axes, 100 by `height` units, stretched to the room there is; it says nothing that the figure beside it does not.
pub fn sparkline(line: &Line, start_ms: i64, end_ms: i64, step_ms: i64, height: u32) -> String {
    let values = || line.points.iter().map(|p| p.1).filter(|v| is_drawn(*v));
    let (least, most) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if values().next().is_none() {
        return String::new();
    }
    let room = ((most - least) * 0.1).max(most.abs() * 1e-3).max(1e-12);
    let scale = Scale { low: least - room, high: most + room, step: 1.0, ticks: Vec::new() };
    let frame = Frame { start_ms, end_ms, scale: &scale, height: f64::from(height) };
    let gap = step_ms + step_ms / 2;
    format!(
        "<svg class=\"sparkline {}\" viewBox=\"0 0 {WIDTH} {height}\" height=\"{height}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <path class=\"area soft\" d=\"{}\"/><path class=\"line\" d=\"{}\"/></svg>",
        line.class(0),
        frame.area(&line.points, gap, scale.low),
        frame.line(&line.points, gap)
    )
}

#[cfg(test)]
#[path = "time_series_tests.rs"]
mod tests;
