//! Streams of bits, lowest first. Pure.

/// Writes bits.
#[derive(Debug, Default)]
pub(crate) struct BitWriter {
    out: Vec<u8>,
    word: u64,
    used: u32,
}

impl BitWriter {
    /// Goes on behind these bytes.
    pub(crate) fn after(out: Vec<u8>) -> Self {
        Self { out, word: 0, used: 0 }
    }

    /// The low `n` bits, at most 64.
    #[inline]
    pub(crate) fn put(&mut self, bits: u64, n: u32) {
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
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let bytes = self.used.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.word.to_le_bytes()[..bytes]);
        self.out
    }
}

/// Reads bits.
#[derive(Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    /// From the start of these bytes.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bits were taken.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The next `n` bits, at most 64; zeros behind the end.
    #[inline]
    pub(crate) fn get(&mut self, n: u32) -> u64 {
        if n == 0 {
            return 0;
        }
        let (byte, shift) = (self.at / 8, (self.at % 8) as u32);
        self.at += n as usize;
        // With up to 7 bits before it, a number of so many bits lies within 8 bytes.
        if n <= 57
            && let Some(w) = self.bytes.get(byte..byte + 8)
        {
            return (u64::from_le_bytes(w.try_into().unwrap_or_default()) >> shift) & ((1 << n) - 1);
        }
        let word = match self.bytes.get(byte..byte + 16) {
            Some(w) => u128::from_le_bytes(w.try_into().unwrap_or_default()),
            None => {
                let mut w = [0u8; 16];
                let rest = self.bytes.get(byte..).unwrap_or_default();
                let n = rest.len().min(16);
                w[..n].copy_from_slice(&rest[..n]);
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
    }
}
