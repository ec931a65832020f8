//! Chunks are read as they were written, bit by bit, and damaged ones are refused.

use std::sync::Arc;

use kernel::series::{BucketSpan, CounterReset, Histogram, stale_nan};
use proptest::prelude::*;

use super::bits::{BitReader, BitWriter};
use super::*;

fn any_bits() -> impl Strategy<Value = f64> {
    prop_oneof![any::<u64>().prop_map(f64::from_bits), (0i32..1000).prop_map(f64::from), Just(stale_nan())]
}

fn histograms() -> impl Strategy<Value = Vec<(i64, Arc<Histogram>)>> {
    let layout = (0i32..2, -3i32..3, 0u32..3, 0u32..2, prop_oneof![Just(0.0), Just(0.25), Just(0.3)]);
    let one = (layout, 0u64..50, 0usize..8, any_bits(), 1i64..100_000);
    proptest::collection::vec(one, 1..300).prop_map(|all| {
        let mut t = -5_000;
        let each = all.into_iter().map(|((schema, offset, positive, negative, zero_threshold), n, kind, sum, step)| {
            t += step;
            let spans = |length| if length == 0 { vec![] } else { vec![BucketSpan { offset, length }] };
            let custom = kind == 6;
            let negative = if custom { 0 } else { negative };
            let h = Histogram {
                reset: [CounterReset::Unknown, CounterReset::Reset, CounterReset::Gauge][kind.min(2)],
                schema: if custom { -53 } else { schema },
                zero_threshold: if custom { 0.0 } else { zero_threshold },
                count: n as f64 * 1.5,
                sum,
                positive_spans: spans(positive),
                positive_buckets: (0..positive).map(|b| f64::from(b) + n as f64).collect(),
                negative_spans: spans(negative),
                negative_buckets: (0..negative).map(|b| f64::from(b) + 0.25).collect(),
                custom_bounds: if custom { vec![0.5, 1.0 / 3.0, 40_000.0] } else { Vec::new() },
                ..Histogram::default()
            };
            let h = if h.is_stale() { Histogram { sum, ..Histogram::default() } } else { h };
            (t, Arc::new(h))
        });
        each.collect()
    })
}

fn same(a: &Histogram, b: &Histogram) -> bool {
    let bits = |h: &Histogram| {
        let floats = [&h.positive_buckets, &h.negative_buckets, &h.custom_bounds];
        let floats: Vec<Vec<u64>> = floats.map(|all| all.iter().map(|v| v.to_bits()).collect()).to_vec();
        let spans = (h.positive_spans.clone(), h.negative_spans.clone());
        (
            h.schema,
            h.count.to_bits(),
            h.sum.to_bits(),
            h.zero_count.to_bits(),
            h.zero_threshold.to_bits(),
            floats,
            spans,
        )
    };
    bits(a) == bits(b)
}

#[test]
fn the_layout_of_a_chunk() {
    // By the format's description; that Prometheus writes the same bytes is shown with its blocks (`tests/tsdb.rs`).
    let bytes = write_xor(&[(1_000, 1.0), (2_000, 1.0), (3_100, 2.5)]);
    assert_eq!(bytes[..2], [0, 3]);
    assert_eq!(bytes[2..4], [0xd0, 0x0f], "zigzag varint of 1000");
    assert_eq!(bytes[4..12], 1.0f64.to_bits().to_be_bytes());
    assert_eq!(bytes[12..14], [0xe8, 0x07], "varint of the difference");
    assert_eq!(read_xor(&bytes).unwrap(), [(1_000, 1.0), (2_000, 1.0), (3_100, 2.5)]);
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Both made by `tsdb/chunkenc` of Prometheus 3.16.
#[test]
fn histogram_chunks_of_prometheus() {
    let whole = bytes(
        "000500ff3f50624dd2f1a9fc94a558d2318b1113ff80000000000008a33f1f4642984effce83cfa1b0de3783cfa1f01f19e3e3d0644bf8\
         f8c7c0bb818bdfd9dc000000000080",
    );
    let read = read_histograms(&whole, false).unwrap();
    let spans = vec![BucketSpan { offset: -3, length: 2 }, BucketSpan { offset: 4, length: 1 }];
    for (at, (n, (t, h))) in [1.0, 5.0, 5.0, 1_000.0].into_iter().zip(&read).enumerate() {
        let expect = Histogram {
            reset: if at == 0 { CounterReset::Unknown } else { CounterReset::NotReset },
            schema: 2,
            zero_threshold: 0.001,
            zero_count: n,
            count: 4.0 * n + 4.0,
            sum: 1.5 * n,
            positive_spans: spans.clone(),
            positive_buckets: vec![n, n, n + 1.0],
            negative_spans: vec![BucketSpan { offset: 1, length: 1 }],
            negative_buckets: vec![3.0],
            ..Histogram::default()
        };
        assert_eq!((*t, &**h), (1_000 * (at * at) as i64, &expect));
    }
    assert_eq!((read.len(), read[4].0, read[4].1.is_stale()), (5, 20_000, true));
    let floats = bytes(
        "00020000ee5c644bbea3ff5555555555555f81388401200000000000000000000000000003fe00000000000003ff80000000000004008000\
         000000000e326c0b6cd2aaaaaaaaaaaaf09bfffd61f0",
    );
    let histogram = |n: f64| Histogram {
        schema: -53,
        count: 3.0 * n,
        sum: n / 3.0,
        positive_spans: vec![BucketSpan { offset: 0, length: 2 }],
        positive_buckets: vec![n, 2.0 * n],
        custom_bounds: vec![0.5, 1.0 / 3.0 + 1.0],
        ..Histogram::default()
    };
    let samples = [(5_000, Arc::new(histogram(1.5))), (5_100, Arc::new(histogram(2.5)))];
    assert_eq!(write_histograms(&samples), [(5_000, 5_100, floats)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn numbers_come_back(all in proptest::collection::vec(any::<i64>(), 0..50), shifts in 0u32..64) {
        let mut w = BitWriter::default();
        for v in &all {
            w.signed(*v >> shifts);
            w.unsigned((*v as u64) >> shifts);
        }
        let bytes = w.finish();
        let mut r = BitReader::new(&bytes);
        for v in all {
            prop_assert_eq!(r.signed(), Ok(v >> shifts));
            prop_assert_eq!(r.unsigned(), Ok((v as u64) >> shifts));
        }
    }

    #[test]
    fn floats_come_back(steps in proptest::collection::vec((prop_oneof![Just(15_000i64), 1i64..1 << 40], any_bits()), 0..120)) {
        let mut t = -7;
        let samples: Vec<(i64, f64)> = steps.into_iter().map(|(step, v)| { t += step; (t, v) }).collect();
        let read = read_xor(&write_xor(&samples)).unwrap();
        let bits = |all: &[(i64, f64)]| all.iter().map(|(t, v)| (*t, v.to_bits())).collect::<Vec<_>>();
        prop_assert_eq!(bits(&read), bits(&samples));
    }

    #[test]
    fn histograms_come_back(samples in histograms()) {
        let mut read = Vec::new();
        for (first, last, bytes) in write_histograms(&samples) {
            let own = read_histograms(&bytes, true).unwrap();
            prop_assert!(own.len() <= SAMPLES);
            prop_assert_eq!((own[0].0, own[own.len() - 1].0), (first, last));
            // What readers take for samples without a reset must not fall.
            for pair in own.windows(2).filter(|p| p[1].1.reset == CounterReset::NotReset) {
                prop_assert!(pair[1].1.is_stale() || pair[0].1.is_stale() || pair[0].1.count <= pair[1].1.count);
            }
            read.extend(own);
        }
        prop_assert_eq!(read.len(), samples.len());
        for ((t, a), (u, b)) in read.iter().zip(&samples) {
            prop_assert_eq!(t, u);
            prop_assert!(same(a, b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn damage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = (read_xor(&bytes), read_histograms(&bytes, true), read_histograms(&bytes, false));
    }
}
