//! OpenTelemetry's SDK for Python sends to the receiver.

use std::process::Command;
use std::sync::Arc;

use kernel::series::Point;

use super::http::{Response, serve};
use super::run::now_ms;
use crate::limits::Limits;
use crate::otlp::{Form, OtlpOptions};
use crate::writer::Writer;
use crate::writer::tests::memory::Memory;

/// The interpreter; another one can be named where packages are kept apart.
fn python() -> String {
    std::env::var("FARERO_TEST_PYTHON").unwrap_or_else(|_| "python3".into())
}

#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
fn is_here() -> bool {
    let mut command = Command::new(python());
    command.args(["-c", "import opentelemetry.exporter.otlp.proto.http.metric_exporter, opentelemetry.sdk.metrics"]);
    let here = command.output().is_ok_and(|output| output.status.success());
    if !here {
        eprintln!("OpenTelemetry for Python is not installed: this test was left out");
    }
    here
}

#[test]
fn the_python_sdk_is_understood() {
    if !is_here() {
        return;
    }
    for kind in ["cumulative", "delta"] {
        let store = Arc::new(Memory::default());
        let writer = Writer::new(store.clone(), Limits::default());
        let address = serve(move |request| -> Response {
            let form = Form::of(request.header("content-type")).unwrap();
            let how = (form, request.header("content-encoding"));
            let answer = writer.otlp("py", how, &request.body, &OtlpOptions::default(), now_ms());
            assert_eq!((answer.status, answer.text.as_str()), (200, ""));
            (answer.status, vec![("Content-Type", form.content_type().into())], form.answer(&answer))
        });
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/real/send_metrics.py");
        let endpoint = format!("http://{address}/v1/metrics");
        let output = Command::new(python()).args([script, &endpoint, kind]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let last = |series: &str| {
            let wanted = |labels: &kernel::Labels| labels.to_string() == series.replace("JOB", &format!("{kind}/py"));
            let own = store.points().into_iter().filter(|(labels, _, _)| wanted(labels));
            own.max_by_key(|(_, t, _)| *t).map(|(_, _, point)| point)
        };
        let number = |series: &str| match last(series) {
            Some(Point::Float(v)) => v,
            other => panic!("{series}: {other:?} of {:?}", store.dump()),
        };
        let labels = r#"instance="1", job="JOB""#;
        assert_eq!(number(&format!(r#"jobs_done_total{{{labels}, queue_name="q"}}"#)), 6.0, "{kind}");
        assert_eq!(number(&format!("queue_level{{{labels}}}")), -3.0);
        assert_eq!(number(&format!(r#"temp{{{labels}, room_name="b"}}"#)), 21.5);
        assert_eq!(number(&format!("latency_seconds_count{{{labels}}}")), 3.0);
        assert_eq!(number(&format!(r#"latency_seconds_bucket{{{labels}, le="0.1"}}"#)), 1.0);
        assert_eq!(number(&format!(r#"latency_seconds_bucket{{{labels}, le="1"}}"#)), 1.0);
        assert_eq!(number(&format!(r#"latency_seconds_bucket{{{labels}, le="+Inf"}}"#)), 3.0);
        let Some(Point::Histogram(size)) = last(&format!("size_bytes{{{labels}}}")) else {
            panic!("no histogram in {:?}", store.dump());
        };
        assert_eq!((size.count, size.sum, size.positive_buckets.iter().sum::<f64>()), (3.0, 600.0, 3.0));
        let info = store.dump().into_iter().find(|line| line.starts_with("target_info")).unwrap();
        assert!(info.contains(r#"zone="a""#), "{info}");
    }
}
