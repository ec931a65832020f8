//! What a value is expected to be, from those before it: nothing, a smoothed value, the last one and a smoothed step
//! (simple exponential smoothing, Brown 1956), or the one a period ago. Pure.
//!
//! All in wrapping integers: whatever is expected, what deviates from it gives the value back.

/// How values are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    /// Not at all.
    Nothing,
    /// A smoothed value; each new one counts for 1/2^n, so that 0 is the value before.
    Level(u32),
    /// The value before, and a smoothed step.
    Step(u32),
    /// The value so many rows ago: what a job does every five minutes, the ramps of garbage collection.
    Lag(usize),
}

/// The longest period, rows: a quarter of an hour at 15 s.
pub(super) const LAG_MAX: usize = 64;
/// Rows that are looked at for a period.
const LOOKED: usize = 5 * LAG_MAX;
/// Every so many of them are.
const STRIDE: usize = 2;
/// A period has to bring values so many times nearer than the value before is.
const NEARER: f64 = 2.0;
/// A longer period has to bring them nearer than a shorter one by this much.
const LONGER: f64 = 0.9;

/// The strongest smoothing: 1/16 of each new one.
const SMOOTHEST: u32 = 4;
/// Bits behind the point of what is smoothed.
const FRACTION: u32 = 8;

impl Predictor {
    /// All of them, by their number.
    pub(super) const ALL: [Self; 11] = [
        Self::Nothing,
        Self::Level(0),
        Self::Level(1),
        Self::Level(2),
        Self::Level(3),
        Self::Level(SMOOTHEST),
        Self::Step(0),
        Self::Step(1),
        Self::Step(2),
        Self::Step(3),
        Self::Step(SMOOTHEST),
    ];

    /// Replaces values that begin at 0 by what deviates; `step` is expected first.
    pub(super) fn deviations(self, values: &[i64], step: i64, out: &mut Vec<i64>) {
        out.clear();
        match self {
            Self::Nothing => out.extend_from_slice(&values[1..]),
            Self::Level(0) => out.extend(values.windows(2).map(|w| w[1].wrapping_sub(w[0]))),
            Self::Level(n) => {
                let mut smooth = 0i64;
                for v in &values[1..] {
                    out.push(v.wrapping_sub(smooth >> FRACTION));
                    smooth = smoothed(smooth, *v, n);
                }
            }
            Self::Lag(period) => {
                let (head, _) = values.split_at(period.min(values.len()));
                out.extend(head.windows(2).map(|w| w[1].wrapping_sub(w[0])));
                out.extend(values.windows(period + 1).map(|w| w[period].wrapping_sub(w[0])));
            }
            Self::Step(n) => {
                let mut smooth = step.wrapping_shl(FRACTION);
                for w in values.windows(2) {
                    let now = w[1].wrapping_sub(w[0]);
                    out.push(now.wrapping_sub(smooth >> FRACTION));
                    smooth = smoothed(smooth, now, n);
                }
            }
        }
    }

    /// The way back: `all` begins with 0, then what deviates.
    pub(super) fn values(self, all: &mut [i64], step: i64) {
        let mut last = 0i64;
        match self {
            Self::Nothing => {}
            Self::Level(0) => {
                for v in all {
                    last = last.wrapping_add(*v);
                    *v = last;
                }
            }
            Self::Level(n) => {
                let mut smooth = 0i64;
                for v in all.iter_mut().skip(1) {
                    *v = v.wrapping_add(smooth >> FRACTION);
                    smooth = smoothed(smooth, *v, n);
                }
            }
            Self::Lag(period) => {
                for i in 1..all.len() {
                    let before = if i < period { i - 1 } else { i - period };
                    all[i] = all[i].wrapping_add(all[before]);
                }
            }
            Self::Step(n) => {
                let mut smooth = step.wrapping_shl(FRACTION);
                for v in all.iter_mut().skip(1) {
                    let now = v.wrapping_add(smooth >> FRACTION);
                    smooth = smoothed(smooth, now, n);
                    last = last.wrapping_add(now);
                    *v = last;
                }
            }
        }
    }
}

#[inline]
fn smoothed(smooth: i64, now: i64, n: u32) -> i64 {
    smooth.wrapping_add(now.wrapping_shl(FRACTION).wrapping_sub(smooth) >> n)
}

/// The period after which values come back, where there is one.
pub(super) fn period(values: &[i64]) -> Option<usize> {
    let some = &values[..values.len().min(LOOKED)];
    if some.len() < 3 * LAG_MAX {
        return None;
    }
    let apart = |lag: usize| -> f64 {
        let all = (LAG_MAX..some.len()).step_by(STRIDE);
        all.map(|i| (some[i] as f64 - some[i - lag] as f64).abs()).sum()
    };
    // Twice a period is one too, but the first one has to be written whole.
    let mut best = (apart(1) / NEARER, None);
    for lag in 2..=LAG_MAX {
        let now = apart(lag);
        if now < best.0 * LONGER {
            best = (now, Some(lag));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_give_values_back() {
        let values: Vec<i64> = (0..200i64).map(|n| n * n % 37 * (n - 50)).collect();
        assert_eq!(values[0], 0);
        for predictor in Predictor::ALL.into_iter().chain([2, 7, 199, 300].map(Predictor::Lag)) {
            let (mut all, mut deviations) = (vec![0], Vec::new());
            predictor.deviations(&values, 5, &mut deviations);
            all.append(&mut deviations);
            predictor.values(&mut all, 5);
            assert_eq!(all, values, "{predictor:?}");
        }
    }

    #[test]
    fn periods_are_found() {
        let ramps: Vec<i64> = (0..400i64).map(|n| n % 23 * 1_000 + n * 7_919 % 101).collect();
        assert_eq!(period(&ramps), Some(23));
        let counter: Vec<i64> = (0..400i64).map(|n| n * 500 + n * 7_919 % 101).collect();
        assert_eq!(period(&counter), None);
    }
}
