//! Codings of a page of values, each complete in itself and exact for any bits. Pure.

mod alp;
mod pco;

pub use alp::Alp;
pub use pco::{Pco, pco_metric, unpco_metric};

use crate::bits::{BitReader, BitWriter, decimal, mantissa, put_varint, undecimal, unzigzag, varint, zigzag};

/// A coding.
pub trait Codec {
    /// What it is called in tables.
    fn name(&self) -> &'static str;
    /// The page's bytes.
    fn encode(&self, page: &[u64], out: &mut Vec<u8>);
    /// The page back, appended to `out`.
    fn decode(&self, bytes: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()>;
}

/// Mantissas of a page at one scale, if every value is such a decimal.
pub fn decimals(page: &[u64]) -> Option<(Vec<i64>, u8)> {
    let mut scale = 0;
    for bits in page {
        if mantissa(f64::from_bits(*bits), scale).is_none() {
            scale = scale.max(decimal(f64::from_bits(*bits))?.1);
        }
    }
    let all = page.iter().map(|bits| mantissa(f64::from_bits(*bits), scale)).collect::<Option<Vec<_>>>()?;
    Some((all, scale))
}

/// Whether all values are the same bits.
pub fn is_constant(page: &[u64]) -> bool {
    page.windows(2).all(|w| w[0] == w[1])
}

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

const CONSTANT: u8 = 0;
const FALLBACK: u8 = 1;
const MOVING: u8 = 2;

/// A page that is the same for all codings: a constant, as decimal or as bits.
fn put_constant(page: &[u64], out: &mut Vec<u8>) -> bool {
    let Some(first) = page.first().filter(|_| is_constant(page)) else { return false };
    match decimal(f64::from_bits(*first)) {
        Some((m, scale)) => {
            out.extend_from_slice(&[CONSTANT, scale]);
            put_varint(out, zigzag(m));
        }
        None => {
            out.extend_from_slice(&[CONSTANT, 0xff]);
            out.extend_from_slice(&first.to_le_bytes());
        }
    }
    true
}

fn constant(bytes: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()> {
    let scale = *bytes.get(1)?;
    let bits = if scale == 0xff {
        u64::from_le_bytes(bytes.get(2..10)?.try_into().ok()?)
    } else {
        undecimal(unzigzag(varint(bytes, &mut 2)?), scale).to_bits()
    };
    out.resize(out.len() + rows, bits);
    Some(())
}

/// Gorilla's XOR coding as Prometheus's chunks have it, values only.
pub struct Xor;

impl Codec for Xor {
    fn name(&self) -> &'static str {
        "XOR (Gorilla)"
    }

    fn encode(&self, page: &[u64], out: &mut Vec<u8>) {
        let mut w = BitWriter::after(std::mem::take(out));
        let (mut last, mut lead, mut trail) = (0, u32::MAX, 0);
        for (i, bits) in page.iter().enumerate() {
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

    fn decode(&self, bytes: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()> {
        let mut r = BitReader::new(bytes);
        let (mut last, mut trail, mut n) = (0u64, 0, 0);
        for row in 0..rows {
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
                last ^= r.get(n) << trail;
            }
            out.push(last);
        }
        Some(())
    }
}

/// Decimals, differences of first or second order, zig-zag variable-length integers; XOR where there are no decimals.
pub struct Varint;

impl Codec for Varint {
    fn name(&self) -> &'static str {
        "delta-of-delta, varint"
    }

    fn encode(&self, page: &[u64], out: &mut Vec<u8>) {
        if put_constant(page, out) {
            return;
        }
        let Some((values, scale)) = decimals(page) else {
            out.push(FALLBACK);
            return Xor.encode(page, out);
        };
        let mut best: Option<Vec<u8>> = None;
        for order in 1..3u8 {
            let mut bytes = vec![MOVING, scale | order << 5];
            differences(&values, usize::from(order)).iter().for_each(|d| put_varint(&mut bytes, zigzag(*d)));
            if best.as_ref().is_none_or(|b| bytes.len() < b.len()) {
                best = Some(bytes);
            }
        }
        out.extend_from_slice(&best.unwrap_or_default());
    }

    fn decode(&self, bytes: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()> {
        match *bytes.first()? {
            CONSTANT => constant(bytes, rows, out),
            FALLBACK => Xor.decode(&bytes[1..], rows, out),
            _ => {
                let (scale, order, mut at) = (bytes.get(1)? & 31, bytes[1] >> 5, 2);
                let mut values = Vec::with_capacity(rows);
                for _ in 0..rows {
                    values.push(unzigzag(varint(bytes, &mut at)?));
                }
                sums(&mut values, usize::from(order));
                out.extend(values.iter().map(|m| undecimal(*m, scale).to_bits()));
                Some(())
            }
        }
    }
}

/// Decimals, differences of order 0 to 2, frame of reference, bit-packing with patches; XOR where there are no decimals.
pub struct Packed;

/// Width that makes a page smallest when what is wider is patched, and its size in bits.
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

impl Codec for Packed {
    fn name(&self) -> &'static str {
        "decimals, FOR, bit-packing"
    }

    fn encode(&self, page: &[u64], out: &mut Vec<u8>) {
        if put_constant(page, out) {
            return;
        }
        let Some((values, scale)) = decimals(page) else {
            out.push(FALLBACK);
            return Xor.encode(page, out);
        };
        let mut best: Option<(usize, usize, i64, u32, Vec<u64>)> = None;
        for order in 0..3usize.min(values.len()) {
            let diffs = differences(&values, order);
            let Some(least) = diffs[order..].iter().min().copied() else { continue };
            let above: Vec<u64> = diffs[order..].iter().map(|d| d.wrapping_sub(least) as u64).collect();
            let (width, size) = best_width(&above);
            if best.as_ref().is_none_or(|b| size < b.0) {
                best = Some((size, order, least, width, above));
            }
        }
        let Some((_, order, least, width, above)) = best else { return };
        out.extend_from_slice(&[MOVING, scale | (order as u8) << 5, width as u8]);
        differences(&values, order)[..order].iter().for_each(|v| put_varint(out, zigzag(*v)));
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

    fn decode(&self, bytes: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()> {
        match *bytes.first()? {
            CONSTANT => return constant(bytes, rows, out),
            FALLBACK => return Xor.decode(&bytes[1..], rows, out),
            _ => {}
        }
        let (scale, order, width, mut at) =
            (bytes.get(1)? & 31, usize::from(bytes[1] >> 5), u32::from(*bytes.get(2)?), 3);
        let mut values = Vec::with_capacity(rows);
        for _ in 0..order {
            values.push(unzigzag(varint(bytes, &mut at)?));
        }
        let least = unzigzag(varint(bytes, &mut at)?);
        let mut patches = Vec::new();
        let mut i = order;
        for _ in 0..varint(bytes, &mut at)? {
            i += varint(bytes, &mut at)? as usize;
            patches.push((i, varint(bytes, &mut at)?));
        }
        let mut r = BitReader::new(bytes.get(at..)?);
        for _ in order..rows {
            values.push(r.get(width) as i64);
        }
        for (i, high) in patches {
            *values.get_mut(i)? |= (high << width) as i64;
        }
        values[order..].iter_mut().for_each(|v| *v = v.wrapping_add(least));
        sums(&mut values, order);
        out.extend(values.iter().map(|m| undecimal(*m, scale).to_bits()));
        Some(())
    }
}

/// Few changes: gaps and differences.
pub struct Steps;

impl Codec for Steps {
    fn name(&self) -> &'static str {
        "steps"
    }

    fn encode(&self, page: &[u64], out: &mut Vec<u8>) {
        if put_constant(page, out) {
            return;
        }
        let Some((values, scale)) = decimals(page) else {
            out.push(FALLBACK);
            return Xor.encode(page, out);
        };
        let changes: Vec<usize> = (1..values.len()).filter(|i| values[*i] != values[i - 1]).collect();
        out.extend_from_slice(&[MOVING, scale]);
        put_varint(out, zigzag(values[0]));
        put_varint(out, changes.len() as u64);
        let mut before = 0;
        for i in changes {
            put_varint(out, (i - before) as u64);
            put_varint(out, zigzag(values[i] - values[i - 1]));
            before = i;
        }
    }

    fn decode(&self, bytes: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()> {
        match *bytes.first()? {
            CONSTANT => return constant(bytes, rows, out),
            FALLBACK => return Xor.decode(&bytes[1..], rows, out),
            _ => {}
        }
        let (scale, mut at, start) = (*bytes.get(1)?, 2, out.len());
        let mut value = unzigzag(varint(bytes, &mut at)?);
        let mut row = 0;
        for _ in 0..varint(bytes, &mut at)? {
            row += varint(bytes, &mut at)? as usize;
            out.resize(start + row.min(rows), undecimal(value, scale).to_bits());
            value = value.checked_add(unzigzag(varint(bytes, &mut at)?))?;
        }
        out.resize(start + rows, undecimal(value, scale).to_bits());
        Some(())
    }
}

/// The smallest of constant, steps and bit-packing: what a fresh span can afford.
pub struct Ladder {
    /// pco of decimals too: what a compacted block can afford.
    pub pco: bool,
}

impl Codec for Ladder {
    fn name(&self) -> &'static str {
        if self.pco { "ladder with pco" } else { "ladder without pco" }
    }

    fn encode(&self, page: &[u64], out: &mut Vec<u8>) {
        if put_constant(page, out) {
            return;
        }
        let mut best = Vec::new();
        let pco = Pco { decimals: true, level: 8 };
        let all: [(&dyn Codec, u8); 3] = [(&Steps, 0x10), (&Packed, 0x20), (&pco, 0x30)];
        for (codec, kind) in &all[..if self.pco { 3 } else { 2 }] {
            let mut bytes = vec![*kind];
            codec.encode(page, &mut bytes);
            if best.is_empty() || bytes.len() < best.len() {
                best = bytes;
            }
        }
        // The kind and the inner first byte share one byte in a real format.
        best[1] |= best[0];
        out.extend_from_slice(&best[1..]);
    }

    fn decode(&self, bytes: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()> {
        let kind = *bytes.first()?;
        if kind == CONSTANT {
            return constant(bytes, rows, out);
        }
        let mut inner = bytes.to_vec();
        inner[0] &= 0x0f;
        match kind & 0xf0 {
            0x10 => Steps.decode(&inner, rows, out),
            0x20 => Packed.decode(&inner, rows, out),
            _ => Pco { decimals: true, level: 8 }.decode(&inner, rows, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_page_comes_back(page in prop::collection::vec(prop_oneof![
            6 => (-500i64..500).prop_map(|m| (m as f64).to_bits()),
            3 => (-50_000i64..50_000, 0u8..5).prop_map(|(m, s)| undecimal(m, s).to_bits()),
            1 => any::<i64>().prop_map(|m| ((m >> 8) as f64).to_bits()),
        ], 1..250), odd in prop::option::of((0usize..250, any::<u64>()))) {
            let mut page = page;
            if let Some((i, bits)) = odd {
                let n = page.len();
                page[i % n] = bits;
            }
            let all: [&dyn Codec; 9] = [&Xor, &Varint, &Packed, &Alp, &Steps, &Pco { decimals: false, level: 8 }, &Pco { decimals: true, level: 8 }, &Ladder { pco: false }, &Ladder { pco: true }];
            for codec in all {
                let (mut bytes, mut back) = (Vec::new(), Vec::new());
                codec.encode(&page, &mut bytes);
                prop_assert_eq!(codec.decode(&bytes, page.len(), &mut back), Some(()), "{}", codec.name());
                prop_assert_eq!(&back, &page, "{}", codec.name());
            }
            for decimals in [true, false] {
                let (meta, pages, scales) = pco_metric(&[&page, &page], 8, decimals);
                let mut back = Vec::new();
                unpco_metric(&meta, &pages, &scales, page.len(), &mut back).unwrap();
                prop_assert_eq!(&back[..page.len()], &page[..]);
            }
        }

        #[test]
        fn the_width_is_the_best(values in prop::collection::vec((any::<u64>(), 0u32..64).prop_map(|(v, c)| v >> c), 1..40)) {
            let cost = |width: u32| values.len() * width as usize + values.iter().filter(|v| width < 64 && **v >> width != 0).map(|v| 8 + 8 * ((64 - (v >> width).leading_zeros()).div_ceil(7) as usize)).sum::<usize>();
            let (width, size) = best_width(&values);
            prop_assert_eq!(size, cost(width));
            prop_assert_eq!(size, (0..=64).map(cost).min().unwrap());
        }
    }
}
