//! A native histogram as bytes that stand by themselves. Pure.
//!
//! Whole counts are variable-length integers, buckets as differences to the one before; anything else is raw. What histograms of
//! one series have in common is left to zstd, which sees many of them together.

use kernel::series::{BucketSpan, CounterReset, Histogram};

use crate::codec::{Cursor, put_varint, unzigzag, zigzag};
use crate::limits::HISTOGRAM_BUCKETS;

const WHOLE: u8 = 4;
const CUSTOM: u8 = 8;

fn whole(v: f64) -> Option<u64> {
    let n = v as u64;
    (n <= 1 << 53 && (n as f64).to_bits() == v.to_bits()).then_some(n)
}

fn counts(h: &Histogram) -> impl Iterator<Item = f64> + '_ {
    [h.count, h.zero_count]
        .into_iter()
        .chain(h.positive_buckets.iter().copied())
        .chain(h.negative_buckets.iter().copied())
}

/// The histogram as bytes.
pub(crate) fn encode(h: &Histogram) -> Box<[u8]> {
    let all_whole = counts(h).all(|v| whole(v).is_some());
    let reset = match h.reset {
        CounterReset::Unknown => 0,
        CounterReset::Reset => 1,
        CounterReset::NotReset => 2,
        CounterReset::Gauge => 3,
    };
    let custom = if h.custom_bounds.is_empty() { 0 } else { CUSTOM };
    let mut out = vec![reset | if all_whole { WHOLE } else { 0 } | custom];
    put_varint(&mut out, zigzag(i64::from(h.schema)));
    out.extend_from_slice(&h.zero_threshold.to_bits().to_le_bytes());
    out.extend_from_slice(&h.sum.to_bits().to_le_bytes());
    put_count(&mut out, h.count, all_whole);
    put_count(&mut out, h.zero_count, all_whole);
    for (spans, buckets) in [(&h.positive_spans, &h.positive_buckets), (&h.negative_spans, &h.negative_buckets)] {
        put_varint(&mut out, spans.len() as u64);
        for span in spans {
            put_varint(&mut out, zigzag(i64::from(span.offset)));
            put_varint(&mut out, u64::from(span.length));
        }
        put_varint(&mut out, buckets.len() as u64);
        let mut before = 0;
        for bucket in buckets {
            match whole(*bucket).filter(|_| all_whole) {
                Some(n) => {
                    put_varint(&mut out, zigzag(n as i64 - before));
                    before = n as i64;
                }
                None => out.extend_from_slice(&bucket.to_bits().to_le_bytes()),
            }
        }
    }
    if custom != 0 {
        put_varint(&mut out, h.custom_bounds.len() as u64);
        h.custom_bounds.iter().for_each(|b| out.extend_from_slice(&b.to_bits().to_le_bytes()));
    }
    out.into_boxed_slice()
}

fn put_count(out: &mut Vec<u8>, v: f64, all_whole: bool) {
    match whole(v).filter(|_| all_whole) {
        Some(n) => put_varint(out, n),
        None => out.extend_from_slice(&v.to_bits().to_le_bytes()),
    }
}

fn float(cursor: &mut Cursor<'_>) -> Option<f64> {
    cursor.u64().map(f64::from_bits)
}

/// The histogram that [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8]) -> Option<Histogram> {
    let mut cursor = Cursor::new(bytes);
    let head = cursor.byte()?;
    let all_whole = head & WHOLE != 0;
    let reset = match head & 3 {
        0 => CounterReset::Unknown,
        1 => CounterReset::Reset,
        2 => CounterReset::NotReset,
        _ => CounterReset::Gauge,
    };
    let schema = i32::try_from(unzigzag(cursor.varint()?)).ok()?;
    let (zero_threshold, sum) = (float(&mut cursor)?, float(&mut cursor)?);
    let count = |cursor: &mut Cursor<'_>| if all_whole { cursor.varint().map(|n| n as f64) } else { float(cursor) };
    let mut out = Histogram {
        reset,
        schema,
        zero_threshold,
        sum,
        count: count(&mut cursor)?,
        zero_count: count(&mut cursor)?,
        ..Histogram::default()
    };
    (out.positive_spans, out.positive_buckets) = side(&mut cursor, all_whole)?;
    (out.negative_spans, out.negative_buckets) = side(&mut cursor, all_whole)?;
    if head & CUSTOM != 0 {
        let n = cursor.length(HISTOGRAM_BUCKETS)?;
        out.custom_bounds = (0..n).map(|_| float(&mut cursor)).collect::<Option<_>>()?;
    }
    Some(out)
}

fn side(cursor: &mut Cursor<'_>, all_whole: bool) -> Option<(Vec<BucketSpan>, Vec<f64>)> {
    let n = cursor.length(HISTOGRAM_BUCKETS)?;
    let mut spans = Vec::with_capacity(n.min(64));
    for _ in 0..n {
        let offset = i32::try_from(unzigzag(cursor.varint()?)).ok()?;
        spans.push(BucketSpan { offset, length: u32::try_from(cursor.varint()?).ok()? });
    }
    let n = cursor.length(HISTOGRAM_BUCKETS)?;
    let mut buckets = Vec::with_capacity(n.min(1024));
    let mut before = 0i64;
    for _ in 0..n {
        if all_whole {
            before = before.checked_add(unzigzag(cursor.varint()?))?;
            buckets.push(before as f64);
        } else {
            buckets.push(float(cursor)?);
        }
    }
    Some((spans, buckets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans() -> impl Strategy<Value = Vec<BucketSpan>> {
        prop::collection::vec(
            (any::<i32>(), any::<u32>()).prop_map(|(offset, length)| BucketSpan { offset, length }),
            0..4,
        )
    }

    proptest! {
        #[test]
        fn any_histogram_comes_back(
            (schema, reset, positive_spans, negative_spans) in (any::<i32>(), 0..4usize, spans(), spans()),
            wholes in prop::collection::vec(0u64..1 << 53, 2..30),
            floats in prop::collection::vec(any::<f64>(), 0..5), use_floats in any::<bool>(),
        ) {
            let all: Vec<f64> = if use_floats { floats.iter().copied().chain([0.5, -0.0]).collect() } else { wholes.iter().map(|n| *n as f64).collect() };
            let h = Histogram {
                reset: [CounterReset::Unknown, CounterReset::Reset, CounterReset::NotReset, CounterReset::Gauge][reset],
                schema, positive_spans, negative_spans,
                zero_threshold: all[0], zero_count: all[1], count: all[0], sum: floats.first().copied().unwrap_or(f64::NAN),
                positive_buckets: all.clone(), negative_buckets: all[..1].to_vec(), custom_bounds: floats,
            };
            let bytes = encode(&h);
            prop_assert_eq!(encode(&decode(&bytes).unwrap()), bytes.clone());
            let back = decode(&bytes).unwrap();
            let bits = |h: &Histogram| counts(h).chain(h.custom_bounds.iter().copied()).chain([h.sum, h.zero_threshold]).map(f64::to_bits).collect::<Vec<_>>();
            prop_assert_eq!((bits(&back), back.schema, back.reset), (bits(&h), h.schema, h.reset));
            prop_assert_eq!((back.positive_spans, back.negative_spans), (h.positive_spans, h.negative_spans));
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&bytes);
        }
    }
}
