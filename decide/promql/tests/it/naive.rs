//! The evaluator against the definitions, computed step by step from plain samples.

use std::collections::BTreeMap;

use decide_promql::memory::MemoryReader;
use decide_promql::{Limits, Query, Value, evaluate, parse};
use kernel::Labels;
use kernel::series::{is_stale, stale_nan};
use proptest::prelude::*;

use crate::script::compare::almost_equal;

type Samples = Vec<(i64, f64)>;

const LOOKBACK_MS: i64 = 300_000;

/// Samples at growing times, some stale, some NaN, mostly small numbers so that counters are reset.
fn samples() -> impl Strategy<Value = Samples> {
    let value = prop_oneof![12 => (0i32..50).prop_map(f64::from), 1 => Just(stale_nan()), 1 => Just(f64::NAN), 2 => -3.0..3.0f64];
    prop::collection::vec((1i64..60_000, value), 0..60).prop_map(|steps| {
        let mut t = 0;
        steps
            .into_iter()
            .map(|(gap, v)| {
                t += gap;
                (t, v)
            })
            .collect()
    })
}

/// The newest sample in the lookback, unless it says that the series ended.
fn newest(samples: &Samples, t: i64) -> Option<f64> {
    let (at, v) = samples.iter().rev().find(|(at, _)| *at <= t)?;
    (*at > t - LOOKBACK_MS && !is_stale(*v)).then_some(*v)
}

fn window(samples: &Samples, t: i64, range: i64) -> Samples {
    samples.iter().copied().filter(|(at, v)| *at > t - range && *at <= t && !is_stale(*v)).collect()
}

fn increase(w: &Samples, start: i64, end: i64) -> Option<f64> {
    if w.len() < 2 {
        return None;
    }
    let (first, last) = (w[0], w[w.len() - 1]);
    let mut total = last.1 - first.1;
    for pair in w.windows(2) {
        if pair[1].1 < pair[0].1 {
            total += pair[0].1;
        }
    }
    let sampled = (last.0 - first.0) as f64;
    let gap = sampled / (w.len() - 1) as f64;
    let mut before = (first.0 - start) as f64;
    if before >= gap * 1.1 {
        before = gap / 2.0;
    }
    if total > 0.0 && first.1 >= 0.0 {
        before = before.min(sampled * first.1 / total);
    }
    let mut after = (end - last.0) as f64;
    if after >= gap * 1.1 {
        after = gap / 2.0;
    }
    Some(total * (sampled + before + after) / sampled)
}

/// What a function over a range is by its definition.
fn defined(function: &str, w: &Samples, start: i64, end: i64) -> Option<f64> {
    let values: Vec<f64> = w.iter().map(|s| s.1).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if function == "increase" {
        return increase(w, start, end);
    }
    if function == "rate" {
        return increase(w, start, end).map(|v| v / ((end - start) as f64 / 1000.0));
    }
    if values.is_empty() {
        return None;
    }
    Some(match function {
        "sum_over_time" => values.iter().sum(),
        "avg_over_time" => mean,
        "count_over_time" => n,
        "last_over_time" => values[values.len() - 1],
        "max_over_time" => values.iter().copied().fold(f64::NAN, f64::max),
        "min_over_time" => values.iter().copied().fold(f64::NAN, f64::min),
        "stdvar_over_time" => values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n,
        "changes" => values.windows(2).filter(|p| p[0] != p[1] && !(p[0].is_nan() && p[1].is_nan())).count() as f64,
        "resets" => values.windows(2).filter(|p| p[1] < p[0]).count() as f64,
        other => panic!("{other} is not defined here"),
    })
}

fn matrix(text: &str, reader: &MemoryReader, start: i64, end: i64, step: i64) -> BTreeMap<Labels, BTreeMap<i64, f64>> {
    let expr = parse(text).unwrap();
    let found = evaluate(&Query::range(&expr, start, end, step), reader, &Limits::default()).unwrap();
    let Value::Matrix(matrix) = found.value else { panic!("{text}: no matrix") };
    matrix.into_iter().map(|m| (m.labels, m.samples.iter().map(|s| (s.t_ms, s.value)).collect())).collect()
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => almost_equal(a, b) || (a - b).abs() < 1e-9,
        (a, b) => a.is_none() && b.is_none(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn functions_over_ranges(
        samples in samples(),
        range in 1i64..400_000,
        start in 0i64..600_000,
        step in 1i64..70_000,
        offset in -100i64..100,
    ) {
        let mut reader = MemoryReader::default();
        reader.add(Labels::metric("m_total", [("a", "b")]), &samples);
        let functions = [
            "rate", "increase", "sum_over_time", "avg_over_time", "count_over_time", "last_over_time",
            "max_over_time", "min_over_time", "stdvar_over_time", "changes", "resets",
        ];
        for function in functions {
            let text = format!("{function}(m_total[{range}ms] offset {offset}s)");
            let found = matrix(&text, &reader, start, start + 10 * step, step);
            for t in (0..=10).map(|i| start + i * step) {
                let end = t - offset * 1000;
                let expect = defined(function, &window(&samples, end, range), end - range, end);
                let got = found.values().next().and_then(|points| points.get(&t)).copied();
                prop_assert!(close(expect, got), "{} at {}: expected {:?}, got {:?}", text, t, expect, got);
            }
        }
    }

    #[test]
    fn aggregations(
        columns in prop::collection::vec(samples(), 1..6),
        start in 0i64..600_000,
        step in 1i64..70_000,
    ) {
        let mut reader = MemoryReader::default();
        for (i, samples) in columns.iter().enumerate() {
            reader.add(Labels::metric("m", [("i", &i.to_string()), ("odd", &(i % 2).to_string())]), samples);
        }
        for op in ["sum", "avg", "min", "max", "count"] {
            let found = matrix(&format!("{op} by (odd) (m)"), &reader, start, start + 10 * step, step);
            for odd in 0..2 {
                let points = found.get(&Labels::new([("odd", odd.to_string())]));
                for t in (0..=10).map(|i| start + i * step) {
                    let members = columns.iter().enumerate().filter(|(i, _)| i % 2 == odd);
                    let values: Vec<f64> = members.filter_map(|(_, s)| newest(s, t)).collect();
                    let expect = (!values.is_empty()).then(|| match op {
                        "sum" => values.iter().sum(),
                        "avg" => values.iter().sum::<f64>() / values.len() as f64,
                        "min" => values.iter().copied().fold(f64::NAN, f64::min),
                        "max" => values.iter().copied().fold(f64::NAN, f64::max),
                        _ => values.len() as f64,
                    });
                    let got = points.and_then(|p| p.get(&t)).copied();
                    prop_assert!(close(expect, got), "{} at {}: expected {:?}, got {:?}", op, t, expect, got);
                }
            }
        }
    }

    #[test]
    fn pairs_and_comparisons(left in samples(), right in samples(), start in 0i64..600_000, step in 1i64..70_000) {
        let mut reader = MemoryReader::default();
        reader.add(Labels::metric("l", [("a", "1")]), &left);
        reader.add(Labels::metric("r", [("a", "1")]), &right);
        type Operation = fn(f64, f64) -> Option<f64>;
        let operations: [(&str, Operation); 6] = [
            ("l - r", |l, r| Some(l - r)),
            ("l > r", |l, r| (l > r).then_some(l)),
            ("l == bool r", |l, r| Some(f64::from(u8::from(l == r)))),
            ("l / on (a) group_left r", |l, r| Some(l / r)),
            ("l and r", |l, _| Some(l)),
            ("r < on (a) group_right l", |l, r| (r < l).then_some(r)),
        ];
        for (text, operation) in operations {
            let found = matrix(text, &reader, start, start + 10 * step, step);
            for t in (0..=10).map(|i| start + i * step) {
                let both = newest(&left, t).zip(newest(&right, t));
                let expect = both.and_then(|(l, r)| operation(l, r));
                let got = found.values().next().and_then(|points| points.get(&t)).copied();
                prop_assert!(close(expect, got), "{} at {}: expected {:?}, got {:?}", text, t, expect, got);
            }
        }
    }
}
