//! Variable-length integers, bit streams, exact decimals. Pure.

use crate::number::POWERS;

/// 7 bits per byte, lowest first.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Reads what [`put_varint`] wrote and moves `at` on.
#[inline]
pub fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let (mut n, mut shift) = (0u64, 0);
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        n |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(n);
        }
        shift += 7;
    }
}

/// Small numbers of either sign become small numbers without one.
pub const fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

/// The way back.
pub const fn unzigzag(n: u64) -> i64 {
    ((n >> 1) as i64) ^ -((n & 1) as i64)
}

/// Integers up to this are exact in an `f64`.
pub const EXACT: i64 = 1 << 53;
/// Mantissas of decimals stay below this, so that rounding the product finds them.
pub const MANTISSA: i64 = 1_000_000_000_000_000;

/// The value of a decimal.
#[inline]
pub fn undecimal(mantissa: i64, scale: u8) -> f64 {
    mantissa as f64 / POWERS[scale as usize]
}

/// The mantissa at this scale, if it gives back the same bits.
#[inline]
pub fn mantissa(value: f64, scale: u8) -> Option<i64> {
    if scale == 0 {
        let m = value as i64;
        return ((m as f64).to_bits() == value.to_bits() && m.abs() <= EXACT).then_some(m);
    }
    let product = value * POWERS[scale as usize];
    if !(product.abs() < MANTISSA as f64) {
        return None;
    }
    // Ties do not matter: a product this close to a half is no decimal.
    let m = (product + 0.5f64.copysign(product)) as i64;
    (undecimal(m, scale).to_bits() == value.to_bits()).then_some(m)
}

/// The value as a decimal with the fewest digits behind the point.
pub fn decimal(value: f64) -> Option<(i64, u8)> {
    if let Some(m) = mantissa(value, 0) {
        return Some((m, 0));
    }
    if !value.is_finite() || value == 0.0 {
        return None;
    }
    // With the most digits that still fit, every decimal with fewer shows itself.
    let mut scale = (14 - value.abs().log10().floor() as i32).clamp(1, 22) as u8;
    while scale > 1 && value.abs() * POWERS[scale as usize] >= MANTISSA as f64 {
        scale -= 1;
    }
    let mut m = mantissa(value, scale)?;
    while scale > 0 && m % 10 == 0 {
        m /= 10;
        scale -= 1;
    }
    Some((m, scale))
}

/// Writes bits, lowest first.
#[derive(Debug, Default)]
pub struct BitWriter {
    out: Vec<u8>,
    word: u64,
    used: u32,
}

impl BitWriter {
    /// Goes on behind these bytes.
    pub fn after(out: Vec<u8>) -> Self {
        Self { out, word: 0, used: 0 }
    }

    /// The low `n` bits, at most 64.
    #[inline]
    pub fn put(&mut self, bits: u64, n: u32) {
        if n == 0 {
            return;
        }
        let bits = if n == 64 { bits } else { bits & ((1 << n) - 1) };
        self.word |= bits << self.used;
        if self.used + n >= 64 {
            self.out.extend_from_slice(&self.word.to_le_bytes());
            let taken = 64 - self.used;
            self.word = if taken == 64 { 0 } else { bits >> taken };
            self.used = n - taken;
        } else {
            self.used += n;
        }
    }

    /// All bytes.
    pub fn finish(mut self) -> Vec<u8> {
        let bytes = self.used.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.word.to_le_bytes()[..bytes]);
        self.out
    }
}

/// Reads bits, lowest first.
#[derive(Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    /// From the start of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `n` bits, at most 64; zeros behind the end.
    #[inline]
    pub fn get(&mut self, n: u32) -> u64 {
        if n == 0 {
            return 0;
        }
        let (byte, shift) = (self.at / 8, (self.at % 8) as u32);
        self.at += n as usize;
        let word = match self.bytes.get(byte..byte + 16) {
            Some(w) => u128::from_le_bytes(w.try_into().unwrap_or_default()),
            None => {
                let mut w = [0u8; 16];
                let rest = self.bytes.get(byte..).unwrap_or_default();
                w[..rest.len().min(16)].copy_from_slice(&rest[..rest.len().min(16)]);
                u128::from_le_bytes(w)
            }
        };
        let bits = (word >> shift) as u64;
        if n == 64 { bits } else { bits & ((1 << n) - 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_come_back(all in prop::collection::vec((any::<u64>(), 0..=64u32), 0..100)) {
            let mut w = BitWriter::default();
            all.iter().for_each(|(b, n)| w.put(*b, *n));
            let bytes = w.finish();
            let mut r = BitReader::new(&bytes);
            for (b, n) in all {
                prop_assert_eq!(r.get(n), if n == 64 { b } else { b & ((1 << n) - 1) });
            }
        }

        #[test]
        fn a_decimal_is_found(m in -999_999_999_999_999i64..1_000_000_000_000_000, cut in 0u32..50, scale in 0u8..=22) {
            let m = m >> cut;
            let v = undecimal(m, scale);
            prop_assert!(mantissa(v, scale) == Some(m) || m.abs() > MANTISSA);
            let (short, fewer) = decimal(v).unwrap();
            prop_assert_eq!(undecimal(short, fewer).to_bits(), v.to_bits());
            prop_assert!(fewer <= scale);
        }

        #[test]
        fn a_decimal_is_exact(bits in any::<u64>()) {
            if let Some((m, scale)) = decimal(f64::from_bits(bits)) {
                prop_assert_eq!(undecimal(m, scale).to_bits(), bits);
            }
        }
    }
}
