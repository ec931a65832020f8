//! Chunks of numbers. Pure.

use super::bits::{BitReader, BitWriter, extended, fits};
use super::{ChunkError, SAMPLES};
use crate::wire::to_zigzag;

/// A number as the bits that differ from the one before it (Gorilla, <https://www.vldb.org/pvldb/vol8/p1816-teller.pdf>).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Xor {
    pub(crate) value: f64,
    /// Zeros before and behind the bits that differ; none are known before the first number that differs.
    window: Option<(u32, u32)>,
}

impl Xor {
    pub(crate) fn new(value: f64) -> Self {
        Self { value, window: None }
    }

    pub(crate) fn write(&mut self, w: &mut BitWriter, value: f64) {
        let delta = value.to_bits() ^ self.value.to_bits();
        self.value = value;
        if delta == 0 {
            return w.bits(0, 1);
        }
        // Five bits hold the leading zeros.
        let (leading, trailing) = (delta.leading_zeros().min(31), delta.trailing_zeros());
        match self.window {
            Some((before, behind)) if leading >= before && trailing >= behind => {
                w.bits(0b10, 2);
                w.bits(delta >> behind, 64 - before - behind);
            }
            _ => {
                self.window = Some((leading, trailing));
                let count = 64 - leading - trailing;
                w.bits(0b11, 2);
                w.bits(u64::from(leading), 5);
                // 64 does not fit into six bits and stands as 0, which is not needed otherwise.
                w.bits(u64::from(count & 63), 6);
                w.bits(delta >> trailing, count);
            }
        }
    }

    pub(crate) fn read(&mut self, r: &mut BitReader<'_>) -> Result<(), ChunkError> {
        if !r.bit()? {
            return Ok(());
        }
        if r.bit()? {
            let leading = r.bits(5)? as u32;
            let count = match r.bits(6)? as u32 {
                0 => 64,
                count => count,
            };
            let trailing = 64u32.checked_sub(leading + count).ok_or(ChunkError::Truncated)?;
            self.window = Some((leading, trailing));
        }
        let (leading, trailing) = self.window.unwrap_or((0, 0));
        let delta = r.bits(64 - leading - trailing)? << trailing;
        self.value = f64::from_bits(self.value.to_bits() ^ delta);
        Ok(())
    }
}

/// A chunk of at most [`SAMPLES`] samples, their times rising.
pub(crate) fn write_xor(samples: &[(i64, f64)]) -> Vec<u8> {
    let samples = samples.get(..SAMPLES).unwrap_or(samples);
    let mut w = BitWriter::after((samples.len() as u16).to_be_bytes().to_vec());
    let mut value = Xor::new(0.0);
    let (mut last_t, mut last_delta) = (0i64, 0i64);
    for (at, (t, v)) in samples.iter().enumerate() {
        let delta = t.wrapping_sub(last_t);
        match at {
            0 => {
                varint(&mut w, to_zigzag(*t));
                w.bits(v.to_bits(), 64);
                value = Xor::new(*v);
            }
            1 => {
                varint(&mut w, delta as u64);
                value.write(&mut w, *v);
            }
            _ => {
                write_dod(&mut w, delta.wrapping_sub(last_delta));
                value.write(&mut w, *v);
            }
        }
        (last_t, last_delta) = (*t, delta);
    }
    w.finish()
}

fn varint(w: &mut BitWriter, mut v: u64) {
    while v >= 0x80 {
        w.bits(v & 0x7f | 0x80, 8);
        v >>= 7;
    }
    w.bits(v, 8);
}

/// Leading ones before a zero, and bits of the difference of differences; then four ones without a zero and 64.
const DODS: [(u32, u32); 3] = [(1, 14), (2, 17), (3, 20)];

fn write_dod(w: &mut BitWriter, dod: i64) {
    if dod == 0 {
        return w.bits(0, 1);
    }
    for (ones, size) in DODS {
        if fits(dod, size) {
            w.bits((1 << (ones + 1)) - 2, ones + 1);
            return w.bits(dod as u64, size);
        }
    }
    w.bits(0b1111, 4);
    w.bits(dod as u64, 64);
}

fn read_dod(r: &mut BitReader<'_>) -> Result<i64, ChunkError> {
    let mut ones = 0;
    while ones < 4 && r.bit()? {
        ones += 1;
    }
    let size = match ones {
        0 => return Ok(0),
        4 => 64,
        ones => DODS.get(ones - 1).map_or(64, |(_, size)| *size),
    };
    r.bits(size).map(|bits| extended(bits, size))
}

/// The samples of a chunk.
pub(crate) fn read_xor(bytes: &[u8]) -> Result<Vec<(i64, f64)>, ChunkError> {
    let mut r = BitReader::new(bytes);
    let count = r.bits(16)? as usize;
    // Each sample but the first takes two bits at least.
    let mut out = Vec::with_capacity(count.min(r.left() / 2 + 1));
    let mut value = Xor::new(0.0);
    let (mut t, mut delta) = (0i64, 0i64);
    for at in 0..count {
        match at {
            0 => {
                t = crate::wire::zigzag(r.uvarint()?);
                value = Xor::new(r.float()?);
            }
            1 => {
                delta = r.uvarint()? as i64;
                t = t.wrapping_add(delta);
                value.read(&mut r)?;
            }
            _ => {
                delta = delta.wrapping_add(read_dod(&mut r)?);
                t = t.wrapping_add(delta);
                value.read(&mut r)?;
            }
        }
        out.push((t, value.value));
    }
    Ok(out)
}
