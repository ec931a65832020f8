//! Values that are no decimals: the bits that differ from the value before (Gorilla, VLDB 2015, section 4.1.2). Pure.

use crate::bits::{BitReader, BitWriter};

pub(super) fn put(out: &mut Vec<u8>, values: &[u64]) {
    let mut w = BitWriter::after(std::mem::take(out));
    let (mut last, mut lead, mut trail) = (0, u32::MAX, 0);
    for (i, bits) in values.iter().enumerate() {
        if i == 0 {
            w.put(*bits, 64);
        } else if *bits == last {
            w.put(0, 1);
        } else {
            w.put(1, 1);
            let xor = bits ^ last;
            let (l, t) = (xor.leading_zeros().min(31), xor.trailing_zeros());
            if lead != u32::MAX && l >= lead && t >= trail {
                w.put(0, 1);
                w.put(xor >> trail, 64 - lead - trail);
            } else {
                (lead, trail) = (l, t);
                let n = 64 - l - t;
                w.put(1, 1);
                w.put(u64::from(l), 5);
                w.put(u64::from(n & 63), 6);
                w.put(xor >> t, n);
            }
        }
        last = *bits;
    }
    *out = w.finish();
}

pub(super) fn read(bytes: &[u8], count: usize, out: &mut Vec<u64>) -> Option<()> {
    // One bit per value at least: what claims more is damaged.
    if count > bytes.len().saturating_mul(8) + 64 {
        return None;
    }
    let mut r = BitReader::new(bytes);
    let (mut last, mut trail, mut n) = (0u64, 0, 0);
    for row in 0..count {
        if row == 0 {
            last = r.get(64);
        } else if r.get(1) == 1 {
            if r.get(1) == 1 {
                let lead = r.get(5) as u32;
                n = r.get(6) as u32;
                if n == 0 {
                    n = 64;
                }
                trail = 64u32.checked_sub(lead + n)?;
            }
            last ^= r.get(n).checked_shl(trail)?;
        }
        out.push(last);
    }
    Some(())
}
