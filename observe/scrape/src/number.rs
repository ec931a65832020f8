//! Numbers of an exposition, read exactly and as Go reads them. Pure.
//!
//! Fast path (Clinger, 1990): an integer of at most 2^53 times, or divided by, an exact power of ten is one correctly rounded
//! operation. Everything else goes to the standard library, so the bits are always the same.

/// Prometheus's bits of a NaN that is a value (staleness has others).
pub(crate) const NORMAL_NAN_BITS: u64 = 0x7ff8_0000_0000_0001;

/// Powers of ten that an `f64` holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

#[inline(always)]
const fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b' ' | b'\t')
}

#[inline(always)]
fn digit(bytes: &[u8], at: usize) -> Option<u64> {
    let d = bytes.get(at)?.wrapping_sub(b'0');
    (d < 10).then_some(u64::from(d))
}

/// The number at the start of `bytes` and its length in bytes; it ends before a blank, the end of the line or of the text.
#[inline]
pub(crate) fn read(bytes: &[u8]) -> Option<(f64, usize)> {
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
        let (more, end) = power(bytes, at + 1)?;
        exponent += more;
        at = end;
    }
    if bytes.get(at).is_some_and(|b| !is_end(*b)) || mantissa > 1 << 53 || !(-22..=22).contains(&exponent) {
        return None;
    }
    let value = mantissa as f64;
    let value = if exponent < 0 { value / POWERS[-exponent as usize] } else { value * POWERS[exponent as usize] };
    Some((if negative { -value } else { value }, at))
}

/// The exponent's digits with their sign, and where they end.
#[inline]
fn power(bytes: &[u8], start: usize) -> Option<(i32, usize)> {
    let down = bytes.get(start) == Some(&b'-');
    let first = start + usize::from(matches!(bytes.get(start), Some(b'-' | b'+')));
    let (mut at, mut power) = (first, 0i32);
    while let Some(d) = digit(bytes, at) {
        power = power * 10 + d as i32;
        at += 1;
        if at - first > 4 {
            return None;
        }
    }
    (at > first).then_some((if down { -power } else { power }, at))
}

#[cold]
fn slow(bytes: &[u8]) -> Option<(f64, usize)> {
    let length = bytes.iter().position(|b| is_end(*b)).unwrap_or(bytes.len());
    let word = std::str::from_utf8(&bytes[..length]).ok()?;
    Some((parse(word)?, length))
}

/// A whole text as a number, by the rules of Go's `strconv.ParseFloat` without hexadecimals and underscores: too large
/// is no number, and neither is a NaN with a sign.
pub(crate) fn parse(word: &str) -> Option<f64> {
    let value: f64 = word.parse().ok()?;
    let plain = word.bytes().any(|b| b.is_ascii_digit());
    match value {
        v if v.is_nan() => (!word.starts_with(['+', '-'])).then(|| f64::from_bits(NORMAL_NAN_BITS)),
        v if v.is_infinite() && plain => None,
        v => Some(v),
    }
}

/// A number as OpenMetrics writes it in `le` and `quantile`: the shortest that reads back, with a point or an exponent.
pub(crate) fn canonical(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = go_general(value);
    if text.contains(['e', '.']) { text } else { text + ".0" }
}

/// Go's `%g` with the shortest digits: exponents below -4 and from 6 on are written out.
fn go_general(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) {
        let want = text.parse::<f64>().ok().filter(|v| v.is_finite()).map(f64::to_bits);
        let have = read(format!("{text}\nnext").as_bytes());
        assert_eq!(have.map(|h| h.0.to_bits()), want, "{text}");
        if let Some((_, n)) = have {
            assert_eq!(n, text.len(), "{text}");
        }
    }

    #[test]
    fn the_same_bits_as_the_standard_library() {
        let numbers = "0 -0 1 -1 12.5 1.450041e+06 2.955e-06 9007199254740993 9007199254740992 1e22 1e23 1e-22 1e-23 5e-324 \
            1.7976931348623157e308 1e400 .5 5. . e5 1e 1e+ --1 +1 0x10 1_0 123456789012345678901234567890 \
            00000000000000000000001 1e99999 0.000290936 -0.0 1x";
        numbers.split(' ').for_each(check);
        check("");
    }

    #[test]
    fn words_as_go_takes_them() {
        let is = |text: &str| read(text.as_bytes()).map(|(v, _)| v);
        for text in ["+Inf", "Inf", "inf", "+infinity"] {
            assert_eq!(is(text), Some(f64::INFINITY), "{text}");
        }
        assert_eq!(is("-Inf"), Some(f64::NEG_INFINITY));
        assert_eq!(is("nan").map(f64::to_bits), Some(NORMAL_NAN_BITS));
        assert_eq!((is("-NaN"), is("+nan"), is("1e400"), is("infi")), (None, None, None, None));
    }

    #[test]
    fn canonical_as_openmetrics_writes_it() {
        let cases = [
            (1.0, "1.0"),
            (0.0, "0.0"),
            (-1.0, "-1.0"),
            (0.25, "0.25"),
            (f64::INFINITY, "+Inf"),
            (1e21, "1e+21"),
            (123_456_789.0, "1.23456789e+08"),
            (123_456.789, "123456.789"),
            (100_000.0, "100000.0"),
            (1e6, "1e+06"),
            (-0.0, "0.0"),
            (0.00001, "1e-05"),
            (0.0001, "0.0001"),
            (1.5e-7, "1.5e-07"),
            (1e100, "1e+100"),
        ];
        for (value, text) in cases {
            assert_eq!(canonical(value), text);
        }
    }

    proptest! {
        #[test]
        fn any_value(bits in any::<u64>()) {
            let v = f64::from_bits(bits);
            if !v.is_nan() {
                check(&format!("{v}"));
                check(&format!("{v:e}"));
                prop_assert_eq!(parse(&canonical(v)), Some(v));
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
