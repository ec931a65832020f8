//! Bodies as senders make them: remote-write, OTLP, remote read, expositions in protobuf; and PromQL's forms. Pure.

use std::sync::Arc;

use kernel::Labels;
use kernel::series::{BucketSpan, Exemplar, Histogram, stale_nan};
use observe_receive::remote_write::Outgoing;
use observe_receive::wire::Writer;

/// Milliseconds since the epoch: near the time that the target takes for now.
const T_MS: i64 = 1_800_000_000_000;

/// Each with the target that reads it.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut out = vec![
        ("receive", write_v1()),
        ("receive", write_v2()),
        ("receive", remote_read()),
        ("scrape_bodies", exposition()),
        ("credentials", b"farero_session=abc; __Host-farero=def".to_vec()),
        ("webauthn", attestation()),
    ];
    for delta in [1, 2] {
        out.push(("receive", otlp(delta)));
    }
    out
}

fn histogram() -> Histogram {
    let span = |offset, length| BucketSpan { offset, length };
    Histogram {
        schema: 1,
        zero_threshold: 1e-9,
        zero_count: 2.0,
        count: 12.0,
        sum: 18.4,
        positive_spans: vec![span(0, 2), span(1, 2)],
        positive_buckets: vec![1.0, 2.0, 3.0, 1.0],
        negative_spans: vec![span(-1, 1)],
        negative_buckets: vec![3.0],
        ..Histogram::default()
    }
}

/// Packed as it is sent; the target unpacks, and packs what is not.
fn plain(packed: &[u8]) -> Vec<u8> {
    snap::raw::Decoder::new().decompress_vec(packed).unwrap_or_default()
}

fn write_v1() -> Vec<u8> {
    let mut out = Outgoing::default();
    for n in 0..3i64 {
        let labels = Labels::metric("http_requests_total", [("job", "api"), ("instance", "a:9100"), ("code", "200")]);
        out.series(&labels.with("n", &n.to_string()), |w| {
            for i in 0..4 {
                w.float(T_MS + i * 15_000, (n * i) as f64 * 1.5);
            }
            w.float(T_MS + 60_000, stale_nan());
            w.exemplar(&Exemplar { labels: Labels::new([("trace_id", "abc")]), value: 0.5, t_ms: T_MS });
        });
    }
    let h = Arc::new(histogram());
    out.series(&Labels::metric("latency", [("job", "api")]), |w| w.histogram(T_MS, &h));
    plain(&out.finish())
}

fn write_v2() -> Vec<u8> {
    let mut w = Writer::default();
    for text in ["", "__name__", "a_total", "job", "api", "bytes", "help", "trace_id", "abc"] {
        w.string(4, text);
    }
    w.message(5, |w| {
        w.varints(1, [1, 2, 3, 4]);
        for i in 0..3 {
            w.message(2, |w| {
                w.double(1, i as f64);
                w.int(2, T_MS + i * 1_000);
                w.int(3, T_MS - 5_000);
            });
        }
        w.message(4, |w| {
            w.varints(1, [7, 8]);
            w.double(2, 1.5);
            w.int(3, T_MS);
        });
        w.message(5, |w| {
            w.uint(1, 1);
            w.uint(3, 6);
            w.uint(4, 5);
        });
    });
    w.message(5, |w| {
        w.varints(1, [1, 2, 3, 4]);
        w.message(3, |w| native(w, T_MS));
    });
    w.finish()
}

/// `Histogram` of remote-write: integers, differences.
fn native(w: &mut Writer, t_ms: i64) {
    w.uint(1, 9);
    w.double(3, 12.5);
    w.sint(4, 2);
    w.double(5, 1e-9);
    w.uint(6, 1);
    w.message(11, |w| {
        w.sint(1, 0);
        w.uint(2, 3);
    });
    w.sints(12, [2, 1, 0]);
    w.uint(14, 1);
    w.int(15, t_ms);
}

fn remote_read() -> Vec<u8> {
    let mut w = Writer::default();
    w.message(1, |w| {
        w.int(1, T_MS - 3_600_000);
        w.int(2, T_MS);
        for (kind, value) in [(0, "up"), (1, "a"), (2, "a.*"), (3, "(b|c)+")] {
            w.message(3, |w| {
                w.uint(1, kind);
                w.string(2, "__name__");
                w.string(3, value);
            });
        }
        w.message(4, |w| {
            w.int(1, 15_000);
            w.string(2, "rate");
            w.int(3, T_MS);
        });
    });
    w.varints(2, [1, 0]);
    w.finish()
}

fn attribute(w: &mut Writer, field: u32, name: &str, value: &str) {
    w.message(field, |w| {
        w.string(1, name);
        w.message(2, |w| w.string(1, value));
    });
}

/// A request with each kind of metric.
fn otlp(temporality: u64) -> Vec<u8> {
    let ns = T_MS as u64 * 1_000_000;
    let times = |w: &mut Writer| {
        w.fixed64(2, ns - 15_000_000_000);
        w.fixed64(3, ns);
    };
    let mut w = Writer::default();
    w.message(1, |w| {
        w.message(1, |w| {
            attribute(w, 1, "service.name", "api");
            attribute(w, 1, "service.instance.id", "a");
            attribute(w, 1, "host.name", "h");
        });
        w.message(2, |w| {
            w.message(1, |w| w.string(1, "scope"));
            w.message(2, |w| {
                w.string(1, "http.server.requests");
                w.string(3, "1");
                w.message(7, |w| {
                    w.message(1, |w| {
                        times(w);
                        w.double(4, 5.0);
                        attribute(w, 7, "http.route", "/a");
                        w.message(5, |w| {
                            w.fixed64(2, ns);
                            w.double(3, 1.0);
                            w.blob(5, &[7; 16]);
                        });
                    });
                    w.uint(2, temporality);
                    w.uint(3, 1);
                });
            });
            w.message(2, |w| explicit(w, temporality, &times));
            w.message(2, |w| exponential(w, temporality, &times));
            w.message(2, |w| {
                w.string(1, "summary");
                w.message(11, |w| {
                    w.message(1, |w| {
                        times(w);
                        w.fixed64(4, 9);
                        w.double(5, 3.0);
                        w.message(6, |w| {
                            w.double(1, 0.5);
                            w.double(2, 0.1);
                        });
                    });
                });
            });
        });
    });
    w.finish()
}

fn explicit(w: &mut Writer, temporality: u64, times: &dyn Fn(&mut Writer)) {
    w.string(1, "http.server.duration");
    w.string(3, "ms");
    w.message(9, |w| {
        w.message(1, |w| {
            times(w);
            w.fixed64(4, 6);
            w.double(5, 60.0);
            let counts: Vec<u8> = [1u64, 2, 3].iter().flat_map(|c| c.to_le_bytes()).collect();
            w.blob(6, &counts);
            w.doubles(7, &[5.0, 10.0]);
        });
        w.uint(2, temporality);
    });
}

fn exponential(w: &mut Writer, temporality: u64, times: &dyn Fn(&mut Writer)) {
    w.string(1, "http.client.duration");
    w.message(10, |w| {
        w.message(1, |w| {
            times(w);
            w.fixed64(4, 7);
            w.double(5, 6.5);
            w.sint(6, 3);
            w.fixed64(7, 1);
            w.message(8, |w| {
                w.sint(1, -2);
                w.varints(2, [1, 2, 0, 3]);
            });
        });
        w.uint(2, temporality);
    });
}

/// Families in the protobuf form, each with its length before it: a counter with its start, a native histogram.
fn exposition() -> Vec<u8> {
    let mut w = Writer::default();
    w.length_first(|w| {
        w.string(1, "a_total");
        w.string(2, "help");
        w.uint(3, 0);
        w.message(4, |w| {
            w.message(1, |w| {
                w.string(1, "code");
                w.string(2, "200");
            });
            w.message(3, |w| {
                w.double(1, 5.0);
                w.message(3, |w| w.int(1, T_MS / 1_000));
            });
        });
    });
    w.length_first(|w| {
        w.string(1, "latency");
        w.uint(3, 4);
        w.message(4, |w| {
            w.message(7, |w| {
                w.uint(1, 6);
                w.double(2, 4.5);
                for (count, upper) in [(2, 0.1), (5, 1.0), (6, f64::INFINITY)] {
                    w.message(3, |w| {
                        w.uint(1, count);
                        w.double(2, upper);
                    });
                }
                w.sint(5, 2);
                w.double(6, 1e-9);
                w.uint(7, 1);
                w.message(12, |w| {
                    w.sint(1, -3);
                    w.uint(2, 2);
                });
                w.sints(13, [3, -1]);
            });
        });
    });
    w.finish()
}

/// The start of an attestation object in CBOR: a map of `fmt`, `attStmt` and `authData`.
fn attestation() -> Vec<u8> {
    let mut out = vec![0xa3, 0x63];
    out.extend_from_slice(b"fmt");
    out.extend_from_slice(&[0x64]);
    out.extend_from_slice(b"none");
    out.extend_from_slice(&[0x67]);
    out.extend_from_slice(b"attStmt");
    out.extend_from_slice(&[0xa0, 0x68]);
    out.extend_from_slice(b"authData");
    out.extend_from_slice(&[0x58, 37]);
    out.extend_from_slice(&[0; 37]);
    out
}
