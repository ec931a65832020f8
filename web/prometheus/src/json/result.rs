//! Results of queries. Pure.

use std::time::Duration;

use decide_promql::{Explained, Value};
use kernel::Labels;
use kernel::series::{Exemplar, Histogram, Point};

use super::histogram::push_histogram;
use super::number::{Exponent, push_number};
use super::{push_labels, push_seconds, push_text, push_texts};
use crate::limits::ANSWER_BYTES;

/// A result with everything that is told beside it.
pub(crate) struct Answered<'a> {
    /// The result.
    pub(crate) value: &'a Value,
    /// What it cost, when asked for.
    pub(crate) stats: Option<Stats>,
    /// What each part of it cost, when asked for.
    pub(crate) explained: Option<&'a Explained>,
    /// Remarks.
    pub(crate) warnings: &'a [String],
    /// Lesser remarks.
    pub(crate) infos: &'a [String],
    /// The time of a text.
    pub(crate) at_ms: i64,
}

/// What a query cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stats {
    /// How long it waited for its turn.
    pub(crate) queued: Duration,
    /// Reading the expression.
    pub(crate) prepared: Duration,
    /// Evaluating it.
    pub(crate) evaluated: Duration,
    /// Samples read.
    pub(crate) samples: u64,
    /// Most samples held at once.
    pub(crate) peak: u64,
}

/// Writes a whole answer; `None` when it would be over [`ANSWER_BYTES`].
pub(crate) fn write_answer(answered: &Answered<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(size(answered.value).about.min(ANSWER_BYTES));
    out.extend_from_slice(br#"{"status":"success","data":{"resultType":""#);
    write_value(&mut out, answered);
    if out.len() > ANSWER_BYTES {
        return None;
    }
    if let Some(explained) = answered.explained {
        out.extend_from_slice(br#","explain":"#);
        write_explained(&mut out, explained);
    }
    if let Some(stats) = &answered.stats {
        write_stats(&mut out, stats);
    }
    out.push(b'}');
    push_texts(&mut out, "warnings", answered.warnings);
    push_texts(&mut out, "infos", answered.infos);
    out.push(b'}');
    Some(out)
}

fn write_explained(out: &mut Vec<u8>, part: &Explained) {
    out.extend_from_slice(br#"{"expr":"#);
    push_text(out, &part.expr);
    for (name, value) in [(r#","series":"#, part.series as f64), (r#","samples":"#, part.samples as f64)] {
        out.extend_from_slice(name.as_bytes());
        push_number(out, value, Exponent::Never);
    }
    out.extend_from_slice(br#","seconds":"#);
    push_number(out, Duration::from_nanos(part.nanoseconds).as_secs_f64(), Exponent::Never);
    if let Some(ms) = part.rollup_ms {
        out.extend_from_slice(br#","rollup_seconds":"#);
        push_number(out, ms as f64 / 1_000.0, Exponent::Never);
    }
    out.extend_from_slice(br#","children":["#);
    for (i, child) in part.children.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_explained(out, child);
    }
    out.extend_from_slice(b"]}");
}

/// Bytes of an answer before it is written.
pub(crate) struct Size {
    /// It takes no fewer.
    pub(crate) least: usize,
    /// About, so that it need not be moved while it grows.
    pub(crate) about: usize,
}

/// How many bytes an answer takes.
pub(crate) fn size(value: &Value) -> Size {
    /// Labels of a series and the words around them.
    const SERIES: usize = 200;
    /// Time and value of a point.
    const POINT: usize = 28;
    /// `[0,"0"],`
    const LEAST_POINT: usize = 8;
    /// Some buckets with their bounds.
    const HISTOGRAM: usize = 400;
    let (series, points, histograms) = match value {
        Value::Vector(all) => (all.len(), all.len(), 0),
        Value::Matrix(all) => {
            let points = all.iter().map(|s| s.samples.len()).sum();
            (all.len(), points, all.iter().map(|s| s.histograms.len()).sum())
        }
        _ => (0, 0, 0),
    };
    Size {
        least: (points + histograms) * LEAST_POINT,
        about: 256 + series * SERIES + points * POINT + histograms * HISTOGRAM,
    }
}

fn write_value(out: &mut Vec<u8>, answered: &Answered<'_>) {
    match answered.value {
        Value::Scalar(sample) => {
            out.extend_from_slice(br#"scalar","result":["#);
            push_seconds(out, sample.t_ms);
            out.extend_from_slice(b",\"");
            push_number(out, sample.value, Exponent::Never);
            out.extend_from_slice(b"\"]");
        }
        Value::String(text) => {
            out.extend_from_slice(br#"string","result":["#);
            push_seconds(out, answered.at_ms);
            out.push(b',');
            push_text(out, text);
            out.push(b']');
        }
        Value::Vector(all) => {
            out.extend_from_slice(br#"vector","result":["#);
            for (i, one) in all.iter().enumerate() {
                if out.len() > ANSWER_BYTES {
                    return;
                }
                metric(out, i, &one.labels);
                match &one.value {
                    Point::Float(value) => {
                        out.extend_from_slice(br#","value":"#);
                        point(out, one.t_ms, *value);
                    }
                    Point::Histogram(histogram) => {
                        out.extend_from_slice(br#","histogram":"#);
                        histogram_point(out, one.t_ms, histogram);
                    }
                }
                out.push(b'}');
            }
            out.push(b']');
        }
        Value::Matrix(all) => {
            out.extend_from_slice(br#"matrix","result":["#);
            for (i, one) in all.iter().enumerate() {
                if out.len() > ANSWER_BYTES {
                    return;
                }
                metric(out, i, &one.labels);
                let values = one.samples.iter();
                list(out, br#","values":["#, values, |out, sample| point(out, sample.t_ms, sample.value));
                let histograms = one.histograms.iter();
                list(out, br#","histograms":["#, histograms, |out, (t_ms, h)| histogram_point(out, *t_ms, h));
                out.push(b'}');
            }
            out.push(b']');
        }
        _ => out.extend_from_slice(br#"none","result":[]"#),
    }
}

fn metric(out: &mut Vec<u8>, i: usize, labels: &Labels) {
    out.extend_from_slice(if i == 0 { br#"{"metric":"# } else { br#",{"metric":"# });
    push_labels(out, labels);
}

/// A list under a name; nothing when there is none.
fn list<T>(out: &mut Vec<u8>, name: &[u8], all: impl Iterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    let mut any = false;
    for one in all {
        out.extend_from_slice(if any { b"," } else { name });
        any = true;
        write(out, one);
    }
    if any {
        out.push(b']');
    }
}

fn point(out: &mut Vec<u8>, t_ms: i64, value: f64) {
    out.push(b'[');
    push_seconds(out, t_ms);
    out.extend_from_slice(b",\"");
    push_number(out, value, Exponent::Far);
    out.extend_from_slice(b"\"]");
}

fn histogram_point(out: &mut Vec<u8>, t_ms: i64, histogram: &Histogram) {
    out.push(b'[');
    push_seconds(out, t_ms);
    out.push(b',');
    push_histogram(out, histogram);
    out.push(b']');
}

fn write_stats(out: &mut Vec<u8>, stats: &Stats) {
    let mut number = |before: &str, value: f64| {
        out.extend_from_slice(before.as_bytes());
        push_number(out, value, Exponent::Never);
    };
    let all = stats.queued + stats.prepared + stats.evaluated;
    number(r#","stats":{"timings":{"evalTotalTime":"#, (stats.prepared + stats.evaluated).as_secs_f64());
    number(r#","resultSortTime":"#, 0.0);
    number(r#","queryPreparationTime":"#, stats.prepared.as_secs_f64());
    number(r#","innerEvalTime":"#, stats.evaluated.as_secs_f64());
    number(r#","execQueueTime":"#, stats.queued.as_secs_f64());
    number(r#","execTotalTime":"#, all.as_secs_f64());
    number(r#"},"samples":{"totalQueryableSamples":"#, stats.samples as f64);
    number(r#","peakSamples":"#, stats.peak as f64);
    out.extend_from_slice(b"}}");
}

/// Writes an answer with exemplars.
pub(crate) fn write_exemplars(all: &[(Labels, Vec<Exemplar>)]) -> Vec<u8> {
    let mut out = br#"{"status":"success","data":["#.to_vec();
    for (i, (labels, exemplars)) in all.iter().enumerate() {
        out.extend_from_slice(if i == 0 { br#"{"seriesLabels":"# } else { br#",{"seriesLabels":"# });
        push_labels(&mut out, labels);
        out.extend_from_slice(br#","exemplars":["#);
        for (j, exemplar) in exemplars.iter().enumerate() {
            out.extend_from_slice(if j == 0 { br#"{"labels":"# } else { br#",{"labels":"# });
            push_labels(&mut out, &exemplar.labels);
            out.extend_from_slice(br#","value":""#);
            push_number(&mut out, exemplar.value, Exponent::Far);
            out.extend_from_slice(br#"","timestamp":"#);
            push_seconds(&mut out, exemplar.t_ms);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b"]}");
    out
}
