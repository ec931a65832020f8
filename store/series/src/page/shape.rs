//! The shape of a distribution in a few bytes: logarithms of its counts in half steps, which go on from one cell to the next
//! nearly as they went. Pure.
//!
//! Integers only, so that every machine makes the same frequencies of the same bytes.

use crate::bits::{BitReader, BitWriter};

/// Frequencies add up to this many bits.
pub(super) const TABLE_BITS: u32 = 11;
/// Cells of a shape: a cell an eighth of the deviation wide leaves nothing to gain, and so many of them reach 4 deviations to each side.
pub(super) const CELLS: usize = 62;
/// The largest level that can be written.
const LEVEL_MAX: u8 = 63;
/// How far a level may be from what is expected of it before it is written whole.
const NEAR: i32 = 3;

/// The level of a count: 0 for none, else 1 + 2 log2, rounded.
pub(super) fn level(count: u32) -> u8 {
    if count == 0 {
        return 0;
    }
    // Squares turn half steps into whole ones; half a step more rounds to the nearest: 2^(1/2) is about 181/128.
    let square = u64::from(count) * u64::from(count) * 181 / 128;
    (square.ilog2() + 1).min(u32::from(LEVEL_MAX)) as u8
}

/// What a level weighs, times 1,024.
fn weight(level: u8) -> u64 {
    match level {
        0 => 0,
        odd if odd % 2 == 1 => 1_024 << (odd / 2),
        even => 1_448 << (even / 2 - 1),
    }
}

/// What is expected of the level of cell `i` of so many, after those before it, and whether it is written as beside a trend: levels go on as they
/// went, since the logarithm of a bell is nearly straight from one cell to the next. The two levels behind the cells stand alone.
fn expected(i: usize, cells: usize, (before, earlier): (u8, u8), trend: bool) -> (i32, bool) {
    let (before, earlier) = (i32::from(before), i32::from(earlier));
    match i {
        _ if !trend || i < 2 => (before, false),
        _ if i >= cells => (0, false),
        _ if before == 0 => (0, true),
        _ => ((before + (before - earlier).clamp(-NEAR, NEAR)).max(1), true),
    }
}

/// How a level is written, lowest bit first, and in how many bits. Beside the trend: `0` as expected, `10` one less, `110` one more, `11100` two
/// less, `111010` two more, `1110110` three more, `1110111` three less, `1111` and 6 bits for any. Else `0`, or ones for the difference, a zero
/// and the sign, or `1111` and 6 bits.
fn code(level: u8, (expected, trend): (i32, bool)) -> (u64, u32) {
    let any = (0b1111 | u64::from(level) << 4, 10);
    match (trend, i32::from(level) - expected) {
        (_, 0) => (0, 1),
        (true, -1) => (0b01, 2),
        (true, 1) => (0b011, 3),
        (true, -2) => (0b0_0111, 5),
        (true, 2) => (0b01_0111, 6),
        (true, 3) => (0b011_0111, 7),
        (true, -3) => (0b111_0111, 7),
        (false, d) if d.abs() <= NEAR => {
            let ones = d.unsigned_abs();
            (((1 << ones) - 1) | u64::from(d < 0) << (ones + 1), ones + 2)
        }
        _ => any,
    }
}

fn read_level(r: &mut BitReader<'_>, (expected, trend): (i32, bool)) -> Option<u8> {
    let mut ones = 0;
    while ones <= NEAR && r.get(1) == 1 {
        ones += 1;
    }
    let difference = match (trend, ones) {
        (_, 0) => 0,
        (true, 1) => -1,
        (true, 2) => 1,
        (true, NEAR) => {
            let mut further = 0;
            while further < 3 && r.get(1) == 1 {
                further += 1;
            }
            [-2, 2, NEAR, -NEAR][further]
        }
        (false, 1..=NEAR) if r.get(1) == 1 => -ones,
        (false, 1..=NEAR) => ones,
        _ => return Some(r.get(6) as u8),
    };
    u8::try_from(expected + difference).ok().filter(|l| *l <= LEVEL_MAX)
}

/// Bits that levels take together.
pub(super) fn levels_bits(levels: impl ExactSizeIterator<Item = u8>) -> u32 {
    let cells = levels.len().saturating_sub(2);
    let (mut known, mut bits) = ((0, 0), 0);
    for (i, level) in levels.enumerate() {
        bits += code(level, expected(i, cells, known, true)).1;
        known = (level, known.0);
    }
    bits
}

/// Writes levels.
pub(super) fn put_levels(w: &mut BitWriter, levels: &[u8], trend: bool) {
    let mut known = (0, 0);
    for (i, level) in levels.iter().enumerate() {
        let (bits, n) = code(*level, expected(i, levels.len().saturating_sub(2), known, trend));
        w.put(bits, n);
        known = (*level, known.0);
    }
}

/// Reads the levels of so many cells and the two behind them; without the trend as they were written at first.
pub(super) fn read_levels(r: &mut BitReader<'_>, cells: usize, trend: bool) -> Option<Vec<u8>> {
    let (mut known, mut out) = ((0, 0), Vec::with_capacity(cells + 2));
    for i in 0..cells + 2 {
        let level = read_level(r, expected(i, cells, known, trend))?;
        out.push(level);
        known = (level, known.0);
    }
    Some(out)
}

/// Frequencies by level, which add up to 2^[`TABLE_BITS`]; `None` where no level is above 0.
pub(super) fn frequencies(levels: &[u8]) -> Option<Vec<u32>> {
    let total: u64 = levels.iter().map(|l| weight(*l)).sum();
    if total == 0 {
        return None;
    }
    let whole = 1u64 << TABLE_BITS;
    let share = |l: &u8| {
        // The largest weight has 42 bits.
        if *l == 0 { 0 } else { (weight(*l) * whole / total).max(1) as u32 }
    };
    let mut out: Vec<u32> = levels.iter().map(share).collect();
    let mut rest = whole as i64 - out.iter().map(|f| i64::from(*f)).sum::<i64>();
    while rest != 0 {
        let largest = out.iter_mut().max()?;
        let change = rest.max(1 - i64::from(*largest));
        if change == 0 {
            return None;
        }
        *largest = (i64::from(*largest) + change) as u32;
        rest -= change;
    }
    Some(out)
}

/// Ways to write the level of a cell: those around the level of its count, and none where there is nothing.
const WAYS: usize = 6;

fn choices(count: u32) -> [Option<u8>; WAYS] {
    let near = i32::from(level(count.max(1)));
    let mut out = [None; WAYS];
    for (slot, d) in out.iter_mut().zip(-2..=2) {
        *slot = u8::try_from(near + d).ok().filter(|l| (1..=LEVEL_MAX).contains(l));
    }
    if count == 0 {
        out[WAYS - 1] = Some(0);
    }
    out
}

/// What a level costs the values of its cell: -count · log2 of its share, and what a larger weight takes from all others.
fn cost(count: u32, l: u8) -> f64 {
    std::f64::consts::LOG2_E * weight(l) as f64 / 1_024.0 - f64::from(count) * (f64::from(l) - 1.0) / 2.0
}

/// Bits that a level takes which is so far from what is expected, as [`code`] writes it.
fn bits_of(apart: i32, trend: bool) -> f64 {
    const BESIDE_TREND: [f64; 7] = [7.0, 5.0, 2.0, 1.0, 3.0, 6.0, 7.0];
    const PLAIN: [f64; 7] = [5.0, 4.0, 3.0, 1.0, 3.0, 4.0, 5.0];
    let all = if trend { &BESIDE_TREND } else { &PLAIN };
    usize::try_from(apart + NEAR).ok().and_then(|at| all.get(at).copied()).unwrap_or(10.0)
}

/// Levels that are cheap together, for counts: what a level takes to write against what it costs each value of its cell. The cheapest of all
/// ways is found cell by cell (Viterbi 1967): what a level takes depends on the two before it.
pub(super) fn levels(counts: &[u32]) -> Vec<u8> {
    const NOTHING: [Option<u8>; WAYS] = [Some(0), None, None, None, None, None];
    let cells = counts.len().saturating_sub(2);
    let (mut before, mut earlier) = (NOTHING, NOTHING);
    let mut sums = [[f64::INFINITY; WAYS]; WAYS];
    sums[0][0] = 0.0;
    // For each cell, its way and that of the one before: the way of the one before that.
    let mut from: Vec<[[u8; WAYS]; WAYS]> = Vec::with_capacity(counts.len());
    let mut chosen: Vec<[Option<u8>; WAYS]> = Vec::with_capacity(counts.len());
    for (i, count) in counts.iter().enumerate() {
        let now = choices(*count);
        let own = now.map(|level| level.map_or(f64::INFINITY, |level| cost(*count, level)));
        let (mut next, mut back) = ([[f64::INFINITY; WAYS]; WAYS], [[0; WAYS]; WAYS]);
        for (b, second) in before.iter().enumerate() {
            for (c, third) in earlier.iter().enumerate() {
                let (Some(second), Some(third)) = (*second, *third) else { continue };
                let (level, trend) = expected(i, cells, (second, third), true);
                for (a, own) in own.iter().enumerate() {
                    let apart = i32::from(now[a].unwrap_or_default()) - level;
                    let sum = sums[b][c] + own + bits_of(apart, trend);
                    if sum < next[a][b] {
                        (next[a][b], back[a][b]) = (sum, c as u8);
                    }
                }
            }
        }
        (sums, before, earlier) = (next, now, before);
        from.push(back);
        chosen.push(now);
    }
    let all = (0..WAYS * WAYS).min_by(|x, y| sums[x / WAYS][x % WAYS].total_cmp(&sums[y / WAYS][y % WAYS]));
    let (mut a, mut b) = all.map_or((0, 0), |at| (at / WAYS, at % WAYS));
    let mut out = vec![0; counts.len()];
    for ((slot, back), ways) in out.iter_mut().zip(&from).zip(&chosen).rev() {
        *slot = ways[a].unwrap_or_default();
        (a, b) = (b, usize::from(back[a][b]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn levels_come_back(all in prop::collection::vec(0u8..=LEVEL_MAX, 3..70), near in any::<bool>()) {
            let all: Vec<u8> = all.iter().map(|l| if near { 20 + l % 4 } else { *l }).collect();
            for trend in [true, false] {
                let mut w = BitWriter::default();
                put_levels(&mut w, &all, trend);
                let bytes = w.finish();
                if trend {
                    prop_assert_eq!(bytes.len(), levels_bits(all.iter().copied()).div_ceil(8) as usize);
                }
                prop_assert_eq!(read_levels(&mut BitReader::new(&bytes), all.len() - 2, trend), Some(all.clone()));
            }
        }

        #[test]
        fn frequencies_fill_the_table(all in prop::collection::vec(0u8..=LEVEL_MAX, 1..65)) {
            match frequencies(&all) {
                Some(found) => {
                    prop_assert_eq!(found.iter().sum::<u32>(), 1 << TABLE_BITS);
                    prop_assert!(all.iter().zip(&found).all(|(l, f)| (*l == 0) == (*f == 0)));
                }
                None => prop_assert!(all.iter().all(|l| *l == 0)),
            }
        }

        #[test]
        fn every_count_gets_a_frequency(counts in prop::collection::vec(0u32..2_000, 1..65)) {
            let found = levels(&counts);
            prop_assert!(counts.iter().zip(&found).all(|(c, l)| *c == 0 || *l > 0));
        }
    }

    #[test]
    fn bits_are_those_that_are_written() {
        for (apart, trend) in (-9..=9).flat_map(|apart| [(apart, true), (apart, false)]) {
            let (_, bits) = code((20 + apart) as u8, (20, trend));
            assert_eq!(bits_of(apart, trend), f64::from(bits), "{apart} {trend}");
        }
    }

    #[test]
    fn a_bell_goes_on_as_it_went() {
        let counts: Vec<u32> =
            (-12i32..=12).map(|x| (200.0 * (-f64::from(x * x) / 32.0).exp()) as u32).chain([0, 0]).collect();
        let found = levels(&counts);
        let bits = levels_bits(found.iter().copied());
        assert!(bits < 55, "{bits} for {found:?}");
    }

    #[test]
    fn levels_are_half_steps() {
        let all: Vec<u8> = [0, 1, 2, 3, 4, 6, 8, 16, 1_024].iter().map(|c| level(*c)).collect();
        assert_eq!(all, [0, 1, 3, 4, 5, 6, 7, 9, 21]);
    }
}
