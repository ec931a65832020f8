//! Messages with bytes changed, left out, doubled and cut off: nothing panics, and every answer is one that the protocol has.

use std::sync::Arc;

use kernel::Labels;
use kernel::series::{BucketSpan, Exemplar, Histogram};

use super::memory::Memory;
use crate::limits::Limits;
use crate::otlp::grpc::{read_message, write_message};
use crate::otlp::{Form, OtlpOptions};
use crate::read::ReadRequest;
use crate::remote_write::Outgoing;
use crate::wire::Writer as Wire;
use crate::writer::Writer;

/// Messages that are tried, from each of the whole ones.
const ROUNDS: u64 = 3_000;

/// Numbers that look random and are the same in each run (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[at] = [0, 0x7f, 0x80, 0xff][self.below(4)],
                2 => bytes.truncate(at),
                3 => bytes.insert(at, self.next() as u8),
                4 if !bytes.is_empty() => drop(bytes.remove(at)),
                _ => {
                    let end = (at + self.below(40)).min(bytes.len());
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
            }
        }
    }
}

fn remote_write() -> Vec<u8> {
    let mut out = Outgoing::default();
    let spans = vec![BucketSpan { offset: -2, length: 2 }];
    let histogram = Histogram {
        count: 3.0,
        sum: 4.0,
        positive_spans: spans,
        positive_buckets: vec![1.0, 2.0],
        ..Histogram::default()
    };
    for name in ["a", "b_total"] {
        out.series(&Labels::metric(name, [("job", "x"), ("instance", "y:1")]), |s| {
            s.float(1_000, 1.5);
            s.float(2_000, f64::NAN);
            s.histogram(3_000, &histogram);
            s.exemplar(&Exemplar { labels: Labels::new([("trace_id", "7")]), value: 1.0, t_ms: 900 });
        });
    }
    snap::raw::Decoder::new().decompress_vec(&out.finish()).unwrap()
}

/// `ExportMetricsServiceRequest` with a sum of deltas, a gauge and an exponential histogram.
fn otlp() -> Vec<u8> {
    let mut w = Wire::default();
    let text = |w: &mut Wire, field: u32, key: &str, value: &str| {
        w.message(field, |w| {
            w.string(1, key);
            w.message(2, |w| w.string(1, value));
        });
    };
    w.message(1, |resource| {
        resource.message(1, |w| text(w, 1, "service.name", "shop"));
        resource.message(2, |scope| {
            scope.message(2, |metric| {
                metric.string(1, "jobs.done");
                metric.message(7, |sum| {
                    sum.message(1, |point| {
                        text(point, 7, "queue", "q");
                        point.fixed64(2, 1_000_000_000);
                        point.fixed64(3, 2_000_000_000);
                        point.double(4, 5.0);
                    });
                    sum.uint(2, 1);
                    sum.uint(3, 1);
                });
            });
            scope.message(2, |metric| {
                metric.string(1, "size");
                metric.message(10, |histogram| {
                    histogram.message(1, |point| {
                        point.fixed64(2, 1_000_000_000);
                        point.fixed64(3, 2_000_000_000);
                        point.fixed64(4, 3);
                        point.double(5, 9.0);
                        point.sint(6, 2);
                        point.message(8, |buckets| {
                            buckets.sint(1, -1);
                            buckets.varints(2, [1, 0, 2]);
                        });
                    });
                    histogram.uint(2, 2);
                });
            });
        });
    });
    w.finish()
}

#[test]
fn changed_messages_are_answered_and_nothing_else() {
    let writer = Writer::new(Arc::new(Memory::default()), Limits::default());
    let mut random = Random(7);
    for whole in [remote_write(), otlp()] {
        let mut refused = 0;
        for _ in 0..ROUNDS {
            let mut bytes = whole.clone();
            random.mutate(&mut bytes);
            let packed = snap::raw::Encoder::new().compress_vec(&bytes).unwrap();
            for message in ["", ";proto=io.prometheus.write.v2.Request"] {
                let kind = format!("application/x-protobuf{message}");
                for body in [&bytes, &packed] {
                    let answer = writer.remote_write("", (&kind, "snappy"), body, 1_000_000);
                    assert!(matches!(answer.status, 204 | 400 | 413), "{answer:?}");
                    refused += u64::from(answer.status == 400);
                }
            }
            let answer = writer.otlp("", (Form::Protobuf, ""), &bytes, &OtlpOptions::default(), 1_000_000);
            assert!(matches!(answer.status, 200 | 400 | 413), "{answer:?}");
            Form::Protobuf.answer(&answer);
            let _ = ReadRequest::read(&packed);
            let mut framed = write_message(&bytes);
            random.mutate(&mut framed);
            let _ = read_message(&framed, "gzip", 1 << 20);
        }
        assert!(refused > ROUNDS / 2, "what is broken is refused: {refused}");
    }
}

#[test]
fn the_whole_messages_are_good() {
    // Otherwise the test above would try nothing but what is refused at once.
    let writer = Writer::new(Arc::new(Memory::default()), Limits::default());
    let packed = snap::raw::Encoder::new().compress_vec(&remote_write()).unwrap();
    let answer = writer.remote_write("", ("application/x-protobuf", "snappy"), &packed, 1_000_000);
    assert_eq!((answer.status, answer.written.samples, answer.written.histograms), (204, 4, 2), "{answer:?}");
    let answer = writer.otlp("", (Form::Protobuf, ""), &otlp(), &OtlpOptions::default(), 1_000_000);
    assert_eq!((answer.status, answer.text.as_str(), answer.written.histograms), (200, "", 1), "{answer:?}");
}
