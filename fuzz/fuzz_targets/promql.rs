//! Any text is an expression or refused; what is an expression is printed so that it is the same one when it is read again, and answered or
//! refused over some series, at one time and over a range, within the limits.
#![no_main]

use std::sync::LazyLock;

use decide_promql::memory::MemoryReader;
use decide_promql::{Limits, Query, evaluate, notation, parse, pretty, to_json};
use libfuzzer_sys::fuzz_target;

const SERIES: [&str; 6] = [
    r#"a_total{i="1"} 0+3x20 2+5x20"#,
    r#"a_total{i="2"} 1 2 _ stale NaN 5+1x30"#,
    r#"b{i="1",j="x"} 7x40"#,
    r#"c_bucket{le="1"} 0+2x40"#,
    r#"c_bucket{le="+Inf"} 0+3x40"#,
    r#"h{i="1"} {{schema:1 sum:1 count:6 buckets:[1 2 3]}}x40"#,
];

static READER: LazyLock<MemoryReader> = LazyLock::new(|| {
    let mut reader = MemoryReader::default();
    for line in SERIES {
        let (labels, values) = notation::series(line).unwrap();
        let at = |(i, value): (usize, Option<_>)| {
            Some(decide_promql::memory::TimedPoint { t_ms: i as i64 * 15_000, value: value?, start_ms: 0 })
        };
        reader.add_points(labels, values.into_iter().enumerate().filter_map(at));
    }
    reader
});

fuzz_target!(|text: &str| {
    let Ok(expr) = parse(text) else { return };
    let printed = expr.to_string();
    let again = parse(&printed).unwrap_or_else(|e| panic!("{text:?} was printed as {printed:?}: {e}"));
    assert_eq!(again.to_string(), printed);
    let _ = (pretty(&expr), to_json(&expr).to_string());
    let limits = Limits { max_samples: 50_000, max_points: 50_000, ..Limits::default() };
    let _ = evaluate(&Query::instant(&expr, 300_000), &*READER, &limits);
    let _ = evaluate(&Query::range(&expr, 100_000, 400_000, 30_000), &*READER, &limits);
});
