//! Properties of the parser and of the evaluator, on made-up texts.

use std::sync::LazyLock;

use decide_promql::memory::{MemoryReader, TimedPoint};
use decide_promql::{Limits, Query, Value, evaluate, parse, pretty, to_json};
use kernel::series::Point;
use proptest::prelude::*;

use crate::expressions::{Choices, INTERVAL_MS, NATIVE, SERIES};
use crate::script::compare::almost_equal;
use decide_promql::notation::{self, labels, values};

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

/// The parts of the notation of series, to be strung together at random.
const PARTS: &[&str] = &[
    "m",
    "{",
    "}",
    "a=\"b\"",
    "\"é\"",
    ",",
    " ",
    " ",
    "1",
    "7",
    "-3",
    "+",
    "-",
    "x",
    "x4",
    "99999999999",
    "_",
    "stale",
    "{{",
    "}}",
    "schema:1",
    "schema:-53",
    "schema:",
    "buckets:[1 2]",
    "n_buckets:[3]",
    "offset:2",
    "offset:99999999999",
    "count:3",
    "sum:",
    "custom_values:[1 5]",
    "custom_values:[5 1]",
    "counter_reset_hint:gauge",
    "counter_reset_hint:",
    "z_bucket:1",
    "z_bucket_w:0.1",
    "[",
    "]",
    "NaN",
    "Inf",
    "1e3",
    "5m",
    "@",
    "\\",
    "\"",
    "'",
];

pub(crate) static READER: LazyLock<MemoryReader> = LazyLock::new(|| {
    let mut reader = MemoryReader::default();
    for (series, items) in SERIES.iter().chain(NATIVE) {
        let items = values(items).unwrap();
        let point = |(i, item): (usize, Option<Point>)| {
            Some(TimedPoint { t_ms: i as i64 * INTERVAL_MS, value: item?, start_ms: 0 })
        };
        let points = items.into_iter().enumerate().filter_map(point);
        reader.add_points(labels(series).unwrap().0, points);
    }
    reader
});

/// A point as it is compared: sums in another order differ in the last bits.
fn same(a: &Point, b: &Point) -> bool {
    match (a, b) {
        (Point::Float(a), Point::Float(b)) => almost_equal(*a, *b),
        (Point::Histogram(a), Point::Histogram(b)) => a.same_as(b),
        _ => false,
    }
}

/// A range query gives at each of its times what an instant query gives there.
fn check_agreement(text: &str, start: i64, step: i64) -> Result<(), TestCaseError> {
    let (expr, reader, limits) = (parse(text).unwrap(), &*READER, Limits::default());
    let Ok(range) = evaluate(&Query::range(&expr, start, start + 4 * step, step), reader, &limits) else {
        return Ok(());
    };
    let Value::Matrix(matrix) = range.value else { return Err(TestCaseError::fail("no matrix")) };
    for t in (0..5).map(|i| start + i * step) {
        let instant = evaluate(&Query::instant(&expr, t), reader, &limits);
        let instant = instant.map_err(|e| TestCaseError::fail(format!("{text} at {t}: {e}")))?;
        let Value::Vector(vector) = instant.value else { return Err(TestCaseError::fail("no vector")) };
        let mut there = Vec::new();
        for m in &matrix {
            let floats = m.samples.iter().map(|s| (s.t_ms, Point::Float(s.value)));
            let histograms = m.histograms.iter().map(|(t, h)| (*t, Point::Histogram(h.clone())));
            there.extend(floats.chain(histograms).filter(|(at, _)| *at == t).map(|(_, p)| (&m.labels, p)));
        }
        prop_assert_eq!(there.len(), vector.len(), "{} at {}", text, t);
        for (labels, v) in there {
            let found = vector.iter().any(|s| s.labels == *labels && same(&s.value, &v));
            prop_assert!(found, "{} at {}: {} {:?}, not in {:?}", text, t, labels, v, vector);
        }
    }
    Ok(())
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
                prop_assert_eq!(again.to_string(), &printed[..]);
                let broken = pretty(&expr);
                let again = parse(&broken).map_err(|e| TestCaseError::fail(format!("{text} -> {broken}: {e}")))?;
                prop_assert_eq!(again.to_string(), printed);
                prop_assert!(to_json(&expr).get("type").is_some());
            }
            Err(e) => prop_assert!(e.span.range().end <= text.len() && !e.underlined(&text).is_empty()),
        }
    }

    #[test]
    fn any_notation_is_read_or_refused(parts in prop::collection::vec(prop::sample::select(PARTS), 0..16)) {
        let text = parts.concat();
        let _ = (notation::series(&text), notation::labels(&text), notation::starts(&text), notation::quoted(&text));
        let _ = (notation::duration_ms(&text), notation::number(&text), notation::histogram(&text));
        for point in notation::values(&text).into_iter().flatten().flatten() {
            if let Point::Histogram(h) = point {
                prop_assert!(h.to_string().starts_with("{count:"), "{} -> {}", text, h);
            }
        }
        let spaced = format!("m {}", parts.join(" "));
        let _ = notation::series(&spaced);
    }

    #[test]
    fn what_is_printed_parses_to_the_same(seed in any::<u64>(), depth in 0usize..5) {
        let text = Choices::with_histograms(seed).vector(depth);
        let expr = parse(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        let printed = expr.to_string();
        let again = parse(&printed).map_err(|e| TestCaseError::fail(format!("{printed}: {e}")))?;
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(again.value_type(), expr.value_type());
        let broken = pretty(&expr);
        let again = parse(&broken).map_err(|e| TestCaseError::fail(format!("{broken}: {e}")))?;
        prop_assert_eq!(again.to_string(), expr.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn ranges_agree_with_instants(seed in any::<u64>(), depth in 1usize..4, start in 0i64..900_000, step in 1i64..90_000) {
        let text = Choices::new(seed).vector(depth);
        // The end of the query is another one.
        prop_assume!(!text.contains("end()"));
        check_agreement(&text, start, step)?;
    }

    #[test]
    fn ranges_agree_with_instants_over_histograms(
        seed in any::<u64>(), depth in 0usize..4, start in 0i64..1_200_000, step in 1i64..90_000,
    ) {
        let text = Choices::with_histograms(seed).vector(depth);
        prop_assume!(!text.contains("end()"));
        check_agreement(&text, start, step)?;
    }
}
