//! When the samples of a source are, and the stretches in which it is taken in. Pure.

use std::collections::BTreeMap;

use super::Mistakes;

/// Samples are counted by stretches of this length, milliseconds.
pub(super) const STEP_MS: i64 = 10 * 60_000;

/// What a first look at a source found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Samples in it.
    pub samples: u64,
    /// Time of the oldest and of the newest one, milliseconds since the epoch.
    pub range_ms: Option<(i64, i64)>,
    /// What cannot be read.
    pub mistakes: Mistakes,
    by_step: BTreeMap<i64, u64>,
}

impl Survey {
    /// Counts samples of one time.
    pub fn count(&mut self, t_ms: i64, samples: u64) {
        self.samples += samples;
        self.range_ms = Some(self.range_ms.map_or((t_ms, t_ms), |(min, max)| (min.min(t_ms), max.max(t_ms))));
        *self.by_step.entry(t_ms.div_euclid(STEP_MS)).or_default() += samples;
    }

    /// Stretches of time, the oldest first, with about so many samples each: from, and up to but without, milliseconds. One
    /// step with more samples than that is a stretch of its own.
    pub fn stretches(&self, samples: u64) -> Vec<(i64, i64)> {
        let mut out: Vec<(i64, i64)> = Vec::new();
        let mut held = 0;
        for (step, count) in &self.by_step {
            let (from, to) = (step.saturating_mul(STEP_MS), (step + 1).saturating_mul(STEP_MS));
            match out.last_mut() {
                Some(last) if held + count <= samples => {
                    last.1 = to;
                    held += count;
                }
                _ => {
                    out.push((from, to));
                    held = *count;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_hold_about_so_many_samples_and_all_of_them() {
        let mut survey = Survey::default();
        for minute in -30..30 {
            survey.count(minute * 60_000, 10);
        }
        survey.count(86_400_000, 1_000);
        assert_eq!((survey.samples, survey.range_ms), (1_600, Some((-1_800_000, 86_400_000))));
        let stretches = survey.stretches(250);
        assert_eq!(
            stretches,
            [(-1_800_000, -600_000), (-600_000, 600_000), (600_000, 1_800_000), (86_400_000, 87_000_000)]
        );
        assert_eq!(survey.stretches(u64::MAX), [(-1_800_000, 87_000_000)]);
        assert!(Survey::default().stretches(1).is_empty());
    }
}
