//! Integers by what deviates from an expectation, each deviation as a cell of a distribution whose shape stands before, and its place
//! in the cell. Pure.
//!
//! The encoder tries all predictors roughly and the best of them exactly. A value that is far more frequent than its neighbours (the step
//! 0 of a gauge that rests) gets a symbol of its own; what lies outside of all cells is escaped.

use super::PaceOf;
use super::ans::{self, Reader, Sign};
use super::predict::{LAG_MAX, Predictor, period, share};
use super::shape::{CELLS, frequencies, level, level_bits, levels, put_level, read_level};
use crate::bits::{BitReader, BitWriter};
use crate::codec::{Cursor, put_varint, unzigzag, zigzag};

/// Fewer values do not pay for a shape.
const LEAST: usize = 8;
/// Predictors that are tried exactly.
const TRIED: usize = 3;
/// A value of this share, one in so many, may get a symbol of its own.
const SPIKE: usize = 12;
/// The first step is expected to be the mean of so many.
const STEPS: usize = 16;
const PREDICTOR: u8 = 0x0f;
/// The predictor behind those that have no period.
const LAG: usize = Predictor::ALL.len();
const SEASON: usize = LAG + 1;
const PACE: usize = LAG + 2;
const HAS_DIVISOR: u8 = 0x10;
const HAS_SPIKE: u8 = 0x20;

/// How deviations become symbols.
#[derive(Clone, Debug, Default)]
struct Plan {
    cost: f64,
    /// Bits within a cell.
    shift: u32,
    /// The lowest cell.
    least: i64,
    cells: usize,
    spike: Option<i64>,
    counts: Vec<u32>,
}

/// Roughly the bits that deviations take: logarithms of their distances from the mean.
pub(super) fn rough(deviations: &[i64]) -> f64 {
    let mean = deviations.iter().map(|d| *d as f64).sum::<f64>() / deviations.len() as f64;
    let log2 = |x: f64| {
        // The exponent, and the rest as a straight line: good to a tenth of a bit.
        let bits = x.to_bits();
        (bits >> 52) as f64 + (bits & ((1 << 52) - 1)) as f64 / (1u64 << 52) as f64
    };
    deviations.iter().map(|d| log2((*d as f64 - mean).abs() + 1.0)).sum()
}

/// The value that comes most often, and how often; of sorted values.
fn mode(sorted: &[i64]) -> (i64, usize) {
    let all = sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len()));
    all.max_by_key(|(_, n)| *n).unwrap_or_default()
}

/// The best plan for these deviations.
fn plan(deviations: &[i64], sorted: &mut Vec<i64>) -> Plan {
    sorted.clear();
    sorted.extend_from_slice(deviations);
    sorted.sort_unstable();
    let (common, often) = mode(sorted);
    let spread = |all: &[i64]| {
        let quartiles = all[all.len() * 3 / 4].abs_diff(all[all.len() / 4]);
        // Of normal values, a deviation is 1/1.35 of it; cells between a third and a sixth of the deviation.
        (quartiles / 4).checked_ilog2().map_or(0, |bits| bits + 1)
    };
    let mut best = at(sorted, spread(sorted), None);
    let consider = |best: &mut Plan, other: Plan| {
        if other.cost < best.cost {
            *best = other;
        }
    };
    let widths = |middle: u32| [middle.saturating_sub(1), middle + 1];
    widths(spread(sorted)).into_iter().for_each(|shift| consider(&mut best, at(sorted, shift, None)));
    if often * SPIKE >= sorted.len() && often < sorted.len() {
        sorted.retain(|d| *d != common);
        let middle = spread(sorted);
        for shift in widths(middle).into_iter().chain([middle]) {
            consider(&mut best, at(sorted, shift, Some((common, often))));
        }
    }
    best
}

/// The plan with cells of so many bits.
fn at(sorted: &[i64], shift: u32, spike: Option<(i64, usize)>) -> Plan {
    let shift = shift.min(63);
    let (first, last) = (sorted[0] >> shift, sorted[sorted.len() - 1] >> shift);
    let mut least = first;
    if last.abs_diff(first) >= CELLS as u64 {
        least = first.max((sorted[sorted.len() / 2] >> shift).saturating_sub(CELLS as i64 / 2));
    }
    let cells = last.abs_diff(least).min(CELLS as u64 - 1) as usize + 1;
    let mut counts = vec![0u32; cells + 2];
    let mut cost = 0.0;
    for d in sorted {
        match cell(*d, shift, least, cells) {
            Some(c) => counts[c] += 1,
            None => {
                counts[cells] += 1;
                cost += f64::from(6 + escaped(*d).1);
            }
        }
    }
    cost += f64::from(shift) * f64::from(sorted.len() as u32 - counts[cells]);
    counts[cells + 1] = spike.map_or(0, |(_, n)| n as u32);
    let total = f64::from(counts.iter().sum::<u32>());
    let mut before = 0;
    for count in &counts {
        let l = level(*count);
        cost += f64::from(level_bits(l, before));
        before = l;
        if *count > 0 {
            cost += f64::from(*count) * (total / f64::from(*count)).log2();
        }
    }
    cost += spike.map_or(0.0, |(value, _)| f64::from(8 * length(zigzag(value))));
    Plan { cost, shift, least, cells, spike: spike.map(|(value, _)| value), counts }
}

/// Bytes of a varint.
fn length(n: u64) -> u32 {
    (64 - n.leading_zeros()).max(1).div_ceil(7)
}

fn cell(d: i64, shift: u32, least: i64, cells: usize) -> Option<usize> {
    let c = (d >> shift).wrapping_sub(least);
    usize::try_from(c).ok().filter(|c| *c < cells)
}

/// The bits of an escape, and how many.
fn escaped(d: i64) -> (u64, u32) {
    let raw = zigzag(d);
    (raw, (64 - raw.leading_zeros()).max(1))
}

/// Greatest common divisor of all.
fn divisor(values: &[i64]) -> u64 {
    let mut out = 0u64;
    for v in values {
        let (mut a, mut b) = (v.unsigned_abs(), out);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        out = a;
        if out == 1 {
            break;
        }
    }
    out
}

/// Writes integers, whose rows may have a pace; says whether there are enough of them.
pub(super) fn put(out: &mut Vec<u8>, values: &[i64], pace: Option<&[u16]>) -> bool {
    if values.len() < LEAST {
        return false;
    }
    let first = values[0];
    let mut above: Vec<i64> = values.iter().map(|v| v.wrapping_sub(first)).collect();
    let divisor = divisor(&above).max(1);
    if divisor > 1 && divisor <= i64::MAX as u64 {
        above.iter_mut().for_each(|v| *v /= divisor as i64);
    }
    let has_divisor = divisor > 1 && divisor <= i64::MAX as u64;
    let steps = STEPS.min(above.len() - 1);
    let step = above[steps] / steps as i64;
    let Some((plan, expected)) = best_plan(&above, step, pace) else { return false };
    let flags = if has_divisor { HAS_DIVISOR } else { 0 } | if plan.spike.is_some() { HAS_SPIKE } else { 0 };
    out.push(expected.number as u8 | flags);
    put_varint(out, zigzag(first));
    if has_divisor {
        put_varint(out, divisor);
    }
    match expected.predictor {
        Predictor::Lag(period) => {
            out.push(period as u8);
            put_varint(out, expected.divisor as u64);
        }
        Predictor::Season(period, factor) => {
            out.push(period as u8);
            put_varint(out, factor as u64);
        }
        Predictor::Step(_) | Predictor::Pace(_) => put_varint(out, zigzag(expected.step)),
        _ => {}
    }
    out.extend_from_slice(&[plan.shift as u8, plan.cells as u8]);
    put_varint(out, zigzag(plan.least));
    if let Some(spike) = plan.spike {
        put_varint(out, zigzag(spike));
    }
    let mut deviations = Vec::with_capacity(above.len());
    expected.deviations(&above, &mut deviations);
    let mut w = BitWriter::after(std::mem::take(out));
    put_symbols(&mut w, &plan, &deviations);
    *out = w.finish();
    true
}

/// A predictor with its number, the step that it begins with, and what all that deviates from it a period later can be divided by.
#[derive(Clone, Copy, Debug)]
struct Expected<'a> {
    predictor: Predictor<'a>,
    number: usize,
    step: i64,
    divisor: i64,
}

impl Expected<'_> {
    fn deviations(self, values: &[i64], out: &mut Vec<i64>) {
        self.predictor.deviations(values, self.step, out);
        if let Predictor::Lag(period) = self.predictor
            && self.divisor > 1
        {
            out.iter_mut().skip(period - 1).for_each(|d| *d /= self.divisor);
        }
    }
}

/// All that may be expected of these values.
fn candidates<'a>(above: &[i64], step: i64, pace: Option<&'a [u16]>) -> Vec<Expected<'a>> {
    let plain = Predictor::ALL.into_iter().enumerate();
    let mut all: Vec<Expected<'a>> =
        plain.map(|(number, predictor)| Expected { predictor, number, step, divisor: 1 }).collect();
    if let Some(period) = period(above) {
        let mut deviations = Vec::with_capacity(above.len());
        let predictor = Predictor::Lag(period);
        predictor.deviations(above, step, &mut deviations);
        let divisor = i64::try_from(divisor(&deviations[period - 1..])).unwrap_or(1).max(1);
        all.push(Expected { predictor, number: LAG, step, divisor });
        let seasons = above[period..].chunks(period);
        let apart: Vec<i64> =
            seasons.flat_map(|s| s.iter().zip(above).map(|(v, first)| v.wrapping_sub(*first))).collect();
        let factor = i64::try_from(self::divisor(&apart)).unwrap_or(1).max(1);
        all.push(Expected { predictor: Predictor::Season(period, factor), number: SEASON, step, divisor: 1 });
    }
    if let Some(pace) = pace.filter(|p| p.len() == above.len()) {
        all.push(Expected { predictor: Predictor::Pace(pace), number: PACE, step: share(above, pace), divisor: 1 });
    }
    all
}

/// Tries all predictors: the best plan, and for which of them.
fn best_plan<'a>(above: &[i64], step: i64, pace: Option<&'a [u16]>) -> Option<(Plan, Expected<'a>)> {
    let (mut deviations, mut sorted) = (Vec::with_capacity(above.len()), Vec::with_capacity(above.len()));
    let mut tried: Vec<(f64, Expected<'a>)> = Vec::new();
    for expected in candidates(above, step, pace) {
        expected.deviations(above, &mut deviations);
        tried.push((rough(&deviations), expected));
    }
    tried.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut best: Option<(Plan, Expected<'a>)> = None;
    for (_, expected) in &tried[..TRIED] {
        expected.deviations(above, &mut deviations);
        let found = plan(&deviations, &mut sorted);
        if best.as_ref().is_none_or(|(known, _)| found.cost < known.cost) {
            best = Some((found, *expected));
        }
    }
    best
}

fn put_symbols(w: &mut BitWriter, plan: &Plan, deviations: &[i64]) {
    let levels = levels(&plan.counts);
    let mut before = 0;
    for l in &levels {
        put_level(w, *l, before);
        before = *l;
    }
    let Some(frequencies) = frequencies(&levels) else { return };
    let sign = |d: &i64| {
        if plan.spike == Some(*d) {
            return Sign { symbol: plan.cells as u8 + 1, ..Sign::default() };
        }
        match cell(*d, plan.shift, plan.least, plan.cells) {
            Some(c) => {
                let raw = *d as u64 & ((1u64 << plan.shift) - 1);
                Sign { symbol: c as u8, raw, width: plan.shift as u8, escape: false }
            }
            None => {
                let (raw, width) = escaped(*d);
                Sign { symbol: plan.cells as u8, raw, width: width as u8, escape: true }
            }
        }
    };
    let signs: Vec<Sign> = deviations.iter().map(sign).collect();
    ans::put(w, &signs, &frequencies);
}

/// Whether what begins with this byte needs a pace.
pub(super) fn is_paced(head: u8) -> bool {
    usize::from(head & PREDICTOR) == PACE
}

/// The integers that [`put`] wrote.
pub(super) fn read(bytes: &[u8], count: usize, pace_of: PaceOf<'_>) -> Option<Vec<i64>> {
    let mut cursor = Cursor::new(bytes);
    let head = cursor.byte()?;
    let first = unzigzag(cursor.varint()?);
    let divisor = if head & HAS_DIVISOR == 0 { 1 } else { cursor.varint()? as i64 };
    let (mut step, mut factor) = (0, 1);
    let pace;
    let predictor = match usize::from(head & PREDICTOR) {
        number @ (LAG | SEASON) => {
            let period = Some(usize::from(cursor.byte()?)).filter(|p| (2..=LAG_MAX).contains(p))?;
            let by = cursor.varint()? as i64;
            if number == SEASON {
                Predictor::Season(period, by)
            } else {
                factor = by;
                Predictor::Lag(period)
            }
        }
        PACE => {
            pace = pace_of().filter(|p| p.len() == count)?;
            Predictor::Pace(&pace)
        }
        number => *Predictor::ALL.get(number)?,
    };
    if matches!(predictor, Predictor::Step(_) | Predictor::Pace(_)) {
        step = unzigzag(cursor.varint()?);
    }
    let shift = u32::from(cursor.byte().filter(|s| *s < 64)?);
    let cells = usize::from(cursor.byte().filter(|n| (1..=CELLS).contains(&usize::from(*n)))?);
    let least = unzigzag(cursor.varint()?);
    let spike = if head & HAS_SPIKE == 0 { 0 } else { unzigzag(cursor.varint()?) };
    let mut bits = BitReader::new(cursor.rest());
    let mut levels = vec![0; cells + 2];
    let mut before = 0;
    for l in &mut levels {
        *l = read_level(&mut bits, before)?;
        before = *l;
    }
    let mut reader = Reader::new(cursor.rest(), bits.at(), &frequencies(&levels)?);
    let mut out = vec![0i64; count];
    let of = |symbol: u32, raw: u64| (i64::from(symbol).wrapping_add(least) << shift).wrapping_add(raw as i64);
    reader.read(out.get_mut(1..)?, shift, cells as u32, of, |reader, symbol| {
        if symbol == cells as u32 {
            let width = reader.get(6) as u32 + 1;
            return Some(unzigzag(reader.get(width)));
        }
        Some(spike)
    })?;
    if let Predictor::Lag(period) = predictor
        && factor != 1
    {
        out.iter_mut().skip(period).for_each(|d| *d = d.wrapping_mul(factor));
    }
    predictor.values(&mut out, step);
    if divisor == 1 {
        out.iter_mut().for_each(|v| *v = v.wrapping_add(first));
    } else {
        out.iter_mut().for_each(|v| *v = v.wrapping_mul(divisor).wrapping_add(first));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use proptest::prelude::*;

    fn check(values: &[i64]) -> usize {
        let mut out = Vec::new();
        assert!(put(&mut out, values, None));
        assert_eq!(read(&out, values.len(), &mut || None).as_deref(), Some(values));
        let alone = out.len();
        // The same beside a pace that may help or not.
        let pace: Arc<[u16]> = values.iter().map(|v| (v.unsigned_abs() % 1_500) as u16).collect();
        out.clear();
        assert!(put(&mut out, values, Some(&pace)));
        assert_eq!(read(&out, values.len(), &mut || Some(pace.clone())).as_deref(), Some(values));
        alone
    }

    #[test]
    fn a_counter_that_goes_with_the_pace_needs_it() {
        let mut random = random(11);
        let pace: Arc<[u16]> = (0..960).map(|_| 200 + (random() % 700) as u16).collect();
        let values: Vec<i64> = pace
            .iter()
            .scan(0i64, |sum, p| {
                *sum += i64::from(*p) * 40 + (random() % 64) as i64;
                Some(*sum)
            })
            .collect();
        let (alone, mut out) = (check(&values), Vec::new());
        assert!(put(&mut out, &values, Some(&pace)));
        assert!(out.len() * 3 < alone * 2, "{} {alone}", out.len());
        assert_eq!(read(&out, values.len(), &mut || Some(pace.clone())).as_deref(), Some(&values[..]));
        // Without its pace, or with that of other rows, it is damaged.
        assert_eq!(read(&out, values.len(), &mut || None), None);
        assert_eq!(read(&out, values.len(), &mut || Some(pace[1..].into())), None);
    }

    proptest! {
        #[test]
        fn any_integers_come_back(
            all in prop::collection::vec((any::<i64>(), 0u32..64).prop_map(|(v, c)| v >> c), LEAST..400),
            factor in prop_oneof![Just(1i64), any::<i64>()],
        ) {
            let all: Vec<i64> = all.into_iter().map(|v| v.wrapping_mul(factor)).collect();
            check(&all);
        }

        #[test]
        fn counters_and_gauges_come_back(
            steps in prop::collection::vec(0i64..2_000, LEAST..600),
            width in 1i64..2_000,
            kind in 0u8..4,
            start in any::<i64>(),
            odd in prop::option::of((0usize..600, any::<i64>())),
        ) {
            let mut last = start;
            let mut all: Vec<i64> = steps.iter().map(|s| match kind {
                0 => { last = last.wrapping_add(s % width); last }
                1 => { last = last.wrapping_add(if s % 3 == 0 { 0 } else { s % width - width / 2 }); last }
                2 => (s % width) * 4_096,
                _ => s % 2,
            }).collect();
            if let Some((at, value)) = odd {
                let n = all.len();
                all[at % n] = value;
            }
            check(&all);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), count in 0usize..1_000) {
            if let Some(found) = read(&bytes, count, &mut || Some(vec![7; count].into())) {
                prop_assert_eq!(found.len(), count);
            }
        }
    }

    /// Random numbers from a seed.
    fn random(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
        }
    }

    #[test]
    fn bytes_are_near_the_entropy() {
        let mut random = random(9);
        // Steps that are the sum of 12 uniform numbers below 1,000: nearly normal, deviation 1,000.
        let mut normal = || (0..12).map(|_| (random() % 1_000) as i64).sum::<i64>();
        let mut last = 0;
        let values: Vec<i64> = (0..960)
            .map(|_| {
                last += normal();
                last
            })
            .collect();
        // log2(1,000 · sqrt(2πe)) = 12.01 bits each.
        let entropy = 960.0 * 12.01 / 8.0;
        let bytes = check(&values) as f64;
        assert!(bytes < entropy * 1.03, "{bytes} {entropy}");
        assert!(bytes > entropy * 0.97, "{bytes} {entropy}");
    }

    #[test]
    fn ramps_come_back_after_their_period() {
        let mut random = random(3);
        let ramps: Vec<i64> = (0..960i64).map(|n| n % 29 * 71_003 + 8 * (random() % 4_000) as i64).collect();
        // The difference of two of 4,000 numbers: 12.7 bits; 29 rows and the places of the cells come on top.
        assert!((check(&ramps) as f64) < 960.0 * 12.7 / 8.0 * 1.08);
    }

    #[test]
    fn a_gauge_that_rests_pays_for_its_moves() {
        let mut random = random(5);
        let mut last = 0;
        let rests: Vec<i64> = (0..960)
            .map(|_| {
                if !random().is_multiple_of(4) {
                    last += (random() % 4_096) as i64;
                }
                last
            })
            .collect();
        // Three of four take 12 bits, and which they are 0.81 each.
        let entropy = 960.0 * (0.75 * 12.0 + 0.81) / 8.0;
        assert!((check(&rests) as f64) < entropy * 1.04);
    }
}
