//! Properties of the parser and of the evaluator, on made-up texts.

use decide_promql::memory::MemoryReader;
use decide_promql::{Limits, Query, Value, evaluate, parse};
use kernel::series::Point;
use proptest::prelude::*;

use crate::expressions::{Choices, INTERVAL_MS, SERIES};
use crate::script::compare::almost_equal;
use decide_promql::notation::{labels, values};

/// The words of the language, to be strung together at random.
const WORDS: &[&str] = &[
    "up",
    "sum",
    "rate",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "@",
    "start",
    "end",
    "step",
    "fill",
    "anchored",
    "smoothed",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "==",
    "!=",
    "<",
    "</",
    ">/",
    ">=",
    "=~",
    "!~",
    "=",
    "and",
    "or",
    "unless",
    "atan2",
    "5m",
    "1h30m",
    "0x1F",
    "1_000",
    ".5",
    "1e3",
    "NaN",
    "Inf",
    "\"text\"",
    "'a'",
    "`r`",
    "\"",
    "#c\n",
    "job",
    "é",
    "min_of",
    "topk",
    "label_replace",
];

fn reader() -> MemoryReader {
    let mut reader = MemoryReader::default();
    for (series, items) in SERIES {
        let items = values(items).unwrap();
        let samples = items.iter().enumerate().filter_map(|(i, item)| match item {
            Some(Point::Float(v)) => Some((i as i64 * INTERVAL_MS, *v)),
            _ => None,
        });
        reader.add(labels(series).unwrap().0, &samples.collect::<Vec<_>>());
    }
    reader
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,80}") {
        let _ = parse(&text).map_err(|e| e.underlined(&text));
    }

    #[test]
    fn any_words_are_parsed_or_refused(words in prop::collection::vec(prop::sample::select(WORDS), 0..24)) {
        let text = words.join(" ");
        match parse(&text) {
            Ok(expr) => {
                let printed = expr.to_string();
                let again = parse(&printed).map_err(|e| TestCaseError::fail(format!("{text} -> {printed}: {e}")))?;
                prop_assert_eq!(again.to_string(), printed);
            }
            Err(e) => prop_assert!(e.span.range().end <= text.len() && !e.underlined(&text).is_empty()),
        }
    }

    #[test]
    fn what_is_printed_parses_to_the_same(seed in any::<u64>(), depth in 0usize..5) {
        let text = Choices::new(seed).vector(depth);
        let expr = parse(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        let printed = expr.to_string();
        let again = parse(&printed).map_err(|e| TestCaseError::fail(format!("{printed}: {e}")))?;
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(again.value_type(), expr.value_type());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// A range query gives at each of its times what an instant query gives there.
    #[test]
    fn ranges_agree_with_instants(seed in any::<u64>(), depth in 1usize..4, start in 0i64..900_000, step in 1i64..90_000) {
        let text = Choices::new(seed).vector(depth);
        // The end of the query is another one.
        prop_assume!(!text.contains("end()"));
        let (expr, reader, limits) = (parse(&text).unwrap(), reader(), Limits::default());
        let Ok(range) = evaluate(&Query::range(&expr, start, start + 4 * step, step), &reader, &limits) else {
            return Ok(());
        };
        let Value::Matrix(matrix) = range.value else { return Err(TestCaseError::fail("no matrix")) };
        for t in (0..5).map(|i| start + i * step) {
            let instant = evaluate(&Query::instant(&expr, t), &reader, &limits);
            let instant = instant.map_err(|e| TestCaseError::fail(format!("{text} at {t}: {e}")))?;
            let Value::Vector(vector) = instant.value else { return Err(TestCaseError::fail("no vector")) };
            let there = matrix.iter().filter_map(|m| {
                m.samples.iter().find(|s| s.t_ms == t).map(|s| (&m.labels, s.value))
            });
            let there: Vec<_> = there.collect();
            prop_assert_eq!(there.len(), vector.len(), "{} at {}", text, t);
            for (labels, v) in there {
                let same = vector.iter().any(|s| s.labels == *labels && almost_equal(s.float().unwrap_or(f64::NAN), v));
                prop_assert!(same, "{} at {}: {} {}, not in {:?}", text, t, labels, v, vector);
            }
        }
    }
}
