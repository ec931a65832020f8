//! A real Prometheus writes to the receiver, and reads from the encoders of remote read.

use std::sync::Arc;

use kernel::Labels;
use kernel::series::{Point, Series};

use super::http::{Response, serve};
use super::run::{Prometheus, is_here, now_ms};
use crate::limits::Limits;
use crate::read::{ReadRequest, ResponseType, SAMPLED_CONTENT_TYPE, SampledAnswer};
use crate::writer::Writer;
use crate::writer::tests::memory::Memory;

const EXPOSITION: &str = "# HELP requests_total All requests.\n# TYPE requests_total counter\n\
    requests_total{path=\"/a\\\"b\"} 3 # {trace_id=\"t1\"} 1 1.5\nrequests_total{path=\"/c\"} 4.25\n\
    # TYPE temperature gauge\ntemperature NaN\n# TYPE low gauge\nlow -Inf\n# EOF\n";

#[test]
fn prometheus_sends_remote_write() {
    if !is_here("prometheus") {
        return;
    }
    let store = Arc::new(Memory::default());
    let writer = Arc::new(Writer::new(store.clone(), Limits::default()));
    let receiver = writer.clone();
    let address = serve(move |request| -> Response {
        if request.path == "/metrics" {
            let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            return (200, vec![("Content-Type", openmetrics.into())], EXPOSITION.into());
        }
        let headers = (request.header("content-type"), request.header("content-encoding"));
        let answer = receiver.remote_write("prom", headers, &request.body, now_ms());
        (answer.status, answer.headers(), answer.text.into_bytes())
    });
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: shop\n  static_configs: [{{targets: ['{address}']}}]\n\
         remote_write:\n- url: http://{address}/write\n  send_exemplars: true\n  queue_config: {{batch_send_deadline: 200ms}}\n  \
         metadata_config: {{send_interval: 1s}}\n"
    );
    let flags = ["--enable-feature=exemplar-storage"];
    let prometheus = Prometheus::start(folder.path(), &config, &folder.path().join("data"), &flags);
    let of = |name: &str| store.points().into_iter().filter(|(l, _, _)| l.name() == name).collect::<Vec<_>>();
    prometheus.wait(|_| of("requests_total").len() >= 6 && of("up").len() >= 3 && !store.exemplars().is_empty());
    let value = |labels: &[(&str, &str)]| {
        let at = labels.iter().copied().chain([("instance", address.as_str()), ("job", "shop")]);
        let wanted = Labels::new(at);
        store.points().into_iter().find(|(l, _, _)| *l == wanted).map(|(_, _, point)| point)
    };
    assert_eq!(value(&[("__name__", "requests_total"), ("path", "/a\"b")]), Some(Point::Float(3.0)));
    assert_eq!(value(&[("__name__", "requests_total"), ("path", "/c")]), Some(Point::Float(4.25)));
    assert_eq!(value(&[("__name__", "low")]), Some(Point::Float(f64::NEG_INFINITY)));
    assert!(matches!(value(&[("__name__", "temperature")]), Some(Point::Float(v)) if v.is_nan()));
    assert_eq!(store.exemplars()[0].1.labels.get("trace_id"), Some("t1"));
    assert_eq!(store.group_names(), [(format!("write/prom/shop/{address}"), of_series(&store))]);
    let counters = writer.sender("prom", 0).unwrap();
    let rejected: Vec<_> = counters.counters().rejected().filter(|(_, n)| *n > 0).collect();
    assert_eq!(rejected, []);
    // What it sends for one scrape has one time.
    let times: std::collections::BTreeSet<i64> = of("up").into_iter().map(|(_, t, _)| t).collect();
    assert!(of("low").iter().all(|(_, t, _)| times.contains(t)));
}

fn of_series(store: &Memory) -> usize {
    store.points().into_iter().map(|(l, _, _)| l).collect::<std::collections::HashSet<_>>().len()
}

/// Answers remote read from a series of 500 samples; Debian's Prometheus asks only for the sampled form, and takes only numbers.
fn reader(end_ms: i64) -> String {
    let times: Vec<i64> = (0..500).map(|n| end_ms - (499 - n) * 1_000 - (n % 7)).collect();
    let floats = (0..500).map(|n| f64::from(n) * 1.5 + if n % 3 == 0 { 1e-9 } else { 0.0 }).collect();
    let all = Series::floats(Labels::metric("f", [("job", "a")]), times.into(), floats);
    serve(move |request| -> Response {
        let read = ReadRequest::read(&request.body).unwrap();
        assert_eq!(read.response, ResponseType::Samples);
        let mut answer = SampledAnswer::default();
        for query in &read.queries {
            let select = query.select();
            let found = select.matchers.iter().all(|m| m.matches_labels(&all.labels));
            answer.push(if found { std::slice::from_ref(&all) } else { &[] }).unwrap();
        }
        let headers = vec![("Content-Type", SAMPLED_CONTENT_TYPE.into()), ("Content-Encoding", "snappy".into())];
        (200, headers, answer.finish().unwrap())
    })
}

#[test]
fn prometheus_reads_sampled_answers() {
    if !is_here("prometheus") {
        return;
    }
    let end_ms = now_ms() / 1_000 * 1_000;
    let address = reader(end_ms);
    let folder = tempfile::tempdir().unwrap();
    let config = format!("remote_read:\n- url: http://{address}/read\n  read_recent: true\n");
    let prometheus = Prometheus::start(folder.path(), &config, &folder.path().join("data"), &[]);
    let value = |expr: &str| {
        let answer = prometheus.query(expr, end_ms);
        let text = answer["data"]["result"][0]["value"][1].as_str().unwrap_or_else(|| panic!("{expr}: {answer}"));
        text.parse::<f64>().unwrap()
    };
    assert_eq!(value("f"), 499.0 * 1.5);
    assert_eq!(value("count_over_time(f{job=~\"a|b\"}[10m])"), 500.0);
    let sum: f64 = (0..500).map(|n| f64::from(n) * 1.5).sum();
    assert!((value("sum_over_time(f[10m])") - sum).abs() < 1e-3);
}
