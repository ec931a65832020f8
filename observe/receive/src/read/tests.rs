//! Requests as Prometheus sends them, answers as it reads them.

use std::sync::Arc;

use kernel::Labels;
use kernel::series::{BucketSpan, Column, Histogram, MatchOp, Point, Series};
use proptest::prelude::*;

use super::*;
use crate::chunks::{Encoding, read_histograms, read_xor};
use crate::wire::{Reader, Writer};

fn packed(w: Writer) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(w.bytes()).unwrap()
}

fn request(types: &[u64], op: u64) -> Vec<u8> {
    let mut w = Writer::default();
    w.message(1, |w| {
        w.int(1, 1_000);
        w.int(2, 2_000);
        w.message(3, |w| {
            w.uint(1, op);
            w.string(2, "job");
            w.string(3, "a|b");
        });
        w.message(4, |w| {
            w.int(1, 15_000);
            w.string(2, "rate");
            w.int(3, 700);
            w.int(4, 1_900);
        });
    });
    w.varints(2, types.iter().copied());
    packed(w)
}

#[test]
fn requests_are_read() {
    let read = ReadRequest::read(&request(&[1, 0], 2)).unwrap();
    assert_eq!(read.response, ResponseType::StreamedXorChunks);
    let select = read.queries[0].select();
    assert_eq!((select.start_ms, select.end_ms, select.matchers[0].op), (700, 1_900, MatchOp::Regex));
    assert!(select.matchers[0].matches("b") && !select.matchers[0].matches("ab"));
    assert_eq!(ReadRequest::read(&request(&[], 0)).unwrap().response, ResponseType::Samples);
    assert_eq!(ReadRequest::read(&request(&[7, 0], 0)).unwrap().response, ResponseType::Samples);
    assert!(matches!(ReadRequest::read(&request(&[7], 0)), Err(ReadError::ResponseType(_))));
    assert!(matches!(ReadRequest::read(&request(&[], 9)), Err(ReadError::Matcher(_))));
    assert!(matches!(ReadRequest::read(b"xx"), Err(ReadError::Body(_))));
}

fn mixed() -> Series {
    let histogram = |n: f64| {
        let spans = vec![BucketSpan { offset: 1, length: 1 }];
        Histogram { count: n, sum: 2.0 * n, positive_spans: spans, positive_buckets: vec![n], ..Histogram::default() }
    };
    let points = (0..300).map(|n| match n {
        100..200 => Point::Histogram(Arc::new(histogram(f64::from(n)))),
        _ => Point::Float(f64::from(n)),
    });
    Series {
        labels: Labels::metric("m", [("job", "a")]),
        timestamps: (0..300).map(|n| n * 1_000).collect(),
        values: Column::Mixed(points.collect()),
        starts: None,
    }
}

type Frame = (u64, Vec<(u64, i64, Vec<u8>)>);

/// Reads frames as Prometheus's client does.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut out = Vec::new();
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        let length = reader.varint().unwrap() as usize;
        let crc = u32::from_be_bytes(reader.array().unwrap());
        let message = &reader.rest()[..length];
        assert_eq!(crc, crc32c::crc32c(message));
        reader = Reader::new(&reader.rest()[length..]);
        let (mut query, mut chunks, mut labels) = (0, Vec::new(), 0);
        let mut fields = Reader::new(message);
        while let Some(field) = fields.next().unwrap() {
            if field.number == 2 {
                query = field.uint().unwrap();
                continue;
            }
            let mut fields = field.message().unwrap();
            while let Some(field) = fields.next().unwrap() {
                labels += u32::from(field.number == 1);
                if field.number == 2 {
                    let (mut first, mut kind, mut data) = (0, 0, Vec::new());
                    let mut fields = field.message().unwrap();
                    while let Some(field) = fields.next().unwrap() {
                        match field.number {
                            1 => first = field.int().unwrap(),
                            3 => kind = field.uint().unwrap(),
                            4 => data = field.bytes().unwrap().to_vec(),
                            _ => {}
                        }
                    }
                    chunks.push((kind, first, data));
                }
            }
        }
        assert_eq!(labels, 2);
        out.push((query, chunks));
    }
    out
}

#[test]
fn streamed_chunks_hold_what_was_asked_for() {
    let series = mixed();
    let mut all = Frames::default();
    all.push(0, &series, FRAME_BYTES);
    all.push(3, &series, 300);
    let read = frames(&all.take());
    assert!(all.is_empty());
    assert_eq!((read[0].0, read[0].1.len()), (0, 3), "numbers, histograms, numbers");
    assert!(read.len() > 2 && read[1..].iter().all(|(query, _)| *query == 3));
    let mut points = Vec::new();
    for (kind, first, data) in &read[0].1 {
        let before = points.len();
        if *kind == Encoding::Xor as u64 {
            points.extend(read_xor(data).unwrap().into_iter().map(|(t, v)| (t, Point::Float(v))));
        } else {
            assert_eq!(*kind, Encoding::FloatHistogram as u64);
            points.extend(read_histograms(data, true).unwrap().into_iter().map(|(t, h)| (t, Point::Histogram(h))));
        }
        assert_eq!(points[before].0, *first);
    }
    assert_eq!(points.len(), 300);
    for (at, (t, point)) in points.into_iter().enumerate() {
        assert_eq!(t, series.timestamps[at]);
        match (point, series.values.get(at)) {
            (Point::Float(a), Some(Point::Float(b))) => assert_eq!(a, b),
            (Point::Histogram(a), Some(Point::Histogram(b))) => assert_eq!((a.count, a.sum), (b.count, b.sum)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn sampled_answers_hold_what_was_asked_for() {
    let mut answer = SampledAnswer::default();
    answer.push(&[]).unwrap();
    answer.push(&[mixed()]).unwrap();
    let plain = snap::raw::Decoder::new().decompress_vec(&answer.finish().unwrap()).unwrap();
    let mut results = Reader::new(&plain);
    assert!(results.next().unwrap().unwrap().message().unwrap().is_empty());
    let mut series = results.next().unwrap().unwrap().message().unwrap();
    let mut fields = series.next().unwrap().unwrap().message().unwrap();
    let mut counts = [0; 5];
    while let Some(field) = fields.next().unwrap() {
        counts[field.number as usize] += 1;
    }
    assert_eq!(counts, [0, 2, 200, 0, 100]);
}

proptest! {
    #[test]
    fn arbitrary_requests_never_panic(plain in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = ReadRequest::read(&plain);
        let _ = ReadRequest::read(&snap::raw::Encoder::new().compress_vec(&plain).unwrap());
    }
}
