//! Tests of charts over time. Pure.

use jiff::tz::TimeZone;
use kernel::Language;

use super::*;

fn look() -> Look {
    Look { language: Language::Es, zone: TimeZone::UTC }
}

fn small() -> TimeSeries {
    let line = Line::new("a", vec![(0, 0.0), (10_000, 2.0), (20_000, 1.0)]);
    TimeSeries { title: "T".into(), height: 100, ..TimeSeries::new(vec![line], 0, 20_000, 10_000) }
}

/// The `d` of the path with a class.
fn path<'a>(html: &'a str, class: &str) -> &'a str {
    let (_, rest) = html.split_once(&format!("<path class=\"{class}\" d=\"")).unwrap();
    rest.split('"').next().unwrap()
}

#[test]
fn a_small_chart_is_what_it_should_be() {
    let html = small().render(&look());
    assert_eq!(path(&html, "line"), "M0 100L500 0L1000 50");
    for part in [
        "aria-label=\"T: 1 series, 1 ene 1970, 00:00:00 a 1 ene 1970, 00:00:20\"",
        "<td class=\"num\" data-label=\"último\">1</td>",
        "\"at\":[0,10000,20000]",
        "\"values\":[0.0,2.0,1.0]",
        "viewBox=\"0 0 1000 100\" height=\"100\" preserveAspectRatio=\"none\"",
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
}

#[test]
fn gaps_and_single_points_are_seen() {
    let mut chart = small();
    chart.end_ms = 100_000;
    chart.lines[0].points = vec![(0, 1.0), (10_000, 1.0), (50_000, 1.0), (90_000, f64::NAN), (100_000, 0.0)];
    let html = chart.render(&look());
    assert_eq!(path(&html, "line"), "M0 0L100 0M500 0h0M1000 100h0");
}

#[test]
fn stacks_stand_on_one_another() {
    let lines = [
        Line::new("a", vec![(0, 1.0), (10_000, 1.0)]),
        Line::new("b", vec![(0, 1.0), (10_000, 3.0)]),
        Line::new("c", vec![(0, -2.0)]),
    ];
    let layers = stack(&lines.iter().collect::<Vec<_>>(), 0, 10_000);
    assert_eq!(layers[1], (vec![(0, 1.0), (10_000, 1.0)], vec![(0, 2.0), (10_000, 4.0)]));
    assert_eq!(layers[2].1, vec![(0, -2.0), (10_000, 4.0)]);
    let chart = TimeSeries { stacked: true, height: 100, ..TimeSeries::new(lines[..2].to_vec(), 0, 10_000, 10_000) };
    assert_eq!(path(&chart.render(&look()), "area"), "M0 75L1000 75L1000 100L0 100Z");
}

#[test]
fn bars_share_their_step() {
    let lines = vec![Line::new("a", vec![(0, 1.0)]), Line::new("b", vec![(0, 2.0)])];
    let chart = TimeSeries { drawing: Drawing::Bars, height: 100, ..TimeSeries::new(lines, 0, 100_000, 10_000) };
    let html = chart.render(&look());
    assert_eq!(path(&html, "bar"), "M-40 100V50h40V100Z");
}

#[test]
fn thresholds_are_lines_or_bands() {
    let mut chart = small();
    chart.thresholds = vec![
        Threshold { value: 1.0, level: Level::Warning, band: true },
        Threshold { value: 1.5, level: Level::Bad, band: false },
    ];
    let html = chart.render(&look());
    assert!(html.contains("<rect class=\"band warning\" width=\"1000\" y=\"25\" height=\"25\"/>"), "{html}");
    assert_eq!(path(&html, "threshold bad"), "M0 25H1000");
}

#[test]
fn what_is_not_drawn_is_said() {
    let lines: Vec<Line> = (0..60).map(|i| Line::new(format!("s{i}"), vec![(0, 1.0)])).collect();
    let chart = TimeSeries { lines_in_all: 1_234, ..TimeSeries::new(lines, 0, 10, 10) };
    let html = chart.render(&look());
    assert!(html.contains("Se muestran 50 de 1234 series"), "{html}");
    assert!(html.contains(">s49<") && !html.contains(">s50<"));
    let none = TimeSeries::new(vec![Line::new("a", vec![(0, f64::NAN)])], 0, 10, 10).render(&look());
    assert!(none.contains("No hay datos"));
}

#[test]
fn names_cannot_leave_their_places() {
    let mut chart = small();
    let hostile = "</svg><script>alert(1)</script>' onload='x\" y=\"";
    (chart.title, chart.lines[0].name) = (hostile.into(), hostile.into());
    for legend in [Legend::None, Legend::List, Legend::Table] {
        chart.legend = legend;
        let html = chart.render(&look());
        assert!(!html.contains("<script") && !html.contains("' onload") && !html.contains("\" y=\"\""), "{html}");
    }
}

#[test]
fn an_answer_is_bounded_whatever_is_measured() {
    let points: Vec<At> = (0..5_000).map(|i| (i, f64::from((i % 977) as u32))).collect();
    let lines: Vec<Line> = (0..LINES_DRAWN).map(|i| Line::new(format!("s{i}"), points.clone())).collect();
    for stacked in [false, true] {
        let chart = TimeSeries { stacked, ..TimeSeries::new(lines.clone(), 0, 4_999, 1) };
        let size = chart.render(&look()).len();
        // Fifty lines of at most 2,400 points of twelve letters, twice where there is an area.
        assert!(size < 6_000_000, "{size}");
    }
}

#[test]
fn a_line_at_the_right_has_its_own_scale_and_unit() {
    let mut chart = small();
    let right = Line { right: true, ..Line::new("b", vec![(0, 0.0), (10_000, 1e6), (20_000, 5e5)]) };
    chart.lines.push(right);
    let alone = chart.render(&look());
    assert!(!alone.contains("plot-right"), "without an axis it is drawn at the left");
    chart.right = Some(RightAxis { unit: Unit::Bytes, min: Some(0.0), max: Some(1e6) });
    let html = chart.render(&look());
    // Both fill the plot, each by its own scale.
    assert!(html.contains("d=\"M0 100L500 0L1000 50\"/></g><g class=\"c1\" data-line=\"1\">"), "{html}");
    assert_eq!(html.matches("d=\"M0 100L500 0L1000 50\"").count(), 2, "{html}");
    assert!(html.contains("plot-right") && html.contains("KiB") && html.contains("eje derecho"), "{html}");
    assert!(html.contains("\"unit\":\"bytes\""), "the pointer is told its unit");
}

#[test]
fn what_happened_is_marked_and_told() {
    let mut chart = small();
    let mark =
        |from_ms, to_ms, title: &str| Mark { from_ms, to_ms, title: title.into(), tone: "tone-red", ..Mark::default() };
    chart.marks = vec![mark(5_000, 10_000, "<b>caída</b>"), mark(10_000, 10_000, "1.2"), mark(90_000, 95_000, "later")];
    let html = chart.render(&look());
    assert!(
        html.contains("<rect x=\"250\" width=\"250\" height=\"100\"/><path d=\"M250 0V100M500 0V100\"/>"),
        "{html}"
    );
    assert!(html.contains("<g class=\"mark tone-red\"><title>1.2</title><path d=\"M500 0V100\"/>"), "{html}");
    assert!(html.contains("; 2 marcas\"") && !html.contains("later") && !html.contains("<b>"), "{html}");
}

#[test]
fn the_legend_has_the_numbers_that_are_wanted_and_a_table_has_all() {
    let mut chart = small();
    chart.figures = vec![Figure::Max, Figure::Sum];
    chart.numbers = true;
    let html = chart.render(&look());
    assert!(
        html.contains("<td class=\"num\" data-label=\"máx.\">2</td><td class=\"num\" data-label=\"suma\">3</td>"),
        "{html}"
    );
    let (_, table) = html.split_once("<details class=\"numbers\">").unwrap();
    let cells: Vec<&str> = table.split("<td class=\"num\">").skip(1).map(|c| c.split('<').next().unwrap()).collect();
    assert_eq!(cells, ["1", "2", "0"], "the newest first");
    chart.lines = (0..20).map(|i| Line::new(format!("s{i}"), (0..500).map(|t| (t * 40, 1.0)).collect())).collect();
    chart.step_ms = 40;
    let html = chart.render(&look());
    assert!(
        html.matches("<tr><th scope=\"row\">").count() <= 60 && html.contains("Se muestran 12 de 20 series"),
        "{html}"
    );
}
