//! What a value is expected to be, from those before it: nothing, a smoothed value, the last one and a smoothed step
//! (simple exponential smoothing, Brown 1956), the one a period ago or the mean of those of all periods before, or a step that goes with
//! the pace of the whole group. Pure.
//!
//! All in wrapping integers: whatever is expected, what deviates from it gives the value back.

/// How values are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor<'a> {
    /// Not at all.
    Nothing,
    /// A smoothed value; each new one counts for 1/2^n, so that 0 is the value before.
    Level(u32),
    /// The value before, and a smoothed step.
    Step(u32),
    /// The value so many rows ago: what a job does every five minutes, the ramps of garbage collection.
    Lag(usize),
    /// The mean of the values at this place of all periods before, the newest for 1/32 at least; what they are apart from the first
    /// period can be divided by the factor.
    Season(usize, i64),
    /// The value before, and a step that goes with the pace of each row: its share is learned as rows come.
    Pace(&'a [u16]),
}

/// The longest period, rows: a quarter of an hour at 15 s.
pub(super) const LAG_MAX: usize = 64;
/// Rows that are looked at for a period.
const LOOKED: usize = 5 * LAG_MAX;
/// Every so many of them are.
const STRIDE: usize = 2;
/// A period has to bring values so many times nearer than half of all periods do, and nearer than the value before is.
const NEARER: f64 = 1.4;
/// The first look lets so much more pass, one part in so many, before all rows are looked at.
const LOOSE: f64 = 1.1;
/// A part of it is taken for the period when it brings values nearly as near.
const AS_NEAR: f64 = 1.1;

/// Bits behind the point of a season's means.
const MEAN_FRACTION: u32 = 4;
/// A new value of a season counts for so many, of 4,096, in each period after the first: a mean of all, then of about 32.
const WEIGHTS: [i64; 32] = {
    let mut all = [0; 32];
    let mut n = 0;
    while n < 32 {
        all[n] = 4_096 / (n as i64 + 1);
        n += 1;
    }
    all
};
/// Bits of [`WEIGHTS`].
const WEIGHT_BITS: u32 = 12;

/// Bits behind the point of a step's share of the pace.
const SHARE_FRACTION: u32 = 16;
/// What a step was more than expected changes the share by 1/64 to 1/32 of it.
const SHARE_SLOWNESS: u32 = 6;

/// The strongest smoothing: 1/16 of each new one.
const SMOOTHEST: u32 = 4;
/// Bits behind the point of what is smoothed.
const FRACTION: u32 = 8;

impl Predictor<'_> {
    /// All of them, by their number.
    pub(super) const ALL: [Predictor<'static>; 11] = [
        Predictor::Nothing,
        Predictor::Level(0),
        Predictor::Level(1),
        Predictor::Level(2),
        Predictor::Level(3),
        Predictor::Level(SMOOTHEST),
        Predictor::Step(0),
        Predictor::Step(1),
        Predictor::Step(2),
        Predictor::Step(3),
        Predictor::Step(SMOOTHEST),
    ];

    /// Replaces values that begin at 0 by what deviates; `step` is expected first, or what share a step has of the pace.
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
            Self::Season(period, factor) => {
                let (head, rest) = values.split_at(period.min(values.len()));
                out.extend(head.windows(2).map(|w| w[1].wrapping_sub(w[0])));
                let mut means = [0i64; LAG_MAX];
                for (round, all) in rest.chunks(period).enumerate() {
                    for ((v, first), mean) in all.iter().zip(head).zip(&mut means) {
                        let above = v.wrapping_sub(*first) / factor;
                        out.push(above.wrapping_sub(nearest(*mean)));
                        *mean = learned(*mean, above, round);
                    }
                }
            }
            Self::Pace(pace) => {
                let mut share = step;
                for (w, pace) in values.windows(2).zip(pace.iter().skip(1)) {
                    let more = w[1].wrapping_sub(w[0]).wrapping_sub(expected(share, *pace));
                    out.push(more);
                    share = adjusted(share, more, *pace);
                }
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
        match self {
            Self::Lag(period) => {
                for i in 1..all.len() {
                    let before = if i < period { i - 1 } else { i - period };
                    all[i] = all[i].wrapping_add(all[before]);
                }
            }
            Self::Season(period, factor) => {
                let (head, rest) = all.split_at_mut(period.min(all.len()));
                let mut last = 0i64;
                for v in head.iter_mut() {
                    last = last.wrapping_add(*v);
                    *v = last;
                }
                let mut means = [0i64; LAG_MAX];
                for (round, all) in rest.chunks_mut(period).enumerate() {
                    for ((v, first), mean) in all.iter_mut().zip(head.iter()).zip(&mut means) {
                        let above = v.wrapping_add(nearest(*mean));
                        *mean = learned(*mean, above, round);
                        *v = above.wrapping_mul(factor).wrapping_add(*first);
                    }
                }
            }
            _ => self.along(step, InPlace(all)),
        }
    }

    /// Whether [`Predictor::along`] gives values; those of periods need all values of the one before.
    pub(super) fn goes_along(self) -> bool {
        !matches!(self, Self::Lag(_) | Self::Season(..))
    }

    /// Does some work with what gives each value behind the first one, which is 0, from what deviates.
    pub(super) fn along<W: Along>(self, step: i64, work: W) -> W::Output {
        let mut last = 0i64;
        match self {
            Self::Nothing | Self::Lag(_) | Self::Season(..) => work.along(|d| d),
            Self::Level(0) => work.along(|d| {
                last = last.wrapping_add(d);
                last
            }),
            Self::Level(n) => {
                let mut smooth = 0i64;
                work.along(|d| {
                    let v = d.wrapping_add(smooth >> FRACTION);
                    smooth = smoothed(smooth, v, n);
                    v
                })
            }
            Self::Pace(pace) => {
                let (mut share, mut paces) = (step, pace.iter().skip(1));
                work.along(|d| {
                    let pace = paces.next().copied().unwrap_or_default();
                    last = last.wrapping_add(d).wrapping_add(expected(share, pace));
                    share = adjusted(share, d, pace);
                    last
                })
            }
            Self::Step(n) => {
                let mut smooth = step.wrapping_shl(FRACTION);
                work.along(|d| {
                    let now = d.wrapping_add(smooth >> FRACTION);
                    smooth = smoothed(smooth, now, n);
                    last = last.wrapping_add(now);
                    last
                })
            }
        }
    }
}

/// Work that takes what deviates from what is expected, one after the other, and is given the values.
pub(super) trait Along {
    type Output;
    fn along(self, next: impl FnMut(i64) -> i64) -> Self::Output;
}

/// Numbers that become values in place, all but the first one.
struct InPlace<'a>(&'a mut [i64]);

impl Along for InPlace<'_> {
    type Output = ();

    fn along(self, mut next: impl FnMut(i64) -> i64) {
        self.0.iter_mut().skip(1).for_each(|v| *v = next(*v));
    }
}

#[inline]
fn smoothed(smooth: i64, now: i64, n: u32) -> i64 {
    smooth.wrapping_add(now.wrapping_shl(FRACTION).wrapping_sub(smooth) >> n)
}

/// A mean without what is behind its point.
#[inline]
fn nearest(mean: i64) -> i64 {
    mean.wrapping_add(1 << (MEAN_FRACTION - 1)) >> MEAN_FRACTION
}

/// A mean with what came in this round of the season, the first of which is 0 and the second value at its place.
#[inline]
fn learned(mean: i64, now: i64, round: usize) -> i64 {
    let weight = WEIGHTS[(round + 1).min(WEIGHTS.len() - 1)];
    mean.wrapping_add(now.wrapping_shl(MEAN_FRACTION).wrapping_sub(mean).wrapping_mul(weight) >> WEIGHT_BITS)
}

/// The step that is expected at a pace.
#[inline]
fn expected(share: i64, pace: u16) -> i64 {
    share.wrapping_mul(i64::from(pace)) >> SHARE_FRACTION
}

/// The share after a step that was so much more than expected. A shift takes the place of dividing by the pace, so that it counts up to twice as much.
#[inline]
fn adjusted(share: i64, more: i64, pace: u16) -> i64 {
    share.wrapping_add(more.wrapping_shl(SHARE_FRACTION) >> (pace.max(1).ilog2() + SHARE_SLOWNESS))
}

/// The share of the pace that the steps of values have, all in all; steps the other way are resets.
pub(super) fn share(values: &[i64], pace: &[u16]) -> i64 {
    let (mut steps, mut sum) = (0f64, 0f64);
    // From the last value back, counters fall.
    let way = if values.last() < values.first() { -1 } else { 1 };
    for (w, pace) in values.windows(2).zip(pace.iter().skip(1)) {
        let step = w[1].wrapping_sub(w[0]).wrapping_mul(way);
        if step >= 0 {
            steps += step as f64;
            sum += f64::from(*pace);
        }
    }
    if sum > 0.0 { way * (steps / sum * f64::from(1 << SHARE_FRACTION)) as i64 } else { 0 }
}

/// The period after which values come back, where there is one.
pub(super) fn period(values: &[i64]) -> Option<usize> {
    let some = &values[..values.len().min(LOOKED)];
    if some.len() < 3 * LAG_MAX {
        return None;
    }
    nearest_lag(&distances(some), LOOSE)?;
    let near = distances(values);
    let (best, least) = nearest_lag(&near, 1.0)?;
    // Twice a period is one too, but the first one has to be written whole.
    let shorter = (2..=best / 2).find(|lag| best.is_multiple_of(*lag) && near[lag - 1] < least * AS_NEAR);
    Some(shorter.unwrap_or(best))
}

/// The period that brings values nearest, and how near, where that is near enough.
fn nearest_lag(near: &[f64], loose: f64) -> Option<(usize, f64)> {
    let mut sorted = near.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (at, least) = near.iter().enumerate().skip(1).min_by(|a, b| a.1.total_cmp(b.1))?;
    let is_near = least * NEARER < sorted[sorted.len() / 2] * loose && *least < near[0] * loose;
    is_near.then_some((at + 1, *least))
}

/// How far values are from those so many rows before, together, by the number of rows less 1.
fn distances(values: &[i64]) -> Vec<f64> {
    let apart = |lag: usize| -> f64 {
        let all = (LAG_MAX..values.len()).step_by(STRIDE);
        all.map(|i| (values[i] as f64 - values[i - lag] as f64).abs()).sum()
    };
    (1..=LAG_MAX).map(apart).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_give_values_back() {
        let values: Vec<i64> = (0..200i64).map(|n| n * n % 37 * (n - 50)).collect();
        assert_eq!(values[0], 0);
        let pace: Vec<u16> = (0..200).map(|n| n * n % 1_009).collect();
        let lags = [2, 7, 199, 300].map(Predictor::Lag);
        let others = [Predictor::Pace(&pace), Predictor::Season(2, 1), Predictor::Season(64, 1)];
        for predictor in Predictor::ALL.into_iter().chain(lags).chain(others) {
            let (mut all, mut deviations) = (vec![0], Vec::new());
            predictor.deviations(&values, 5, &mut deviations);
            all.append(&mut deviations);
            predictor.values(&mut all, 5);
            assert_eq!(all, values, "{predictor:?}");
        }
    }

    #[test]
    fn a_season_is_the_mean_of_its_periods() {
        // What comes on top of a ramp of 10 rows is 0 or 8: after some rounds 4 is expected, which is half of 8.
        let ramps: Vec<i64> = (0..640i64).map(|n| n % 10 * 5 + n / 10 % 2 * 8).collect();
        let mut deviations = Vec::new();
        Predictor::Season(10, 8).deviations(&ramps, 0, &mut deviations);
        assert!(deviations[9..].iter().all(|d| d.abs() <= 1), "{deviations:?}");
        let mut all = [&[0], &deviations[..]].concat();
        Predictor::Season(10, 8).values(&mut all, 0);
        assert_eq!(all, ramps);
    }

    #[test]
    fn steps_follow_the_pace() {
        let pace: Vec<u16> = (0..400u16).map(|n| 300 + n * 31 % 500).collect();
        let counter: Vec<i64> = (0..400)
            .scan(0i64, |sum, n| {
                *sum += if n == 0 { 0 } else { i64::from(pace[n]) * 7 };
                Some(*sum)
            })
            .collect();
        let mut deviations = Vec::new();
        Predictor::Pace(&pace).deviations(&counter, share(&counter, &pace), &mut deviations);
        assert!(deviations.iter().all(|d| d.abs() <= 1), "{deviations:?}");
    }

    #[test]
    fn periods_are_found() {
        let ramps: Vec<i64> = (0..400i64).map(|n| n % 23 * 1_000 + n * 7_919 % 101).collect();
        assert_eq!(period(&ramps), Some(23));
        let counter: Vec<i64> = (0..400i64).map(|n| n * 500 + n * 7_919 % 101).collect();
        assert_eq!(period(&counter), None);
        let mut state = 9u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64
        };
        // Ramps that are no higher than the noise on them.
        let hidden: Vec<i64> = (0..960i64).map(|n| n % 31 * 1_000 + random() % 30_000).collect();
        assert_eq!(period(&hidden), Some(31));
        let noise: Vec<i64> = (0..960).map(|_| random() % 30_000).collect();
        assert_eq!(period(&noise), None);
        let walk: Vec<i64> = noise
            .iter()
            .scan(0, |sum, step| {
                *sum += step - 15_000;
                Some(*sum)
            })
            .collect();
        assert_eq!(period(&walk), None);
    }
}
