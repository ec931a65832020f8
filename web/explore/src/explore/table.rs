//! Results as tables. Pure.

use std::fmt::Write as _;

use decide_promql::{MatrixSeries, Value, format_number};
use kernel::html::escape;
use kernel::series::{Histogram, Point};
use kernel::{Labels, Timestamp};

use crate::Site;
use crate::chart::Unit;
use crate::format::date_time;
use crate::limits::{TABLE_BUCKETS, TABLE_ROWS, TABLE_SAMPLES};

/// A result as HTML: numbers in their unit, histograms in that of what they observed.
pub(crate) fn table(site: &Site, value: &Value, unit: &Unit, observed: &Unit) -> String {
    match value {
        Value::Scalar(sample) => figure(site, sample.value, unit),
        Value::String(text) => format!("<p class=\"scalar\">{}</p>", escape(text)),
        Value::Vector(all) if all.is_empty() => none(site),
        Value::Matrix(all) if all.is_empty() => none(site),
        Value::Vector(all) => {
            let rows = all.iter().take(TABLE_ROWS).map(|s| (&s.labels, point(site, &s.value, unit, observed)));
            rows_of(site, rows, all.len())
        }
        Value::Matrix(all) => {
            let rows = all.iter().take(TABLE_ROWS).map(|s| (&s.labels, samples(site, s, observed)));
            rows_of(site, rows, all.len())
        }
        _ => none(site),
    }
}

fn none(site: &Site) -> String {
    format!("<p class=\"empty\">{}</p>", site.text().explore.no_result)
}

fn rows_of<'l>(site: &Site, rows: impl Iterator<Item = (&'l Labels, String)>, all: usize) -> String {
    let t = site.text();
    let mut out = format!(
        "<table class=\"results\"><thead><tr><th scope=\"col\">{}</th><th scope=\"col\" class=\"num\">{}</th></tr></thead><tbody>",
        t.common.labels, t.common.value
    );
    for (labels, value) in rows {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th><td class=\"num\">{value}</td></tr>", labels_html(labels));
    }
    out.push_str("</tbody></table>");
    if all > TABLE_ROWS {
        let (some, all) = (site.count(TABLE_ROWS as u64), site.count(all as u64));
        let c = &t.common;
        let _ = write!(out, "<p class=\"caption cut\">{} {some} {} {all} {}</p>", c.shown, c.of, t.explore.series);
    }
    out
}

/// Name and labels, told apart by how they look.
pub(crate) fn labels_html(labels: &Labels) -> String {
    let mut out = format!("<code class=\"series\"><b>{}</b>", escape(labels.name()));
    let pairs: Vec<(&str, &str)> = labels.iter().filter(|(n, _)| *n != kernel::labels::METRIC_NAME).collect();
    if pairs.is_empty() && !labels.name().is_empty() {
        out.push_str("</code>");
        return out;
    }
    out.push('{');
    for (i, (name, value)) in pairs.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        let _ = write!(out, "<i>{}</i>=\"{}\"", escape(name), escape(value));
    }
    out.push_str("}</code>");
    out
}

fn figure(site: &Site, value: f64, unit: &Unit) -> String {
    format!("<p class=\"scalar\">{}</p>", number(site, value, unit))
}

/// A number to the last digit, and as people read it where that differs.
fn number(site: &Site, value: f64, unit: &Unit) -> String {
    let exact = format_number(value);
    let read = unit.format(site.language, value);
    let plain = |text: &str| text.replace(['\u{202f}', ','], "").replace('−', "-");
    match value.is_finite() && plain(&read) != plain(&exact) && (value.abs() >= 1_000.0 || *unit != Unit::Short) {
        true => format!("{} <small>{}</small>", escape(&exact), escape(&read)),
        false => escape(&exact),
    }
}

fn point(site: &Site, value: &Point, unit: &Unit, observed: &Unit) -> String {
    match value {
        Point::Float(v) => number(site, *v, unit),
        Point::Histogram(h) => histogram(site, h, observed),
    }
}

/// The newest samples of a range, each with its time.
fn samples(site: &Site, series: &MatrixSeries, observed: &Unit) -> String {
    let floats = series.samples.iter().map(|s| (s.t_ms, Point::Float(s.value)));
    let mut all: Vec<(i64, Point)> =
        floats.chain(series.histograms.iter().map(|(t, h)| (*t, Point::Histogram(h.clone())))).collect();
    all.sort_by_key(|(t, _)| std::cmp::Reverse(*t));
    let mut out = String::from("<ul class=\"samples\">");
    for (t, value) in all.iter().take(TABLE_SAMPLES) {
        let at = date_time(site.language, Timestamp::from_millis(*t), &site.zone);
        let value = match value {
            Point::Float(v) => escape(&format_number(*v)),
            Point::Histogram(h) => histogram(site, h, observed),
        };
        let _ = write!(out, "<li>{value} <small>{at}</small></li>");
    }
    if all.len() > TABLE_SAMPLES {
        let rest = site.count((all.len() - TABLE_SAMPLES) as u64);
        let _ = write!(out, "<li><small>{rest} {}</small></li>", site.text().explore.older);
    }
    out.push_str("</ul>");
    out
}

/// A native histogram: its sums, and its buckets as bars.
fn histogram(site: &Site, h: &Histogram, unit: &Unit) -> String {
    let t = &site.text().explore;
    let of = |v: f64| escape(&unit.format(site.language, v));
    let count = |v: f64| escape(&Unit::Short.format(site.language, v));
    let mean = if h.count > 0.0 { of(h.sum / h.count) } else { "–".to_owned() };
    let mut out = format!(
        "<details class=\"histogram\"><summary>{} {} · {} {} · {} {mean}</summary><table><thead><tr><th scope=\"col\">{}</th>\
         <th scope=\"col\" class=\"num\">{}</th><td></td></tr></thead><tbody>",
        t.count,
        count(h.count),
        t.sum,
        of(h.sum),
        t.mean,
        t.bucket,
        t.count
    );
    let buckets: Vec<_> = h.buckets().into_iter().filter(|b| b.count != 0.0).collect();
    let most = buckets.iter().map(|b| b.count).fold(f64::MIN_POSITIVE, f64::max);
    for b in buckets.iter().take(TABLE_BUCKETS) {
        let (left, right) = (if b.lower_inclusive { '[' } else { '(' }, if b.upper_inclusive { ']' } else { ')' });
        let width = (b.count / most * 100.0).clamp(0.5, 100.0);
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{left}{}; {}{right}</th><td class=\"num\">{}</td><td><svg class=\"share c0\" width=\"100\" height=\"8\" \
             aria-hidden=\"true\"><rect width=\"{width:.1}\" height=\"8\" rx=\"1\"/></svg></td></tr>",
            of(b.lower),
            of(b.upper),
            count(b.count)
        );
    }
    out.push_str("</tbody></table>");
    if buckets.len() > TABLE_BUCKETS {
        let rest = site.count((buckets.len() - TABLE_BUCKETS) as u64);
        let _ = write!(out, "<p class=\"caption\">{rest} {}</p>", t.more_buckets);
    }
    out.push_str("</details>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::request::tests::site;
    use decide_promql::VectorSample;
    use kernel::series::{BucketSpan, Sample};
    use std::sync::Arc;

    #[test]
    fn numbers_are_exact_and_readable() {
        let of = |v: f64, unit: Unit| number(&site(), v, &unit).replace('\u{202f}', " ");
        assert_eq!(of(1.0, Unit::Short), "1");
        assert_eq!(of(1_610_612_736.0, Unit::Bytes), "1610612736 <small>1.5 GiB</small>");
        assert_eq!(of(0.123_456, Unit::Short), "0.123456");
        assert_eq!(of(f64::NAN, Unit::Bytes), "NaN");
    }

    #[test]
    fn histograms_are_read_by_people() {
        let h = Histogram {
            count: 4.0,
            sum: 2.0,
            positive_spans: vec![BucketSpan { offset: -1, length: 2 }],
            positive_buckets: vec![1.0, 3.0],
            ..Histogram::default()
        };
        let labels = Labels::metric("h", [("a", "<b>")]);
        let value = Value::Vector(vec![VectorSample { labels, t_ms: 0, value: Point::Histogram(Arc::new(h)) }]);
        let html = table(&site(), &value, &Unit::Short, &Unit::Seconds).replace('\u{202f}', " ");
        assert!(html.contains("Observations 4 · Sum 2 s · Mean 500 ms"), "{html}");
        assert!(html.contains("(500 ms; 1 s]") && html.contains("&lt;b&gt;") && !html.contains("<b>\""), "{html}");
    }

    #[test]
    fn cut_tables_say_so() {
        let sample =
            |i: usize| VectorSample { labels: Labels::new([("i", i.to_string())]), t_ms: 0, value: Point::Float(1.0) };
        let value = Value::Vector((0..1_234).map(sample).collect());
        assert!(table(&site(), &value, &Unit::Short, &Unit::Short).contains("Shows 500 of 1,234 series"));
        let range = MatrixSeries {
            labels: Labels::default(),
            samples: (0..30).map(|t| Sample { t_ms: t, value: 1.0 }).collect(),
            histograms: Vec::new(),
        };
        assert!(table(&site(), &Value::Matrix(vec![range]), &Unit::Short, &Unit::Short).contains("10 older samples"));
    }
}
