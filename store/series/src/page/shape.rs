//! The shape of a distribution in a few bytes: logarithms of its counts in half steps, which change little from one
//! cell to the next. Pure.
//!
//! Integers only, so that every machine makes the same frequencies of the same bytes.

use crate::bits::{BitReader, BitWriter};

/// Frequencies add up to this many bits.
pub(super) const TABLE_BITS: u32 = 11;
/// Cells of a shape: a cell an eighth of the deviation wide leaves nothing to gain, and so many of them reach 4 deviations to each side.
pub(super) const CELLS: usize = 62;
/// The largest level that can be written.
const LEVEL_MAX: u8 = 63;
/// The longest prefix of a level that is near the one before: difference 0 to 3, each longer by a bit.
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

/// Bits that a level takes behind the one before.
pub(super) fn level_bits(level: u8, before: u8) -> u32 {
    match (i32::from(level) - i32::from(before)).abs() {
        0 => 1,
        near if near <= NEAR => near as u32 + 2,
        _ => NEAR as u32 + 1 + 6,
    }
}

/// Writes a level: `0` as before; ones for the difference, a zero, the sign; or all ones and 6 bits.
pub(super) fn put_level(w: &mut BitWriter, level: u8, before: u8) {
    let difference = i32::from(level) - i32::from(before);
    let ones = difference.abs().min(NEAR + 1) as u32;
    w.put((1 << ones) - 1, ones);
    if ones as i32 > NEAR {
        w.put(u64::from(level), 6);
    } else {
        w.put(0, 1);
        if ones > 0 {
            w.put(u64::from(difference < 0), 1);
        }
    }
}

/// Reads a level.
pub(super) fn read_level(r: &mut BitReader<'_>, before: u8) -> Option<u8> {
    let mut ones = 0;
    while ones <= NEAR && r.get(1) == 1 {
        ones += 1;
    }
    if ones > NEAR {
        return Some(r.get(6) as u8);
    }
    let difference = if ones > 0 && r.get(1) == 1 { -ones } else { ones };
    u8::try_from(i32::from(before) + difference).ok().filter(|l| *l <= LEVEL_MAX)
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

/// Levels that are cheap together, for counts: what a level takes to write against what it costs each value of its cell.
pub(super) fn levels(counts: &[u32]) -> Vec<u8> {
    // All levels near those of the counts, by the cheapest way that leads to them.
    const AROUND: i32 = 2;
    const WAYS: usize = 2 * AROUND as usize + 2;
    let choices = |count: u32| -> [Option<u8>; WAYS] {
        let near = i32::from(level(count.max(1)));
        let mut out = [None; WAYS];
        for (slot, d) in out.iter_mut().zip(-AROUND..=AROUND) {
            *slot = u8::try_from(near + d).ok().filter(|l| (1..=LEVEL_MAX).contains(l));
        }
        if count == 0 {
            out[WAYS - 1] = Some(0);
        }
        out
    };
    // -count · log2 of its share, and what a larger weight takes from all others.
    let cost = |count: u32, l: u8| {
        let weight = weight(l) as f64 / 1_024.0;
        std::f64::consts::LOG2_E * weight - f64::from(count) * (f64::from(l) - 1.0) / 2.0
    };
    let mut ways: Vec<[(f64, u8, usize); WAYS]> = Vec::with_capacity(counts.len());
    for count in counts {
        let mut now = [(f64::INFINITY, 0u8, 0usize); WAYS];
        for (slot, choice) in now.iter_mut().zip(choices(*count)) {
            let Some(l) = choice else { continue };
            let own = cost(*count, l);
            *slot = match ways.last() {
                None => (own + f64::from(level_bits(l, 0)), l, 0),
                Some(before) => {
                    let mut best = (f64::INFINITY, l, 0);
                    for (i, (sum, b, _)) in before.iter().enumerate() {
                        let sum = sum + own + f64::from(level_bits(l, *b));
                        if sum < best.0 {
                            best = (sum, l, i);
                        }
                    }
                    best
                }
            };
        }
        ways.push(now);
    }
    let mut out = vec![0; counts.len()];
    let cheapest =
        |all: &[(f64, u8, usize); WAYS]| (0..WAYS).min_by(|a, b| all[*a].0.total_cmp(&all[*b].0)).unwrap_or_default();
    let mut at = ways.last().map_or(0, cheapest);
    for (slot, way) in out.iter_mut().zip(&ways).rev() {
        (*slot, at) = (way[at].1, way[at].2);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn levels_come_back(all in prop::collection::vec(0u8..=LEVEL_MAX, 1..70)) {
            let mut w = BitWriter::default();
            let mut before = 0;
            let mut bits = 0;
            for l in &all {
                put_level(&mut w, *l, before);
                bits += level_bits(*l, before);
                before = *l;
            }
            let bytes = w.finish();
            prop_assert_eq!(bytes.len(), bits.div_ceil(8) as usize);
            let (mut r, mut before) = (BitReader::new(&bytes), 0);
            for l in all {
                before = read_level(&mut r, before).unwrap();
                prop_assert_eq!(before, l);
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
    fn levels_are_half_steps() {
        let all: Vec<u8> = [0, 1, 2, 3, 4, 6, 8, 16, 1_024].iter().map(|c| level(*c)).collect();
        assert_eq!(all, [0, 1, 3, 4, 5, 6, 7, 9, 21]);
    }
}
