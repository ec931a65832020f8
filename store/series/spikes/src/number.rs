//! Numbers of an exposition, read exactly. Pure.
//!
//! Fast path (Clinger): at most 2^53 times or divided by an exact power of ten is one correctly rounded operation.
//! Everything else goes to the standard library, so the result is always the same bits.

/// Powers of ten that an `f64` holds exactly.
pub const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

#[inline(always)]
const fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b' ' | b'\r' | b'\t')
}

#[inline(always)]
fn digit(bytes: &[u8], at: usize) -> Option<u64> {
    let d = bytes.get(at)?.wrapping_sub(b'0');
    (d < 10).then_some(u64::from(d))
}

/// The number at the start of `bytes` and its length in bytes; it ends before a blank or the end of the line.
#[inline]
pub fn read(bytes: &[u8]) -> Option<(f64, usize)> {
    fast(bytes).or_else(|| slow(bytes))
}

#[inline]
fn fast(bytes: &[u8]) -> Option<(f64, usize)> {
    let negative = bytes.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let start = at;
    let mut mantissa = 0u64;
    while let Some(d) = digit(bytes, at) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(d);
        at += 1;
    }
    let mut digits = at - start;
    let mut exponent = 0i32;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let fraction = at;
        while let Some(d) = digit(bytes, at) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(d);
            at += 1;
        }
        digits += at - fraction;
        exponent = -((at - fraction) as i32);
    }
    if digits == 0 || digits > 19 {
        return None;
    }
    if bytes.get(at).is_some_and(|b| b | 0x20 == b'e') {
        at += 1;
        let down = match bytes.get(at) {
            Some(b'-') => true,
            Some(b'+') => false,
            _ => {
                at -= 1;
                false
            }
        };
        at += 1;
        let (first, mut e) = (at, 0i32);
        while let Some(d) = digit(bytes, at) {
            e = e * 10 + d as i32;
            at += 1;
            if at - first > 4 {
                return None;
            }
        }
        if at == first {
            return None;
        }
        exponent += if down { -e } else { e };
    }
    if bytes.get(at).is_some_and(|b| !is_end(*b)) || mantissa > 1 << 53 || !(-22..=22).contains(&exponent) {
        return None;
    }
    let value = mantissa as f64;
    let value = if exponent < 0 { value / POWERS[-exponent as usize] } else { value * POWERS[exponent as usize] };
    Some((if negative { -value } else { value }, at))
}

#[cold]
fn slow(bytes: &[u8]) -> Option<(f64, usize)> {
    let length = bytes.iter().position(|b| is_end(*b)).unwrap_or(bytes.len());
    let word = std::str::from_utf8(&bytes[..length]).ok()?;
    Some((word.parse().ok()?, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) {
        let want = text.parse::<f64>().ok().map(f64::to_bits);
        let have = read(format!("{text}\nnext").as_bytes());
        assert_eq!(have.map(|h| h.0.to_bits()), want, "{text}");
        if let Some((_, n)) = have {
            assert_eq!(n, text.len(), "{text}");
        }
    }

    #[test]
    fn the_same_bits_as_the_standard_library() {
        for text in [
            "0",
            "-0",
            "1",
            "-1",
            "12.5",
            "1.450041e+06",
            "2.955e-06",
            "9007199254740993",
            "9007199254740992",
            "NaN",
            "+Inf",
            "-Inf",
            "1e22",
            "1e23",
            "1e-22",
            "1e-23",
            "5e-324",
            "1.7976931348623157e308",
            "1e400",
            ".5",
            "5.",
            ".",
            "",
            "e5",
            "1e",
            "1e+",
            "--1",
            "+1",
            "0x10",
            "1_0",
            "123456789012345678901234567890",
            "00000000000000000000001",
            "1e99999",
            "0.000290936",
            "-0.0",
            "1x",
        ] {
            check(text);
        }
    }

    proptest! {
        #[test]
        fn any_value(bits in any::<u64>()) {
            let v = f64::from_bits(bits);
            if !v.is_nan() {
                check(&format!("{v}"));
                check(&format!("{v:e}"));
            }
        }

        #[test]
        fn any_decimal(m in any::<i64>(), cut in 0u32..63, e in -30i32..30, point in 0usize..18) {
            let m = m >> cut;
            check(&format!("{m}e{e}"));
            let mut text = format!("{:020}", m.unsigned_abs());
            text.insert(text.len() - point, '.');
            check(text.trim_start_matches('0'));
            check(&text);
        }

        #[test]
        fn any_text(text in "[-+0-9.eE]{0,12}") {
            check(&text);
        }
    }
}
