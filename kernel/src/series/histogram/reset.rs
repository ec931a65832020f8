//! Whether a histogram's counter began anew. Pure.

use super::arithmetic::coarser_index;
use super::buckets::Side;
use super::{CounterReset, Histogram};

impl Histogram {
    /// Whether the counter began anew since the histogram before: what it says itself, else what its counts say.
    pub fn is_reset_since(&self, before: &Self) -> bool {
        match self.reset {
            CounterReset::Reset => true,
            CounterReset::NotReset => false,
            CounterReset::Unknown | CounterReset::Gauge => self.counts_fell_since(before),
        }
    }

    /// Whether any count is smaller than before, or a bucket is gone. A finer schema or a narrower zero bucket only
    /// come with a new counter.
    pub fn counts_fell_since(&self, before: &Self) -> bool {
        if self.count < before.count {
            return true;
        }
        if self.has_custom_bounds() {
            if !before.has_custom_bounds() {
                return true;
            }
            if self.custom_bounds != before.custom_bounds {
                return self.common_buckets_fell_since(before);
            }
            return fell(&self.positive(), &before.positive());
        }
        if before.has_custom_bounds() || self.schema > before.schema || self.zero_threshold < before.zero_threshold {
            return true;
        }
        let (threshold, zero_count, positive, negative) = before.widened(self.zero_threshold);
        if threshold != self.zero_threshold || self.zero_count < zero_count {
            return true;
        }
        let coarser = |side: Side| {
            let mut out: Side = Vec::with_capacity(side.len());
            for (index, v) in side {
                let target = coarser_index(index, before.schema, self.schema);
                match out.last_mut() {
                    Some(last) if last.0 == target => last.1 += v,
                    _ => out.push((target, v)),
                }
            }
            out
        };
        fell(&self.positive(), &coarser(positive)) || fell(&self.negative(), &coarser(negative))
    }

    /// With custom bounds that differ: whether any bucket between bounds that both have holds less.
    fn common_buckets_fell_since(&self, before: &Self) -> bool {
        let below = |h: &Self, bound: f64| -> f64 {
            h.positive().into_iter().filter(|(i, _)| h.bound(*i) <= bound).map(|(_, v)| v).sum()
        };
        let shared = self.custom_bounds.iter().filter(|b| before.custom_bounds.contains(b)).copied();
        let (mut last, mut last_before) = (0.0, 0.0);
        for bound in shared.chain([f64::INFINITY]) {
            let (now, then) = (below(self, bound), below(before, bound));
            if now - last < then - last_before {
                return true;
            }
            (last, last_before) = (now, then);
        }
        false
    }

    /// What a reader is told of resets after the sample before in the same series, as Prometheus's storage does it:
    /// it is known not to be reset where both would stand in one chunk; else it has to be found out.
    pub fn reset_after(&self, before: Option<&Self>) -> CounterReset {
        if self.reset == CounterReset::Gauge {
            return CounterReset::Gauge;
        }
        let Some(before) = before.filter(|b| !b.is_stale() && b.reset != CounterReset::Gauge) else {
            return CounterReset::Unknown;
        };
        let same_layout = self.schema == before.schema
            && self.zero_threshold == before.zero_threshold
            && self.custom_bounds == before.custom_bounds;
        if self.reset == CounterReset::Reset || !same_layout || self.counts_fell_since(before) {
            return CounterReset::Unknown;
        }
        CounterReset::NotReset
    }
}

/// Whether a bucket that held something holds less, or is gone.
fn fell(now: &Side, before: &Side) -> bool {
    let mut at = now.iter().peekable();
    before.iter().filter(|(_, v)| *v != 0.0).any(|(index, v)| {
        while at.next_if(|(i, _)| i < index).is_some() {}
        at.peek().filter(|(i, _)| i == index).is_none_or(|(_, now)| now < v)
    })
}

#[cfg(test)]
mod tests {
    use super::super::buckets::spans_of;
    use super::*;

    fn histogram(schema: i32, zero: (f64, f64), side: &[(i32, f64)]) -> Histogram {
        let (positive_spans, positive_buckets) = spans_of(side.iter().copied());
        let count = side.iter().map(|b| b.1).sum::<f64>() + zero.1;
        let (zero_threshold, zero_count) = zero;
        Histogram {
            schema,
            count,
            zero_threshold,
            zero_count,
            positive_spans,
            positive_buckets,
            ..Histogram::default()
        }
    }

    #[test]
    fn what_counts_as_a_reset() {
        let before = histogram(1, (0.1, 1.0), &[(1, 2.0), (2, 0.0), (3, 4.0)]);
        let check = |now: Histogram, expect| assert_eq!(now.is_reset_since(&before), expect, "{now}");
        check(before.clone(), false);
        check(histogram(1, (0.1, 1.0), &[(1, 2.0), (3, 4.0)]), false);
        check(histogram(1, (0.1, 1.0), &[(1, 1.0), (3, 9.0)]), true);
        check(histogram(1, (0.1, 1.0), &[(3, 9.0)]), true);
        check(histogram(0, (0.1, 1.0), &[(1, 2.0), (2, 4.0)]), false);
        check(histogram(2, (0.1, 1.0), &[(1, 2.0), (2, 4.0), (6, 9.0)]), true);
        check(histogram(1, (0.01, 9.0), &[(1, 2.0), (3, 4.0)]), true);
        check(Histogram { reset: CounterReset::NotReset, ..Histogram::default() }, false);
        check(Histogram { reset: CounterReset::Reset, ..before.clone() }, true);
    }

    #[test]
    fn what_a_reader_is_told() {
        let h = histogram(0, (0.0, 0.0), &[(1, 2.0)]);
        let more = histogram(0, (0.0, 0.0), &[(1, 3.0)]);
        assert_eq!(h.reset_after(None), CounterReset::Unknown);
        assert_eq!(more.reset_after(Some(&h)), CounterReset::NotReset);
        assert_eq!(h.reset_after(Some(&more)), CounterReset::Unknown);
        assert_eq!(more.at_schema(-1).reset_after(Some(&h)), CounterReset::Unknown);
    }
}
