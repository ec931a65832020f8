//! The pace of a group: by how much its counters rise in each row, against what is usual for them. What a host does drives most of what it
//! counts, so that a block writes its pace once and many series as what they deviate from it. Pure.
//!
//! One factor, found by turns: the share of each counter by least squares, then the pace as their mean, each weighted by how little of it the
//! pace leaves open (factor analysis with one factor, Spearman 1904). It is rounded to integers, which are written; nobody has to find it again.

use std::sync::Arc;

use crate::page::Values;
use crate::span::SpanView;

/// The usual pace: a step of one is 0.2 %, as exact as a counter of 300,000 random events per row.
const USUAL: f64 = 512.0;
/// Groups with fewer series have no pace: it would cost more than it saves.
const LEAST_SERIES: usize = 32;
/// Rows by which counters are chosen.
const LEAST_ROWS: usize = 30;
/// Counters that are looked at in a group.
const LOOKED: usize = 512;
/// Counters by which the pace is found: they hold its rows in memory, and more of them would not make it more exact.
const TAKEN: usize = 24;
/// Counters that have to go with a pace.
const AGREE: usize = 6;
/// A counter has to rise in so many rows of all.
const RISES: f32 = 0.9;
/// The pace has to explain so much of a counter's variance.
const EXPLAINED: f32 = 0.5;
/// Counters whose steps vary less, the square of their deviation from 1, are clocks.
const STEADY: f32 = 1e-4;
/// Turns after which shares and pace hardly change.
const TURNS: usize = 8;
/// Least variance that a counter is taken to have beside the pace, so that no single one decides.
const LEAST_VARIANCE: f32 = 1e-5;

/// Watches the spans of one group, one after the other.
#[derive(Default)]
pub(crate) struct PaceFinder {
    /// Columns of the chosen counters with their last value and their steps in all rows; NaN where there is none.
    chosen: Vec<(u32, f64, Vec<f32>)>,
    /// Rows of each span.
    spans: Vec<usize>,
}

impl PaceFinder {
    /// Takes the next span.
    pub(crate) fn take(&mut self, view: &SpanView<'_>) {
        let rows = view.times.len();
        if self.chosen.is_empty() && view.width() >= LEAST_SERIES && rows >= LEAST_ROWS {
            let before: usize = self.spans.iter().sum();
            let all = choose(view).into_iter();
            self.chosen = all.map(|column| (column, f64::NAN, vec![f32::NAN; before])).collect();
        }
        self.spans.push(rows);
        for (column, last, steps) in &mut self.chosen {
            let values = view.column(*column).unwrap_or_default();
            push_steps(&values, rows, last, steps);
        }
    }

    /// The pace of the rows of each span; none when there is no pace.
    pub(crate) fn found(self) -> Vec<Arc<[u16]>> {
        let steps: Vec<Vec<f32>> = self.chosen.into_iter().map(|(_, _, steps)| steps).collect();
        let Some(pace) = common(&steps).map(|(pace, _)| pace) else { return Vec::new() };
        let mut rest = &pace[..];
        let part = |rows: &usize| {
            let (own, others) = rest.split_at(*rows);
            rest = others;
            own.iter().map(|p| (f64::from(*p) * USUAL).round().clamp(1.0, f64::from(u16::MAX)) as u16).collect()
        };
        self.spans.iter().map(part).collect()
    }
}

/// Adds the steps of a counter's values; steps down are resets.
fn push_steps(values: &Values, rows: usize, last: &mut f64, steps: &mut Vec<f32>) {
    let mut bits = values.bits.iter();
    for row in 0..rows {
        let now =
            if values.presence.has(row) { bits.next().map_or(f64::NAN, |b| f64::from_bits(*b)) } else { f64::NAN };
        let step = now - *last;
        steps.push(if step >= 0.0 && step.is_finite() { step as f32 } else { f32::NAN });
        *last = now;
    }
}

/// The columns that go with the pace most exactly.
fn choose(view: &SpanView<'_>) -> Vec<u32> {
    let rows = view.times.len();
    let (mut columns, mut all): (Vec<u32>, Vec<Vec<f32>>) = (Vec::new(), Vec::new());
    for column in 0..view.width() as u32 {
        let Some(values) = view.column(column).filter(|v| v.bits.len() == rows) else { continue };
        let mut steps = Vec::with_capacity(rows);
        let mut before = f64::NAN;
        push_steps(&values, rows, &mut before, &mut steps);
        let rising = steps.iter().filter(|s| **s > 0.0).count();
        // Others that say the same would make what is theirs alone the pace.
        if rising as f32 >= RISES * (rows - 1) as f32 && !all.iter().any(|known| same(known, &steps)) {
            columns.push(column);
            all.push(steps);
        }
        if columns.len() >= LOOKED {
            break;
        }
    }
    let Some((_, weights)) = common(&all) else { return Vec::new() };
    let mut best: Vec<(f32, u32)> = weights.into_iter().zip(columns).filter(|(weight, _)| *weight > 0.0).collect();
    best.sort_by(|a, b| b.0.total_cmp(&a.0));
    best.into_iter().take(TAKEN).map(|(_, column)| column).collect()
}

fn same(a: &[f32], b: &[f32]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// What the steps of counters have in common, 1 on the average, and the weight of each; `None` where too few have anything.
fn common(steps: &[Vec<f32>]) -> Option<(Vec<f32>, Vec<f32>)> {
    let rows = steps.first()?.len();
    let scaled: Vec<Vec<f32>> = steps.iter().map(|all| scaled(all)).collect();
    let mut pace: Vec<f32> = (0..rows).map(|row| median(scaled.iter().map(|all| all[row]))).collect();
    let mut weights = Vec::new();
    for _ in 0..TURNS {
        let fits: Vec<(f32, f32)> = scaled.iter().map(|all| fit(all, &pace)).collect();
        weights = fits.iter().map(|(_, weight)| *weight).collect();
        for (row, p) in pace.iter_mut().enumerate() {
            let (mut sum, mut weight) = (0.0, 0.0);
            for ((share, w), all) in fits.iter().zip(&scaled) {
                if *w > 0.0 && all[row].is_finite() {
                    sum += w * all[row] / share;
                    weight += w;
                }
            }
            *p = if weight > 0.0 { sum / weight } else { f32::NAN };
        }
        pace = self::scaled(&pace);
    }
    pace.iter_mut().filter(|p| !p.is_finite()).for_each(|p| *p = 1.0);
    (weights.iter().filter(|w| **w > 0.0).count() >= AGREE).then_some((pace, weights))
}

/// Steps against their mean.
fn scaled(steps: &[f32]) -> Vec<f32> {
    let (sum, count) = finite(steps).fold((0f64, 0u32), |(sum, n), s| (sum + f64::from(s), n + 1));
    let mean = (sum / f64::from(count.max(1))) as f32;
    steps.iter().map(|s| if mean > 0.0 { s / mean } else { f32::NAN }).collect()
}

fn finite(all: &[f32]) -> impl Iterator<Item = f32> {
    all.iter().copied().filter(|x| x.is_finite())
}

fn median(all: impl Iterator<Item = f32>) -> f32 {
    let mut all: Vec<f32> = all.filter(|x| x.is_finite()).collect();
    let middle = all.len() / 2;
    if all.is_empty() { f32::NAN } else { *all.select_nth_unstable_by(middle, f32::total_cmp).1 }
}

/// A counter's share of the pace and its weight, which is 0 where the pace explains little of it.
fn fit(steps: &[f32], pace: &[f32]) -> (f32, f32) {
    let both = || steps.iter().zip(pace).map(|(s, p)| (*s, *p)).filter(|(s, p)| s.is_finite() && p.is_finite());
    let (product, square) = both().fold((0f32, 0f32), |(product, square), (s, p)| (product + s * p, square + p * p));
    let share = product / square;
    let (mut apart, mut own, mut count) = (0f32, 0f32, 0f32);
    for (s, p) in both() {
        apart += (s - share * p) * (s - share * p);
        own += (s - 1.0) * (s - 1.0);
        count += 1.0;
    }
    if share.is_nan() || share <= 0.0 || own < STEADY * count || apart > (1.0 - EXPLAINED) * own {
        return (1.0, 0.0);
    }
    (share, 1.0 / (apart / count / (share * share) + LEAST_VARIANCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random numbers from 0 to 1, from a seed.
    fn random(seed: u64) -> impl FnMut() -> f32 {
        let mut state = seed;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / (1 << 24) as f32
        }
    }

    /// A pace, and counters that go with it, each with so much of its own.
    fn counters(noise: &[f32]) -> (Vec<f32>, Vec<Vec<f32>>) {
        let mut random = random(3);
        let pace: Vec<f32> = scaled(&(0..400).map(|_| 0.4 + random()).collect::<Vec<_>>());
        let steps = |noise: &f32| pace.iter().map(|p| 700.0 * p * (1.0 + noise * (random() - 0.5))).collect();
        let steps = noise.iter().map(steps).collect();
        (pace, steps)
    }

    #[test]
    fn what_counters_have_in_common_is_found() {
        let (pace, mut steps) = counters(&[0.9, 0.9, 0.3, 0.01, 0.01, 0.01, 0.02, 0.02, 0.9, 0.9, 0.9, 0.9]);
        // A clock, and one that has nothing to do with them.
        steps.push(vec![15.0; pace.len()]);
        let mut random = random(77);
        steps.push((0..pace.len()).map(|_| random()).collect());
        let (found, weights) = common(&steps).unwrap();
        let worst = found.iter().zip(&pace).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f32::max);
        assert!(worst < 0.01, "{worst}");
        assert!(weights[3] > 100.0 * weights[0], "{weights:?}");
        assert_eq!(weights[steps.len() - 2..], [0.0, 0.0]);
    }

    #[test]
    fn what_is_missing_or_reset_does_not_matter() {
        let (pace, mut steps) = counters(&[0.01; 8]);
        steps.iter_mut().for_each(|all| all[7] = f32::NAN);
        steps[0][9] = f32::NAN;
        let (found, _) = common(&steps).unwrap();
        assert_eq!(found[7], 1.0);
        assert!((found[9] / pace[9] - 1.0).abs() < 0.02);
    }

    #[test]
    fn counters_without_anything_in_common_have_no_pace() {
        let mut random = random(5);
        let steps: Vec<Vec<f32>> = (0..40).map(|_| (0..200).map(|_| random()).collect()).collect();
        assert!(common(&steps).is_none());
        assert!(common(&[]).is_none());
    }

    #[test]
    fn steps_down_and_holes_are_no_steps() {
        let (mut last, mut steps) = (f64::NAN, Vec::new());
        let values = |all: &[f64]| Values { bits: all.iter().map(|v| v.to_bits()).collect(), ..Values::default() };
        push_steps(&values(&[5.0, 7.0, 7.0, 1.0]), 4, &mut last, &mut steps);
        push_steps(&values(&[4.0, f64::NAN, 9.0]), 3, &mut last, &mut steps);
        let shown: Vec<String> = steps.iter().map(f32::to_string).collect();
        assert_eq!(shown, ["NaN", "2", "0", "NaN", "3", "NaN", "NaN"]);
    }
}
