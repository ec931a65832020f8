//! Classic histograms whose counts fell from bucket to bucket: what is said of them at the end. Pure.

use crate::functions::dates::Date;
use crate::syntax::literal::{short_number, two_digits};

/// How far counts had to be changed, over all samples of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Forced {
    /// The lowest bound of a bucket that was changed.
    pub(super) lowest: f64,
    /// The highest one.
    pub(super) highest: f64,
    /// By how much at most.
    pub(super) most: f64,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    pub(super) samples: u64,
}

impl Forced {
    pub(super) fn merge(&mut self, other: Self) {
        self.lowest = self.lowest.min(other.lowest);
        self.highest = self.highest.max(other.highest);
        self.most = self.most.max(other.most);
        self.first_ms = self.first_ms.min(other.first_ms);
        self.last_ms = self.last_ms.max(other.last_ms);
        self.samples += other.samples;
    }

    pub(super) fn message(&self, metric: &str) -> String {
        let name = if metric.is_empty() { String::new() } else { format!(" for metric name {metric:?}") };
        format!(
            "input to histogram_quantile needed to be fixed for monotonicity (see \
             https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile){name}, from buckets {} to \
             {}, with a max diff of {}, over {} samples from {} to {}",
            short_number(self.lowest),
            short_number(self.highest),
            two_digits(self.most),
            self.samples,
            instant(self.first_ms),
            instant(self.last_ms),
        )
    }
}

/// A time in UTC after RFC 3339, without fractions.
fn instant(ms: i64) -> String {
    let d = Date::of((ms / 1000) as f64);
    let seconds = (ms / 1000).rem_euclid(60);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{seconds:02}Z", d.year, d.month, d.day, d.hour, d.minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        let one = |lowest, highest, most, ms| Forced { lowest, highest, most, first_ms: ms, last_ms: ms, samples: 1 };
        let mut all = one(5.0, 50.0, 5.5, 3_000);
        all.merge(one(2.5, 75.0, 1234.0, 60_000));
        let text = all.message("m");
        let end = "for metric name \"m\", from buckets 2.5 to 75, with a max diff of 1.2e+03, over 2 samples from \
                   1970-01-01T00:00:03Z to 1970-01-01T00:01:00Z";
        assert!(text.ends_with(end), "{text}");
    }
}
