//! How deviations become symbols: cells of a width, an escape for what lies outside of all, and a symbol of its own for a value that is far
//! more frequent than its neighbours. Pure.

use super::shape::{CELLS, level, levels_bits};
use crate::codec::zigzag;

/// A value of this share, one in so many, may get a symbol of its own.
pub(super) const SPIKE: usize = 12;

/// How deviations become symbols.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) cost: f64,
    /// Bits within a cell.
    pub(super) shift: u32,
    /// The lowest cell.
    pub(super) least: i64,
    pub(super) cells: usize,
    pub(super) spike: Option<i64>,
    pub(super) counts: Vec<u32>,
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
pub(super) fn plan(deviations: &[i64], sorted: &mut Vec<i64>) -> Plan {
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
    cost += f64::from(levels_bits(counts.iter().map(|count| level(*count))));
    for count in &counts {
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

pub(super) fn cell(d: i64, shift: u32, least: i64, cells: usize) -> Option<usize> {
    let c = (d >> shift).wrapping_sub(least);
    usize::try_from(c).ok().filter(|c| *c < cells)
}

/// The bits of an escape, and how many.
pub(super) fn escaped(d: i64) -> (u64, u32) {
    let raw = zigzag(d);
    (raw, (64 - raw.leading_zeros()).max(1))
}
