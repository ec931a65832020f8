//! Tests of the two forms: examples of their specifications, errors with positions, random bodies.

use proptest::prelude::*;

use super::*;

fn one(line: &str) -> Sample {
    let read = parse_exposition(line.as_bytes()).unwrap_or_else(|e| panic!("{line}: {e:?}"));
    assert_eq!(read.samples.len(), 1, "{line}");
    read.samples.into_iter().next().unwrap()
}

fn check(line: &str, series: &str, value: f64, timestamp_ms: Option<i64>) {
    let sample = one(line);
    assert_eq!(sample.labels.to_string(), series, "{line}");
    assert!(sample.value == value || (sample.value.is_nan() && value.is_nan()), "{line}: {}", sample.value);
    assert_eq!(sample.timestamp_ms, timestamp_ms, "{line}");
}

#[test]
fn met_01_samples_of_the_text_form() {
    check("up 1", "up", 1.0, None);
    check("up{} 1\n", "up", 1.0, None);
    check(
        r#"a:b_c{method="post",code="200",} 1027 1395066363000"#,
        r#"a:b_c{code="200", method="post"}"#,
        1027.0,
        Some(1_395_066_363_000),
    );
    check("\t a { b = \"c\" , d=\"\" }\t 3.5e-2 -7 ", r#"a{b="c"}"#, 0.035, Some(-7));
    check(
        r#"m{path="C:\\DIR\\F",error="a:\n\"B\"",odd="\x"} +Inf"#,
        r#"m{error="a:\n\"B\"", odd="\\x", path="C:\\DIR\\F"}"#,
        f64::INFINITY,
        None,
    );
    check("m -Inf", "m", f64::NEG_INFINITY, None);
    check("m NaN", "m", f64::NAN, None);
    check(
        r#"{"http.errors", "service.name"="ñandú", job="x"} 2"#,
        r#"http.errors{job="x", service.name="ñandú"}"#,
        2.0,
        None,
    );
    check(r#"m{a="}, #"} 1 # {trace="x"} 0.5 1.5"#, r#"m{a="}, #"}"#, 1.0, None);
}

#[test]
fn met_01_openmetrics_has_seconds_exemplars_and_an_end() {
    let body = "# TYPE foo counter\n# UNIT foo seconds\n# HELP foo a \\\"b\\\"\\nc\n\
        foo_total 17.0 1520879607.789 # {trace_id=\"KOO5S4vxi0o\"} 0.67 1520879607.789\nfoo_created 1520872607.123\n# EOF\n";
    let read = parse_exposition(body.as_bytes()).unwrap();
    assert_eq!(read.samples[0].timestamp_ms, Some(1_520_879_607_789));
    assert_eq!(
        read.samples[1],
        Sample { labels: Labels::metric("foo_created", [("", ""); 0]), value: 1_520_872_607.123, timestamp_ms: None }
    );
    let foo =
        Metadata { name: "foo".into(), kind: MetricKind::Counter, help: "a \"b\"\nc".into(), unit: "seconds".into() };
    assert_eq!(read.metadata, [foo]);
    let cut = Format::OpenMetrics.parse(b"a 1\n").unwrap_err();
    assert_eq!(cut[0].to_string(), "line 2, column 1: `# EOF` is missing: the body was cut off");
    let after = parse_exposition(b"a 1\n# EOF\nb 1\n# EOF\n").unwrap_err();
    assert_eq!(after[0].to_string(), "line 3, column 1: nothing may follow `# EOF`");
}

#[test]
fn met_01_metadata_of_the_text_form() {
    let body = "# a comment\n#\n\n# HELP a_total Counts \\\\ things.\n# TYPE a_total counter\na_total 1\n# TYPE b untyped\n# HELP \"c.d\" e\n";
    let read = parse_exposition(body.as_bytes()).unwrap();
    let told: Vec<_> = read.metadata.iter().map(|m| (m.name.as_str(), m.kind, m.help.as_str())).collect();
    assert_eq!(
        told,
        [
            ("a_total", MetricKind::Counter, "Counts \\ things."),
            ("b", MetricKind::Unknown, ""),
            ("c.d", MetricKind::Unknown, "e")
        ]
    );
}

#[test]
fn met_01_all_errors_with_positions() {
    let error = |line: &str, column: usize, message: &str| {
        let errors = parse_exposition(line.as_bytes()).expect_err(line);
        assert_eq!((errors.len(), errors[0].line, errors[0].column), (1, 1, column), "{line}: {errors:?}");
        assert!(errors[0].message.contains(message), "{line}: {errors:?}");
    };
    error("a", 2, "a value is expected here, not ``");
    error("a one", 3, "a value is expected here, not `one`");
    error("a 1 x", 5, "a timestamp in milliseconds is expected here, not `x`");
    error("a 1 2 3", 7, "nothing more is expected");
    error("9a 1", 1, "the name of a metric");
    error("ä 1", 1, "the name of a metric");
    error("{} 1", 1, "the series has no name");
    error(r#"{a="b"} 1"#, 1, "the series has no name");
    error(r#"a{b} 1"#, 4, "`=` is expected");
    error(r#"a{b=c} 1"#, 5, "a value in quotes");
    error(r#"a{b="c} 1"#, 5, "the closing quote is missing");
    error(r#"a{b="c\"#, 5, "the closing quote is missing");
    error(r#"a{b="c" d="e"} 1"#, 9, "`,` or `}` is expected");
    error(r#"a{b="c",b="d"} 1"#, 9, "the label `b` is there twice");
    error(r#"a{"b"} 1"#, 3, "the metric's name is there twice");
    error(r#"a{b="c""#, 8, "`,` or `}` is expected");
    error("# TYPE a nonsense", 10, "`nonsense` is no kind of metric");
    error("# HELP", 7, "the name of a metric is missing");
    let many = parse_exposition(b"ok 1\nbad\n\xff\xfe\nok 2\nworse x\n").unwrap_err();
    assert_eq!(many.iter().map(|e| e.line).collect::<Vec<_>>(), [2, 3, 5]);
    let endless = parse_exposition("bad\n".repeat(1_000).as_bytes()).unwrap_err();
    assert_eq!(endless.len(), MOST_ERRORS);
}

/// Name, labels, value and timestamp.
type Given = (String, Vec<(String, String)>, f64, Option<i64>);

/// A body as a client library writes it.
fn written(samples: &[Given]) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut out = String::new();
    for (name, labels, value, timestamp) in samples {
        let labels: Vec<_> = labels.iter().map(|(n, v)| format!("\"{}\"=\"{}\"", escape(n), escape(v))).collect();
        let timestamp = timestamp.map_or(String::new(), |t| format!(" {t}"));
        out += &format!(
            "{{\"{}\"{}{}}} {value:?}{timestamp}\n",
            escape(name),
            if labels.is_empty() { "" } else { "," },
            labels.join(",")
        );
    }
    out
}

proptest! {
    #[test]
    fn reads_back_what_is_written(samples in prop::collection::vec(
        (".{1,8}", prop::collection::btree_map("[^_].{0,5}|[a-z]", ".{0,8}", 0..4), any::<f64>(), any::<Option<i64>>()), 0..20,
    )) {
        let samples: Vec<_> = samples.into_iter().map(|(n, l, v, t)| (n.replace('\r', ""), l.into_iter().collect(), v, t)).filter(|s: &Given| !s.0.is_empty()).collect();
        let read = Format::Text.parse(written(&samples).as_bytes());
        let read = read.map_err(|e| TestCaseError::fail(format!("{e:?} in {}", written(&samples))))?;
        prop_assert_eq!(read.samples.len(), samples.len());
        for (sample, (name, labels, value, timestamp)) in read.samples.iter().zip(&samples) {
            prop_assert_eq!(&sample.labels, &Labels::metric(name, labels.iter().map(|(n, v)| (n, v))));
            prop_assert!(sample.value == *value || (sample.value.is_nan() && value.is_nan()));
            prop_assert_eq!(sample.timestamp_ms, *timestamp);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Format::Text.parse(&body);
        let _ = Format::OpenMetrics.parse(&body);
    }

    #[test]
    fn anything_like_a_body_is_read_without_a_panic(body in "([a-z#{}\"=, \\\\\n0-9.]|# EOF|# TYPE|ñ){0,80}") {
        if let Err(errors) = parse_exposition(body.as_bytes()) {
            let lines: Vec<&str> = body.split('\n').collect();
            for e in errors {
                prop_assert!(e.line <= lines.len() + 1 && e.column <= lines.get(e.line - 1).map_or(0, |l| l.len()) + 1, "{e}");
            }
        }
    }
}
