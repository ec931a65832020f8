//! Made-up expressions over made-up data: the engine against the second evaluator, at one time and over ranges.

use std::collections::BTreeMap;

use decide_promql::memory::MemoryReader;
use decide_promql::{EvalError, Limits, Query, Value, evaluate, parse};
use kernel::Labels;
use kernel::series::stale_nan;
use proptest::prelude::*;

use crate::model::{Data, Part, Refused, Selector, Times};
use crate::script::compare::almost_equal;

/// Small whole numbers, so that sums are exact; some samples stale, some NaN; gaps longer and shorter than the lookback.
fn samples() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let value = prop_oneof![14 => (0i32..9).prop_map(f64::from), 1 => Just(stale_nan()), 1 => Just(f64::NAN), 2 => (-3i32..0).prop_map(f64::from)];
    let gap = prop_oneof![9 => 1_000i64..40_000, 1 => 100_000i64..500_000];
    prop::collection::vec((gap, value), 0..30).prop_map(|steps| {
        let mut t = 0;
        let at = |(gap, v)| {
            t += gap;
            (t, v)
        };
        steps.into_iter().map(at).collect()
    })
}

/// Three metrics of three series each, with labels in common.
fn data() -> impl Strategy<Value = Data> {
    prop::collection::vec(samples(), 9).prop_map(|all| {
        let labels = |n: usize| {
            let (name, i) = (["a", "b", "c"][n / 3], (n % 3).to_string());
            let odd = if n % 3 == 1 { "yes" } else { "no" };
            Labels::metric(name, [("i", i.as_str()), ("odd", odd)])
        };
        all.into_iter().enumerate().map(|(n, samples)| (labels(n), samples)).collect()
    })
}

/// A small reproducible source of choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn selector(&mut self) -> Selector {
        Selector {
            name: self.of(&["a", "b", "c"]),
            i: self.of(&[None, None, Some("0"), Some("1")]),
            offset_s: self.of(&[0, 0, 0, 30, 200, -20]),
            at: self.of(&[None, None, None, None, Some("start()"), Some("end()"), Some("300")]),
        }
    }

    fn over(&mut self) -> &'static str {
        self.of(&[
            "sum_over_time",
            "avg_over_time",
            "count_over_time",
            "last_over_time",
            "max_over_time",
            "min_over_time",
            "present_over_time",
            "changes",
            "rate",
        ])
    }

    fn comparison(&mut self) -> &'static str {
        self.of(&["==", "!=", "<", ">", "<=", ">="])
    }

    fn arithmetic(&mut self) -> &'static str {
        self.of(&["+", "-", "*", "/"])
    }

    fn part(&mut self, depth: usize) -> Part {
        if depth == 0 || self.below(6) == 0 {
            return if self.below(2) == 0 {
                Part::Select(self.selector())
            } else {
                Part::OverRange(self.over(), self.selector(), self.of(&[10, 60, 120, 600]))
            };
        }
        let part = Box::new(self.part(depth - 1));
        match self.below(8) {
            0 => {
                let function =
                    self.of(&["sum_over_time", "count_over_time", "max_over_time", "last_over_time", "changes"]);
                let (range, step) = self.of(&[(60, 20), (100, 30), (300, 60), (10, 60)]);
                // What a rounding decides must not be counted.
                let function = if part.is_exact() || function != "changes" { function } else { "count_over_time" };
                Part::OverSubquery(function, part, range, step)
            }
            1 => Part::Map(self.of(&["abs", "sgn", "-"]), part),
            2 | 3 => {
                let op = self.of(&["sum", "avg", "count", "group", "max", "min"]);
                let grouping = self.of(&["", "by (i)", "by (odd)", "by (i, odd)", "without (i)", "without (odd)"]);
                Part::Fold(op, grouping, part)
            }
            4 => {
                let compares = part.is_exact() && self.below(2) == 0;
                let op = if compares { self.comparison() } else { self.arithmetic() };
                Part::WithNumber(part, op, compares && self.below(2) == 0, self.of(&[-2, 0, 1, 3, 7]))
            }
            5 | 6 => {
                let other = Box::new(self.part(depth - 1));
                let compares = part.is_exact() && other.is_exact() && self.below(2) == 0;
                let op = if compares { self.comparison() } else { self.arithmetic() };
                let matching = self.of(&[
                    "",
                    "",
                    "on (i)",
                    "ignoring (odd)",
                    "on (i) group_left ()",
                    "ignoring (odd) group_left ()",
                ]);
                Part::Pair(part, op, compares && self.below(2) == 0, matching, other)
            }
            _ => {
                let other = Box::new(self.part(depth - 1));
                let (op, matching) = (self.of(&["and", "or", "unless"]), self.of(&["", "on (i)", "ignoring (odd)"]));
                Part::Set(part, op, matching, other)
            }
        }
    }
}

type Points = BTreeMap<Labels, BTreeMap<i64, f64>>;

/// What the model says at all times; refused when it is refused at any.
fn expected(part: &Part, grid: &[i64], times: Times, data: &Data) -> Result<Points, Refused> {
    let mut out = Points::new();
    for t in grid {
        for (labels, v) in part.answer(*t, times, data)? {
            out.entry(labels).or_default().insert(*t, v);
        }
    }
    Ok(out)
}

fn found(query: &Query<'_>, reader: &MemoryReader) -> Result<Points, EvalError> {
    Ok(match evaluate(query, reader, &Limits::default())?.value {
        Value::Vector(all) => {
            all.iter().map(|v| (v.labels.clone(), BTreeMap::from([(v.t_ms, v.float().unwrap())]))).collect()
        }
        Value::Matrix(all) => {
            all.iter().map(|m| (m.labels.clone(), m.samples.iter().map(|s| (s.t_ms, s.value)).collect())).collect()
        }
        other => panic!("{other:?} is no vector"),
    })
}

fn same(a: &Points, b: &Points) -> bool {
    let points = |a: &BTreeMap<i64, f64>, b: &BTreeMap<i64, f64>| {
        a.len() == b.len()
            && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && (almost_equal(*a.1, *b.1) || (a.1 - b.1).abs() < 1e-9))
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && points(a.1, b.1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn met_14_the_engine_and_a_naive_evaluator_agree(
        data in data(), seed in any::<u64>(), start in 0i64..700_000, step in 1_000i64..80_000,
    ) {
        let mut reader = MemoryReader::default();
        data.iter().for_each(|(labels, samples)| reader.add(labels.clone(), samples));
        let mut choices = Choices(seed);
        for _ in 0..24 {
            let part = choices.part(3);
            let text = part.to_string();
            let expr = parse(&text).unwrap();
            let end = start + 9 * step;
            let range: Vec<i64> = (0..10).map(|i| start + i * step).collect();
            let instant = Query::instant(&expr, start);
            let (mut refused, mut answered) = (0, 0);
            for (query, grid, end) in [(instant, &range[..1], start), (Query::range(&expr, start, end, step), &range[..], end)] {
                let times = Times { start, end, lookback: 300_000 };
                match (expected(&part, grid, times, &data), found(&query, &reader)) {
                    (Ok(expect), Ok(got)) => {
                        prop_assert!(same(&expect, &got), "{}\nat {}+10*{}\nexpected {:#?}\ngot {:#?}", text, start, step, expect, got);
                        answered += 1;
                    }
                    (Err(Refused), Err(EvalError::Invalid { .. })) => refused += 1,
                    // A subquery is also evaluated between the times that count.
                    (Ok(_), Err(EvalError::Invalid { .. })) if grid.len() > 1 && text.contains("s:") => refused += 1,
                    (expect, got) => prop_assert!(false, "{}\nat {}+10*{}\nexpected {:#?}\ngot {:#?}", text, start, step, expect, got),
                }
            }
            prop_assert_eq!(refused + answered, 2);
        }
    }
}
