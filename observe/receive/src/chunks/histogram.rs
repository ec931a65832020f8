//! Chunks of native histograms: one layout of buckets for all samples of a chunk. Pure.

use std::sync::Arc;

use kernel::series::{BucketSpan, CounterReset, Histogram, is_stale};

use super::bits::{BitReader, BitWriter};
use super::xor::Xor;
use super::{ChunkError, SAMPLES};

/// Histograms of a series, times rising, as chunks: first and last time, and the bytes. A new chunk begins where the layout
/// changes and where the counter was reset, as readers take the others of a chunk for samples without a reset.
pub(crate) fn write_histograms(samples: &[(i64, Arc<Histogram>)]) -> Vec<(i64, i64, Vec<u8>)> {
    let mut out = Vec::new();
    let mut rest = samples;
    while let Some((first, others)) = rest.split_first() {
        let mut length = 1;
        let mut before = &first.1;
        for (_, next) in others.iter().take(SAMPLES - 1) {
            if !continues(&first.1, before, next) {
                break;
            }
            if !next.is_stale() {
                before = next;
            }
            length += 1;
        }
        let (own, left) = rest.split_at(length);
        out.push((first.0, own.last().map_or(first.0, |(t, _)| *t), chunk(own)));
        rest = left;
    }
    out
}

fn is_gauge(h: &Histogram) -> bool {
    h.reset == CounterReset::Gauge
}

/// Whether `next` may stand in the chunk that `first` began, after `before`.
fn continues(first: &Histogram, before: &Histogram, next: &Histogram) -> bool {
    if next.is_stale() || first.is_stale() {
        // A marker has no layout: it may stand behind any, but nothing else behind it.
        return next.is_stale() && is_gauge(next) == is_gauge(first);
    }
    let same_layout = first.schema == next.schema
        && first.zero_threshold.to_bits() == next.zero_threshold.to_bits()
        && first.positive_spans == next.positive_spans
        && first.negative_spans == next.negative_spans
        && first.custom_bounds == next.custom_bounds;
    if !same_layout || is_gauge(first) != is_gauge(next) {
        return false;
    }
    let rises = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| a <= b);
    is_gauge(next)
        || (next.reset != CounterReset::Reset
            && before.count <= next.count
            && before.zero_count <= next.zero_count
            && rises(&before.positive_buckets, &next.positive_buckets)
            && rises(&before.negative_buckets, &next.negative_buckets))
}

fn chunk(samples: &[(i64, Arc<Histogram>)]) -> Vec<u8> {
    let Some((_, first)) = samples.first() else { return Vec::new() };
    let flags = match first.reset {
        CounterReset::Unknown => 0u8,
        CounterReset::NotReset => 0b0100_0000,
        CounterReset::Reset => 0b1000_0000,
        CounterReset::Gauge => 0b1100_0000,
    };
    let [high, low] = (samples.len() as u16).to_be_bytes();
    let mut w = BitWriter::after(vec![high, low, flags]);
    let (mut last_t, mut last_delta) = (0i64, 0i64);
    let mut state = Vec::new();
    for (at, (t, h)) in samples.iter().enumerate() {
        let values = values(h);
        if at == 0 {
            write_layout(&mut w, h);
            w.signed(*t);
            values.iter().for_each(|v| w.bits(v.to_bits(), 64));
            state = values.into_iter().map(Xor::new).collect();
        } else {
            let delta = t.wrapping_sub(last_t);
            w.signed(delta.wrapping_sub(last_delta));
            last_delta = delta;
            // Of a marker only count, zero count and sum are written.
            state.iter_mut().zip(values).for_each(|(xor, v)| xor.write(&mut w, v));
        }
        last_t = *t;
    }
    w.finish()
}

/// Count, zero count, sum, then the buckets.
fn values(h: &Histogram) -> Vec<f64> {
    if h.is_stale() {
        return vec![0.0, 0.0, h.sum];
    }
    let buckets = h.positive_buckets.iter().chain(&h.negative_buckets);
    [h.count, h.zero_count, h.sum].into_iter().chain(buckets.copied()).collect()
}

fn write_layout(w: &mut BitWriter, h: &Histogram) {
    let empty = Histogram::default();
    let h = if h.is_stale() { &empty } else { h };
    write_zero_threshold(w, h.zero_threshold);
    w.signed(i64::from(h.schema));
    for spans in [&h.positive_spans, &h.negative_spans] {
        w.unsigned(spans.len() as u64);
        for span in spans {
            w.unsigned(u64::from(span.length));
            w.signed(i64::from(span.offset));
        }
    }
    if h.has_custom_bounds() {
        w.unsigned(h.custom_bounds.len() as u64);
        h.custom_bounds.iter().for_each(|bound| write_bound(w, *bound));
    }
}

/// Powers of two from 2^-243 to 2^10 take one byte.
fn write_zero_threshold(w: &mut BitWriter, v: f64) {
    let exponent = ((v.to_bits() >> 52) & 0x7ff) as i64 - 1023;
    if v == 0.0 {
        w.bits(0, 8);
    } else if v > 0.0 && v.to_bits() << 12 == 0 && (-243..=10).contains(&exponent) {
        w.bits((exponent + 244) as u64, 8);
    } else {
        w.bits(255, 8);
        w.bits(v.to_bits(), 64);
    }
}

fn read_zero_threshold(r: &mut BitReader<'_>) -> Result<f64, ChunkError> {
    match r.bits(8)? {
        0 => Ok(0.0),
        255 => r.float(),
        code => Ok(f64::from_bits((code + 1023 - 244) << 52)),
    }
}

/// Largest bound that takes at most four bytes, in thousandths.
const SHORT_BOUND: f64 = 33_554_430.0;

fn write_bound(w: &mut BitWriter, v: f64) {
    let thousandths = (v * 1e3).round();
    if (0.0..=SHORT_BOUND).contains(&(v * 1e3)) && thousandths / 1e3 == v {
        w.unsigned(thousandths as u64 + 1);
    } else {
        w.bits(0, 1);
        w.bits(v.to_bits(), 64);
    }
}

fn read_bound(r: &mut BitReader<'_>) -> Result<f64, ChunkError> {
    match r.unsigned()? {
        0 => r.float(),
        code => Ok((code - 1) as f64 / 1e3),
    }
}

fn read_layout(r: &mut BitReader<'_>) -> Result<Histogram, ChunkError> {
    let mut h =
        Histogram { zero_threshold: read_zero_threshold(r)?, schema: r.signed()? as i32, ..Histogram::default() };
    h.positive_spans = read_spans(r)?;
    h.negative_spans = read_spans(r)?;
    if h.has_custom_bounds() {
        let count = limited(r.unsigned()?, r)?;
        for _ in 0..count {
            h.custom_bounds.push(read_bound(r)?);
        }
    }
    Ok(h)
}

/// Nothing takes less than a bit: a number beyond what is left is damage.
fn limited(count: u64, r: &BitReader<'_>) -> Result<usize, ChunkError> {
    if count > r.left() as u64 {
        return Err(ChunkError::Buckets(count));
    }
    Ok(count as usize)
}

fn read_spans(r: &mut BitReader<'_>) -> Result<Vec<BucketSpan>, ChunkError> {
    let count = limited(r.unsigned()?, r)?;
    let mut out = Vec::new();
    for _ in 0..count {
        let length = r.unsigned()? as u32;
        out.push(BucketSpan { offset: r.signed()? as i32, length });
    }
    Ok(out)
}

/// How many buckets spans cover; each takes a bit at least.
fn covered(spans: &[BucketSpan], r: &BitReader<'_>) -> Result<usize, ChunkError> {
    limited(spans.iter().map(|s| u64::from(s.length)).sum(), r)
}

/// The histograms of a chunk, of whole numbers or not.
pub(crate) fn read_histograms(bytes: &[u8], float: bool) -> Result<Vec<(i64, Arc<Histogram>)>, ChunkError> {
    let mut r = BitReader::new(bytes);
    let count = r.bits(16)? as usize;
    let flags = r.bits(8)?;
    let mut out = Vec::new();
    if count == 0 {
        return Ok(out);
    }
    let layout = read_layout(&mut r)?;
    let sides = (covered(&layout.positive_spans, &r)?, covered(&layout.negative_spans, &r)?);
    let mut t = r.signed()?;
    let mut delta = 0i64;
    let mut state = if float { State::floats(&mut r, sides)? } else { State::whole(&mut r, sides)? };
    for at in 0..count {
        if at > 0 {
            delta = delta.wrapping_add(r.signed()?);
            t = t.wrapping_add(delta);
            state.next(&mut r)?;
        }
        let reset = match (flags >> 6, at) {
            (0b11, _) => CounterReset::Gauge,
            (_, 1..) => CounterReset::NotReset,
            (0b10, _) => CounterReset::Reset,
            (0b01, _) => CounterReset::NotReset,
            _ => CounterReset::Unknown,
        };
        out.push((t, Arc::new(state.histogram(&layout, sides.0, reset))));
    }
    Ok(out)
}

/// A whole number and its last difference.
#[derive(Clone, Copy, Debug, Default)]
struct Whole {
    value: i64,
    delta: i64,
}

/// The last sample: count, zero count and sum, then the buckets.
enum State {
    Floats(Vec<Xor>),
    /// Counts, the sum between them, and the buckets as differences to the one before.
    Whole([Whole; 2], Xor, Vec<Whole>, usize),
}

impl State {
    fn floats(r: &mut BitReader<'_>, sides: (usize, usize)) -> Result<Self, ChunkError> {
        (0..3 + sides.0 + sides.1).map(|_| r.float().map(Xor::new)).collect::<Result<_, _>>().map(Self::Floats)
    }

    fn whole(r: &mut BitReader<'_>, sides: (usize, usize)) -> Result<Self, ChunkError> {
        let count = Whole { value: r.unsigned()? as i64, delta: 0 };
        let zero = Whole { value: r.unsigned()? as i64, delta: 0 };
        let sum = Xor::new(r.float()?);
        let mut buckets = Vec::with_capacity(sides.0 + sides.1);
        for _ in 0..sides.0 + sides.1 {
            buckets.push(Whole { value: r.signed()?, delta: 0 });
        }
        Ok(Self::Whole([count, zero], sum, buckets, sides.0))
    }

    fn next(&mut self, r: &mut BitReader<'_>) -> Result<(), ChunkError> {
        let step = |whole: &mut Whole, r: &mut BitReader<'_>| -> Result<(), ChunkError> {
            whole.delta = whole.delta.wrapping_add(r.signed()?);
            whole.value = whole.value.wrapping_add(whole.delta);
            Ok(())
        };
        match self {
            Self::Floats(all) => {
                for (at, xor) in all.iter_mut().enumerate() {
                    xor.read(r)?;
                    if at == 2 && is_stale(xor.value) {
                        break;
                    }
                }
            }
            Self::Whole(counts, sum, buckets, _) => {
                for count in counts {
                    step(count, r)?;
                }
                sum.read(r)?;
                if !is_stale(sum.value) {
                    for bucket in buckets {
                        step(bucket, r)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn histogram(&self, layout: &Histogram, positive: usize, reset: CounterReset) -> Histogram {
        let (head, buckets): ([f64; 3], Vec<f64>) = match self {
            Self::Floats(all) => {
                let at = |i: usize| all.get(i).map_or(0.0, |xor| xor.value);
                ([at(0), at(1), at(2)], all.iter().skip(3).map(|xor| xor.value).collect())
            }
            Self::Whole([count, zero], sum, buckets, split) => {
                let mut out = Vec::with_capacity(buckets.len());
                let mut current = 0i64;
                for (at, bucket) in buckets.iter().enumerate() {
                    current = if at == *split { 0 } else { current }.wrapping_add(bucket.value);
                    out.push(current as f64);
                }
                ([count.value as u64 as f64, zero.value as u64 as f64, sum.value], out)
            }
        };
        let [count, zero_count, sum] = head;
        if is_stale(sum) {
            return Histogram { sum, reset, ..Histogram::default() };
        }
        let (positive, negative) = buckets.split_at(positive.min(buckets.len()));
        Histogram {
            reset,
            zero_count,
            count,
            sum,
            positive_buckets: positive.to_vec(),
            negative_buckets: negative.to_vec(),
            ..layout.clone()
        }
    }
}
