//! Queries as dashboards ask them, over 50,000 series in memory: what the evaluator costs without a store.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use decide_promql::{Limits, Query, evaluate, parse};
use divan::Bencher;
use kernel::Labels;
use kernel::series::{Select, Series, SeriesError, SeriesReader, Visit};

const HOSTS: usize = 50;
const STEP_MS: i64 = 15_000;
/// Six hours.
const SAMPLES: usize = 1_440;
const END_MS: i64 = SAMPLES as i64 * STEP_MS;

/// A host's series and their common times.
struct Host {
    times: Arc<[i64]>,
    series: Vec<(Labels, Vec<f64>)>,
}

/// Hosts as a store of scrape groups would give them: by group, metric names found by an index.
struct Reader {
    hosts: Vec<Host>,
    by_name: HashMap<String, Vec<(usize, usize)>>,
}

fn host(number: usize) -> Host {
    let instance = format!("host-{number:03}:9100");
    let mut series = Vec::new();
    let mut add = |name: &str, labels: &[(&str, String)], slope: f64, wobble: f64| {
        let mut all = vec![("instance", instance.clone()), ("job", "node".to_owned())];
        all.extend_from_slice(labels);
        let value = |i: usize| slope * i as f64 + wobble * ((i * 7 + number) % 13) as f64;
        series.push((Labels::metric(name, all), (0..SAMPLES).map(value).collect()));
    };
    for cpu in 0..8 {
        for mode in ["idle", "user", "system", "iowait", "irq", "softirq", "nice", "steal"] {
            let labels = [("cpu", cpu.to_string()), ("mode", mode.to_owned())];
            add("node_cpu_seconds_total", &labels, 1.0 + cpu as f64, 0.0);
        }
    }
    for (i, le) in ["0.1", "0.2", "0.5", "1", "2.5", "5", "10", "+Inf"].iter().enumerate() {
        for handler in 0..10 {
            let labels = [("le", (*le).to_owned()), ("handler", format!("/h{handler}"))];
            add("http_request_duration_seconds_bucket", &labels, (i + 1) as f64, 0.0);
        }
    }
    for device in 0..4 {
        for what in ["receive_bytes", "receive_packets", "transmit_bytes", "transmit_packets"] {
            add(&format!("node_network_{what}_total"), &[("device", format!("eth{device}"))], 100.0, 0.0);
        }
        add("node_filesystem_avail_bytes", &[("mountpoint", format!("/m{device}"))], -5.0, 100.0);
    }
    add("node_load1", &[], 0.0, 1.0);
    add("node_memory_MemAvailable_bytes", &[], 0.0, 1e6);
    let others = 1_000 - series.len();
    for i in 0..others {
        let labels = [("instance", instance.clone()), ("job", "node".to_owned())];
        series.push((Labels::metric(&format!("other_{i}"), labels), vec![i as f64; SAMPLES]));
    }
    let times = (0..SAMPLES as i64).map(|i| i * STEP_MS + number as i64).collect();
    Host { times, series }
}

static READER: LazyLock<Reader> = LazyLock::new(|| {
    let hosts: Vec<Host> = (0..HOSTS).map(host).collect();
    let mut by_name: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
    for (h, host) in hosts.iter().enumerate() {
        for (s, (labels, _)) in host.series.iter().enumerate() {
            by_name.entry(labels.name().to_owned()).or_default().push((h, s));
        }
    }
    Reader { hosts, by_name }
});

impl Reader {
    fn places(&self, select: &Select) -> Vec<(usize, usize)> {
        let is_name = |m: &&kernel::series::Matcher| &*m.name == "__name__";
        let fits = |name: &str| select.matchers.iter().filter(is_name).all(|m| m.matches(name));
        let named = self.by_name.iter().filter(|(name, _)| fits(name));
        let mut places: Vec<_> = named.flat_map(|(_, places)| places).copied().collect();
        places.sort_unstable();
        places
    }
}

impl SeriesReader for Reader {
    fn select(&self, select: &Select) -> Result<Vec<Series>, SeriesError> {
        let mut found = Vec::new();
        self.visit(select, &mut |s| {
            found.push(s);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn visit(&self, select: &Select, visit: Visit<'_>) -> Result<(), SeriesError> {
        let mut group: Option<(usize, Arc<[i64]>, usize, usize)> = None;
        for (h, s) in self.places(select) {
            let host = &self.hosts[h];
            let (labels, values) = &host.series[s];
            if !select.matchers.iter().all(|m| m.matches_labels(labels)) {
                continue;
            }
            if group.as_ref().is_none_or(|g| g.0 != h) {
                let from = host.times.partition_point(|t| *t < select.start_ms);
                let to = host.times.partition_point(|t| *t <= select.end_ms);
                group = Some((h, host.times[from..to].into(), from, to));
            }
            let Some((_, times, from, to)) = &group else { break };
            if from < to && visit(Series::floats(labels.clone(), times.clone(), values[*from..*to].to_vec())).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    fn label_names(&self, _: &Select) -> Result<Vec<String>, SeriesError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &Select) -> Result<Vec<String>, SeriesError> {
        Ok(Vec::new())
    }
}

const HOUR_MS: i64 = 3_600_000;

/// Expression, length of the range in milliseconds (0 for an instant query), step.
const QUERIES: &[(&str, i64, i64)] = &[
    (r#"node_load1{instance="host-007:9100",job="node"}"#, 0, 0),
    (r#"rate(node_cpu_seconds_total{instance="host-007:9100"}[5m])"#, HOUR_MS, 15_000),
    (r#"sum by (instance) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))"#, 6 * HOUR_MS, 60_000),
    ("topk(5, sum by (instance) (rate(node_network_receive_bytes_total[5m])))", 0, 0),
    (
        "histogram_quantile(0.95, sum by (le, handler) (rate(http_request_duration_seconds_bucket[5m])))",
        HOUR_MS,
        60_000,
    ),
    (
        r#"label_replace(sum by (instance) (node_memory_MemAvailable_bytes), "short", "$1", "instance", "([^:]+):.*")"#,
        HOUR_MS,
        60_000,
    ),
    (
        r#"sum by (instance) ({__name__=~"node_network_(receive|transmit)_(bytes|packets)_total",instance=~"host-0[0-9]+:.*"})"#,
        HOUR_MS,
        60_000,
    ),
    (r#"count({__name__=~".+"})"#, 0, 0),
    ("quantile_over_time(0.99, node_load1[30m])", 6 * HOUR_MS, 300_000),
    (r#"max_over_time(rate(node_cpu_seconds_total{instance="host-007:9100",mode="user"}[5m])[1h:1m])"#, 0, 0),
    ("predict_linear(node_filesystem_avail_bytes[1h], 4 * 3600)", 0, 0),
    (r#"absent(nothing_like_it{job="node"})"#, 0, 0),
];

#[expect(clippy::print_stderr, reason = "a query that fails would seem fast; a bench says so nowhere else")]
#[divan::bench(args = 0..QUERIES.len(), sample_count = 20, sample_size = 1)]
fn query(bencher: Bencher<'_, '_>, number: usize) {
    let (text, range, step) = QUERIES[number];
    let Ok(expr) = parse(text) else { return };
    let (reader, limits, end) = (&*READER, Limits::default(), END_MS - END_MS % 60_000);
    let query = match range {
        0 => Query::instant(&expr, end),
        _ => Query::range(&expr, end - range, end, step),
    };
    if let Err(e) = evaluate(&query, reader, &limits) {
        eprintln!("{text}: {e}");
        return;
    }
    bencher.bench(|| evaluate(&query, reader, &limits));
}

fn main() {
    divan::main();
}
