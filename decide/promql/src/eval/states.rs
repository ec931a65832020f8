//! What an aggregation remembers of the values it has seen. Pure.

use crate::functions::kahan::{Kahan, Mean};

/// Folds values one by one.
pub(super) trait State: Clone + Default {
    fn add(&mut self, v: f64);
    fn is_empty(&self) -> bool;
}

/// `sum`
#[derive(Clone, Default)]
pub(super) struct Sum {
    seen: bool,
    total: Kahan,
}

impl Sum {
    pub(super) fn value(&self) -> f64 {
        self.total.sum + self.total.lost
    }
}

impl State for Sum {
    fn add(&mut self, v: f64) {
        if self.seen {
            self.total.add(v);
        } else {
            *self = Self { seen: true, total: Kahan { sum: v, lost: 0.0 } };
        }
    }

    fn is_empty(&self) -> bool {
        !self.seen
    }
}

/// `avg`
#[derive(Clone, Default)]
pub(super) struct Average(Mean);

impl Average {
    pub(super) fn value(&self) -> f64 {
        self.0.value()
    }
}

impl State for Average {
    fn add(&mut self, v: f64) {
        self.0.add(v);
    }

    fn is_empty(&self) -> bool {
        self.0.count == 0.0
    }
}

/// `count`
#[derive(Clone, Default)]
pub(super) struct Count(u64);

impl Count {
    pub(super) fn value(&self) -> f64 {
        self.0 as f64
    }
}

impl State for Count {
    fn add(&mut self, _: f64) {
        self.0 += 1;
    }

    fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

/// `group`
#[derive(Clone, Default)]
pub(super) struct Group(bool);

impl Group {
    pub(super) fn value(&self) -> f64 {
        1.0
    }
}

impl State for Group {
    fn add(&mut self, _: f64) {
        self.0 = true;
    }

    fn is_empty(&self) -> bool {
        !self.0
    }
}

/// `min`; NaN only where nothing else is.
#[derive(Clone, Default)]
pub(super) struct Minimum(Option<f64>);

impl Minimum {
    pub(super) fn value(&self) -> f64 {
        self.0.unwrap_or(f64::NAN)
    }
}

impl State for Minimum {
    fn add(&mut self, v: f64) {
        if self.0.is_none_or(|best| v < best || best.is_nan()) {
            self.0 = Some(v);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// `max`; NaN only where nothing else is.
#[derive(Clone, Default)]
pub(super) struct Maximum(Option<f64>);

impl Maximum {
    pub(super) fn value(&self) -> f64 {
        self.0.unwrap_or(f64::NAN)
    }
}

impl State for Maximum {
    fn add(&mut self, v: f64) {
        if self.0.is_none_or(|best| v > best || best.is_nan()) {
            self.0 = Some(v);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// `stdvar` and `stddev`: Welford's running variance.
#[derive(Clone, Default)]
pub(super) struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    pub(super) fn value(&self) -> f64 {
        self.squares / self.count
    }
}

impl State for Spread {
    fn add(&mut self, v: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.mean = v;
            // The spread of something infinite is not known, even alone.
            self.squares = if v.is_finite() { 0.0 } else { f64::NAN };
            return;
        }
        let delta = v - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (v - self.mean);
    }

    fn is_empty(&self) -> bool {
        self.count == 0.0
    }
}
