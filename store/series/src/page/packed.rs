//! Integers as differences of order 0 to 2 above their least, bit-packed; what is too wide is patched (patched frame of
//! reference, Zukowski et al., ICDE 2006). Pure.

use crate::bits::{BitReader, BitWriter};
use crate::codec::{Cursor, put_varint, unzigzag, zigzag};

/// Differences of the given order; the first values stay.
fn differences(values: &[i64], order: usize) -> Vec<i64> {
    let mut out = values.to_vec();
    for o in 0..order {
        for i in (o + 1..out.len()).rev() {
            out[i] = out[i].wrapping_sub(out[i - 1]);
        }
    }
    out
}

fn sums(values: &mut [i64], order: usize) {
    for o in (0..order).rev() {
        for i in o + 1..values.len() {
            values[i] = values[i].wrapping_add(values[i - 1]);
        }
    }
}

/// The width that makes a page smallest when what is wider is patched, and its size in bits.
fn best_width(values: &[u64]) -> (u32, usize) {
    let mut counts = [0usize; 65];
    values.iter().for_each(|v| counts[(64 - v.leading_zeros()) as usize] += 1);
    let most = (0..=64u32).rev().find(|w| counts[*w as usize] > 0).unwrap_or(0);
    let mut best = (64, usize::MAX);
    for width in (0..=most).rev() {
        // A patch is a gap of one byte and the high bits as a varint.
        let patches = |w: u32| counts[w as usize] * (8 + 8 * (w - width).div_ceil(7) as usize);
        let size = values.len() * width as usize + (width + 1..=most).map(patches).sum::<usize>();
        if size <= best.1 {
            best = (width, size);
        }
    }
    best
}

pub(super) fn put(out: &mut Vec<u8>, values: &[i64]) {
    let mut best: Option<(usize, usize, i64, u32, Vec<i64>)> = None;
    for order in 0..3usize.min(values.len()) {
        let diffs = differences(values, order);
        let Some(least) = diffs[order..].iter().min().copied() else { continue };
        let above: Vec<u64> = diffs[order..].iter().map(|d| d.wrapping_sub(least) as u64).collect();
        let (width, size) = best_width(&above);
        if best.as_ref().is_none_or(|b| size < b.0) {
            best = Some((size, order, least, width, diffs));
        }
    }
    let Some((_, order, least, width, diffs)) = best else { return };
    let above: Vec<u64> = diffs[order..].iter().map(|d| d.wrapping_sub(least) as u64).collect();
    // 3 orders times 65 widths fit into a byte.
    out.push(order as u8 * 65 + width as u8);
    diffs[..order].iter().for_each(|v| put_varint(out, zigzag(*v)));
    put_varint(out, zigzag(least));
    let patches: Vec<usize> = (0..above.len()).filter(|i| width < 64 && above[*i] >> width != 0).collect();
    put_varint(out, patches.len() as u64);
    let mut before = 0;
    for i in patches {
        put_varint(out, (i - before) as u64);
        put_varint(out, above[i] >> width);
        before = i;
    }
    let mut w = BitWriter::after(std::mem::take(out));
    above.iter().for_each(|v| w.put(*v, width));
    *out = w.finish();
}

pub(super) fn read(cursor: &mut Cursor<'_>, count: usize) -> Option<Vec<i64>> {
    let head = cursor.byte()?;
    let (order, width) = (usize::from(head / 65), u32::from(head % 65));
    if order > 2 || order > count {
        return None;
    }
    let mut values = Vec::with_capacity(count);
    for _ in 0..order {
        values.push(unzigzag(cursor.varint()?));
    }
    let least = unzigzag(cursor.varint()?);
    let mut patches = Vec::new();
    let mut i = order;
    for _ in 0..cursor.length(count)? {
        i = i.checked_add(usize::try_from(cursor.varint()?).ok()?)?;
        patches.push((i, cursor.varint()?));
    }
    let bytes = cursor.rest();
    if (count - order).checked_mul(width as usize)?.div_ceil(8) > bytes.len() {
        return None;
    }
    let mut r = BitReader::new(bytes);
    for _ in order..count {
        values.push(r.get(width) as i64);
    }
    for (i, high) in patches {
        *values.get_mut(i)? |= high.checked_shl(width)? as i64;
    }
    values[order..].iter_mut().for_each(|v| *v = v.wrapping_add(least));
    sums(&mut values, order);
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_width_is_the_best(values in prop::collection::vec((any::<u64>(), 0u32..64).prop_map(|(v, c)| v >> c), 1..40)) {
            let patch = |v: u64, width: u32| 8 + 8 * ((64 - (v >> width).leading_zeros()).div_ceil(7) as usize);
            let cost = |width: u32| values.len() * width as usize
                + values.iter().filter(|v| width < 64 && **v >> width != 0).map(|v| patch(*v, width)).sum::<usize>();
            let (width, size) = best_width(&values);
            prop_assert_eq!(size, cost(width));
            prop_assert_eq!(size, (0..=64).map(cost).min().unwrap());
        }

        #[test]
        fn integers_come_back(values in prop::collection::vec((any::<i64>(), 0u32..64).prop_map(|(v, c)| v >> c), 1..300)) {
            let mut out = Vec::new();
            put(&mut out, &values);
            prop_assert_eq!(read(&mut Cursor::new(&out), values.len()), Some(values));
        }
    }
}
