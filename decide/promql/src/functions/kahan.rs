//! Compensated summation after Kahan, as improved by Neumaier. Pure.

/// A sum that keeps what rounding loses.
///
/// Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen" (1974).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Kahan {
    pub(crate) sum: f64,
    pub(crate) lost: f64,
}

impl Kahan {
    /// The sum with one more summand.
    pub(crate) fn plus(self, v: f64) -> Self {
        let sum = self.sum + v;
        let lost = if sum.is_infinite() {
            0.0
        } else if self.sum.abs() >= v.abs() {
            self.lost + ((self.sum - sum) + v)
        } else {
            self.lost + ((v - sum) + self.sum)
        };
        Self { sum, lost }
    }

    pub(crate) fn add(&mut self, v: f64) {
        *self = self.plus(v);
    }

    /// The compensated value.
    pub(crate) fn value(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.lost }
    }
}

/// A mean: the compensated sum by the count, and an incremental mean once the sum overflows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    total: Kahan,
    pub(crate) count: f64,
    incremental: bool,
}

impl Mean {
    pub(crate) fn add(&mut self, v: f64) {
        self.count += 1.0;
        if !self.incremental {
            let next = self.total.plus(v);
            if self.count == 1.0 || !next.sum.is_infinite() {
                self.total = next;
                return;
            }
            self.incremental = true;
            self.total.sum /= self.count - 1.0;
            self.total.lost /= self.count - 1.0;
        }
        let kept = (self.count - 1.0) / self.count;
        let scaled = Kahan { sum: kept * self.total.sum, lost: kept * self.total.lost };
        self.total = scaled.plus(v / self.count);
    }

    pub(crate) fn value(&self) -> f64 {
        if self.incremental {
            self.total.sum + self.total.lost
        } else {
            self.total.sum / self.count + self.total.lost / self.count
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_small_ones() {
        let mut k = Kahan::default();
        [2.0, 8.0, 1e100, -1e100].into_iter().for_each(|v| k.add(v));
        assert_eq!(k.value(), 10.0);
    }

    #[test]
    fn mean_survives_overflow() {
        let mut m = Mean::default();
        [f64::MAX, f64::MAX, f64::MAX].into_iter().for_each(|v| m.add(v));
        assert!((m.value() / f64::MAX - 1.0).abs() < 1e-15);
    }
}
