//! The range that a dashboard shows, the distance of its points, and the built-in variables. Pure.

use kernel::Timestamp;
use plan_model::dashboard::expand::Chosen;

/// A range holds this many samples at least, so that a rate is there also when one was lost.
const RATE_SAMPLES: i64 = 4;

/// Distances of points that people like, in milliseconds; a day and more go in whole days.
const STEPS: [i64; 24] = [
    1, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000,
    600_000, 900_000, 1_800_000, 3_600_000, 10_800_000, 43_200_000,
];

const DAY_MS: i64 = 86_400_000;

/// What is shown: from when to when, in which steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The first moment, milliseconds since 1970; a whole number of steps.
    pub start_ms: i64,
    /// The last moment, a whole number of steps too.
    pub end_ms: i64,
    /// The end as it was asked for: what is asked once only is asked there.
    pub to_ms: i64,
    /// From one point to the next, milliseconds; at least 1.
    pub step_ms: i64,
    /// How far apart samples are, milliseconds.
    pub sample_ms: i64,
}

impl Moment {
    /// Of a range shown in so many points at most, no closer than `least_ms`. Times are whole steps, so that the same
    /// points are asked again at the next refresh.
    pub fn new(from: Timestamp, to: Timestamp, points: usize, least_ms: i64, sample_ms: i64) -> Self {
        let (from, to) = (from.as_millis().min(to.as_millis()), from.as_millis().max(to.as_millis()));
        let points = i64::try_from(points.max(2)).unwrap_or(i64::MAX);
        let wanted = ((to - from) / points).max(least_ms).max(1);
        let step_ms = step(wanted);
        let (start_ms, end_ms) = (from.div_euclid(step_ms) * step_ms, to.div_euclid(step_ms) * step_ms);
        Self { start_ms, end_ms: end_ms.max(start_ms), to_ms: to, step_ms, sample_ms: sample_ms.max(1) }
    }

    /// Its length in milliseconds.
    pub const fn length_ms(&self) -> i64 {
        self.end_ms - self.start_ms
    }

    /// A range for `rate`: a step, and at least four samples.
    pub fn rate_interval_ms(&self) -> i64 {
        (self.step_ms + self.sample_ms).max(RATE_SAMPLES * self.sample_ms)
    }

    /// The value of a built-in variable.
    pub fn built_in(&self, name: &str, dashboard: &str) -> Option<Chosen> {
        let text = match name {
            "__interval" => duration(self.step_ms),
            "__interval_ms" => self.step_ms.to_string(),
            "__rate_interval" => duration(self.rate_interval_ms()),
            "__range" => duration(self.length_ms().max(1_000)),
            "__range_s" => (self.length_ms() / 1_000).max(1).to_string(),
            "__range_ms" => self.length_ms().max(1).to_string(),
            "__from" => self.start_ms.to_string(),
            "__to" => self.end_ms.to_string(),
            "__dashboard" => dashboard.to_owned(),
            _ => return None,
        };
        Some(Chosen::one(text))
    }
}

/// The least liked distance that is no shorter.
fn step(wanted: i64) -> i64 {
    let known = STEPS.into_iter().find(|s| *s >= wanted);
    known.unwrap_or_else(|| (wanted + DAY_MS - 1) / DAY_MS * DAY_MS)
}

/// A duration as PromQL writes it, in one unit: `90s`, `5m`, `1500ms`.
fn duration(ms: i64) -> String {
    for (unit, length) in [("d", DAY_MS), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if ms % length == 0 {
            return format!("{}{unit}", ms / length);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seconds: i64, points: usize, least: i64, sample: i64, expect: (&str, &str)) {
        let to = Timestamp::from_secs(1_770_000_007);
        let from = Timestamp::from_secs(1_770_000_007 - seconds);
        let moment = Moment::new(from, to, points, least, sample);
        let value = |name| moment.built_in(name, "d").unwrap().values[0].clone();
        assert_eq!((&*value("__interval"), &*value("__rate_interval")), expect, "{seconds} s in {points}");
        assert!(moment.length_ms() / moment.step_ms <= i64::try_from(points).unwrap() + 1);
        assert_eq!(moment.start_ms % moment.step_ms, 0);
    }

    #[test]
    fn steps_are_round_and_rates_hold_four_samples() {
        check(3_600, 600, 15_000, 15_000, ("15s", "1m"));
        check(3_600, 600, 1, 15_000, ("10s", "1m"));
        check(6 * 3_600, 600, 15_000, 15_000, ("1m", "75s"));
        check(30 * 86_400, 600, 15_000, 15_000, ("3h", "10815s"));
        check(3_650 * 86_400, 600, 15_000, 15_000, ("7d", "604815s"));
        check(0, 600, 1, 300_000, ("1ms", "20m"));
    }
}
