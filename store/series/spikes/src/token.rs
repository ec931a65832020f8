//! Tokens: how a value that changed follows the one before it, in the log, in open rows and in sealed pages. Pure.

use crate::bits::{decimal, mantissa, put_varint, undecimal, unzigzag, varint, zigzag};

/// Prometheus's staleness marker stands for "not there".
pub const STALE: u64 = 0x7ff0_0000_0000_0002;
/// Scale of a series whose last value is no decimal.
pub(crate) const RAW: u8 = 0xff;
// An even token is a decimal's difference in the series' scale; odd ones:
const SCALED: u64 = 1;
const XORED: u64 = 3;
const GONE: u64 = 5;

/// Writes the value that follows `last`; returns the series' scale from now on.
#[inline]
pub fn put_token(out: &mut Vec<u8>, last: u64, scale: u8, value: u64) -> u8 {
    if scale != RAW
        && let Some(m) = mantissa(f64::from_bits(value), scale)
        && let Some(before) = mantissa(f64::from_bits(last), scale)
    {
        put_varint(out, zigzag(m - before) << 1);
        return scale;
    }
    put_other(out, last, value)
}

fn put_other(out: &mut Vec<u8>, last: u64, value: u64) -> u8 {
    if value == STALE {
        put_varint(out, GONE);
        return RAW;
    }
    if let Some((m, scale)) = decimal(f64::from_bits(value)) {
        put_scaled(out, m, scale);
        return scale;
    }
    put_varint(out, XORED);
    let xor = last ^ value;
    let (tail, head) = (xor.trailing_zeros().min(63) / 8, xor.leading_zeros().min(63) / 8);
    let n = 8 - head.min(8 - tail) - tail;
    out.push((tail << 4 | n) as u8);
    out.extend_from_slice(&(xor >> (tail * 8)).to_le_bytes()[..n as usize]);
    RAW
}

fn put_scaled(out: &mut Vec<u8>, m: i64, scale: u8) {
    put_varint(out, SCALED);
    out.push(scale);
    put_varint(out, zigzag(m));
}

/// Writes a value that depends on nothing before it.
pub(crate) fn put_absolute(out: &mut Vec<u8>, value: u64, scale: u8) {
    match mantissa(f64::from_bits(value), if scale == RAW { 0 } else { scale }) {
        Some(m) if scale != RAW => put_scaled(out, m, scale),
        _ => drop(put_other(out, 0, value)),
    }
}

/// The value and scale that a token gives.
#[inline]
pub fn token(bytes: &[u8], at: &mut usize, last: u64, scale: u8) -> Option<(u64, u8)> {
    let n = varint(bytes, at)?;
    if n & 1 == 0 {
        let before = mantissa(f64::from_bits(last), if scale == RAW { return None } else { scale })?;
        return Some((undecimal(before.checked_add(unzigzag(n >> 1))?, scale).to_bits(), scale));
    }
    match n {
        SCALED => {
            let scale = *bytes.get(*at).filter(|s| **s <= 22)?;
            *at += 1;
            Some((undecimal(unzigzag(varint(bytes, at)?), scale).to_bits(), scale))
        }
        XORED => {
            let head = *bytes.get(*at)?;
            let (tail, n) = (u32::from(head >> 4), usize::from(head & 15));
            let mut word = [0; 8];
            word.get_mut(..n)?.copy_from_slice(bytes.get(*at + 1..*at + 1 + n)?);
            *at += 1 + n;
            Some((last ^ u64::from_le_bytes(word).checked_shl(tail * 8)?, RAW))
        }
        GONE => Some((STALE, RAW)),
        _ => None,
    }
}
