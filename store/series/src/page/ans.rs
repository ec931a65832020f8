//! Symbols by their frequencies, and raw bits of each, in one stream (range variant of asymmetric numeral systems, arXiv
//! 1311.2540, section 2.3). Pure.
//!
//! The state is 32 bits, taken up 16 bits at a time. Written backwards, read forwards.

use super::shape::TABLE_BITS;
use crate::bits::BitWriter;

/// States below this take up 16 bits.
const LOW: u32 = 1 << 16;
const MASK: u32 = (1 << TABLE_BITS) - 1;
/// Raw bits that are read together with what the state takes up: 8 bytes hold them behind up to 7 bits of others.
const TOGETHER: u32 = 57 - 16;

/// A symbol with its raw bits: at most 64, in one or two parts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sign {
    pub(super) symbol: u8,
    pub(super) raw: u64,
    pub(super) width: u8,
    /// An escape's width stands before its bits.
    pub(super) escape: bool,
}

/// Writes symbols, all with a frequency above 0.
pub(super) fn put(w: &mut BitWriter, signs: &[Sign], frequencies: &[u32]) {
    let starts = starts(frequencies);
    let mut words: Vec<Option<u16>> = vec![None; signs.len()];
    let mut state = LOW;
    for (sign, word) in signs.iter().zip(&mut words).rev() {
        let (f, start) = (frequencies[usize::from(sign.symbol)], starts[usize::from(sign.symbol)]);
        if u64::from(state) >= u64::from(f) << (32 - TABLE_BITS) {
            *word = Some(state as u16);
            state >>= 16;
        }
        state = ((state / f) << TABLE_BITS) + state % f + start;
    }
    w.put(u64::from(state), 32);
    for (sign, word) in signs.iter().zip(words) {
        if let Some(word) = word {
            w.put(u64::from(word), 16);
        }
        if sign.escape {
            w.put(u64::from(sign.width) - 1, 6);
        }
        w.put(sign.raw, u32::from(sign.width));
    }
}

fn starts(frequencies: &[u32]) -> Vec<u32> {
    let mut at = 0;
    frequencies
        .iter()
        .map(|f| {
            at += f;
            at - f
        })
        .collect()
}

/// The symbol of a slot in the low 8 bits, its frequency less 1 in the next 12, distance from its start above.
fn entry(symbol: u32, f: u32, offset: u32) -> u32 {
    symbol | (f - 1) << 8 | offset << 20
}

/// The entries of all slots.
pub(super) fn table(frequencies: &[u32]) -> [u32; 1 << TABLE_BITS] {
    let mut table = [0; 1 << TABLE_BITS];
    let mut rest = &mut table[..];
    for (symbol, f) in (0u32..).zip(frequencies) {
        let (own, others) = rest.split_at_mut((*f as usize).min(rest.len()));
        own.iter_mut().zip(0u32..).for_each(|(slot, offset)| *slot = entry(symbol, *f, offset));
        rest = others;
    }
    table
}

/// Finds entries among the starts of symbols: for few symbols that costs less than a table.
pub(super) struct Search {
    /// Symbol, start and frequency, of those above 0.
    symbols: Vec<(u32, u32, u32)>,
}

impl Search {
    pub(super) fn new(frequencies: &[u32]) -> Self {
        let all = (0u32..).zip(starts(frequencies)).zip(frequencies);
        Self { symbols: all.filter(|(_, f)| **f > 0).map(|((symbol, start), f)| (symbol, start, *f)).collect() }
    }

    pub(super) fn entry(&self, slot: u32) -> u32 {
        let behind = self.symbols.partition_point(|(_, start, _)| *start <= slot);
        let found = behind.checked_sub(1).and_then(|at| self.symbols.get(at));
        found.map_or(0, |(symbol, start, f)| entry(*symbol, *f, slot - start))
    }
}

/// Reads symbols.
pub(super) struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    state: u32,
}

impl<'b> Reader<'b> {
    /// From this bit of these bytes on.
    pub(super) fn new(bytes: &'b [u8], at: usize) -> Self {
        let mut out = Self { bytes, at, state: 0 };
        out.state = out.get(32) as u32;
        out
    }

    /// The bits from here on, some 57 of them; zeros behind the end.
    #[inline]
    fn word(&self) -> u64 {
        let byte = self.at / 8;
        let word = match self.bytes.get(byte..byte + 8) {
            Some(all) => u64::from_le_bytes(all.try_into().unwrap_or_default()),
            None => self.last(byte),
        };
        word >> (self.at % 8)
    }

    /// The last bytes, fewer than 8.
    #[cold]
    fn last(&self, byte: usize) -> u64 {
        let rest = self.bytes.get(byte..).unwrap_or_default();
        rest.iter().take(8).rev().fold(0, |word, b| word << 8 | u64::from(*b))
    }

    /// The next bits, at most 64.
    pub(super) fn get(&mut self, n: u32) -> u64 {
        if n > 32 {
            let low = self.get(32);
            return low | self.get(n - 32) << 32;
        }
        let bits = self.word() & ((1u64 << n) - 1);
        self.at += n as usize;
        bits
    }

    /// The next symbol, without raw bits.
    #[inline]
    fn symbol(&mut self, entry: impl Fn(u32) -> u32) -> u32 {
        let entry = entry(self.state & MASK);
        self.state = ((entry >> 8 & 0xfff) + 1).wrapping_mul(self.state >> TABLE_BITS).wrapping_add(entry >> 20);
        entry & 0xff
    }

    /// Reads a symbol for each place by the entries of slots, each with `width` raw bits, but for those from `special` on, which `other` reads the
    /// rest of; `then` makes what is put there of it.
    #[inline]
    pub(super) fn read<'o>(
        &mut self,
        entry: impl Fn(u32) -> u32,
        places: impl Iterator<Item = &'o mut i64>,
        (width, special): (u32, u32),
        of: impl Fn(u32, u64) -> i64,
        mut other: impl FnMut(&mut Self, u32) -> Option<i64>,
        mut then: impl FnMut(i64) -> i64,
    ) -> Option<()> {
        let together = width <= TOGETHER;
        let mask = if together { (1u64 << width) - 1 } else { 0 };
        for place in places {
            let symbol = self.symbol(&entry);
            let taken = u32::from(self.state < LOW) * 16;
            let word = self.word();
            self.state = self.state << taken | (word & ((1u64 << taken) - 1)) as u32;
            self.at += taken as usize;
            let found = if symbol >= special {
                other(self, symbol)?
            } else if together {
                self.at += width as usize;
                of(symbol, word >> taken & mask)
            } else {
                let raw = self.get(width);
                of(symbol, raw)
            };
            *place = then(found);
        }
        Some(())
    }
}
