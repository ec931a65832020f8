//! Asks a store's folder questions, each many times, and prints the time and the cost of one: for profiling. It works on a copy.
//!
//! `cargo run --release -p store-series --example ask -- FOLDER END_SECONDS RANGE_SECONDS [TIMES] [FIRST_TWO_DIGITS]`
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example")]

use std::time::Instant;

use decide_promql::{Limits, Query, evaluate, parse};
use store_series::{Options, SeriesStore};

/// Name, expression, whether it is asked over a range, and its step in seconds.
const QUESTIONS: [(&str, &str, bool, i64); 12] = [
    ("01 instant selector", r#"node_load1{instance="host-007:9100",job="node"}"#, false, 0),
    ("02 rate one host", r#"rate(node_cpu_seconds_total{instance="host-007:9100"}[5m])"#, true, 15),
    ("03 sum by rate", r#"sum by (instance) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))"#, true, 60),
    ("04 topk", "topk(5, sum by (instance) (rate(node_network_receive_bytes_total[5m])))", false, 0),
    (
        "05 histogram_quantile",
        "histogram_quantile(0.95, sum by (le, handler) (rate(http_request_duration_seconds_bucket[5m])))",
        true,
        60,
    ),
    (
        "06 label_replace",
        r#"label_replace(sum by (instance) (node_memory_MemAvailable_bytes), "short", "$1", "instance", "([^:]+):.*")"#,
        true,
        60,
    ),
    (
        "07 regex all hosts",
        r#"sum by (instance) ({__name__=~"node_network_(receive|transmit)_(bytes|packets)_total",instance=~"host-0[0-9]+:.*"})"#,
        true,
        60,
    ),
    ("08 count all series", r#"count({__name__=~".+"})"#, false, 0),
    ("09 quantile_over_time", "quantile_over_time(0.99, node_load1[30m])", true, 300),
    (
        "10 subquery",
        r#"max_over_time(rate(node_cpu_seconds_total{instance="host-007:9100",mode="user"}[5m])[1800s:1m])"#,
        false,
        0,
    ),
    ("11 predict_linear", "predict_linear(node_filesystem_avail_bytes[1h], 4 * 3600)", false, 0),
    ("12 absent", r#"absent(node_not_there{job="node"})"#, false, 0),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize, otherwise: i64| arguments.get(at).map_or(otherwise, |n| n.parse().unwrap());
    let (end, range, times) = (number(2, 0) * 1000, number(3, 1800) * 1000, number(4, 20));
    let (store, _) = SeriesStore::open(arguments[1].as_ref(), Options::default()).unwrap();
    for (name, text, is_range, step) in QUESTIONS {
        if arguments.get(5).is_some_and(|only| !name.starts_with(only.as_str())) {
            continue;
        }
        let mut took = Vec::new();
        let mut stats = None;
        for n in 0..times {
            let end = end - 60_000 * (n % 5);
            let began = Instant::now();
            let expr = parse(text).unwrap();
            let query =
                if is_range { Query::range(&expr, end - range, end, step * 1000) } else { Query::instant(&expr, end) };
            let found = evaluate(&query, &store, &Limits::default()).unwrap();
            took.push(began.elapsed());
            stats = Some(found.stats);
        }
        took.sort();
        let stats = stats.unwrap();
        println!("{name:24} {:9.1?} {:6} series {:8} samples", took[took.len() / 2], stats.series, stats.samples);
    }
}
