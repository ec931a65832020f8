//! Bits, the highest first, and numbers of few bits. Pure.

use super::ChunkError;

#[derive(Debug, Default)]
pub(crate) struct BitWriter {
    out: Vec<u8>,
    /// Bits of the last byte that are free.
    free: u32,
}

impl BitWriter {
    /// Begins after whole bytes.
    pub(crate) fn after(out: Vec<u8>) -> Self {
        Self { out, free: 0 }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// The lowest `count` bits, at most 64.
    pub(crate) fn bits(&mut self, value: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
                self.out.push(0);
                self.free = 8;
            }
            let take = left.min(self.free);
            let part = (value >> (left - take)) & ((1 << take) - 1);
            if let Some(last) = self.out.last_mut() {
                *last |= (part << (self.free - take)) as u8;
            }
            self.free -= take;
            left -= take;
        }
    }

    /// A signed number as Prometheus's `varbit` codes it.
    pub(crate) fn signed(&mut self, v: i64) {
        if v == 0 {
            return self.bits(0, 1);
        }
        for (ones, size) in VARBITS {
            if fits(v, size) {
                self.bits((1 << (ones + 1)) - 2, ones + 1);
                return self.bits(v as u64, size);
            }
        }
        self.long(v as u64, fits(v, 56));
    }

    /// An unsigned number of the same sizes.
    pub(crate) fn unsigned(&mut self, v: u64) {
        if v == 0 {
            return self.bits(0, 1);
        }
        for (ones, size) in VARBITS {
            if v < 1 << size {
                self.bits((1 << (ones + 1)) - 2, ones + 1);
                return self.bits(v, size);
            }
        }
        self.long(v, v < 1 << 56);
    }

    fn long(&mut self, v: u64, short: bool) {
        self.bits(if short { 0xfe } else { 0xff }, 8);
        self.bits(v, if short { 56 } else { 64 });
    }
}

/// Leading ones before a zero, and bits of the number; then 7 and 56, and eight ones without a zero and 64.
const VARBITS: [(u32, u32); 6] = [(1, 3), (2, 6), (3, 9), (4, 12), (5, 18), (6, 25)];

/// Whether a number lies in `(-2^(size - 1), 2^(size - 1)]`.
pub(crate) const fn fits(v: i64, size: u32) -> bool {
    -((1 << (size - 1)) - 1) <= v && v <= 1 << (size - 1)
}

/// The number that so many bits stand for.
pub(crate) const fn extended(bits: u64, size: u32) -> i64 {
    if size < 64 && bits > 1 << (size - 1) { bits.wrapping_sub(1 << size) as i64 } else { bits as i64 }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bits that are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }

    pub(crate) fn bits(&mut self, count: u32) -> Result<u64, ChunkError> {
        if self.left() < count as usize {
            return Err(ChunkError::Truncated);
        }
        let (mut value, mut left) = (0u64, count);
        while left > 0 {
            let byte = self.bytes.get(self.at / 8).copied().unwrap_or_default();
            let free = 8 - (self.at % 8) as u32;
            let take = left.min(free);
            let part = (u64::from(byte) >> (free - take)) & ((1 << take) - 1);
            value = value << take | part;
            self.at += take as usize;
            left -= take;
        }
        Ok(value)
    }

    pub(crate) fn bit(&mut self) -> Result<bool, ChunkError> {
        self.bits(1).map(|bit| bit == 1)
    }

    pub(crate) fn float(&mut self) -> Result<f64, ChunkError> {
        self.bits(64).map(f64::from_bits)
    }

    /// A varint in whole bytes, wherever they begin.
    pub(crate) fn uvarint(&mut self) -> Result<u64, ChunkError> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.bits(8)?;
            value |= if shift < 64 { (byte & 0x7f) << shift } else { 0 };
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(ChunkError::Truncated)
    }

    /// Ones before a zero, at most 8.
    fn ones(&mut self) -> Result<u32, ChunkError> {
        let mut ones = 0;
        while ones < 8 && self.bit()? {
            ones += 1;
        }
        Ok(ones)
    }

    fn size(&mut self) -> Result<u32, ChunkError> {
        Ok(match self.ones()? {
            0 => 0,
            7 => 56,
            8 => 64,
            ones => VARBITS.get(ones as usize - 1).map_or(64, |(_, size)| *size),
        })
    }

    pub(crate) fn signed(&mut self) -> Result<i64, ChunkError> {
        match self.size()? {
            0 => Ok(0),
            size => self.bits(size).map(|bits| extended(bits, size)),
        }
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, ChunkError> {
        match self.size()? {
            0 => Ok(0),
            size => self.bits(size),
        }
    }
}
