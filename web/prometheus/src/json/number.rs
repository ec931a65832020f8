//! Numbers as Go's `strconv.FormatFloat` writes them with the shortest digits that read back the same. Pure.

/// When a number is written with an exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exponent {
    /// Never: Go's `'f'`. Scalars are written so.
    Never,
    /// Below 10^-6 and from 10^21 on, as JavaScript does it. Vectors and matrices are written so.
    Far,
    /// Always: Go's `'e'`. Values of alerts are written so.
    Always,
    /// Below 10^-4 and from 10^6 on: Go's `'g'`. Text formats of metrics are written so.
    Short,
}

/// Adds a number.
pub(crate) fn push_number(out: &mut Vec<u8>, value: f64, exponent: Exponent) {
    if !value.is_finite() {
        let word: &[u8] = match value {
            v if v.is_nan() => b"NaN",
            v if v > 0.0 => b"+Inf",
            _ => b"-Inf",
        };
        out.extend_from_slice(word);
        return;
    }
    if exponent == Exponent::Far && push_whole(out, value) {
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value.abs());
    let decimal = Decimal::read(text.as_bytes());
    if decimal.is_scientific(exponent) { decimal.push_scientific(out) } else { decimal.push_plain(out) }
}

/// Adds a whole number that a 64-bit integer holds exactly; most of what is measured is one. Says whether it did.
fn push_whole(out: &mut Vec<u8>, value: f64) -> bool {
    /// Up to here every whole number is a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let whole = value as i64;
    if whole as f64 != value || value.abs() > EXACT || (whole == 0 && value.is_sign_negative()) {
        return false;
    }
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    true
}

/// Most digits that the shortest form of a float has.
const DIGITS: usize = 17;

/// The shortest digits of a number, `0.d1d2d3… × 10^point`; no zeros at the end.
struct Decimal {
    digits: [u8; DIGITS],
    len: usize,
    point: i32,
}

impl Decimal {
    /// From any decimal form of a number that is not negative: `123.45`, `1.5e-7`, `0.00012`.
    fn read(text: &[u8]) -> Self {
        let mut decimal = Self { digits: [0; DIGITS], len: 0, point: 0 };
        let (mut before_point, mut leading, mut exponent) = (true, true, 0i32);
        for (i, byte) in text.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    leading &= *byte == b'0';
                    match (leading, before_point) {
                        (true, true) => {}
                        (true, false) => decimal.point -= 1,
                        (false, _) => {
                            decimal.point += i32::from(before_point);
                            // Zeros that close a long whole number find no room, and need none.
                            if let Some(slot) = decimal.digits.get_mut(decimal.len) {
                                *slot = *byte;
                                decimal.len += 1;
                            }
                        }
                    }
                }
                b'.' => before_point = false,
                _ => {
                    exponent = signed(&text[i + 1..]);
                    break;
                }
            }
        }
        while decimal.len > 0 && decimal.digits[decimal.len - 1] == b'0' {
            decimal.len -= 1;
        }
        decimal.point = if decimal.len == 0 { 1 } else { decimal.point + exponent };
        decimal
    }

    /// The digits; of zero one.
    fn digits(&self) -> &[u8] {
        if self.len == 0 { b"0" } else { &self.digits[..self.len] }
    }

    fn is_scientific(&self, exponent: Exponent) -> bool {
        let power = self.point - 1;
        match exponent {
            Exponent::Never => false,
            Exponent::Always => true,
            Exponent::Far => self.len > 0 && !(-6..21).contains(&power),
            Exponent::Short => !(-4..6).contains(&power),
        }
    }

    fn push_plain(&self, out: &mut Vec<u8>) {
        let (digits, zeros) = (self.digits(), |out: &mut Vec<u8>, n: usize| out.resize(out.len() + n, b'0'));
        match usize::try_from(self.point) {
            Ok(point) if point > 0 => {
                out.extend_from_slice(&digits[..point.min(digits.len())]);
                zeros(out, point.saturating_sub(digits.len()));
                if digits.len() > point {
                    out.push(b'.');
                    out.extend_from_slice(&digits[point..]);
                }
            }
            _ => {
                out.extend_from_slice(b"0.");
                zeros(out, self.point.unsigned_abs() as usize);
                out.extend_from_slice(digits);
            }
        }
    }

    /// `d.ddde±dd`, two digits in the exponent at least.
    fn push_scientific(&self, out: &mut Vec<u8>) {
        let (digits, power) = (self.digits(), self.point - 1);
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.extend_from_slice(if power < 0 { b"e-" } else { b"e+" });
        if power.unsigned_abs() < 10 {
            out.push(b'0');
        }
        out.extend_from_slice(itoa::Buffer::new().format(power.unsigned_abs()).as_bytes());
    }
}

fn signed(text: &[u8]) -> i32 {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let value = digits.iter().fold(0i32, |n, b| n.saturating_mul(10).saturating_add(i32::from(b.wrapping_sub(b'0'))));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: f64, exponent: Exponent) -> String {
        let mut out = Vec::new();
        push_number(&mut out, value, exponent);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn vectors_turn_to_exponents_far_from_one() {
        let check = |v: f64, expect: &str| assert_eq!(text(v, Exponent::Far), expect);
        check(0.0, "0");
        check(-0.0, "-0");
        check(1.0, "1");
        check(-17.0, "-17");
        check(0.1, "0.1");
        check(123.456, "123.456");
        check(0.000_001, "0.000001");
        check(0.000_000_1, "1e-07");
        check(1.234e-10, "1.234e-10");
        check(9_007_199_254_740_992.0, "9007199254740992");
        check(1e16, "10000000000000000");
        check(1.234_567_890_123_456_7e20, "123456789012345670000");
        check(1e21, "1e+21");
        check(-2.5e300, "-2.5e+300");
        check(f64::MAX, "1.7976931348623157e+308");
        check(5e-324, "5e-324");
        check(177_177_800_319_110.12, "177177800319110.12");
        check(f64::NAN, "NaN");
        check(f64::INFINITY, "+Inf");
        check(f64::NEG_INFINITY, "-Inf");
    }

    #[test]
    fn scalars_never_do() {
        let check = |v: f64, expect: &str| assert_eq!(text(v, Exponent::Never), expect);
        check(1e22, "10000000000000000000000");
        check(1.5e-9, "0.0000000015");
        check(-0.0, "-0");
        check(12.0, "12");
    }

    #[test]
    fn alerts_always_do() {
        let check = |v: f64, expect: &str| assert_eq!(text(v, Exponent::Always), expect);
        check(1.0, "1e+00");
        check(0.0, "0e+00");
        check(-123.5, "-1.235e+02");
        check(0.001, "1e-03");
    }

    #[test]
    fn texts_of_metrics_do_when_it_is_shorter() {
        let check = |v: f64, expect: &str| assert_eq!(text(v, Exponent::Short), expect);
        check(10_000.0, "10000");
        check(123_456.0, "123456");
        check(1e6, "1e+06");
        check(1_234_567.0, "1.234567e+06");
        check(123_456.5, "123456.5");
        check(0.000_1, "0.0001");
        check(0.000_01, "1e-05");
    }

    proptest! {
        #[test]
        fn every_number_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            for exponent in [Exponent::Never, Exponent::Far, Exponent::Always, Exponent::Short] {
                prop_assert_eq!(text(value, exponent).parse::<f64>().unwrap().to_bits(), bits);
            }
        }

        #[test]
        fn no_form_is_shorter(value in -1e15..1e15f64) {
            // The standard library rounds a tie up, Go to the even digit: they may differ in the last one.
            prop_assert_eq!(text(value, Exponent::Never).len(), format!("{value}").len());
        }
    }
}
