//! Whether a result is what a script expects.

use std::collections::BTreeMap;

use decide_promql::{Annotation, AnnotationKind, EvalError, Evaluated, Value};
use kernel::Labels;
use kernel::series::{Histogram, Point};

use super::parse::{Eval, Text};

const EPSILON: f64 = 1e-6;

pub(crate) fn almost_equal(a: f64, b: f64) -> bool {
    if a.is_nan() || b.is_nan() {
        return a.is_nan() && b.is_nan();
    }
    if a == b {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < EPSILON * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < EPSILON
}

fn same_bound(a: f64, b: f64) -> bool {
    a == b || (a.is_finite() && b.is_finite() && (a - b).abs() <= 1e-9 * a.abs().max(b.abs()))
}

/// Histograms are compared by what can be seen of them: count, sum, and buckets that hold something.
fn same_histogram(a: &Histogram, b: &Histogram) -> bool {
    let filled = |h: &Histogram| h.buckets().into_iter().filter(|b| b.count != 0.0).collect::<Vec<_>>();
    let (x, y) = (filled(a), filled(b));
    almost_equal(a.count, b.count)
        && almost_equal(a.sum, b.sum)
        && x.len() == y.len()
        && x.iter().zip(&y).all(|(x, y)| {
            x.boundary_rule() == y.boundary_rule()
                && same_bound(x.lower, y.lower)
                && same_bound(x.upper, y.upper)
                && almost_equal(x.count, y.count)
        })
}

fn same_point(a: &Point, b: &Point) -> bool {
    match (a, b) {
        (Point::Float(a), Point::Float(b)) => almost_equal(*a, *b),
        (Point::Histogram(a), Point::Histogram(b)) => same_histogram(a, b),
        _ => false,
    }
}

fn show(points: &BTreeMap<i64, Point>) -> String {
    let one = |(t, p): (&i64, &Point)| match p {
        Point::Float(v) => format!("{t}: {v}"),
        Point::Histogram(h) => format!("{t}: {h}"),
    };
    points.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn fits(text: &Text, found: &str) -> bool {
    match text {
        Text::Any => true,
        Text::Exact(t) => t == found,
        Text::Regex(r) => regex::Regex::new(r).unwrap().is_match(found),
    }
}

pub(crate) fn check(eval: &Eval, result: &Result<Evaluated, EvalError>) -> Result<(), String> {
    let found = match (&eval.fail, result) {
        (Some(text), Err(e)) if fits(text, &e.to_string()) => return Ok(()),
        (Some(text), Err(e)) => return Err(format!("fails with {:?}, expected {text:?}", e.to_string())),
        (Some(_), Ok(_)) => return Err("should fail".to_owned()),
        (None, Err(e)) => return Err(format!("fails: {e}")),
        (None, Ok(found)) => found,
    };
    check_value(eval, &found.value)?;
    check_annotations(&eval.warn, eval.no_warn, AnnotationKind::Warning, &found.annotations)?;
    check_annotations(&eval.info, eval.no_info, AnnotationKind::Info, &found.annotations)
}

fn check_annotations(wanted: &[Text], none: bool, kind: AnnotationKind, all: &[Annotation]) -> Result<(), String> {
    let found: Vec<String> = all.iter().filter(|a| a.kind == kind).map(ToString::to_string).collect();
    if none && !found.is_empty() {
        return Err(format!("expected no {kind:?}, got {found:?}"));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let missing = wanted.iter().find(|w| !found.iter().any(|f| fits(w, f)));
    if let Some(missing) = missing {
        return Err(format!("expected {kind:?} {missing:?}, got {found:?}"));
    }
    match found.iter().find(|f| !wanted.iter().any(|w| fits(w, f))) {
        Some(extra) => Err(format!("unexpected {kind:?}: {extra}")),
        None => Ok(()),
    }
}

type Found = Vec<(Labels, BTreeMap<i64, Point>)>;

/// The series of a result and their points.
pub(crate) fn series_of(value: &Value) -> Found {
    match value {
        Value::Vector(all) => {
            all.iter().map(|v| (v.labels.clone(), BTreeMap::from([(v.t_ms, v.value.clone())]))).collect()
        }
        Value::Matrix(all) => {
            let points = |m: &decide_promql::MatrixSeries| {
                let floats = m.samples.iter().map(|s| (s.t_ms, Point::Float(s.value)));
                floats.chain(m.histograms.iter().map(|(t, h)| (*t, Point::Histogram(h.clone())))).collect()
            };
            all.iter().map(|m| (m.labels.clone(), points(m))).collect()
        }
        _ => Vec::new(),
    }
}

pub(crate) fn check_value(eval: &Eval, value: &Value) -> Result<(), String> {
    match value {
        Value::Scalar(s) => match eval.scalar {
            Some(v) if almost_equal(v, s.value) => Ok(()),
            expected => Err(format!("scalar {}, expected {expected:?}", s.value)),
        },
        Value::String(s) => match &eval.string {
            Some(text) if text == s => Ok(()),
            expected => Err(format!("string {s:?}, expected {expected:?}")),
        },
        Value::Vector(_) => check_series(eval, series_of(value), &[eval.start_ms]),
        Value::Matrix(_) => {
            let (start, end, step) =
                eval.range_vector.unwrap_or((eval.start_ms, eval.end_ms, eval.step_ms.unwrap_or(1)));
            let times: Vec<i64> = (0..=(end - start) / step.max(1)).map(|i| start + i * step).collect();
            check_series(eval, series_of(value), &times)
        }
        other => Err(format!("unknown kind of value: {other:?}")),
    }
}

/// `times` are those of the values as the script lists them.
pub(crate) fn check_series(eval: &Eval, found: Found, times: &[i64]) -> Result<(), String> {
    if let Some(v) = eval.scalar {
        return Err(format!("expected the scalar {v}, got series"));
    }
    let wanted: BTreeMap<&Labels, &Vec<Option<Point>>> = eval.series.iter().map(|(l, v)| (l, v)).collect();
    if let Some((extra, points)) = found.iter().find(|(l, _)| !wanted.contains_key(l)) {
        return Err(format!("unexpected series {extra} ({}), got {} series", show(points), found.len()));
    }
    for (labels, items) in &wanted {
        let Some((_, got)) = found.iter().find(|(l, _)| l == *labels) else {
            return Err(format!("series {labels} is missing"));
        };
        let present = items.iter().zip(times).filter_map(|(item, t)| Some((*t, item.clone()?)));
        let expected: BTreeMap<i64, Point> = present.collect();
        let same = expected.keys().eq(got.keys()) && expected.values().zip(got.values()).all(|(a, b)| same_point(a, b));
        if !same {
            return Err(format!("{labels}:\n      expected {}\n      got      {}", show(&expected), show(got)));
        }
    }
    if eval.ordered && !eval.series.iter().map(|s| &s.0).eq(found.iter().map(|s| &s.0)) {
        return Err(format!("wrong order: {:?}", found.iter().map(|f| &f.0).collect::<Vec<_>>()));
    }
    Ok(())
}
