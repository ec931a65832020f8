//! Limits, cancelling, and what a query reads.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use decide_promql::memory::MemoryReader;
use decide_promql::{EvalError, Limits, Query, Stats, evaluate, evaluate_cancellable, parse};
use kernel::Labels;
use kernel::series::{Select, Series, SeriesError, SeriesReader};

fn reader() -> MemoryReader {
    let mut reader = MemoryReader::default();
    for i in 0..10 {
        let samples: Vec<(i64, f64)> = (0..100).map(|t| (t * 1000, t as f64)).collect();
        reader.add(Labels::metric("m", [("i", i.to_string())]), &samples);
    }
    reader
}

fn limit_of(text: &str, limits: &Limits) -> Option<String> {
    let expr = parse(text).unwrap();
    match evaluate(&Query::range(&expr, 0, 99_000, 1000), &reader(), limits) {
        Err(EvalError::Limit { what, .. }) => Some(what.to_owned()),
        Err(e) => panic!("{e}"),
        Ok(_) => None,
    }
}

#[test]
fn limits_stop_a_query() {
    let check = |text: &str, limits: Limits, expect: Option<&str>| {
        assert_eq!(limit_of(text, &limits).as_deref(), expect, "{text}");
    };
    let all = Limits::default();
    check("m", all, None);
    check("m", Limits { max_samples: 999, ..all }, Some("would load too many samples into memory"));
    check("m + m", Limits { max_series: 15, ..all }, Some("would read too many series"));
    check("m", Limits { max_steps: 99, ..all }, Some("asks for too many points per series"));
    check("m", Limits { max_points: 999, ..all }, Some("would hold too many points in memory"));
    check("sum(m)", Limits { max_points: 999, ..all }, None);
    check("topk(1, m)", Limits { max_points: 999, ..all }, Some("would hold too many points in memory"));
    check("count_over_time(m[1y:1ms])", all, Some("has a subquery with too many steps"));
}

#[test]
fn labels_count_as_what_is_held() {
    let expr = parse("m").unwrap();
    let asked = |max_points| {
        let limits = Limits { max_points, ..Limits::default() };
        evaluate(&Query::instant(&expr, 50_000), &reader(), &limits).map(|_| ())
    };
    // Ten values take 10 points, their series more than 20 each.
    assert!(matches!(asked(200), Err(EvalError::Limit { what: "would hold too many points in memory", .. })));
    assert_eq!(asked(500), Ok(()));
}

#[test]
fn a_cancelled_query_stops() {
    let expr = parse("sum(rate(m[1m]))").unwrap();
    let result = evaluate_cancellable(&Query::instant(&expr, 0), &reader(), &Limits::default(), &AtomicBool::new(true));
    assert_eq!(result.unwrap_err(), EvalError::Cancelled);
}

/// Notes what is asked.
struct Recorder(MemoryReader, Mutex<Vec<(i64, i64)>>);

impl SeriesReader for Recorder {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        self.1.lock().unwrap().push((select.start_ms, select.end_ms));
        self.0.select(select)
    }

    fn label_names(&self, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.0.label_names(select)
    }

    fn label_values(&self, name: &str, select: &Select) -> Result<Vec<String>, SeriesError> {
        self.0.label_values(name, select)
    }
}

#[test]
fn every_selector_is_read_once_for_all_steps() {
    let check = |text: &str, expect: &[(i64, i64)]| {
        let recorder = Recorder(reader(), Mutex::default());
        let expr = parse(text).unwrap();
        evaluate(&Query::range(&expr, 50_000, 90_000, 1000), &recorder, &Limits::default()).unwrap();
        assert_eq!(*recorder.1.lock().unwrap(), expect, "{text}");
    };
    check("m", &[(50_000 - 300_000 + 1, 90_000)]);
    check("rate(m[10s])", &[(40_001, 90_000)]);
    check("rate(m[10s] offset 5s)", &[(35_001, 85_000)]);
    check("sum_over_time(m[10s] @ 60)", &[(50_001, 60_000)]);
    check("max_over_time(rate(m[10s])[20s:5s])", &[(25_001, 90_000)]);
}

#[test]
fn stats_count_what_was_read() {
    let expr = parse("rate(m{i=\"1\"}[10s]) + m{i=\"1\"}").unwrap();
    let found = evaluate(&Query::instant(&expr, 50_000), &reader(), &Limits::default()).unwrap();
    assert_eq!(found.stats, Stats { series: 2, samples: 10 + 51 });
}

#[test]
fn bad_times_are_refused() {
    let expr = parse("m").unwrap();
    let check = |query: Query<'_>, expect: &str| {
        let e = evaluate(&query, &reader(), &Limits::default()).unwrap_err();
        assert!(e.to_string().starts_with(expect), "{e}");
    };
    check(Query::range(&expr, 0, 10, 0), "zero or negative query resolution");
    check(Query::range(&expr, 10, 0, 1), "end timestamp must not be before start time");
    let range = parse("m[5m]").unwrap();
    check(Query::range(&range, 0, 10, 1), "invalid expression type \"range vector\" for range query");
}

#[test]
fn extreme_times_do_not_overflow() {
    let reader = reader();
    for text in ["m @ 9.1e15", "m @ -9.1e15 offset 290y", "sum_over_time(m[290y:1y] @ -9.1e15)", "hour(vector(1e300))"]
    {
        let expr = parse(text).unwrap();
        let _ = evaluate(&Query::instant(&expr, 0), &reader, &Limits::default()).unwrap();
        for t in [i64::MAX, i64::MIN] {
            let e = evaluate(&Query::instant(&expr, t), &reader, &Limits::default()).unwrap_err();
            assert_eq!(e.to_string(), "time of the query is out of range");
        }
        let farthest = 1 << 60;
        let _ = evaluate(&Query::range(&expr, -farthest, farthest, farthest), &reader, &Limits::default());
    }
}
