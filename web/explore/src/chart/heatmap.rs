//! Heat maps: how often values of each size were measured over time. Pure.

use std::fmt::Write as _;

use kernel::Timestamp;
use serde::Serialize;

use super::ticks::{TimeTick, times};
use super::{Buckets, HEAT_COLUMNS, Look, Unit, WIDTH, axes, escape, hover, push, words};
use crate::format::date_time;

/// Shades of the cells, from little to much.
const SHADES: usize = 8;

/// Labels of the value axis: one each 24 px at the most.
const LABEL_EVERY: f64 = 24.0;

/// Rows in the table of numbers.
const TABLE_ROWS: usize = 48;

/// A heat map.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    /// What it shows, for those who do not see it.
    pub title: String,
    /// Counts by time and bucket.
    pub buckets: Buckets,
    /// Left edge, milliseconds since the epoch.
    pub start_ms: i64,
    /// Right edge.
    pub end_ms: i64,
    /// Distance of the times.
    pub step_ms: i64,
    /// What is measured: the unit of the bounds.
    pub unit: Unit,
    /// Height of the plot, CSS pixels.
    pub height: u32,
    /// Whether dragging over it chooses `from` and `to` in the page's address.
    pub zoom: bool,
}

/// What the script is told.
#[derive(Serialize)]
struct Cells<'a> {
    from: i64,
    to: i64,
    zone: &'a str,
    zoom: bool,
    /// Times at which columns begin.
    at: Vec<i64>,
    /// Rows from the bottom.
    rows: Vec<String>,
    cells: Vec<Vec<Option<f64>>>,
}

/// Columns as they are drawn.
struct Columns {
    width_ms: i64,
    at: Vec<i64>,
    counts: Vec<Vec<Option<f64>>>,
    most: f64,
}

impl Heatmap {
    /// Of buckets, as usual.
    pub fn new(buckets: Buckets, start_ms: i64, end_ms: i64, step_ms: i64) -> Self {
        Self { title: String::new(), buckets, start_ms, end_ms, step_ms, unit: Unit::Short, height: 300, zoom: false }
    }

    /// As HTML.
    pub fn render(&self, look: &Look) -> String {
        let w = words(look.language);
        let columns = self.columns();
        if columns.most <= 0.0 || self.buckets.rows.is_empty() {
            return format!("<figure class=\"plot\"><p class=\"empty\">{}</p></figure>", w.empty);
        }
        let ticks = times(self.start_ms, self.end_ms, 9, &look.zone, look.language);
        let names: Vec<String> = self.buckets.rows.iter().map(|r| self.row_name(*r, look)).collect();
        let data = hover::attribute(&Cells {
            from: self.start_ms,
            to: self.end_ms,
            zone: hover::zone_name(look),
            zoom: self.zoom,
            at: columns.at.clone(),
            cells: columns.counts.iter().map(|c| c.iter().map(|v| v.map(hover::rounded)).collect()).collect(),
            rows: names.clone(),
        });
        let mut out = format!("<figure class=\"plot heat\" data-plot='{data}'><div class=\"plot-area\">");
        axes::left(&mut out, &self.labels(look), self.height);
        self.plot(&mut out, &columns, &ticks, look);
        axes::bottom(&mut out, &ticks, self.start_ms, self.end_ms);
        out.push_str("</div>");
        self.key(&mut out, columns.most, look);
        self.table(&mut out, &names, look);
        out.push_str("</figure>");
        out
    }

    /// Columns not narrower than they are seen: what falls into one is added up.
    fn columns(&self) -> Columns {
        let span = (self.end_ms - self.start_ms).max(1);
        let own = span / self.step_ms.max(1) + 1;
        let by = ((own + HEAT_COLUMNS as i64 - 1) / HEAT_COLUMNS as i64).max(1);
        let width_ms = self.step_ms.max(1) * by;
        let (mut at, mut counts): (Vec<i64>, Vec<Vec<Option<f64>>>) = Default::default();
        for (t, column) in self.buckets.times.iter().zip(&self.buckets.counts) {
            // A point tells of the time before it.
            let begin = self.start_ms + (t - self.start_ms - 1).div_euclid(width_ms) * width_ms;
            if begin < self.start_ms {
                continue;
            }
            match (at.last() == Some(&begin), counts.last_mut()) {
                (true, Some(last)) => add(last, column),
                _ => {
                    at.push(begin);
                    counts.push(column.clone());
                }
            }
        }
        let most = counts.iter().flatten().flatten().copied().fold(0.0, f64::max);
        Columns { width_ms, at, counts, most }
    }

    fn row_height(&self) -> f64 {
        f64::from(self.height) / self.buckets.rows.len().max(1) as f64
    }

    /// Bounds at the lines between rows, as many as fit.
    fn labels(&self, look: &Look) -> Vec<(f64, String)> {
        let row = self.row_height();
        let every = (LABEL_EVERY / row).ceil().max(1.0) as usize;
        let bounds = self.buckets.rows.iter().map(|r| r.1).enumerate().step_by(every);
        let first = self.buckets.rows.first().map(|r| (f64::from(self.height), self.unit.format(look.language, r.0)));
        let place =
            |(i, v): (usize, f64)| (f64::from(self.height) - (i + 1) as f64 * row, self.unit.format(look.language, v));
        first.into_iter().filter(|_| every == 1).chain(bounds.map(place)).collect()
    }

    fn row_name(&self, (lower, upper): (f64, f64), look: &Look) -> String {
        let of = |v: f64| self.unit.format(look.language, v);
        format!("{} – {}", of(lower), of(upper))
    }

    fn plot(&self, out: &mut String, columns: &Columns, ticks: &[TimeTick], look: &Look) {
        let span = (self.end_ms - self.start_ms).max(1) as f64;
        let (row, width) = (self.row_height(), columns.width_ms as f64 / span * WIDTH);
        let mut shades = vec![String::new(); SHADES];
        for (t, column) in columns.at.iter().zip(&columns.counts) {
            let x = (*t - self.start_ms) as f64 / span * WIDTH;
            let width = width.min(WIDTH - x);
            for (i, count) in column.iter().enumerate() {
                if let Some(shade) = count.and_then(|c| shade(c, columns.most)) {
                    cell(&mut shades[shade], (x, f64::from(self.height) - (i + 1) as f64 * row), width, row);
                }
            }
        }
        let h = self.height;
        let about = escape(&self.description(columns, look));
        let _ = write!(
            out,
            "<div class=\"plot-box\"><svg class=\"plot-lines\" viewBox=\"0 0 {WIDTH} {h}\" height=\"{h}\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-label=\"{about}\">"
        );
        for (i, d) in shades.iter().enumerate().filter(|(_, d)| !d.is_empty()) {
            let _ = write!(out, "<path class=\"h{}\" d=\"{d}\"/>", i + 1);
        }
        let mut lines = String::new();
        for tick in ticks {
            lines.push('M');
            push(&mut lines, (tick.t_ms - self.start_ms) as f64 / span * WIDTH);
            let _ = write!(lines, " 0V{h}");
        }
        let _ = write!(out, "<path class=\"grid\" d=\"{lines}\"/></svg></div>");
    }

    fn description(&self, columns: &Columns, look: &Look) -> String {
        let w = words(look.language);
        let at = |ms: i64| date_time(look.language, Timestamp::from_millis(ms), &look.zone);
        let totals = self.totals();
        let busiest = totals.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
        let row = self.buckets.rows.get(busiest).map(|r| self.row_name(*r, look)).unwrap_or_default();
        let title = if self.title.is_empty() { String::new() } else { format!("{}: ", self.title) };
        format!(
            "{title}{} {} {}; {}: {row}; {} {} {}",
            at(self.start_ms),
            w.to,
            at(self.end_ms),
            w.busiest,
            w.max,
            Unit::Short.format(look.language, columns.most),
            w.per_column
        )
    }

    /// All counts of each row.
    fn totals(&self) -> Vec<f64> {
        let mut totals = vec![0.0; self.buckets.rows.len()];
        for column in &self.buckets.counts {
            column.iter().zip(&mut totals).for_each(|(c, total)| *total += c.unwrap_or(0.0));
        }
        totals
    }

    /// Which shade is how much.
    fn key(&self, out: &mut String, most: f64, look: &Look) {
        out.push_str("<p class=\"heat-key\" aria-hidden=\"true\"><span>0</span><svg width=\"160\" height=\"10\">");
        for i in 0..SHADES {
            let _ = write!(out, "<path class=\"h{}\" d=\"M{} 0h20v10h-20Z\"/>", i + 1, i * 20);
        }
        let _ = write!(out, "</svg><span>{}</span></p>", escape(&Unit::Short.format(look.language, most)));
    }

    fn table(&self, out: &mut String, names: &[String], look: &Look) {
        let w = words(look.language);
        let _ = write!(
            out,
            "<details><summary>{}</summary><table><thead><tr><th scope=\"col\">{}</th><th scope=\"col\" class=\"num\">{}</th></tr></thead><tbody>",
            w.as_table, w.bucket, w.total
        );
        for (name, total) in names.iter().zip(self.totals()).rev().take(TABLE_ROWS) {
            let total = Unit::Short.format(look.language, total);
            let _ = write!(out, "<tr><th scope=\"row\">{}</th><td class=\"num\">{total}</td></tr>", escape(name));
        }
        out.push_str("</tbody></table></details>");
    }
}

fn add(to: &mut [Option<f64>], more: &[Option<f64>]) {
    for (a, b) in to.iter_mut().zip(more) {
        *a = match (*a, b) {
            (Some(x), Some(y)) => Some(x + y),
            (x, y) => x.or(*y),
        };
    }
}

/// The shade of a count: by its root, as counts of buckets span orders of magnitude. Nothing has none.
fn shade(count: f64, most: f64) -> Option<usize> {
    if count <= 0.0 || most <= 0.0 {
        return None;
    }
    let level = ((count / most).sqrt() * SHADES as f64).ceil() as usize;
    Some(level.clamp(1, SHADES) - 1)
}

fn cell(out: &mut String, (x, y): (f64, f64), width: f64, height: f64) {
    out.push('M');
    push(out, x);
    out.push(' ');
    push(out, y);
    out.push('h');
    push(out, width);
    out.push('v');
    push(out, height);
    out.push_str("h-");
    push(out, width);
    out.push('Z');
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use kernel::Language;

    fn look() -> Look {
        Look { language: Language::En, zone: TimeZone::UTC }
    }

    #[test]
    fn a_small_heat_map_is_what_it_should_be() {
        let buckets = Buckets {
            rows: vec![(0.0, 0.5), (0.5, f64::INFINITY)],
            times: vec![0, 10_000, 20_000],
            counts: vec![vec![Some(9.0), None], vec![Some(4.0), Some(0.0)], vec![Some(1.0), None]],
        };
        let map = Heatmap { unit: Unit::Seconds, height: 100, ..Heatmap::new(buckets, 0, 20_000, 10_000) };
        let html = map.render(&look());
        assert!(html.contains("<path class=\"h8\" d=\"M0 50h500v50h-500Z\"/>"), "{html}");
        assert!(html.contains("<path class=\"h4\" d=\"M500 50h500v50h-500Z\"/>"), "{html}");
        assert!(html.contains("most frequent: 0\u{202f}s – 500\u{202f}ms"), "{html}");
        assert!(html.contains("\"cells\":[[4.0,0.0],[1.0,null]]"), "{html}");
    }

    #[test]
    fn many_columns_are_put_together() {
        let times: Vec<i64> = (1..=9_999).collect();
        let counts = vec![vec![Some(1.0)]; times.len()];
        let map = Heatmap::new(Buckets { rows: vec![(0.0, 1.0)], times, counts }, 0, 9_999, 1);
        let columns = map.columns();
        assert!(columns.at.len() <= HEAT_COLUMNS, "{}", columns.at.len());
        assert_eq!(columns.counts.iter().flatten().flatten().sum::<f64>(), 9_999.0);
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        assert!(Heatmap::new(Buckets::default(), 0, 10, 1).render(&look()).contains("No data"));
    }
}
