//! ALP (Afroozeh, Kuffo, Boncz: ALP, SIGMOD 2024), its main scheme only. Pure.

use super::{CONSTANT, Codec, MOVING, constant, put_constant};
use crate::bits::{BitReader, BitWriter, put_varint, unzigzag, varint, zigzag};
use crate::number::POWERS;

/// ALP in short: one exponent and factor per page, frame of reference, bit-packing, exceptions in full. No differences.
pub struct Alp;

/// Inverse powers of ten, as ALP multiplies instead of dividing.
const INVERSE: [f64; 19] = [
    1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17,
    1e-18,
];

fn alp(value: f64, e: usize, f: usize) -> Option<i64> {
    let n = (value * POWERS[e] * INVERSE[f]).round();
    if !(n.abs() < 9e15) {
        return None;
    }
    ((n * POWERS[f] * INVERSE[e]).to_bits() == value.to_bits()).then_some(n as i64)
}

fn alp_size(sample: impl Iterator<Item = f64>, e: usize, f: usize) -> usize {
    let (mut least, mut most, mut n, mut wrong) = (i64::MAX, i64::MIN, 0, 0);
    for v in sample {
        n += 1;
        match alp(v, e, f) {
            Some(m) => (least, most) = (least.min(m), most.max(m)),
            None => wrong += 1,
        }
    }
    let width = if least > most { 0 } else { 64 - (most.wrapping_sub(least) as u64).leading_zeros() as usize };
    n * width + wrong * 80
}

impl Codec for Alp {
    fn name(&self) -> &'static str {
        "ALP"
    }

    fn encode(&self, page: &[u64], out: &mut Vec<u8>) {
        if put_constant(page, out) {
            return;
        }
        let step = (page.len() / 32).max(1);
        let mut best = (usize::MAX, 0, 0);
        for e in (0..19).rev() {
            for f in (0..=e).rev() {
                let size = alp_size(page.iter().step_by(step).map(|b| f64::from_bits(*b)), e, f);
                if size < best.0 {
                    best = (size, e, f);
                }
            }
        }
        let (_, e, f) = best;
        let coded: Vec<Option<i64>> = page.iter().map(|b| alp(f64::from_bits(*b), e, f)).collect();
        let least = coded.iter().flatten().min().copied().unwrap_or(0);
        let above = |v: &Option<i64>| v.map_or(0, |m| m.wrapping_sub(least) as u64);
        let width = coded.iter().map(|v| 64 - above(v).leading_zeros()).max().unwrap_or(0);
        out.extend_from_slice(&[MOVING, e as u8, f as u8, width as u8]);
        put_varint(out, zigzag(least));
        let wrong: Vec<usize> = (0..page.len()).filter(|i| coded[*i].is_none()).collect();
        put_varint(out, wrong.len() as u64);
        for i in wrong {
            out.extend_from_slice(&(i as u16).to_le_bytes());
            out.extend_from_slice(&page[i].to_le_bytes());
        }
        let mut w = BitWriter::after(std::mem::take(out));
        coded.iter().for_each(|v| w.put(above(v), width));
        *out = w.finish();
    }

    fn decode(&self, bytes: &[u8], rows: usize, out: &mut Vec<u64>) -> Option<()> {
        if *bytes.first()? == CONSTANT {
            return constant(bytes, rows, out);
        }
        let (e, f, width) = (usize::from(*bytes.get(1)?), usize::from(*bytes.get(2)?), u32::from(*bytes.get(3)?));
        let (power, inverse) = (*POWERS.get(f)?, *INVERSE.get(e)?);
        let mut at = 4;
        let least = unzigzag(varint(bytes, &mut at)?);
        let wrong = varint(bytes, &mut at)? as usize;
        let exceptions = bytes.get(at..at + wrong * 10)?;
        let mut r = BitReader::new(&bytes[at + wrong * 10..]);
        let start = out.len();
        for _ in 0..rows {
            let m = (r.get(width) as i64).wrapping_add(least);
            out.push((m as f64 * power * inverse).to_bits());
        }
        for x in exceptions.chunks_exact(10) {
            let i = usize::from(u16::from_le_bytes([x[0], x[1]]));
            *out.get_mut(start + i)? = u64::from_le_bytes(x[2..].try_into().ok()?);
        }
        Some(())
    }
}
