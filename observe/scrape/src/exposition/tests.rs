//! Expositions as targets write them, right and wrong.

use kernel::series::BucketSpan;
use observe_receive::wire::Writer;
use proptest::prelude::*;

use super::*;

fn read(body: &str, format: Format) -> Result<Vec<String>, String> {
    read_with(body.as_bytes(), format, ParseOptions::default())
}

/// Entries in a short notation: labels sorted, value, time, start, exemplar.
fn read_with(body: &[u8], format: Format, options: ParseOptions) -> Result<Vec<String>, String> {
    let mut parser = Parser::new(body, format, options);
    let mut out = Vec::new();
    while let Some(entry) = parser.next_entry().map_err(|e| e.to_string())? {
        out.push(match entry {
            Entry::Help(name, text) => format!("help {name}: {text:?}"),
            Entry::Type(name, kind) => format!("type {name}: {}", kind.as_str()),
            Entry::Unit(name, unit) => format!("unit {name}: {unit}"),
            Entry::Comment(text) => format!("comment {text}"),
            Entry::Sample(s) => {
                let value = match &s.value {
                    Point::Float(v) => v.to_string(),
                    Point::Histogram(h) => format!(
                        "h(schema {} count {} sum {} zero {} pos {:?} neg {:?} bounds {:?})",
                        h.schema, h.count, h.sum, h.zero_count, h.positive_buckets, h.negative_buckets, h.custom_bounds
                    ),
                };
                let time = s.timestamp_ms.map(|t| format!(" @{t}")).unwrap_or_default();
                let start = if s.start_ms == 0 { String::new() } else { format!(" from {}", s.start_ms) };
                let exemplars: String =
                    s.exemplars.iter().map(|e| format!(" # {} {} {:?}", e.labels, e.value, e.t_ms)).collect();
                format!("{} {value}{time}{start}{exemplars}", s.label_set())
            }
        });
    }
    Ok(out)
}

#[test]
fn the_text_form() {
    let body = "# HELP http_requests_total The \\\\ total\\nof \\\"all\\\".\n# TYPE http_requests_total counter\n\
        http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n\n  \n#plain\n# HELPless\n\
        something_weird { problem = \"division by zero\" , } +Inf -3982045\n\
        msdos_file{path=\"C:\\\\DIR\\\\F.TXT\",error=\"a \\\"b\\\"\\n\\c\"} 1.458255915e9\n\
        # TYPE rpc summary\nrpc{quantile=\"0.50\"} NaN\n# TYPE h histogram\nh_bucket{le=\"1\"} 3\n# TYPE u untyped\nu 1\t\n\
        {\"a.dot\",\"b c\"=\"d\"} 5\nlast{x=\"y\"z=\"w\"}7";
    let want = [
        "help http_requests_total: \"The \\\\ total\\nof \\\\\\\"all\\\\\\\".\"",
        "type http_requests_total: counter",
        r#"http_requests_total{code="200", method="post"} 1027 @1395066363000"#,
        "comment #plain",
        "comment # HELPless",
        r#"something_weird{problem="division by zero"} inf @-3982045"#,
        r#"msdos_file{error="a \"b\"\n\\c", path="C:\\DIR\\F.TXT"} 1458255915"#,
        "type rpc: summary",
        r#"rpc{quantile="0.5"} NaN"#,
        "type h: histogram",
        r#"h_bucket{le="1.0"} 3"#,
        "type u: unknown",
        "u 1",
        r#"a.dot{b c="d"} 5"#,
        r#"last{x="y", z="w"} 7"#,
    ];
    assert_eq!(read(body, Format::Text).unwrap(), want);
    assert_eq!(read("", Format::Text).unwrap(), Vec::<String>::new());
}

#[test]
fn open_metrics() {
    let body = "# HELP foo_seconds Say \\\"hi\\\".\n# TYPE foo_seconds counter\n# UNIT foo_seconds seconds\n\
        foo_seconds_total{a=\"b\"} 17.0 1520879607.789 # {trace_id=\"abc\"} 5 1520879607.7\n\
        foo_seconds_created{a=\"b\"} 1520872607.123\n# TYPE s stateset\ns{s=\"x\"} 1\n# TYPE g gaugehistogram\n\
        g_bucket{le=\"+Inf\"} 2 # {} 0.1\n# EOF";
    let want = [
        "help foo_seconds: \"Say \\\"hi\\\".\"",
        "type foo_seconds: counter",
        "unit foo_seconds: seconds",
        r#"foo_seconds_total{a="b"} 17 @1520879607789 # {trace_id="abc"} 5 Some(1520879607700)"#,
        r#"foo_seconds_created{a="b"} 1520872607.123"#,
        "type s: stateset",
        r#"s{s="x"} 1"#,
        "type g: gaugehistogram",
        r#"g_bucket{le="+Inf"} 2 # {} 0.1 None"#,
    ];
    assert_eq!(read(body, Format::OpenMetrics).unwrap(), want);
    assert_eq!(read("# EOF\n", Format::OpenMetrics).unwrap(), Vec::<String>::new());
}

#[test]
fn created_lines_become_starts() {
    let body = "# TYPE c counter\nc_total{a=\"1\"} 1\nc_created{a=\"1\"} 100\nc_total{a=\"2\"} 2\n# TYPE h histogram\n\
        h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 3\nh_created 1.5\n# TYPE g gauge\ng_created 5\n# EOF\n";
    let options = ParseOptions { fold_created: true, ..ParseOptions::default() };
    let want = [
        "type c: counter",
        r#"c_total{a="1"} 1 from 100000"#,
        r#"c_total{a="2"} 2"#,
        "type h: histogram",
        r#"h_bucket{le="1.0"} 1 from 1500"#,
        r#"h_bucket{le="+Inf"} 2 from 1500"#,
        "h_count 2 from 1500",
        "h_sum 3 from 1500",
        "type g: gauge",
        "g_created 5",
    ];
    let read = read_with(body.as_bytes(), Format::OpenMetrics, options).unwrap();
    let (mut read, mut want) = (read, want.map(str::to_owned).to_vec());
    read.sort();
    want.sort();
    assert_eq!(read, want);
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let check = |body: &str, format: Format, part: &str| {
        let error = read(body, format).expect_err(body);
        assert!(error.contains(part), "{body:?}: {error}");
    };
    use Format::{OpenMetrics, Text};
    check("a 1\nb{c=\"d\" 2\n", Text, "line 2, column 9: expected label name, got \"2\"");
    check("a 1\nb{c} 2\n", Text, "line 2, column 4: expected equal, got \"}\"");
    check("a\n", Text, "expected value after metric, got the end of the line");
    check("a{b=\"c\"}\n", Text, "expected value after metric");
    check("a b\n", Text, "line 1, column 3: the value \"b\" is not a number");
    check("a 1e999\n", Text, "not a number");
    check("a 1 x\n", Text, "expected timestamp or new record");
    check("a 1 1 1\n", Text, "expected next entry after timestamp");
    check("a 1 99999999999999999999\n", Text, "out of range");
    check("a 1\r\n", Text, "\"1\\r\" is not a number");
    check("a{b=\"c\n", Text, "expected label value");
    check("{b=\"c\"} 1\n", Text, "metric name not set");
    check("a{\"b\"} 1\n", Text, "metric name already set");
    check("# TYPE a  gauge\n", Text, "invalid metric type \" gauge\"");
    check("# TYPE a info\n", Text, "invalid metric type \"info\"");
    check("# HELP 1 x\n", Text, "expected metric name after HELP");
    check("9a 1\n", Text, "expected a valid start token, got \"9\"");
    check("a 1\n", OpenMetrics, "data does not end with # EOF");
    check("a 1\n# EOF\na 1\n", OpenMetrics, "line 3, column 1: unexpected data after # EOF");
    check("a  1\n# EOF\n", OpenMetrics, "expected value after metric");
    check("a{b=\"c\", d=\"e\"} 1\n# EOF\n", OpenMetrics, "expected label name, got \" \"");
    check("a{b=\"c\"d=\"e\"} 1\n# EOF\n", OpenMetrics, "expected comma or brace close");
    check("\na 1\n# EOF\n", OpenMetrics, "expected a valid start token");
    check("# UNIT a_b seconds\n# EOF\n", OpenMetrics, "unit \"seconds\" not a suffix");
    check("# TYPE a untyped\n# EOF\n", OpenMetrics, "invalid metric type");
    check("a 1 NaN\n# EOF\n", OpenMetrics, "invalid timestamp");
    check("a 1 # {b=\"c\"}\n# EOF\n", OpenMetrics, "expected value after exemplar labels");
    check("# hello\n# EOF\n", OpenMetrics, "expected HELP, TYPE, UNIT or EOF");
}

#[test]
fn all_mistakes_are_told_to_who_mends_them() {
    let body = b"a 1\nb {\nc 2\n# TYPE d what\ne x\nf 3\n";
    let lines = |most| check(body, Format::Text, most).iter().map(|e| (e.line, e.column)).collect::<Vec<_>>();
    assert_eq!(lines(9), [(2, 4), (4, 10), (5, 3)]);
    assert_eq!(lines(2).len(), 2);
    assert_eq!(check(b"a 1\n", Format::OpenMetrics, 9).len(), 1);
    assert_eq!(check(b"a 1\n# EOF\nb 2\n", Format::OpenMetrics, 9)[0].line, 3);
}

#[test]
fn bytes_that_are_no_text() {
    let error = read_with(b"a{b=\"\xff\"} 1\n", Format::Text, ParseOptions::default()).unwrap_err();
    assert!(error.contains("line 1, column 6: invalid UTF-8"), "{error}");
    assert!(read_with(b"# HELP a \xff\n", Format::Text, ParseOptions::default()).is_err());
    assert!(read_with(b"# \xff\na 1\n", Format::Text, ParseOptions::default()).is_ok());
}

/// A message of `fields`, as a field of another one.
fn message(fields: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::default();
    fields(&mut w);
    w.bytes().to_vec()
}

fn delimited(families: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for family in families {
        let mut n = family.len();
        while n > 127 {
            out.push(n as u8 | 0x80);
            n >>= 7;
        }
        out.push(n as u8);
        out.extend_from_slice(family);
    }
    out
}

fn label(name: &str, value: &str) -> Vec<u8> {
    message(|w| {
        w.string(1, name);
        w.string(2, value);
    })
}

fn family(name: &str, kind: u64, metric: &[u8]) -> Vec<u8> {
    message(|w| {
        w.string(1, name);
        w.string(2, "What it is.");
        w.uint(3, kind);
        w.blob(4, metric);
    })
}

fn histogram_family() -> Vec<u8> {
    let exemplar = message(|w| {
        w.blob(1, &label("trace_id", "t"));
        w.double(2, 0.5);
        w.blob(3, &message(|w| w.uint(1, 7)));
    });
    let histogram = message(|w| {
        w.uint(1, 6);
        w.double(2, 9.5);
        let bucket = message(|w| {
            w.uint(1, 2);
            w.double(2, 1.0);
            w.blob(3, &exemplar);
        });
        w.blob(3, &bucket);
        w.uint(5, 6); // sint 3
        w.double(6, 0.001);
        w.uint(7, 1);
        w.blob(12, &message(|w| w.uint(2, 3)));
        for delta in [2i64, -2, 3] {
            w.uint(13, ((delta << 1) ^ (delta >> 63)) as u64);
        }
        w.blob(15, &message(|w| w.uint(1, 3)));
    });
    let metric = message(|w| {
        w.blob(1, &label("a", "b"));
        w.blob(7, &histogram);
    });
    family("h", 4, &metric)
}

#[test]
fn protobuf() {
    let counter = family("c_total", 0, &message(|w| w.blob(3, &message(|w| w.double(1, 3.5)))));
    let summary = message(|w| {
        w.uint(1, 4);
        w.double(2, 8.0);
        w.blob(
            3,
            &message(|w| {
                w.double(1, 0.5);
                w.double(2, 2.0);
            }),
        );
    });
    let summary = family(
        "s",
        2,
        &message(|w| {
            w.blob(4, &summary);
            w.uint(6, 99);
        }),
    );
    let body = delimited(&[counter, summary, histogram_family()]);
    let classic = [
        "help c_total: \"What it is.\"",
        "type c_total: counter",
        "c_total 3.5",
        "help s: \"What it is.\"",
        "type s: summary",
        "s_count 4 @99",
        "s_sum 8 @99",
        r#"s{quantile="0.5"} 2 @99"#,
        "help h: \"What it is.\"",
        "type h: histogram",
        r#"h_count{a="b"} 6 from 3000"#,
        r#"h_sum{a="b"} 9.5 from 3000"#,
        r#"h_bucket{a="b", le="1.0"} 2 from 3000 # {trace_id="t"} 0.5 Some(7000)"#,
        r#"h_bucket{a="b", le="+Inf"} 6 from 3000"#,
    ];
    assert_eq!(read_with(&body, Format::Protobuf, ParseOptions::default()).unwrap(), classic);
    let options = ParseOptions { native_histograms: true, ..ParseOptions::default() };
    let native = read_with(&body, Format::Protobuf, options).unwrap();
    let want = r#"h{a="b"} h(schema 3 count 6 sum 9.5 zero 1 pos [2.0, 3.0] neg [] bounds []) from 3000 # {trace_id="t"} 0.5 Some(7000)"#;
    assert_eq!(native[10..], [want]);
    let both = ParseOptions { keep_classic: true, ..options };
    assert_eq!(read_with(&body, Format::Protobuf, both).unwrap().len(), 15);
    assert!(read_with(&body[..body.len() - 3], Format::Protobuf, options).unwrap_err().contains("protobuf message"));
}

#[test]
fn spans_of_a_native_histogram_leave_empty_buckets_out() {
    let body = delimited(&[histogram_family()]);
    let options = ParseOptions { native_histograms: true, ..ParseOptions::default() };
    let (samples, metadata) = parse_all(&body, Format::Protobuf, options).unwrap();
    let spans = [BucketSpan { offset: 0, length: 1 }, BucketSpan { offset: 1, length: 1 }];
    assert_eq!(samples[0].histogram().unwrap().positive_spans, spans);
    assert_eq!(metadata["h"].kind, MetricKind::Histogram);
}

#[test]
fn classic_histograms_as_custom_buckets() {
    let body = "# TYPE h histogram\nh_bucket{a=\"1\",le=\"1\"} 1\nh_bucket{a=\"1\",le=\"5\"} 1\nh_bucket{a=\"1\",le=\"+Inf\"} 3\n\
        h_sum{a=\"1\"} 12\nh_count{a=\"1\"} 3\nh_bucket{a=\"2\",le=\"+Inf\"} 2\nh_count{a=\"2\"} 2\nh_sum{a=\"2\"} 4\n\
        h_bucket{a=\"3\",le=\"1\"} 2\nh_bucket{a=\"3\",le=\"+Inf\"} 1\n# TYPE g gauge\ng 1\n";
    let options = ParseOptions { custom_buckets: true, ..ParseOptions::default() };
    let want = [
        "type h: histogram",
        r#"h{a="1"} h(schema -53 count 3 sum 12 zero 0 pos [1.0, 2.0] neg [] bounds [1.0, 5.0])"#,
        r#"h{a="2"} h(schema -53 count 2 sum 4 zero 0 pos [2.0] neg [] bounds [])"#,
        "type g: gauge",
        "g 1",
    ];
    assert_eq!(read_with(body.as_bytes(), Format::Text, options).unwrap(), want);
    let both = ParseOptions { keep_classic: true, ..options };
    assert_eq!(read_with(body.as_bytes(), Format::Text, both).unwrap().len(), want.len() + 10);
}

proptest! {
    #[test]
    fn nothing_panics(body in prop::collection::vec(prop_oneof![
        Just("a".to_owned()), Just("{".to_owned()), Just("}".to_owned()), Just("b=\"c\"".to_owned()), Just("\"".to_owned()),
        Just(" ".to_owned()), Just("\n".to_owned()), Just("# ".to_owned()), Just("TYPE ".to_owned()), Just("HELP ".to_owned()),
        Just("EOF".to_owned()), Just("1".to_owned()), Just("\\".to_owned()), Just(",".to_owned()), Just(" # {".to_owned()),
        "\\PC{0,3}"], 0..24)) {
        let body: String = body.concat();
        for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
            for custom_buckets in [false, true] {
                let options = ParseOptions { custom_buckets, fold_created: true, native_histograms: true, keep_classic: true };
                let _ = read_with(body.as_bytes(), format, options);
            }
        }
    }

    #[test]
    fn any_labels_come_back(pairs in prop::collection::btree_map("[a-zA-Z_][a-zA-Z0-9_]{0,5}", "\\PC{1,8}", 0..5), v in any::<f64>()) {
        let quoted = |v: &str| v.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}=\"{}\"", quoted(v))).collect();
        for (format, end) in [(Format::Text, ""), (Format::OpenMetrics, "# EOF\n")] {
            let value = if v.is_nan() { "NaN".to_owned() } else { format!("{v:e}").replace("inf", "Inf") };
            let body = format!("m{{{}}} {value}\n{end}", labels.join(","));
            let (samples, _) = parse_all(body.as_bytes(), format, ParseOptions::default()).unwrap();
            prop_assert_eq!(samples[0].label_set(), Labels::metric("m", pairs.iter()));
            let Point::Float(read) = samples[0].value else { unreachable!() };
            prop_assert!(read == v || (read.is_nan() && v.is_nan()));
        }
    }

    #[test]
    fn damaged_protobuf_never_panics(cut in 0usize..200, flip in 0usize..200, bits in any::<u8>()) {
        let mut body = delimited(&[histogram_family()]);
        let n = body.len();
        body[flip % n] ^= bits;
        body.truncate(cut.min(n));
        let options = ParseOptions { native_histograms: true, keep_classic: true, ..ParseOptions::default() };
        let _ = read_with(&body, Format::Protobuf, options);
    }
}
