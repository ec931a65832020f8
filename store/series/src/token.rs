//! Tokens: how a value that changed follows the one before it, in the log and in open rows. Pure.

use crate::codec::{Cursor, put_varint, unzigzag, zigzag};
use crate::decimal::{SCALE_MAX, decimal, mantissa, undecimal};

/// Scale of a series whose last value is no decimal.
pub(crate) const RAW: u8 = 0xff;
// An even token is a decimal's difference in the series' scale; odd ones:
pub(crate) const SCALED: u64 = 1;
pub(crate) const XORED: u64 = 3;
const ABSENT: u64 = 5;

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A value's bits and the series' scale from now on.
    Value(u64, u8),
    /// No value in this row.
    Absent,
}

/// Writes the value that follows `last`; returns the series' scale from now on.
#[inline]
pub(crate) fn put_token(out: &mut Vec<u8>, last: u64, scale: u8, value: u64) -> u8 {
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
    if let Some((m, scale)) = decimal(f64::from_bits(value)) {
        put_scaled(out, m, scale);
        return scale;
    }
    put_xored(out, last ^ value);
    RAW
}

/// Writes which bits differ from those of the value before.
pub(crate) fn put_xored(out: &mut Vec<u8>, xor: u64) {
    put_varint(out, XORED);
    let (tail, head) = (xor.trailing_zeros().min(63) / 8, xor.leading_zeros().min(63) / 8);
    let n = 8 - head.min(8 - tail) - tail;
    out.push((tail << 4 | n) as u8);
    out.extend_from_slice(&(xor >> (tail * 8)).to_le_bytes()[..n as usize]);
}

fn put_scaled(out: &mut Vec<u8>, m: i64, scale: u8) {
    put_varint(out, SCALED);
    out.push(scale);
    put_varint(out, zigzag(m));
}

/// Writes a value that depends on nothing before it; returns the series' scale from now on.
pub(crate) fn put_absolute(out: &mut Vec<u8>, value: u64, scale: u8) -> u8 {
    match mantissa(f64::from_bits(value), if scale == RAW { 0 } else { scale }) {
        Some(m) if scale != RAW => {
            put_scaled(out, m, scale);
            scale
        }
        _ => put_other(out, 0, value),
    }
}

/// Writes that there is no value.
pub(crate) fn put_absent(out: &mut Vec<u8>) {
    put_varint(out, ABSENT);
}

/// Reads a token whose bits stand apart, and puts it together again.
pub(crate) fn join_bits(tokens: &mut Cursor<'_>, raw: &mut Cursor<'_>, out: &mut Vec<u8>) -> Option<()> {
    let before = tokens.rest();
    let kind = tokens.varint()?;
    out.clear();
    if kind == XORED {
        let head = tokens.byte()?;
        out.extend_from_slice(&[XORED as u8, head]);
        out.extend_from_slice(raw.take(usize::from(head & 15))?);
        return Some(());
    }
    if kind == SCALED {
        tokens.byte()?;
        tokens.varint()?;
    }
    out.extend_from_slice(&before[..before.len() - tokens.rest().len()]);
    Some(())
}

/// Reads a token that follows a value and scale.
#[inline]
pub(crate) fn token(cursor: &mut Cursor<'_>, last: u64, scale: u8) -> Option<Token> {
    let n = cursor.varint()?;
    if n & 1 == 0 {
        let before = mantissa(f64::from_bits(last), if scale == RAW { return None } else { scale })?;
        let value = undecimal(before.checked_add(unzigzag(n >> 1))?, scale);
        return Some(Token::Value(value.to_bits(), scale));
    }
    match n {
        SCALED => {
            let scale = cursor.byte().filter(|s| *s <= SCALE_MAX)?;
            Some(Token::Value(undecimal(unzigzag(cursor.varint()?), scale).to_bits(), scale))
        }
        XORED => {
            let head = cursor.byte()?;
            let (tail, n) = (u32::from(head >> 4), usize::from(head & 15));
            let mut word = [0; 8];
            word.get_mut(..n)?.copy_from_slice(cursor.take(n)?);
            Some(Token::Value(last ^ u64::from_le_bytes(word).checked_shl(tail * 8)?, RAW))
        }
        ABSENT => Some(Token::Absent),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = u64> {
        prop_oneof![
            (-50i64..50).prop_map(|m| (m as f64).to_bits()),
            (-5000i64..5000, 0u8..6).prop_map(|(m, s)| undecimal(m, s).to_bits()),
            any::<u64>(),
            Just((-0.0f64).to_bits()),
        ]
    }

    proptest! {
        #[test]
        fn values_come_back_bit_for_bit(all in prop::collection::vec(prop::option::of(value()), 1..50)) {
            let mut out = Vec::new();
            let (mut last, mut scale) = (0, RAW);
            for v in &all {
                match v {
                    None => put_absent(&mut out),
                    Some(v) => { scale = put_token(&mut out, last, scale, *v); last = *v; }
                }
            }
            let mut cursor = Cursor::new(&out);
            let (mut last, mut scale) = (0, RAW);
            for v in &all {
                match (v, token(&mut cursor, last, scale).unwrap()) {
                    (None, Token::Absent) => {}
                    (Some(v), Token::Value(bits, s)) => { prop_assert_eq!(*v, bits); (last, scale) = (bits, s); }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert!(cursor.rest().is_empty());
        }

        #[test]
        fn absolute_ones_need_nothing(v in value(), hint in prop_oneof![Just(RAW), 0u8..=22], before in any::<u64>()) {
            let mut out = Vec::new();
            let scale = put_absolute(&mut out, v, hint);
            let expected = Some(Token::Value(v, scale));
            prop_assert_eq!(token(&mut Cursor::new(&out), 0, RAW), expected);
            let _ = before;
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), last in any::<u64>(), scale in any::<u8>()) {
            let mut cursor = Cursor::new(&bytes);
            while token(&mut cursor, last, if scale > SCALE_MAX { RAW } else { scale }).is_some() {}
        }
    }
}
