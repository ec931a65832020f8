//! Parts of dates in UTC. Pure.

/// A time as people count it, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    /// Sunday is 0.
    pub(crate) weekday: i64,
    /// From 1.
    pub(crate) day_of_year: i64,
    pub(crate) days_in_month: i64,
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

/// Whole seconds as Go's `time.Unix(int64(v), 0)` takes them: what is no 64-bit number becomes the smallest one, and
/// times before Go's absolute zero wrap around to the far future (4 December 292277026596).
fn go_seconds(v: f64) -> i128 {
    const ABSOLUTE_ZERO: i64 = -9_223_371_966_579_724_800;
    let representable = v > -9.223_372_036_854_775e18 && v < 9.223_372_036_854_775e18;
    let seconds = if representable { v as i64 } else { i64::MIN };
    i128::from(seconds) + if seconds < ABSOLUTE_ZERO { 1 << 64 } else { 0 }
}

impl Date {
    /// Of seconds since the epoch; fractions are cut off.
    ///
    /// Days to date after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    pub(crate) fn of(seconds: f64) -> Self {
        const DAY: i64 = 86_400;
        let seconds = go_seconds(seconds);
        let (days, rest) = (seconds.div_euclid(DAY as i128) as i64, seconds.rem_euclid(DAY as i128) as i64);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let of_era = z.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let from_march = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * from_march + 2) / 153;
        let day = from_march - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let leap = i64::from(is_leap(year));
        let lengths = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let before: i64 = lengths[..(month - 1) as usize].iter().sum();
        Self {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest % 3600 / 60,
            weekday: (days + 4).rem_euclid(7),
            day_of_year: before + day,
            days_in_month: lengths[(month - 1) as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let d = Date::of(1_456_790_399.0); // 2016-02-29 23:59:59
        assert_eq!((d.year, d.month, d.day, d.hour, d.minute), (2016, 2, 29, 23, 59));
        assert_eq!((d.weekday, d.day_of_year, d.days_in_month), (1, 60, 29));
        let d = Date::of(f64::NAN);
        assert_eq!((d.month, d.day, d.hour, d.minute, d.weekday), (12, 4, 15, 30, 0));
        let d = Date::of(-1.0);
        assert_eq!((d.year, d.month, d.day, d.weekday), (1969, 12, 31, 3));
    }
}
