//! Metric families in Prometheus's text form and as delimited protobuf. Pure.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use http::HeaderValue;
use kernel::series::{BucketSpan, CounterReset, Histogram, Point};

use crate::escaping::{Escaping, is_plain};
use crate::json::{Exponent, push_number};

/// A form, and how it writes names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text, version 0.0.4.
    Text(Escaping),
    /// Messages `io.prometheus.client.MetricFamily`, each after its length.
    Protobuf(Escaping),
}

impl Form {
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Text(_))
    }

    const fn escaping(self) -> Escaping {
        match self {
            Self::Text(escaping) | Self::Protobuf(escaping) => escaping,
        }
    }

    pub(crate) fn content_type(self) -> HeaderValue {
        let escaping = self.escaping().name();
        let text = match self {
            Self::Text(Escaping::None) => format!("text/plain; version=1.0.0; charset=utf-8; escaping={escaping}"),
            Self::Text(_) => format!("text/plain; version=0.0.4; charset=utf-8; escaping={escaping}"),
            Self::Protobuf(_) => format!(
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; \
                 escaping={escaping}"
            ),
        };
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("text/plain"))
    }
}

/// What kind of family, with the numbers of the protobuf form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not known.
    Untyped = 3,
    /// Native histograms that count.
    Histogram = 4,
    /// Native histograms that may fall.
    GaugeHistogram = 5,
}

/// One sample.
pub(crate) struct Row {
    /// Labels without the name.
    pub(crate) labels: Vec<(String, String)>,
    /// Milliseconds since the epoch.
    pub(crate) t_ms: i64,
    pub(crate) point: Point,
}

/// Samples of one metric.
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) rows: Vec<Row>,
}

impl Family {
    pub(crate) fn kind_of(point: &Point) -> Kind {
        match point {
            Point::Float(_) => Kind::Untyped,
            Point::Histogram(h) if h.reset == CounterReset::Gauge => Kind::GaugeHistogram,
            Point::Histogram(_) => Kind::Histogram,
        }
    }
}

/// Adds a family.
pub(crate) fn write_family(out: &mut Vec<u8>, family: &Family, form: Form) {
    match form {
        Form::Text(escaping) => write_text(out, family, escaping),
        Form::Protobuf(escaping) => {
            let message = protobuf(family, escaping);
            varint(out, message.len() as u64);
            out.extend_from_slice(&message);
        }
    }
}

fn write_text(out: &mut Vec<u8>, family: &Family, escaping: Escaping) {
    let name = escaping.apply(&family.name);
    out.extend_from_slice(b"# TYPE ");
    push_name(out, &name);
    out.extend_from_slice(b" untyped\n");
    for Row { labels, t_ms, point } in &family.rows {
        let Point::Float(value) = point else { continue };
        let plain = is_plain(&name);
        let mut between: &[u8] = b"{";
        if plain {
            out.extend_from_slice(name.as_bytes());
        } else {
            // A name that needs quotes stands with the labels.
            out.push(b'{');
            push_quoted(out, &name);
            between = b",";
        }
        for (label, value) in labels {
            out.extend_from_slice(between);
            between = b",";
            push_name(out, &escaping.apply(label));
            out.push(b'=');
            push_quoted(out, value);
        }
        if !plain || !labels.is_empty() {
            out.push(b'}');
        }
        out.push(b' ');
        push_number(out, *value, Exponent::Short);
        out.push(b' ');
        out.extend_from_slice(itoa::Buffer::new().format(*t_ms).as_bytes());
        out.push(b'\n');
    }
}

fn push_name(out: &mut Vec<u8>, name: &str) {
    // A colon is taken in metrics' names only; in a label's it needs quotes.
    if is_plain(name) { out.extend_from_slice(name.as_bytes()) } else { push_quoted(out, name) }
}

fn push_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'"' => out.extend_from_slice(b"\\\""),
            b'\n' => out.extend_from_slice(b"\\n"),
            other => out.push(other),
        }
    }
    out.push(b'"');
}

/// Protobuf's variable-length number.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Protobuf's number with a sign that stays short around zero.
const fn zigzag(value: i32) -> u64 {
    ((value << 1) ^ (value >> 31)) as u32 as u64
}

fn number(out: &mut Vec<u8>, field: u32, value: u64) {
    varint(out, u64::from(field) << 3);
    varint(out, value);
}

fn double(out: &mut Vec<u8>, field: u32, value: f64) {
    varint(out, u64::from(field) << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    varint(out, u64::from(field) << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// A message `io.prometheus.client.MetricFamily` (client_model, metrics.proto).
fn protobuf(family: &Family, escaping: Escaping) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, escaping.apply(&family.name).as_bytes());
    number(&mut out, 3, family.kind as u64);
    for Row { labels, t_ms, point } in &family.rows {
        let mut metric = Vec::new();
        for (name, value) in labels {
            let mut pair = Vec::new();
            bytes(&mut pair, 1, escaping.apply(name).as_bytes());
            bytes(&mut pair, 2, value.as_bytes());
            bytes(&mut metric, 1, &pair);
        }
        match point {
            Point::Float(value) => {
                let mut untyped = Vec::new();
                double(&mut untyped, 1, *value);
                bytes(&mut metric, 5, &untyped);
            }
            Point::Histogram(h) => bytes(&mut metric, 7, &histogram(h)),
        }
        number(&mut metric, 6, *t_ms as u64);
        bytes(&mut out, 4, &metric);
    }
    out
}

fn histogram(h: &Histogram) -> Vec<u8> {
    let mut out = Vec::new();
    double(&mut out, 2, h.sum);
    double(&mut out, 4, h.count);
    number(&mut out, 5, zigzag(h.schema));
    double(&mut out, 6, h.zero_threshold);
    double(&mut out, 8, h.zero_count);
    side(&mut out, 9, &h.negative_spans, 11, &h.negative_buckets);
    side(&mut out, 12, &h.positive_spans, 14, &h.positive_buckets);
    out
}

fn side(out: &mut Vec<u8>, span_field: u32, spans: &[BucketSpan], count_field: u32, counts: &[f64]) {
    for span in spans {
        let mut message = Vec::new();
        number(&mut message, 1, zigzag(span.offset));
        number(&mut message, 2, u64::from(span.length));
        bytes(out, span_field, &message);
    }
    counts.iter().for_each(|count| double(out, count_field, *count));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str, labels: &[(&str, &str)], value: f64) -> Family {
        let labels = labels.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let row = Row { labels, t_ms: 6_000_000, point: Point::Float(value) };
        Family { name: name.to_owned(), kind: Kind::Untyped, rows: vec![row] }
    }

    fn text(family: &Family, escaping: Escaping) -> String {
        let mut out = Vec::new();
        write_family(&mut out, family, Form::Text(escaping));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_as_prometheus_writes_it() {
        let f = family("test", &[("foo", "a\"b\\c\nd"), ("instance", "")], 10_000.0);
        let expect = "# TYPE test untyped\ntest{foo=\"a\\\"b\\\\c\\nd\",instance=\"\"} 10000 6000000\n";
        assert_eq!(text(&f, Escaping::Underscores), expect);
        let f = family("a.b", &[("x.y", "1")], f64::NAN);
        assert_eq!(text(&f, Escaping::Underscores), "# TYPE a_b untyped\na_b{x_y=\"1\"} NaN 6000000\n");
        assert_eq!(text(&f, Escaping::None), "# TYPE \"a.b\" untyped\n{\"a.b\",\"x.y\"=\"1\"} NaN 6000000\n");
    }

    #[test]
    fn protobuf_is_a_length_and_a_family() {
        let mut out = Vec::new();
        write_family(&mut out, &family("up", &[("a", "b")], 1.0), Form::Protobuf(Escaping::None));
        let expect: &[u8] = &[
            32, 10, 2, b'u', b'p', 24, 3, 34, 24, 10, 6, 10, 1, b'a', 18, 1, b'b', 42, 9, 9, 0, 0, 0, 0, 0, 0, 0xf0,
            0x3f, 48, 0x80, 0x9b, 0xee, 2,
        ];
        assert_eq!(out[1..], expect[1..]);
        assert_eq!(usize::from(out[0]), out.len() - 1);
        assert_eq!((zigzag(0), zigzag(-1), zigzag(1), zigzag(i32::MIN)), (0, 1, 2, u64::from(u32::MAX)));
    }
}
