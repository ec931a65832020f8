//! Binary arithmetic coding with probabilities that learn, and plain bits beside it (carry-less range coder as in G. N. N. Martin,
//! "Range encoding", 1979, with 32-bit bounds). Pure.

use crate::bits::{BitReader, BitWriter};
use crate::codec::{Cursor, put_varint};

/// How fast a probability learns: by 1/2^5 of what is missing.
const RATE: u32 = 5;
/// No answer is more certain than 1 to 2^11: what never happened yet may cost 11 bits.
const LEAST: u16 = 32;

/// How likely a yes is, of 2^16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance(u16);

impl Chance {
    /// Of 256.
    pub(crate) const fn of(share: u8) -> Self {
        Self((share as u16) << 8 | 0x80)
    }

    #[inline]
    fn split(self, low: u32, high: u32) -> u32 {
        low + ((u64::from(high - low) * u64::from(self.0)) >> 16) as u32
    }

    #[inline]
    fn learn(&mut self, yes: bool) {
        match yes {
            true => self.0 += (u16::MAX - LEAST - self.0.min(u16::MAX - LEAST)) >> RATE,
            false => self.0 -= (self.0.max(LEAST) - LEAST) >> RATE,
        }
    }
}

/// Writes answers and bits.
#[derive(Debug)]
pub(crate) struct Encoder {
    low: u32,
    high: u32,
    answers: Vec<u8>,
    bits: BitWriter,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { low: 0, high: u32::MAX, answers: Vec::new(), bits: BitWriter::default() }
    }
}

impl Encoder {
    /// Writes whether it is so.
    #[inline]
    pub(crate) fn put(&mut self, chance: &mut Chance, yes: bool) {
        let middle = chance.split(self.low, self.high);
        match yes {
            true => self.high = middle,
            false => self.low = middle + 1,
        }
        chance.learn(yes);
        while (self.low ^ self.high) >> 24 == 0 {
            self.answers.push((self.high >> 24) as u8);
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
        }
    }

    /// Writes the low `n` bits as they are, at most 64.
    #[inline]
    pub(crate) fn put_bits(&mut self, bits: u64, n: u32) {
        self.bits.put(bits, n);
    }

    /// Appends all of it, and begins anew.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        // As few bytes as say where the answers end, zeros behind them.
        let end = (0..=4u32).map(|n| (n, (1u64 << (32 - 8 * n)) - 1));
        let rounded = |mask: u64| (u64::from(self.low) + mask) & !mask;
        if let Some((n, mask)) = { end }.find(|(_, mask)| rounded(*mask) <= u64::from(self.high)) {
            self.answers.extend_from_slice(&(rounded(mask) as u32).to_be_bytes()[..n as usize]);
        }
        put_varint(out, self.answers.len() as u64);
        out.extend_from_slice(&self.answers);
        out.extend_from_slice(&std::mem::take(&mut self.bits).finish());
        (self.low, self.high) = (0, u32::MAX);
        self.answers.clear();
    }
}

/// Reads what an [`Encoder`] wrote; zeros behind the end.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    low: u32,
    high: u32,
    at: u32,
    answers: std::slice::Iter<'a, u8>,
    bits: BitReader<'a>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let length = cursor.length(bytes.len())?;
        let mut answers = cursor.take(length)?.iter();
        let at = (0..4).fold(0, |at, _| at << 8 | u32::from(answers.next().copied().unwrap_or(0)));
        Some(Self { low: 0, high: u32::MAX, at, answers, bits: BitReader::new(cursor.rest()) })
    }

    /// Whether it is so.
    #[inline]
    pub(crate) fn get(&mut self, chance: &mut Chance) -> bool {
        let middle = chance.split(self.low, self.high);
        let yes = self.at <= middle;
        match yes {
            true => self.high = middle,
            false => self.low = middle + 1,
        }
        chance.learn(yes);
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
            self.at = self.at << 8 | u32::from(self.answers.next().copied().unwrap_or(0));
        }
        yes
    }

    /// The next bits as they are.
    #[inline]
    pub(crate) fn bits(&mut self, n: u32) -> u64 {
        self.bits.get(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(all: &[(bool, u8, u64, u32)]) -> Vec<u8> {
        let (mut chances, mut encoder, mut out) = ([Chance::of(128); 256], Encoder::default(), Vec::new());
        for (yes, chance, bits, n) in all {
            encoder.put(&mut chances[usize::from(*chance)], *yes);
            encoder.put_bits(*bits, *n);
        }
        encoder.finish(&mut out);
        out
    }

    proptest! {
        #[test]
        fn answers_and_bits_come_back(all in prop::collection::vec((any::<bool>(), 0u8..4, any::<u64>(), 0u32..=64), 0..400), still in any::<bool>()) {
            let all: Vec<_> = all.into_iter().map(|(yes, chance, bits, n)| (yes && !still, chance, bits, n)).collect();
            let bytes = written(&all);
            let (mut chances, mut decoder) = ([Chance::of(128); 256], Decoder::new(&bytes).unwrap());
            for (yes, chance, bits, n) in all {
                prop_assert_eq!(decoder.get(&mut chances[usize::from(chance)]), yes);
                prop_assert_eq!(decoder.bits(n), if n == 64 { bits } else { bits & ((1 << n) - 1) });
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut chance = Chance::of(40);
            if let Some(mut decoder) = Decoder::new(&bytes) {
                (0..500).for_each(|n| { decoder.get(&mut chance); decoder.bits(n % 65); });
            }
        }
    }

    #[test]
    fn what_is_nearly_certain_takes_next_to_nothing() {
        let all: Vec<_> = (0..8_000).map(|_| (false, 0, 0, 0)).collect();
        let bytes = written(&all).len();
        assert!(bytes < 20, "{bytes}");
    }
}
