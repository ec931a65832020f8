//! Compares the evaluator with a real Prometheus: hundreds of made-up expressions, answered by `promtool test rules`.
//!
//! Debian's promtool is a 2.x: times and ranges are chosen so that no sample lies on a left bound, where 3.x differs,
//! and functions that magnify the last digit of their argument are left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use crate::expressions::{Choices, INTERVAL_MS, SERIES};
use crate::script::compare::almost_equal;
use decide_promql::memory::MemoryReader;
use decide_promql::notation::{labels, values};
use decide_promql::{Limits, Query, Value, evaluate, parse};
use kernel::Labels;
use kernel::series::Point;

/// Half seconds, so that no sample and no step of a subquery lies on a bound.
const TIMES_MS: [i64; 3] = [601_500, 1_003_500, 1_340_500];

type Answer = Result<BTreeMap<Labels, f64>, String>;

/// What promtool says to every expression at every time; without an entry the answer is empty.
fn ask_promtool(expressions: &[String]) -> Option<BTreeMap<(String, i64), Answer>> {
    let folder = std::env::temp_dir().join(format!("farero-promql-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut yaml = format!("evaluation_interval: 1s\ntests:\n- interval: {}s\n  input_series:\n", INTERVAL_MS / 1000);
    for (series, values) in SERIES {
        writeln!(yaml, "  - {{series: '{series}', values: '{values}'}}").unwrap();
    }
    yaml.push_str("  promql_expr_test:\n");
    for expr in expressions {
        for t in TIMES_MS {
            writeln!(yaml, "  - {{expr: '{expr}', eval_time: {t}ms, exp_samples: []}}").unwrap();
        }
    }
    // Series are loaded up to the last time that is asked for.
    yaml.push_str("  - {expr: missing, eval_time: 1400s, exp_samples: []}\n");
    let file = folder.join("questions.yml");
    std::fs::write(&file, yaml).unwrap();
    let output = Command::new("promtool").args(["test", "rules"]).arg(&file).output().ok();
    std::fs::remove_dir_all(&folder).unwrap();
    let output = output?;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some(read_answers(&text))
}

fn read_answers(text: &str) -> BTreeMap<(String, i64), Answer> {
    let mut answers = BTreeMap::new();
    let mut question = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("expr: ") {
            let (expr, rest) = rest.rsplit_once(", time: ").unwrap_or_else(|| panic!("unknown answer: {line}"));
            let (time, error) = rest.split_once(',').unwrap();
            let expr = decide_promql::notation::quoted(expr).unwrap().0;
            let key = (expr, decide_promql::notation::duration_ms(time).unwrap());
            if let Some(error) = error.trim().strip_prefix("err: ") {
                answers.insert(key.clone(), Err(error.to_owned()));
            }
            question = Some(key);
        } else if let Some(mut rest) = line.strip_prefix("got:") {
            let mut found = BTreeMap::new();
            rest = rest.trim();
            while rest.starts_with('{') {
                let (labels, after) = labels(rest).unwrap();
                let after = after.trim_start();
                let end = after.find(',').unwrap_or(after.len());
                found.insert(labels, decide_promql::notation::number(&after[..end]).unwrap());
                rest = after[end..].trim_start_matches(',').trim_start();
            }
            answers.insert(question.take().unwrap(), Ok(found));
        }
    }
    answers
}

fn our_answer(reader: &MemoryReader, expr: &str, t: i64) -> Answer {
    let expr = parse(expr).map_err(|e| e.to_string())?;
    let query = Query { subquery_step_ms: 1000, ..Query::instant(&expr, t) };
    let found = evaluate(&query, reader, &Limits::default()).map_err(|e| e.to_string())?;
    match found.value {
        Value::Vector(v) => Ok(v.into_iter().map(|s| (s.labels.clone(), s.float().unwrap_or(f64::NAN))).collect()),
        other => Err(format!("no vector: {other:?}")),
    }
}

/// Older versions sum without compensation, which leaves dust near zero.
fn close(a: f64, b: f64) -> bool {
    almost_equal(a, b) || (a - b).abs() < 1e-12
}

fn same(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Ok(a), Ok(b)) => a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(x, y)| close(*x, *y)),
        (Err(_), Err(_)) => true,
        // Names are dropped late here, so equal labels on the way are no error.
        (Ok(_), Err(e)) => e.contains("same labelset"),
        // 2.x finds two matches only where a comparison keeps both.
        (Err(e), Ok(_)) => e.contains("multiple matches"),
    }
}

#[test]
fn met_14_answers_as_prometheus_does() {
    let mut reader = MemoryReader::default();
    for (series, items) in SERIES {
        let samples = values(items).unwrap().into_iter().enumerate();
        let samples: Vec<(i64, f64)> = samples
            .filter_map(|(i, item)| match item {
                Some(Point::Float(v)) => Some((i as i64 * INTERVAL_MS, v)),
                _ => None,
            })
            .collect();
        reader.add(labels(series).unwrap().0, &samples);
    }
    let seed = std::env::var("FARERO_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(14);
    let mut choices = Choices::new(seed);
    let mut expressions: Vec<String> = (0..400).map(|i| choices.vector(1 + i % 3)).collect();
    expressions.sort();
    expressions.dedup();
    let Some(answers) = ask_promtool(&expressions) else {
        eprintln!("promtool is not installed: nothing compared");
        return;
    };
    let mut wrong = Vec::new();
    let mut answered = 0;
    for expr in &expressions {
        for t in TIMES_MS {
            let theirs = answers.get(&(expr.clone(), t)).cloned().unwrap_or_else(|| Ok(BTreeMap::new()));
            answered += usize::from(theirs.as_ref().is_ok_and(|a| !a.is_empty()));
            let ours = our_answer(&reader, expr, t);
            if !same(&ours, &theirs) {
                wrong.push(format!("{expr} at {t} ms\n  ours:   {ours:?}\n  theirs: {theirs:?}"));
            }
        }
    }
    assert!(answered > 400, "only {answered} answers hold anything");
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), expressions.len() * 3, wrong.join("\n"));
}
