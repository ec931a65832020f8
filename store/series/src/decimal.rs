//! Values as decimals: what exporters write is a short number, and its mantissa packs far better than its bits. Pure.

/// Powers of ten that an `f64` holds exactly.
pub(crate) const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// The largest scale: 10^22 is the last power that is exact.
pub(crate) const SCALE_MAX: u8 = 22;
/// Integers up to this are exact in an `f64`.
const EXACT: i64 = 1 << 53;
/// Mantissas of decimals stay below this, so that rounding the product finds them.
const MANTISSA: f64 = 1e15;

/// The value of a decimal; `scale` is at most [`SCALE_MAX`].
#[inline]
pub(crate) fn undecimal(mantissa: i64, scale: u8) -> f64 {
    mantissa as f64 / POWERS[usize::from(scale.min(SCALE_MAX))]
}

/// The mantissa at this scale, if it gives back the same bits.
#[inline]
pub(crate) fn mantissa(value: f64, scale: u8) -> Option<i64> {
    if scale == 0 {
        let m = value as i64;
        return ((m as f64).to_bits() == value.to_bits() && m.unsigned_abs() <= EXACT.unsigned_abs()).then_some(m);
    }
    let product = value * POWERS[usize::from(scale.min(SCALE_MAX))];
    if product.is_nan() || product.abs() >= MANTISSA {
        return None;
    }
    // Ties do not matter: a product this close to a half is no decimal.
    let m = (product + 0.5f64.copysign(product)) as i64;
    (undecimal(m, scale).to_bits() == value.to_bits()).then_some(m)
}

/// The value as a decimal with the fewest digits behind the point.
pub(crate) fn decimal(value: f64) -> Option<(i64, u8)> {
    if let Some(m) = mantissa(value, 0) {
        return Some((m, 0));
    }
    if !value.is_finite() || value == 0.0 {
        return None;
    }
    // With the most digits that still fit, every decimal with fewer shows itself.
    let mut scale = (14 - value.abs().log10().floor() as i32).clamp(1, i32::from(SCALE_MAX)) as u8;
    while scale > 1 && value.abs() * POWERS[usize::from(scale)] >= MANTISSA {
        scale -= 1;
    }
    let mut m = mantissa(value, scale)?;
    while scale > 0 && m % 10 == 0 {
        m /= 10;
        scale -= 1;
    }
    Some((m, scale))
}

/// Mantissas of all values at one scale, if every one is such a decimal.
pub(crate) fn decimals(values: &[u64]) -> Option<(Vec<i64>, u8)> {
    let mut scale = 0;
    for bits in values {
        if mantissa(f64::from_bits(*bits), scale).is_none() {
            scale = scale.max(decimal(f64::from_bits(*bits))?.1);
        }
    }
    let all = values.iter().map(|bits| mantissa(f64::from_bits(*bits), scale)).collect::<Option<Vec<_>>>()?;
    Some((all, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_decimal_is_found(m in -999_999_999_999_999i64..1_000_000_000_000_000, cut in 0u32..50, scale in 0u8..=22) {
            let m = m >> cut;
            let v = undecimal(m, scale);
            let (short, fewer) = decimal(v).unwrap();
            prop_assert_eq!(undecimal(short, fewer).to_bits(), v.to_bits());
            prop_assert!(fewer <= scale);
        }

        #[test]
        fn a_decimal_is_exact(bits in any::<u64>(), scale in 0u8..=22) {
            if let Some((m, scale)) = decimal(f64::from_bits(bits)) {
                prop_assert_eq!(undecimal(m, scale).to_bits(), bits);
            }
            if let Some(m) = mantissa(f64::from_bits(bits), scale) {
                prop_assert_eq!(undecimal(m, scale).to_bits(), bits);
            }
        }
    }
}
