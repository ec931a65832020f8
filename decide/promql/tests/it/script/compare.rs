//! Whether a result is what a script expects.

use std::collections::BTreeMap;

use decide_promql::{Annotation, AnnotationKind, EvalError, Evaluated, Value};
use kernel::Labels;
use kernel::series::{Point, Sample};

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
        Value::Vector(vector) => {
            let series = vector.iter().map(|v| (v.labels.clone(), vec![v.sample]));
            check_series(eval, series.collect(), &[eval.start_ms])
        }
        Value::Matrix(matrix) => {
            let (start, end, step) =
                eval.range_vector.unwrap_or((eval.start_ms, eval.end_ms, eval.step_ms.unwrap_or(1)));
            let times: Vec<i64> = (0..=(end - start) / step.max(1)).map(|i| start + i * step).collect();
            let series = matrix.iter().map(|m| (m.labels.clone(), m.samples.clone()));
            check_series(eval, series.collect(), &times)
        }
        other => Err(format!("unknown kind of value: {other:?}")),
    }
}

/// `times` are those of the values as the script lists them.
fn check_series(eval: &Eval, found: Vec<(Labels, Vec<Sample>)>, times: &[i64]) -> Result<(), String> {
    if let Some(v) = eval.scalar {
        return Err(format!("expected the scalar {v}, got series"));
    }
    let wanted: BTreeMap<&Labels, &Vec<Option<Point>>> = eval.series.iter().map(|(l, v)| (l, v)).collect();
    if let Some((extra, _)) = found.iter().find(|(l, _)| !wanted.contains_key(l)) {
        return Err(format!("unexpected series {extra}, got {} series", found.len()));
    }
    for (labels, items) in &wanted {
        let Some((_, samples)) = found.iter().find(|(l, _)| l == *labels) else {
            return Err(format!("series {labels} is missing"));
        };
        let expected: BTreeMap<i64, f64> = items
            .iter()
            .zip(times)
            .filter_map(|(item, t)| match item {
                Some(Point::Float(v)) => Some((*t, *v)),
                Some(Point::Histogram(_)) => Some((*t, f64::MAX)),
                None => None,
            })
            .collect();
        let got: BTreeMap<i64, f64> = samples.iter().map(|s| (s.t_ms, s.value)).collect();
        let same =
            expected.keys().eq(got.keys()) && expected.values().zip(got.values()).all(|(a, b)| almost_equal(*a, *b));
        if !same {
            return Err(format!("{labels}: expected {expected:?}, got {got:?}"));
        }
    }
    if eval.ordered && !eval.series.iter().map(|s| &s.0).eq(found.iter().map(|s| &s.0)) {
        return Err(format!("wrong order: {:?}", found.iter().map(|f| &f.0).collect::<Vec<_>>()));
    }
    Ok(())
}
